//! SQL text to operations.
//!
//! Total: every text gives an [`Analysis`]; what is not understood is declared unreadable. The rule
//! is asymmetric: an operation may hold more than the server would do, never less.
//!
//! The text is cut into tokens as the server cuts it (`lexer`), these into statements (`split`), and
//! each statement is read by the server's own grammar (`reader` and the files that extend it). There
//! is no syntax tree: effects are noted as they are read, so that nesting is bounded, chains take no
//! stack, and no tree can be walked past something. What cannot be seen in a text is not here:
//! views, triggers, rules, defaults, and operators or casts that call functions.

mod catalogue;
mod columns;
mod copy;
mod effects;
mod expression;
mod from;
mod functions;
mod keywords;
mod lexer;
mod outputs;
mod query;
mod reader;
mod shape;
mod split;
mod statement;
mod types;
mod utility;
mod write;

#[cfg(test)]
mod tests;

pub use copy::{Copied, Copy, CopyFormat, Layout};
pub use shape::Shape;

use crate::{Mention, Operation, Values};

/// What a text of one or more statements does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// One entry for each statement, in order; empty for an empty query.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub operation: Operation,
    /// What is known of its output columns.
    pub outputs: Outputs,
    /// The columns an output column is computed from and from nothing else, one entry per column or none
    /// at all; `None` where that cannot be told.
    pub derived: Vec<Option<Vec<Mention>>>,
    /// Its constants and parameters, and what they meet.
    pub values: Values,
    /// What the statement does to the names of this session.
    pub named: Option<Named>,
    /// COPY with the connection at its other end.
    pub copy: Option<Copy>,
}

/// What the text says about the columns a statement returns.
///
/// Used for columns whose origin the server does not attest (RowDescription with table OID 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Nothing is known: every unattested column may carry what the statement reads.
    Unknown,
    /// One entry per output column, in order: true if its value is proved independent of any
    /// column's value (`count(*)`, literals, `now()`).
    Clean(Vec<bool>),
}

/// Statements that refer to other statements by name (SQL-level PREPARE and cursors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// `PREPARE name AS …`; the operation of the outer statement already includes the inner one's.
    Prepare {
        /// The statement name.
        name: String,
        /// What executing it does.
        statement: Box<Statement>,
    },
    /// `EXECUTE name(…)`. Its operation has [`Verb::Unreadable`](crate::Verb::Unreadable) on the
    /// database: the session puts what the named statement does in its place, and keeps the other
    /// accesses (calls in the arguments). An unknown name stays unreadable.
    Execute {
        /// The statement name.
        name: String,
    },
    /// `DECLARE name CURSOR FOR …`.
    Declare {
        /// The cursor name.
        name: String,
        /// The query of the cursor.
        statement: Box<Statement>,
    },
    /// `FETCH … FROM name`, `MOVE … FROM name`; resolved as `Execute` is.
    Fetch {
        /// The cursor name.
        name: String,
    },
    /// `DEALLOCATE name` or `CLOSE name`; `None` for ALL and for `DISCARD ALL`.
    Forget {
        /// Of what kind.
        what: Kept,
        /// The name, or all of them.
        name: Option<String>,
    },
}

/// What a session keeps under names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Prepared statements.
    Statements,
    /// Cursors and portals.
    Cursors,
    /// Both.
    All,
}

/// Settings of the session that change how text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading {
    /// `standard_conforming_strings`; off makes a backslash special in plain literals.
    pub standard_conforming_strings: bool,
    /// The client encoding is UTF-8 (or SQL_ASCII with ASCII text); others are unreadable unless ASCII.
    pub utf8: bool,
    /// The database's encoding is UTF-8. In others the server folds, cuts and converts names by rules that
    /// are not known here: names outside ASCII are unreadable.
    pub server_utf8: bool,
}

/// A text, cut into tokens.
#[derive(Debug)]
pub struct Tokens<'a>(Result<Vec<lexer::Token<'a>>, &'static str>);

impl<'a> Tokens<'a> {
    /// Cuts `text`.
    pub fn cut(text: &'a str, reading: Reading) -> Self {
        Self(lexer::lex(text, reading))
    }

    /// Reads them; they may make several statements.
    pub fn analyze(&self) -> Analysis {
        let statements = self
            .0
            .as_ref()
            .map_err(|reason| *reason)
            .and_then(|tokens| split::split(tokens));
        match statements {
            Ok(statements) => Analysis {
                statements: statements.into_iter().map(statement::read).collect(),
            },
            Err(reason) => Analysis::unreadable(reason),
        }
    }

    /// Everything but the values of constants; `None` if there is nothing that can be told.
    pub fn outline(&self) -> Option<Vec<u8>> {
        shape::outline(self.0.as_ref().ok()?)
    }

    /// After [`analyze`](Self::analyze): what the analysis hangs on, but for [`Values::literals`].
    pub fn shape(&self) -> Option<Shape> {
        Shape::of(self.0.as_ref().ok()?)
    }

    /// Whether the analysis of a text with this shape, and with the same outline, is that of these tokens,
    /// but for [`Values::literals`].
    pub fn fit(&self, shape: &Shape) -> bool {
        self.0.as_ref().is_ok_and(|tokens| shape.fits(tokens))
    }
}

/// Reads `text`, which may hold several statements.
pub fn analyze(text: &str, reading: Reading) -> Analysis {
    Tokens::cut(text, reading).analyze()
}

impl Analysis {
    /// One statement that may do anything.
    fn unreadable(reason: &str) -> Self {
        Self {
            statements: vec![Statement::unreadable(reason)],
        }
    }
}

impl Statement {
    /// A statement that may do anything.
    fn unreadable(reason: &str) -> Self {
        Self {
            operation: Operation::unreadable(reason),
            outputs: Outputs::Unknown,
            derived: Vec::new(),
            values: Values::default(),
            named: None,
            copy: None,
        }
    }
}
