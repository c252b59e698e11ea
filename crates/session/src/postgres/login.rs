//! The login: the client proves who it is to Ostiary, Ostiary proves who it is to the server.
//!
//! The StartupMessage goes upstream with the brokered role; the server's answer is withheld and the
//! client is asked for a password, its OIDC token. Once that is verified the upstream login is
//! finished with the brokered password, and the withheld greeting goes out.
//!
//! `client.rs` and `server.rs` read what either side says, `verdict.rs` takes the control plane's answer and
//! `method.rs` does what the server wants for a proof.

mod client;
mod errors;
mod method;
mod server;
mod verdict;

use std::rc::Rc;

use ostiary_operation::Target;
use ostiary_record::{LoggedIn, event::Kind};
use ostiary_wire::postgres::frontend;
use ostiary_wire::postgres::startup::SSL_REQUEST;
use sha2::{Digest as _, Sha256};

use self::errors::lost_state;
use self::method::Method;
use super::Next;
use super::core::{Core, Fatal, encoded};
use super::judge::Judge;
use super::open::{LoggedIn as HandedOver, Open, Server};
use super::replication::Replication;
use super::startup::Wanted;
use crate::{Config, Now, Opened};

/// A login under way.
pub(super) struct Login {
    stage: Stage,
    deadline: Now,
    inbox: Vec<u8>,
    server: Vec<u8>,
    /// Encryption requests that have been answered; the server takes one.
    encryption_asked: bool,
    wanted: Option<Wanted>,
    method: Option<Method>,
    opened: Option<Opened>,
    /// The greeting (AuthenticationOk to ReadyForQuery), for when the login is done.
    greeting: Vec<u8>,
    facts: Server,
    /// ReadyForQuery messages seen.
    ready: u8,
}

enum Stage {
    /// Waits for the client's first frames.
    Start,
    /// An SSLRequest is upstream; its answer is the client's, too.
    EncryptionAsked,
    /// The StartupMessage is upstream.
    Greeted,
    /// The client was asked for its password.
    PasswordAsked,
    /// The control plane was asked.
    Verifying,
    /// The upstream login goes on.
    Finishing,
    /// A CancelRequest waits for the control plane.
    Cancel(Vec<u8>),
    /// A CancelRequest is upstream.
    Cancelled,
}

impl Login {
    pub(super) fn new(config: &Config, now: Now) -> Self {
        Self {
            stage: Stage::Start,
            deadline: now.after(config.limits.login_us),
            inbox: Vec::new(),
            server: Vec::new(),
            encryption_asked: false,
            wanted: None,
            method: None,
            opened: None,
            greeting: Vec::new(),
            facts: Server::default(),
            ready: 0,
        }
    }

    pub(super) fn deadline(&self) -> Now {
        self.deadline
    }

    pub(super) fn abandon(&mut self, _core: &mut Core) {
        self.opened = None;
    }

    /// Bytes that make the server say something now, so that the client can be told something.
    pub(super) fn elicit(&mut self) -> Vec<u8> {
        match (&self.stage, &self.method) {
            // A server that has answered one already answers the second with an error.
            (Stage::Start, _) => SSL_REQUEST.to_vec(),
            (Stage::PasswordAsked | Stage::Verifying, Some(Method::Trust)) => {
                encoded(frontend::encode::sync)
            }
            // A mechanism that does not exist: the server ends the login without counting a failure.
            (Stage::PasswordAsked | Stage::Verifying, Some(_)) => {
                encoded(|out| frontend::encode::sasl_initial_response(out, "OSTIARY-REFUSED", None))
            }
            // The server's answer is on its way.
            _ => Vec::new(),
        }
    }

    pub(super) fn cancels(&self) -> bool {
        matches!(self.stage, Stage::Cancel(_))
    }

    pub(super) fn on_cancel(&mut self, core: &mut Core, forward: bool) -> Result<Next, Fatal> {
        let Stage::Cancel(packet) = std::mem::replace(&mut self.stage, Stage::Cancelled) else {
            return Ok(Next::Stay);
        };
        if !forward {
            return Ok(Next::Close("cancel request"));
        }
        core.send_to_server(packet);
        Ok(Next::Stay)
    }
    /// Both logins are done; `behind` came after that. Comes inside `from_server`, so the greeting can go out.
    fn finish(&mut self, core: &mut Core, input: &[u8], behind: &[u8]) -> Result<Next, Fatal> {
        let Some(opened) = self.opened.take() else {
            return Err(lost_state());
        };
        let principal = opened.principal;
        core.record(Kind::LoggedIn(LoggedIn {
            issuer: principal.issuer.clone(),
            subject: principal.subject.clone(),
            groups: principal.groups.iter().cloned().collect(),
            on_behalf_of: principal.on_behalf_of.clone().unwrap_or_default(),
            role: core.config.role.clone(),
            server_version: self.facts.version.clone(),
            cancel_key_sha256: self.facts.cancel_key.map(Vec::from).unwrap_or_default(),
        }));
        let behind = behind.to_vec();
        if let Some(gate) = self.gate(core, &principal) {
            // Policy may have changed since the token was verified.
            gate.admit(core, true)?;
            let greeting = std::mem::take(&mut self.greeting);
            let known = (gate, std::mem::take(&mut self.facts), opened.expires_us);
            let open = Replication::start(core, known, greeting, &self.inbox, input);
            return Ok(Next::Replicate(Box::new(open), behind));
        }
        let Some(wanted) = self.wanted.take() else {
            return Err(lost_state());
        };
        let judge = Judge::new(
            core.state.bundle.clone(),
            principal,
            target(core, &wanted.database),
            Rc::clone(&core.shared),
        );
        let login = HandedOver {
            judge,
            server: std::mem::take(&mut self.facts),
            expires_us: opened.expires_us,
            greeting: std::mem::take(&mut self.greeting),
            ahead: std::mem::take(&mut self.inbox),
        };
        let open = Open::start(core, login, input);
        Ok(Next::Open(Box::new(open), behind))
    }
}

fn target(core: &Core, database: &str) -> Target {
    Target {
        resource: core.config.resource.clone(),
        database: database.to_owned(),
        role: core.config.role.clone(),
    }
}

/// How the control plane knows a session by its backend key.
fn cancel_key(process_id: i32, secret: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(process_id.to_be_bytes());
    digest.update(secret);
    digest.finalize().into()
}
