//! The client's frames: commands one at a time, and data while a command takes it.

use ostiary_wire::postgres::{Frontend, frame, frontend::encode};

use super::command;
use super::exchange::{Exchange, Flow};
use super::session::{Replication, Turn};
use crate::postgres::Next;
use crate::postgres::core::{Core, Fatal, encoded};
use crate::postgres::pump::{Taken, broken};
use crate::postgres::reply;
use crate::postgres::running::Running;

impl Replication {
    pub(in crate::postgres) fn on_client(
        &mut self,
        core: &mut Core,
        bytes: &[u8],
    ) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        self.inbox.push(bytes);
        self.pump_and_flush(core)
    }

    pub(in crate::postgres) fn pump_and_flush(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let next = self.pump(core);
        self.flush(core);
        next
    }

    /// Reads as many frames as may be read now.
    fn pump(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let mut inbox = std::mem::take(&mut self.inbox);
        let limits = core.config.limits;
        let mut next = Next::Stay;
        while self.outbox.held() <= limits.ahead {
            let frame =
                frame::take(inbox.rest(), limits.message).map_err(|error| broken(&error))?;
            let Some(frame) = frame else {
                break;
            };
            let message = Frontend::parse(frame.tag, frame.body).map_err(|error| broken(&error))?;
            match self.on_message(core, &message, frame.bytes)? {
                Taken::Yes => {
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
        let limit = limits.message.saturating_add(limits.ahead);
        if self.inbox.len() > limit {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "limit",
                format!("more than {limit} bytes were sent ahead of what the server has answered"),
            ));
        }
        Ok(next)
    }

    fn on_message(
        &mut self,
        core: &mut Core,
        message: &Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if let Frontend::Password(_) = message {
            let said = "a PasswordMessage came after the login".to_owned();
            return Err(Fatal::new(reply::PROTOCOL, "protocol", said));
        }
        match &mut self.turn {
            Turn::Runs(exchange) if exchange.takes_data() => self.on_data(core, message, bytes),
            Turn::Runs(_) | Turn::Syncs | Turn::Skips { synced: true, .. } => Ok(Taken::NotYet),
            Turn::Skips { synced, .. } => {
                match message {
                    Frontend::Sync => {
                        *synced = true;
                        self.outbox.tail().extend_from_slice(bytes);
                    }
                    Frontend::Terminate => return Ok(self.on_terminate(core, bytes)),
                    // The server would drop them as well.
                    _ => {}
                }
                Ok(Taken::Yes)
            }
            Turn::Idle => self.on_idle(core, message, bytes),
        }
    }

    fn on_idle(
        &mut self,
        core: &mut Core,
        message: &Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        match message {
            Frontend::Query { sql } => self.on_command(core, sql, bytes),
            Frontend::Sync => {
                self.outbox.tail().extend_from_slice(bytes);
                self.turn = Turn::Syncs;
            }
            Frontend::Terminate => return Ok(self.on_terminate(core, bytes)),
            Frontend::FunctionCall(_) => {
                self.refuse(core, "FunctionCall", "FunctionCall");
            }
            Frontend::Parse { sql, .. } => {
                let text = String::from_utf8_lossy(sql);
                self.refuse_round(core, &text);
            }
            Frontend::Bind { .. }
            | Frontend::Describe { .. }
            | Frontend::Execute { .. }
            | Frontend::Close { .. } => self.refuse_round(core, "a statement by its name"),
            // Flush asks for nothing that is not sent anyway. Data may still come of a command that failed; the server
            // drops it, here it goes nowhere.
            Frontend::Flush
            | Frontend::CopyData(_)
            | Frontend::CopyDone
            | Frontend::CopyFail(_)
            | Frontend::Password(_) => {}
        }
        Ok(Taken::Yes)
    }

    fn on_command(&mut self, core: &mut Core, sql: &[u8], bytes: &[u8]) {
        let logical = self.gate.is_logical();
        let text = std::str::from_utf8(sql).ok();
        // Of other encodings no byte but ASCII is certain.
        let text = text.filter(|text| text.is_ascii() || !self.server.not_utf8);
        let command = text.and_then(|text| command::read(text, logical));
        let (Some(text), Some(command)) = (text, command) else {
            return self.refuse(core, &String::from_utf8_lossy(sql), "SQL");
        };
        let judgement = self.gate.judge(Some(command));
        let (operation, seq) = self.gate.operated(core, text, &judgement);
        let mut running = Running::new(operation, 0, core.now);
        running.samples = !self.gate.observes(core);
        if let Some(refusal) = self.gate.refusal(core, operation, &judgement) {
            running.refusal = Some(refusal);
            return self.send_refused(core, running);
        }
        self.outbox.wait_for(seq);
        self.outbox.tail().extend_from_slice(bytes);
        self.turn = Turn::Runs(Box::new(Exchange::new(running, Some(command))));
    }

    /// Refuses a text, or a message that is a round of its own.
    fn refuse(&mut self, core: &mut Core, text: &str, what: &str) {
        let judgement = self.gate.unsupported(what);
        let (operation, _) = self.gate.operated(core, text, &judgement);
        let mut running = Running::new(operation, 0, core.now);
        running.refusal = self.gate.refusal(core, operation, &judgement);
        self.send_refused(core, running);
    }

    /// Sends a text that is sure to fail; its error becomes the refusal.
    fn send_refused(&mut self, core: &Core, running: Running) {
        let text = sure_to_fail(core, running.replied.operation);
        self.outbox
            .tail()
            .extend(encoded(|out| encode::query(out, text.as_bytes())));
        self.turn = Turn::Runs(Box::new(Exchange::new(running, None)));
    }

    /// Refuses a round of the extended protocol: a Parse that is sure to fail makes the server skip to Sync.
    fn refuse_round(&mut self, core: &mut Core, text: &str) {
        let judgement = self.gate.unsupported("the extended protocol");
        let (operation, _) = self.gate.operated(core, text, &judgement);
        let text = sure_to_fail(core, operation);
        self.outbox
            .tail()
            .extend(encoded(|out| encode::parse(out, b"", text.as_bytes(), &[])));
        self.turn = Turn::Skips {
            refusal: self.gate.refusal(core, operation, &judgement).map(Box::new),
            synced: false,
        };
    }

    /// A message of the client while a command takes data.
    fn on_data(
        &mut self,
        core: &mut Core,
        message: &Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        let Turn::Runs(exchange) = &mut self.turn else {
            return Ok(Taken::NotYet);
        };
        match message {
            Frontend::CopyData(data) if exchange.flow == Flow::In => {
                exchange.count(data.len());
            }
            Frontend::CopyData(_) => {}
            Frontend::CopyDone | Frontend::CopyFail(_) => exchange.client_done(),
            Frontend::Terminate => return Ok(self.on_terminate(core, bytes)),
            // The server ignores them while it takes a manifest; within a stream they break the protocol.
            Frontend::Flush | Frontend::Sync if exchange.flow == Flow::In => return Ok(Taken::Yes),
            _ => {
                return Err(Fatal::new(
                    reply::PROTOCOL,
                    "protocol",
                    "a message came that is none of COPY's while a replication command takes data"
                        .to_owned(),
                ));
            }
        }
        self.outbox.tail().extend_from_slice(bytes);
        Ok(Taken::Yes)
    }

    fn on_terminate(&mut self, core: &mut Core, bytes: &[u8]) -> Taken {
        self.outbox.tail().extend_from_slice(bytes);
        self.flush(core);
        Taken::Terminated
    }
}

fn sure_to_fail(core: &Core, operation: u64) -> String {
    format!("OSTIARY REFUSED {}/{operation}", core.journal.session_id())
}

pub(super) fn expired() -> Fatal {
    Fatal::new(
        reply::LOGIN,
        "login",
        "the token has expired; connect again with a fresh one".to_owned(),
    )
}
