//! SCRAM-SHA-256 as a server, enough to prove the client's side.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

const SALT: &[u8] = b"0123456789abcdef";
const ITERATIONS: u32 = 16;

/// One exchange.
#[derive(Debug, Default)]
pub(super) struct ScramServer {
    client_first_bare: String,
    server_first: String,
}

fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().into()
}

impl ScramServer {
    pub(super) fn first(&mut self, client_first: &[u8]) -> Vec<u8> {
        let client_first = std::str::from_utf8(client_first).unwrap();
        client_first
            .strip_prefix("n,,")
            .unwrap()
            .clone_into(&mut self.client_first_bare);
        let nonce = self.client_first_bare.split("r=").nth(1).unwrap();
        self.server_first = format!("r={nonce}server,s={},i={ITERATIONS}", STANDARD.encode(SALT));
        self.server_first.clone().into_bytes()
    }

    /// The server's proof, if the client knows the password.
    pub(super) fn last(&self, client_final: &[u8], password: &str) -> Option<Vec<u8>> {
        let client_final = std::str::from_utf8(client_final).unwrap();
        let (without_proof, proof) = client_final.split_once(",p=")?;
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), SALT, ITERATIONS, &mut salted);
        let stored: [u8; 32] = Sha256::digest(sign(&salted, b"Client Key")).into();
        let auth = format!(
            "{},{},{without_proof}",
            self.client_first_bare, self.server_first
        );
        let signature = sign(&stored, auth.as_bytes());
        let proof = STANDARD.decode(proof).ok()?;
        let key: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if <[u8; 32]>::from(Sha256::digest(key)) != stored {
            return None;
        }
        let proof = sign(&sign(&salted, b"Server Key"), auth.as_bytes());
        Some(format!("v={}", STANDARD.encode(proof)).into_bytes())
    }
}
