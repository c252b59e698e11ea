//! Which columns a constant or a parameter meets.
//!
//! A value is taken to meet every column of the expression it is in, up to the next AND or OR.

use super::{Columns, MOVED, Span, What};
use crate::sql::lexer::{Kind, Token};
use crate::{Mention, Place, Values};

/// Kinds of places one statement may have; more are taken as unknown.
const MAX_PLACES: usize = 64;

/// A constant or a parameter of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constant {
    /// Its index among the tokens.
    token: usize,
    near: Span,
    target: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The expression it is in goes on.
    Open,
    Closed,
    Apart,
    Unknown,
}

impl<'t> Columns<'t> {
    /// Notes the constant or parameter at a token.
    pub(in crate::sql) fn note_constant(&mut self, token: usize, kind: Kind) {
        // A number that meets nothing is of no interest, unless it is stored.
        let state = match kind {
            _ if self.context.apart => State::Apart,
            _ if self.frame.depth == 0 => State::Unknown,
            _ => State::Open,
        };
        self.constants.push(Constant {
            token,
            near: Span { start: 0, end: 0 },
            target: self.context.target,
            state,
        });
    }

    pub(in crate::sql) fn constant_mark(&self) -> usize {
        self.constants.len()
    }

    /// The constants noted since may meet anything.
    pub(in crate::sql) fn hide_constants(&mut self, since: usize) {
        for constant in self.constants.get_mut(since..).unwrap_or_default() {
            constant.state = State::Unknown;
        }
    }

    pub(super) fn end_segment(&mut self) {
        let near = self.since(self.frame.segment);
        let open = self.constants.get_mut(self.frame.constants..);
        for constant in open.unwrap_or_default() {
            if constant.state == State::Open {
                constant.near = near;
                constant.state = State::Closed;
            }
        }
        self.frame.segment = near.end;
        self.frame.constants = self.constants.len();
    }

    /// The constants and parameters of the statement.
    pub(in crate::sql) fn values(&mut self, tokens: &[Token<'_>]) -> Values {
        let mut values = Values::default();
        self.index_names();
        let mut known: Vec<(Span, usize, State, usize)> = Vec::new();
        for constant in &self.constants {
            let Some(token) = tokens.get(constant.token) else {
                continue;
            };
            let key = (constant.near, constant.target, constant.state);
            let place = known
                .iter()
                .rev()
                .take(MAX_PLACES)
                .find(|(near, target, state, _)| (*near, *target, *state) == key)
                .map(|(.., place)| *place);
            let place = place.unwrap_or_else(|| {
                let place = values.add(self.place(constant));
                known.push((constant.near, constant.target, constant.state, place));
                place
            });
            values.push(token, place);
        }
        values.add_the_rest(tokens, &self.constants);
        values
    }

    fn place(&self, constant: &Constant) -> Place {
        match constant.state {
            State::Apart => return Place::Apart,
            State::Open | State::Unknown => return Place::Unknown,
            State::Closed => {}
        }
        let mut near = Vec::new();
        let Span { start, end } = constant.near;
        for noted in self.noted.get(start..end).unwrap_or_default() {
            match noted.what {
                // Under this name there may be another column.
                What::Column { name, .. } if self.is_label(name) => return Place::Unknown,
                What::Column { .. } => self.mentions(noted.what, |mention| near.push(mention)),
                What::AllOf(_) | What::All | What::Any => return Place::Unknown,
                // Parts of a query inside.
                What::Table(_) | What::Item(_) => {}
            }
        }
        near.extend(self.mention_of_target(constant.target));
        near.sort_unstable();
        near.dedup();
        if near.is_empty() {
            Place::Unknown
        } else {
            Place::Near(near)
        }
    }

    fn is_label(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub(super) fn mention_of_target(&self, target: usize) -> Option<Mention> {
        let (table, column) = self.targets.get(target.checked_sub(1)?)?;
        Some(Mention {
            relation: self.tables.get(*table).map(|table| table.owned()),
            column: Some((*column).to_owned()),
        })
    }

    /// Whether everything the statement returns is stored.
    pub(super) fn stores_output(&self) -> u8 {
        if self.into { MOVED } else { 0 }
    }
}

impl Values {
    /// The index of a place.
    fn add(&mut self, place: Place) -> usize {
        if let Some(index) = self.places.iter().position(|other| *other == place) {
            return index;
        }
        if self.places.len() >= MAX_PLACES {
            return self.add_last(Place::Unknown);
        }
        self.places.push(place);
        self.places.len() - 1
    }

    fn add_last(&mut self, place: Place) -> usize {
        if let Some(index) = self.places.iter().position(|other| *other == place) {
            return index;
        }
        self.places.push(place);
        self.places.len() - 1
    }

    fn push(&mut self, token: &Token<'_>, place: usize) {
        if token.kind == Kind::Parameter {
            let number = token.text().trim_start_matches('$').parse().unwrap_or(0);
            self.parameters.push((number, place));
        } else {
            self.literals.push((token.literal(), place));
        }
    }

    /// Texts that no rule took for a value: bodies, comments, options.
    fn add_the_rest(&mut self, tokens: &[Token<'_>], noted: &[Constant]) {
        let is_text = |token: &Token<'_>| matches!(token.kind, Kind::String | Kind::Opaque);
        let texts = tokens.iter().filter(|token| is_text(token)).count();
        if texts == 0 {
            return;
        }
        let seen: std::collections::BTreeSet<usize> =
            noted.iter().map(|constant| constant.token).collect();
        let rest = tokens
            .iter()
            .enumerate()
            .filter(|(index, token)| is_text(token) && !seen.contains(index));
        for (_, token) in rest {
            let place = self.add(Place::Unknown);
            self.literals.push((token.literal(), place));
        }
    }
}
