//! What the server says until it is logged in to.

use ostiary_wire::postgres::{Backend, Frame, frame};

use super::errors::{hostile, server_broken};
use super::method::Method;
use super::{Login, Stage, cancel_key};
use crate::postgres::core::{Core, Fatal};
use crate::postgres::{Next, reply};

/// Bytes a server may send before the session is open: a greeting is a few hundred.
const MAX_GREETING: usize = 64 << 10;

impl Login {
    pub(in crate::postgres) fn on_server(
        &mut self,
        core: &mut Core,
        bytes: &[u8],
    ) -> Result<Next, Fatal> {
        if let Stage::EncryptionAsked = self.stage {
            return self.on_encryption_answer(core, bytes);
        }
        self.server.extend_from_slice(bytes);
        let server = std::mem::take(&mut self.server);
        let mut rest: &[u8] = &server;
        while let Some(frame) =
            frame::take(rest, MAX_GREETING).map_err(|error| server_broken(&error))?
        {
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
            self.on_server_frame(core, &frame, bytes)?;
            if self.greeting.len() > MAX_GREETING {
                return Err(hostile("the server's greeting is too long"));
            }
            if self.is_complete() && matches!(self.stage, Stage::Finishing) {
                return self.finish(core, bytes, rest);
            }
        }
        self.server = rest.to_vec();
        Ok(Next::Stay)
    }

    fn on_encryption_answer(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        match bytes {
            // The server closed its side.
            b"" => Ok(Next::Stay),
            b"N" => {
                self.stage = Stage::Start;
                core.client.write(bytes).push(b'N');
                Ok(Next::Stay)
            }
            b"S" => Err(Fatal::new(
                reply::UNAVAILABLE,
                "server",
                format!(
                    "resource `{}`: the server wants to speak TLS and the gateway was told not to; \
                     set `tls: prefer` for it",
                    core.config.resource
                ),
            )),
            _ => Err(hostile(
                "the server answered an encryption request with other bytes",
            )),
        }
    }

    fn on_server_frame(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<(), Fatal> {
        let message =
            Backend::parse(frame.tag, frame.body).map_err(|error| server_broken(&error))?;
        match message {
            Backend::Authentication(step) => self.on_authentication(core, step, frame, input),
            Backend::ErrorResponse(fields) => {
                let text = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                let sqlstate = text(fields.sqlstate());
                let said = text(fields.message());
                if let Some(fatal) = self.known_refusal(&sqlstate) {
                    return Err(fatal.with_detail(format!("{sqlstate}: {said}")));
                }
                Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "server",
                    format!(
                        "resource `{}`: the server refused the connection (SQLSTATE {})",
                        core.config.resource,
                        // A hostile server's text goes to the record, not to the client.
                        sqlstate
                            .chars()
                            .filter(char::is_ascii_alphanumeric)
                            .take(5)
                            .collect::<String>()
                    ),
                )
                .with_detail(format!("{sqlstate}: {said}")))
            }
            Backend::NegotiateProtocolVersion { minor, .. }
                if matches!(self.stage, Stage::Greeted) =>
            {
                // The options the client asked for never got as far as the server.
                if let Some(wanted) = &mut self.wanted {
                    let options = wanted.negotiate.take().map_or_else(Vec::new, |(_, o)| o);
                    wanted.negotiate = Some((minor, options));
                }
                Ok(())
            }
            Backend::ParameterStatus { name, value } if self.greets() => {
                self.facts.learn(name, value);
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            Backend::BackendKeyData { process_id, secret } if self.greets() => {
                self.facts.cancel_key = Some(cancel_key(process_id, secret));
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            Backend::ReadyForQuery { .. } if self.greets() => {
                // The answer to a Sync of ours comes second.
                if self.ready == 0 {
                    self.greeting.extend_from_slice(frame.bytes);
                }
                self.ready = self.ready.saturating_add(1);
                Ok(())
            }
            Backend::NoticeResponse(_) => Ok(()),
            _ => Err(hostile(
                "the server sent a message that does not belong into a login",
            )),
        }
    }

    /// What a client that was verified may know of the server's refusal: drivers and tools go by
    /// these SQLSTATEs. The words are ours, a hostile server's go to the record.
    fn known_refusal(&self, sqlstate: &str) -> Option<Fatal> {
        if !matches!(self.stage, Stage::Finishing) {
            return None;
        }
        let wanted = self.wanted.as_ref();
        let database = wanted.map_or("", |it| it.database.as_str());
        let replicates = wanted.is_some_and(|it| it.replication.is_some());
        let (sqlstate, message) = match sqlstate {
            "42501" if replicates => (
                reply::DENIED,
                "the gateway's role may not replicate".to_owned(),
            ),
            "3D000" => ("3D000", format!("database \"{database}\" does not exist")),
            "22023" => ("22023", "invalid value for a startup parameter".to_owned()),
            "42704" => ("42704", "unrecognized startup parameter".to_owned()),
            "42501" => (
                reply::DENIED,
                format!("permission denied for database \"{database}\""),
            ),
            "53300" => ("53300", "sorry, too many clients already".to_owned()),
            "55000" => (
                "55000",
                format!("database \"{database}\" is not currently accepting connections"),
            ),
            "57P03" => (
                reply::UNAVAILABLE,
                "the database system is not accepting connections".to_owned(),
            ),
            _ => return None,
        };
        Some(Fatal::new(sqlstate, "server", message))
    }

    /// Whether the server has said all it says before the first statement.
    fn is_complete(&self) -> bool {
        let awaited = if matches!(self.method, Some(Method::Trust)) {
            2
        } else {
            1
        };
        self.ready >= awaited
    }

    /// Whether AuthenticationOk has come.
    fn greets(&self) -> bool {
        !self.greeting.is_empty()
    }
}
