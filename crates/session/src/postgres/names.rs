//! Prepared statements and portals by name, as the server will have them.
//!
//! SQL-level PREPARE and the Parse message share one namespace, and so do cursors and portals. A name
//! whose meaning is not certain has several candidates; all of them are judged. A name that a round
//! has changed means nothing certain to later rounds until the server has answered that round.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use ostiary_wire::postgres::Format;

use super::fingerprint::Fingerprint;
use super::judge::Read;
use super::rows::Columns;

/// Bytes of a name the server compares (`NAMEDATALEN`).
const MAX_NAME: usize = 63;

/// What the server makes of a name in a message: the bytes of it that it keeps.
pub(super) fn kept(name: &[u8]) -> &[u8] {
    name.get(..MAX_NAME).unwrap_or(name)
}

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The text, for records and approvals.
    pub(super) text: Rc<str>,
    pub(super) read: Rc<Read>,
    /// The parameter types the client named: they decide what the statement means, too.
    pub(super) parameter_types: Vec<u32>,
}

/// A portal or cursor: a statement with parameters.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) prepared: Vec<Rc<Prepared>>,
    /// Parameters as text, masked, for records and reviewers; `None` is NULL.
    pub(super) parameters: Vec<Option<String>>,
    /// The masks they were masked by.
    pub(super) masks_version: u64,
    /// The parameters as they came.
    pub(super) fingerprint: Fingerprint,
    /// How the client wants its columns.
    pub(super) formats: Vec<Format>,
    /// Declared in SQL: may be held over the end of its transaction.
    pub(super) cursor: bool,
    /// A Describe of this portal is on its way or answered.
    pub(super) described: Cell<bool>,
    /// The answer to that Describe.
    pub(super) columns: RefCell<Option<Rc<Columns>>>,
}

impl Portal {
    /// A cursor of SQL.
    pub(super) fn cursor(prepared: Rc<Prepared>) -> Self {
        Self {
            prepared: vec![prepared],
            parameters: Vec::new(),
            masks_version: 0,
            fingerprint: Fingerprint::new(&[], &[]),
            formats: Vec::new(),
            cursor: true,
            described: Cell::new(false),
            columns: RefCell::new(None),
        }
    }
}

/// What a name keeps of the client's bytes.
pub(super) trait Weigh {
    /// Bytes, roughly.
    fn weight(&self) -> usize;
}

impl Weigh for Prepared {
    fn weight(&self) -> usize {
        self.text.len()
    }
}

impl Weigh for Portal {
    fn weight(&self) -> usize {
        let parameters = self.parameters.iter().flatten();
        parameters.map(String::len).sum()
    }
}

/// What a name may stand for, and the segment that last changed it.
#[derive(Clone, Debug)]
struct Entry<T> {
    /// Oldest first, each with its stamp. Empty for a name that was dropped just now.
    candidates: Vec<(u64, Rc<T>)>,
    segment: u64,
}

/// One namespace.
#[derive(Debug)]
pub(super) struct Names<T> {
    entries: BTreeMap<Vec<u8>, Entry<T>>,
    /// Counts changes.
    stamp: u64,
    /// Names that stand for nothing, kept until their segment is answered.
    dropped: usize,
    /// The last segment that asked to drop every name.
    forgets_all: u64,
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
            stamp: 0,
            dropped: 0,
            forgets_all: 0,
        }
    }
}

impl<T> Names<T> {
    /// What `name` may stand for, oldest first; nothing if nothing of that name was seen.
    pub(super) fn meanings(&self, name: &[u8]) -> impl DoubleEndedIterator<Item = &Rc<T>> {
        let entry = self.entries.get(name);
        let candidates = entry.map_or(&[][..], |entry| entry.candidates.as_slice());
        candidates.iter().map(|(_, value)| value)
    }

    /// Whether an earlier segment changed `name` and has not been answered: its meaning is open.
    pub(super) fn is_open(&self, name: &[u8], segment: u64, answered: u64) -> bool {
        let open = |changed: u64| changed > answered && changed != segment;
        open(self.forgets_all) || self.entries.get(name).is_some_and(|e| open(e.segment))
    }

    /// From now on `name` stands for `value`.
    pub(super) fn set(&mut self, name: &[u8], value: Rc<T>, segment: u64) -> Undo<T> {
        let candidates = vec![(self.next_stamp(), value)];
        self.replace(
            name,
            Entry {
                candidates,
                segment,
            },
        )
    }

    /// From now on `name` stands for nothing.
    pub(super) fn remove(&mut self, name: &[u8], segment: u64) -> Undo<T> {
        if !self.entries.contains_key(name) {
            let before = None;
            return Undo {
                name: name.to_vec(),
                before,
            };
        }
        self.dropped = self.dropped.saturating_add(1);
        let candidates = Vec::new();
        self.replace(
            name,
            Entry {
                candidates,
                segment,
            },
        )
    }

    fn replace(&mut self, name: &[u8], entry: Entry<T>) -> Undo<T> {
        Undo {
            name: name.to_vec(),
            before: self.entries.insert(name.to_vec(), entry),
        }
    }

    /// Takes a change back.
    pub(super) fn undo(&mut self, undo: Undo<T>) {
        match undo.before {
            Some(entry) => self.entries.insert(undo.name, entry),
            None => self.entries.remove(&undo.name),
        };
    }

    /// `name` may also stand for `value`; returns the stamp of this change.
    pub(super) fn add(&mut self, name: &[u8], value: Rc<T>, segment: u64) -> u64 {
        let stamp = self.next_stamp();
        let entry = self.entries.entry(name.to_vec()).or_insert(Entry {
            candidates: Vec::new(),
            segment,
        });
        entry.candidates.push((stamp, value));
        entry.segment = segment;
        stamp
    }

    /// `name`, or every name, may stand for nothing from now on; returns the stamp of this change.
    pub(super) fn may_forget(&mut self, name: Option<&[u8]>, segment: u64) -> u64 {
        match name {
            None => self.forgets_all = segment,
            Some(name) => {
                if let Some(entry) = self.entries.get_mut(name) {
                    entry.segment = segment;
                }
            }
        }
        self.next_stamp()
    }

    /// The change `stamp` gave `name` a meaning: older ones are gone.
    pub(super) fn settle(&mut self, name: &[u8], stamp: u64) {
        self.keep(name, |other| other >= stamp);
    }

    /// The change `stamp` of `name` did not come to be.
    pub(super) fn fail(&mut self, name: &[u8], stamp: u64) {
        self.keep(name, |other| other != stamp);
    }

    /// What `name`, or every name, stood for before the change `stamp` is gone.
    pub(super) fn forget(&mut self, name: Option<&[u8]>, stamp: u64) {
        match name {
            Some(name) => self.keep(name, |other| other > stamp),
            None => self.entries.retain(|_, entry| {
                let dropped = entry.candidates.is_empty();
                entry.candidates.retain(|(other, _)| *other > stamp);
                dropped || !entry.candidates.is_empty()
            }),
        }
    }

    fn keep(&mut self, name: &[u8], keeps: impl Fn(u64) -> bool) {
        if let Some(entry) = self.entries.get_mut(name) {
            let dropped = entry.candidates.is_empty();
            entry.candidates.retain(|(stamp, _)| keeps(*stamp));
            if !dropped && entry.candidates.is_empty() {
                self.entries.remove(name);
            }
        }
    }

    /// Every segment up to `answered` is answered: what was dropped in them is gone for good.
    pub(super) fn answered(&mut self, answered: u64) {
        if self.dropped == 0 {
            return;
        }
        self.entries
            .retain(|_, entry| !entry.candidates.is_empty() || entry.segment > answered);
        let empty = |entry: &&Entry<T>| entry.candidates.is_empty();
        self.dropped = self.entries.values().filter(empty).count();
    }

    /// Drops the names that no segment after `answered` changed and of which no meaning is worth
    /// keeping.
    pub(super) fn retain(&mut self, answered: u64, keep: impl Fn(&T) -> bool) {
        self.entries.retain(|_, entry| {
            entry.segment > answered || entry.candidates.iter().any(|(_, value)| keep(value))
        });
    }

    /// Everything a name may stand for.
    pub(super) fn values(&self) -> impl Iterator<Item = &Rc<T>> {
        let candidates = self.entries.values().flat_map(|entry| &entry.candidates);
        candidates.map(|(_, value)| value)
    }

    /// Everything the names may stand for.
    pub(super) fn len(&self) -> usize {
        let meanings = |entry: &Entry<T>| entry.candidates.len().max(1);
        self.entries.values().map(meanings).sum()
    }

    fn next_stamp(&mut self) -> u64 {
        self.stamp = self.stamp.saturating_add(1);
        self.stamp
    }
}

impl<T: Weigh> Names<T> {
    /// Bytes the names keep, roughly.
    pub(super) fn weight(&self) -> usize {
        let values = self.entries.values().flat_map(|entry| &entry.candidates);
        values.map(|(_, value)| value.weight()).sum()
    }
}
