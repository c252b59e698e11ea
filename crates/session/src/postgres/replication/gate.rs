//! What policy says of a replication connection and of each of its commands.

use std::rc::Rc;

use ostiary_operation::{Access, Facts, Object, Operation, Principal, Target, Verb};
use ostiary_policy::{Bundle, Denial, Verdict};
use ostiary_record::event::Kind;

use super::command::Command;
use super::mode::Mode;
use crate::postgres::core::{Core, Fatal};
use crate::postgres::judge::{Judge, Judgement};
use crate::postgres::reading::operated;
use crate::postgres::reply::{self, Refusal};
use crate::postgres::rows::Masker;
use crate::postgres::running::Running;

/// The rule about labels that the WAL does not know of.
const LABELLED: &str = "labelled-replication";
/// The rule about what a replication connection does not carry.
const UNSUPPORTED: &str = "unsupported";

/// Who wants to replicate, and from where.
#[derive(Debug)]
pub(in crate::postgres) struct Gate {
    mode: Mode,
    /// On the database of the session; on none, if it is physical.
    here: Judge,
    /// On no database: what shows all of them. No permit for one of them covers it.
    whole: Judge,
}

impl Gate {
    pub(in crate::postgres) fn new(
        core: &Core,
        principal: &Principal,
        database: &str,
        mode: Mode,
    ) -> Self {
        let judge = |database: &str| {
            let target = Target {
                resource: core.config.resource.clone(),
                database: database.to_owned(),
                role: core.config.role.clone(),
            };
            let bundle = Rc::clone(&core.state.bundle);
            Judge::new(bundle, principal.clone(), target, Rc::clone(&core.shared))
        };
        let here = match mode {
            Mode::Physical => "",
            Mode::Logical => database,
        };
        Self {
            mode,
            here: judge(here),
            whole: judge(""),
        }
    }

    pub(super) fn is_logical(&self) -> bool {
        self.mode == Mode::Logical
    }

    /// Another bundle decides from now on.
    pub(super) fn set_bundle(&mut self, bundle: &Rc<Bundle>) {
        self.here.set_bundle(Rc::clone(bundle));
        self.whole.set_bundle(Rc::clone(bundle));
    }

    /// Why the connection may not be, if so. A denial is on record; so is everything if it `records`.
    pub(in crate::postgres) fn admit(&self, core: &mut Core, records: bool) -> Result<(), Fatal> {
        let judgement = self.judge(None);
        let refused = self.refuses(core, &judgement);
        if records || refused.is_some() {
            let text = format!("replication={}", self.mode.as_str());
            let (operation, _) = self.operated(core, &text, &judgement);
            if refused.is_none() {
                let mut running = Running::new(operation, 0, core.now);
                running.completed("REPLICATION".to_owned());
                running.replied(core);
            }
        }
        match refused {
            None => Ok(()),
            Some(why) => Err(Fatal::new(
                reply::DENIED,
                "login",
                format!("replication is refused: {why}"),
            )),
        }
    }

    /// Why what was let in may not go on, if so.
    pub(super) fn revokes(&self, core: &Core, running: Option<Command>) -> Option<String> {
        let still = |command| self.refuses(core, &self.judge(command));
        still(None).or_else(|| running.and_then(|command| still(Some(command))))
    }

    /// The verdict on a command, or on the connection itself.
    pub(super) fn judge(&self, command: Option<Command>) -> Rc<Judgement> {
        let whole = command.is_some_and(|command| command.whole);
        let judge = if whole { &self.whole } else { &self.here };
        let on_server = command.is_some_and(|command| command.on_server);
        let judgement = judge.judge(&[operation(on_server)]);
        if matches!(judgement.verdict, Verdict::Deny(_)) {
            return judgement;
        }
        let (bundle, principal, target) = (judge.bundle(), judge.principal(), judge.target());
        let masked = if whole || self.mode == Mode::Physical {
            bundle.masked_anywhere(principal, target)
        } else {
            bundle.masked(principal, target)
        };
        match masked {
            None => judgement,
            Some(label) => Rc::new(denied(&judgement, labelled_replication(&label))),
        }
    }

    /// The verdict on what such a connection does not carry.
    pub(super) fn unsupported(&self, what: &str) -> Rc<Judgement> {
        let unreadable = Operation::unreadable(what);
        let judgement = self.here.judge(&[unreadable]);
        let denial = Denial {
            rule: UNSUPPORTED.to_owned(),
            reason: format!("{what} is not carried on a replication connection"),
            labelled: None,
        };
        Rc::new(denied(&judgement, denial))
    }

    /// What a client is told if the operation must not run.
    pub(super) fn refusal(
        &self,
        core: &Core,
        operation: u64,
        judgement: &Judgement,
    ) -> Option<Refusal> {
        let why = self.refuses(core, judgement)?;
        Some(match &judgement.verdict {
            Verdict::Deny(denial) if denial.rule == UNSUPPORTED => Refusal {
                sqlstate: reply::UNSUPPORTED,
                message: why,
                hint: "Nothing was run. Use another connection, without `replication`.".to_owned(),
                ..Refusal::denied(operation, denial)
            },
            Verdict::Deny(denial) => Refusal::denied(operation, denial),
            Verdict::Allow | Verdict::Approve(_) => {
                let rule = judgement.rules.first().map_or("", String::as_str);
                let hint = "Nothing was run. Replication cannot wait for people.";
                let verdict = ("deny", reply::DENIED);
                Refusal::unapproved(operation, rule, None, verdict, why, hint)
            }
        })
    }

    fn refuses(&self, core: &Core, judgement: &Judgement) -> Option<String> {
        let observes = self.observes(core);
        match &judgement.verdict {
            Verdict::Deny(denial) if !observes || denial.rule == UNSUPPORTED => {
                Some(match denial.reason.as_str() {
                    "" => format!("denied by rule `{}`", denial.rule),
                    reason => format!("denied by rule `{}`: {reason}", denial.rule),
                })
            }
            Verdict::Approve(_) if !observes => Some(format!(
                "rule `{}` asks for an approval, and replication cannot wait for one",
                judgement.rules.first().map_or("", String::as_str)
            )),
            Verdict::Allow | Verdict::Deny(_) | Verdict::Approve(_) => None,
        }
    }

    /// Whether the resource only observes.
    pub(super) fn observes(&self, core: &Core) -> bool {
        self.here.bundle().mode(&core.config.resource) == ostiary_policy::Mode::Observe
    }

    /// Records the judgement on an operation; returns its number and that of the event.
    pub(super) fn operated(
        &self,
        core: &mut Core,
        text: &str,
        judgement: &Judgement,
    ) -> (u64, u64) {
        let (bundle, principal, target) = (
            self.here.bundle(),
            self.here.principal(),
            self.here.target(),
        );
        let unread =
            matches!(&judgement.verdict, Verdict::Deny(denial) if denial.rule == UNSUPPORTED);
        let text = if unread && bundle.masked_anywhere(principal, target).is_some() {
            // Where labels are, nobody has read which of its constants they are about.
            format!("a text of {} bytes", text.len())
        } else {
            let masks = bundle.masks(principal, target);
            let found = Masker::of(&masks, &core.state.hash_key).text(text.as_bytes());
            String::from_utf8_lossy(&found).into_owned()
        };
        let number = core.journal.next_operation();
        let limit = core.config.limits.record_statement;
        let mut event = operated(number, &text, judgement, bundle.hash(), limit);
        event.observed = self.observes(core);
        let seq = core.record(Kind::Operated(event));
        (number, seq)
    }
}

fn operation(on_server: bool) -> Operation {
    let access = |verb| Access {
        verb,
        object: Object::Database,
    };
    let files = on_server.then(|| access(Verb::ServerFile));
    Operation {
        verb: Verb::Replicate,
        accesses: [access(Verb::Replicate)].into_iter().chain(files).collect(),
        facts: Facts {
            has_where: true,
            ..Facts::default()
        },
    }
}

fn denied(judgement: &Judgement, denial: Denial) -> Judgement {
    Judgement {
        rules: vec![denial.rule.clone()],
        verdict: Verdict::Deny(denial),
        ..judgement.clone()
    }
}

/// Why nobody replicates where `label` is masked for them.
pub(in crate::postgres) fn labelled_replication(label: &str) -> Denial {
    Denial {
        rule: LABELLED.to_owned(),
        reason: format!(
            "replication shows values as they are, and `{label}` is masked for you; policy can permit \
             `reveal` of it"
        ),
        labelled: None,
    }
}
