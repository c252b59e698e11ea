//! What the client says until it is logged in.

use ostiary_record::{ConnectionOpened, event::Kind};
use ostiary_wire::postgres::startup::{self, SSL_REQUEST, Startup};
use ostiary_wire::postgres::{backend, frame, frontend, tag};

use super::errors::{ahead_of_answer, broken, lost_state, too_much_ahead};
use super::{Login, Stage, cancel_key};
use crate::postgres::core::{Core, Fatal, encoded};
use crate::postgres::startup::Wanted;
use crate::postgres::{Next, reply};
use crate::{Effect, OpenSession};

/// Terminate, from a client that changed its mind before it said who it is. It has no place there, and the
/// server hangs up on it without a word.
const TERMINATE: &[u8] = b"X\0\0\0\x04";
/// Bytes of a token with its frame; the control plane takes 8 KiB.
const MAX_PASSWORD: usize = 16 << 10;

impl Login {
    pub(in crate::postgres) fn on_client(
        &mut self,
        core: &mut Core,
        bytes: &[u8],
    ) -> Result<Next, Fatal> {
        self.inbox.extend_from_slice(bytes);
        match self.stage {
            Stage::Start => self.on_start(core),
            Stage::PasswordAsked => self.on_password(core),
            Stage::EncryptionAsked => Err(ahead_of_answer()),
            // A client waits for an answer here; what it sends ahead is an attempt to have bytes
            // read in another state than they were sent in.
            Stage::Greeted => Err(ahead_of_answer()),
            // The server reads no more of such a connection either.
            Stage::Cancel(_) | Stage::Cancelled => {
                self.inbox.clear();
                Ok(Next::Stay)
            }
            // What a client sends ahead is read once it is logged in.
            Stage::Verifying | Stage::Finishing if self.inbox.len() <= core.config.limits.ahead => {
                Ok(Next::Stay)
            }
            Stage::Verifying | Stage::Finishing => Err(too_much_ahead()),
        }
    }

    fn on_start(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        if self.inbox == TERMINATE {
            return Ok(Next::Close("client"));
        }
        if TERMINATE.starts_with(&self.inbox) {
            return Ok(Next::Stay);
        }
        let inbox = std::mem::take(&mut self.inbox);
        let Some((message, used)) = startup::take(&inbox).map_err(|error| broken(&error))? else {
            self.inbox = inbox;
            return Ok(Next::Stay);
        };
        if inbox.len() > used && !matches!(message, Startup::Cancel { .. }) {
            return Err(ahead_of_answer());
        }
        match message {
            Startup::Ssl | Startup::GssEnc => {
                if self.encryption_asked {
                    return Err(Fatal::new(
                        reply::UNSUPPORTED,
                        "protocol",
                        "only one encryption request is answered on this listener; \
                         use `gssencmode=disable`"
                            .to_owned(),
                    ));
                }
                self.encryption_asked = true;
                self.stage = Stage::EncryptionAsked;
                core.send_to_server(SSL_REQUEST.to_vec());
            }
            Startup::Cancel { process_id, secret } => {
                let packet = encoded(|out| startup::cancel(out, process_id, secret));
                self.stage = Stage::Cancel(packet);
                core.effects.push_back(Effect::CancelWait {
                    cancel_key_sha256: cancel_key(process_id, secret),
                });
            }
            Startup::Startup(message) => {
                let wanted = Wanted::new(&message, &core.config.role)?;
                core.record(Kind::ConnectionOpened(ConnectionOpened {
                    resource: core.config.resource.clone(),
                    peer: core.config.peer.clone(),
                    database: wanted.database.clone(),
                    requested_role: wanted.requested_role.clone(),
                    application_name: wanted.application_name.clone(),
                }));
                core.send_to_server(wanted.upstream.clone());
                self.wanted = Some(wanted);
                self.stage = Stage::Greeted;
            }
        }
        Ok(Next::Stay)
    }

    fn on_password(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let inbox = std::mem::take(&mut self.inbox);
        let Some(frame) = frame::take(&inbox, MAX_PASSWORD).map_err(|error| broken(&error))? else {
            self.inbox = inbox;
            return Ok(Next::Stay);
        };
        if frame.tag == tag::frontend::TERMINATE {
            return Ok(Next::Close("client"));
        }
        if frame.tag != tag::frontend::PASSWORD {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "expected a PasswordMessage".to_owned(),
            ));
        }
        let token = frontend::password(frame.body).map_err(|error| broken(&error))?;
        let token = std::str::from_utf8(token).unwrap_or_default();
        if token.is_empty() {
            return Err(Fatal::new(
                reply::LOGIN,
                "login",
                "no token: the password must be an OIDC token".to_owned(),
            ));
        }
        let Some(wanted) = &self.wanted else {
            return Err(lost_state());
        };
        core.effects.push_back(Effect::OpenSession(OpenSession {
            database: wanted.database.clone(),
            requested_role: wanted.requested_role.clone(),
            application_name: wanted.application_name.clone(),
            token: token.to_owned(),
        }));
        self.stage = Stage::Verifying;
        self.inbox = inbox.get(frame.bytes.len()..).unwrap_or_default().to_vec();
        Ok(Next::Stay)
    }

    pub(super) fn ask_password(&mut self, core: &mut Core, input: &[u8]) {
        let mut out = Vec::new();
        if let Some((minor, options)) = self
            .wanted
            .as_mut()
            .and_then(|wanted| wanted.negotiate.take())
        {
            let options: Vec<&[u8]> = options.iter().map(String::as_bytes).collect();
            out = encoded(|out| backend::encode::negotiate_protocol_version(out, minor, &options));
        }
        out.extend(encoded(backend::encode::authentication_cleartext));
        core.client.write(input).extend(out);
        self.stage = Stage::PasswordAsked;
    }
}
