//! Events of one session, numbered without gaps.

use ostiary_record::{Event, event::Kind};

use crate::{Effect, Now};

/// Numbers events and operations.
#[derive(Debug)]
pub(crate) struct Journal {
    session_id: String,
    seq: u64,
    operations: u64,
}

impl Journal {
    pub(crate) fn new(session_id: String) -> Self {
        Self {
            session_id,
            seq: 0,
            operations: 0,
        }
    }

    /// The next event, as an effect, and its number.
    pub(crate) fn event(&mut self, kind: Kind, now: Now) -> (u64, Effect) {
        self.seq = self.seq.saturating_add(1);
        let event = Event {
            session_id: self.session_id.clone(),
            seq: self.seq,
            time_us: now.0,
            kind: Some(kind),
        };
        (self.seq, Effect::Record(event))
    }

    /// The number of the next operation.
    pub(crate) fn next_operation(&mut self) -> u64 {
        self.operations = self.operations.saturating_add(1);
        self.operations
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seq == 0
    }

    pub(crate) fn session_id(&self) -> &str {
        &self.session_id
    }
}
