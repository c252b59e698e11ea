//! The client's frames: read one by one, as far as they may be read now.

use ostiary_wire::postgres::{Frontend, frame, tag};

use super::core::{Core, Fatal};
use super::expect::Expect;
use super::extended::{Bind, Parse};
use super::names::kept;
use super::open::Open;
use super::{Next, reply};
use crate::Limits;

/// Answers the server may owe before more is read: each takes memory here.
const MAX_EXPECTED: usize = 16_384;

/// What became of a client's frame.
pub(super) enum Taken {
    Yes,
    /// It has to wait for answers of the server; try again later.
    NotYet,
    /// The client says goodbye.
    Terminated,
}

impl Open {
    pub(super) fn on_client(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        self.inbox.push(bytes);
        self.pump_and_flush(core)
    }

    pub(super) fn pump_and_flush(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let next = self.pump(core);
        self.flush(core);
        next
    }

    /// Reads as many frames of the client as may be read now.
    fn pump(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let mut inbox = std::mem::take(&mut self.inbox);
        let limits = core.config.limits;
        let mut next = Next::Stay;
        while self.may_read(&limits) {
            let Some(frame) =
                frame::take(inbox.rest(), limits.message).map_err(|error| broken(&error))?
            else {
                break;
            };
            if self.starts_segment(frame.tag) && self.refresh(core) {
                break;
            }
            let message = Frontend::parse(frame.tag, frame.body).map_err(|error| broken(&error))?;
            // What comes within a COPY is of no round.
            let data = self.takes_data();
            let taken = if data {
                self.on_data(core, &message, frame.bytes)?
            } else {
                self.on_message(core, message, frame.bytes)?
            };
            match taken {
                Taken::Yes => {
                    if !data {
                        self.note_segment(frame.tag);
                    }
                    let length = frame.bytes.len();
                    inbox.consume(length);
                }
                Taken::NotYet => break,
                Taken::Terminated => {
                    next = Next::Close("client");
                    break;
                }
            }
        }
        self.inbox = inbox;
        self.check_ahead(&limits)?;
        Ok(next)
    }

    fn may_read(&self, limits: &Limits) -> bool {
        self.hold.is_none()
            && self.greeting.is_none()
            && self.outbox.held() <= limits.ahead
            && self.expects.len() < MAX_EXPECTED
            && !self.awaits_copy()
            && !matches!(
                self.expects.back(),
                Some(Expect::Refresh(_) | Expect::Look(_))
            )
    }

    fn check_ahead(&self, limits: &Limits) -> Result<(), Fatal> {
        let (limit, what) = if self.hold.is_some() {
            (limits.ahead, "a statement that waits for an approval")
        } else {
            let limit = limits.message.saturating_add(limits.ahead);
            (limit, "statements the server has not answered")
        };
        if self.inbox.len() <= limit {
            return Ok(());
        }
        Err(Fatal::new(
            reply::PROTOCOL,
            "limit",
            format!("more than {limit} bytes were sent ahead of {what}"),
        ))
    }

    /// Whether a frame of this kind opens a round, so that a query of our own can come before it.
    fn starts_segment(&self, kind: u8) -> bool {
        self.expects.is_empty()
            && !self.mid_segment
            && kind != tag::frontend::SYNC
            && kind != tag::frontend::TERMINATE
    }

    /// Takes note of whether a round of the extended protocol is under way.
    fn note_segment(&mut self, kind: u8) {
        self.mid_segment = match kind {
            tag::frontend::SYNC => false,
            // In a round that failed the server drops these as well.
            tag::frontend::QUERY | tag::frontend::FUNCTION_CALL => self.skipping,
            tag::frontend::PARSE
            | tag::frontend::BIND
            | tag::frontend::DESCRIBE
            | tag::frontend::EXECUTE
            | tag::frontend::CLOSE
            | tag::frontend::FLUSH => true,
            _ => self.mid_segment,
        };
    }

    fn on_message(
        &mut self,
        core: &mut Core,
        message: Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        match message {
            Frontend::Query { sql } => self.on_query(core, sql, bytes),
            Frontend::Parse {
                name,
                sql,
                parameter_types,
            } => {
                let parse = Parse {
                    name: kept(name),
                    sql,
                    parameter_types,
                };
                self.on_parse(core, parse, bytes)
            }
            Frontend::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats,
            } => {
                let bind = Bind {
                    portal: kept(portal),
                    statement: kept(statement),
                    parameter_formats,
                    parameters,
                    result_formats,
                };
                self.on_bind(core, bind, bytes)
            }
            Frontend::Describe { kind, name } => self.on_describe(kind, kept(name), bytes),
            Frontend::Execute { portal, .. } => self.on_execute(core, kept(portal), bytes),
            Frontend::Close { kind, name } => self.on_close(kind, kept(name), bytes),
            Frontend::Sync => self.on_sync(bytes),
            Frontend::Flush => self.on_flush(bytes),
            Frontend::FunctionCall(body) => self.on_function_call(core, body, bytes),
            Frontend::Terminate => Ok(self.on_terminate(core, bytes)),
            // The server ignores these outside a COPY; here they go nowhere.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => Ok(Taken::Yes),
            Frontend::Password(_) => Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "a PasswordMessage came after the login".to_owned(),
            )),
        }
    }

    /// What was sent before the goodbye is answered first.
    fn on_terminate(&mut self, core: &mut Core, bytes: &[u8]) -> Taken {
        let answers = self.expects.iter().any(|expect| {
            matches!(
                expect,
                Expect::Query(_) | Expect::Sync(_) | Expect::Execute { .. } | Expect::Look(_)
            )
        });
        if answers || self.outbox.waits() {
            return Taken::NotYet;
        }
        self.flush(core);
        core.send_to_server(bytes.to_vec());
        Taken::Terminated
    }

    /// Sends a message, or keeps it back with the operation it belongs to.
    pub(super) fn send(&mut self, bytes: &[u8], expect: Option<Expect>) {
        match &mut self.batch {
            Some(batch) => {
                batch.bytes.extend_from_slice(bytes);
                batch.expects.extend(expect);
            }
            None => {
                self.outbox.tail().extend_from_slice(bytes);
                self.expects.extend(expect);
            }
        }
    }

    /// Sends what was kept back.
    pub(super) fn release_batch(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.outbox.tail().extend(batch.bytes);
            self.expects.extend(batch.expects);
        }
    }

    /// Forgets what was kept back, and what it would have done to names.
    pub(super) fn drop_batch(&mut self) {
        if let Some(batch) = self.batch.take() {
            for expect in batch.expects.into_iter().rev() {
                self.undo(expect);
            }
        }
    }
}

pub(super) fn broken(error: &ostiary_wire::Malformed) -> Fatal {
    Fatal::new(reply::PROTOCOL, "protocol", error.to_string())
}
