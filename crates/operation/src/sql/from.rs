//! The FROM clause: tables, functions and subqueries, joined in every spelling.

use super::columns::{CHOOSING, Context, SHAPING, Span, What};
use super::keywords::{Class, class};
use super::lexer::Kind;
use super::reader::{Name, Read, Reader, Source};
use crate::Verb;

/// What parentheses in FROM held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Query,
    Join,
}

impl<'t> Reader<'t, '_> {
    pub(super) fn tables(&mut self) -> Read<()> {
        self.list(Self::joined_tables)
    }

    /// A table and whatever is joined to it.
    pub(super) fn joined_tables(&mut self) -> Read<()> {
        let names = self.columns.mark();
        self.table_primary()?;
        self.joins(names)
    }

    /// `JOIN b ON …`: conditions may come late (`a JOIN b JOIN c ON … ON …`), but never more of
    /// them than joins, or the `ON` is that of `ON CONFLICT` or MERGE.
    /// What is joined was noted since `names`.
    fn joins(&mut self, names: usize) -> Read<()> {
        let mut open = 0_u32;
        let mut by_common_names = false;
        loop {
            if self.starts_join() {
                let natural = self.eat("natural");
                by_common_names |= natural;
                let cross = if self.eat_any(&["left", "right", "full"]) {
                    self.eat("outer");
                    false
                } else {
                    !self.eat("inner") && self.eat("cross")
                };
                self.expect("join")?;
                self.table_primary()?;
                open += u32::from(!natural && !cross);
            } else if open > 0 && self.eat("on") {
                self.noting(CHOOSING, Self::expression)?;
                open -= 1;
            } else if open > 0 && self.is("using") && self.nth_is_mark(1, "(") {
                self.skip(1);
                self.noting(CHOOSING, Self::columns_in_parens)?;
                if self.eat("as") {
                    let name = self.column_id()?;
                    let item = self.columns.note(What::Any);
                    let item = self.columns.since(item);
                    self.columns.alias(name, item);
                }
                open -= 1;
            } else if open > 0 {
                return Err(self.unexpected());
            } else {
                break;
            }
        }
        if by_common_names {
            let group = self.columns.context.group;
            let all = self.columns.since(names);
            self.columns.give(all, group, SHAPING);
        }
        Ok(())
    }

    fn starts_join(&self) -> bool {
        self.is_any(&["join", "natural", "cross", "inner", "left", "right", "full"])
    }

    pub(super) fn table_primary(&mut self) -> Read<()> {
        let lateral = self.eat("lateral");
        let names = self.columns.mark();
        if self.is_mark("(") {
            let output = self.columns.inner();
            let held = self.nested(|r| r.table_parens(output))?;
            let span = self.columns.since(names);
            let part = match held {
                Item::Query => self.columns.note_item(span, output.group),
                Item::Join => span,
            };
            if let Some(known_as) = self.table_alias(part)? {
                let object = None;
                self.sources.push(Source { known_as, object });
            }
            return Ok(());
        }
        if self.is("rows") && self.word(1) == "from" && self.nth_is_mark(2, "(") {
            self.skip(2);
            self.parens(|r| {
                r.list(|r| {
                    r.table_function()?;
                    if r.eat("as") {
                        r.column_definitions()?;
                    }
                    Ok(())
                })
            })?;
            return self.after_table_function(names);
        }
        let table = if self.is("xmltable") {
            Some(Self::xmltable as fn(&mut Self) -> Read<()>)
        } else {
            self.is("json_table").then_some(Self::json_table as _)
        };
        if let Some(table) = table
            && self.nth_is_mark(1, "(")
        {
            let context = Context {
                roles: self.columns.context.roles | SHAPING,
                ..self.columns.context
            };
            self.nested(|r| r.noting(context, table))?;
            return self.after_table_function(names);
        }
        if !lateral && !self.is_function_here() {
            return self.table();
        }
        self.table_function()?;
        self.after_table_function(names)
    }

    fn table(&mut self) -> Read<()> {
        let (name, known) = self.relation_name()?;
        let part = self.note_relation(name, known);
        let alias = self.table_alias(part)?;
        if known {
            self.read_table(name, alias);
        }
        if self.eat("tablesample") {
            let method = self.non_reserved()?;
            self.name_after(method)?;
            self.noting(CHOOSING, |r| {
                r.parenthesised()?;
                if r.eat("repeatable") {
                    r.parenthesised()?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Notes a table, or the name of a common table expression.
    fn note_relation(&mut self, name: Name<'t>, is_table: bool) -> Span {
        if is_table {
            return self.columns.note_table(name);
        }
        let item = self.columns.note(What::Item(name.name));
        self.columns.since(item)
    }

    /// `TABLE t` and other places where a relation is read without an alias.
    pub(super) fn relation(&mut self) -> Read<()> {
        let (name, known) = self.relation_name()?;
        let part = self.note_relation(name, known);
        self.columns.alias(name.name, part);
        if known {
            self.read_table(name, None);
        }
        Ok(())
    }

    fn read_table(&mut self, name: Name<'t>, alias: Option<&'t str>) {
        let object = name.relation();
        self.sources.push(Source {
            known_as: alias.unwrap_or(name.name),
            object: Some(object.clone()),
        });
        self.effects.add(Verb::Select, object);
    }

    /// `[ONLY] name [*]`; false if the name is a common table expression's.
    fn relation_name(&mut self) -> Read<(Name<'t>, bool)> {
        let name = self.relation_target()?;
        let is_table = name.schema.is_some() || !self.ctes.contains(&name.name);
        Ok((name, is_table))
    }

    /// `relation_expr`.
    pub(super) fn relation_target(&mut self) -> Read<Name<'t>> {
        if self.eat("only") {
            if self.eat_mark("(") {
                let name = self.name()?;
                self.expect_mark(")")?;
                return Ok(name);
            }
            return self.name();
        }
        let name = self.name()?;
        self.eat_mark("*");
        Ok(name)
    }

    /// Whether a function call stands here, not a table.
    fn is_function_here(&self) -> bool {
        let mut ahead = 0;
        while self.nth_is_mark(ahead + 1, ".") {
            ahead += 2;
        }
        if self.nth_is_mark(ahead + 1, "(") {
            return ahead > 0 || !self.is("only");
        }
        ahead == 0
            && self.is_any(&[
                "current_date",
                "current_time",
                "current_timestamp",
                "localtime",
                "localtimestamp",
                "current_role",
                "current_user",
                "user",
                "session_user",
                "system_user",
                "current_catalog",
                "current_schema",
                "cast",
                "collation",
            ])
    }

    fn table_function(&mut self) -> Read<()> {
        self.nested(Self::function_operand)
    }

    /// What a function made of the names since `names` may have any name itself.
    fn after_table_function(&mut self, names: usize) -> Read<()> {
        let span = self.columns.since(names);
        let group = self.columns.context.group;
        self.columns.link_any(span, group);
        if self.is("with") && self.word(1) == "ordinality" {
            self.skip(2);
        }
        if self.is("as") && self.nth_is_mark(1, "(") {
            self.skip(1);
            return self.column_definitions();
        }
        let part = self.columns.note_item(span, group);
        self.table_alias(part).map(drop)
    }

    /// `[AS] name [(columns)]` of what was noted as `part`, with types where a function returns records.
    pub(super) fn table_alias(&mut self, part: Span) -> Read<Option<&'t str>> {
        let named = self.eat("as");
        let here = match self.peek() {
            Some(token) if token.kind == Kind::Quoted => true,
            Some(token) if token.kind == Kind::Word => {
                matches!(class(token.text()), Class::Free | Class::Column)
                    && !(self.no_set_alias && !named && token.is("set"))
            }
            _ => false,
        };
        if !here {
            if named {
                return Err(self.unexpected());
            }
            self.columns.alias_by_own_name(part);
            return Ok(None);
        }
        let name = self.column_id()?;
        self.columns.alias(name, part);
        if self.is_mark("(") {
            self.columns.renamed.insert(name);
            self.link_names(self.position(), part, self.columns.context.group);
            self.column_definitions()?;
        }
        Ok(Some(name))
    }

    /// `(a, b)` or `(a int, b text COLLATE "C")`.
    fn column_definitions(&mut self) -> Read<()> {
        self.parens(|r| {
            r.list(|r| {
                r.column_id()?;
                if !r.is_mark(",") && !r.is_mark(")") {
                    r.type_name()?;
                    if r.eat("collate") {
                        r.name()?;
                    }
                }
                Ok(())
            })
        })
    }

    /// `( query )` or `( joined tables )`; which one shows only behind further parentheses.
    fn table_parens(&mut self, output: Context) -> Read<Item> {
        self.expect_mark("(")?;
        if self.starts_query() {
            self.noting(output, Self::query)?;
            self.expect_mark(")")?;
            return Ok(Item::Query);
        }
        if self.is_mark("(") {
            let names = self.columns.mark();
            let inner = self.nested(|r| r.table_parens(output))?;
            if inner == Item::Query && (self.is_mark(")") || self.goes_on_as_query()) {
                self.noting(output, |r| r.query_rest(names))?;
                self.expect_mark(")")?;
                return Ok(Item::Query);
            }
            let span = self.columns.since(names);
            let part = match inner {
                Item::Query => self.columns.note_item(span, output.group),
                Item::Join => span,
            };
            self.table_alias(part)?;
            self.joins(names)?;
        } else {
            self.joined_tables()?;
        }
        self.expect_mark(")")?;
        Ok(Item::Join)
    }

    fn xmltable(&mut self) -> Read<()> {
        self.effects.functions.insert("xmltable".to_owned());
        self.skip(1);
        self.expect_mark("(")?;
        if self.eat("xmlnamespaces") {
            self.parens(|r| {
                r.list(|r| {
                    r.eat("default");
                    r.expression()?;
                    if r.eat("as") {
                        r.label()?;
                    }
                    Ok(())
                })
            })?;
            self.expect_mark(",")?;
        }
        self.expression()?;
        self.expect("passing")?;
        self.passing_mechanism();
        self.expression()?;
        self.passing_mechanism();
        self.expect("columns")?;
        self.list(|r| {
            r.column_id()?;
            if r.eat_all(&["for", "ordinality"]) {
                return Ok(());
            }
            r.type_name()?;
            loop {
                if r.eat("path") || r.eat("default") {
                    r.expression()?;
                } else if !r.eat_all(&["not", "null"]) && !r.eat("null") {
                    return Ok(());
                }
            }
        })?;
        self.expect_mark(")")
    }

    fn passing_mechanism(&mut self) {
        if self.is("by") && matches!(self.word(1), "ref" | "value") {
            self.skip(2);
        }
    }

    /// `JSON_TABLE( … )`: expressions among clauses, so read as those of a SQL/JSON function are.
    fn json_table(&mut self) -> Read<()> {
        self.effects.functions.insert("json_table".to_owned());
        self.skip(1);
        self.expect_mark("(")?;
        self.expression()?;
        self.expect_mark(",")?;
        self.expression()?;
        if self.eat("as") {
            self.label()?;
        }
        if self.eat("passing") {
            self.list(|r| {
                r.expression()?;
                r.expect("as")?;
                r.label().map(drop)
            })?;
        }
        self.expect("columns")?;
        self.json_columns()?;
        self.json_clauses()?;
        self.expect_mark(")")
    }

    fn json_columns(&mut self) -> Read<()> {
        self.nested(|r| {
            r.parens(|r| {
                r.list(|r| {
                    if r.eat("nested") {
                        r.eat("path");
                        r.string()?;
                        if r.eat("as") {
                            r.label()?;
                        }
                        r.expect("columns")?;
                        return r.json_columns();
                    }
                    r.column_id()?;
                    if r.eat_all(&["for", "ordinality"]) {
                        return Ok(());
                    }
                    r.type_name()?;
                    if r.eat("format") {
                        r.json_format()?;
                    }
                    r.eat("exists");
                    if r.eat("path") {
                        r.string()?;
                    }
                    r.json_clauses()
                })
            })
        })
    }

    fn json_clauses(&mut self) -> Read<()> {
        while self.is_sql_json_clause() {
            self.sql_json_clause()?;
        }
        Ok(())
    }
}
