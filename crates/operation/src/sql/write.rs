//! INSERT, UPDATE, DELETE and MERGE.

use super::columns::{CHOOSING, Context, Span};
use super::reader::{Name, Read, Reader};
use crate::{Object, Verb};

/// The table a statement writes to, as it was noted.
#[derive(Clone, Copy, Debug)]
struct Written {
    part: Span,
    /// What it and the tables beside it offer.
    offered: Context,
}

impl Written {
    /// The table is known as `name`, too.
    fn alias<'t>(self, reader: &mut Reader<'t, '_>, name: &'t str) {
        let outer = reader.columns.enter(self.offered);
        reader.columns.alias(name, self.part);
        reader.columns.leave(outer);
    }
}

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
        let table = self.written(target)?;
        if self.eat("as") {
            let alias = self.column_id()?;
            table.alias(self, alias);
        } else {
            table.alias(self, target.name);
        }
        self.effects.add(Verb::Insert, target.relation());
        let mut slots = (0, 0);
        if self.is_mark("(") && !self.nth_is_mark(1, "(") && !self.query_in_parens() {
            slots = self.target_columns(table)?;
        }
        self.overriding()?;
        if !self.eat_all(&["default", "values"]) {
            let stored = self.columns.stored();
            // Behind WITH or parentheses, which column a value is for is not followed.
            if self.is_any(&["values", "select"]) {
                self.columns.slots = slots;
            }
            self.noting(stored, Self::query)?;
            self.columns.slots = (0, 0);
        }
        if self.eat_all(&["on", "conflict"]) {
            self.on_conflict(target, table)?;
        }
        self.returning(target, table)
    }

    fn overriding(&mut self) -> Read<()> {
        if self.eat("overriding") {
            self.skip(1);
            self.expect("value")?;
        }
        Ok(())
    }

    /// Notes the table a statement writes to.
    fn written(&mut self, target: Name<'t>) -> Read<Written> {
        let offered = self.columns.inner();
        let part = self.noting(offered, |r| Ok(r.columns.note_table(target)))?;
        Ok(Written { part, offered })
    }

    /// `( a, b )`: the first target and how many there are.
    fn target_columns(&mut self, table: Written) -> Read<(usize, usize)> {
        let mut slots = (0, 0_usize);
        self.parens(|r| {
            r.list(|r| {
                let target = r.target_column(table)?;
                if slots.1 == 0 {
                    slots.0 = target;
                }
                slots.1 = slots.1.saturating_add(1);
                Ok(())
            })
        })?;
        Ok(slots)
    }

    fn query_in_parens(&self) -> bool {
        matches!(self.word(1), "select" | "with" | "values" | "table")
    }

    fn on_conflict(&mut self, target: Name<'t>, table: Written) -> Read<()> {
        table.alias(self, "excluded");
        if self.eat_all(&["on", "constraint"]) {
            self.column_id()?;
        } else if self.is_mark("(") {
            // Which index it is: the index itself says when a value is there already.
            let index = self.columns.inner();
            self.noting(index, |r| r.parens(|r| r.list(Self::index_element)))?;
            if self.eat("where") {
                self.noting(CHOOSING, Self::expression)?;
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
        self.assignments(table)?;
        if self.eat("where") {
            self.noting(CHOOSING, Self::expression)?;
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
    fn target_column(&mut self, table: Written) -> Read<usize> {
        let name = self.column_id()?;
        loop {
            if self.eat_mark(".") {
                self.label()?;
            } else if self.is_mark("[") {
                self.noting(CHOOSING, Self::subscript)?;
            } else {
                return Ok(self.columns.target(table.part, name));
            }
        }
    }

    /// `set_clause_list`.
    fn assignments(&mut self, table: Written) -> Read<()> {
        self.list(|r| {
            let target = if r.is_mark("(") {
                // Several at once: a constant may be for any of them.
                r.target_columns(table)?;
                0
            } else {
                r.target_column(table)?
            };
            r.expect_mark("=")?;
            let stored = Context {
                target,
                ..r.columns.stored()
            };
            r.noting(stored, Self::expression)
        })
    }

    fn update(&mut self) -> Read<()> {
        let target = self.relation_target()?;
        let table = self.written(target)?;
        self.no_set_alias = true;
        let alias = self.noting(table.offered, |r| r.table_alias(table.part));
        self.no_set_alias = false;
        alias?;
        self.effects.add(Verb::Update, target.relation());
        self.expect("set")?;
        self.assignments(table)?;
        if self.eat("from") {
            self.noting(table.offered, Self::tables)?;
        }
        self.where_clause()?;
        self.returning(target, table)
    }

    fn delete(&mut self) -> Read<()> {
        self.expect("from")?;
        let target = self.relation_target()?;
        let table = self.written(target)?;
        self.noting(table.offered, |r| r.table_alias(table.part))?;
        self.effects.add(Verb::Delete, target.relation());
        if self.eat("using") {
            self.noting(table.offered, Self::tables)?;
        }
        self.where_clause()?;
        self.returning(target, table)
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
        self.noting(CHOOSING, Self::expression)
    }

    fn returning(&mut self, target: Name<'t>, table: Written) -> Read<()> {
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
                    let alias = r.column_id()?;
                    table.alias(r, alias);
                    Ok(())
                })
            })?;
        }
        table.alias(self, "old");
        table.alias(self, "new");
        let offered = self.columns.since(table.part.start);
        let items = self.columns.mark();
        self.targets()?;
        let items = self.columns.since(items);
        self.columns
            .resolve_wildcards(items, offered, table.offered.group);
        Ok(())
    }

    fn merge(&mut self) -> Read<()> {
        self.expect("into")?;
        let target = self.relation_target()?;
        let table = self.written(target)?;
        self.noting(table.offered, |r| r.table_alias(table.part))?;
        self.effects.add(Verb::Merge, target.relation());
        self.expect("using")?;
        self.noting(table.offered, Self::joined_tables)?;
        self.expect("on")?;
        self.noting(CHOOSING, Self::expression)?;
        while self.eat("when") {
            self.merge_branch(target, table)?;
        }
        self.returning(target, table)
    }

    fn merge_branch(&mut self, target: Name<'t>, table: Written) -> Read<()> {
        self.eat("not");
        self.expect("matched")?;
        if self.eat("by") && !self.eat_any(&["source", "target"]) {
            return Err(self.unexpected());
        }
        if self.eat("and") {
            self.noting(CHOOSING, Self::expression)?;
        }
        self.expect("then")?;
        if self.eat("insert") {
            self.effects.add(Verb::Insert, target.relation());
            let slots = if self.is_mark("(") {
                self.target_columns(table)?
            } else {
                (0, 0)
            };
            self.overriding()?;
            if self.eat_all(&["default", "values"]) {
                return Ok(());
            }
            self.expect("values")?;
            let stored = self.columns.stored();
            return self.noting(stored, |r| r.parens(|r| r.row(slots)));
        }
        if self.eat_all(&["update", "set"]) {
            self.effects.add(Verb::Update, target.relation());
            return self.assignments(table);
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
