//! The extended protocol. An operation is judged at Parse, at Bind and again at Execute: policy may
//! have changed, and a name may stand for something else by then.

use std::rc::Rc;

use ostiary_operation::Operation;
use ostiary_policy::Verdict;
use ostiary_wire::postgres::{Format, Target, frontend};

use super::copy::Deferred;
use super::core::{Core, Fatal, encoded};
use super::expect::Expect;
use super::fingerprint::Fingerprint;
use super::hold::{Held, Hold};
use super::judge::Judgement;
use super::names::{Portal, Prepared, Weigh as _};
use super::open::Open;
use super::pump::Taken;
use super::reply::{self, Refusal};
use super::running::Running;
use super::taint::Taint;

/// Names that begin so are ours.
const OURS: &[u8] = b"\x01ostiary";
/// A portal that never exists.
const NO_PORTAL: &[u8] = b"\x01ostiary refused";
/// Bytes of a statement or its parameters up to which the number of names bounds them well enough.
const SMALL: usize = 4096;

/// A Parse message.
pub(super) struct Parse<'a> {
    pub(super) name: &'a [u8],
    pub(super) sql: &'a [u8],
    pub(super) parameter_types: Vec<u32>,
}

/// A Bind message.
pub(super) struct Bind<'a> {
    pub(super) portal: &'a [u8],
    pub(super) statement: &'a [u8],
    pub(super) parameter_formats: Vec<Format>,
    pub(super) parameters: Vec<Option<&'a [u8]>>,
    pub(super) result_formats: Vec<Format>,
}

impl Open {
    pub(super) fn on_parse(
        &mut self,
        core: &mut Core,
        parse: Parse<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        let name = parse.name;
        if self.skipping {
            return Ok(Taken::Yes);
        }
        if self.statements.is_open(name, self.segment, self.answered) {
            return Ok(Taken::NotYet);
        }
        if self.refuses_name(name) {
            return Ok(Taken::Yes);
        }
        let text = self.text(parse.sql)?;
        let read = self.read(&text);
        if self.has_open_names(&read) {
            return Ok(Taken::NotYet);
        }
        self.bound(core, text.len())?;
        let operations = self.resolve(&read);
        let judgement = self.judge(&read, &operations);
        if !self.carries_unseen(&judgement) {
            match &judgement.verdict {
                Verdict::Allow => {}
                Verdict::Deny(denial) => {
                    let (operation, _) = self.operated(core, &text, &operations, &judgement, &[]);
                    self.refuse(Refusal::denied(operation, denial));
                    return Ok(Taken::Yes);
                }
                Verdict::Approve(_) => {
                    self.batch.get_or_insert_default();
                }
            }
        }
        let tainted = self.taint(&operations) > Taint::None;
        let prepared = Prepared {
            text: text.into(),
            read,
            parameter_types: parse.parameter_types,
        };
        let undo = self.statements.set(name, Rc::new(prepared), self.segment);
        self.send(bytes, Some(Expect::Parse { undo, tainted }));
        Ok(Taken::Yes)
    }

    pub(super) fn on_bind(
        &mut self,
        core: &mut Core,
        bind: Bind<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        let (segment, answered) = (self.segment, self.answered);
        if self.statements.is_open(bind.statement, segment, answered)
            || self.portals.is_open(bind.portal, segment, answered)
        {
            return Ok(Taken::NotYet);
        }
        if self.refuses_name(bind.statement) || self.refuses_name(bind.portal) {
            return Ok(Taken::Yes);
        }
        let prepared: Vec<Rc<Prepared>> =
            self.statements.meanings(bind.statement).cloned().collect();
        if prepared.is_empty() {
            self.refuse(Refusal::missing(
                "26000",
                "prepared statement",
                bind.statement,
            ));
            return Ok(Taken::Yes);
        }
        if self.opens_names(&prepared) {
            return Ok(Taken::NotYet);
        }
        let (operations, judgement) = self.judge_prepared(&prepared);
        if !self.carries_unseen(&judgement) {
            match &judgement.verdict {
                Verdict::Allow => {}
                Verdict::Deny(denial) => {
                    let text = text_of(&prepared);
                    let (operation, _) = self.operated(core, &text, &operations, &judgement, &[]);
                    self.refuse(Refusal::denied(operation, denial));
                    return Ok(Taken::Yes);
                }
                Verdict::Approve(_) => {
                    self.batch.get_or_insert_default();
                }
            }
        }
        let tainted = self.taint(&operations) > Taint::None;
        let parameters = self.keepable(&prepared, &bind.parameters, &bind.parameter_formats);
        let portal = portal(
            prepared,
            &bind.parameter_formats,
            &bind.parameters,
            parameters,
            self.masks_version,
            bind.result_formats,
        );
        self.bound(core, portal.weight())?;
        let undo = self.portals.set(bind.portal, Rc::new(portal), self.segment);
        self.send(bytes, Some(Expect::Bind { undo, tainted }));
        Ok(Taken::Yes)
    }

    pub(super) fn on_describe(
        &mut self,
        kind: Target,
        name: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping || self.refuses_name(name) {
            return Ok(Taken::Yes);
        }
        match kind {
            Target::Statement => self.send(bytes, Some(Expect::DescribeStatement)),
            Target::Portal => {
                if self.portals.is_open(name, self.segment, self.answered) {
                    return Ok(Taken::NotYet);
                }
                let Some(portal) = self.portal(name) else {
                    self.refuse(Refusal::missing("34000", "portal", name));
                    return Ok(Taken::Yes);
                };
                portal.described.set(true);
                self.send(bytes, Some(Expect::DescribePortal { portal, own: false }));
            }
        }
        Ok(Taken::Yes)
    }

    /// The newest portal of that name; candidates differ only for cursors, and all are judged.
    fn portal(&self, name: &[u8]) -> Option<Rc<Portal>> {
        self.portals.meanings(name).next_back().cloned()
    }

    pub(super) fn on_execute(
        &mut self,
        core: &mut Core,
        name: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        if self.portals.is_open(name, self.segment, self.answered) {
            return Ok(Taken::NotYet);
        }
        if self.refuses_name(name) {
            return Ok(Taken::Yes);
        }
        let Some(portal) = self.portal(name) else {
            self.refuse(Refusal::missing("34000", "portal", name));
            return Ok(Taken::Yes);
        };
        let portals = self.portals.meanings(name);
        let prepared: Vec<Rc<Prepared>> =
            portals.flat_map(|p| p.prepared.iter().cloned()).collect();
        if self.opens_names(&prepared) {
            return Ok(Taken::NotYet);
        }
        let (operations, judgement) = self.judge_prepared(&prepared);
        let text = text_of(&prepared);
        let shown = self.shown(&portal);
        let (operation, seq) = self.operated(core, &text, &operations, &judgement, &shown);
        let execute = Execute {
            name,
            portal: &portal,
            operations: &operations,
            bytes,
        };
        match &judgement.verdict {
            _ if self.carries_unseen(&judgement) => {
                self.run_execute(core, &execute, &judgement, operation, seq)?;
            }
            Verdict::Allow => self.run_execute(core, &execute, &judgement, operation, seq)?,
            Verdict::Deny(denial) => self.refuse(Refusal::denied(operation, denial)),
            Verdict::Approve(_) => {
                let held = Held::Execute {
                    name: name.to_vec(),
                    text,
                    portal,
                    operations,
                    bytes: bytes.to_vec(),
                };
                let hold = Hold::new(operation, judgement, held, core);
                self.ask(core, hold);
            }
        }
        Ok(Taken::Yes)
    }

    /// Sends an Execute that was judged, with what was kept back for it.
    pub(super) fn run_execute(
        &mut self,
        core: &Core,
        execute: &Execute<'_>,
        judgement: &Judgement,
        operation: u64,
        seq: u64,
    ) -> Result<(), Fatal> {
        let portal = execute.portal;
        for prepared in &portal.prepared {
            self.bound_changes(core, &prepared.read, prepared.text.len())?;
        }
        if judgement.writes {
            self.outbox.wait_for(seq);
        }
        self.release_batch();
        let masked = self.masks_anything();
        if masked && !portal.described.get() {
            // The client knows the columns from an earlier Describe; what the server attests of
            // this portal has to be asked anew.
            portal.described.set(true);
            let describe =
                encoded(|out| frontend::encode::describe(out, Target::Portal, execute.name));
            let expect = Expect::DescribePortal {
                portal: Rc::clone(portal),
                own: true,
            };
            self.send(&describe, Some(expect));
        }
        let mut running = Running::new(operation, self.segment, core.now);
        running.taint = self.taint(execute.operations);
        running.masked = masked;
        if let [only] = portal.prepared.as_slice() {
            running.outputs = self.proved(running.taint, execute.operations, &only.read);
        }
        running.samples = !self.observes;
        running.single = true;
        for prepared in &portal.prepared {
            let changes = self.define(&prepared.read, &prepared.text);
            running.changes.extend(changes);
        }
        self.forwarded(judgement, execute.operations, running.taint);
        let deferred = Deferred::Execute {
            portal: Rc::clone(portal),
            bytes: execute.bytes.to_vec(),
        };
        // Of several meanings none is a COPY: see `judge_prepared`.
        if let Some(prepared) = portal.prepared.first() {
            let (read, text) = (&prepared.read, &prepared.text);
            self.dispatch(read, text, Box::new(running), deferred);
        }
        Ok(())
    }

    pub(super) fn on_close(
        &mut self,
        kind: Target,
        name: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        let (segment, answered) = (self.segment, self.answered);
        let open = match kind {
            Target::Statement => self.statements.is_open(name, segment, answered),
            Target::Portal => self.portals.is_open(name, segment, answered),
        };
        if open {
            return Ok(Taken::NotYet);
        }
        if self.refuses_name(name) {
            return Ok(Taken::Yes);
        }
        let expect = match kind {
            Target::Statement => Expect::CloseStatement(self.statements.remove(name, segment)),
            Target::Portal => Expect::ClosePortal(self.portals.remove(name, segment)),
        };
        self.send(bytes, Some(expect));
        Ok(Taken::Yes)
    }

    pub(super) fn on_sync(&mut self, bytes: &[u8]) -> Result<Taken, Fatal> {
        self.release_batch();
        self.skipping = false;
        self.send(bytes, Some(Expect::Sync(self.segment)));
        self.segment = self.segment.saturating_add(1);
        Ok(Taken::Yes)
    }

    pub(super) fn on_flush(&mut self, bytes: &[u8]) -> Result<Taken, Fatal> {
        if !self.skipping {
            self.release_batch();
        }
        self.send(bytes, None);
        Ok(Taken::Yes)
    }

    /// Sends a message that is sure to fail; its error becomes the refusal. The server then skips to
    /// Sync, and so does the session.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.drop_batch();
        let bytes = encoded(|out| frontend::encode::execute(out, NO_PORTAL, 0));
        self.send(&bytes, Some(Expect::Refused(refusal)));
        self.skipping = true;
    }

    /// Refuses a name that could mean another one to the server than it does here.
    fn refuses_name(&mut self, name: &[u8]) -> bool {
        let refusal = if name.starts_with(OURS) {
            Refusal::native("42939", "the name is reserved".to_owned())
        } else if self.is_plain_name(name) {
            return false;
        } else {
            let message = "a name is outside ASCII and may not be UTF-8 to the server".to_owned();
            Refusal::native("22021", message)
        };
        self.refuse(refusal);
        true
    }

    /// Whether a name that prepared statements use is open.
    fn opens_names(&self, prepared: &[Rc<Prepared>]) -> bool {
        prepared.iter().any(|one| self.has_open_names(&one.read))
    }

    /// Takes back what the session thought a message would do to names.
    pub(super) fn undo(&mut self, expect: Expect) {
        match expect {
            Expect::Parse { undo, .. } | Expect::CloseStatement(undo) => self.statements.undo(undo),
            Expect::Bind { undo, .. } | Expect::ClosePortal(undo) => self.portals.undo(undo),
            Expect::DescribePortal { portal, .. } => portal.described.set(false),
            Expect::Query(_)
            | Expect::DescribeStatement
            | Expect::Execute { .. }
            | Expect::Refused(_)
            | Expect::Ping(_)
            | Expect::Look(_)
            | Expect::Sync(_)
            | Expect::Refresh(_) => {}
        }
    }

    fn judge_prepared(&self, prepared: &[Rc<Prepared>]) -> (Rc<[Operation]>, Rc<Judgement>) {
        if let [only] = prepared {
            let operations = self.resolve(&only.read);
            let judgement = self.judge(&only.read, &operations);
            return (operations, judgement);
        }
        let operations: Vec<Operation> = prepared
            .iter()
            .flat_map(|prepared| self.resolve(&prepared.read).to_vec())
            .collect();
        let mut judgement = self.judge_all(&operations);
        if prepared.iter().any(|one| !one.read.copies.is_empty()) {
            let why = "COPY by a name that may stand for something else";
            judgement = Rc::new(judgement.unsupported(why));
        }
        (operations.into(), judgement)
    }

    /// Whether one more name, with `size` bytes kept for it, is within bounds.
    pub(super) fn bound(&self, core: &Core, size: usize) -> Result<(), Fatal> {
        let limits = &core.config.limits;
        let names = self.statements.len().saturating_add(self.portals.len());
        if names >= limits.names {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "limit",
                format!(
                    "more than {} prepared statements and portals are open",
                    limits.names
                ),
            ));
        }
        let most = limits.message.saturating_mul(2);
        if size > SMALL {
            let kept = self
                .statements
                .weight()
                .saturating_add(self.portals.weight());
            if kept.saturating_add(size) > most {
                return Err(Fatal::new(
                    reply::PROTOCOL,
                    "limit",
                    format!("prepared statements and portals take more than {most} bytes"),
                ));
            }
        }
        Ok(())
    }
}

/// An Execute that was judged.
pub(super) struct Execute<'a> {
    pub(super) name: &'a [u8],
    pub(super) portal: &'a Rc<Portal>,
    pub(super) operations: &'a [Operation],
    /// The message as it came.
    pub(super) bytes: &'a [u8],
}

fn portal(
    prepared: Vec<Rc<Prepared>>,
    formats: &[Format],
    values: &[Option<&[u8]>],
    parameters: Vec<Option<String>>,
    masks_version: u64,
    result_formats: Vec<Format>,
) -> Portal {
    Portal {
        prepared,
        parameters,
        masks_version,
        fingerprint: Fingerprint::new(formats, values),
        formats: result_formats,
        cursor: false,
        described: std::cell::Cell::new(false),
        columns: std::cell::RefCell::new(None),
    }
}

fn text_of(prepared: &[Rc<Prepared>]) -> Rc<str> {
    match prepared {
        [only] => Rc::clone(&only.text),
        several => several
            .iter()
            .map(|one| &*one.text)
            .collect::<Vec<_>>()
            .join("\n-- or --\n")
            .into(),
    }
}
