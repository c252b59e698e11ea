//! What the shell tells a session.

use std::rc::Rc;

use ostiary_operation::Principal;
use ostiary_policy::Bundle;

/// Wall-clock time, microseconds since the Unix epoch, by the shell's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub u64);

impl Now {
    /// This time and `microseconds` more.
    #[must_use]
    pub fn after(self, microseconds: u64) -> Self {
        Self(self.0.saturating_add(microseconds))
    }

    /// Microseconds since `earlier`; 0 if the clock went back.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What is fixed for a connection when it opens.
#[derive(Clone, Debug)]
pub struct Config {
    /// The resource this listener guards.
    pub resource: String,
    /// The role used upstream.
    pub role: String,
    /// 32 lower-case hex digits, fresh for each connection.
    pub session_id: String,
    /// Where the client came from, "address:port"; for the record.
    pub peer: String,
    /// Maxima.
    pub limits: Limits,
}

/// Maxima; each bounds what one connection can make the filter hold or do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one client message (a statement and its parameters).
    pub message: usize,
    /// Bytes of one server message that has to be read whole (a row that is masked).
    pub row: usize,
    /// Bytes a client may send ahead while an operation of its own waits.
    pub ahead: usize,
    /// Prepared statements and portals kept by name.
    pub names: usize,
    /// Microseconds from connecting to the end of login.
    pub login_us: u64,
    /// Microseconds a write may wait for its record to be durable.
    pub record_us: u64,
    /// Microseconds the control plane may take to say that an approval is pending.
    pub ask_us: u64,
    /// Bytes of a statement kept in the record.
    pub record_statement: usize,
    /// Rows and bytes of a result kept in the record.
    pub record_rows: usize,
    /// See `record_rows`.
    pub record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 16 << 20,
            row: 16 << 20,
            ahead: 1 << 20,
            names: 4096,
            login_us: 60_000_000,
            record_us: 10_000_000,
            ask_us: 10_000_000,
            record_statement: 16 << 10,
            record_rows: 20,
            record_bytes: 8 << 10,
        }
    }
}

/// What every session of one resource shares: replaced by the shell when policy changes.
#[derive(Clone, Debug)]
pub struct State {
    /// The running bundle; `Bundle::deny_all` before any has come.
    pub bundle: Rc<Bundle>,
    /// Key of the `hash` strategy.
    pub hash_key: Rc<Vec<u8>>,
}

/// The control plane's answer to a login.
#[derive(Clone, Debug)]
pub enum Login {
    /// Verified.
    Opened(Opened),
    /// Refused; the message is for the client.
    Rejected(String),
    /// The control plane could not be asked.
    Lost,
}

/// A verified login.
#[derive(Clone)]
pub struct Opened {
    /// Who.
    pub principal: Principal,
    /// When the session must end, microseconds since the Unix epoch; 0 for no bound.
    pub expires_us: u64,
    /// Password of the upstream role; dropped when the upstream login ends.
    pub password: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// News of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Asked; `who` says for whom it waits.
    Pending {
        /// The approval's id.
        approval_id: String,
        /// "one of dba"
        who: String,
        /// Nothing more is said: an equal question takes the answer.
        outlives_call: bool,
    },
    /// Given.
    Approved {
        /// By whom.
        reviewers: Vec<String>,
        /// What they said.
        comment: String,
    },
    /// Refused by a reviewer.
    Denied {
        /// By whom.
        reviewers: Vec<String>,
        /// What they said.
        comment: String,
    },
    /// Nobody answered in time.
    Expired,
    /// The requester cancelled (CancelRequest).
    Cancelled,
    /// The control plane could not be asked or was lost while waiting.
    Lost,
}
