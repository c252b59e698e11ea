//! EXPLAIN: with ANALYZE the statement runs, without it only its tables are read.

use std::collections::BTreeSet;

use crate::sql::Outputs;
use crate::sql::columns::Columns;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Access, Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn explain(&mut self) -> Read<()> {
        self.skip(1);
        let runs = self.explain_options()?;
        let outer = std::mem::take(&mut self.effects);
        self.nested(Self::explained)?;
        self.outputs = Outputs::Unknown;
        self.named = None;
        let mut inner = std::mem::replace(&mut self.effects, outer);
        if !runs {
            inner.accesses = without_effects(inner.accesses);
        }
        self.effects.merge(inner);
        self.effects.add(Verb::Explain, Object::Database);
        Ok(())
    }

    /// Whether the statement runs.
    fn explain_options(&mut self) -> Read<bool> {
        let options = self.is_mark("(")
            && !self.nth_is_mark(1, "(")
            && (!matches!(self.word(1), "select" | "with" | "values" | "table")
                || self.word(1) == "values" && !self.nth_is_mark(2, "("));
        if options {
            let mut runs = false;
            self.parens(|r| {
                r.list(|r| {
                    let analyze = r.is_any(&["analyze", "analyse"]);
                    let name = r.label()?;
                    let off = r.option_is_off()?;
                    // A name the server compares without case could come quoted.
                    runs |= (analyze || name.eq_ignore_ascii_case("analyze")) && !off;
                    Ok(())
                })
            })?;
            return Ok(runs);
        }
        let mut runs = false;
        if self.eat_any(&["analyze", "analyse"]) {
            runs = true;
        }
        self.eat("verbose");
        Ok(runs)
    }

    /// The value of an option; true only if it surely means no.
    fn option_is_off(&mut self) -> Read<bool> {
        if self.is_mark(",") || self.is_mark(")") {
            return Ok(false);
        }
        if self.is_mark("-") || self.is_mark("+") {
            self.skip(1);
        }
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        let off = match token.kind {
            Kind::Word | Kind::Quoted | Kind::String => {
                matches!(token.text().to_ascii_lowercase().as_str(), "off" | "false")
            }
            Kind::Number => token.text() == "0",
            _ => return Err(self.unexpected()),
        };
        self.skip(1);
        Ok(off)
    }

    fn explained(&mut self) -> Read<()> {
        let top = Columns::returning();
        if self.starts_query() || self.is_mark("(") {
            return self.noting(top, Self::query);
        }
        if self.noting(top, Self::data_modification)? {
            return Ok(());
        }
        match self.word(0) {
            "declare" => self.declare(),
            "create" => self.create(),
            "refresh" => self.refresh(),
            // The session cannot put the plan in the place of the rows, so it must not resolve it.
            "execute" => self.execute_rest().map(drop),
            _ => Err(self.unexpected()),
        }
    }
}

/// What is left of a statement's effects if only its plan is made: its tables are read.
/// Functions stay, since planning runs those declared immutable.
fn without_effects(accesses: BTreeSet<Access>) -> BTreeSet<Access> {
    accesses
        .into_iter()
        .filter(|access| access.verb != Verb::Create)
        .map(|access| Access {
            verb: match access.verb {
                Verb::Insert
                | Verb::Update
                | Verb::Delete
                | Verb::Merge
                | Verb::Lock
                | Verb::Maintain => Verb::Select,
                verb => verb,
            },
            object: access.object,
        })
        .collect()
}
