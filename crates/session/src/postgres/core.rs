//! What every phase of a connection shares.

use std::collections::VecDeque;
use std::rc::Rc;

use ostiary_record::event::Kind;
use ostiary_wire::Malformed;

use super::shared::Shared;
use crate::{Config, Effect, Now, State, journal::Journal};

pub(super) struct Core {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) shared: Rc<Shared>,
    pub(super) journal: Journal,
    pub(super) effects: VecDeque<Effect>,
    pub(super) client: ToClient,
    pub(super) now: Now,
}

/// The end of a connection that the client is told about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fatal {
    pub(super) sqlstate: &'static str,
    /// "login", "protocol", "server", "limit", "killed", "policy", "control plane"; for the record.
    pub(super) stage: &'static str,
    /// For the client.
    pub(super) message: String,
    /// For the record, where it says more than the client may know.
    detail: Option<String>,
}

impl Fatal {
    pub(super) fn new(sqlstate: &'static str, stage: &'static str, message: String) -> Self {
        Self {
            sqlstate,
            stage,
            message,
            detail: None,
        }
    }

    pub(super) fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// What the record keeps.
    pub(super) fn record(&self) -> &str {
        self.detail.as_ref().unwrap_or(&self.message)
    }
}

impl Core {
    pub(super) fn new(config: Config, state: State, shared: Rc<Shared>, now: Now) -> Self {
        Self {
            journal: Journal::new(config.session_id.clone()),
            config,
            state,
            shared,
            effects: VecDeque::new(),
            client: ToClient::default(),
            now,
        }
    }

    /// Records a step; returns its number.
    pub(super) fn record(&mut self, kind: Kind) -> u64 {
        let (seq, effect) = self.journal.event(kind, self.now);
        self.effects.push_back(effect);
        seq
    }

    pub(super) fn send_to_server(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.effects.push_back(Effect::ToServer(bytes));
        }
    }
}

/// What the client gets out of one `from_server` call. Bytes that pass are not copied as long as
/// nothing in the call is rewritten.
#[derive(Debug, Default)]
pub(super) struct ToClient {
    open: bool,
    written: Vec<u8>,
    /// Bytes of the call's input, from its start, that pass and are not in `written` yet.
    pass_from: usize,
    pass_to: usize,
}

impl ToClient {
    pub(super) fn open(&mut self) {
        self.open = true;
        self.pass_from = 0;
        self.pass_to = 0;
    }

    /// Whether the session is inside a `from_server` call.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Lets `input[from..to]` pass.
    pub(super) fn pass(&mut self, input: &[u8], from: usize, to: usize) {
        if self.pass_to != from {
            self.flush(input);
            self.pass_from = from;
        }
        self.pass_to = to;
    }

    /// Where to append bytes that follow what has passed.
    pub(super) fn write(&mut self, input: &[u8]) -> &mut Vec<u8> {
        self.flush(input);
        &mut self.written
    }

    fn flush(&mut self, input: &[u8]) {
        if let Some(passed) = input.get(self.pass_from..self.pass_to) {
            self.written.extend_from_slice(passed);
        }
        self.pass_from = self.pass_to;
    }

    /// Ends the call.
    pub(super) fn close(&mut self, input: &[u8]) -> Option<Effect> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        if self.written.is_empty() && self.pass_from == 0 && self.pass_to == input.len() {
            return (!input.is_empty()).then_some(Effect::PassToClient);
        }
        self.flush(input);
        let written = std::mem::take(&mut self.written);
        (!written.is_empty()).then_some(Effect::ToClient(written))
    }
}

/// The bytes `write` appends. A message of ours that does not fit the protocol is not sent at all.
pub(super) fn encoded(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>) -> Vec<u8> {
    let mut out = Vec::new();
    if write(&mut out).is_err() {
        out.clear();
    }
    out
}
