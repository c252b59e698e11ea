//! What a value is made of: the columns behind the names of one output item.

use std::collections::BTreeSet;

use super::flow::MAX_TABLES;
use super::{Columns, Label, Span, What};
use crate::Mention;

/// Names looked at for all items of a statement; what takes more is not told.
const MAX_STEPS: usize = 10_000;
/// Columns one item is made of; more are not told.
const MAX_MENTIONS: usize = 32;

impl<'t> Columns<'t> {
    /// For each span of names the columns whose values can be in them; `None` where that cannot be told.
    pub(in crate::sql) fn made_of(&mut self, spans: &[Option<Span>]) -> Vec<Option<Vec<Mention>>> {
        self.index_names();
        let by_label = self.by_label();
        let mut steps = MAX_STEPS;
        let mut made_of = Vec::with_capacity(spans.len());
        for span in spans {
            made_of.push(span.and_then(|span| {
                let mut seen = BTreeSet::new();
                let mut mentions = Vec::new();
                let mut looked = BTreeSet::new();
                let mut open: Vec<usize> = (span.start..span.end).collect();
                while let Some(index) = open.pop() {
                    steps = steps.checked_sub(1)?;
                    let Some(noted) = self.noted.get(index).filter(|_| seen.insert(index)) else {
                        continue;
                    };
                    steps = steps.checked_sub(self.aliases_of(noted.what))?;
                    if self.may_be_call(noted.what) {
                        return None;
                    }
                    self.mentions(noted.what, |mention| {
                        if !mentions.contains(&mention) {
                            mentions.push(mention);
                        }
                    });
                    if mentions.len() > MAX_MENTIONS {
                        return None;
                    }
                    for key in self.keys_of(noted, &by_label) {
                        if !looked.insert(key) {
                            continue;
                        }
                        for link in self.links_at(key, &by_label) {
                            let to = self.links.get(link)?;
                            let length = to.span.end.saturating_sub(to.span.start);
                            steps = steps.checked_sub(length.max(1))?;
                            let within = (to.span.start..to.span.end).filter(|index| {
                                self.noted
                                    .get(*index)
                                    .is_some_and(|noted| noted.group == to.group)
                            });
                            open.extend(within);
                        }
                    }
                }
                Some(mentions)
            }));
        }
        made_of
    }

    /// How many links have to be looked at to tell what a name is of.
    fn aliases_of(&self, what: What<'t>) -> usize {
        match what {
            What::Column {
                qualifier: Some(qualifier),
                ..
            } => self.names.get(qualifier).map_or(0, |meaning| {
                meaning.links.len().saturating_add(meaning.tables.len())
            }),
            _ => 0,
        }
    }

    /// `s.name`: where `s` has no such column it is a call of a function of that name. Of a table only
    /// the session knows the columns.
    fn may_be_call(&self, what: What<'t>) -> bool {
        let What::Column {
            qualifier: Some(qualifier),
            name,
        } = what
        else {
            return false;
        };
        let meaning = self.names.get(qualifier);
        if meaning.is_some_and(|meaning| meaning.tables.len() > MAX_TABLES) {
            return true;
        }
        let links = meaning.map(|meaning| &meaning.links);
        let links = links.into_iter().flatten();
        let mut parts = links
            .filter_map(|link| self.links.get(*link))
            .filter(|link| matches!(link.label, Label::Alias(..)))
            .peekable();
        self.renamed.contains(&qualifier)
            || parts.peek().is_none()
            || !parts.all(|link| {
                matches!(link.label, Label::Alias(_, Some(_))) || self.offers(link.span, name)
            })
    }

    /// Whether a part of FROM is a query with a column of that name.
    fn offers(&self, part: Span, name: &str) -> bool {
        let [noted] = self.noted.get(part.start..part.end).unwrap_or_default() else {
            return false;
        };
        let has = |group: usize| self.outputs.contains(&(group, name));
        match noted.what {
            What::Item("") => {
                let link = noted.link.checked_sub(1);
                link.and_then(|link| self.links.get(link))
                    .is_some_and(|link| has(link.group))
            }
            // Every common table expression of that name.
            What::Item(expression) => {
                let mut groups = self.expressions.iter();
                !self.renamed.contains(&expression)
                    && self
                        .expressions
                        .iter()
                        .any(|(known, _)| *known == expression)
                    && groups.all(|(known, group)| *known != expression || has(*group))
            }
            _ => false,
        }
    }
}
