//! Which columns a statement names, and in which role.
//!
//! There is no tree: each name is noted where it is read, with the roles its place gives it. What may
//! stand for something else under another name (aliases, labels, common table expressions, `*`) is a
//! *link*; `flow` follows these once the statement is read. Scopes are not told apart: a label links
//! wherever it is used, which may give a column a role too many.
//!
//! A value flows into a *group*: the output of one query, or what one FROM clause offers.

mod flow;
mod frame;
mod places;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use frame::Frame;
use places::Constant;

use super::reader::Name;

/// The column decides about rows, order or errors.
pub(super) const SHAPING: u8 = 1;
/// The value goes where it can be read again.
pub(super) const MOVED: u8 = 2;

/// The group of values that flow nowhere else.
pub(super) const NOWHERE: usize = usize::MAX;

/// What a name noted now has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) roles: u8,
    /// What its value becomes part of.
    pub(super) group: usize,
    /// The column it is assigned to: one more than its index in `targets`.
    pub(super) target: usize,
    /// Constants here meet no column.
    pub(super) apart: bool,
}

/// Where values are used to choose rows.
pub(super) const CHOOSING: Context = Context {
    roles: SHAPING,
    group: NOWHERE,
    target: 0,
    apart: false,
};

/// Where a number of rows stands.
pub(super) const COUNTING: Context = Context {
    apart: true,
    ..CHOOSING
};

/// Where both may happen: definitions, calls.
pub(super) const DEFINING: Context = Context {
    roles: SHAPING | MOVED,
    group: NOWHERE,
    target: 0,
    apart: false,
};

/// What was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What<'t> {
    /// `a`, `t.a`: a column, or a whole row under the name of its table.
    Column {
        qualifier: Option<&'t str>,
        name: &'t str,
    },
    /// `t.*`.
    AllOf(&'t str),
    /// `*`: everything its FROM clause offers.
    All,
    /// Every column of a table, by its index.
    Table(usize),
    /// A part of FROM that is no table: links say what it holds.
    Item(&'t str),
    /// Anything.
    Any,
}

#[derive(Clone, Copy, Debug)]
struct Noted<'t> {
    what: What<'t>,
    roles: u8,
    group: usize,
    target: usize,
    /// The link it stands for, one more than its index.
    link: usize,
}

/// What a link goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label<'t> {
    Name(&'t str),
    /// The name of a part of FROM.
    Alias(&'t str, Option<usize>),
    /// `column1` and so on.
    Values,
    /// Names the server makes up: `?column?`, `int4`.
    MadeUp,
    /// Any name.
    Any,
    /// No name; see [`Noted::link`].
    None,
}

/// Whoever uses the label uses those of the noted names that flow into the group.
#[derive(Clone, Copy, Debug)]
struct Link<'t> {
    label: Label<'t>,
    span: Span,
    group: usize,
}

/// What a name stands for, beside a column.
#[derive(Debug, Default)]
struct Meaning {
    links: Vec<usize>,
    tables: Vec<usize>,
    /// A part of FROM that is no table.
    other: bool,
}

/// Noted names, from one index to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Everything noted so far.
#[derive(Debug)]
pub(super) struct Columns<'t> {
    pub(super) context: Context,
    noted: Vec<Noted<'t>>,
    links: Vec<Link<'t>>,
    tables: Vec<Name<'t>>,
    targets: Vec<(usize, &'t str)>,
    groups: usize,
    frame: Frame,
    /// What was given last: giving it again changes nothing.
    given: Option<(Span, usize, u8)>,
    constants: Vec<Constant>,
    /// What names stand for; filled once the statement is read.
    names: BTreeMap<&'t str, Meaning>,
    /// The items of the SELECTs that are being read.
    pub(super) items: Vec<Span>,
    /// Items named by their number so far.
    pub(super) ordinals: usize,
    /// Those of the first SELECT of the query at the top.
    pub(super) top_items: Vec<Span>,
    /// Names of output columns that are sure, with the group they flow into.
    pub(super) outputs: BTreeSet<(usize, &'t str)>,
    /// Common table expressions, with the group their output flows into.
    pub(super) expressions: BTreeSet<(&'t str, usize)>,
    /// Parts of FROM and common table expressions whose columns have been given other names.
    pub(super) renamed: BTreeSet<&'t str>,
    /// The columns the rows that come next are for: the first target and how many.
    pub(super) slots: (usize, usize),
    /// What the query at the top returns is stored.
    pub(super) into: bool,
}

impl<'t> Columns<'t> {
    pub(super) fn new() -> Self {
        Self {
            context: DEFINING,
            noted: Vec::with_capacity(16),
            links: Vec::new(),
            tables: Vec::new(),
            targets: Vec::new(),
            groups: 0,
            frame: Frame::default(),
            constants: Vec::new(),
            names: BTreeMap::new(),
            items: Vec::new(),
            ordinals: 0,
            top_items: Vec::new(),
            given: None,
            outputs: BTreeSet::new(),
            expressions: BTreeSet::new(),
            renamed: BTreeSet::new(),
            slots: (0, 0),
            into: false,
        }
    }

    /// What the client gets.
    pub(super) fn returning() -> Context {
        Context {
            roles: 0,
            group: 0,
            target: 0,
            apart: false,
        }
    }

    /// The output of a query inside, or what a FROM clause offers.
    pub(super) fn inner(&mut self) -> Context {
        self.groups += 1;
        Context {
            roles: 0,
            group: self.groups,
            target: 0,
            apart: false,
        }
    }

    /// What is stored.
    pub(super) fn stored(&mut self) -> Context {
        Context {
            roles: MOVED,
            ..self.inner()
        }
    }

    pub(super) fn mark(&self) -> usize {
        self.noted.len()
    }

    /// The names noted since `start`.
    pub(super) fn since(&self, start: usize) -> Span {
        Span {
            start,
            end: self.noted.len(),
        }
    }

    /// Notes a name in the current context; returns its index.
    pub(super) fn note(&mut self, what: What<'t>) -> usize {
        self.noted.push(Noted {
            what,
            roles: self.context.roles,
            group: self.context.group,
            target: self.context.target,
            link: 0,
        });
        self.noted.len() - 1
    }

    pub(super) fn note_column(&mut self, name: &'t str) {
        self.note(What::Column {
            qualifier: None,
            name,
        });
    }

    /// Notes a table of the current FROM clause.
    pub(super) fn note_table(&mut self, table: Name<'t>) -> Span {
        self.tables.push(table);
        let start = self.note(What::Table(self.tables.len() - 1));
        self.since(start)
    }

    /// Gives roles to what flows into the group, of the names in the span.
    pub(super) fn give(&mut self, span: Span, group: usize, roles: u8) {
        if self.given.replace((span, group, roles)) == Some((span, group, roles)) {
            return;
        }
        for noted in self.noted.get_mut(span.start..span.end).unwrap_or_default() {
            if noted.group == group {
                noted.roles |= roles;
            }
        }
    }

    /// Whether one of the names stands for several columns.
    pub(super) fn has_wildcard(&self, span: Span) -> bool {
        let noted = self.noted.get(span.start..span.end).unwrap_or_default();
        noted
            .iter()
            .any(|noted| matches!(noted.what, What::All | What::AllOf(_)))
    }

    /// `name` may stand for what flows into the group, of the names in the span.
    pub(super) fn link(&mut self, name: &'t str, span: Span, group: usize) {
        self.push_link(Label::Name(name), span, group);
    }

    /// Values of rows without names.
    pub(super) fn link_values(&mut self, span: Span, group: usize) {
        self.push_link(Label::Values, span, group);
    }

    /// What the server gives a name of its own.
    pub(super) fn link_made_up(&mut self, span: Span, group: usize) {
        self.push_link(Label::MadeUp, span, group);
    }

    /// What may have any name.
    pub(super) fn link_any(&mut self, span: Span, group: usize) {
        self.push_link(Label::Any, span, group);
    }

    /// A part of FROM is known as `name`; `span` is the table, or what stands for the part.
    pub(super) fn alias(&mut self, name: &'t str, span: Span) {
        let table = match self.noted.get(span.start).map(|noted| noted.what) {
            Some(What::Table(table)) if span.end == span.start + 1 => Some(table),
            _ => None,
        };
        self.push_link(Label::Alias(name, table), span, self.context.group);
    }

    /// A part of FROM without an alias: a table, or a common table expression.
    pub(super) fn alias_by_own_name(&mut self, part: Span) {
        match self.noted.get(part.start).map(|noted| noted.what) {
            Some(What::Table(table)) if part.end == part.start + 1 => {
                if let Some(table) = self.tables.get(table) {
                    self.alias(table.name, part);
                }
            }
            // Its own name is the label it goes by already; here it names a part of FROM.
            Some(What::Item(name)) if !name.is_empty() => self.alias(name, part),
            _ => {}
        }
    }

    /// Notes a part of FROM that holds what flows into the group.
    pub(super) fn note_item(&mut self, span: Span, group: usize) -> Span {
        let start = self.note(What::Item(""));
        self.stand_for(start, span, group);
        self.since(start)
    }

    /// The `*` among the names stand for what the FROM clause offers.
    pub(super) fn resolve_wildcards(&mut self, among: Span, from: Span, group: usize) {
        for index in among.start..among.end {
            let open = self
                .noted
                .get(index)
                .is_some_and(|noted| noted.what == What::All && noted.link == 0);
            if open {
                self.stand_for(index, from, group);
            }
        }
    }

    fn stand_for(&mut self, index: usize, span: Span, group: usize) {
        self.push_link(Label::None, span, group);
        let link = self.links.len();
        if let Some(noted) = self.noted.get_mut(index) {
            noted.link = link;
        }
    }

    fn push_link(&mut self, label: Label<'t>, span: Span, group: usize) {
        if span.start < span.end {
            self.links.push(Link { label, span, group });
        }
    }

    pub(super) fn link_mark(&self) -> usize {
        self.links.len()
    }

    /// The names of one query's output stand for what other queries put there, too.
    pub(super) fn widen_links(&mut self, since: usize, span: Span, group: usize) {
        for link in self.links.get_mut(since..).unwrap_or_default() {
            let of_output = matches!(link.label, Label::Name(_) | Label::MadeUp | Label::Values);
            if of_output && link.group == group {
                link.span = span;
            }
        }
    }

    /// A column that can be assigned to; the table is one noted before.
    pub(super) fn target(&mut self, table: Span, column: &'t str) -> usize {
        let table = match self.noted.get(table.start).map(|noted| noted.what) {
            Some(What::Table(table)) => table,
            _ => usize::MAX,
        };
        self.targets.push((table, column));
        self.targets.len()
    }

    /// The target of the value at `index` of a row.
    pub(super) fn slot(slots: (usize, usize), index: usize) -> usize {
        if index < slots.1 { slots.0 + index } else { 0 }
    }
}
