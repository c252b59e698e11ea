//! A PostgreSQL connection.

#[allow(unused_imports)]
use crate::{Config, Effect, Login, Now, Outcome, State};

/// One client connection and its server connection.
pub struct Session {
    _config: Config,
}

impl Session {
    /// A connection that has just opened.
    pub fn new(config: Config, _state: State, _now: Now) -> Self {
        Self { _config: config }
    }
    /// Bytes from the client, cut anywhere.
    pub fn from_client(&mut self, _bytes: &[u8], _now: Now) {}
    /// Bytes from the server, cut anywhere.
    pub fn from_server(&mut self, _bytes: &[u8], _now: Now) {}
    /// The answer to [`Effect::OpenSession`].
    pub fn on_login(&mut self, _login: Login, _now: Now) {}
    /// The answer to [`Effect::AskApproval`]; may come several times, `Pending` first.
    pub fn on_approval(&mut self, _outcome: Outcome, _now: Now) {}
    /// The answer to [`Effect::CancelWait`]: `forward` if the key is known and nothing waited.
    pub fn on_cancel(&mut self, _forward: bool, _now: Now) {}
    /// Every event up to and with `seq` is durable.
    pub fn on_recorded(&mut self, _seq: u64, _now: Now) {}
    /// Policy changed.
    pub fn on_state(&mut self, _state: State, _now: Now) {}
    /// The control plane ended this session.
    pub fn on_revoked(&mut self, _reason: &str, _now: Now) {}
    /// Time passed; called at or after [`Self::poll_timeout`].
    pub fn on_timeout(&mut self, _now: Now) {}
    /// The client closed its side.
    pub fn on_client_closed(&mut self, _now: Now) {}
    /// The server closed its side.
    pub fn on_server_closed(&mut self, _now: Now) {}
    /// When `on_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Now> {
        None
    }
    /// Whether bytes wait for an event to be durable; ask after the last effect.
    pub fn awaits_record(&self) -> bool {
        false
    }
    /// The next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        None
    }
}
