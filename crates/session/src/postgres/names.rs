//! Prepared statements and portals by name, as the server will have them.
//!
//! SQL-level PREPARE and the Parse message share one namespace, and so do cursors and portals. A name
//! whose meaning is not certain has several candidates; all of them are judged.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use ostiary_operation::sql::Statement;

use super::rows::Columns;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The text, for records and approvals.
    pub(super) text: Rc<str>,
    /// What it does; several if the server may hold any of them. Empty for an empty query.
    pub(super) statements: Vec<Statement>,
}

/// A portal or cursor: a statement with parameters.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) prepared: Vec<Rc<Prepared>>,
    /// Parameters as text, for records and approvals; `None` is NULL.
    pub(super) parameters: Vec<Option<String>>,
    /// Declared in SQL: may be held over the end of its transaction.
    pub(super) cursor: bool,
    /// A Describe of this portal is on its way or answered.
    pub(super) described: Cell<bool>,
    /// The answer to that Describe.
    pub(super) columns: RefCell<Option<Rc<Columns>>>,
}

impl Portal {
    pub(super) fn new(prepared: Vec<Rc<Prepared>>, parameters: Vec<Option<String>>) -> Self {
        Self {
            prepared,
            parameters,
            cursor: false,
            described: Cell::new(false),
            columns: RefCell::new(None),
        }
    }
}

/// What a name may stand for, and the segment that last changed it.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub(super) candidates: Vec<Rc<T>>,
    segment: u64,
}

/// One namespace.
#[derive(Debug)]
pub(super) struct Names<T> {
    entries: BTreeMap<Vec<u8>, Entry<T>>,
}

/// What a name stood for before a change, to undo the change with.
#[derive(Debug)]
pub(super) struct Undo<T> {
    name: Vec<u8>,
    before: Option<Entry<T>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }
}

impl<T> Names<T> {
    /// What `name` may stand for; `None` if nothing of that name was seen.
    pub(super) fn get(&self, name: &[u8]) -> Option<&[Rc<T>]> {
        self.entries
            .get(name)
            .map(|entry| entry.candidates.as_slice())
    }

    /// Whether an earlier segment changed `name` and has not been answered: its meaning is open.
    pub(super) fn is_open(&self, name: &[u8], segment: u64, answered: u64) -> bool {
        self.entries
            .get(name)
            .is_some_and(|entry| entry.segment > answered && entry.segment != segment)
    }

    /// From now on `name` stands for `value`.
    pub(super) fn set(&mut self, name: &[u8], value: Rc<T>, segment: u64) -> Undo<T> {
        let entry = Entry {
            candidates: vec![value],
            segment,
        };
        Undo {
            name: name.to_vec(),
            before: self.entries.insert(name.to_vec(), entry),
        }
    }

    /// `name` may also stand for `value`.
    pub(super) fn add(&mut self, name: &[u8], value: Rc<T>, segment: u64) {
        let entry = self.entries.entry(name.to_vec()).or_insert(Entry {
            candidates: Vec::new(),
            segment,
        });
        entry.candidates.push(value);
        entry.segment = segment;
    }

    /// `name` stands for its newest candidate alone.
    pub(super) fn settle(&mut self, name: &[u8]) {
        if let Some(entry) = self.entries.get_mut(name) {
            let keep = entry.candidates.len().saturating_sub(1);
            entry.candidates.drain(..keep);
        }
    }

    /// The newest candidate of `name` did not come to be.
    pub(super) fn drop_newest(&mut self, name: &[u8]) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.candidates.pop();
            if entry.candidates.is_empty() {
                self.entries.remove(name);
            }
        }
    }

    /// `name` stands for nothing.
    pub(super) fn remove(&mut self, name: &[u8]) -> Undo<T> {
        Undo {
            name: name.to_vec(),
            before: self.entries.remove(name),
        }
    }

    /// Takes a change back.
    pub(super) fn undo(&mut self, undo: Undo<T>) {
        match undo.before {
            Some(entry) => self.entries.insert(undo.name, entry),
            None => self.entries.remove(&undo.name),
        };
    }

    /// Keeps the names whose every meaning is worth keeping.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.entries
            .retain(|_, entry| entry.candidates.iter().any(|candidate| keep(candidate)));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Everything the names may stand for.
    pub(super) fn len(&self) -> usize {
        self.entries
            .values()
            .map(|entry| entry.candidates.len())
            .sum()
    }
}
