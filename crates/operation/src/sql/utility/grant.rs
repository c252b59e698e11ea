//! GRANT and REVOKE, of privileges and of roles.

use super::objects::Shape;
use crate::sql::functions;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn grant(&mut self) -> Read<()> {
        self.skip(1);
        let _ = self.eat_all(&["grant", "option", "for"])
            || self.eat_all(&["admin", "option", "for"])
            || self.eat_all(&["inherit", "option", "for"])
            || self.eat_all(&["set", "option", "for"]);
        let roles = self.privileges()?;
        if self.eat("on") {
            self.granted_objects()?;
        } else {
            for name in roles {
                self.grant_role(name);
            }
        }
        self.grantees()
    }

    fn grant_role(&mut self, name: String) {
        self.effects.add(Verb::Grant, Object::Role { name });
    }

    /// Privileges, or roles where `ON` does not follow.
    fn privileges(&mut self) -> Read<Vec<String>> {
        let mut names = Vec::new();
        self.list(|r| {
            names.push(r.label()?.to_owned());
            // `ALL PRIVILEGES`, `ALTER SYSTEM`
            if !r.is_any(&["on", "to", "from"]) && !r.is_mark(",") && !r.is_mark("(") {
                r.label()?;
            }
            if r.is_mark("(") {
                r.names_in_parens()?;
            }
            Ok(())
        })?;
        Ok(names)
    }

    fn granted_objects(&mut self) -> Read<()> {
        if self.eat("all") {
            let kinds = ["tables", "sequences", "functions", "procedures", "routines"];
            if !self.eat_any(&kinds) {
                return Err(self.unexpected());
            }
            self.expect("in")?;
            self.expect("schema")?;
            return self.list(|r| {
                let name = r.column_id()?.to_owned();
                r.effects.add(Verb::Grant, Object::Schema { name });
                Ok(())
            });
        }
        if self.eat("parameter") {
            return self.list(|r| {
                let name = r.setting_name()?;
                r.effects.add(Verb::Grant, functions::setting(&name));
                Ok(())
            });
        }
        let shape = if self.eat_all(&["foreign", "server"]) {
            Shape::Named("server")
        } else {
            match self.object_shape() {
                Some(shape) => shape,
                None => Shape::Relation,
            }
        };
        self.list(|r| r.touch(shape, Verb::Grant))
    }

    /// `TO a, b WITH GRANT OPTION`.
    fn grantees(&mut self) -> Read<()> {
        if !self.eat_any(&["to", "from"]) {
            return Err(self.unexpected());
        }
        self.list(|r| {
            r.eat("group");
            let name = r.role_name()?;
            r.grant_role(name);
            Ok(())
        })?;
        while self.eat("with") {
            self.list(|r| {
                r.label()?;
                r.label().map(drop)
            })?;
        }
        if self.eat_all(&["granted", "by"]) {
            self.role_name()?;
        }
        self.eat_any(&["cascade", "restrict"]);
        Ok(())
    }

    /// `RoleSpec`: a name, or a word for the current one.
    pub(super) fn role_name(&mut self) -> Read<String> {
        if self.is_any(&["current_user", "current_role", "session_user"]) {
            return self.label().map(str::to_owned);
        }
        self.non_reserved().map(str::to_owned)
    }

    /// `REASSIGN OWNED BY a TO b`.
    pub(super) fn reassign_owned(&mut self) -> Read<()> {
        self.skip(1);
        self.expect("owned")?;
        self.expect("by")?;
        self.list(|r| {
            let name = r.role_name()?;
            r.grant_role(name);
            Ok(())
        })?;
        self.expect("to")?;
        let name = self.role_name()?;
        self.grant_role(name);
        Ok(())
    }
}
