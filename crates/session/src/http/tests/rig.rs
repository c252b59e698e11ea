//! One agent, and what happens to its requests, in lines.

use std::{fmt::Write as _, rc::Rc};

use ostiary_operation::Principal;
use ostiary_policy::{Bundle, Files};
use ostiary_record::{Event, Verdict, event::Kind};

use crate::{
    Config, Limits, Now, Outcome, Run, State,
    http::{
        Agent, Api, Body, Edits, Effect, Exchange, Login, Opened, Reply, Request, ResponseHead,
        UpstreamHeader,
    },
};

pub(super) const POLICIES: &str = r#"
@id("reads") permit (principal, action in Action::"http:read", resource in Api::"crm");
@id("writes") permit (principal, action in Action::"http:write", resource in Api::"crm");
@id("no-deletes") @reason("people are never deleted")
forbid (principal, action == Action::"http:DELETE", resource == Route::"crm/users/{id}");
@id("refunds") @approval("dba") @reason("money goes out")
forbid (principal, action == Action::"http:POST", resource == Route::"crm/refunds");
@id("files") permit (principal, action == Action::"http:unreadable", resource == Route::"crm/files");
"#;

const OTHERS: [(&str, &str); 3] = [
    (
        "approvals.yaml",
        "approvals: {dba: {reviewers: [dba], grant: 1h}, boss: {reviewers: [boss]}}",
    ),
    (
        "labels.yaml",
        "labels: {email: {strategy: redact}, card: {strategy: {partial: {keep: 4}}}}\n\
         fields: [{field: $..email, label: email}]\n\
         detectors: [{detector: email, label: email}, {detector: payment_card, label: card}]\n",
    ),
    (
        "resources.yaml",
        "resources: {crm: {routes: ['/users/{id}', /refunds, /files]}}",
    ),
];

/// A bundle of these policies; `replaced` stands in for the file of the same name.
pub(super) fn state(policies: &str, replaced: &[(&str, &str)]) -> State {
    let mut files: Files = OTHERS
        .iter()
        .chain(replaced)
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    files.insert("p.cedar".to_owned(), policies.to_owned());
    let bundle = Bundle::parse(&files).unwrap_or_else(|problems| panic!("{problems:?}"));
    State {
        bundle: Rc::new(bundle),
        hash_key: Rc::new(vec![7; 32]),
    }
}

pub(super) struct Rig {
    pub(super) agent: Agent,
    pub(super) now: Now,
    pub(super) out: String,
    /// Of the last question.
    pub(super) digest: [u8; 32],
    pub(super) run: Option<Box<Run>>,
}

impl Rig {
    /// An agent that is logged in.
    pub(super) fn new() -> Self {
        // A bundle is slow to compile.
        thread_local! {
            static STATE: State = state(POLICIES, &[]);
        }
        Self::with(STATE.with(State::clone))
    }

    pub(super) fn with(state: State) -> Self {
        let mut rig = Self::pending(state);
        rig.log_in();
        rig
    }

    /// An agent nobody knows yet.
    pub(super) fn pending(state: State) -> Self {
        Self::of(Api::Http, state)
    }

    /// An agent that is logged in to a cluster.
    pub(super) fn cluster(state: State) -> Self {
        let mut rig = Self::of(Api::Kubernetes, state);
        rig.log_in();
        rig
    }

    fn of(api: Api, state: State) -> Self {
        let config = Config {
            resource: "crm".to_owned(),
            role: String::new(),
            session_id: "9c".repeat(16),
            peer: "127.0.0.1:50000".to_owned(),
            limits: Limits {
                message: 1 << 10,
                ..Limits::default()
            },
        };
        Self {
            agent: Agent::of(api, config, "curl".to_owned(), state),
            now: Now(1_000_000),
            out: String::new(),
            digest: [0; 32],
            run: None,
        }
    }

    fn log_in(&mut self) {
        let opened = Opened {
            principal: Principal {
                issuer: "https://id.example".to_owned(),
                subject: "agent-7".to_owned(),
                groups: std::collections::BTreeSet::new(),
                on_behalf_of: None,
            },
            expires_us: 90_000_000,
            headers: vec![UpstreamHeader {
                name: "authorization".to_owned(),
                value: "Bearer the-gateways-own".to_owned(),
            }],
        };
        self.agent.on_login(Login::Opened(opened), self.now);
        while self.agent.next_event().is_some() {}
    }

    /// A request: `METHOD target`, lines of headers, an empty line and a body.
    pub(super) fn request(&mut self, text: &str) -> Exchange {
        let mut exchange = self.open(text);
        self.look(&mut exchange);
        exchange
    }

    /// The same, before anything is taken of it.
    pub(super) fn open(&mut self, text: &str) -> Exchange {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        });
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.collect(),
        };
        let mut exchange = Exchange::new(&self.agent, request, self.now);
        exchange.on_body(&mut self.agent, body.as_bytes().to_vec(), self.now);
        exchange
    }

    /// Every event so far is durable.
    pub(super) fn recorded(&mut self, exchange: &mut Exchange) {
        self.agent.on_recorded(1000);
        exchange.on_recorded(&self.agent, self.now);
        self.look(exchange);
    }

    pub(super) fn news(&mut self, exchange: &mut Exchange, outcome: &Outcome) {
        exchange.on_approval(&mut self.agent, outcome, self.now);
        self.look(exchange);
    }

    /// The head of a response alone.
    pub(super) fn head(&mut self, exchange: &mut Exchange, head: &str) {
        let goes_on = self.answered(exchange, head, false);
        assert!(goes_on, "{}", self.out);
    }

    /// A response: its head, `STATUS` and lines of headers, and its body in pieces.
    pub(super) fn response(&mut self, exchange: &mut Exchange, head: &str, body: &[&[u8]]) {
        let goes_on = self.answered(exchange, head, body.is_empty());
        let mut shown = Vec::new();
        for (number, piece) in body.iter().enumerate().filter(|_| goes_on) {
            let ends = number + 1 == body.len();
            match exchange.on_response_body(&mut self.agent, piece, ends, self.now) {
                Body::Send(bytes) => shown.extend(bytes),
                Body::Keep => {}
                Body::Replace(reply) => {
                    self.say(&replied(&reply));
                    break;
                }
                Body::Reset => {
                    self.say("reset");
                    break;
                }
            }
        }
        if !shown.is_empty() {
            self.say(&format!("body {}", String::from_utf8_lossy(&shown)));
        }
        self.look(exchange);
    }

    fn answered(&mut self, exchange: &mut Exchange, head: &str, ends: bool) -> bool {
        let mut lines = head.lines();
        let status = lines.next().unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let head = exchange.on_response(&mut self.agent, status, &headers, ends, self.now);
        let goes_on = matches!(head, ResponseHead::Send(_) | ResponseHead::Hold(_));
        match head {
            ResponseHead::Pass => self.say("head as it is"),
            ResponseHead::Send(edits) | ResponseHead::Hold(edits) => {
                self.say(&format!("head {}", edited(&edits)));
            }
            ResponseHead::Replace(reply) => self.say(&replied(&reply)),
            ResponseHead::Reset => self.say("reset"),
        }
        goes_on
    }

    /// Takes what was to be done and kept.
    pub(super) fn look(&mut self, exchange: &mut Exchange) {
        while let Some(effect) = exchange.next_effect() {
            let line = match effect {
                Effect::AskApproval(ask) => {
                    self.digest = ask.digest;
                    self.run.clone_from(&ask.run);
                    if let Some(it) = &ask.difference {
                        for it in &it.changes {
                            let (before, after) = (it.before.as_deref(), it.after.as_deref());
                            let (before, after) = (before.unwrap_or("-"), after.unwrap_or("-"));
                            self.say(&format!("difference {}: {before} > {after}", it.path));
                        }
                        self.say(&format!("difference {} more {}", it.more, it.missing));
                    }
                    format!(
                        "ask {} ({}){}{}:\n{}",
                        ask.approvals.join("+"),
                        ask.reason,
                        if ask.outlives_call { " for later" } else { "" },
                        ask.run.as_ref().map_or_else(String::new, |it| {
                            let of = if it.namespace.is_empty() { "" } else { " in " };
                            format!(" in run {} of {}{of}{}", it.id, it.kind, it.namespace)
                        }),
                        ask.statement
                    )
                }
                Effect::AskTarget(call) => {
                    let headers = call.headers.iter();
                    let headers: String = headers
                        .map(|(name, value)| format!(" {name}: {value};"))
                        .collect();
                    format!(
                        "target {:?} {} {}{headers}",
                        call.which, call.method, call.path
                    )
                }
                Effect::CancelApproval => "cancel".to_owned(),
                Effect::Forward(edits) => format!("forward {}", edited(&edits)),
                Effect::Reply(reply) => replied(&reply),
                Effect::Reset => "reset".to_owned(),
            };
            self.say(&line);
        }
        while let Some(stranger) = self.agent.next_stranger() {
            self.say(&format!("  turned away: {stranger}"));
        }
        while let Some(event) = self.agent.next_event() {
            self.say(&format!("  {}", kept(&event)));
        }
    }

    pub(super) fn say(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    /// What happened since.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }
}

fn edited(edits: &Edits) -> String {
    let add = edits
        .add
        .iter()
        .map(|(name, value)| format!("+{name}: {value}"));
    let all: Vec<String> = edits
        .remove
        .iter()
        .map(|name| format!("-{name}"))
        .chain(
            edits
                .set
                .iter()
                .map(|(name, value)| format!("={name}: {value}")),
        )
        .chain(add)
        .collect();
    all.join(" ")
}

fn replied(reply: &Reply) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    if problem["kind"] == "Status" {
        return format!(
            "answer {} {}: {}",
            reply.status,
            problem["reason"].as_str().unwrap(),
            problem["message"].as_str().unwrap()
        );
    }
    let extra: String = ["rule", "decision", "approval"]
        .into_iter()
        .filter_map(|name| Some(format!(" {name}={}", problem.get(name)?.as_str()?)))
        .collect();
    let again = reply.headers.iter().find(|(name, _)| name == "retry-after");
    let again = again.map_or_else(String::new, |(_, value)| format!(" again in {value} s"));
    format!(
        "answer {} {}: {}{extra}{again}",
        reply.status,
        problem["type"]
            .as_str()
            .unwrap()
            .trim_start_matches("urn:ostiary:problem:"),
        problem["detail"].as_str().unwrap()
    )
}

pub(super) fn kept(event: &Event) -> String {
    match event.kind.clone().unwrap() {
        Kind::Operated(it) => format!(
            "operated #{} {:?} {} [{}] {:?}{}",
            it.operation,
            Verdict::try_from(it.verdict).unwrap(),
            it.accesses.join(" "),
            it.rules.join(" "),
            it.statement,
            if it.observed { " observed" } else { "" }
        ),
        Kind::Replied(it) => format!(
            "replied #{} {} {} bytes, {} masked, {:?} {}",
            it.operation, it.command_tag, it.bytes, it.masked, it.body, it.error
        ),
        Kind::ApprovalAsked(it) => format!("asked #{} {}", it.operation, it.approval_id),
        Kind::ApprovalResolved(it) => {
            format!("resolved #{} {:?} {}", it.operation, it.state(), it.comment)
        }
        Kind::Refused(it) => format!("refused {}: {}", it.stage, it.reason),
        Kind::ConnectionOpened(it) => format!("opened by {}", it.application_name),
        Kind::LoggedIn(it) => format!("logged in {}", it.subject),
        Kind::Closed(it) => format!("closed: {}", it.reason),
        Kind::Streamed(it) if it.port != 0 => format!(
            "streamed #{} {:?} {}: {}",
            it.operation,
            it.channel(),
            it.port,
            it.size
        ),
        Kind::Streamed(it) => format!(
            "streamed #{} {:?} {:?}",
            it.operation,
            it.channel(),
            String::from_utf8_lossy(&it.data)
        ),
    }
}
