//! Following the links: who uses a name uses what it stands for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Columns, Label, MOVED, Noted, SHAPING, Span, What};
use crate::sql::functions;
use crate::{Mention, Move, Roles};

/// Names of output columns that the server makes up, or spells otherwise than the statement does.
#[rustfmt::skip]
const MADE_UP: [&str; 25] = [
    "?column?", "array", "bool", "bpchar", "btrim", "case", "coalesce", "exists", "float4",
    "float8", "int2", "int4", "int8", "interval", "is_normalized", "ltrim", "numeric", "overlaps",
    "pg_collation_for", "row", "rtrim", "timetz", "timestamptz", "timezone", "varbit",
];

/// Tables one name may stand for; of more it may stand for any.
pub(super) const MAX_TABLES: usize = 16;

/// Functions of any row: `u.to_json` is `to_json(u)`.
#[rustfmt::skip]
const OF_ROWS: [&str; 17] = [
    "concat", "format", "hash_record", "hash_record_extended", "json_build_array",
    "jsonb_build_array", "num_nonnulls", "num_nulls", "pg_column_size", "quote_literal",
    "quote_nullable", "record_out", "record_send", "row_to_json", "text", "to_json", "to_jsonb",
];

/// Links by what they go by, where that is no plain name.
pub(super) struct ByLabel {
    values: Vec<usize>,
    made_up: Vec<usize>,
    any: Vec<usize>,
}

/// Where links are found. Many names lead to the same ones: each place is looked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'t> {
    One(usize),
    Name(&'t str),
    Values,
    MadeUp,
    Any,
}

/// The roles that were given already.
#[derive(Default)]
struct Given<'t> {
    keys: BTreeMap<Key<'t>, u8>,
    spans: BTreeMap<(usize, usize, usize), u8>,
}

impl<'t> Given<'t> {
    /// Whether one of the roles is new to the place.
    fn at_key(&mut self, key: Key<'t>, roles: u8) -> bool {
        let given = self.keys.entry(key).or_default();
        let new = roles & !*given;
        *given |= roles;
        new > 0
    }

    /// Which of the roles are new to what links stand for.
    fn at_span(&mut self, span: Span, group: usize, roles: u8) -> u8 {
        let given = self.spans.entry((span.start, span.end, group)).or_default();
        let new = roles & !*given;
        *given |= roles;
        new
    }
}

impl<'t> Columns<'t> {
    /// The columns in their roles.
    pub(in crate::sql) fn roles(&mut self) -> Roles {
        let output = self.stores_output();
        if output > 0 {
            let all = self.since(0);
            self.give(all, 0, output);
        }
        self.index_names();
        self.note_casts();
        if self.noted.iter().all(|noted| noted.roles == 0) {
            return Roles::default();
        }
        self.follow_links();
        let mut shaping = BTreeSet::new();
        let mut moved = BTreeSet::new();
        for noted in &self.noted {
            if noted.roles & SHAPING > 0 {
                self.mentions(noted.what, |mention| {
                    shaping.insert(mention);
                });
            }
            if noted.roles & MOVED > 0 {
                let to = self.mention_of_target(noted.target);
                self.mentions(noted.what, |from| {
                    if !self.stays(&from, to.as_ref()) {
                        moved.insert(Move {
                            from,
                            to: to.clone(),
                        });
                    }
                });
            }
        }
        Roles {
            shaping: shaping.into_iter().collect(),
            moved: moved.into_iter().collect(),
        }
    }

    /// Whether the value goes to the column it is from.
    fn stays(&self, from: &Mention, to: Option<&Mention>) -> bool {
        let Some(to) = to else { return false };
        let single = self.tables.len() == 1;
        from.column.is_some()
            && from.column == to.column
            && to.relation.is_some()
            && (from.relation == to.relation || from.relation.is_none() && single)
    }

    /// Sorts the links by the name they go by.
    pub(super) fn index_names(&mut self) {
        if self.links.is_empty() || !self.names.is_empty() {
            return;
        }
        for (index, link) in self.links.iter().enumerate() {
            match link.label {
                Label::Name(name) => self.names.entry(name).or_default().links.push(index),
                Label::Alias(name, table) => {
                    let meaning = self.names.entry(name).or_default();
                    meaning.links.push(index);
                    match table {
                        Some(table) => meaning.tables.push(table),
                        None => meaning.other = true,
                    }
                }
                Label::Values | Label::MadeUp | Label::Any | Label::None => {}
            }
        }
    }

    fn follow_links(&mut self) {
        if self.links.is_empty() {
            return;
        }
        let by_label = self.by_label();
        let mut given = Given::default();
        let mut open: Vec<usize> = (0..self.noted.len())
            .filter(|index| self.noted.get(*index).is_some_and(|noted| noted.roles > 0))
            .collect();
        while let Some(index) = open.pop() {
            let Some(noted) = self.noted.get(index).copied() else {
                continue;
            };
            for key in self.keys_of(&noted, &by_label) {
                if given.at_key(key, noted.roles) {
                    for link in self.links_at(key, &by_label) {
                        self.follow(link, noted.roles, &mut given, &mut open);
                    }
                }
            }
        }
    }

    /// The links that go by no plain name.
    pub(super) fn by_label(&self) -> ByLabel {
        let with = |label: Label<'_>| -> Vec<usize> {
            let links = self.links.iter().enumerate();
            let found = links.filter(|(_, link)| link.label == label);
            found.map(|(index, _)| index).collect()
        };
        ByLabel {
            values: with(Label::Values),
            made_up: with(Label::MadeUp),
            any: with(Label::Any),
        }
    }

    /// Where the links of a name are found.
    pub(super) fn keys_of(&self, noted: &Noted<'t>, by_label: &ByLabel) -> Vec<Key<'t>> {
        let (name, row) = match noted.what {
            What::Column { qualifier, name } => {
                let row = qualifier.filter(|_| OF_ROWS.contains(&name));
                (name, row)
            }
            What::AllOf(name) | What::Item(name) => (name, None),
            What::All | What::Table(_) | What::Any => ("", None),
        };
        let own = noted.link.checked_sub(1).map(Key::One);
        let mut keys: Vec<Key<'t>> = own.into_iter().collect();
        keys.extend(row.map(Key::Name));
        if !name.is_empty() && !self.is_of_table(noted.what) {
            keys.push(Key::Name(name));
            keys.extend((!by_label.any.is_empty()).then_some(Key::Any));
            keys.extend(is_numbered(name).then_some(Key::Values));
            keys.extend(MADE_UP.contains(&name).then_some(Key::MadeUp));
        }
        keys
    }

    /// The links found there.
    pub(super) fn links_at(&self, key: Key<'t>, by_label: &ByLabel) -> Vec<usize> {
        match key {
            Key::One(link) => vec![link],
            Key::Name(name) => {
                let meaning = self.names.get(name);
                meaning.map_or_else(Vec::new, |meaning| meaning.links.clone())
            }
            Key::Values => by_label.values.clone(),
            Key::MadeUp => by_label.made_up.clone(),
            Key::Any => by_label.any.clone(),
        }
    }

    /// `t.a`, where `t` is a table and nothing else: `a` is no label then.
    fn is_of_table(&self, what: What<'t>) -> bool {
        let What::Column {
            qualifier: Some(qualifier),
            ..
        } = what
        else {
            return false;
        };
        let meaning = self.names.get(qualifier);
        meaning.is_some_and(|meaning| !meaning.tables.is_empty() && !meaning.other)
            && !self.renamed.contains(&qualifier)
    }

    /// `x.int4`, where `x` is what a function gives: a cast, which fails for some values.
    fn note_casts(&mut self) {
        if !self.links.iter().any(|link| link.label == Label::Any) {
            return;
        }
        for index in 0..self.noted.len() {
            let Some(noted) = self.noted.get(index) else {
                return;
            };
            let What::Column {
                qualifier: Some(qualifier),
                name,
            } = noted.what
            else {
                continue;
            };
            let other = self.names.get(qualifier).is_some_and(|known| known.other);
            if other
                && functions::field_can_fail(name)
                && let Some(noted) = self.noted.get_mut(index)
            {
                noted.roles |= SHAPING;
            }
        }
    }

    /// Gives roles to what a link stands for, once.
    fn follow(&mut self, link: usize, roles: u8, given: &mut Given<'t>, open: &mut Vec<usize>) {
        let Some(to) = self.links.get(link).copied() else {
            return;
        };
        let new = given.at_span(to.span, to.group, roles);
        if new == 0 {
            return;
        }
        let Span { start, end } = to.span;
        let within = self.noted.get_mut(start..end).unwrap_or_default();
        for (offset, noted) in within.iter_mut().enumerate() {
            if noted.group == to.group && noted.roles & new != new {
                noted.roles |= new;
                // Where it was going is not where it goes now.
                noted.target = 0;
                open.push(start + offset);
            }
        }
    }

    /// What a name can mean to someone who knows the columns of relations.
    pub(super) fn mentions(&self, what: What<'t>, mut each: impl FnMut(Mention)) {
        match what {
            What::Column {
                qualifier: Some(qualifier),
                name,
            } => {
                let meaning = self.names.get(qualifier);
                let tables = meaning.map_or(&[][..], |meaning| &meaning.tables);
                if tables.len() > MAX_TABLES {
                    return each(column(name));
                }
                for table in tables.iter().filter_map(|table| self.tables.get(*table)) {
                    each(Mention {
                        relation: Some(table.owned()),
                        column: Some(name.to_owned()),
                    });
                }
                if tables.is_empty() || meaning.is_some_and(|meaning| meaning.other) {
                    each(column(name));
                }
            }
            What::Column {
                qualifier: None,
                name,
            } => each(column(name)),
            What::Table(table) => each(Mention {
                relation: self.tables.get(table).map(|table| table.owned()),
                column: None,
            }),
            What::Any => each(Mention::ANY),
            What::AllOf(qualifier) => {
                let known = self.names.contains_key(qualifier);
                if !known {
                    each(Mention::ANY);
                }
            }
            // Links lead to what they stand for.
            What::All | What::Item(_) => {}
        }
    }
}

/// `column1`: how the server names the columns of VALUES.
fn is_numbered(name: &str) -> bool {
    name.strip_prefix("column")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn column(name: &str) -> Mention {
    Mention {
        relation: None,
        column: Some(name.to_owned()),
    }
}
