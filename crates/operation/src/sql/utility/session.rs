//! Settings of the session: SET in its many spellings, RESET, SHOW, DISCARD.

use crate::sql::functions;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::sql::{Kept, Named, Outputs};
use crate::{Object, Verb};

impl<'t> Reader<'t, '_> {
    pub(super) fn set_statement(&mut self) -> Read<Verb> {
        self.skip(1);
        if self.is("constraints") && !self.is_assignment(1) {
            return self.set_constraints();
        }
        // `session` and `local` could also be the start of a name with a dot.
        if self.are(&["session", "characteristics"]) {
            return self.session_characteristics();
        }
        if self.is("session") && self.word(1) == "authorization" {
            self.session_authorization()?;
            return Ok(Verb::SetRole);
        }
        if self.is_any(&["session", "local"]) && !self.is_assignment(1) {
            self.skip(1);
        }
        if self.is("session") && self.word(1) == "authorization" {
            self.session_authorization()?;
            return Ok(Verb::SetRole);
        }
        if self.is("transaction") && !self.is_assignment(1) {
            return self.set_transaction();
        }
        self.set_rest()?;
        Ok(Verb::Set)
    }

    fn is_assignment(&self, ahead: usize) -> bool {
        self.nth_is_mark(ahead, "=") || self.nth_is_mark(ahead, ".") || self.word(ahead) == "to"
    }

    /// What follows `SET [SESSION|LOCAL]`, also in ALTER ROLE, ALTER DATABASE and CREATE FUNCTION.
    pub(super) fn set_rest(&mut self) -> Read<()> {
        if !self.is_assignment(1) && self.special_set()? {
            return Ok(());
        }
        let name = self.setting_name()?;
        if self.eat_all(&["from", "current"]) {
            functions::set(&mut self.effects, &name, None);
            return Ok(());
        }
        if !self.eat_mark("=") {
            self.expect("to")?;
        }
        let value = self.setting_value()?;
        functions::set(&mut self.effects, &name, value);
        Ok(())
    }

    /// `SET TIME ZONE …`, `SET ROLE …` and so on.
    fn special_set(&mut self) -> Read<bool> {
        match self.word(0) {
            "time" if self.word(1) == "zone" => {
                self.skip(2);
                self.time_zone_value()?;
                functions::set(&mut self.effects, "timezone", None);
            }
            "names" => {
                self.skip(1);
                if self.is_kind(Kind::String) || self.is("default") {
                    self.skip(1);
                }
                functions::set(&mut self.effects, "client_encoding", None);
            }
            "schema" => {
                self.skip(1);
                self.string()?;
                functions::set(&mut self.effects, "search_path", None);
            }
            "role" => {
                self.skip(1);
                let role = self.setting_value()?;
                functions::set(&mut self.effects, "role", role);
            }
            "session" if self.word(1) == "authorization" => self.session_authorization()?,
            "xml" if self.word(1) == "option" => {
                self.skip(2);
                if !self.eat_any(&["document", "content"]) {
                    return Err(self.unexpected());
                }
                functions::set(&mut self.effects, "xmloption", None);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn time_zone_value(&mut self) -> Read<()> {
        if self.eat("interval") {
            if self.is_mark("(") {
                self.skip_parens()?;
            }
            self.string()?;
            return self.interval_fields();
        }
        self.setting_value().map(drop)
    }

    fn session_authorization(&mut self) -> Read<()> {
        self.skip(2);
        let role = self.setting_value()?;
        functions::set(&mut self.effects, "session_authorization", role);
        Ok(())
    }

    /// `name`, `extension.name` and longer.
    pub(super) fn setting_name(&mut self) -> Read<String> {
        let first = self.column_id()?;
        self.setting_name_after(first)
    }

    /// The name that begins with `first`, of any number of parts.
    pub(super) fn setting_name_after(&mut self, first: &str) -> Read<String> {
        let mut name = first.to_owned();
        while self.eat_mark(".") {
            name.push('.');
            name.push_str(self.label()?);
        }
        Ok(name)
    }

    /// A list of words, strings and numbers; the value if it is just one word or string.
    fn setting_value(&mut self) -> Read<Option<&'t str>> {
        let mut count = 0;
        let mut value = None;
        self.list(|r| {
            count += 1;
            if r.is_mark("-") || r.is_mark("+") {
                r.skip(1);
                if !r.is_kind(Kind::Number) {
                    return Err(r.unexpected());
                }
            }
            value = match r.peek() {
                Some(token) if token.kind == Kind::Number => None,
                Some(token) if matches!(token.kind, Kind::String | Kind::Word | Kind::Quoted) => {
                    Some(token.text())
                }
                _ => return Err(r.unexpected()),
            };
            r.skip(1);
            Ok(())
        })?;
        Ok(value.filter(|_| count == 1))
    }

    /// `SET SESSION CHARACTERISTICS AS TRANSACTION …`.
    fn session_characteristics(&mut self) -> Read<Verb> {
        self.skip(2);
        self.expect("as")?;
        self.expect("transaction")?;
        self.transaction_modes()?;
        for name in [
            "default_transaction_deferrable",
            "default_transaction_isolation",
            "default_transaction_read_only",
        ] {
            functions::set(&mut self.effects, name, None);
        }
        Ok(Verb::Set)
    }

    pub(super) fn reset(&mut self) -> Read<()> {
        self.skip(1);
        self.reset_rest()
    }

    /// What follows RESET.
    pub(super) fn reset_rest(&mut self) -> Read<()> {
        if self.eat("all") {
            self.effects.add(Verb::Set, functions::setting("all"));
        } else if let Some(name) = self.spelled_setting() {
            functions::set(&mut self.effects, name, None);
        } else {
            let name = self.setting_name()?;
            functions::set(&mut self.effects, &name, None);
        }
        Ok(())
    }

    /// The settings that RESET and SHOW call by several words.
    fn spelled_setting(&mut self) -> Option<&'static str> {
        let found = if self.eat_all(&["time", "zone"]) {
            "timezone"
        } else if self.eat_all(&["transaction", "isolation", "level"]) {
            "transaction_isolation"
        } else if self.eat_all(&["session", "authorization"]) {
            "session_authorization"
        } else {
            return None;
        };
        Some(found)
    }

    pub(super) fn show(&mut self) -> Read<()> {
        self.skip(1);
        let (name, columns) = if self.eat("all") {
            ("all".to_owned(), 3)
        } else if let Some(name) = self.spelled_setting() {
            (name.to_owned(), 1)
        } else {
            (self.setting_name()?, 1)
        };
        self.effects.add(Verb::Show, functions::setting(&name));
        self.outputs = Outputs::Clean(vec![true; columns]);
        Ok(())
    }

    /// `DISCARD ALL` and its parts. It returns to the role of the login, which Ostiary chose
    /// itself, so it does not count as a change of role.
    pub(super) fn discard(&mut self) -> Read<Verb> {
        self.skip(1);
        if self.eat("all") {
            self.effects.add(Verb::Set, functions::setting("all"));
            self.named = Some(Named::Forget {
                what: Kept::All,
                name: None,
            });
        } else if !self.eat_any(&["plans", "sequences", "temp", "temporary"]) {
            return Err(self.unexpected());
        }
        self.effects.add(Verb::Transaction, Object::Database);
        Ok(Verb::Transaction)
    }
}
