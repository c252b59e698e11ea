//! CREATE of what runs later: functions, triggers, rules, languages.

use super::Shape;
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    /// `CREATE FUNCTION`: the body is text, unless it is written out (`BEGIN ATOMIC`, `RETURN`).
    pub(super) fn create_function(&mut self) -> Read<()> {
        self.skip(1);
        let first = self.non_reserved()?;
        let name = self.name_after(first)?;
        self.effects.add(Verb::Create, name.function());
        self.scan_until(|r| r.begins_result() || r.begins_body())?;
        if self.begins_result() {
            // The type may be called `return`.
            self.skip(1);
            self.eat("setof");
            self.skip(1);
            while self.eat_mark(".") {
                self.skip(1);
            }
            self.scan_until(Self::begins_body)?;
        }
        let mut visible = false;
        while !self.at_end() {
            if self.eat("return") {
                self.expression()?;
                visible = true;
            } else if self.eat_all(&["begin", "atomic"]) {
                self.atomic_body()?;
                visible = true;
            } else if self.eat("as") {
                if self.is_kind(Kind::String) {
                    self.skip(1);
                }
            } else {
                self.skip(1);
                self.scan_until(Self::begins_body)?;
            }
        }
        self.effects.dynamic |= !visible;
        Ok(())
    }

    /// RETURNS stands right behind the parameters; elsewhere it is an option or a value.
    fn begins_result(&self) -> bool {
        self.is("returns") && self.previous().is_some_and(|token| token.is_mark(")"))
    }

    fn begins_body(&self) -> bool {
        self.is_any(&["as", "begin", "return"])
    }

    /// The statements up to `END`.
    fn atomic_body(&mut self) -> Read<()> {
        loop {
            while self.eat_mark(";") {}
            if self.eat("end") {
                return Ok(());
            }
            if self.eat("return") {
                self.expression()?;
            } else if self.starts_query() || self.is_mark("(") {
                self.query()?;
            } else if !self.data_modification()? {
                self.utility()?;
            }
            if !self.is("end") {
                self.expect_mark(";")?;
            }
        }
    }

    /// `CREATE TRIGGER t AFTER INSERT ON table EXECUTE FUNCTION f()`.
    pub(super) fn create_trigger(&mut self) -> Read<()> {
        self.eat("constraint");
        self.expect("trigger")?;
        let name = self.column_id()?.to_owned();
        let kind = "trigger".to_owned();
        self.effects.add(Verb::Create, Object::Other { kind, name });
        while !self.is("on") {
            if self.at_end() {
                return Err(self.unexpected());
            }
            self.skip(1);
        }
        self.skip(1);
        let table = self.name()?;
        self.effects.add(Verb::Alter, table.relation());
        if self.eat("from") {
            let other = self.name()?;
            self.effects.add(Verb::Select, other.relation());
        }
        self.scan()
    }

    /// `CREATE RULE r AS ON INSERT TO t DO …`: the commands count as if they ran now.
    pub(super) fn create_rule(&mut self) -> Read<()> {
        self.skip(1);
        let first = self.column_id()?;
        let rule = self.name_after(first)?.other("rule");
        self.effects.add(Verb::Create, rule);
        self.expect("as")?;
        self.expect("on")?;
        if !self.eat_any(&["select", "insert", "update", "delete"]) {
            return Err(self.unexpected());
        }
        self.expect("to")?;
        let table = self.name()?;
        self.effects.add(Verb::Alter, table.relation());
        if self.eat("where") {
            self.expression()?;
        }
        self.expect("do")?;
        self.eat_any(&["instead", "also"]);
        if self.eat("nothing") {
            return Ok(());
        }
        let queries_in_parens = self.is_mark("(")
            && matches!(
                self.word(1),
                "insert" | "update" | "delete" | "notify" | "select" | "with" | "values"
            );
        if !queries_in_parens {
            return self.rule_command();
        }
        self.expect_mark("(")?;
        loop {
            while self.eat_mark(";") {}
            if self.eat_mark(")") {
                break;
            }
            self.rule_command()?;
            if !self.is_mark(")") {
                self.expect_mark(";")?;
            }
        }
        // `DO INSTEAD (SELECT …) UNION …`
        if self.goes_on_as_query() {
            self.query_rest(0)?;
        }
        Ok(())
    }

    fn rule_command(&mut self) -> Read<()> {
        if self.starts_query() || self.is_mark("(") {
            return self.query();
        }
        if self.data_modification()? {
            return Ok(());
        }
        if self.is("notify") {
            self.utility()?;
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// `CREATE LANGUAGE l HANDLER f`.
    pub(super) fn create_language(&mut self) -> Read<()> {
        self.eat("trusted");
        self.eat("procedural");
        self.expect("language")?;
        self.touch(Shape::Named("language"), Verb::Create)?;
        self.scan()
    }
}
