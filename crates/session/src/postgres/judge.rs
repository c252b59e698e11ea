//! Text to verdict, with both steps cached.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use ostiary_operation::sql::{Analysis, Copy, Named, Outputs, Reading, Statement};
use ostiary_operation::{Mention, Operation, Place, Principal, Target, Values, Verb};
use ostiary_policy::{ApprovalDemand, Bundle, Denial, Verdict};

use super::shared::Shared;
use super::verdicts::JudgeId;

/// The built-in rule that denies what the session cannot carry.
const UNSUPPORTED: &str = "unsupported";

/// Decides for one principal on one target.
#[derive(Debug)]
pub(super) struct Judge {
    bundle: Rc<Bundle>,
    principal: Principal,
    target: Target,
    // INVARIANT: the number of the three above.
    id: JudgeId,
    shared: Rc<Shared>,
}

/// A text as it was read.
#[derive(Debug)]
pub(super) struct Read {
    /// What each statement does by itself.
    pub(super) operations: Rc<[Operation]>,
    /// What the text proves of its columns; [`Outputs::Unknown`] for several statements.
    pub(super) outputs: Outputs,
    /// What its columns are computed from, as far as that is proved; empty for several statements.
    pub(super) derived: Vec<Option<Vec<Mention>>>,
    /// Its parameters, and the places of these; empty for several statements.
    // INVARIANT: sorted.
    parameters: Vec<(u16, usize)>,
    places: Vec<Place>,
    /// What statements do to names, or ask of them.
    pub(super) named: Vec<(usize, Named)>,
    /// COPYs with the connection at their other end, in order.
    pub(super) copies: Vec<Copy>,
    /// What the judge that asked last was told.
    judged: RefCell<Option<(JudgeId, Rc<Judgement>)>>,
}

/// The verdict on everything one message does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) rules: Vec<String>,
    pub(super) verb: &'static str,
    /// "sql:delete users", sorted.
    pub(super) accesses: Vec<String>,
    /// Whether it may change anything.
    pub(super) writes: bool,
    /// Whether it may change what relations and columns mean.
    pub(super) reshapes: bool,
    /// Whether its text says so, or cannot be read: a call may hide a change, yet rarely does.
    pub(super) is_ddl: bool,
    /// It cannot be carried, whatever policy says.
    pub(super) unsupported: bool,
}

impl Read {
    pub(super) fn new(analysis: Analysis) -> Self {
        let mut operations = Vec::with_capacity(analysis.statements.len());
        let mut named = Vec::new();
        let mut copies = Vec::new();
        let (mut outputs, mut derived) = (Outputs::Unknown, Vec::new());
        let (mut parameters, mut places) = (Vec::new(), Vec::new());
        for (index, statement) in analysis.statements.into_iter().enumerate() {
            operations.push(statement.operation);
            named.extend(statement.named.map(|what| (index, what)));
            copies.extend(statement.copy);
            (parameters, places) = match statement.values {
                mut values if index == 0 && !values.parameters.is_empty() => {
                    values.parameters.sort_unstable();
                    (values.parameters, values.places)
                }
                _ => (Vec::new(), Vec::new()),
            };
            (outputs, derived) = if index == 0 {
                (statement.outputs, statement.derived)
            } else {
                (Outputs::Unknown, Vec::new())
            };
        }
        Self {
            operations: operations.into(),
            outputs,
            derived,
            parameters,
            places,
            named,
            copies,
            judged: RefCell::new(None),
        }
    }

    /// What `text` does by its analysis.
    pub(super) fn of_text(text: &str, analysis: Analysis) -> Self {
        if analysis.statements.is_empty() && !is_blank(text) {
            // No statement, no verdict: that must not come of a text somebody misread.
            return Self::unreadable("no statement was found in it");
        }
        Self::new(analysis)
    }

    pub(super) fn unreadable(reason: &str) -> Self {
        Self::of(Statement {
            operation: Operation::unreadable(reason),
            outputs: Outputs::Unknown,
            derived: Vec::new(),
            values: Values::default(),
            named: None,
            copy: None,
        })
    }

    /// One statement.
    pub(super) fn of(statement: Statement) -> Self {
        Self::new(Analysis {
            statements: vec![statement],
        })
    }

    /// Where a parameter stands; `$1` is 1.
    pub(super) fn places_of(&self, number: usize) -> impl Iterator<Item = &Place> {
        let number = u16::try_from(number).unwrap_or(0);
        let start = self.parameters.partition_point(|(of, _)| *of < number);
        let places = self.parameters.get(start..).unwrap_or_default();
        places
            .iter()
            .take_while(move |(of, _)| *of == number)
            .map(|(_, at)| self.places.get(*at).unwrap_or(&Place::Unknown))
    }

    /// Whether another statement, known by its name, decides what it does.
    pub(super) fn looks_up(&self) -> bool {
        self.named
            .iter()
            .any(|(_, named)| matches!(named, Named::Execute { .. } | Named::Fetch { .. }))
    }

    /// Whether none of its statements can change what names mean to the others.
    pub(super) fn is_only_reads(&self) -> bool {
        let accesses = |operation: &'_ Operation| {
            let reads = |verb| matches!(verb, Verb::Select | Verb::CopyOut | Verb::Show);
            operation.accesses.iter().all(|access| reads(access.verb))
        };
        self.operations.iter().all(|operation| {
            let facts = &operation.facts;
            !facts.dynamic && facts.unreadable.is_none() && accesses(operation)
        })
    }

    /// Whether it is one statement.
    pub(super) fn is_single(&self) -> bool {
        self.operations.len() == 1
    }
}

impl Judgement {
    /// The same operation, denied for what the session cannot do.
    pub(super) fn unsupported(&self, what: &str) -> Self {
        Self {
            verdict: Verdict::Deny(Denial {
                rule: UNSUPPORTED.to_owned(),
                reason: format!("{what} is not supported"),
                labelled: None,
            }),
            rules: vec![UNSUPPORTED.to_owned()],
            unsupported: true,
            ..self.clone()
        }
    }
}

impl Judge {
    pub(super) fn new(
        bundle: Rc<Bundle>,
        principal: Principal,
        target: Target,
        shared: Rc<Shared>,
    ) -> Self {
        Self {
            id: shared.judge(&bundle, &principal, &target),
            bundle,
            principal,
            target,
            shared,
        }
    }

    /// Another bundle decides from now on.
    pub(super) fn set_bundle(&mut self, bundle: Rc<Bundle>) {
        self.id = self.shared.judge(&bundle, &self.principal, &self.target);
        self.bundle = bundle;
    }

    pub(super) fn bundle(&self) -> &Rc<Bundle> {
        &self.bundle
    }

    pub(super) fn principal(&self) -> &Principal {
        &self.principal
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Reads `text`.
    pub(super) fn read(&self, text: &str, reading: Reading) -> Rc<Read> {
        self.shared.read(text, reading)
    }

    /// The verdict on a text that no name decides upon.
    pub(super) fn judge_read(&self, read: &Read) -> Rc<Judgement> {
        if let Some((judge, judgement)) = &*read.judged.borrow()
            && *judge == self.id
        {
            return Rc::clone(judgement);
        }
        let judgement = self.judge(&read.operations);
        *read.judged.borrow_mut() = Some((self.id, Rc::clone(&judgement)));
        judgement
    }

    /// The verdict on all `operations` together: any denial denies, then any approval is asked for.
    pub(super) fn judge(&self, operations: &[Operation]) -> Rc<Judgement> {
        if let [operation] = operations {
            return self.judge_one(operation);
        }
        let judgements: Vec<Rc<Judgement>> = operations
            .iter()
            .map(|operation| self.judge_one(operation))
            .collect();
        Rc::new(together(&judgements))
    }

    fn judge_one(&self, operation: &Operation) -> Rc<Judgement> {
        if let Some(judgement) = self.shared.verdict(self.id, operation) {
            return judgement;
        }
        let judgement = Rc::new(self.decide(operation));
        self.shared.keep_verdict(self.id, operation, &judgement);
        judgement
    }

    fn decide(&self, operation: &Operation) -> Judgement {
        let accesses: BTreeSet<String> = operation
            .accesses
            .iter()
            .map(|access| format!("{} {}", access.verb, access.object))
            .collect();
        let decision = self.bundle.decide(&self.principal, &self.target, operation);
        Judgement {
            verdict: decision.verdict,
            rules: decision.rules,
            verb: operation.verb.as_str(),
            accesses: accesses.into_iter().collect(),
            writes: operation.writes(),
            reshapes: reshapes(operation, is_ddl(operation)),
            is_ddl: is_ddl(operation),
            unsupported: false,
        }
    }
}

/// Whether a text plainly holds no statement: white space, semicolons and simple comments.
fn is_blank(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}', ';']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment
                .split_once(['\n', '\r'])
                .map_or("", |(_, rest)| rest);
        } else if let Some((comment, after)) = rest
            .strip_prefix("/*")
            .and_then(|rest| rest.split_once("*/"))
            && !comment.contains("/*")
        {
            rest = after;
        } else {
            return rest.is_empty();
        }
    }
}

fn together(judgements: &[Rc<Judgement>]) -> Judgement {
    let mut denial: Option<Denial> = None;
    let mut approvals: BTreeSet<&String> = BTreeSet::new();
    let mut reason = "";
    let mut denied_by: BTreeSet<&String> = BTreeSet::new();
    let mut asked_by: BTreeSet<&String> = BTreeSet::new();
    let mut allowed_by: BTreeSet<&String> = BTreeSet::new();
    let mut unsupported = false;
    for judgement in judgements {
        unsupported |= judgement.unsupported;
        match &judgement.verdict {
            Verdict::Deny(why) => {
                if denial.is_none() || judgement.unsupported {
                    denial = Some(why.clone());
                }
                denied_by.extend(&judgement.rules);
            }
            Verdict::Approve(demand) => {
                approvals.extend(&demand.approvals);
                if reason.is_empty() {
                    reason = &demand.reason;
                }
                asked_by.extend(&judgement.rules);
            }
            Verdict::Allow => allowed_by.extend(&judgement.rules),
        }
    }
    let owned = |set: BTreeSet<&String>| set.into_iter().cloned().collect::<Vec<String>>();
    let (verdict, rules) = if let Some(denial) = denial {
        (Verdict::Deny(denial), denied_by)
    } else if !approvals.is_empty() {
        let demand = ApprovalDemand {
            approvals: owned(approvals),
            reason: reason.to_owned(),
        };
        (Verdict::Approve(demand), asked_by)
    } else {
        (Verdict::Allow, allowed_by)
    };
    let strongest = |judgement: &&Rc<Judgement>| {
        let verb = Verb::ALL
            .iter()
            .position(|verb| verb.as_str() == judgement.verb);
        verb.unwrap_or(usize::MAX)
    };
    let accesses: BTreeSet<&String> = judgements.iter().flat_map(|j| &j.accesses).collect();
    Judgement {
        verdict,
        rules: owned(rules),
        verb: judgements
            .iter()
            .max_by_key(strongest)
            .map_or("", |j| j.verb),
        accesses: owned(accesses),
        writes: judgements.iter().any(|judgement| judgement.writes),
        reshapes: judgements.iter().any(|judgement| judgement.reshapes),
        is_ddl: judgements.iter().any(|judgement| judgement.is_ddl),
        unsupported,
    }
}

/// Whether names, origins or settings may mean something else after `operation`.
fn reshapes(operation: &Operation, is_ddl: bool) -> bool {
    is_ddl
        || operation
            .accesses
            .iter()
            .any(|access| matches!(access.verb, Verb::Call | Verb::FunctionCall))
}

/// Whether it changes the schema, or runs what is not in its text.
fn is_ddl(operation: &Operation) -> bool {
    operation.facts.dynamic
        || operation.facts.unreadable.is_some()
        || operation.accesses.iter().any(|access| {
            matches!(
                access.verb,
                Verb::Create | Verb::Alter | Verb::Drop | Verb::Do | Verb::Unreadable
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_blank_text() {
        for text in [
            "",
            " ;\n;",
            "-- ping",
            "--a\n;",
            "/* a */ ; /* b */",
            "/**/",
        ] {
            assert!(is_blank(text), "{text}");
        }
        for text in [
            "x",
            "--a\nx",
            "--a\rx",
            "/* /* */ x",
            "/* a",
            "\u{a0}",
            "/* a */ x",
            "'",
        ] {
            assert!(!is_blank(text), "{text}");
        }
    }
}
