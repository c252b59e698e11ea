//! How the server wants to be shown the brokered credential.

use ostiary_wire::postgres::{Authentication, Frame, frontend};
use sha2::{Digest as _, Sha256};

use super::errors::{hostile, lost_state};
use super::{Login, Stage};
use crate::postgres::core::{Core, Fatal, encoded};
use crate::postgres::scram::{self, Scram};

/// How the server wants the role to log in.
pub(super) enum Method {
    Trust,
    Cleartext,
    Md5([u8; 4]),
    Scram(Scram, Proof),
}

#[derive(PartialEq, Eq)]
pub(super) enum Proof {
    Asked,
    Answered,
    Verified,
}

impl Login {
    pub(super) fn on_authentication(
        &mut self,
        core: &mut Core,
        step: Authentication<'_>,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<(), Fatal> {
        match (&self.stage, &mut self.method, step) {
            (Stage::Greeted, None, step) => {
                self.method = Some(match step {
                    Authentication::Ok => {
                        self.greeting.extend_from_slice(frame.bytes);
                        Method::Trust
                    }
                    Authentication::CleartextPassword => Method::Cleartext,
                    Authentication::Md5Password { salt } => Method::Md5(salt),
                    Authentication::Sasl { mechanisms }
                        if mechanisms.contains(&scram::MECHANISM) =>
                    {
                        Method::Scram(Scram::new(nonce(core)), Proof::Asked)
                    }
                    _ => return Err(hostile("the server asks for a login method Ostiary lacks")),
                });
                self.ask_password(core, input);
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(scram, proof @ Proof::Asked)),
                Authentication::SaslContinue(challenge),
            ) => {
                let Some(opened) = &self.opened else {
                    return Err(lost_state());
                };
                let (shared, role) = (&core.shared, &core.config.role);
                let answer = scram
                    .client_final(challenge, |salt, iterations| {
                        shared.keys(role, &opened.password, salt, iterations, core.now)
                    })
                    .map_err(|error| hostile(&error.to_string()))?;
                *proof = Proof::Answered;
                core.send_to_server(encoded(|out| {
                    frontend::encode::sasl_response(out, answer.as_bytes())
                }));
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(scram, proof @ Proof::Answered)),
                Authentication::SaslFinal(outcome),
            ) => {
                let keys = scram
                    .verify(outcome)
                    .map_err(|error| hostile(&error.to_string()))?;
                core.shared.keep_keys(&core.config.role, keys, core.now);
                *proof = Proof::Verified;
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(_, Proof::Verified) | Method::Md5(_) | Method::Cleartext),
                Authentication::Ok,
            ) if self.greeting.is_empty() => {
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            _ => Err(hostile("the server sent a login step out of turn")),
        }
    }
}

/// A SCRAM nonce: the connection's random id, digested so that the id is not shown to the server.
fn nonce(core: &Core) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut digest = Sha256::new();
    digest.update(b"scram nonce");
    digest.update(core.journal.session_id());
    digest.update(core.now.0.to_be_bytes());
    STANDARD.encode(digest.finalize())
}

/// `md5` + md5(md5(password + role) + salt), in hex.
pub(super) fn md5_password(password: &str, role: &str, salt: &[u8; 4]) -> String {
    use md5::Md5;
    let inner = hex(&Md5::new()
        .chain_update(password)
        .chain_update(role)
        .finalize());
    format!(
        "md5{}",
        hex(&Md5::new().chain_update(inner).chain_update(salt).finalize())
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_an_md5_password_as_the_server_does() {
        // SELECT 'md5' || md5(md5('secret' || 'shop_app') || '\x01020304'::bytea) on PostgreSQL 15.
        let expected = {
            use md5::Md5;
            let inner = hex(&Md5::digest(b"secretshop_app"));
            let mut salted = inner.into_bytes();
            salted.extend([1, 2, 3, 4]);
            format!("md5{}", hex(&Md5::digest(&salted)))
        };
        assert_eq!(md5_password("secret", "shop_app", &[1, 2, 3, 4]), expected);
    }
}
