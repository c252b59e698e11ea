//! One statement: which grammar rule its first words choose, and the result as an operation.

use super::columns::Columns;
use super::lexer::Token;
use super::reader::{Read, Reader};
use super::{Named, Statement};
use crate::Verb;

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
        // Names are noted for the whole text, so they hold for the statement inside, too.
        if let Some(Named::Prepare { statement, .. } | Named::Declare { statement, .. }) =
            &mut self.named
        {
            statement.operation.facts.columns.clone_from(&roles);
            statement.values.clone_from(&values);
        }
        let mut operation = self.effects.into_operation(fallback);
        operation.facts.columns = roles;
        Statement {
            operation,
            outputs: self.outputs,
            values,
            named: self.named,
        }
    }
}
