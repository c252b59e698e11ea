//! A PostgreSQL connection.
//!
//! Which phase a connection is in, and nothing else: login, then open, then ending.

mod answers;
mod catalogue;
mod copy;
mod core;
mod errors;
mod exercise;
mod expect;
mod extended;
mod fingerprint;
mod function_call;
mod hold;
mod incoming;
mod judge;
mod keys;
mod known;
mod literals;
mod login;
mod maps;
mod names;
mod open;
mod outbox;
mod parameters;
mod pump;
mod reading;
mod refresh;
mod replication;
mod reply;
mod rows;
mod running;
mod scram;
mod shared;
mod simple;
mod startup;
mod taint;
mod texts;
mod uses;
mod verdicts;

#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use self::exercise::exercise;
pub use self::shared::Shared;

use std::rc::Rc;

use ostiary_record::{Closed, Refused, event::Kind};
use ostiary_wire::postgres::frontend::encode;

use self::core::{Core, Fatal};
use self::login::Login as LoginPhase;
use self::open::Open;
use self::replication::Replication;
use crate::{Config, Effect, Login, Now, Outcome, State};

/// How long the server may take to answer what the goodbye rides on, microseconds.
const GOODBYE_US: u64 = 5_000_000;

/// Effects there is room for while there are none.
const KEEP: usize = 16;

/// One client connection and its server connection.
pub struct Session {
    core: Core,
    phase: Phase,
}

enum Phase {
    Login(Box<LoginPhase>),
    Open(Box<Open>),
    Replication(Box<Replication>),
    /// The client is told why at the server's next bytes, if it was not told yet; the rest is dropped.
    Ending {
        goodbye: Option<Vec<u8>>,
        deadline: Now,
        /// Bytes of a row the client has got the first part of: they come before.
        passing: usize,
    },
    Done,
}

/// Where a phase leads.
enum Next {
    Stay,
    /// The login is done; these bytes of the server came behind its end.
    Open(Box<Open>, Vec<u8>),
    /// The same, of a replication connection.
    Replicate(Box<Replication>, Vec<u8>),
    /// Nothing more will come of this connection, and nobody has to be told.
    Close(&'static str),
}

impl Session {
    /// A connection that has just opened.
    pub fn new(config: Config, state: State, shared: Rc<Shared>, now: Now) -> Self {
        let login = LoginPhase::new(&config, now);
        Self {
            core: Core::new(config, state, shared, now),
            phase: Phase::Login(Box::new(login)),
        }
    }

    /// Bytes from the client, cut anywhere.
    pub fn from_client(&mut self, bytes: &[u8], now: Now) {
        self.core.now = now;
        let next = match &mut self.phase {
            Phase::Login(login) => login.on_client(&mut self.core, bytes),
            Phase::Open(open) => open.on_client(&mut self.core, bytes),
            Phase::Replication(open) => open.on_client(&mut self.core, bytes),
            Phase::Ending { .. } | Phase::Done => Ok(Next::Stay),
        };
        self.advance(next);
    }

    /// Bytes from the server, cut anywhere.
    pub fn from_server(&mut self, bytes: &[u8], now: Now) {
        self.core.now = now;
        self.core.client.open();
        let next = match &mut self.phase {
            Phase::Login(login) => login.on_server(&mut self.core, bytes),
            Phase::Open(open) => open.on_server(&mut self.core, bytes),
            Phase::Replication(open) => open.on_server(&mut self.core, bytes),
            Phase::Ending { .. } | Phase::Done => Ok(Next::Stay),
        };
        let next = match next {
            Ok(Next::Open(mut open, behind)) => {
                let next = open.resume(&mut self.core, &behind, bytes);
                self.phase = Phase::Open(open);
                next
            }
            Ok(Next::Replicate(mut open, behind)) => {
                let next = open.resume(&mut self.core, &behind, bytes);
                self.phase = Phase::Replication(open);
                next
            }
            other => other,
        };
        if let Ok(Next::Close(_)) = next {
            // Nothing comes behind Close.
            self.close_client(bytes);
        }
        let came_in = matches!(self.phase, Phase::Ending { .. });
        self.advance(next);
        self.say_goodbye(bytes, came_in);
        self.close_client(bytes);
    }

    /// Hands what the client gets out of this call to the shell, once.
    fn close_client(&mut self, bytes: &[u8]) {
        if let Some(effect) = self.core.client.close(bytes) {
            self.core.effects.push_back(effect);
        }
    }

    /// Tells the client why the connection ends, between two frames.
    fn say_goodbye(&mut self, bytes: &[u8], came_in: bool) {
        let Phase::Ending {
            goodbye, passing, ..
        } = &mut self.phase
        else {
            return;
        };
        if came_in && *passing > 0 {
            let rest = (*passing).min(bytes.len());
            self.core.client.pass(bytes, 0, rest);
            *passing = passing.saturating_sub(rest);
        }
        if *passing > 0 {
            return;
        }
        if let Some(goodbye) = goodbye.take() {
            self.core.client.write(bytes).extend(goodbye);
            // What a server takes for the end of a connection, or for broken bytes: it hangs up,
            // and the host closes the client's side once all is written.
            self.core.send_to_server(core::encoded(encode::terminate));
        }
    }

    /// The answer to [`Effect::OpenSession`].
    pub fn on_login(&mut self, login: Login, now: Now) {
        self.core.now = now;
        let next = match &mut self.phase {
            Phase::Login(phase) => phase.on_login(&mut self.core, login),
            Phase::Open(_) | Phase::Replication(_) | Phase::Ending { .. } | Phase::Done => {
                Ok(Next::Stay)
            }
        };
        self.advance(next);
    }

    /// The answer to [`Effect::AskApproval`]; may come several times, `Pending` first.
    pub fn on_approval(&mut self, outcome: Outcome, now: Now) {
        self.core.now = now;
        let next = match &mut self.phase {
            Phase::Open(open) => open.on_approval(&mut self.core, outcome),
            Phase::Login(_) | Phase::Replication(_) | Phase::Ending { .. } | Phase::Done => {
                Ok(Next::Stay)
            }
        };
        self.advance(next);
    }

    /// The answer to [`Effect::CancelWait`]: `forward` if the key is known and nothing waited.
    pub fn on_cancel(&mut self, forward: bool, now: Now) {
        self.core.now = now;
        let next = match &mut self.phase {
            Phase::Login(login) => login.on_cancel(&mut self.core, forward),
            Phase::Open(_) | Phase::Replication(_) | Phase::Ending { .. } | Phase::Done => {
                Ok(Next::Stay)
            }
        };
        self.advance(next);
    }

    /// Whether a CancelRequest waits for its answer. Its client has nothing more to say, and many close their
    /// side at once: the request goes on nevertheless.
    pub fn cancels(&self) -> bool {
        matches!(&self.phase, Phase::Login(login) if login.cancels())
    }

    /// Every event up to and with `seq` is durable.
    pub fn on_recorded(&mut self, seq: u64, now: Now) {
        self.core.now = now;
        let next = match &mut self.phase {
            Phase::Open(open) => open.on_recorded(&mut self.core, seq),
            Phase::Replication(open) => open.on_recorded(&mut self.core, seq),
            Phase::Login(_) | Phase::Ending { .. } | Phase::Done => Ok(Next::Stay),
        };
        self.advance(next);
    }

    /// Policy changed.
    pub fn on_state(&mut self, state: State, now: Now) {
        self.core.now = now;
        self.core.state = state;
        let next = match &mut self.phase {
            Phase::Open(open) => open.on_state(&mut self.core),
            Phase::Replication(open) => open.on_state(&self.core),
            Phase::Login(_) | Phase::Ending { .. } | Phase::Done => Ok(Next::Stay),
        };
        self.advance(next);
    }

    /// The control plane ended this session.
    pub fn on_revoked(&mut self, reason: &str, now: Now) {
        self.core.now = now;
        let message = if reason.is_empty() {
            "the session was ended by an operator".to_owned()
        } else {
            format!("the session was ended by an operator: {reason}")
        };
        self.advance(Err(Fatal::new(reply::KILLED, "killed", message)));
    }

    /// Time passed; called at or after [`Self::poll_timeout`].
    pub fn on_timeout(&mut self, now: Now) {
        self.core.now = now;
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        let next = match &mut self.phase {
            Phase::Login(_) => Err(Fatal::new(
                reply::LOGIN,
                "login",
                "the login took too long".to_owned(),
            )),
            Phase::Open(open) => open.on_timeout(&mut self.core),
            Phase::Replication(open) => open.on_timeout(&self.core),
            Phase::Ending { .. } => Ok(Next::Close("the server did not answer")),
            Phase::Done => Ok(Next::Stay),
        };
        self.advance(next);
    }

    /// The client closed its side.
    pub fn on_client_closed(&mut self, now: Now) {
        self.closed("client", now);
    }

    /// The server closed its side.
    pub fn on_server_closed(&mut self, now: Now) {
        self.closed("server", now);
    }

    /// When `on_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Now> {
        match &self.phase {
            Phase::Login(login) => Some(login.deadline()),
            Phase::Open(open) => open.deadline(),
            Phase::Replication(open) => open.deadline(),
            Phase::Ending { deadline, .. } => Some(*deadline),
            Phase::Done => None,
        }
    }

    /// Whether bytes wait for an event to be durable; ask after the last effect.
    pub fn awaits_record(&self) -> bool {
        match &self.phase {
            Phase::Open(open) => open.awaits_record(),
            Phase::Replication(open) => open.awaits_record(),
            Phase::Login(_) | Phase::Ending { .. } | Phase::Done => false,
        }
    }

    /// The next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        let effect = self.core.effects.pop_front();
        if effect.is_none() {
            self.core.effects.shrink_to(KEEP);
        }
        effect
    }

    fn advance(&mut self, next: Result<Next, Fatal>) {
        match next {
            Ok(Next::Stay) => {}
            // The login ends inside `from_server`, which goes on with what came behind it.
            Ok(Next::Open(open, _)) => self.phase = Phase::Open(open),
            Ok(Next::Replicate(open, _)) => self.phase = Phase::Replication(open),
            Ok(Next::Close(reason)) => {
                self.leave(reason);
                self.core.effects.push_back(Effect::Close);
            }
            Err(fatal) => self.end(&fatal),
        }
    }

    /// Tells the client why, at the next bytes of the server, and lets go.
    fn end(&mut self, fatal: &Fatal) {
        let passing = match &self.phase {
            Phase::Open(open) => open.passing(),
            Phase::Replication(open) => open.passing(),
            Phase::Login(_) | Phase::Ending { .. } | Phase::Done => 0,
        };
        let elicit = match &mut self.phase {
            Phase::Login(login) => login.elicit(),
            Phase::Open(open) => open.elicit(),
            Phase::Replication(open) => open.elicit(),
            Phase::Ending { .. } | Phase::Done => return,
        };
        let refused = Refused {
            stage: fatal.stage.to_owned(),
            reason: fatal.record().to_owned(),
        };
        self.core.record(Kind::Refused(refused));
        self.leave(fatal.stage);
        let mut goodbye = Vec::new();
        reply::error(
            &mut goodbye,
            "FATAL",
            fatal.sqlstate,
            &fatal.message,
            None,
            None,
        );
        let deadline = self.core.now.after(GOODBYE_US);
        self.phase = Phase::Ending {
            goodbye: Some(goodbye),
            deadline,
            passing,
        };
        // Inside `from_server` the goodbye goes out at once.
        if !elicit.is_empty() && !self.core.client.is_open() {
            self.core.effects.push_back(Effect::ToServer(elicit));
        }
    }

    fn closed(&mut self, by: &'static str, now: Now) {
        self.core.now = now;
        self.leave(by);
    }

    /// Records the end, once.
    fn leave(&mut self, reason: &str) {
        match &mut self.phase {
            Phase::Login(login) => login.abandon(&mut self.core),
            Phase::Open(open) => open.abandon(&mut self.core),
            Phase::Replication(open) => open.abandon(&mut self.core),
            Phase::Ending { .. } => {
                self.phase = Phase::Done;
                return;
            }
            Phase::Done => return,
        }
        self.phase = Phase::Done;
        if self.core.journal.is_empty() {
            return;
        }
        let closed = Closed {
            reason: reason.to_owned(),
            operations: self.core.journal.operations(),
        };
        self.core.record(Kind::Closed(closed));
    }
}
