//! One statement: which grammar rule its first words choose, and the result as an operation.

use super::columns::{Columns, Span};
use super::lexer::Token;
use super::outputs::only_computes;
use super::reader::{Read, Reader};
use super::{Named, Outputs, Statement};
use crate::{Mention, Verb};

/// Reads one statement.
pub(super) fn read(tokens: &[Token<'_>]) -> Statement {
    let mut reader = Reader::new(tokens);
    let result = reader.statement();
    if reader.is_exhausted() {
        return Statement::unreadable("takes too long to read");
    }
    let fallback = match result {
        Ok(fallback) if reader.at_end() => fallback,
        Ok(_) => return Statement::unreadable(reader.unexpected().0),
        Err(reason) => return Statement::unreadable(reason.0),
    };
    reader.finish(fallback)
}

impl Reader<'_, '_> {
    /// `stmt`; answers the verb of a statement that touches nothing that has a name.
    pub(super) fn statement(&mut self) -> Read<Verb> {
        let top = Columns::returning();
        if self.starts_query() || self.is_mark("(") {
            self.noting(top, Self::top_query)?;
            return Ok(Verb::Select);
        }
        if self.noting(top, Self::data_modification)? {
            return Ok(Verb::Select);
        }
        self.utility()
    }

    /// The statement as read.
    pub(super) fn finish(mut self, fallback: Verb) -> Statement {
        let roles = self.columns.roles();
        let values = self.columns.values(self.tokens());
        let derived = self.derived();
        // Names are noted for the whole text, so they hold for the statement inside, too.
        if let Some(Named::Prepare { statement, .. } | Named::Declare { statement, .. }) =
            &mut self.named
        {
            statement.operation.facts.columns.clone_from(&roles);
            statement.values.clone_from(&values);
            statement.derived.clone_from(&derived);
        }
        let mut operation = self.effects.into_operation(fallback);
        operation.facts.columns = roles;
        Statement {
            operation,
            outputs: self.outputs,
            values,
            derived,
            named: self.named,
            copy: self.copy,
        }
    }

    /// Which columns the items of the query at the top are computed from.
    fn derived(&mut self) -> Vec<Option<Vec<Mention>>> {
        let outputs = match &self.named {
            Some(Named::Prepare { statement, .. } | Named::Declare { statement, .. }) => {
                &statement.outputs
            }
            _ => &self.outputs,
        };
        let Outputs::Clean(clean) = outputs else {
            return Vec::new();
        };
        let spans = &self.columns.top_items;
        if clean.len() != spans.len() || clean.len() != self.items.len() {
            return Vec::new();
        }
        let items = clean.iter().zip(&self.items).zip(spans);
        let spans: Vec<Option<Span>> = items
            .map(|((clean, item), span)| (!clean && only_computes(item)).then_some(*span))
            .collect();
        if spans.iter().all(Option::is_none) {
            return Vec::new();
        }
        self.columns.made_of(&spans)
    }
}
