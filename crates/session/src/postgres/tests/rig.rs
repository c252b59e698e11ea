//! A client, a session and a server, with the promises checked at every step.

use std::collections::BTreeSet;
use std::rc::Rc;

use ostiary_operation::sql::{self, Reading};
use ostiary_operation::{Principal, Target};
use ostiary_policy::{Mode, Verdict};
use ostiary_record::{ApprovalState, Event, event::Kind};

use super::client::{hello, password};
use super::policy::Rules;
use super::server::{Auth, PASSWORD, Ran, Server};
use super::transcript;
use crate::postgres::exercise::without_constants;
use crate::postgres::{Session, Shared};
use crate::{AskApproval, Config, Effect, Limits, Login, Now, OpenSession, Opened, Outcome, State};

pub(super) const TOKEN: &str = "eyJ.token";
pub(super) const ID: &str = "0123456789abcdef0123456789abcdef";

pub(super) struct Rig {
    pub(super) session: Session,
    pub(super) server: Server,
    pub(super) state: State,
    pub(super) principal: Principal,
    pub(super) now: Now,
    /// Every event is acknowledged at once.
    pub(super) acknowledges: bool,
    pub(super) acknowledged: u64,
    /// Logins are answered at once.
    pub(super) opens: bool,
    pub(super) events: Vec<Event>,
    pub(super) asked: Vec<AskApproval>,
    pub(super) logins: Vec<OpenSession>,
    pub(super) cancelled: usize,
    pub(super) cancel_waits: usize,
    pub(super) closed: bool,
    pub(super) client: Vec<u8>,
    pub(super) upstream: Vec<u8>,
    /// Bytes the server gives at most at once.
    pub(super) chunk: usize,
    /// Lines since the last `take`.
    lines: Vec<String>,
    started: bool,
    checked: usize,
    approved: usize,
    needed_approval: usize,
}

pub(super) fn config() -> Config {
    Config {
        resource: "shop".to_owned(),
        role: "shop_app".to_owned(),
        session_id: ID.to_owned(),
        peer: "10.0.0.9:5000".to_owned(),
        limits: Limits::default(),
    }
}

pub(super) fn principal(groups: &[&str]) -> Principal {
    Principal {
        issuer: "https://issuer".to_owned(),
        subject: "agent-7".to_owned(),
        groups: groups
            .iter()
            .map(|group| (*group).to_owned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        on_behalf_of: None,
    }
}

impl Rig {
    /// A connection that has just opened.
    pub(super) fn new(rules: Rules, auth: Auth) -> Self {
        Self::with(rules.state(), auth, config())
    }

    pub(super) fn with(state: State, auth: Auth, config: Config) -> Self {
        Self::beside(&Rc::default(), state, auth, config)
    }

    /// A connection of the VM that others with this `shared` are of.
    pub(super) fn beside(shared: &Rc<Shared>, state: State, auth: Auth, config: Config) -> Self {
        let now = Now(1_700_000_000_000_000);
        Self {
            session: Session::new(config, state.clone(), Rc::clone(shared), now),
            server: Server::new(auth),
            state,
            principal: principal(&["analysts"]),
            now,
            acknowledges: true,
            acknowledged: 0,
            opens: true,
            events: Vec::new(),
            asked: Vec::new(),
            logins: Vec::new(),
            cancelled: 0,
            cancel_waits: 0,
            closed: false,
            client: Vec::new(),
            upstream: Vec::new(),
            chunk: usize::MAX,
            lines: Vec::new(),
            started: false,
            checked: 0,
            approved: 0,
            needed_approval: 0,
        }
    }

    /// A connection that is logged in.
    pub(super) fn open(rules: Rules) -> Self {
        Self::new(rules, Auth::Trust).logged_in()
    }

    pub(super) fn open_with(rules: Rules, limits: Limits) -> Self {
        let config = Config { limits, ..config() };
        Self::with(rules.state(), Auth::Trust, config).logged_in()
    }

    pub(super) fn logged_in(mut self) -> Self {
        self.send(&hello());
        self.send(&password(TOKEN));
        assert!(
            self.lines.iter().any(|line| line == "<- ReadyForQuery I"),
            "{:#?}",
            self.lines
        );
        self.lines.clear();
        self
    }

    pub(super) fn login(&self) -> Opened {
        Opened {
            principal: self.principal.clone(),
            expires_us: 0,
            password: PASSWORD.to_owned(),
        }
    }

    /// The client sends bytes, and everything that follows happens.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.session.from_client(bytes, self.now);
        self.settle();
    }

    /// A server that was silent reads what it was sent since `mark` and answers, frame by frame.
    pub(super) fn answers_one_by_one(&mut self, mark: usize) {
        self.server.silent = false;
        let bytes = self.upstream[mark..].to_vec();
        self.feed(&bytes);
        while let Ok(Some(frame)) =
            ostiary_wire::postgres::frame::take(&self.server.out, usize::MAX)
        {
            let bytes = frame.bytes.to_vec();
            self.server.out.drain(..bytes.len());
            self.session.from_server(&bytes, self.now);
            self.effects(Some(&bytes));
        }
        self.settle();
    }

    /// What a server that was silent answers to what it was sent since `mark`; it comes later, under
    /// another policy perhaps.
    pub(super) fn late_answer(&mut self, mark: usize) -> Vec<u8> {
        self.server.silent = false;
        let bytes = self.upstream[mark..].to_vec();
        self.server.feed(&bytes);
        self.checked = self.server.ran.len();
        std::mem::take(&mut self.server.out)
    }

    /// The server says something of its own accord.
    pub(super) fn server_says(&mut self, bytes: &[u8]) {
        self.session.from_server(bytes, self.now);
        self.effects(Some(bytes));
        self.settle();
    }

    pub(super) fn approve(&mut self, outcome: Outcome) {
        if matches!(outcome, Outcome::Approved { .. }) {
            self.approved += 1;
        }
        self.session.on_approval(outcome, self.now);
        self.settle();
    }

    pub(super) fn acknowledge(&mut self) {
        self.acknowledged = self.events.last().map_or(0, |event| event.seq);
        self.session.on_recorded(self.acknowledged, self.now);
        self.settle();
    }

    pub(super) fn change(&mut self, rules: Rules) {
        self.state = rules.state();
        self.session.on_state(self.state.clone(), self.now);
        self.settle();
    }

    /// Time passes, with the timer the shell would run.
    pub(super) fn wait(&mut self, microseconds: u64) {
        self.now = self.now.after(microseconds);
        if self
            .session
            .poll_timeout()
            .is_some_and(|due| due <= self.now)
        {
            self.session.on_timeout(self.now);
        }
        self.settle();
    }

    /// Carries out effects until nothing more happens.
    pub(super) fn settle(&mut self) {
        loop {
            self.effects(None);
            let acknowledged = self.events.last().map_or(0, |event| event.seq);
            if self.acknowledges && self.acknowledged < acknowledged {
                self.acknowledged = acknowledged;
                self.session.on_recorded(acknowledged, self.now);
                continue;
            }
            if self.server.silent || self.server.out.is_empty() {
                return;
            }
            let at = self.chunk.min(self.server.out.len());
            let bytes: Vec<u8> = self.server.out.drain(..at).collect();
            self.session.from_server(&bytes, self.now);
            self.effects(Some(&bytes));
        }
    }

    fn effects(&mut self, from_server: Option<&[u8]>) {
        let mut passed = false;
        let mut upstream = Vec::new();
        let mut lines_of_client = Vec::new();
        while let Some(effect) = self.session.next_effect() {
            assert!(!self.closed, "after Close: {effect:?}");
            match effect {
                Effect::ToServer(bytes) => {
                    assert!(!bytes.is_empty());
                    upstream.extend(bytes);
                }
                Effect::ToClient(bytes) => {
                    assert!(
                        from_server.is_some(),
                        "out of from_server: {:?}",
                        transcript::to_client(&bytes)
                    );
                    lines_of_client.extend(bytes);
                }
                Effect::PassToClient => {
                    assert!(!passed, "passed twice");
                    passed = true;
                    lines_of_client.extend_from_slice(from_server.expect("outside of from_server"));
                }
                Effect::OpenSession(login) => {
                    self.lines.push(format!(
                        "!! OpenSession {} {}",
                        login.database, login.requested_role
                    ));
                    self.logins.push(login);
                }
                Effect::AskApproval(ask) => {
                    self.lines.push(format!(
                        "!! AskApproval {} {}: {}",
                        ask.operation,
                        ask.approvals.join("+"),
                        ask.statement
                    ));
                    self.asked.push(ask);
                }
                Effect::CancelApproval => {
                    self.lines.push("!! CancelApproval".to_owned());
                    self.cancelled += 1;
                }
                Effect::CancelWait { .. } => {
                    self.lines.push("!! CancelWait".to_owned());
                    self.cancel_waits += 1;
                }
                Effect::Record(event) => self.record(event),
                Effect::Close => {
                    self.lines.push("!! Close".to_owned());
                    self.closed = true;
                }
            }
        }
        if self.chunk == usize::MAX {
            self.lines.extend(
                transcript::to_client(&lines_of_client)
                    .into_iter()
                    .map(|line| format!("<- {line}")),
            );
        }
        self.client.extend(lines_of_client);
        self.deliver(&upstream);
        if self.opens && self.logins.len() == 1 && !self.closed {
            self.logins.push(self.logins[0].clone());
            self.session.on_login(Login::Opened(self.login()), self.now);
            self.effects(None);
        }
    }

    fn record(&mut self, event: Event) {
        let last = self.events.last();
        assert_eq!(event.seq, last.map_or(1, |last| last.seq + 1), "{event:?}");
        assert_eq!(event.session_id, ID);
        assert!(
            !last.is_some_and(|last| matches!(last.kind, Some(Kind::Closed(_)))),
            "after Closed: {event:?}"
        );
        self.lines.push(format!("== {}", transcript::event(&event)));
        self.events.push(event);
    }

    fn deliver(&mut self, bytes: &[u8]) {
        self.upstream.extend_from_slice(bytes);
        if !self.closed || self.started {
            let lines = transcript::to_server(bytes, &mut self.started);
            self.lines
                .extend(lines.into_iter().map(|line| format!("-> {line}")));
        }
        if !self.server.silent {
            self.feed(bytes);
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.server.feed(bytes);
        while let Some(ran) = self.server.ran.get(self.checked).cloned() {
            self.checked += 1;
            self.check(&ran);
        }
    }

    /// What the server ran was judged, allowed, and if it changes anything, on record before.
    fn check(&mut self, ran: &Ran) {
        if self.state.bundle.mode("shop") == Mode::Observe {
            return;
        }
        let operated: Vec<(u64, u64, bool)> = self
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                // A cursor's or prepared statement's text is that of what made it.
                Some(Kind::Operated(e)) if says(&e.statement, &ran.said) => Some((
                    event.seq,
                    e.operation,
                    e.verdict == i32::from(ostiary_record::Verdict::Allow),
                )),
                _ => None,
            })
            .collect();
        let approved = |operation: u64| {
            self.events.iter().any(|event| match &event.kind {
                Some(Kind::ApprovalResolved(e)) => {
                    e.operation == operation && e.state == i32::from(ApprovalState::Approved)
                }
                _ => false,
            })
        };
        let may: Vec<u64> = operated
            .iter()
            .filter(|(_, operation, allowed)| *allowed || approved(*operation))
            .map(|(seq, ..)| *seq)
            .collect();
        let same = self.server.ran[..self.checked]
            .iter()
            .filter(|other| other.said == ran.said);
        assert!(
            !may.is_empty() && may.len() <= same.count().max(may.len()),
            "ran without a verdict: {ran:?}"
        );
        let reading = Reading {
            standard_conforming_strings: !ran.backslash,
            utf8: true,
            server_utf8: true,
        };
        let target = Target {
            resource: "shop".to_owned(),
            database: "app".to_owned(),
            role: "shop_app".to_owned(),
        };
        for statement in sql::analyze(&ran.did, reading).statements {
            let decision = self
                .state
                .bundle
                .decide(&self.principal, &target, &statement.operation);
            match decision.verdict {
                Verdict::Allow => {}
                Verdict::Approve(_) => {
                    self.needed_approval += 1;
                    assert!(
                        self.needed_approval <= self.approved,
                        "ran without an approval: {ran:?}\n{:#?}",
                        self.lines
                    );
                }
                Verdict::Deny(denial) => panic!(
                    "ran a denied statement: {ran:?} {denial:?}\n{:#?}",
                    self.lines
                ),
            }
            if statement.operation.writes() {
                let recorded = may.iter().any(|seq| *seq <= self.acknowledged);
                assert!(recorded, "ran before its record: {ran:?}");
            }
        }
    }

    /// What happened since the last time.
    pub(super) fn take(&mut self) -> String {
        let mut text = std::mem::take(&mut self.lines).join("\n");
        text.push('\n');
        text
    }

    /// Texts the server ran.
    pub(super) fn ran(&self) -> Vec<&str> {
        self.server.ran.iter().map(|ran| ran.did.as_str()).collect()
    }

    /// Whether the client got these bytes in any form.
    pub(super) fn client_saw(&self, text: &str) -> bool {
        self.client
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }

    /// The session works: a statement that everyone may run gives an answer.
    #[track_caller]
    pub(super) fn works(&mut self) {
        let before = self.server.ran.len();
        self.lines.clear();
        self.send(&super::client::query("SELECT 'works'"));
        assert_eq!(self.server.ran.len(), before + 1, "{:#?}", self.lines);
        assert!(
            self.lines
                .iter()
                .any(|line| line.starts_with("<- ReadyForQuery")),
            "{:#?}",
            self.lines
        );
        self.lines.clear();
    }

    /// The connection has ended and said so in its record.
    #[track_caller]
    pub(super) fn ended(&self) {
        let last = self.events.last().and_then(|event| event.kind.as_ref());
        assert!(matches!(last, Some(Kind::Closed(_))), "{:#?}", self.lines);
    }
}

pub(super) fn approved() -> Outcome {
    Outcome::Approved {
        reviewers: vec!["ana".to_owned()],
        comment: "ok".to_owned(),
    }
}

pub(super) fn pending() -> Outcome {
    Outcome::Pending {
        approval_id: "ap-1".to_owned(),
        who: "one of dba".to_owned(),
        outlives_call: false,
    }
}

/// Plays a script and compares what happened.
#[track_caller]
pub(super) fn check(rig: &mut Rig, expected: &expect_test::Expect) {
    expected.assert_eq(&rig.take());
}

/// Whether a statement that may be masked on record holds the one that ran.
fn says(recorded: &str, ran: &str) -> bool {
    recorded.contains(ran)
        || recorded.contains('\'') && without_constants(recorded).contains(&without_constants(ran))
}
