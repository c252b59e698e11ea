//! DROP, COMMENT, SECURITY LABEL, IMPORT FOREIGN SCHEMA.

use super::objects::Shape;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn drop_statement(&mut self) -> Read<()> {
        self.skip(1);
        if self.eat_all(&["owned", "by"]) {
            self.list(|r| {
                let name = r.role_name()?;
                r.effects.add(Verb::Drop, Object::Role { name });
                Ok(())
            })?;
            self.effects.add(Verb::Drop, Object::Database);
            self.cascade(Verb::Drop);
            return Ok(());
        }
        let Some(shape) = self.object_shape() else {
            return Err(self.unexpected());
        };
        let verb = if shape == Shape::Role {
            Verb::Role
        } else {
            Verb::Drop
        };
        self.eat("concurrently");
        self.eat_all(&["if", "exists"]);
        self.list(|r| r.touch(shape, verb))?;
        if self.is("with") || self.is_mark("(") {
            // `DROP DATABASE d WITH (FORCE)`
            self.eat("with");
            self.skip_parens()?;
        }
        self.cascade(verb);
        Ok(())
    }

    /// `COMMENT ON kind object IS 'text'`.
    pub(super) fn comment(&mut self) -> Read<()> {
        self.skip(1);
        self.labelled()
    }

    /// `SECURITY LABEL FOR provider ON kind object IS 'label'`.
    pub(super) fn security_label(&mut self) -> Read<()> {
        self.skip(1);
        self.expect("label")?;
        if self.eat("for") && self.string().is_err() {
            self.non_reserved()?;
        }
        self.labelled()
    }

    fn labelled(&mut self) -> Read<()> {
        self.expect("on")?;
        let Some(shape) = self.object_shape() else {
            return Err(self.unexpected());
        };
        let verb = if shape == Shape::Role {
            Verb::Role
        } else {
            Verb::Alter
        };
        self.touch(shape, verb)?;
        self.expect("is")?;
        if self.is_kind(Kind::String) || self.is_kind(Kind::Opaque) || self.is("null") {
            self.skip(1);
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// `IMPORT FOREIGN SCHEMA remote FROM SERVER s INTO local`.
    pub(super) fn import_foreign_schema(&mut self) -> Read<()> {
        self.skip(1);
        self.expect("foreign")?;
        self.expect("schema")?;
        self.column_id()?;
        if self.eat_all(&["limit", "to"]) || self.eat("except") {
            self.skip_parens()?;
        }
        self.expect("from")?;
        self.expect("server")?;
        let server = self.column_id()?.to_owned();
        let kind = "server".to_owned();
        self.effects
            .add(Verb::Create, Object::Other { kind, name: server });
        self.expect("into")?;
        let name = self.column_id()?.to_owned();
        self.effects.add(Verb::Create, Object::Schema { name });
        if self.eat("options") {
            self.skip_parens()?;
        }
        Ok(())
    }
}
