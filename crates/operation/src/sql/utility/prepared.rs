//! Statements and cursors kept under a name: PREPARE, EXECUTE, DECLARE, FETCH and their ends.

use crate::sql::columns::Columns;
use crate::sql::effects::Effects;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::sql::{Kept, Named, Outputs, Statement};
use crate::{Object, Values, Verb};

impl Reader<'_, '_> {
    /// `PREPARE name (types) AS statement`.
    pub(super) fn prepare(&mut self) -> Read<()> {
        self.skip(1);
        let name = self.column_id()?.to_owned();
        if self.is_mark("(") {
            self.parens(|r| r.list(Self::type_name))?;
        }
        self.expect("as")?;
        let statement = self.inner_statement()?;
        self.named = Some(Named::Prepare { name, statement });
        Ok(())
    }

    /// `DECLARE name CURSOR FOR query`.
    pub(super) fn declare(&mut self) -> Read<()> {
        self.skip(1);
        let name = self.column_id()?.to_owned();
        while self.eat_any(&["binary", "insensitive", "asensitive", "scroll", "no"]) {}
        self.expect("cursor")?;
        if self.eat_any(&["with", "without"]) {
            self.expect("hold")?;
        }
        self.expect("for")?;
        let statement = self.inner_statement()?;
        self.named = Some(Named::Declare { name, statement });
        Ok(())
    }

    /// A statement within this one: its effects count here too.
    fn inner_statement(&mut self) -> Read<Box<Statement>> {
        let outer = std::mem::take(&mut self.effects);
        let top = Columns::returning();
        if self.starts_query() || self.is_mark("(") {
            self.noting(top, Self::top_query)?;
        } else if !self.noting(top, Self::data_modification)? {
            return Err(self.unexpected());
        }
        let inner = std::mem::replace(&mut self.effects, outer);
        let outputs = std::mem::replace(&mut self.outputs, Outputs::Unknown);
        let operation = inner.into_operation(Verb::Select);
        self.effects.merge(Effects {
            accesses: operation.accesses.clone(),
            functions: operation.facts.functions.clone(),
            dynamic: operation.facts.dynamic,
            has_where: operation.facts.has_where,
            row_limit: None,
        });
        self.effects.row_limit = operation.facts.row_limit;
        Ok(Box::new(Statement {
            operation,
            outputs,
            derived: Vec::new(),
            values: Values::default(),
            named: None,
            copy: None,
        }))
    }

    /// `EXECUTE name (arguments)`.
    pub(super) fn execute(&mut self) -> Read<()> {
        let name = self.execute_rest()?;
        self.named = Some(Named::Execute { name });
        Ok(())
    }

    /// As `execute`, where the statement does something more than execute.
    pub(super) fn execute_rest(&mut self) -> Read<String> {
        self.skip(1);
        let name = self.column_id()?.to_owned();
        if self.is_mark("(") {
            self.parens(Self::expressions)?;
        }
        self.unknown_statement();
        Ok(name)
    }

    /// What runs is known to the session, if at all.
    fn unknown_statement(&mut self) {
        self.effects.dynamic = true;
        self.effects.add(Verb::Unreadable, Object::Database);
    }

    /// `FETCH 10 FROM name`; the name comes last in every spelling.
    pub(super) fn fetch(&mut self) -> Read<()> {
        const DIRECTIONS: [&str; 11] = [
            "next", "prior", "first", "last", "absolute", "relative", "all", "forward", "backward",
            "from", "in",
        ];
        self.skip(1);
        while self.nth(1).is_some() {
            if !self.eat_any(&DIRECTIONS) {
                if !self.is_kind(Kind::Number) && !self.is_mark("-") && !self.is_mark("+") {
                    return Err(self.unexpected());
                }
                self.skip(1);
            }
        }
        let name = self.column_id()?.to_owned();
        self.unknown_statement();
        self.named = Some(Named::Fetch { name });
        Ok(())
    }

    pub(super) fn close(&mut self) -> Read<()> {
        self.skip(1);
        self.forget(Kept::Cursors)
    }

    pub(super) fn deallocate(&mut self) -> Read<()> {
        self.skip(1);
        if self.is("prepare") && self.nth(1).is_some() {
            self.skip(1);
        }
        self.forget(Kept::Statements)
    }

    fn forget(&mut self, what: Kept) -> Read<()> {
        let name = if self.eat("all") {
            None
        } else {
            Some(self.column_id()?.to_owned())
        };
        self.effects.add(Verb::Transaction, Object::Database);
        self.named = Some(Named::Forget { what, name });
        Ok(())
    }
}
