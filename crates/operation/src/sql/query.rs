//! Queries: `SELECT`, `VALUES`, `TABLE`, set operations, common table expressions.

mod select;

use super::columns::{CHOOSING, COUNTING, SHAPING, Span};
use super::lexer::{Kind, Token};
use super::reader::{Name, Read, Reader, Unreadable};
use super::{functions, outputs};
use crate::Verb;

/// How many names can be in scope: each table is looked for among them.
const MAX_CTES: usize = 250;

/// How many `FOR UPDATE` clauses one query may have: each looks at every table of the query.
const MAX_LOCKINGS: u8 = 20;

/// How many items named by their number are looked for; more are taken for any item.
const MAX_ORDINALS: usize = 200;

/// What there was when a query began.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    sources: usize,
    names: usize,
    links: usize,
    items: usize,
}

impl<'t, 'a> Reader<'t, 'a> {
    /// Whether a query starts here (parentheses aside).
    pub(super) fn starts_query(&self) -> bool {
        self.is_any(&["select", "with", "values", "table"])
    }

    /// Whether a finished query goes on with a set operation or a clause.
    pub(super) fn goes_on_as_query(&self) -> bool {
        self.is_any(&[
            "union",
            "intersect",
            "except",
            "order",
            "limit",
            "offset",
            "fetch",
            "for",
        ])
    }

    /// `SelectStmt`, or in `WITH` a data-modifying statement too.
    pub(super) fn query(&mut self) -> Read<()> {
        self.nested(|r| r.query_at(false).map(drop))
    }

    /// The statement at the top: as `query`, and its outputs and limit are noted.
    pub(super) fn top_query(&mut self) -> Read<()> {
        if self.restricts_relations_as_pg_dump() {
            return Ok(());
        }
        let body = self.nested(|r| r.query_at(true))?;
        let tokens = self.since(body);
        self.outputs = outputs::of_query(tokens, &self.items);
        self.effects.row_limit = row_limit(tokens);
        Ok(())
    }

    /// pg_dump's `SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name =
    /// 'restrict_nonsystem_relation_kind'`, to the end. Any other name or value stays one that only the
    /// server knows: `pg_settings` may be a temporary table, and its collation may call names equal.
    fn restricts_relations_as_pg_dump(&mut self) -> bool {
        const LENGTH: usize = 16;
        let words = [
            (0, "select"),
            (1, "set_config"),
            (3, "name"),
            (9, "from"),
            (11, "where"),
            (12, "name"),
        ];
        let marks = [(2, "("), (4, ","), (6, ","), (8, ")"), (13, "=")];
        if !self.is("select") || self.word(1) != "set_config" {
            return false;
        }
        let literal = |at: usize| {
            self.nth(at)
                .filter(|token| token.kind == Kind::String)
                .map(|token| token.text())
        };
        let matches = words.iter().all(|(at, word)| self.word(*at) == *word)
            && marks.iter().all(|(at, mark)| self.nth_is_mark(*at, mark))
            && matches!(self.word(7), "true" | "false")
            && self.word(10) == "pg_settings"
            && self.nth(LENGTH - 1).is_none();
        let (true, Some(value), Some(name)) = (matches, literal(5), literal(14)) else {
            return false;
        };
        if name != "restrict_nonsystem_relation_kind"
            || !matches!(value, "view, foreign-table" | "view" | "")
        {
            return false;
        }
        self.effects.functions.insert("set_config".to_owned());
        functions::set(&mut self.effects, name, Some(value));
        let settings = Name {
            schema: None,
            name: "pg_settings",
        };
        self.effects.add(Verb::Select, settings.relation());
        self.skip_all();
        true
    }

    /// As `query`; answers where its body starts, behind `WITH`. At the top the items are noted.
    fn query_at(&mut self, top: bool) -> Read<usize> {
        let scope = self.ctes.len();
        self.with_clause()?;
        let body = self.position();
        if !self.data_modification()? {
            let start = Start {
                sources: self.sources.len(),
                names: self.columns.mark(),
                links: self.columns.link_mark(),
                items: self.columns.items.len(),
            };
            self.notes_items = top && self.is("select");
            self.query_primary()?;
            self.query_tail(&start)?;
            self.columns.items.truncate(start.items);
        }
        self.ctes.truncate(scope);
        Ok(body)
    }

    /// What can follow a query in parentheses, which began when so many names were noted.
    pub(super) fn query_rest(&mut self, names: usize) -> Read<()> {
        let start = Start {
            names,
            items: self.columns.items.len(),
            ..Start::default()
        };
        self.query_tail(&start)
    }

    fn with_clause(&mut self) -> Read<()> {
        if !self.eat("with") {
            return Ok(());
        }
        let recursive = self.eat("recursive");
        if recursive {
            // Every name is visible in every part: find them before reading on.
            let start = self.position();
            self.cte_names()?;
            self.rewind(start);
        }
        loop {
            if !recursive && self.ctes.len() >= MAX_CTES {
                return Err(Unreadable("too many common table expressions"));
            }
            let name = self.column_id()?;
            let columns = self.position();
            if self.is_mark("(") {
                self.columns.renamed.insert(name);
                self.names_in_parens()?;
            }
            self.expect("as")?;
            self.eat("not");
            self.eat("materialized");
            let (names, output) = (self.columns.mark(), self.columns.inner());
            self.noting(output, |r| r.nested(|r| r.parens(Self::query)))?;
            let body = self.columns.since(names);
            self.columns.expressions.insert((name, output.group));
            self.columns.link(name, body, output.group);
            self.link_names(columns, body, output.group);
            for made in self.noting(CHOOSING, Self::search_and_cycle)? {
                self.columns.link(made, body, output.group);
            }
            if !recursive {
                self.ctes.push(name);
            }
            if !self.eat_mark(",") {
                break;
            }
        }
        Ok(())
    }

    /// The names in the parentheses at a position, if any, stand for what flows into the group.
    pub(super) fn link_names(&mut self, position: usize, span: Span, group: usize) {
        let tokens = self.tokens().get(position..).unwrap_or_default();
        if !tokens.first().is_some_and(|token| token.is_mark("(")) {
            return;
        }
        let tokens = tokens.iter().take_while(|token| !token.is_mark(")"));
        for token in tokens.filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted)) {
            self.columns.link(token.text(), span, group);
        }
    }

    fn cte_names(&mut self) -> Read<()> {
        loop {
            let name = self.column_id()?;
            if self.ctes.len() >= MAX_CTES {
                return Err(Unreadable("too many common table expressions"));
            }
            self.ctes.push(name);
            if self.is_mark("(") {
                self.skip_parens()?;
            }
            self.expect("as")?;
            self.eat("not");
            self.eat("materialized");
            self.skip_parens()?;
            let names = self.ctes.len();
            self.search_and_cycle()?;
            self.ctes.truncate(names);
            if !self.eat_mark(",") {
                return Ok(());
            }
        }
    }

    /// Skips `( … )` whatever it holds.
    pub(super) fn skip_parens(&mut self) -> Read<()> {
        self.expect_mark("(")?;
        let mut depth = 1_u32;
        while depth > 0 {
            let Some(token) = self.peek() else {
                return Err(self.unexpected());
            };
            if token.is_mark("(") {
                depth += 1;
            } else if token.is_mark(")") {
                depth -= 1;
            }
            self.skip(1);
        }
        Ok(())
    }

    /// The columns that are made of those listed.
    fn search_and_cycle(&mut self) -> Read<Vec<&'t str>> {
        let mut made = Vec::new();
        if self.eat("search") {
            if !self.eat_any(&["depth", "breadth"]) {
                return Err(self.unexpected());
            }
            self.expect("first")?;
            self.expect("by")?;
            self.list(Self::noted_column)?;
            self.expect("set")?;
            made.push(self.column_id()?);
        }
        if self.eat("cycle") {
            self.list(Self::noted_column)?;
            self.expect("set")?;
            made.push(self.column_id()?);
            if self.eat("to") {
                self.expression()?;
                self.expect("default")?;
                self.expression()?;
            }
            self.expect("using")?;
            made.push(self.column_id()?);
        }
        Ok(made)
    }

    fn noted_column(&mut self) -> Read<()> {
        let name = self.column_id()?;
        self.columns.note_column(name);
        Ok(())
    }

    /// `SELECT …`, `VALUES …`, `TABLE …` or any of these in parentheses.
    fn query_primary(&mut self) -> Read<()> {
        if self.is_mark("(") {
            return self.nested(|r| r.parens(Self::query));
        }
        if self.eat("select") {
            return self.select();
        }
        if self.eat("values") {
            let slots = std::mem::take(&mut self.columns.slots);
            let names = self.columns.mark();
            self.list(|r| r.parens(|r| r.row(slots)))?;
            let span = self.columns.since(names);
            self.columns.link_values(span, self.columns.context.group);
            return Ok(());
        }
        if self.eat("table") {
            return self.relation();
        }
        Err(self.unexpected())
    }

    /// Set operations and the clauses after them.
    fn query_tail(&mut self, start: &Start) -> Read<()> {
        let mut lockings = 0_u8;
        let mut combined = false;
        let mut compares = false;
        let group = self.columns.context.group;
        loop {
            let union = self.is("union");
            if self.eat_any(&["union", "intersect", "except"]) {
                let all = union && self.eat("all");
                self.eat_any(&["all", "distinct"]);
                self.query_primary()?;
                combined = true;
                compares |= !all;
            } else if self.is("order") {
                let first = self.columns.items.get(start.items..).map(<[_]>::len);
                self.order_by_with(|r, token| {
                    r.note_ordinals(token, start, !combined && first > Some(0));
                })?;
            } else if self.eat("limit") {
                if !self.eat("all") {
                    self.noting(COUNTING, Self::expression)?;
                }
            } else if self.eat("offset") {
                self.noting(COUNTING, Self::expression)?;
                self.eat_any(&["row", "rows"]);
            } else if self.eat("fetch") {
                self.noting(COUNTING, Self::fetch_first)?;
            } else if self.is("for") {
                lockings += 1;
                if lockings > MAX_LOCKINGS {
                    return Err(Unreadable("too many locking clauses"));
                }
                self.locking(start.sources)?;
            } else {
                break;
            }
        }
        if combined {
            let all = self.columns.since(start.names);
            self.columns.widen_links(start.links, all, group);
            if compares {
                self.columns.give(all, group, SHAPING);
            }
        }
        Ok(())
    }

    /// `ORDER BY 1`, `GROUP BY (2, 3)`: the items these numbers stand for.
    fn note_ordinals(&mut self, token: usize, start: &Start, known: bool) {
        let tokens = self.since(token);
        let is_ordinal = |token: &Token<'_>| {
            token.kind == Kind::Number || ["(", ")", ","].iter().any(|mark| token.is_mark(mark))
        };
        if !tokens.iter().all(is_ordinal) {
            return;
        }
        let group = self.columns.context.group;
        self.columns.ordinals = self.columns.ordinals.saturating_add(1);
        let items = self.columns.items.get(start.items..).unwrap_or_default();
        let known = known && self.columns.ordinals <= MAX_ORDINALS;
        let wildcard = known && items.iter().any(|item| self.columns.has_wildcard(*item));
        let mut found = Vec::new();
        for number in tokens.iter().filter(|token| token.kind == Kind::Number) {
            let index = number.text().parse::<usize>().ok();
            let item = index.and_then(|index| items.get(index.checked_sub(1)?));
            found.push(match item {
                Some(item) if known && !wildcard => *item,
                _ => self.columns.since(start.names),
            });
        }
        for item in found {
            self.columns.give(item, group, SHAPING);
        }
    }

    /// `FIRST 10 ROWS ONLY`.
    fn fetch_first(&mut self) -> Read<()> {
        if !self.eat_any(&["first", "next"]) {
            return Err(self.unexpected());
        }
        if !self.is_any(&["row", "rows"]) {
            self.expression()?;
        }
        if !self.eat_any(&["row", "rows"]) {
            return Err(self.unexpected());
        }
        if self.eat("only") || self.eat_all(&["with", "ties"]) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// `FOR UPDATE OF t` and its kind lock the rows they return.
    fn locking(&mut self, sources: usize) -> Read<()> {
        self.expect("for")?;
        if self.eat_all(&["read", "only"]) {
            return Ok(());
        }
        let known = self.eat("update")
            || self.eat("share")
            || self.eat_all(&["no", "key", "update"])
            || self.eat_all(&["key", "share"]);
        if !known {
            return Err(self.unexpected());
        }
        let mut only = Vec::new();
        if self.eat("of") {
            self.list(|r| {
                only.push(r.name()?.name);
                Ok(())
            })?;
        }
        if !self.eat("nowait") {
            self.eat_all(&["skip", "locked"]);
        }
        let read = self.sources.get(sources..).unwrap_or_default();
        // A name of no table, or of something else as well, may stand for any of them.
        let all_known = only.iter().take(MAX_CTES).all(|name| {
            let mut named = read.iter().filter(|source| source.known_as == *name);
            named.clone().next().is_some() && named.all(|source| source.object.is_some())
        });
        for source in read {
            let wanted = only.is_empty()
                || only.len() > MAX_CTES
                || !all_known
                || only.contains(&source.known_as);
            if let Some(object) = source.object.as_ref().filter(|_| wanted) {
                self.effects.add(Verb::Lock, object.clone());
            }
        }
        Ok(())
    }

    /// `ORDER BY …`, if it comes next.
    pub(super) fn order_by(&mut self) -> Read<()> {
        self.order_by_with(|_, _| {})
    }

    /// As `order_by`; `each` is told where each expression began.
    fn order_by_with(&mut self, mut each: impl FnMut(&mut Self, usize)) -> Read<()> {
        if !self.eat("order") {
            return Ok(());
        }
        self.expect("by")?;
        self.list(|r| {
            let token = r.position();
            r.noting(CHOOSING, Self::expression)?;
            each(r, token);
            if r.eat("using") {
                if !r.eat_operator() {
                    return Err(r.unexpected());
                }
            } else {
                r.eat_any(&["asc", "desc"]);
            }
            if r.eat("nulls") && !r.eat_any(&["first", "last"]) {
                return Err(r.unexpected());
            }
            Ok(())
        })
    }
}

/// The outermost literal `LIMIT` or `FETCH FIRST` of a query.
fn row_limit(tokens: &[Token<'_>]) -> Option<u64> {
    let mut depth = 0_i64;
    let mut limit = None;
    for (index, token) in tokens.iter().enumerate() {
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth -= 1;
        }
        if depth != 0 {
            continue;
        }
        let after = |ahead: usize| tokens.get(index.saturating_add(ahead));
        let row = |ahead: usize| after(ahead).is_some_and(|t| t.is("row") || t.is("rows"));
        let only = |ahead: usize| row(ahead) && after(ahead + 1).is_some_and(|t| t.is("only"));
        // Anything but the end or another clause behind the number goes on with an expression.
        let number = |ends: bool| {
            after(if token.is("limit") { 1 } else { 2 })
                .filter(|amount| ends && amount.kind == Kind::Number)
                .and_then(|amount| amount.text().parse().ok())
        };
        if token.is("limit") {
            limit = number(after(2).is_none_or(|t| t.is("offset") || t.is("for")));
        } else if token.is("fetch") {
            limit = if only(2) { Some(1) } else { number(only(3)) };
        }
    }
    limit
}
