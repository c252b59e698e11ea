//! CREATE of everything.

mod code;

use super::objects::Shape;
use crate::sql::columns::What;
use crate::sql::reader::{Read, Reader};
use crate::sql::write::created;
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn create(&mut self) -> Read<()> {
        self.nested(Self::create_rest)
    }

    fn create_rest(&mut self) -> Read<()> {
        self.skip(1);
        self.eat_all(&["or", "replace"]);
        self.eat_any(&["local", "global"]);
        let temporary = self.eat_any(&["temporary", "temp"]);
        if !temporary {
            self.eat("unlogged");
        }
        match (self.word(0), self.word(1)) {
            ("table", _) => self.create_table(temporary),
            ("foreign", "table") => {
                self.skip(1);
                self.create_table(temporary)
            }
            ("view" | "recursive", _) | ("materialized", "view") => self.create_view(temporary),
            ("sequence", _) => {
                self.skip(1);
                self.eat_all(&["if", "not", "exists"]);
                let name = self.name()?;
                self.effects.add(Verb::Create, created(name, temporary));
                self.scan()
            }
            ("unique" | "index", _) => self.create_index(),
            ("function" | "procedure", _) => self.create_function(),
            ("trigger" | "constraint", _) => self.create_trigger(),
            ("trusted" | "language", _) | ("procedural", "language") => self.create_language(),
            ("rule", _) => self.create_rule(),
            ("schema", _) => self.create_schema(),
            ("user", "mapping") => {
                self.skip(2);
                self.eat_all(&["if", "not", "exists"]);
                self.touch(Shape::UserMapping, Verb::Create)?;
                self.scan()
            }
            ("role" | "user" | "group", _) => self.role_statement(),
            ("policy", _) => {
                self.skip(1);
                self.touch(Shape::OnTable("policy"), Verb::Create)?;
                self.scan()
            }
            ("statistics", _) => self.create_statistics(),
            ("publication", _) => {
                self.skip(1);
                self.touch(Shape::Named("publication"), Verb::Create)?;
                self.published()
            }
            ("operator", "class" | "family") => {
                self.skip(2);
                let first = self.non_reserved()?;
                let name = self.name_after(first)?.other("operator class");
                self.effects.add(Verb::Create, name);
                self.scan()
            }
            ("operator", _) => {
                self.skip(1);
                let operator = self.operator_object()?;
                self.effects.add(Verb::Create, operator);
                self.scan()
            }
            ("default", "conversion") => {
                self.skip(2);
                self.touch(Shape::Named("conversion"), Verb::Create)?;
                self.scan()
            }
            _ => self.create_other(),
        }
    }

    /// Kinds whose definition has no effect of its own.
    fn create_other(&mut self) -> Read<()> {
        let Some(shape) = self.object_shape() else {
            return Err(self.unexpected());
        };
        self.eat_all(&["if", "not", "exists"]);
        self.touch(shape, Verb::Create)?;
        self.scan()
    }

    /// `CREATE TABLE`, with columns, as a partition, of a type or from a query.
    fn create_table(&mut self, temporary: bool) -> Read<()> {
        self.skip(1);
        self.eat_all(&["if", "not", "exists"]);
        let name = self.name()?;
        self.effects.add(Verb::Create, created(name, temporary));
        self.scan_until(|r| r.is("as"))?;
        if self.eat("as") {
            self.create_as()?;
        }
        Ok(())
    }

    /// The query that fills a table or a materialized view.
    fn create_as(&mut self) -> Read<()> {
        if self.is("execute") {
            self.execute_rest()?;
        } else {
            self.stored_query()?;
        }
        self.with_data();
        Ok(())
    }

    fn stored_query(&mut self) -> Read<()> {
        let stored = self.columns.stored();
        self.noting(stored, Self::query)
    }

    /// Views of every kind: what they read counts as read by who defines them.
    fn create_view(&mut self, temporary: bool) -> Read<()> {
        let materialized = self.eat("materialized");
        let recursive = self.eat("recursive");
        self.expect("view")?;
        self.eat_all(&["if", "not", "exists"]);
        let name = self.name()?;
        self.effects.add(Verb::Create, created(name, temporary));
        self.scan_until(|r| r.is("as"))?;
        self.expect("as")?;
        if materialized {
            return self.create_as();
        }
        if recursive {
            self.ctes.push(name.name);
        }
        self.stored_query()?;
        if recursive {
            self.ctes.pop();
        }
        if self.eat("with") {
            self.eat_any(&["cascaded", "local"]);
            self.expect("check")?;
            self.expect("option")?;
        }
        Ok(())
    }

    fn create_index(&mut self) -> Read<()> {
        self.eat("unique");
        self.expect("index")?;
        self.eat("concurrently");
        self.eat_all(&["if", "not", "exists"]);
        let index = if self.is("on") {
            None
        } else {
            Some(self.name()?.relation())
        };
        self.expect("on")?;
        let table = self.relation_target()?;
        let unnamed = || Object::Other {
            kind: "index on".to_owned(),
            name: table.dotted(),
        };
        self.effects
            .add(Verb::Create, index.unwrap_or_else(unnamed));
        self.effects.add(Verb::Alter, table.relation());
        if self.eat("using") {
            self.column_id()?;
        }
        // The values stay with the table.
        let index = self.columns.inner();
        self.noting(index, |r| r.parens(|r| r.list(Self::index_element)))?;
        self.scan()
    }

    fn create_statistics(&mut self) -> Read<()> {
        self.skip(1);
        self.eat_all(&["if", "not", "exists"]);
        if self.is("on") || self.is_mark("(") {
            self.effects.add(Verb::Create, Object::Database);
        } else {
            self.touch(Shape::Named("statistics"), Verb::Create)?;
        }
        if self.is_mark("(") {
            self.names_in_parens()?;
        }
        self.expect("on")?;
        self.expressions()?;
        self.expect("from")?;
        self.table_names(Verb::Alter)
    }

    /// A list of tables without aliases.
    fn table_names(&mut self, verb: Verb) -> Read<()> {
        self.list(|r| {
            let name = r.relation_target()?;
            r.effects.add(verb, name.relation());
            Ok(())
        })
    }

    fn create_schema(&mut self) -> Read<()> {
        self.skip(1);
        self.eat_all(&["if", "not", "exists"]);
        let named = !self.is("authorization");
        if named {
            let name = self.column_id()?.to_owned();
            self.effects.add(Verb::Create, Object::Schema { name });
        }
        if self.eat("authorization") {
            let name = self.role_name()?;
            if !named {
                let name = name.clone();
                self.effects.add(Verb::Create, Object::Schema { name });
            }
            self.effects.add(Verb::Grant, Object::Role { name });
        }
        // Objects created along with the schema.
        while self.is_any(&["create", "grant"]) {
            if self.is("grant") {
                self.grant()?;
            } else {
                let start = self.position();
                self.skip(1);
                while !self.at_end() && !self.is_any(&["create", "grant"]) {
                    if self.is_mark("(") {
                        self.skip_parens()?;
                    } else {
                        self.skip(1);
                    }
                }
                let end = self.position();
                self.rewind(start);
                self.element(end)?;
            }
        }
        Ok(())
    }

    /// One CREATE among others, which ends at `end`.
    fn element(&mut self, end: usize) -> Read<()> {
        let start = self.position();
        self.rewind(end);
        let tokens = self.since(start);
        let mut inner = Reader::new(tokens);
        inner.create()?;
        if !inner.at_end() {
            return Err(inner.unexpected());
        }
        if !inner.columns.roles().is_empty() {
            self.columns.note(What::Any);
        }
        self.effects.merge(inner.effects);
        Ok(())
    }

    /// `CREATE ROLE`, `ALTER ROLE`, with the roles they become members of.
    pub(super) fn role_statement(&mut self) -> Read<()> {
        self.skip(1);
        let name = if self.is("all") {
            self.label()?.to_owned()
        } else {
            self.role_name()?
        };
        self.effects.add(Verb::Role, Object::Role { name });
        if self.eat_all(&["in", "database"]) {
            self.column_id()?;
        }
        while let Some(token) = self.peek() {
            if token.is("role") || token.is("user") || token.is("admin") || token.is("group") {
                self.skip(1);
                self.list(|r| {
                    let name = r.role_name()?;
                    r.effects.add(Verb::Role, Object::Role { name });
                    Ok(())
                })?;
            } else if token.is("set") || token.is("reset") {
                // A setting of the role's later sessions; its value is words of any kind.
                self.skip_all();
            } else {
                self.skip(1);
            }
        }
        Ok(())
    }

    /// What a publication sends out counts as read.
    pub(super) fn published(&mut self) -> Read<()> {
        while !self.at_end() {
            if self.eat_all(&["all", "tables"]) || self.eat_all(&["all", "sequences"]) {
                self.effects.add(Verb::Select, Object::Database);
            } else if self.is("table") || self.are(&["tables", "in", "schema"]) {
                self.published_objects()?;
            } else if self.eat_all(&["owner", "to"]) {
                let name = self.role_name()?;
                self.effects.add(Verb::Grant, Object::Role { name });
            } else if self.is("set") && self.nth_is_mark(1, "(") {
                self.skip(1);
                self.skip_parens()?;
            } else if self.is_mark("(") {
                self.skip_parens()?;
            } else {
                self.skip(1);
            }
        }
        Ok(())
    }

    /// `TABLE a, b (c) WHERE (d), TABLES IN SCHEMA e, f`: each kind goes on until another is named.
    fn published_objects(&mut self) -> Read<()> {
        let mut schemas = false;
        self.list(|r| {
            if r.eat("table") {
                schemas = false;
            } else if r.eat_all(&["tables", "in", "schema"]) {
                schemas = true;
            }
            if schemas {
                let current = r.is("current_schema");
                let name = r.label()?.to_owned();
                let object = if current {
                    Object::Database
                } else {
                    Object::Schema { name }
                };
                r.effects.add(Verb::Select, object);
                return Ok(());
            }
            let name = r.relation_target()?;
            r.effects.add(Verb::Select, name.relation());
            if r.is_mark("(") {
                r.names_in_parens()?;
            }
            if r.eat("where") {
                r.parenthesised()?;
            }
            Ok(())
        })
    }
}
