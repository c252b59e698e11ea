//! SCRAM-SHA-256 as a client (RFC 5802, RFC 7677), without channel binding.
//!
//! The server is not trusted: it must extend our nonce, stay within an iteration bound and prove that
//! it knows the password too.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::keys::{Derived, sign};

/// The mechanism's name in AuthenticationSASL.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// Iterations a server may ask for. PostgreSQL's default is 4,096; a hostile server asks for 2^31 to
/// keep the worker busy.
const MAX_ITERATIONS: u32 = 65_536;

/// Bytes of a salt.
const MAX_SALT: usize = 1024;

/// What a server did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScramError {
    #[error("the server's SCRAM message is malformed")]
    Malformed,
    #[error("the server did not extend the client's nonce")]
    Nonce,
    #[error("the server asks for more than {MAX_ITERATIONS} iterations")]
    Iterations,
    #[error("the server could not prove that it knows the password")]
    Signature,
}

/// One exchange.
pub(super) struct Scram {
    nonce: String,
    server_signature: Option<[u8; 32]>,
    derived: Option<Derived>,
}

impl Scram {
    /// Starts an exchange; `nonce` is printable ASCII without a comma, fresh each time.
    pub(super) fn new(nonce: String) -> Self {
        Self {
            nonce,
            server_signature: None,
            derived: None,
        }
    }

    /// The client-first-message. The user name is empty: PostgreSQL takes it from StartupMessage.
    pub(super) fn client_first(&self) -> String {
        format!("n,,{}", self.client_first_bare())
    }

    fn client_first_bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The client-final-message that answers the server-first-message; `derive` gives the keys for a
    /// salt and a number of iterations.
    pub(super) fn client_final(
        &mut self,
        server_first: &[u8],
        derive: impl FnOnce(&[u8], u32) -> Derived,
    ) -> Result<String, ScramError> {
        let server_first = std::str::from_utf8(server_first).map_err(|_| ScramError::Malformed)?;
        let mut parts = server_first.split(',');
        let nonce = attribute(parts.next(), "r=")?;
        let salt = attribute(parts.next(), "s=")?;
        let iterations = attribute(parts.next(), "i=")?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err(ScramError::Nonce);
        }
        let iterations: u32 = iterations.parse().map_err(|_| ScramError::Malformed)?;
        if iterations == 0 {
            return Err(ScramError::Malformed);
        }
        if iterations > MAX_ITERATIONS {
            return Err(ScramError::Iterations);
        }
        let salt = STANDARD.decode(salt).map_err(|_| ScramError::Malformed)?;
        if salt.is_empty() || salt.len() > MAX_SALT {
            return Err(ScramError::Malformed);
        }

        let derived = derive(&salt, iterations);
        let keys = &derived.keys;
        let stored_key: [u8; 32] = Sha256::digest(keys.client).into();

        // "biws" is "n,," in base64: no channel binding.
        let without_proof = format!("c=biws,r={nonce}");
        let auth = format!(
            "{},{server_first},{without_proof}",
            self.client_first_bare()
        );
        let client_signature = sign(&stored_key, auth.as_bytes());
        let proof: Vec<u8> = keys
            .client
            .iter()
            .zip(client_signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        self.server_signature = Some(sign(&keys.server, auth.as_bytes()));
        self.derived = Some(derived);
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Checks the server-final-message; gives the keys, which the server has proved to know.
    pub(super) fn verify(&mut self, server_final: &[u8]) -> Result<Derived, ScramError> {
        let server_final = std::str::from_utf8(server_final).map_err(|_| ScramError::Malformed)?;
        let signature = attribute(server_final.split(',').next(), "v=")?;
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| ScramError::Malformed)?;
        match (self.server_signature, self.derived.take()) {
            (Some(expected), Some(derived)) if expected.as_slice() == signature.as_slice() => {
                Ok(derived)
            }
            _ => Err(ScramError::Signature),
        }
    }
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Result<&'a str, ScramError> {
    part.and_then(|part| part.strip_prefix(name))
        .ok_or(ScramError::Malformed)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::keys::Keys;
    use super::*;

    fn derive(password: &str) -> impl Fn(&[u8], u32) -> Derived {
        move |salt, iterations| Derived {
            id: Derived::id("", password, salt, iterations),
            keys: Rc::new(Keys::derive(password, salt, iterations)),
        }
    }

    /// The exchange of RFC 7677, section 3, with the user name PostgreSQL leaves empty put aside.
    #[test]
    fn answers_a_server_and_checks_its_proof() {
        let mut scram = Scram::new("rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(scram.client_first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
        let server_first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let client_final = scram.client_final(server_first, derive("pencil")).unwrap();
        assert!(
            client_final
                .starts_with("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=")
        );
        let signature = STANDARD.encode(scram.server_signature.unwrap());
        assert!(scram.verify(format!("v={signature}").as_bytes()).is_ok());
        assert_eq!(scram.verify(b"v=AAAA").err(), Some(ScramError::Signature));
    }

    #[test]
    fn refuses_a_hostile_server() {
        let cases: [(&[u8], ScramError); 7] = [
            (b"", ScramError::Malformed),
            (b"r=other,s=AAAA,i=4096", ScramError::Nonce),
            (b"r=abc,s=AAAA,i=4096", ScramError::Nonce),
            (b"r=abcX,s=AAAA,i=2147483647", ScramError::Iterations),
            (b"r=abcX,s=AAAA,i=0", ScramError::Malformed),
            (b"r=abcX,s=,i=4096", ScramError::Malformed),
            (b"m=x,r=abcX,s=AAAA,i=1", ScramError::Malformed),
        ];
        for (server_first, expected) in cases {
            let mut scram = Scram::new("abc".to_owned());
            let refused = scram.client_final(server_first, derive("x"));
            assert_eq!(refused.unwrap_err(), expected);
            assert_eq!(scram.verify(b"v=AAAA").err(), Some(ScramError::Signature));
        }
    }
}
