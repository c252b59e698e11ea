//! The simple protocol: a Query holds one or more statements and is judged as one.

use std::rc::Rc;

use ostiary_operation::Operation;
use ostiary_operation::sql::{Kept, Named, Statement};
use ostiary_policy::Verdict;
use ostiary_wire::postgres::frontend;

use super::copy::Deferred;
use super::core::{Core, Fatal, encoded};
use super::expect::Expect;
use super::hold::{Held, Hold};
use super::judge::{Judgement, Read};
use super::names::{Portal, Prepared};
use super::open::Open;
use super::pump::Taken;
use super::reply::Refusal;
use super::running::{Change, Running};

impl Open {
    pub(super) fn on_query(
        &mut self,
        core: &mut Core,
        sql: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        self.release_batch();
        let text = self.text(sql)?;
        let read = self.read(&text);
        if self.has_open_names(&read) {
            return Ok(Taken::NotYet);
        }
        self.bound_changes(core, &read, text.len())?;
        // The server drops the unnamed statement and portal before anything else.
        self.statements.remove(b"", self.segment);
        self.portals.remove(b"", self.segment);
        let operations = self.resolve(&read);
        let judgement = self.judge(&read, &operations);
        let (operation, seq) = self.operated(core, &text, &operations, &judgement, &[]);
        let query = Query {
            text: &text,
            read: &read,
            operations: &operations,
            bytes,
        };
        match &judgement.verdict {
            _ if self.carries_unseen(&judgement) => {
                self.run_query(core, &query, &judgement, operation, seq);
            }
            Verdict::Allow => self.run_query(core, &query, &judgement, operation, seq),
            Verdict::Deny(denial) => {
                let refusal = Refusal::denied(operation, denial);
                self.refuse_query(core, refusal);
            }
            Verdict::Approve(_) => {
                let held = Held::Query {
                    text: text.into(),
                    read,
                    operations,
                    bytes: bytes.to_vec(),
                };
                let hold = Hold::new(operation, judgement, held, core);
                self.ask(core, hold);
            }
        }
        Ok(Taken::Yes)
    }

    /// Whether an operation passes whatever its verdict: on a resource that observes only.
    pub(super) fn carries_unseen(&self, judgement: &Judgement) -> bool {
        self.observes && !judgement.unsupported
    }

    /// Sends a Query that was judged.
    pub(super) fn run_query(
        &mut self,
        core: &Core,
        query: &Query<'_>,
        judgement: &Judgement,
        operation: u64,
        seq: u64,
    ) {
        if judgement.writes {
            self.outbox.wait_for(seq);
        }
        let mut running = Running::new(operation, self.segment, core.now);
        running.taint = self.taint(query.operations);
        running.masked = self.masks_anything();
        running.samples = !self.observes;
        running.outputs = self.proved(running.taint, query.operations, query.read);
        running.single = query.read.is_single();
        running.changes = self.define(query.read, query.text);
        self.forwarded(judgement, query.operations, running.taint);
        let bytes = query.bytes.to_vec();
        self.dispatch(
            query.read,
            query.text,
            Box::new(running),
            Deferred::Query { bytes },
        );
        self.segment = self.segment.saturating_add(1);
    }

    /// Takes note of the names a text defines. Whether it works is not known yet: until then a name
    /// may stand for what it stood for before as well.
    pub(super) fn define(&mut self, read: &Read, text: &str) -> Vec<Change> {
        let prepared = |statement: &Statement| {
            Rc::new(Prepared {
                text: text.into(),
                read: Rc::new(Read::of(statement.clone())),
                parameter_types: Vec::new(),
            })
        };
        let segment = self.segment;
        let mut changes = Vec::new();
        for (_, named) in &read.named {
            changes.push(match named {
                Named::Prepare { name, statement } => {
                    let name = name.as_bytes();
                    let stamp = self.statements.add(name, prepared(statement), segment);
                    Change::Prepare(name.to_vec(), stamp)
                }
                Named::Declare { name, statement } => {
                    let name = name.as_bytes();
                    let portal = Portal::cursor(prepared(statement));
                    let stamp = self.portals.add(name, Rc::new(portal), segment);
                    Change::Declare(name.to_vec(), stamp)
                }
                Named::Forget { what, name } => {
                    let name = name.as_ref().map(|name| name.as_bytes());
                    let statements = matches!(what, Kept::Statements | Kept::All)
                        .then(|| self.statements.may_forget(name, segment));
                    let portals = matches!(what, Kept::Cursors | Kept::All)
                        .then(|| self.portals.may_forget(name, segment));
                    Change::Forget {
                        name: name.map(<[u8]>::to_vec),
                        statements,
                        portals,
                    }
                }
                Named::Execute { .. } | Named::Fetch { .. } => continue,
            });
        }
        changes
    }

    /// Whether the names a text defines are within bounds.
    pub(super) fn bound_changes(&self, core: &Core, read: &Read, size: usize) -> Result<(), Fatal> {
        let defines = read
            .named
            .iter()
            .filter(|(_, named)| matches!(named, Named::Prepare { .. } | Named::Declare { .. }))
            .count();
        match defines {
            0 => Ok(()),
            // Each keeps the whole text.
            several => self.bound(core, size.saturating_mul(several)),
        }
    }

    /// The server has answered: names are certain again where they can be.
    pub(super) fn settle(&mut self, running: &Running) {
        let worked = running.replied.sqlstate.is_empty();
        for change in &running.changes {
            match change {
                Change::Prepare(name, stamp) if worked => self.statements.settle(name, *stamp),
                Change::Declare(name, stamp) if worked => self.portals.settle(name, *stamp),
                Change::Prepare(name, stamp) if running.single => {
                    self.statements.fail(name, *stamp)
                }
                Change::Declare(name, stamp) if running.single => self.portals.fail(name, *stamp),
                Change::Forget {
                    name,
                    statements,
                    portals,
                } if worked => {
                    if let Some(stamp) = statements {
                        self.statements.forget(name.as_deref(), *stamp);
                    }
                    if let Some(stamp) = portals {
                        self.portals.forget(name.as_deref(), *stamp);
                    }
                }
                // Several statements, one of which failed: either may hold.
                Change::Prepare(..) | Change::Declare(..) | Change::Forget { .. } => {}
            }
        }
    }

    /// Sends a statement that is sure to fail; its error becomes the refusal, and the server itself
    /// does to the transaction what an error does.
    pub(super) fn refuse_query(&mut self, core: &Core, refusal: Refusal) {
        let text = format!(
            "OSTIARY REFUSED {}/{}",
            core.journal.session_id(),
            refusal.operation
        );
        let bytes = encoded(|out| frontend::encode::query(out, text.as_bytes()));
        let mut running = Running::new(refusal.operation, self.segment, core.now);
        running.refusal = Some(refusal);
        self.send(&bytes, Some(Expect::Query(Box::new(running))));
        self.segment = self.segment.saturating_add(1);
    }
}

/// A Query that was judged.
pub(super) struct Query<'a> {
    pub(super) text: &'a str,
    pub(super) read: &'a Read,
    pub(super) operations: &'a [Operation],
    /// The message as it came.
    pub(super) bytes: &'a [u8],
}
