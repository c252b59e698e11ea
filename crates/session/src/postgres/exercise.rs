//! What a fuzzer drives: a byte string becomes an interleaving of everything that can happen to a
//! session, and a model of the server says whether what ran was let through.

mod meaning;
mod model;
mod script;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use ostiary_operation::Principal;
use ostiary_policy::{Bundle, Files};
use ostiary_record::{ApprovalState, Event, Operated, Verdict, event::Kind};

use self::meaning::{Carries, Class, LABELLED, SECRET};
use self::model::{Model, Ran};
use self::script::{Act, Script};
use super::Session;
use crate::{Config, Effect, Limits, Login, Now, Opened, Outcome, State};

type Checked = Result<(), &'static str>;

const PERMISSIVE: &str = r#"@id("all") permit (principal, action, resource);
@id("unread") permit (principal, action == Action::"sql:unreadable", resource);"#;

const RESTRICTIVE: &str = r#"@id("some") permit (principal, action in [Action::"sql:select",
    Action::"sql:transaction", Action::"sql:set", Action::"sql:insert", Action::"sql:delete",
    Action::"sql:copy-in", Action::"sql:copy-out"], resource);
@id("asks") @approval("dba") forbid (principal, action == Action::"sql:delete", resource);"#;

const LABELS: &str = "
labels: {pii: {strategy: redact}}
columns: [{column: public.users.email, label: pii}]
detectors: [{detector: email, label: pii}]
";

const APPROVALS: &str = "approvals: {dba: {reviewers: [dba], people: 1, hold: 5m, grant: 0s}}";

/// Which policy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    Permissive,
    Restrictive,
    None,
}

thread_local! {
    static STATES: Option<(State, State)> = Some((state(PERMISSIVE)?, state(RESTRICTIVE)?));
}

fn state(rules: &str) -> Option<State> {
    let files: Files = BTreeMap::from([
        ("rules.cedar".to_owned(), rules.to_owned()),
        ("labels.yaml".to_owned(), LABELS.to_owned()),
        ("approvals.yaml".to_owned(), APPROVALS.to_owned()),
    ]);
    Some(State {
        bundle: Rc::new(Bundle::parse(&files).ok()?),
        hash_key: Rc::new(vec![7; 32]),
    })
}

fn state_of(rules: Rules) -> Result<State, &'static str> {
    let none = || State {
        bundle: Rc::new(Bundle::deny_all("none")),
        hash_key: Rc::new(Vec::new()),
    };
    STATES.with(|states| match (states, rules) {
        (_, Rules::None) => Ok(none()),
        (Some((permissive, _)), Rules::Permissive) => Ok(permissive.clone()),
        (Some((_, restrictive)), Rules::Restrictive) => Ok(restrictive.clone()),
        (None, _) => Err("a bundle does not parse"),
    })
}

/// Fuzz entry: whatever happens in whatever order, nothing panics, and no operation reaches the
/// server without a verdict that lets it.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Checked {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut run = Run::new(*first)?;
    let mut script = Script::new(rest);
    // Most scripts should get past the login.
    if first & 0x80 == 0 {
        run.log_in()?;
    }
    while let Some(act) = script.next_act() {
        run.act(act)?;
        // Half of the scripts have a record that keeps up.
        if first & 0x40 == 0 {
            run.act(Act::Recorded(0))?;
        }
    }
    Ok(())
}

/// A verdict that lets one operation through, once.
#[derive(Clone, Debug)]
struct Grant {
    operation: u64,
    statement: String,
    rules: Rules,
    /// The event that has to be durable before it changes anything.
    seq: u64,
    approved: bool,
    /// Whether that was so when it was sent.
    recorded: bool,
}

struct Run {
    session: Session,
    model: Model,
    now: Now,
    rules: Rules,
    /// Messages the client has put together and not sent yet.
    unsent: Vec<u8>,
    events: Vec<Event>,
    acknowledged: u64,
    /// The operation that waits for people.
    asked: Option<Operated>,
    granted: VecDeque<Grant>,
    closed: bool,
    /// The server was asked about a COPY that has yet to go.
    asks: bool,
    /// Whether labels held all the time.
    labelled: bool,
}

impl Run {
    fn new(first: u8) -> Result<Self, &'static str> {
        let rules = if first & 1 == 0 {
            Rules::Restrictive
        } else {
            Rules::Permissive
        };
        let config = Config {
            resource: "shop".to_owned(),
            role: "app".to_owned(),
            session_id: "0".repeat(32),
            peer: "peer".to_owned(),
            limits: Limits {
                message: 4096,
                row: 4096,
                ahead: 1024,
                names: 16,
                ..Limits::default()
            },
        };
        let now = Now(1_700_000_000_000_000);
        Ok(Self {
            session: Session::new(config, state_of(rules)?, Rc::default(), now),
            model: Model::new(first >> 1),
            now,
            rules,
            unsent: Vec::new(),
            events: Vec::new(),
            acknowledged: 0,
            asked: None,
            granted: VecDeque::new(),
            closed: false,
            asks: false,
            labelled: true,
        })
    }

    fn log_in(&mut self) -> Checked {
        for act in [
            Act::Hello,
            Act::SendAll,
            Act::AnswerAll,
            Act::Password,
            Act::SendAll,
        ] {
            self.act(act)?;
        }
        self.act(Act::Login(0))?;
        for _ in 0..4 {
            self.act(Act::AnswerAll)?;
        }
        Ok(())
    }

    fn act(&mut self, act: Act<'_>) -> Checked {
        match act {
            Act::Hello => script::hello(&mut self.unsent),
            Act::Password => script::password(&mut self.unsent),
            Act::Say(message) => script::message(message, &mut self.unsent),
            Act::Round(message) => {
                script::message(message, &mut self.unsent);
                if !script::is_round(message) {
                    script::sync(&mut self.unsent);
                }
                return self.act(Act::SendAll);
            }
            Act::Raw(bytes) => self.unsent.extend_from_slice(bytes),
            Act::Send(count) => {
                let count = count.min(self.unsent.len());
                let bytes: Vec<u8> = self.unsent.drain(..count).collect();
                self.session.from_client(&bytes, self.now);
            }
            Act::SendAll => {
                let bytes = std::mem::take(&mut self.unsent);
                self.session.from_client(&bytes, self.now);
            }
            Act::Answer(choice) => {
                let bytes = self.model.answer(choice);
                self.check_ran()?;
                return self.hear_server(&bytes);
            }
            Act::AnswerAll => {
                let mut bytes = Vec::new();
                while self.model.has_work() {
                    bytes.extend(self.model.answer(0));
                    self.check_ran()?;
                }
                return self.hear_server(&bytes);
            }
            Act::Hostile(bytes) => {
                self.model.honest = false;
                return self.hear_server(bytes);
            }
            Act::Login(choice) => self.session.on_login(login(choice, self.now), self.now),
            Act::Approval(choice) => self.session.on_approval(outcome(choice), self.now),
            Act::Recorded(back) => {
                let last = self.events.last().map_or(0, |event| event.seq);
                self.acknowledged = self.acknowledged.max(last.saturating_sub(back));
                self.session.on_recorded(self.acknowledged, self.now);
            }
            Act::Policy(choice) => {
                self.rules = match choice % 3 {
                    0 => Rules::Restrictive,
                    1 => Rules::Permissive,
                    _ => Rules::None,
                };
                self.labelled &= self.rules != Rules::None;
                self.session.on_state(state_of(self.rules)?, self.now);
            }
            Act::Wait(microseconds) => {
                self.now = self.now.after(microseconds);
                self.session.on_timeout(self.now);
            }
            Act::Cancel(forward) => self.session.on_cancel(forward, self.now),
            Act::Revoke => self.session.on_revoked("", self.now),
            Act::ClientGone => self.session.on_client_closed(self.now),
            Act::ServerGone => self.session.on_server_closed(self.now),
        }
        self.effects(None)
    }

    fn hear_server(&mut self, bytes: &[u8]) -> Checked {
        self.session.from_server(bytes, self.now);
        self.effects(Some(bytes))
    }

    /// `heard` is what the server just said.
    fn effects(&mut self, heard: Option<&[u8]>) -> Checked {
        let inside = heard.is_some();
        let mut passed = false;
        while let Some(effect) = self.session.next_effect() {
            if self.closed {
                return Err("an effect came after Close");
            }
            match effect {
                Effect::ToServer(bytes) => self.send(&bytes)?,
                Effect::ToClient(_) if !inside => return Err("bytes for the client out of turn"),
                Effect::PassToClient if !inside || passed => {
                    return Err("bytes passed to the client out of turn");
                }
                Effect::PassToClient => {
                    passed = true;
                    self.check_shown(heard.unwrap_or_default())?;
                }
                Effect::ToClient(bytes) => self.check_shown(&bytes)?,
                Effect::Record(event) => self.record(event)?,
                Effect::Close => self.closed = true,
                Effect::AskApproval(_)
                | Effect::OpenSession(_)
                | Effect::CancelApproval
                | Effect::CancelWait { .. } => {}
            }
        }
        Ok(())
    }

    /// Each operation that is sent uses up one verdict, in the order they were given.
    fn send(&mut self, bytes: &[u8]) -> Checked {
        let (granted, acknowledged) = (&mut self.granted, self.acknowledged);
        let asks = &mut self.asks;
        self.model.take(bytes, |carries| match carries {
            Carries::Nothing => Ok(None),
            Carries::Question => {
                *asks = true;
                Ok(None)
            }
            Carries::Sync => {
                // The COPY follows its question at once, or never: then the question has failed.
                if std::mem::take(asks) {
                    granted.pop_front();
                }
                Ok(None)
            }
            Carries::Operation => {
                *asks = false;
                match granted.pop_front() {
                    None => Err("an operation was forwarded without a verdict"),
                    Some(mut grant) => {
                        grant.recorded = grant.seq <= acknowledged;
                        Ok(Some(grant))
                    }
                }
            }
        })
    }

    fn record(&mut self, event: Event) -> Checked {
        let last = self.events.last();
        if event.seq != last.map_or(1, |last| last.seq.saturating_add(1)) {
            return Err("an event is out of sequence");
        }
        if last.is_some_and(|last| matches!(last.kind, Some(Kind::Closed(_)))) {
            return Err("an event came after Closed");
        }
        match &event.kind {
            Some(Kind::Operated(operated)) if operated.verdict == i32::from(Verdict::Allow) => {
                self.grant(&operated.clone(), event.seq, false)?;
            }
            Some(Kind::Operated(operated)) if operated.verdict == i32::from(Verdict::Approve) => {
                self.asked = Some(operated.clone());
            }
            Some(Kind::ApprovalResolved(resolved)) => {
                let asked = self.asked.take();
                let asked = asked.filter(|asked| asked.operation == resolved.operation);
                let asked = asked.ok_or("an approval that nobody asked for")?;
                // Judged once more, and refused if there is no policy by now.
                let covered = self.rules != Rules::None;
                if covered && resolved.state == i32::from(ApprovalState::Approved) {
                    self.grant(&asked, event.seq, true)?;
                }
            }
            _ => {}
        }
        self.events.push(event);
        Ok(())
    }

    fn grant(&mut self, operated: &Operated, seq: u64, approved: bool) -> Checked {
        let of = |rules| state_of(rules).map(|state| state.bundle.hash() == operated.bundle);
        let rules = if of(Rules::Permissive)? {
            Rules::Permissive
        } else if of(Rules::Restrictive)? {
            Rules::Restrictive
        } else {
            // An empty statement, which does nothing.
            Rules::None
        };
        self.granted.push_back(Grant {
            operation: operated.operation,
            statement: operated.statement.clone(),
            rules,
            seq,
            approved,
            recorded: false,
        });
        Ok(())
    }

    /// Nothing that is labelled or found reaches the client.
    fn check_shown(&self, bytes: &[u8]) -> Checked {
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        let leaks = self.model.honest && self.labelled && (holds(SECRET) || holds(LABELLED));
        match leaks {
            true => Err("a labelled value reached the client"),
            false => Ok(()),
        }
    }

    /// Holds what the server ran against the verdicts.
    fn check_ran(&mut self) -> Checked {
        for ran in self.model.ran()? {
            if self.model.honest {
                check(&ran)?;
            }
        }
        Ok(())
    }
}

fn check(ran: &Ran) -> Checked {
    let Some(grant) = &ran.grant else {
        return Err("a statement ran without a verdict");
    };
    let said = without_constants(&ran.said);
    if !without_constants(&grant.statement).contains(&said) || grant.operation == 0 {
        return Err("another statement ran than the one that was judged");
    }
    match ran.class {
        _ if grant.rules == Rules::None => Err("a statement ran without policy"),
        Class::Denied if grant.rules == Rules::Restrictive => Err("a denied statement ran"),
        Class::Asks if grant.rules == Rules::Restrictive && !grant.approved => {
            Err("a statement ran without its approval")
        }
        Class::Writes | Class::Asks | Class::Denied if !grant.recorded => {
            Err("a write ran before its record")
        }
        _ => Ok(()),
    }
}

fn login(choice: u8, now: Now) -> Login {
    match choice % 4 {
        2 => Login::Rejected("no".to_owned()),
        3 => Login::Lost,
        other => Login::Opened(Opened {
            principal: Principal {
                issuer: "issuer".to_owned(),
                subject: "subject".to_owned(),
                groups: Default::default(),
                on_behalf_of: None,
            },
            expires_us: if other == 0 {
                0
            } else {
                now.after(60_000_000).0
            },
            password: "secret".to_owned(),
        }),
    }
}

fn outcome(choice: u8) -> Outcome {
    let reviewers = Vec::new;
    match choice % 8 {
        0 | 1 => Outcome::Pending {
            approval_id: "ap".to_owned(),
            who: "dba".to_owned(),
            outlives_call: false,
        },
        2..=4 => Outcome::Approved {
            reviewers: reviewers(),
            comment: String::new(),
        },
        5 => Outcome::Denied {
            reviewers: reviewers(),
            comment: String::new(),
        },
        6 => Outcome::Expired,
        _ => Outcome::Lost,
    }
}

/// A text without the values of its plain constants, of which the record may hold others.
pub(super) fn without_constants(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    for character in text.chars() {
        if character == '\'' {
            quoted = !quoted;
        }
        let constant = quoted || character == '\'' || character.is_ascii_digit();
        if !constant {
            out.push(character);
        } else if !out.ends_with('?') {
            out.push('?');
        }
    }
    out
}
