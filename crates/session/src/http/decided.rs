//! Decisions of one agent under one bundle: requests that differ in nothing a rule asks for are judged
//! once.

use std::collections::{BTreeMap, BTreeSet};

use ostiary_operation::{Operation, http::RequestFacts, kubernetes::ObjectFacts};
use ostiary_policy::Decision;

/// Decisions kept: all are dropped when there are more.
const MAX_DECISIONS: usize = 64;
/// Accesses of an operation whose decision is kept.
const MAX_ACCESSES: usize = 16;
/// Bytes of its facts.
const MAX_FACTS: usize = 4 << 10;

/// The decisions, by what is relevant of the operations.
#[derive(Debug, Default)]
pub(super) struct Decided(BTreeMap<Operation, Decision>);

impl Decided {
    pub(super) fn get(&self, operation: &Operation) -> Option<Decision> {
        self.0.get(operation).cloned()
    }

    pub(super) fn keep(&mut self, operation: Operation, decision: Decision) {
        if !is_small(&operation) {
            return;
        }
        if self.0.len() >= MAX_DECISIONS {
            self.0.clear();
        }
        self.0.insert(operation, decision);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_small(operation: &Operation) -> bool {
    let facts = &operation.facts;
    let request = facts.request.as_deref().map_or(0, of_request);
    let objects = facts.objects.as_deref().map_or(0, of_objects);
    let unreadable = facts.unreadable.as_ref().map_or(0, String::len);
    let size = request.saturating_add(objects).saturating_add(unreadable);
    operation.accesses.len() <= MAX_ACCESSES && size <= MAX_FACTS
}

fn of_request(facts: &RequestFacts) -> usize {
    let sets = facts.query.iter().chain(&facts.body);
    let sets = sets.map(|(key, values)| key.len().saturating_add(of_set(values)));
    let parameters = facts.parameters.iter();
    let parameters = parameters.map(|(key, value)| key.len().saturating_add(value.len()));
    let numbers = facts.numbers.keys().map(String::len);
    let heads = [facts.path.len(), facts.content_type.len()];
    let name = facts.operation.iter().map(String::len);
    let all = sets.chain(parameters).chain(numbers).chain(heads);
    all.chain(name).fold(0, usize::saturating_add)
}

fn of_objects(facts: &ObjectFacts) -> usize {
    let sets = [&facts.kinds, &facts.images, &facts.service_accounts];
    let names = [&facts.name, &facts.command, &facts.container].into_iter();
    let names = names.flatten().map(String::len);
    let all = sets.into_iter().map(of_set).chain(names);
    all.fold(facts.version.len(), usize::saturating_add)
}

fn of_set(values: &BTreeSet<String>) -> usize {
    values
        .iter()
        .map(String::len)
        .fold(0, usize::saturating_add)
}
