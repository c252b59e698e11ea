//! One agent's run of requests: who it is, and the numbers of its events.
//!
//! A session is opened by the first request with a token and a task, and serves every later one with
//! the same on this worker, until it idles, its token expires or an operator ends it.

use std::{collections::VecDeque, rc::Rc};

use ostiary_mask::{HashKey, Rewriter};
use ostiary_operation::{Operation, Principal, Target};
use ostiary_policy::{Bundle, Decision, Masks};
use ostiary_record::{Closed, ConnectionOpened, Event, LoggedIn, Refused, event::Kind};
use sha2::{Digest as _, Sha256};

use super::{Api, Reply, Request, Stranger, decided::Decided};
use crate::{Config, Effect, Now, State, journal::Journal};

/// What is masked under a bundle.
#[derive(Debug)]
struct Masked {
    bundle: Rc<Bundle>,
    masks: Rc<Masks>,
    rewriter: Rc<Rewriter>,
}

/// Bytes of a token.
const MAX_TOKEN: usize = 16 << 10;

/// SHA-256 of a token: what is kept of it.
pub type TokenKey = [u8; 32];

/// Who the agent is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The control plane was asked.
    Pending,
    /// Verified.
    Known(Opened),
    /// It is nobody here any more; what each request is answered with.
    Refused(Reply),
}

/// A verified login.
#[derive(Clone)]
pub struct Opened {
    /// Who.
    pub principal: Principal,
    /// When the session must end, microseconds since the Unix epoch; 0 for no bound.
    pub expires_us: u64,
    /// What the target is shown: the gateway's credential, and who the agent is if it is to know. A name
    /// may come more than once.
    pub headers: Vec<UpstreamHeader>,
}

/// A header of the gateway's own in a request to the target.
#[derive(Clone)]
pub struct UpstreamHeader {
    /// Its name, lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UpstreamHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A login to verify.
pub struct LoginRequest {
    /// The session that would be opened.
    pub session_id: String,
    /// The resource.
    pub resource: String,
    /// Where the first request came from.
    pub peer: String,
    /// What the client calls itself, and its task.
    pub client: String,
    /// An OIDC token.
    pub token: String,
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

/// The token of a request.
pub fn bearer(headers: &[(String, String)]) -> Result<&str, Reply> {
    let mut values = headers.iter().filter(|(name, _)| name == "authorization");
    let (Some((_, value)), None) = (values.next(), values.next()) else {
        return Err(Reply::unauthorized(
            "send the token in one header `Authorization: Bearer …`",
        ));
    };
    let scheme = value.get(..7).unwrap_or_default();
    let token = value.get(7..).unwrap_or_default().trim();
    let is_token = !token.is_empty() && token.len() <= MAX_TOKEN;
    if scheme.eq_ignore_ascii_case("bearer ") && is_token {
        return Ok(token);
    }
    Err(Reply::unauthorized(
        "the `Authorization` header is not `Bearer` and a token",
    ))
}

/// What a token is known by.
pub fn token_key(token: &str) -> TokenKey {
    Sha256::digest(token).into()
}

/// A run of requests.
#[derive(Debug)]
pub struct Agent {
    pub(super) config: Config,
    pub(super) api: Api,
    pub(super) state: State,
    pub(super) journal: Journal,
    identity: Identity,
    /// What it calls itself, and its task.
    client: String,
    opening: Option<ConnectionOpened>,
    masks: Option<Masked>,
    decided: Decided,
    events: VecDeque<Event>,
    /// Requests that were answered because it is nobody.
    strangers: VecDeque<Stranger>,
    /// Every event up to this one is durable.
    pub(super) durable: u64,
    /// The record is behind: no request is judged until it has caught up.
    pub(super) is_congested: bool,
    /// Why it takes no more requests, for the record of its end.
    ending: &'static str,
    closed: bool,
}

impl Agent {
    /// A run whose token is being verified. `client` is what it calls itself, and its task.
    pub fn new(config: Config, client: String, state: State) -> Self {
        Self::of(Api::Http, config, client, state)
    }

    /// The same for requests to another API.
    pub fn of(api: Api, config: Config, client: String, state: State) -> Self {
        Self {
            journal: Journal::new(config.session_id.clone()),
            identity: Identity::Pending,
            opening: Some(ConnectionOpened {
                resource: config.resource.clone(),
                peer: config.peer.clone(),
                application_name: client.clone(),
                ..ConnectionOpened::default()
            }),
            client,
            config,
            api,
            state,
            masks: None,
            decided: Decided::default(),
            events: VecDeque::new(),
            strangers: VecDeque::new(),
            durable: 0,
            is_congested: false,
            ending: "",
            closed: false,
        }
    }

    /// The session's id.
    pub fn session_id(&self) -> &str {
        self.journal.session_id()
    }

    /// What the control plane is asked.
    pub fn login(&self, resource: &str, token: String) -> LoginRequest {
        LoginRequest {
            session_id: self.session_id().to_owned(),
            resource: resource.to_owned(),
            peer: self.config.peer.clone(),
            client: self.client.clone(),
            token,
        }
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The answer of the control plane.
    pub fn on_login(&mut self, login: Login, now: Now) {
        let refused = match login {
            Login::Opened(opened) => {
                self.open(now);
                let principal = &opened.principal;
                self.record(
                    Kind::LoggedIn(LoggedIn {
                        issuer: principal.issuer.clone(),
                        subject: principal.subject.clone(),
                        groups: principal.groups.iter().cloned().collect(),
                        on_behalf_of: principal.on_behalf_of.clone().unwrap_or_default(),
                        ..LoggedIn::default()
                    }),
                    now,
                );
                self.identity = Identity::Known(opened);
                return;
            }
            // Each request that waits is a stranger's: no session was opened.
            Login::Rejected(message) => Reply::unauthorized(&message),
            Login::Lost => Reply::unavailable("the control plane could not verify the token"),
        };
        self.identity = Identity::Refused(refused);
    }

    /// A request is answered so, for want of an identity.
    pub(super) fn turn_away(&mut self, request: &Request, reply: &Reply) {
        let stranger = Stranger::new(request, &self.config.peer, &self.client, reply);
        self.strangers.extend(stranger);
    }

    /// The next request that was answered for want of an identity, for the [`super::Door`].
    pub fn next_stranger(&mut self) -> Option<Stranger> {
        self.strangers.pop_front()
    }

    fn open(&mut self, now: Now) {
        if let Some(opening) = self.opening.take() {
            self.record(Kind::ConnectionOpened(opening), now);
        }
    }

    /// Whether it takes no more requests.
    pub fn is_over(&self) -> bool {
        matches!(self.identity, Identity::Refused(_))
    }

    /// Whether its token has expired.
    pub fn has_expired(&self, now: Now) -> bool {
        matches!(&self.identity, Identity::Known(it) if it.expires_us != 0 && now.0 >= it.expires_us)
    }

    /// An operator ended it: every request from now on is refused.
    pub fn on_revoked(&mut self, reason: &str, now: Now) {
        let detail = match reason.is_empty() {
            true => "the session was ended by an operator".to_owned(),
            false => format!("the session was ended by an operator: {reason}"),
        };
        self.record(
            Kind::Refused(Refused {
                stage: "killed".to_owned(),
                reason: detail.clone(),
            }),
            now,
        );
        self.end("killed", Reply::ended(&detail));
    }

    /// The target does not take its credential: the next request asks for a fresh one.
    pub(super) fn on_credential_refused(&mut self) {
        let detail = "the target refused the credential of the gateway";
        self.end("upstream credential", Reply::unavailable(detail));
    }

    /// The time of its token is over.
    pub fn on_expired(&mut self) {
        let reply = Reply::unauthorized("the token has expired");
        self.end("token expired", reply);
    }

    /// Takes no more requests; it closes when the last one is over.
    fn end(&mut self, why: &'static str, reply: Reply) {
        self.identity = Identity::Refused(reply);
        self.ending = why;
    }

    /// Policy changed.
    pub fn on_state(&mut self, state: State) {
        self.state = state;
        self.masks = None;
        self.decided.clear();
    }

    /// Every event up to and with `seq` is durable.
    pub fn on_recorded(&mut self, seq: u64) {
        self.durable = self.durable.max(seq);
    }

    /// Whether the record is behind: see [`super::Exchange::waits_for_record`].
    pub fn set_congested(&mut self, is_congested: bool) {
        self.is_congested = is_congested;
    }

    /// The run is over, for this reason unless it had another; recorded once.
    pub fn close(&mut self, reason: &str, now: Now) {
        if self.closed || self.journal.is_empty() {
            return;
        }
        let reason = match self.ending {
            "" => reason,
            ending => ending,
        };
        let closed = Closed {
            reason: reason.to_owned(),
            operations: self.journal.operations(),
        };
        self.record(Kind::Closed(closed), now);
        self.closed = true;
    }

    /// The next event to keep.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Records a step; returns its number. What comes after the end is not recorded.
    pub(super) fn record(&mut self, kind: Kind, now: Now) -> u64 {
        if self.closed {
            return u64::MAX;
        }
        let (seq, effect) = self.journal.event(kind, now);
        if let Effect::Record(event) = effect {
            self.events.push_back(event);
        }
        seq
    }

    /// The verdict for this agent under the running policy.
    pub(super) fn decide(&mut self, operation: &Operation) -> Decision {
        let Identity::Known(it) = &self.identity else {
            return Decision::deny("no-identity", "not logged in");
        };
        let bundle = &self.state.bundle;
        let operation = bundle.relevant(operation);
        if let Some(decision) = self.decided.get(&operation) {
            return decision;
        }
        let decision = bundle.decide(&it.principal, &self.target(), &operation);
        self.decided.keep(operation, decision.clone());
        decision
    }

    fn target(&self) -> Target {
        Target {
            resource: self.config.resource.clone(),
            database: String::new(),
            role: String::new(),
        }
    }

    /// What is masked for this agent under the running policy.
    pub(super) fn masks(&mut self) -> (Rc<Masks>, Rc<Rewriter>) {
        if let Some(known) = &self.masks
            && Rc::ptr_eq(&known.bundle, &self.state.bundle)
        {
            return (Rc::clone(&known.masks), Rc::clone(&known.rewriter));
        }
        let masks = match &self.identity {
            Identity::Known(it) => self.state.bundle.masks(&it.principal, &self.target()),
            Identity::Pending | Identity::Refused(_) => Masks::default(),
        };
        let detectors = masks.detectors.iter();
        let detectors = detectors.map(|(detector, (_, strategy))| (*detector, strategy.clone()));
        let key = HashKey::new(self.state.hash_key.to_vec());
        let rewriter = Rc::new(Rewriter::new(detectors, key));
        let masks = Rc::new(masks);
        self.masks = Some(Masked {
            bundle: Rc::clone(&self.state.bundle),
            masks: Rc::clone(&masks),
            rewriter: Rc::clone(&rewriter),
        });
        (masks, rewriter)
    }
}
