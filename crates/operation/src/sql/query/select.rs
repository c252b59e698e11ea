//! One SELECT: its items, its clauses, and which of its columns decide about rows.

use super::Start;
use crate::Verb;
use crate::sql::columns::{CHOOSING, Columns, Context, SHAPING, Span, What};
use crate::sql::keywords::is_bare_label;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Read, Reader};

/// Tokens of an item of which one can be its name; a longer one may have any.
const MAX_NAMES: usize = 1000;

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn select(&mut self) -> Read<()> {
        let notes_items = std::mem::take(&mut self.notes_items);
        let slots = std::mem::take(&mut self.columns.slots);
        let start = Start {
            names: self.columns.mark(),
            items: self.columns.items.len(),
            ..Start::default()
        };
        let distinct = self.distinct()?;
        let first = self.columns.mark();
        if !self.ends_targets() {
            let mut index = 0_usize;
            self.list(|r| {
                let names = r.columns.mark();
                let item = r.assigned(Columns::slot(slots, index), Self::target)?;
                let span = r.columns.since(names);
                r.columns.items.push(span);
                // A `*` is as many columns as there are.
                index = if r.columns.has_wildcard(span) {
                    slots.1
                } else {
                    index.saturating_add(1)
                };
                if notes_items {
                    r.items.push(item);
                    r.columns.top_items.push(span);
                }
                Ok(())
            })?;
        }
        let items = self.columns.since(first);
        if distinct {
            let group = self.columns.context.group;
            self.columns.give(items, group, SHAPING);
        }
        if self.eat("into") {
            self.select_into()?;
        }
        if self.eat("from") {
            let offered = self.columns.inner();
            let names = self.columns.mark();
            self.noting(offered, Self::tables)?;
            let from = self.columns.since(names);
            self.columns.resolve_wildcards(items, from, offered.group);
        }
        if self.eat("where") {
            self.noting(CHOOSING, Self::expression)?;
        }
        if self.eat_all(&["group", "by"]) {
            self.group_by(&start)?;
        }
        if self.eat("having") {
            self.noting(CHOOSING, Self::expression)?;
        }
        if self.eat("window") {
            self.list(|r| {
                r.column_id()?;
                r.expect("as")?;
                r.noting(CHOOSING, Self::window)
            })?;
        }
        Ok(())
    }

    /// `ALL`, `DISTINCT` or `DISTINCT ON (…)`; whether all items decide about rows.
    fn distinct(&mut self) -> Read<bool> {
        if !self.eat("distinct") {
            self.eat("all");
            return Ok(false);
        }
        if !self.eat("on") {
            return Ok(true);
        }
        let start = self.position();
        self.noting(CHOOSING, |r| r.parens(Self::expressions))?;
        // `DISTINCT ON (1)` is about an item that is still to come.
        Ok(self
            .since(start)
            .iter()
            .any(|token| token.kind == Kind::Number))
    }

    fn group_by(&mut self, start: &Start) -> Read<()> {
        self.eat_any(&["all", "distinct"]);
        if self.ends_targets() {
            let group = self.columns.context.group;
            let items = self.columns.since(start.names);
            self.columns.give(items, group, SHAPING);
            return Ok(());
        }
        self.list(|r| r.group_item(start))
    }

    /// Reads a value of a row that is assigned to a target.
    pub(in crate::sql) fn assigned<T>(
        &mut self,
        target: usize,
        rule: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let context = Context {
            target: if target > 0 {
                target
            } else {
                self.columns.context.target
            },
            ..self.columns.context
        };
        self.noting(context, rule)
    }

    /// The values of one row.
    pub(in crate::sql) fn row(&mut self, slots: (usize, usize)) -> Read<()> {
        let mut index = 0_usize;
        self.list(|r| {
            r.assigned(Columns::slot(slots, index), Self::expression)?;
            index = index.saturating_add(1);
            Ok(())
        })
    }

    pub(super) fn ends_targets(&self) -> bool {
        self.at_end()
            || self.is_mark(")")
            || self.is_any(&["into", "from", "where", "group", "having", "window"])
            || self.goes_on_as_query()
    }

    /// `target_list`, also of `RETURNING`.
    pub(in crate::sql) fn targets(&mut self) -> Read<()> {
        let context = self.columns.context;
        self.list(|r| r.noting(context, Self::target).map(drop))
    }

    /// One item; answers its value, without the label.
    fn target(&mut self) -> Read<&'t [Token<'a>]> {
        let (start, names) = (self.position(), self.columns.mark());
        if self.eat_mark("*") {
            self.columns.note(What::All);
            return Ok(self.since(start));
        }
        self.expression()?;
        let value = self.since(start);
        let span = self.columns.since(names);
        let group = self.columns.context.group;
        match self.target_label()? {
            Some(label) => {
                self.columns.outputs.insert((group, label));
                self.columns.link(label, span, group);
            }
            None => self.link_unlabelled(value, span, group),
        }
        Ok(value)
    }

    fn target_label(&mut self) -> Read<Option<&'t str>> {
        if self.eat("as") {
            return self.label().map(Some);
        }
        Ok(match self.peek() {
            Some(token)
                if token.kind == Kind::Quoted
                    || token.kind == Kind::Word
                        && !token.is("using")
                        && is_bare_label(token.text()) =>
            {
                self.skip(1);
                Some(token.text())
            }
            _ => None,
        })
    }

    /// The name of an item without a label is one of those in it, or made up. A plain column keeps its
    /// own.
    fn link_unlabelled(&mut self, value: &'t [Token<'a>], span: Span, group: usize) {
        if let [name] | [_, _, name] = value
            && matches!(name.kind, Kind::Word | Kind::Quoted)
        {
            self.columns.outputs.insert((group, name.text()));
        }
        if span.start == span.end
            || value.len() == 1
            || matches!(value, [_, dot, _] if dot.is_mark("."))
        {
            return;
        }
        if value.len() > MAX_NAMES {
            return self.columns.link_any(span, group);
        }
        let names = value
            .iter()
            .filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
        for token in names {
            self.columns.link(token.text(), span, group);
        }
        self.columns.link_made_up(span, group);
    }

    fn group_item(&mut self, start: &Start) -> Read<()> {
        if self.is_any(&["rollup", "cube"]) && self.nth_is_mark(1, "(") {
            let token = self.position() + 1;
            self.skip(1);
            self.noting(CHOOSING, Self::parenthesised)?;
            self.note_ordinals(token, start, true);
            return Ok(());
        }
        if self.eat_all(&["grouping", "sets"]) {
            return self.nested(|r| r.parens(|r| r.list(|r| r.group_item(start))));
        }
        let token = self.position();
        self.noting(CHOOSING, Self::expression)?;
        self.note_ordinals(token, start, true);
        Ok(())
    }

    fn select_into(&mut self) -> Read<()> {
        self.eat_any(&["local", "global"]);
        let temporary = self.eat_any(&["temporary", "temp"]);
        if !temporary {
            self.eat("unlogged");
        }
        self.eat("table");
        let name = self.name()?;
        let object = crate::sql::write::created(name, temporary);
        self.effects.add(Verb::Create, object);
        self.columns.into = true;
        Ok(())
    }
}
