//! One statement: which grammar rule its first words choose, and the result as an operation.

use super::Statement;
use super::lexer::Token;
use super::reader::{Read, Reader};
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
        if self.starts_query() || self.is_mark("(") {
            self.top_query()?;
            return Ok(Verb::Select);
        }
        if self.data_modification()? {
            return Ok(Verb::Select);
        }
        self.utility()
    }

    /// The statement as read.
    pub(super) fn finish(self, fallback: Verb) -> Statement {
        Statement {
            operation: self.effects.into_operation(fallback),
            outputs: self.outputs,
            named: self.named,
        }
    }
}
