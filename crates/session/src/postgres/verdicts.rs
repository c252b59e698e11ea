//! Judgements on operations, for all sessions of a VM: they hang on bundle, principal and target.

use std::collections::BTreeMap;
use std::rc::Rc;

use ostiary_operation::{Operation, Principal, Target};
use ostiary_policy::Bundle;

use super::judge::Judgement;

/// Judgements kept, and judges: all are dropped when there are more. One is some 2 KiB.
const MAX_KEPT: usize = 1024;

/// Stands for a bundle, a principal and a target. Never given out again for others.
pub(super) type JudgeId = u64;

/// What was judged under the newest bundle.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    bundle: Option<Rc<Bundle>>,
    judges: BTreeMap<(Principal, Target), JudgeId>,
    last: JudgeId,
    kept: BTreeMap<JudgeId, BTreeMap<Operation, Rc<Judgement>>>,
    count: usize,
}

impl Verdicts {
    /// The number of whoever judges by these.
    pub(super) fn judge(
        &mut self,
        bundle: &Rc<Bundle>,
        principal: &Principal,
        target: &Target,
    ) -> JudgeId {
        let same = self.bundle.as_ref().is_some_and(|b| Rc::ptr_eq(b, bundle));
        if !same || self.judges.len() >= MAX_KEPT {
            self.judges.clear();
            self.clear();
            self.bundle = Some(Rc::clone(bundle));
        }
        let last = &mut self.last;
        *self
            .judges
            .entry((principal.clone(), target.clone()))
            .or_insert_with(|| {
                *last = last.saturating_add(1);
                *last
            })
    }

    pub(super) fn get(&self, judge: JudgeId, operation: &Operation) -> Option<Rc<Judgement>> {
        self.kept.get(&judge)?.get(operation).cloned()
    }

    pub(super) fn keep(&mut self, judge: JudgeId, operation: &Operation, verdict: &Rc<Judgement>) {
        if self.count >= MAX_KEPT {
            self.clear();
        }
        let kept = self.kept.entry(judge).or_default();
        if kept.insert(operation.clone(), Rc::clone(verdict)).is_none() {
            self.count = self.count.saturating_add(1);
        }
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(subject: &str) -> Principal {
        Principal {
            issuer: "issuer".to_owned(),
            subject: subject.to_owned(),
            groups: std::collections::BTreeSet::new(),
            on_behalf_of: None,
        }
    }

    fn target(database: &str) -> Target {
        Target {
            resource: "shop".to_owned(),
            database: database.to_owned(),
            role: "app".to_owned(),
        }
    }

    #[test]
    fn numbers_judges_by_all_that_decides() {
        let mut verdicts = Verdicts::default();
        let (one, two) = (
            Rc::new(Bundle::deny_all("a")),
            Rc::new(Bundle::deny_all("a")),
        );
        let first = verdicts.judge(&one, &principal("ada"), &target("a"));
        assert_eq!(verdicts.judge(&one, &principal("ada"), &target("a")), first);
        let others = [
            verdicts.judge(&one, &principal("ben"), &target("a")),
            verdicts.judge(&one, &principal("ada"), &target("b")),
            verdicts.judge(&two, &principal("ada"), &target("a")),
            verdicts.judge(&one, &principal("ada"), &target("a")),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, first);
            assert!(!others[..index].contains(other));
        }
    }
}
