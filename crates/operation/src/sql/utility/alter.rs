//! ALTER of everything.

use super::objects::Shape;
use crate::sql::columns::What;
use crate::sql::functions;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn alter(&mut self) -> Read<()> {
        self.skip(1);
        match (self.word(0), self.word(1)) {
            ("system", _) => return self.alter_system(),
            ("default", "privileges") => return self.alter_default_privileges(),
            ("user", "mapping") => {}
            ("role" | "user" | "group", _) => return self.role_statement(),
            ("table" | "index" | "materialized", _) if self.is_move_all() => {
                self.effects.add(Verb::Alter, Object::Database);
                self.skip_all();
                return Ok(());
            }
            ("extension", _) => return self.alter_extension(),
            ("publication", _) => {
                self.skip(1);
                self.touch(Shape::Named("publication"), Verb::Alter)?;
                return self.published();
            }
            _ => {}
        }
        let Some(shape) = self.object_shape() else {
            return Err(self.unexpected());
        };
        self.eat_all(&["if", "exists"]);
        self.touch(shape, Verb::Alter)?;
        self.unlabelled()?;
        self.scan()
    }

    /// What gives a column a name or a value that nobody labelled: `RENAME a TO b`, `RENAME TO b`, `SET
    /// SCHEMA s`, `DETACH PARTITION p`, `NO INHERIT p`, `ALTER a DROP EXPRESSION`, `ALTER a TYPE text USING b`.
    fn unlabelled(&mut self) -> Read<()> {
        let start = self.position();
        if self.eat("rename") {
            self.eat("column");
            if self.is("to") || self.word(1) != "to" && !self.is("constraint") {
                self.columns.note(What::Any);
            } else if !self.is("constraint") || self.word(1) == "to" {
                let name = self.label()?;
                self.columns.note_column(name);
            }
        }
        self.rewind(start);
        let mut using = false;
        let mut dropping = false;
        let mut depth = 0_usize;
        for token in self.tokens().get(start..).unwrap_or_default() {
            if token.is_mark("(") {
                depth = depth.saturating_add(1);
            } else if token.is_mark(")") {
                depth = depth.saturating_sub(1);
            } else if token.is_mark(",") && depth == 0 {
                using = false;
            } else if token.is("detach") || token.is("inherit") || token.is("schema") {
                self.columns.note(What::Any);
            } else if token.is("using") {
                using = true;
            } else if using && matches!(token.kind, Kind::Word | Kind::Quoted) {
                self.columns.note_column(token.text());
            }
            // What was generated from a labelled column stays as it is and depends on it no more.
            if dropping && token.is("expression") {
                self.columns.note(What::Any);
            }
            dropping = token.is("drop");
        }
        Ok(())
    }

    /// `ALTER TABLE ALL IN TABLESPACE …`.
    fn is_move_all(&self) -> bool {
        let kind = if self.word(0) == "materialized" { 2 } else { 1 };
        self.word(kind) == "all" && self.word(kind + 1) == "in"
    }

    /// `ALTER SYSTEM SET name = value`, `ALTER SYSTEM RESET ALL`.
    fn alter_system(&mut self) -> Read<()> {
        self.skip(1);
        if !self.eat_any(&["set", "reset"]) {
            return Err(self.unexpected());
        }
        let first = self.label()?;
        let name = self.setting_name_after(first)?;
        self.effects
            .add(Verb::Administer, functions::setting(&name));
        self.skip_all();
        Ok(())
    }

    /// `ALTER DEFAULT PRIVILEGES FOR ROLE r IN SCHEMA s GRANT … TO …`.
    fn alter_default_privileges(&mut self) -> Read<()> {
        self.skip(2);
        self.effects.add(Verb::Grant, Object::Database);
        loop {
            if self.eat("for") {
                self.eat_any(&["role", "user"]);
                self.list(|r| {
                    let name = r.role_name()?;
                    r.effects.add(Verb::Grant, Object::Role { name });
                    Ok(())
                })?;
            } else if self.eat_all(&["in", "schema"]) {
                self.list(|r| {
                    let name = r.column_id()?.to_owned();
                    r.effects.add(Verb::Grant, Object::Schema { name });
                    Ok(())
                })?;
            } else {
                break;
            }
        }
        if !self.is_any(&["grant", "revoke"]) {
            return Err(self.unexpected());
        }
        // The kind of objects is named, the objects are yet to be made.
        self.scan_until(|r| r.is("to") || r.is("from"))?;
        self.skip(1);
        self.list(|r| {
            r.eat("group");
            let name = r.role_name()?;
            r.effects.add(Verb::Grant, Object::Role { name });
            Ok(())
        })?;
        self.skip_all();
        Ok(())
    }

    /// `ALTER EXTENSION e UPDATE`, `ALTER EXTENSION e ADD TABLE t`.
    fn alter_extension(&mut self) -> Read<()> {
        self.skip(1);
        self.touch(Shape::Named("extension"), Verb::Alter)?;
        if self.eat_any(&["add", "drop"]) {
            let Some(shape) = self.object_shape() else {
                return Err(self.unexpected());
            };
            return self.touch(shape, Verb::Alter);
        }
        self.scan()
    }
}
