//! An open replication connection: what is known of it, and what happens to it as a whole.

use ostiary_wire::Inbox;
use ostiary_wire::postgres::frontend::encode;

use super::client;
use super::command::Command;
use super::exchange::{Exchange, Flow};
use super::feed::Incoming;
use super::gate::Gate;
use crate::Now;
use crate::postgres::Next;
use crate::postgres::core::{Core, Fatal, encoded};
use crate::postgres::open::Server;
use crate::postgres::outbox::Outbox;
use crate::postgres::reply::{self, Refusal};

/// An open replication connection.
pub(in crate::postgres) struct Replication {
    pub(super) gate: Gate,
    pub(super) server: Server,
    expires_us: u64,
    pub(super) turn: Turn,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    record_deadline: Option<Now>,
    pub(super) incoming: Incoming,
}

/// Whose turn it is.
pub(super) enum Turn {
    /// The server waits for a command.
    Idle,
    /// It has one.
    Runs(Box<Exchange>),
    /// A round of the extended protocol was refused: the server skips to Sync.
    Skips {
        /// What the client is told in place of the server's error; nothing once it was.
        refusal: Option<Box<Refusal>>,
        /// The Sync is on its way.
        synced: bool,
    },
    /// A Sync is on its way.
    Syncs,
}

impl Replication {
    /// The login is done; `greeting` and `ahead` are what the server and the client have said meanwhile. Comes
    /// inside `from_server`.
    pub(in crate::postgres) fn start(
        core: &mut Core,
        (gate, server, expires_us): (Gate, Server, u64),
        greeting: Vec<u8>,
        ahead: &[u8],
        input: &[u8],
    ) -> Self {
        core.client.write(input).extend(greeting);
        let mut inbox = Inbox::default();
        inbox.push(ahead);
        Self {
            gate,
            server,
            expires_us,
            turn: Turn::Idle,
            inbox,
            outbox: Outbox::default(),
            record_deadline: None,
            incoming: Incoming::default(),
        }
    }

    /// What was let in stays only while policy permits it: a stream may have no end of its own.
    pub(in crate::postgres) fn on_state(&mut self, core: &Core) -> Result<Next, Fatal> {
        self.gate.set_bundle(&core.state.bundle);
        match self.gate.revokes(core, self.running()) {
            None => Ok(Next::Stay),
            Some(why) => Err(Fatal::new(
                reply::DENIED,
                "policy",
                format!("replication is not permitted any more: {why}"),
            )),
        }
    }

    pub(in crate::postgres) fn on_recorded(
        &mut self,
        core: &mut Core,
        seq: u64,
    ) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        self.outbox.recorded(seq);
        self.record_deadline = self
            .outbox
            .waits()
            .then(|| core.now.after(core.config.limits.record_us));
        self.pump_and_flush(core)
    }

    pub(in crate::postgres) fn on_timeout(&mut self, core: &Core) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        match self.record_deadline {
            Some(deadline) if core.now >= deadline => Err(Fatal::new(
                reply::UNAVAILABLE,
                "control plane",
                "the record of a command could not be stored; the command was not run".to_owned(),
            )),
            _ => Ok(Next::Stay),
        }
    }

    pub(in crate::postgres) fn deadline(&self) -> Option<Now> {
        let expires = (self.expires_us > 0).then_some(Now(self.expires_us));
        [expires, self.record_deadline].into_iter().flatten().min()
    }

    pub(in crate::postgres) fn awaits_record(&self) -> bool {
        self.outbox.waits()
    }

    /// Bytes that make the server speak, whatever it does now; what waits is not sent any more.
    pub(in crate::postgres) fn elicit(&mut self) -> Vec<u8> {
        self.outbox.clear();
        let flow = match &self.turn {
            Turn::Runs(exchange) => exchange.flow,
            Turn::Idle | Turn::Skips { .. } | Turn::Syncs => Flow::None,
        };
        match flow {
            // It ignores a Sync while it takes data.
            Flow::In => encoded(|out| encode::copy_fail(out, b"the session was ended")),
            // It ends its own part as well. Of anything else it would reset the connection.
            Flow::Both { client: true, .. } => encoded(encode::copy_done),
            Flow::Both { client: false, .. } | Flow::Out | Flow::None => encoded(encode::sync),
        }
    }

    /// Bytes of a message the client has got the first part of.
    pub(in crate::postgres) fn passing(&self) -> usize {
        self.incoming.passing
    }

    /// Nobody is there any more: what a command has sent so far goes on record.
    pub(in crate::postgres) fn abandon(&mut self, core: &mut Core) {
        self.outbox.clear();
        if let Turn::Runs(exchange) = std::mem::replace(&mut self.turn, Turn::Idle) {
            let mut running = exchange.running;
            if running.replied.sqlstate.is_empty() {
                reply::CONNECTION_FAILURE.clone_into(&mut running.replied.sqlstate);
                "the session ended before the command".clone_into(&mut running.replied.error);
            }
            running.replied(core);
        }
    }

    /// Hands what may go to the server to the shell.
    pub(super) fn flush(&mut self, core: &mut Core) {
        let ready = self.outbox.take();
        core.send_to_server(ready);
        if self.outbox.waits() && self.record_deadline.is_none() {
            self.record_deadline = Some(core.now.after(core.config.limits.record_us));
        }
    }

    /// Nothing more is let through once the token has expired, whenever the timer fires.
    pub(super) fn still_valid(&self, core: &Core) -> Result<(), Fatal> {
        if self.expires_us == 0 || core.now.0 < self.expires_us {
            return Ok(());
        }
        Err(client::expired())
    }

    /// The command the server has, or waits for behind a record.
    fn running(&self) -> Option<Command> {
        match &self.turn {
            Turn::Runs(exchange) => exchange.command,
            Turn::Idle | Turn::Skips { .. } | Turn::Syncs => None,
        }
    }
}
