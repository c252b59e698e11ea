//! INSERT, UPDATE, DELETE and MERGE.

use super::reader::{Name, Read, Reader};
use crate::{Object, Verb};

/// The relation a statement creates; a temporary one lies in the session's own schema.
pub(super) fn created(name: Name<'_>, temporary: bool) -> Object {
    match (temporary, name.schema) {
        (true, None) => Name {
            schema: Some("pg_temp"),
            name: name.name,
        }
        .relation(),
        _ => name.relation(),
    }
}

impl<'t> Reader<'t, '_> {
    /// Reads a data-modifying statement, if one starts here.
    pub(super) fn data_modification(&mut self) -> Read<bool> {
        if self.eat("insert") {
            self.insert()?;
        } else if self.eat("update") {
            self.update()?;
        } else if self.eat("delete") {
            self.delete()?;
        } else if self.eat("merge") {
            self.merge()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn insert(&mut self) -> Read<()> {
        self.expect("into")?;
        let target = self.name()?;
        if self.eat("as") {
            self.column_id()?;
        }
        self.effects.add(Verb::Insert, target.relation());
        if self.is_mark("(") && !self.nth_is_mark(1, "(") && !self.query_in_parens() {
            self.parens(|r| r.list(Self::target_column))?;
        }
        if self.eat("overriding") {
            self.skip(1);
            self.expect("value")?;
        }
        if !self.eat_all(&["default", "values"]) {
            self.query()?;
        }
        if self.eat_all(&["on", "conflict"]) {
            self.on_conflict(target)?;
        }
        self.returning(target)
    }

    fn query_in_parens(&self) -> bool {
        matches!(self.word(1), "select" | "with" | "values" | "table")
    }

    fn on_conflict(&mut self, target: Name<'t>) -> Read<()> {
        if self.eat_all(&["on", "constraint"]) {
            self.column_id()?;
        } else if self.is_mark("(") {
            self.parens(|r| r.list(Self::index_element))?;
            if self.eat("where") {
                self.expression()?;
            }
        }
        self.expect("do")?;
        if self.eat("nothing") {
            return Ok(());
        }
        if self.eat("select") {
            // PostgreSQL 19
            return Err(self.unexpected());
        }
        self.expect("update")?;
        self.expect("set")?;
        self.effects.add(Verb::Update, target.relation());
        self.assignments()?;
        if self.eat("where") {
            self.expression()?;
        }
        Ok(())
    }

    /// `index_elem`: an expression with collation, operator class and order.
    pub(super) fn index_element(&mut self) -> Read<()> {
        self.expression()?;
        if !self.is_mark(",")
            && !self.is_mark(")")
            && !self.is_any(&["asc", "desc", "nulls", "with"])
        {
            // The operator class, with its options.
            let class = self.non_reserved()?;
            self.name_after(class)?;
            if self.is_mark("(") {
                self.skip_parens()?;
            }
        }
        self.eat_any(&["asc", "desc"]);
        if self.eat("nulls") && !self.eat_any(&["first", "last"]) {
            return Err(self.unexpected());
        }
        Ok(())
    }

    /// A column to write, perhaps a field or an element of it.
    fn target_column(&mut self) -> Read<()> {
        self.column_id()?;
        loop {
            if self.eat_mark(".") {
                self.label()?;
            } else if self.is_mark("[") {
                self.subscript()?;
            } else {
                return Ok(());
            }
        }
    }

    /// `set_clause_list`.
    fn assignments(&mut self) -> Read<()> {
        self.list(|r| {
            if r.is_mark("(") {
                r.parens(|r| r.list(Self::target_column))?;
            } else {
                r.target_column()?;
            }
            r.expect_mark("=")?;
            r.expression()
        })
    }

    fn update(&mut self) -> Read<()> {
        let target = self.relation_target()?;
        self.no_set_alias = true;
        let alias = self.table_alias();
        self.no_set_alias = false;
        alias?;
        self.effects.add(Verb::Update, target.relation());
        self.expect("set")?;
        self.assignments()?;
        if self.eat("from") {
            self.tables()?;
        }
        self.where_clause()?;
        self.returning(target)
    }

    fn delete(&mut self) -> Read<()> {
        self.expect("from")?;
        let target = self.relation_target()?;
        self.table_alias()?;
        self.effects.add(Verb::Delete, target.relation());
        if self.eat("using") {
            self.tables()?;
        }
        self.where_clause()?;
        self.returning(target)
    }

    /// The WHERE of an UPDATE or DELETE.
    fn where_clause(&mut self) -> Read<()> {
        if !self.eat("where") {
            self.effects.has_where = false;
            return Ok(());
        }
        if self.is("current") && self.word(1) == "of" {
            self.skip(3);
            return Ok(());
        }
        self.expression()
    }

    fn returning(&mut self, target: Name<'t>) -> Read<()> {
        if !self.eat("returning") {
            return Ok(());
        }
        self.effects.add(Verb::Select, target.relation());
        if self.is("with") && self.nth_is_mark(1, "(") {
            self.skip(1);
            self.parens(|r| {
                r.list(|r| {
                    if !r.eat_any(&["old", "new"]) {
                        return Err(r.unexpected());
                    }
                    r.expect("as")?;
                    r.column_id().map(drop)
                })
            })?;
        }
        self.targets()
    }

    fn merge(&mut self) -> Read<()> {
        self.expect("into")?;
        let target = self.relation_target()?;
        self.table_alias()?;
        self.effects.add(Verb::Merge, target.relation());
        self.expect("using")?;
        self.joined_tables()?;
        self.expect("on")?;
        self.expression()?;
        while self.eat("when") {
            self.merge_branch(target)?;
        }
        self.returning(target)
    }

    fn merge_branch(&mut self, target: Name<'t>) -> Read<()> {
        self.eat("not");
        self.expect("matched")?;
        if self.eat("by") && !self.eat_any(&["source", "target"]) {
            return Err(self.unexpected());
        }
        if self.eat("and") {
            self.expression()?;
        }
        self.expect("then")?;
        if self.eat("insert") {
            self.effects.add(Verb::Insert, target.relation());
            if self.is_mark("(") {
                self.parens(|r| r.list(Self::target_column))?;
            }
            if self.eat("overriding") {
                self.skip(1);
                self.expect("value")?;
            }
            if self.eat_all(&["default", "values"]) {
                return Ok(());
            }
            self.expect("values")?;
            return self.parens(Self::expressions);
        }
        if self.eat_all(&["update", "set"]) {
            self.effects.add(Verb::Update, target.relation());
            return self.assignments();
        }
        if self.eat("delete") {
            self.effects.add(Verb::Delete, target.relation());
            return Ok(());
        }
        if self.eat_all(&["do", "nothing"]) {
            return Ok(());
        }
        Err(self.unexpected())
    }
}
