//! The extended protocol. An operation is judged at Parse, at Bind and again at Execute: policy may
//! have changed, and a name may stand for something else by then.

use std::rc::Rc;

use ostiary_operation::Operation;
use ostiary_operation::sql::Outputs;
use ostiary_policy::Verdict;
use ostiary_wire::postgres::{Format, Target, frontend};

use super::core::{Core, Fatal, encoded};
use super::hold::{Held, Hold};
use super::judge::Judgement;
use super::names::{Portal, Prepared};
use super::open::{Expect, Open, Taken};
use super::reply::{self, Refusal};
use super::running::{Running, readable};

/// Names that begin so are ours.
const OURS: &[u8] = b"\x01ostiary";
/// A portal that never exists.
const NO_PORTAL: &[u8] = b"\x01ostiary refused";
/// Characters of one parameter kept for records and reviewers.
const MAX_PARAMETER: usize = 4096;

/// A Bind message.
pub(super) struct Bind<'a> {
    pub(super) portal: &'a [u8],
    pub(super) statement: &'a [u8],
    pub(super) parameter_formats: &'a [Format],
    pub(super) parameters: &'a [Option<&'a [u8]>],
}

impl Open {
    pub(super) fn on_parse(
        &mut self,
        core: &mut Core,
        name: &[u8],
        sql: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        if self.statements.is_open(name, self.segment, self.answered) {
            return Ok(Taken::NotYet);
        }
        self.bound(core)?;
        let text = self.text(sql)?;
        let analysis = self.read(&text);
        if self.has_open_names(&analysis) {
            return Ok(Taken::NotYet);
        }
        let operations = self.resolve(&analysis.statements);
        let judgement = self.judge(&operations);
        if !self.observes {
            match &judgement.verdict {
                Verdict::Allow => {}
                Verdict::Deny(denial) => {
                    let (operation, _) = self.operated(core, &text, &judgement, &[]);
                    self.refuse(Refusal::denied(operation, denial));
                    return Ok(Taken::Yes);
                }
                Verdict::Approve(_) => {
                    self.batch.get_or_insert_default();
                }
            }
        }
        let prepared = Prepared {
            text: text.into(),
            statements: analysis.statements.clone(),
        };
        let undo = self.statements.set(name, Rc::new(prepared), self.segment);
        self.send(bytes, Some(Expect::Parse(undo)));
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
        if self
            .statements
            .is_open(bind.statement, self.segment, self.answered)
            || self
                .portals
                .is_open(bind.portal, self.segment, self.answered)
        {
            return Ok(Taken::NotYet);
        }
        self.bound(core)?;
        if bind.portal.starts_with(OURS) {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "a portal has a reserved name".to_owned(),
            ));
        }
        let Some(prepared) = self.statements.get(bind.statement).map(<[_]>::to_vec) else {
            self.refuse(Refusal::missing(
                "26000",
                "prepared statement",
                bind.statement,
            ));
            return Ok(Taken::Yes);
        };
        let judgement = self.judge_prepared(&prepared).1;
        if !self.observes {
            match &judgement.verdict {
                Verdict::Allow => {}
                Verdict::Deny(denial) => {
                    let (operation, _) = self.operated(core, &text_of(&prepared), &judgement, &[]);
                    self.refuse(Refusal::denied(operation, denial));
                    return Ok(Taken::Yes);
                }
                Verdict::Approve(_) => {
                    self.batch.get_or_insert_default();
                }
            }
        }
        let parameters = bind
            .parameters
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let format = Format::of(bind.parameter_formats, index).unwrap_or(Format::Binary);
                value.map(|value| readable(value, format, MAX_PARAMETER))
            })
            .collect();
        // The formats are in the answer to Describe, which comes before any row is read.
        let portal = Rc::new(Portal::new(prepared, parameters));
        let undo = self.portals.set(bind.portal, portal, self.segment);
        self.send(bytes, Some(Expect::Bind(undo)));
        Ok(Taken::Yes)
    }

    pub(super) fn on_describe(
        &mut self,
        kind: Target,
        name: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
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
        self.portals.get(name).and_then(<[_]>::last).cloned()
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
        let Some(portal) = self.portal(name) else {
            self.refuse(Refusal::missing("34000", "portal", name));
            return Ok(Taken::Yes);
        };
        let prepared: Vec<Rc<Prepared>> = self
            .portals
            .get(name)
            .unwrap_or_default()
            .iter()
            .flat_map(|portal| portal.prepared.iter().cloned())
            .collect();
        let (operations, judgement) = self.judge_prepared(&prepared);
        let text = text_of(&prepared);
        let (operation, seq) = self.operated(core, &text, &judgement, &portal.parameters);
        let execute = Execute {
            name: name.to_vec(),
            text,
            portal,
            operations,
            outputs: outputs_of(&prepared),
            bytes: bytes.to_vec(),
        };
        match &judgement.verdict {
            _ if self.observes => self.run_execute(core, &execute, &judgement, operation, seq),
            Verdict::Allow => self.run_execute(core, &execute, &judgement, operation, seq),
            Verdict::Deny(denial) => self.refuse(Refusal::denied(operation, denial)),
            Verdict::Approve(_) => {
                let parameters = execute.portal.parameters.clone();
                let hold = Hold::new(operation, judgement, Held::Execute(execute), core);
                self.ask(core, hold, parameters);
            }
        }
        Ok(Taken::Yes)
    }

    /// Sends an Execute that was judged, with what was kept back for it.
    pub(super) fn run_execute(
        &mut self,
        core: &Core,
        execute: &Execute,
        judgement: &Judgement,
        operation: u64,
        seq: u64,
    ) {
        if judgement.writes {
            self.outbox.wait_for(seq);
        }
        self.release_batch();
        let portal = &execute.portal;
        if self.masks_anything() && !portal.described.get() {
            // The client knows the columns from an earlier Describe; what the server attests of
            // this portal has to be asked anew.
            portal.described.set(true);
            let describe =
                encoded(|out| frontend::encode::describe(out, Target::Portal, &execute.name));
            let expect = Expect::DescribePortal {
                portal: Rc::clone(portal),
                own: true,
            };
            self.send(&describe, Some(expect));
        }
        let mut running = Running::new(operation, core.now);
        running.tainted = self.taints(&execute.operations);
        running.outputs = execute.outputs.clone();
        running.samples = !self.observes;
        running.single = true;
        for prepared in &portal.prepared {
            running
                .changes
                .extend(self.define(&prepared.statements, &prepared.text));
        }
        self.forwarded(judgement, &execute.operations);
        let expect = Expect::Execute {
            portal: Rc::clone(portal),
            running: Box::new(running),
        };
        self.send(&execute.bytes, Some(expect));
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
        let expect = match kind {
            Target::Statement => {
                if self.statements.is_open(name, self.segment, self.answered) {
                    return Ok(Taken::NotYet);
                }
                Expect::CloseStatement(self.statements.remove(name))
            }
            Target::Portal => {
                if self.portals.is_open(name, self.segment, self.answered) {
                    return Ok(Taken::NotYet);
                }
                Expect::ClosePortal(self.portals.remove(name))
            }
        };
        self.send(bytes, Some(expect));
        Ok(Taken::Yes)
    }

    pub(super) fn on_sync(&mut self, bytes: &[u8]) -> Result<Taken, Fatal> {
        self.release_batch();
        self.skipping = false;
        self.send(bytes, Some(Expect::Sync));
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
        if let Some(batch) = self.batch.take() {
            for expect in batch.expects.into_iter().rev() {
                self.undo(expect);
            }
        }
        let bytes = encoded(|out| frontend::encode::execute(out, NO_PORTAL, 0));
        self.send(&bytes, Some(Expect::Refused(refusal)));
        self.skipping = true;
    }

    /// Takes back what the session thought a message would do to names.
    pub(super) fn undo(&mut self, expect: Expect) {
        match expect {
            Expect::Parse(undo) | Expect::CloseStatement(undo) => self.statements.undo(undo),
            Expect::Bind(undo) | Expect::ClosePortal(undo) => self.portals.undo(undo),
            Expect::DescribePortal { portal, .. } => portal.described.set(false),
            Expect::Query(_)
            | Expect::DescribeStatement
            | Expect::Execute { .. }
            | Expect::Refused(_)
            | Expect::Ping(_)
            | Expect::Sync
            | Expect::Refresh(_) => {}
        }
    }

    pub(super) fn judge_prepared(
        &mut self,
        prepared: &[Rc<Prepared>],
    ) -> (Vec<Operation>, Judgement) {
        let operations: Vec<Operation> = prepared
            .iter()
            .flat_map(|prepared| self.resolve(&prepared.statements))
            .collect();
        let judgement = self.judge(&operations);
        (operations, judgement)
    }

    fn bound(&self, core: &Core) -> Result<(), Fatal> {
        let names = self.statements.len().saturating_add(self.portals.len());
        if names < core.config.limits.names {
            return Ok(());
        }
        Err(Fatal::new(
            reply::PROTOCOL,
            "limit",
            format!(
                "more than {} prepared statements and portals are open",
                core.config.limits.names
            ),
        ))
    }
}

/// An Execute under judgement.
#[derive(Debug)]
pub(super) struct Execute {
    pub(super) name: Vec<u8>,
    pub(super) text: Rc<str>,
    pub(super) portal: Rc<Portal>,
    pub(super) operations: Vec<Operation>,
    pub(super) outputs: Outputs,
    /// The message as it came.
    pub(super) bytes: Vec<u8>,
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

fn outputs_of(prepared: &[Rc<Prepared>]) -> Outputs {
    match prepared {
        [only] => match only.statements.as_slice() {
            [only] => only.outputs.clone(),
            _ => Outputs::Unknown,
        },
        _ => Outputs::Unknown,
    }
}
