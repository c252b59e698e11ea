//! One request, from its head to the end of its response.

use std::collections::VecDeque;

use ostiary_operation::{
    Operation, Verb,
    http::{Fate, Refused, Routes, fate},
};
use ostiary_policy::{Decision, Mode, Verdict};

use super::{
    Agent, Api, Edits, Effect, Identity, Reply,
    digest::{self, wont_wait},
    head::Head,
    hold::Hold,
    kubernetes as cluster,
    masking::{HIDDEN, Masking},
    preview::Preview,
    record,
    response::Answering,
};
use crate::Now;

/// The head of a request as it came; names are lower case, without pseudo-headers.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `:method`
    pub method: String,
    /// `:path`
    pub target: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
}

/// A request and its response.
#[derive(Debug)]
pub struct Exchange {
    pub(super) api: Api,
    pub(super) request: Request,
    pub(super) head: Result<Head, Refused>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) phase: Phase,
    /// The number of the operation; 0 before it is judged.
    pub(super) operation: u64,
    pub(super) judged: Option<Operation>,
    pub(super) masking: Masking,
    /// People agreed to it.
    pub(super) was_approved: bool,
    pub(super) deadline: Option<Now>,
    effects: VecDeque<Effect>,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Phase {
    /// The identity or the body is missing.
    Reading,
    /// The target was asked what would change, for people to see.
    Comparing(Box<Preview>),
    /// People were asked.
    Waiting(Box<Hold>),
    /// The record of this event is not durable yet.
    Recording(u64),
    /// It went to the target.
    Sent {
        at: Now,
    },
    /// The response comes.
    Answering(Box<Answering>),
    Done,
}

impl Exchange {
    /// A request whose head has come.
    pub fn new(agent: &Agent, request: Request, now: Now) -> Self {
        let head = Head::read(agent.api, &request);
        // The body of an upgrade is the stream that would follow.
        let unsupported = head.as_ref().ok().and_then(Head::unsupported);
        Self {
            api: agent.api,
            head,
            request,
            body: unsupported.map(|_| Vec::new()),
            phase: Phase::Reading,
            operation: 0,
            judged: None,
            masking: Masking::default(),
            was_approved: false,
            deadline: Some(now.after(agent.config.limits.login_us)),
            effects: VecDeque::new(),
        }
    }

    /// The whole body of the request; empty if it has none.
    pub fn on_body(&mut self, agent: &mut Agent, body: Vec<u8>, now: Now) {
        if body.len() > agent.config.limits.message {
            return self.on_too_large(agent, now);
        }
        self.body.get_or_insert(body);
        self.advance(agent, now);
    }

    /// The body is longer than is read.
    pub fn on_too_large(&mut self, agent: &mut Agent, now: Now) {
        let limit = agent.config.limits.message;
        self.head = Err(Refused {
            status: 413,
            reason: format!("a request body has at most {limit} bytes"),
        });
        self.body = Some(Vec::new());
        self.advance(agent, now);
    }

    /// What the shell found to be wrong with it.
    pub fn on_refused(&mut self, agent: &mut Agent, reason: &str, now: Now) {
        self.head = Err(Refused::bad(reason));
        self.body = Some(Vec::new());
        self.advance(agent, now);
    }

    /// The agent's identity is known, or has been taken back.
    pub fn on_identity(&mut self, agent: &mut Agent, now: Now) {
        match &self.phase {
            Phase::Sent { .. } | Phase::Answering(_) => {
                if matches!(agent.identity(), Identity::Refused(_)) {
                    self.abandon(agent, "the session was ended", now);
                    self.effects.push_back(Effect::Reset);
                }
            }
            Phase::Comparing(_) | Phase::Waiting(_) | Phase::Recording(_) => {
                if let Identity::Refused(reply) = agent.identity() {
                    let reply = reply.clone();
                    self.abandon(agent, "the session was ended", now);
                    self.effects.push_back(Effect::Reply(reply));
                }
            }
            Phase::Reading => self.advance(agent, now),
            Phase::Done => {}
        }
    }

    /// Judges the request once everything about it is known.
    fn advance(&mut self, agent: &mut Agent, now: Now) {
        if !matches!(self.phase, Phase::Reading) {
            return;
        }
        match agent.identity() {
            Identity::Pending => return,
            Identity::Refused(reply) => {
                let reply = reply.clone();
                agent.turn_away(&self.request, &reply);
                return self.reply(reply);
            }
            Identity::Known(_) => {}
        }
        // A head that is refused needs no body.
        if let Err(refused) = &self.head {
            let refused = refused.clone();
            return self.refuse(agent, &refused, now);
        }
        if self.body.is_some() && !agent.is_congested {
            self.deadline = None;
            self.judge(agent, now);
        }
    }

    fn judge(&mut self, agent: &mut Agent, now: Now) {
        let operation = match self.read(agent) {
            Ok(operation) => operation,
            Err(refused) => return self.refuse(agent, &refused, now),
        };
        let resource = agent.config.resource.clone();
        let observes = agent.state.bundle.mode(&resource) == Mode::Observe;
        self.masking = Masking::of(agent, &operation, observes);
        let decision = self.decide(agent, &operation);
        self.operation = agent.journal.next_operation();
        let body = self.body.as_deref().unwrap_or_default();
        let operated = record::operated(agent, self, body, &operation, &decision, observes);
        let seq = agent.record(operated, now);
        let writes = operation.writes();
        self.judged = Some(operation);
        let unsupported = self.head.as_ref().ok().and_then(Head::unsupported);
        let is_denied = matches!(decision.verdict, Verdict::Deny(_)) && !observes;
        if let Some(reason) = unsupported
            && !is_denied
        {
            // Nobody is asked for what cannot be done.
            agent.record(record::refused(&self.request, reason), now);
            let reply = Reply::unsupported(&self.decision_id(agent), reason);
            return self.reply(reply);
        }
        match decision.verdict {
            _ if observes => self.send_after(agent, writes.then_some(seq), now),
            Verdict::Allow => self.send_after(agent, writes.then_some(seq), now),
            Verdict::Deny(denial) => {
                let reply = Reply::denied(&self.decision_id(agent), &denial);
                self.reply(reply);
            }
            Verdict::Approve(demand) => {
                self.ask_with_difference(agent, demand, decision.rules, now);
            }
        }
    }

    fn read(&self, agent: &Agent) -> Result<Operation, Refused> {
        let body = self.body.as_deref().unwrap_or_default();
        match self.head.as_ref().map_err(Clone::clone)? {
            Head::Http(head) => {
                let none = Routes::default();
                let routes = agent.state.bundle.routes(&agent.config.resource);
                head.operation(body, routes.unwrap_or(&none))
            }
            Head::Kubernetes(head) => {
                let operation = head.operation(body)?;
                cluster::check_not_masked(&operation)?;
                Ok(operation)
            }
        }
    }

    fn decide(&self, agent: &mut Agent, operation: &Operation) -> Decision {
        match self.masking.hiding(operation) {
            Some((alias, name)) => Decision::deny(
                HIDDEN,
                format!(
                    "`{alias}` would stand for `{name}`, which is on the way to a labelled field: ask for it by its own name"
                ),
            ),
            None => agent.decide(operation),
        }
    }

    /// Judges the approved request once more and lets it go on.
    pub(super) fn run_approved(&mut self, agent: &mut Agent, hold: &Hold, seq: u64, now: Now) {
        let operation = match self.read(agent) {
            Ok(operation) => operation,
            Err(refused) => return self.refuse(agent, &refused, now),
        };
        self.masking = Masking::of(agent, &operation, false);
        let decision = self.decide(agent, &operation);
        match decision.verdict {
            Verdict::Allow => {}
            Verdict::Approve(again) if hold.covers(&again, &decision.rules) => {}
            Verdict::Deny(denial) => {
                let reply = Reply::denied(&self.decision_id(agent), &denial);
                return self.reply(reply);
            }
            Verdict::Approve(_) => {
                let reply = hold.changed(&self.decision_id(agent));
                return self.reply(reply);
            }
        }
        self.judged = Some(operation);
        self.was_approved = true;
        self.send_after(agent, Some(seq), now);
    }

    /// Lets the request go on once an event is durable.
    fn send_after(&mut self, agent: &Agent, seq: Option<u64>, now: Now) {
        match seq.filter(|seq| *seq > agent.durable) {
            None => self.send(agent, now),
            Some(seq) => {
                self.deadline = Some(now.after(agent.config.limits.record_us));
                self.phase = Phase::Recording(seq);
            }
        }
    }

    fn send(&mut self, agent: &Agent, now: Now) {
        let mut edits = Edits::default();
        let headers = &self.request.headers;
        let is = |verb| self.judged.as_ref().is_some_and(|it| it.verb == verb);
        let streams = match &self.head {
            Ok(Head::Kubernetes(head)) => head.streams(),
            _ => None,
        };
        let upgrades = is(Verb::HttpUpgrade) || streams.is_some();
        let calls = is(Verb::GrpcCall);
        for (name, value) in headers {
            let stays = match name.as_str() {
                "upgrade" => upgrades,
                // Servers of gRPC may insist on it.
                "te" => calls && value == "trailers",
                _ => fate(name) == Fate::Pass && !wont_wait(name, value),
            };
            if !stays {
                edits.remove(name);
            }
        }
        if upgrades {
            edits
                .add
                .push(("connection".to_owned(), "Upgrade".to_owned()));
        }
        if let Some(streams) = streams {
            // What the gateway can read: no extension, and the versions it knows.
            edits.remove("sec-websocket-extensions");
            let name = streams.carrier.version_header();
            edits.put(headers, name, streams.offers.join(", "));
        }
        // An answer that is not encoded can be read.
        edits.put(headers, "accept-encoding", "identity".to_owned());
        if let Ok(Head::Kubernetes(head)) = &self.head
            && !head.wants_types()
            && !head.is_proxied()
        {
            let tables = self.masking.tables;
            let accept = cluster::accept(headers, head.is_of_objects(), tables);
            edits.put(headers, "accept", accept);
        }
        if let Identity::Known(it) = agent.identity() {
            for header in &it.headers {
                edits.put(headers, &header.name, header.value.clone());
            }
        }
        self.deadline = None;
        self.body = None;
        self.phase = Phase::Sent { at: now };
        self.effects.push_back(Effect::Forward(edits));
    }

    /// Events up to some number are durable: see [`Agent::on_recorded`].
    pub fn on_recorded(&mut self, agent: &Agent, now: Now) {
        if matches!(self.phase, Phase::Recording(seq) if seq <= agent.durable) {
            self.send(agent, now);
        }
    }

    /// Whether it may wait for the record to catch up; it goes on with `on_identity`.
    pub fn waits_for_record(&self) -> bool {
        matches!(self.phase, Phase::Reading) && self.body.is_some()
    }

    /// Whether it waits for an event to be durable.
    pub fn awaits_record(&self) -> bool {
        matches!(self.phase, Phase::Recording(_))
    }

    /// Whether it asks to change to another protocol, read or not.
    pub fn is_upgrade(&self) -> bool {
        let head = self.head.as_ref();
        self.asks_for_streams()
            || head.is_ok_and(|it| matches!(it, Head::Http(head) if head.verb == Verb::HttpUpgrade))
    }

    /// Bytes of the other protocol came. Before the target has agreed to it they could be a request
    /// that nobody judges: false, and the stream ends.
    pub fn on_upgraded(&mut self, agent: &mut Agent, now: Now) -> bool {
        let why = "bytes came before the change of protocol was answered";
        match &self.phase {
            Phase::Answering(answering) if answering.is_upgraded() => return true,
            Phase::Done => {}
            Phase::Reading => self.on_refused(agent, why, now),
            Phase::Comparing(_) | Phase::Waiting(_) | Phase::Recording(_) => {
                self.abandon(agent, why, now);
                self.refuse(agent, &Refused::bad(why), now);
            }
            Phase::Sent { .. } | Phase::Answering(_) => {
                self.abandon(agent, why, now);
                self.effects.push_back(Effect::Reset);
            }
        }
        false
    }

    /// Time passed; called at or after [`Self::poll_timeout`].
    pub fn on_timeout(&mut self, agent: &mut Agent, now: Now) {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        self.deadline = None;
        match &self.phase {
            Phase::Reading => {
                let reply = match self.body {
                    Some(_) => Reply::unavailable(
                        "the login took too long, or the record of this gateway is behind",
                    ),
                    None => Reply::unavailable("the request took too long"),
                };
                self.reply(reply);
            }
            Phase::Recording(_) => {
                let reply = Reply::unavailable("the record of the request could not be kept");
                self.reply(reply);
            }
            Phase::Comparing(_) => self.end_preview(agent, now),
            Phase::Waiting(_) => self.on_ask_timeout(agent, now),
            Phase::Sent { .. } | Phase::Answering(_) | Phase::Done => {}
        }
    }

    /// When `on_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Now> {
        match &self.phase {
            Phase::Waiting(hold) => hold.deadline(),
            _ => self.deadline,
        }
    }

    /// The stream is over, for whatever reason.
    pub fn on_closed(&mut self, agent: &mut Agent, now: Now) {
        // A command that has ended leaves it to the client to close.
        let why = match self.has_status() {
            true => "",
            false => "the stream ended early",
        };
        self.abandon(agent, why, now);
    }

    /// The next thing to do.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether the request may still be answered here: nothing of it has gone on.
    pub fn is_held(&self) -> bool {
        matches!(
            self.phase,
            Phase::Reading | Phase::Comparing(_) | Phase::Waiting(_) | Phase::Recording(_)
        )
    }

    /// Whether nothing can come of it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done) && self.effects.is_empty()
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        self.phase = Phase::Done;
        self.deadline = None;
        self.body = None;
        let reply = self.fitting(reply);
        self.effects.push_back(Effect::Reply(reply));
    }

    /// An answer as clients of the API read it.
    pub fn fitting(&self, reply: Reply) -> Reply {
        reply.fitting(self.api, &self.request)
    }

    fn refuse(&mut self, agent: &mut Agent, refused: &Refused, now: Now) {
        agent.record(record::refused(&self.request, &refused.reason), now);
        self.reply(Reply::refused(refused.status, &refused.reason));
    }

    pub(super) fn abandon(&mut self, agent: &mut Agent, why: &str, now: Now) {
        let phase = std::mem::replace(&mut self.phase, Phase::Done);
        self.deadline = None;
        match phase {
            Phase::Waiting(hold) => {
                agent.record(hold.cancelled(why), now);
                self.effects.push_back(Effect::CancelApproval);
            }
            Phase::Sent { at } => {
                let replied = record::cut_short(self.operation, why, now.since(at));
                agent.record(replied, now);
            }
            Phase::Answering(mut answering) => {
                answering.keep_rest(agent, now);
                agent.record(answering.cut_short(self.operation, why, now), now);
            }
            Phase::Reading if matches!(agent.identity(), Identity::Pending) => {
                let reply = Reply::unauthorized("it went before its token was verified");
                agent.turn_away(&self.request, &reply);
            }
            Phase::Reading | Phase::Comparing(_) | Phase::Recording(_) | Phase::Done => {}
        }
    }

    pub(super) fn wait_until(&mut self, deadline: Now) {
        self.deadline = Some(deadline);
    }

    pub(super) fn decision_id(&self, agent: &Agent) -> String {
        format!("{}/{}", agent.session_id(), self.operation)
    }

    pub(super) fn digest(&self, agent: &Agent) -> [u8; 32] {
        let body = self.body.as_deref().unwrap_or_default();
        let resource = &agent.config.resource;
        match agent.identity() {
            // Whatever carries them: a client that is refused over WebSocket asks again over SPDY.
            Identity::Known(it) if self.asks_for_streams() => {
                let what = ["streams", resource, &self.request.target];
                digest::over(&it.principal, &what, &Request::default(), &[])
            }
            Identity::Known(it) => digest::digest(&it.principal, resource, &self.request, body),
            Identity::Pending | Identity::Refused(_) => [0; 32],
        }
    }
}
