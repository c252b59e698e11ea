//! Text to verdict, with both steps cached.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ostiary_operation::sql::{self, Analysis, Reading};
use ostiary_operation::{Operation, Principal, Target};
use ostiary_policy::{ApprovalDemand, Bundle, Decision, Denial, Verdict};

/// Entries each cache may hold before it is emptied; a session that never repeats itself must not grow.
const MAX_CACHED: usize = 256;
/// Bytes of a text that is worth caching.
const MAX_CACHED_TEXT: usize = 4096;

/// Decides for one principal on one target.
#[derive(Debug)]
pub(super) struct Judge {
    bundle: Rc<Bundle>,
    principal: Principal,
    target: Target,
    analyses: BTreeMap<(Reading, String), Rc<Analysis>>,
    decisions: BTreeMap<Operation, Rc<Decision>>,
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
}

impl Judge {
    pub(super) fn new(bundle: Rc<Bundle>, principal: Principal, target: Target) -> Self {
        Self {
            bundle,
            principal,
            target,
            analyses: BTreeMap::new(),
            decisions: BTreeMap::new(),
        }
    }

    /// Another bundle decides from now on.
    pub(super) fn set_bundle(&mut self, bundle: Rc<Bundle>) {
        self.bundle = bundle;
        self.decisions.clear();
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

    /// What `text` does.
    pub(super) fn analyze(&mut self, text: &str, reading: Reading) -> Rc<Analysis> {
        if text.len() > MAX_CACHED_TEXT {
            return Rc::new(sql::analyze(text, reading));
        }
        let key = (reading, text.to_owned());
        if let Some(analysis) = self.analyses.get(&key) {
            return Rc::clone(analysis);
        }
        let analysis = Rc::new(sql::analyze(text, reading));
        if self.analyses.len() >= MAX_CACHED {
            self.analyses.clear();
        }
        self.analyses.insert(key, Rc::clone(&analysis));
        analysis
    }

    fn decide(&mut self, operation: &Operation) -> Rc<Decision> {
        if let Some(decision) = self.decisions.get(operation) {
            return Rc::clone(decision);
        }
        let decision = Rc::new(self.bundle.decide(&self.principal, &self.target, operation));
        if self.decisions.len() >= MAX_CACHED {
            self.decisions.clear();
        }
        self.decisions
            .insert(operation.clone(), Rc::clone(&decision));
        decision
    }

    /// The verdict on all `operations` together: any denial denies, then any approval is asked for.
    pub(super) fn judge(&mut self, operations: &[Operation]) -> Judgement {
        let mut denial: Option<Denial> = None;
        let mut approvals: BTreeSet<String> = BTreeSet::new();
        let mut reason = String::new();
        let mut denied_by: BTreeSet<String> = BTreeSet::new();
        let mut asked_by: BTreeSet<String> = BTreeSet::new();
        let mut allowed_by: BTreeSet<String> = BTreeSet::new();
        for operation in operations {
            let decision = self.decide(operation);
            match &decision.verdict {
                Verdict::Deny(why) => {
                    denial.get_or_insert_with(|| why.clone());
                    denied_by.extend(decision.rules.iter().cloned());
                }
                Verdict::Approve(demand) => {
                    approvals.extend(demand.approvals.iter().cloned());
                    if reason.is_empty() {
                        reason.clone_from(&demand.reason);
                    }
                    asked_by.extend(decision.rules.iter().cloned());
                }
                Verdict::Allow => allowed_by.extend(decision.rules.iter().cloned()),
            }
        }
        let (verdict, rules) = if let Some(denial) = denial {
            (Verdict::Deny(denial), denied_by)
        } else if !approvals.is_empty() {
            let approvals = approvals.into_iter().collect();
            (
                Verdict::Approve(ApprovalDemand { approvals, reason }),
                asked_by,
            )
        } else {
            (Verdict::Allow, allowed_by)
        };
        let accesses: BTreeSet<String> = operations
            .iter()
            .flat_map(|operation| &operation.accesses)
            .map(|access| format!("{} {}", access.verb, access.object))
            .collect();
        Judgement {
            verdict,
            rules: rules.into_iter().collect(),
            verb: operations
                .iter()
                .map(|operation| operation.verb)
                .max()
                .map_or("", |v| v.as_str()),
            accesses: accesses.into_iter().collect(),
            writes: operations.iter().any(Operation::writes),
            reshapes: operations.iter().any(reshapes),
        }
    }
}

/// Whether names, origins or settings may mean something else after `operation`.
fn reshapes(operation: &Operation) -> bool {
    use ostiary_operation::Verb;
    operation.facts.dynamic
        || operation.facts.unreadable.is_some()
        || operation.accesses.iter().any(|access| {
            matches!(
                access.verb,
                Verb::Create
                    | Verb::Alter
                    | Verb::Drop
                    | Verb::Call
                    | Verb::Do
                    | Verb::FunctionCall
                    | Verb::Unreadable
            )
        })
}
