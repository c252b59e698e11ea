//! The simple protocol: a Query holds one or more statements and is judged as one.

use std::rc::Rc;

use ostiary_operation::sql::{Analysis, Named, Statement};
use ostiary_operation::{Access, Object, Operation, Verb};
use ostiary_policy::Verdict;
use ostiary_wire::postgres::frontend;

use super::core::{Core, Fatal, encoded};
use super::hold::{Held, Hold};
use super::judge::Judgement;
use super::names::{Portal, Prepared};
use super::open::{Expect, Open, Taken};
use super::reply::{self, Refusal};
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
        let analysis = self.read(&text);
        if self.has_open_names(&analysis) {
            return Ok(Taken::NotYet);
        }
        // The server drops the unnamed statement and portal before anything else.
        self.statements.remove(b"");
        self.portals.remove(b"");
        let operations = self.resolve(&analysis.statements);
        let judgement = self.judge(&operations);
        let (operation, seq) = self.operated(core, &text, &judgement, &[]);
        let query = Query {
            text: text.into(),
            analysis,
            operations,
            bytes: bytes.to_vec(),
        };
        match &judgement.verdict {
            _ if self.observes => self.run_query(core, &query, &judgement, operation, seq),
            Verdict::Allow => self.run_query(core, &query, &judgement, operation, seq),
            Verdict::Deny(denial) => {
                let refusal = Refusal::denied(operation, denial);
                self.refuse_query(core, refusal);
            }
            Verdict::Approve(_) => {
                let hold = Hold::new(operation, judgement, Held::Query(query), core);
                self.ask(core, hold, Vec::new());
            }
        }
        Ok(Taken::Yes)
    }

    /// The text of a statement. Bytes that are not text in the session's encoding break the protocol.
    pub(super) fn text(&self, sql: &[u8]) -> Result<String, Fatal> {
        match std::str::from_utf8(sql) {
            Ok(text) => Ok(text.to_owned()),
            // Another encoding: what is not ASCII will be unreadable.
            Err(_) if self.server.not_utf8 => Ok(String::from_utf8_lossy(sql).into_owned()),
            Err(_) => Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "a statement is not valid UTF-8".to_owned(),
            )),
        }
    }

    /// Whether a name the statements use was changed by a segment the server has not answered yet.
    pub(super) fn has_open_names(&self, analysis: &Analysis) -> bool {
        analysis
            .statements
            .iter()
            .any(|statement| match &statement.named {
                Some(Named::Execute { name } | Named::Prepare { name, .. }) => self
                    .statements
                    .is_open(name.as_bytes(), self.segment, self.answered),
                Some(Named::Fetch { name } | Named::Declare { name, .. }) => {
                    self.portals
                        .is_open(name.as_bytes(), self.segment, self.answered)
                }
                Some(Named::Forget { .. }) | None => false,
            })
    }

    /// Sends a Query that was judged.
    pub(super) fn run_query(
        &mut self,
        core: &Core,
        query: &Query,
        judgement: &Judgement,
        operation: u64,
        seq: u64,
    ) {
        if judgement.writes {
            self.outbox.wait_for(seq);
        }
        let mut running = Running::new(operation, core.now);
        running.tainted = self.taints(&query.operations);
        running.samples = !self.observes;
        if let [only] = query.analysis.statements.as_slice() {
            running.outputs = only.outputs.clone();
        }
        running.single = query.analysis.statements.len() == 1;
        running.changes = self.define(&query.analysis.statements, &query.text);
        self.forwarded(judgement, &query.operations);
        self.send(&query.bytes, Some(Expect::Query(Box::new(running))));
        self.segment = self.segment.saturating_add(1);
    }

    /// Takes note of the names `statements` define. Whether it works is not known yet: until then a
    /// name may stand for what it stood for before as well.
    pub(super) fn define(&mut self, statements: &[Statement], text: &str) -> Vec<Change> {
        let prepared = |statement: &Statement| {
            Rc::new(Prepared {
                text: text.into(),
                statements: vec![statement.clone()],
            })
        };
        let mut changes = Vec::new();
        for statement in statements {
            match &statement.named {
                Some(Named::Prepare { name, statement }) => {
                    let name = name.as_bytes();
                    self.statements.add(name, prepared(statement), self.segment);
                    changes.push(Change::Prepare(name.to_vec()));
                }
                Some(Named::Declare { name, statement }) => {
                    let name = name.as_bytes();
                    let mut portal = Portal::new(vec![prepared(statement)], Vec::new());
                    portal.cursor = true;
                    self.portals.add(name, Rc::new(portal), self.segment);
                    changes.push(Change::Declare(name.to_vec()));
                }
                Some(Named::Forget { name }) => {
                    changes.push(Change::Forget(
                        name.as_ref().map(|name| name.clone().into()),
                    ));
                }
                Some(Named::Execute { .. } | Named::Fetch { .. }) | None => {}
            }
        }
        changes
    }

    /// The server has answered: names are certain again where they can be.
    pub(super) fn settle(&mut self, running: &Running) {
        let worked = running.replied.sqlstate.is_empty();
        for change in &running.changes {
            match change {
                Change::Prepare(name) if worked => self.statements.settle(name),
                Change::Declare(name) if worked => self.portals.settle(name),
                Change::Prepare(name) if running.single => self.statements.drop_newest(name),
                Change::Declare(name) if running.single => self.portals.drop_newest(name),
                Change::Forget(None) if worked => {
                    self.statements.clear();
                    self.portals.clear();
                }
                Change::Forget(Some(name)) if worked => {
                    self.statements.remove(name);
                    self.portals.remove(name);
                }
                // Several statements, one of which failed: either may hold.
                Change::Prepare(_) | Change::Declare(_) | Change::Forget(_) => {}
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
        let mut running = Running::new(refusal.operation, core.now);
        running.refusal = Some(refusal);
        self.send(&bytes, Some(Expect::Query(Box::new(running))));
        self.segment = self.segment.saturating_add(1);
    }

    pub(super) fn on_function_call(&mut self, core: &mut Core) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        self.release_batch();
        let mut call = Operation::unreadable("a FunctionCall message");
        call.verb = Verb::FunctionCall;
        call.accesses = [Access {
            verb: Verb::FunctionCall,
            object: Object::Database,
        }]
        .into();
        let judgement = self.judge(&[call]);
        let (operation, _) = self.operated(core, "", &judgement, &[]);
        if let Verdict::Deny(denial) = &judgement.verdict {
            let refusal = Refusal::denied(operation, denial);
            self.refuse_query(core, refusal);
        }
        Ok(Taken::Yes)
    }
}

/// A Query under judgement.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) text: Rc<str>,
    pub(super) analysis: Rc<Analysis>,
    pub(super) operations: Vec<Operation>,
    /// The message as it came.
    pub(super) bytes: Vec<u8>,
}
