//! What a statement may not do with labelled columns, whatever the rules permit.
//!
//! Returning them is harmless: they are masked. But whoever chooses rows by a value finds it out by asking
//! often enough, and a value that is stored under another name is read back bare. Names are taken as
//! widely as they can be meant; only where a value may *go* is the narrow reading the safe one.

use ostiary_mask::Strategy;
use ostiary_operation::{Access, Mention, Move, Object, Operation, Verb};
use ostiary_policy::{Denial, LabelledUse};

use super::open::Open;
use super::taint::Taint;

/// The rule about columns that decide about rows.
const ROWS: &str = "labelled-rows";
/// The rule about values that leave their label behind.
const STAY: &str = "labels-stay-in";

/// A labelled column that a statement may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Labelled<'a> {
    schema: &'a str,
    relation: &'a str,
    column: &'a str,
    label: &'a str,
}

impl Open {
    /// Why the labels do not permit these operations, if they do not.
    pub(super) fn misuse(&self, operations: &[Operation]) -> Option<Denial> {
        let found = operations.iter().find_map(|operation| {
            if let Some(denial) = self.hidden(operation) {
                return Some(denial);
            }
            if operation.facts.columns.is_empty() {
                return None;
            }
            let here = self.labelled_in(operation);
            self.moved(operation, &here)
                .or_else(|| self.shaping(operation, &here))
        });
        found.or_else(|| self.notifies(operations))
    }

    /// A text that is run but not shown may do anything with them.
    fn hidden(&self, operation: &Operation) -> Option<Denial> {
        let facts = &operation.facts;
        let runs = |access: &Access| matches!(access.verb, Verb::Call | Verb::Do);
        let hides =
            facts.unreadable.is_some() || facts.dynamic && operation.accesses.iter().any(runs);
        if !hides {
            return None;
        }
        let column = self.every_labelled().next()?;
        Some(column.denial(
            STAY,
            "hidden",
            "may be used in ways that the text does not show",
            "Write the statement out, in a form that can be read. Policy can permit `reveal` of the label.",
        ))
    }

    fn moved(&self, operation: &Operation, here: &[Labelled<'_>]) -> Option<Denial> {
        let column = operation
            .facts
            .columns
            .moved
            .iter()
            .find_map(|moved| self.leaves(here, moved))
            .or_else(|| self.leave_with_schema(operation))?;
        Some(column.denial(
            STAY,
            "moved",
            "would be stored where it is not labelled",
            "Leave the column out, or store it in one with the same label, named with its schema. \
             Policy can permit `reveal` of the label.",
        ))
    }

    /// The labelled column whose value goes where it has another label, or none.
    fn leaves<'a>(&'a self, here: &'a [Labelled<'a>], moved: &'a Move) -> Option<Labelled<'a>> {
        let kept = |column: &Labelled<'_>| {
            moved.to.as_ref().is_some_and(|to| {
                // Without its schema the target may be another table of that name.
                let certain = to.relation.as_ref().is_some_and(|(s, _)| s.is_some());
                let mut there = self.meant(here, to);
                certain && there.any(|target| target.label == column.label)
            })
        };
        self.meant(here, &moved.from).find(|column| !kept(column))
    }

    /// `ALTER SCHEMA s RENAME TO t`: a labelled column of that schema.
    fn leave_with_schema(&self, operation: &Operation) -> Option<Labelled<'_>> {
        let mut accesses = operation.accesses.iter();
        let (
            Some(Access {
                verb: Verb::Alter,
                object: Object::Schema { name },
            }),
            None,
        ) = (accesses.next(), accesses.next())
        else {
            return None;
        };
        let renames = !operation.facts.columns.moved.is_empty();
        self.every_labelled()
            .find(|column| renames && column.schema == name)
    }

    fn shaping(&self, operation: &Operation, here: &[Labelled<'_>]) -> Option<Denial> {
        let shaping = operation.facts.columns.shaping.iter();
        let column = shaping
            .flat_map(|mention| self.meant(here, mention))
            .find(|column| !self.labels.rows_allowed.contains(column.label))?;
        Some(column.denial(
            ROWS,
            "rows",
            "would decide which rows there are, or in which order, or whether there is an error",
            "Choose, join, sort and group by other columns. Policy can say `rows: allow` for the \
             label, or permit `reveal` of it.",
        ))
    }

    /// Notifications reach sessions that know of no label.
    fn notifies(&self, operations: &[Operation]) -> Option<Denial> {
        let notifies = operations
            .iter()
            .flat_map(|operation| &operation.accesses)
            .any(|access| access.verb == Verb::Notify);
        (notifies && self.reach(operations) > Taint::None).then(|| Denial {
            rule: STAY.to_owned(),
            reason: "a notification could carry labelled data".to_owned(),
            labelled: None,
        })
    }

    /// The relations of `operation` that may have labelled columns.
    pub(super) fn labelled_relations<'a>(
        &self,
        operation: &'a Operation,
    ) -> Vec<(Option<&'a str>, &'a str)> {
        let relations = relations(operation);
        relations
            .filter(|(schema, name)| self.may_be_labelled(*schema, name))
            .collect()
    }

    fn may_be_labelled(&self, schema: Option<&str>, name: &str) -> bool {
        let mut said = self.labels.columns.iter();
        self.catalogue.is_labelled(schema, name) || said.any(|(column, _)| column.table == name)
    }

    /// Whether a mention in an operation with these relations means no labelled column, whatever it
    /// means.
    pub(super) fn is_clean(&self, here: &[(Option<&str>, &str)], mention: &Mention) -> bool {
        let clean = |schema: Option<&str>, name: &str| {
            let Some(column) = &mention.column else {
                return false;
            };
            let mut labelled = self.labelled_of(schema, name);
            if labelled.any(|found| found.column == column)
                || self.catalogue.has_labelled(schema, name, column)
            {
                return false;
            }
            // `u.name` calls a function where `u` has no such column; `name` cannot.
            mention.relation.is_none()
                || self.catalogue.is_labelled(schema, name)
                    && self.catalogue.is_clean(schema, name, column)
        };
        match &mention.relation {
            None => here.iter().all(|(schema, name)| clean(*schema, name)),
            Some((schema, name)) => {
                let schema = schema.as_deref();
                !self.may_be_labelled(schema, name) || clean(schema, name)
            }
        }
    }

    /// The labelled columns of all relations of `operation`.
    pub(super) fn labelled_in<'a>(&'a self, operation: &'a Operation) -> Vec<Labelled<'a>> {
        relations(operation)
            .flat_map(|(schema, name)| self.labelled_of(schema, name))
            .collect()
    }

    /// The labelled columns that a mention may mean in an operation that reaches those `here`.
    fn meant<'a>(
        &'a self,
        here: &'a [Labelled<'a>],
        mention: &'a Mention,
    ) -> impl Iterator<Item = Labelled<'a>> {
        let named = mention.relation.iter();
        let named =
            named.flat_map(|(schema, name)| self.labelled_of(schema.as_deref(), name.as_str()));
        let any = here.iter().filter(|_| mention.relation.is_none());
        named.chain(any.copied()).filter(|found| {
            mention
                .column
                .as_ref()
                .is_none_or(|column| column == found.column)
        })
    }

    /// How the labelled columns are masked that a mention may mean.
    pub(super) fn meant_strategies<'a>(
        &'a self,
        here: &'a [Labelled<'a>],
        mention: &'a Mention,
    ) -> impl Iterator<Item = &'a Strategy> {
        self.meant(here, mention).filter_map(|found| {
            let mut columns = self.labels.columns.iter();
            columns
                .find(|(column, _)| column.label == found.label)
                .map(|(_, strategy)| strategy)
        })
    }

    /// The labelled columns of the relation a statement names: by the catalogue, and by the labels
    /// themselves as long as that may be old.
    fn labelled_of<'a>(
        &'a self,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> impl Iterator<Item = Labelled<'a>> {
        let known = self.catalogue.named(schema, name);
        let known = known.map(move |named| Labelled {
            schema: &named.schema,
            relation: name,
            column: &named.column,
            label: &named.label,
        });
        let said = self
            .labels
            .columns
            .iter()
            .filter(move |(column, _)| {
                column.table == name && schema.is_none_or(|schema| schema == column.schema)
            })
            .map(|(column, _)| Labelled {
                schema: &column.schema,
                relation: &column.table,
                column: &column.column,
                label: &column.label,
            });
        known
            .filter(|found| self.is_masked(found.label))
            .chain(said)
    }

    /// Every labelled column of this database; as long as the catalogue may be old, of any.
    fn every_labelled(&self) -> impl Iterator<Item = Labelled<'_>> {
        let known = self
            .catalogue
            .all_named()
            .map(|(relation, named)| Labelled {
                schema: &named.schema,
                relation,
                column: &named.column,
                label: &named.label,
            });
        let said = self.labels.columns.iter().filter(|_| self.stale);
        known
            .filter(|found| self.is_masked(found.label))
            .chain(said.map(|(column, _)| Labelled {
                schema: &column.schema,
                relation: &column.table,
                column: &column.column,
                label: &column.label,
            }))
    }

    /// Whether a label of the catalogue still holds.
    fn is_masked(&self, label: &str) -> bool {
        let mut columns = self.labels.columns.iter();
        columns.any(|(column, _)| column.label == label)
    }
}

/// The relations of an operation.
fn relations(operation: &Operation) -> impl Iterator<Item = (Option<&str>, &str)> {
    let accesses = operation.accesses.iter();
    accesses.filter_map(|access| match &access.object {
        Object::Relation { schema, name } => Some((schema.as_deref(), name.as_str())),
        Object::Database
        | Object::Schema { .. }
        | Object::Function { .. }
        | Object::Setting { .. }
        | Object::Role { .. }
        | Object::Other { .. }
        | Object::Api
        | Object::Route { .. }
        | Object::Field { .. }
        | Object::Method { .. }
        | Object::Kind { .. }
        | Object::Url { .. } => None,
    })
}

impl Labelled<'_> {
    fn denial(&self, rule: &str, used: &'static str, what: &str, cure: &'static str) -> Denial {
        let column = format!("{}.{}.{}", self.schema, self.relation, self.column);
        Denial {
            rule: rule.to_owned(),
            reason: format!("`{column}`, labelled `{}`, {what}", self.label),
            labelled: Some(LabelledUse {
                column,
                label: self.label.to_owned(),
                used,
                cure,
            }),
        }
    }
}
