//! COPY in both directions, with the connection, a server file or a program at the other end.

use crate::sql::columns::Columns;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn copy(&mut self) -> Read<()> {
        self.skip(1);
        self.eat("binary");
        let table = if self.is_mark("(") {
            let top = Columns::returning();
            self.noting(top, |r| r.parens(Self::query))?;
            None
        } else {
            let name = self.name()?;
            if self.is_mark("(") {
                self.names_in_parens()?;
            }
            Some(name.relation())
        };
        let into_table = if self.eat("from") {
            true
        } else {
            self.expect("to")?;
            false
        };
        let program = self.eat("program");
        let connection = !program && self.eat_any(&["stdin", "stdout"]);
        if !connection {
            self.string()?;
            self.effects.add(Verb::ServerFile, Object::Database);
        }
        let rows = if into_table {
            Verb::Insert
        } else {
            Verb::Select
        };
        if let Some(table) = &table {
            self.effects.add(rows, table.clone());
        }
        if connection {
            let verb = if into_table {
                Verb::CopyIn
            } else {
                Verb::CopyOut
            };
            self.effects.add(verb, table.unwrap_or(Object::Database));
        }
        self.copy_options()
    }

    fn copy_options(&mut self) -> Read<()> {
        self.eat("using");
        while !self.at_end() {
            if self.is("where") {
                self.skip(1);
                // About the rows that come in.
                let incoming = Columns::returning();
                return self.noting(incoming, Self::expression);
            }
            if self.is_mark("(") {
                self.skip_parens()?;
            } else if self.is_mark("*") || self.is_mark(",") || self.is_kind(Kind::String) {
                self.skip(1);
            } else {
                self.label()?;
            }
        }
        Ok(())
    }
}
