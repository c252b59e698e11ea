//! Requests of nobody: without a token, or with one that is refused.
//!
//! They have no session of their own. Those of one minute share one: the first of them are kept one by
//! one, the rest are counted, so that a flood of them cannot fill the archive.

use std::{collections::VecDeque, fmt};

use ostiary_record::{Closed, ConnectionOpened, Event, Refused, event::Kind};

use super::{Reply, Request, record};
use crate::{Effect, Now, journal::Journal};

/// Kept one by one of each minute: at most 130 KB of record.
const MAX_KEPT: u32 = 60;
const MINUTE_US: u64 = 60_000_000;
/// Bytes of what the request says of itself.
const MAX_WORDS: usize = 256;

/// What the record of a minute calls itself.
const NAME: &str = "requests without a valid token";

/// One request of nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    request: String,
    reason: String,
}

impl Stranger {
    /// A request and what it is answered with; `None` if the answer is an outage of the gateway's, which
    /// says nothing of who asks.
    pub fn new(request: &Request, peer: &str, client: &str, reply: &Reply) -> Option<Self> {
        if reply.status == 503 {
            return None;
        }
        // Tokens are sent in queries, too.
        let path = request.target.split(['?', '#']).next().unwrap_or_default();
        let words = |text: &str| {
            let text = text.escape_default().to_string();
            record::cut(&text, MAX_WORDS).to_owned()
        };
        let mut of = format!("{} {}", words(&request.method), words(path));
        for (between, word) in [(" from ", peer), (" by ", client)] {
            if !word.is_empty() {
                of.push_str(between);
                of.push_str(&words(word));
            }
        }
        Some(Self {
            request: of,
            reason: reply.detail(),
        })
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.reason)
    }
}

/// The record of one minute.
#[derive(Debug)]
pub struct Door {
    journal: Journal,
    closes_at: Now,
    kept: u32,
    more: u64,
    events: VecDeque<Event>,
}

impl Door {
    /// The minute begins.
    pub fn new(session_id: String, resource: String, now: Now) -> Self {
        let mut door = Self {
            journal: Journal::new(session_id),
            closes_at: now.after(MINUTE_US),
            kept: 0,
            more: 0,
            events: VecDeque::new(),
        };
        let opened = ConnectionOpened {
            resource,
            application_name: NAME.to_owned(),
            ..ConnectionOpened::default()
        };
        door.record(Kind::ConnectionOpened(opened), now);
        door
    }

    /// A request was refused.
    pub fn turn_away(&mut self, stranger: &Stranger, now: Now) {
        if self.kept >= MAX_KEPT {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.kept = self.kept.saturating_add(1);
        self.refused(stranger.to_string(), now);
    }

    /// Whether the minute is over.
    pub fn is_due(&self, now: Now) -> bool {
        now >= self.closes_at
    }

    /// The minute is over.
    pub fn close(&mut self, now: Now) {
        if self.more > 0 {
            self.refused(format!("{} more requests were refused so", self.more), now);
        }
        let closed = Closed {
            reason: "the minute is over".to_owned(),
            operations: 0,
        };
        self.record(Kind::Closed(closed), now);
    }

    /// The next event to keep.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn refused(&mut self, reason: String, now: Now) {
        let refused = Refused {
            stage: "login".to_owned(),
            reason,
        };
        self.record(Kind::Refused(refused), now);
    }

    fn record(&mut self, kind: Kind, now: Now) {
        if let (_, Effect::Record(event)) = self.journal.event(kind, now) {
            self.events.push_back(event);
        }
    }
}
