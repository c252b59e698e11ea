//! The server's messages, each in its turn.

use ostiary_wire::postgres::{Backend, Fields, Frame};

use super::session::{Replication, Turn};
use crate::postgres::answers::{Outcome, broken, malformed, out_of_turn};
use crate::postgres::core::{Core, Fatal};

/// Bytes of an error that are kept in a record.
const MAX_ERROR: usize = 1024;

impl Replication {
    pub(super) fn on_frame(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        let message = Backend::parse(frame.tag, frame.body).map_err(|error| malformed(&error))?;
        match (message, &mut self.turn) {
            (Backend::ParameterStatus { name, value }, _) => {
                self.server.learn(name, value);
                Ok(Outcome::Pass)
            }
            (Backend::NoticeResponse(_), _) => Ok(Outcome::Pass),
            (Backend::ErrorResponse(fields), _) => self.on_error(core, fields, input),
            (Backend::ReadyForQuery { .. }, _) => self.on_ready(core),
            (message, Turn::Runs(exchange)) => exchange.answer(&message).map(|()| Outcome::Pass),
            _ => Err(out_of_turn("a message without a command")),
        }
    }

    fn on_error(
        &mut self,
        core: &mut Core,
        fields: Fields<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        let ends = matches!(fields.severity(), Some(b"FATAL" | b"PANIC"));
        let observes = self.gate.observes(core);
        let refusal = match &mut self.turn {
            Turn::Runs(exchange) if exchange.failed && !ends => {
                return Err(out_of_turn("a second ErrorResponse"));
            }
            Turn::Runs(exchange) => {
                let refusal = exchange.running.refusal.clone().filter(|_| !ends);
                let refusal = refusal.map(Box::new);
                let replied = &mut exchange.running.replied;
                replied.sqlstate = text(fields.sqlstate().unwrap_or(b"XX000"), 5);
                if !observes {
                    replied.error = text(fields.message().unwrap_or_default(), MAX_ERROR);
                }
                exchange.fail();
                refusal
            }
            Turn::Skips { refusal, .. } if refusal.is_some() => refusal.take().filter(|_| !ends),
            // Only the end of the connection comes unasked.
            _ if ends => None,
            _ => return Err(out_of_turn("ErrorResponse")),
        };
        match refusal {
            None => Ok(Outcome::Pass),
            Some(refusal) => {
                refusal.encode(core.journal.session_id(), core.client.write(input));
                Ok(Outcome::Done)
            }
        }
    }

    fn on_ready(&mut self, core: &mut Core) -> Result<Outcome, Fatal> {
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Runs(exchange) if exchange.is_over() => {
                if exchange.running.refusal.is_some() && !exchange.failed {
                    return Err(broken("a statement that cannot work has worked"));
                }
                exchange.running.replied(core);
                Ok(Outcome::Pass)
            }
            Turn::Skips {
                refusal: None,
                synced: true,
            }
            | Turn::Syncs => Ok(Outcome::Pass),
            turn => {
                self.turn = turn;
                Err(out_of_turn("ReadyForQuery"))
            }
        }
    }
}

fn text(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(bytes.get(..limit).unwrap_or(bytes)).into_owned()
}
