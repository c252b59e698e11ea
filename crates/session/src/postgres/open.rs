//! An open connection: the client's frames in, verdicts, bytes for the server out.

use std::collections::VecDeque;
use std::rc::Rc;

use ostiary_mask::{HashKey, Rewriter, Strategy};
use ostiary_operation::sql::{Analysis, Named, Outputs, Reading, Statement};
use ostiary_operation::{Object, Operation, Verb};
use ostiary_policy::{Masks, Mode, Verdict};
use ostiary_record::{ApprovalResolved, ApprovalState, Operated, Parameter, event::Kind};
use ostiary_wire::postgres::{Frontend, TransactionStatus, frame, frontend, tag};
use sha2::{Digest as _, Sha256};

use super::answers::Incoming;
use super::catalogue::Catalogue;
use super::core::{Core, Fatal, encoded};
use super::hold::Hold;
use super::judge::{Judge, Judgement};
use super::names::{Names, Portal, Prepared, Undo};
use super::outbox::Outbox;
use super::refresh::Refresh;
use super::reply::Refusal;
use super::rows::{Masker, RowPlan};
use super::running::Running;
use super::{Next, reply};
use crate::Now;

/// An open connection.
pub(super) struct Open {
    pub(super) judge: Judge,
    pub(super) server: Server,
    pub(super) masks: Masks,
    pub(super) masker: Masker,
    pub(super) catalogue: Catalogue,
    /// The catalogue may be older than the schema or the bundle.
    pub(super) stale: bool,
    /// A refresh failed; the next one is tried in this segment.
    pub(super) refresh_from: u64,
    pub(super) observes: bool,

    pub(super) statements: Names<Prepared>,
    pub(super) portals: Names<Portal>,
    /// Rounds of the protocol, each ended by Sync or one Query: the one being read, and the last one
    /// the server has answered.
    pub(super) segment: u64,
    pub(super) answered: u64,
    /// An operation of this segment was refused: the rest of it is dropped, as the server would.
    pub(super) skipping: bool,
    /// Parse, Bind and Describe of an operation that will need an approval, kept back so that
    /// nothing of it reaches the server before.
    pub(super) batch: Option<Batch>,
    pub(super) hold: Option<Box<Hold>>,
    /// Texts read until this segment is answered may meet settings that are not known yet.
    pub(super) unsettled: u64,
    pub(super) settings_changed: bool,

    pub(super) outbox: Outbox,
    pub(super) gate_deadline: Option<Now>,
    pub(super) expects: VecDeque<Expect>,
    inbox: Vec<u8>,

    pub(super) incoming: Incoming,
    pub(super) plan: Option<Rc<RowPlan>>,
    pub(super) status: TransactionStatus,
    /// The server's greeting, withheld until the catalogue is known.
    pub(super) greeting: Option<Vec<u8>>,
    expires_us: u64,
}

/// What the session knows of its server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) version: String,
    pub(super) backslash_is_special: bool,
    pub(super) not_utf8: bool,
    pub(super) cancel_key: Option<[u8; 32]>,
}

/// Messages kept back, and the answers they will have.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) expects: Vec<Expect>,
}

/// What the server still has to answer, in order.
#[derive(Debug)]
pub(super) enum Expect {
    /// A Query, up to ReadyForQuery.
    Query(Box<Running>),
    Parse(Undo<Prepared>),
    Bind(Undo<Portal>),
    DescribeStatement,
    DescribePortal {
        portal: Rc<Portal>,
        own: bool,
    },
    Execute {
        portal: Rc<Portal>,
        running: Box<Running>,
    },
    CloseStatement(Undo<Prepared>),
    ClosePortal(Undo<Portal>),
    /// A message of ours that is sure to fail, in place of a refused one.
    Refused(Refusal),
    /// A Close of ours whose answer is replaced by these bytes.
    Ping(Vec<u8>),
    Sync,
    /// A query of ours.
    Refresh(Box<Refresh>),
}

/// What became of a client's frame.
pub(super) enum Taken {
    Yes,
    /// It has to wait for answers of the server; try again later.
    NotYet,
    /// The client says goodbye.
    Terminated,
}

impl Server {
    /// Takes note of a ParameterStatus.
    pub(super) fn learn(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"server_version" => self.version = String::from_utf8_lossy(value).into_owned(),
            b"standard_conforming_strings" => self.backslash_is_special = value != b"on",
            b"client_encoding" => self.not_utf8 = value != b"UTF8",
            _ => {}
        }
    }
}

impl Open {
    /// The login is done. Comes inside `from_server`.
    pub(super) fn start(
        core: &mut Core,
        judge: Judge,
        server: Server,
        expires_us: u64,
        greeting: Vec<u8>,
        ahead: Vec<u8>,
        input: &[u8],
    ) -> Result<Self, Fatal> {
        let mut open = Self {
            judge,
            server,
            masks: Masks::default(),
            masker: Masker::new(
                HashKey::new(Vec::new()),
                Rewriter::new([], HashKey::new(Vec::new())),
            ),
            catalogue: Catalogue::default(),
            stale: false,
            refresh_from: 0,
            observes: false,
            statements: Names::default(),
            portals: Names::default(),
            segment: 1,
            answered: 0,
            skipping: false,
            batch: None,
            hold: None,
            unsettled: 0,
            settings_changed: false,
            outbox: Outbox::default(),
            gate_deadline: None,
            expects: VecDeque::new(),
            inbox: ahead,
            incoming: Incoming::default(),
            plan: None,
            status: TransactionStatus::Idle,
            greeting: Some(greeting),
            expires_us,
        };
        open.load_masks(core);
        if !open.refresh(core) {
            open.greet(core, input);
            if let Next::Close(_) = open.pump(core)? {
                open.inbox.clear();
            }
        }
        open.flush(core);
        Ok(open)
    }

    /// Sends the withheld greeting.
    pub(super) fn greet(&mut self, core: &mut Core, input: &[u8]) {
        if let Some(greeting) = self.greeting.take() {
            core.client.write(input).extend(greeting);
        }
    }

    /// Whether anything may have to be masked.
    pub(super) fn masks_anything(&self) -> bool {
        !self.masks.columns.is_empty() || !self.masks.detectors.is_empty()
    }

    /// Takes the masks from the running bundle.
    fn load_masks(&mut self, core: &Core) {
        let bundle = self.judge.bundle();
        self.observes = bundle.mode(&core.config.resource) == Mode::Observe;
        self.masks = if self.observes {
            Masks::default()
        } else {
            bundle.masks(self.judge.principal(), self.judge.target())
        };
        self.stale = !self.masks.columns.is_empty();
        let detectors: Vec<(ostiary_mask::detect::Detector, Strategy)> = self
            .masks
            .detectors
            .iter()
            .map(|(detector, (_, strategy))| (*detector, strategy.clone()))
            .collect();
        let key = HashKey::new(core.state.hash_key.to_vec());
        self.masker = Masker::new(key.clone(), Rewriter::new(detectors, key));
    }

    pub(super) fn on_state(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        self.judge.set_bundle(core.state.bundle.clone());
        self.load_masks(core);
        Ok(Next::Stay)
    }

    pub(super) fn on_recorded(&mut self, core: &mut Core, seq: u64) -> Result<Next, Fatal> {
        self.outbox.recorded(seq);
        // An acknowledgement shows that records are stored: what waits behind it gets its time anew.
        self.gate_deadline = self
            .outbox
            .waits()
            .then(|| core.now.after(core.config.limits.record_us));
        let next = self.pump(core);
        self.flush(core);
        next
    }

    pub(super) fn deadline(&self) -> Option<Now> {
        let expires = (self.expires_us > 0).then_some(Now(self.expires_us));
        let hold = self.hold.as_ref().and_then(|hold| hold.deadline());
        [expires, self.gate_deadline, hold]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn on_timeout(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        if self.expires_us > 0 && core.now.0 >= self.expires_us {
            return Err(Fatal::new(
                reply::LOGIN,
                "login",
                "the token has expired; connect again with a fresh one".to_owned(),
            ));
        }
        if self
            .gate_deadline
            .is_some_and(|deadline| core.now >= deadline)
        {
            self.outbox.clear();
            return Err(Fatal::new(
                reply::UNAVAILABLE,
                "control plane",
                "the record of a statement could not be stored; the statement was not run"
                    .to_owned(),
            ));
        }
        self.on_hold_timeout(core)
    }

    pub(super) fn awaits_record(&self) -> bool {
        self.outbox.waits()
    }

    /// Bytes that make the server speak, whatever it does now; what waits is not sent any more.
    pub(super) fn elicit(&mut self, _core: &mut Core) -> Vec<u8> {
        self.outbox.clear();
        encoded(frontend::encode::sync)
    }

    /// Nobody is there any more.
    pub(super) fn abandon(&mut self, core: &mut Core) {
        self.outbox.clear();
        if let Some(hold) = self.hold.take() {
            core.effects.push_back(crate::Effect::CancelApproval);
            core.record(Kind::ApprovalResolved(ApprovalResolved {
                operation: hold.operation,
                approval_id: hold.approval_id.clone().unwrap_or_default(),
                state: ApprovalState::Cancelled.into(),
                reviewers: Vec::new(),
                comment: "the session ended".to_owned(),
            }));
        }
    }

    pub(super) fn from_client(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        self.inbox.extend_from_slice(bytes);
        let next = self.pump(core);
        self.flush(core);
        next
    }

    /// Hands what may go to the server to the shell.
    pub(super) fn flush(&mut self, core: &mut Core) {
        let ready = self.outbox.take();
        core.to_server(ready);
        if self.outbox.waits() && self.gate_deadline.is_none() {
            self.gate_deadline = Some(core.now.after(core.config.limits.record_us));
        }
    }

    /// Reads as many frames of the client as may be read now.
    pub(super) fn pump(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let inbox = std::mem::take(&mut self.inbox);
        let mut at: usize = 0;
        let limits = core.config.limits;
        while self.may_read(&limits) {
            let rest = inbox.get(at..).unwrap_or_default();
            let Some(frame) = frame::take(rest, limits.message).map_err(|error| broken(&error))?
            else {
                break;
            };
            let message = Frontend::parse(frame.tag, frame.body).map_err(|error| broken(&error))?;
            if self.starts_segment(frame.tag) && self.refresh(core) {
                break;
            }
            match self.on_message(core, message, frame.bytes)? {
                Taken::Yes => at = at.saturating_add(frame.bytes.len()),
                Taken::NotYet => break,
                Taken::Terminated => {
                    self.flush(core);
                    return Ok(Next::Close("client"));
                }
            }
        }
        self.inbox = inbox.get(at..).unwrap_or_default().to_vec();
        if self.inbox.len() > limits.message.saturating_add(limits.ahead) {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "limit",
                format!(
                    "more than {} bytes were sent ahead of a waiting statement",
                    limits.ahead
                ),
            ));
        }
        Ok(Next::Stay)
    }

    fn may_read(&self, limits: &crate::Limits) -> bool {
        self.hold.is_none()
            && self.greeting.is_none()
            && self.outbox.held() <= limits.ahead
            && !matches!(self.expects.back(), Some(Expect::Refresh(_)))
    }

    /// Whether a frame of this kind opens a round, so that a query of our own can come before it.
    fn starts_segment(&self, kind: u8) -> bool {
        self.expects.is_empty()
            && self.batch.is_none()
            && !self.skipping
            && kind != tag::frontend::SYNC
            && kind != tag::frontend::TERMINATE
    }

    fn on_message(
        &mut self,
        core: &mut Core,
        message: Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        match message {
            Frontend::Query { sql } => self.on_query(core, sql, bytes),
            Frontend::Parse { name, sql, .. } => self.on_parse(core, name, sql, bytes),
            Frontend::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                ..
            } => {
                let bind = super::extended::Bind {
                    portal,
                    statement,
                    parameter_formats: &parameter_formats,
                    parameters: &parameters,
                };
                self.on_bind(core, bind, bytes)
            }
            Frontend::Describe { kind, name } => self.on_describe(kind, name, bytes),
            Frontend::Execute { portal, .. } => self.on_execute(core, portal, bytes),
            Frontend::Close { kind, name } => self.on_close(kind, name, bytes),
            Frontend::Sync => self.on_sync(bytes),
            Frontend::Flush => self.on_flush(bytes),
            Frontend::FunctionCall(_) => self.on_function_call(core),
            Frontend::Terminate => Ok(Taken::Terminated),
            // The server ignores these outside a COPY; here they go nowhere.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => Ok(Taken::Yes),
            Frontend::Password(_) => Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "a PasswordMessage came after the login".to_owned(),
            )),
        }
    }

    /// Sends a message, or keeps it back with the operation it belongs to.
    pub(super) fn send(&mut self, bytes: &[u8], expect: Option<Expect>) {
        match &mut self.batch {
            Some(batch) => {
                batch.bytes.extend_from_slice(bytes);
                batch.expects.extend(expect);
            }
            None => {
                self.outbox.tail().extend_from_slice(bytes);
                self.expects.extend(expect);
            }
        }
    }

    /// Sends what was kept back.
    pub(super) fn release_batch(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.outbox.tail().extend(batch.bytes);
            self.expects.extend(batch.expects);
        }
    }

    /// What `text` does, read with the settings that hold when the server reads it.
    pub(super) fn read(&mut self, text: &str) -> Rc<Analysis> {
        let unsettled = self.unsettled > self.answered;
        if unsettled && (text.contains('\\') || !text.is_ascii()) {
            let operation = Operation::unreadable(
                "a setting that changes how it is read may have changed just before it",
            );
            let statement = Statement {
                operation,
                outputs: Outputs::Unknown,
                named: None,
            };
            return Rc::new(Analysis {
                statements: vec![statement],
            });
        }
        let reading = Reading {
            standard_conforming_strings: !self.server.backslash_is_special,
            utf8: !self.server.not_utf8,
        };
        self.judge.analyze(text, reading)
    }

    /// The operations of `statements`, with names that stand for statements looked up.
    pub(super) fn resolve(&self, statements: &[Statement]) -> Vec<Operation> {
        let mut operations = Vec::with_capacity(statements.len());
        for statement in statements {
            let known: Vec<&Prepared> = match &statement.named {
                Some(Named::Execute { name }) => self
                    .statements
                    .get(name.as_bytes())
                    .unwrap_or_default()
                    .iter()
                    .map(Rc::as_ref)
                    .collect(),
                Some(Named::Fetch { name }) => self
                    .portals
                    .get(name.as_bytes())
                    .unwrap_or_default()
                    .iter()
                    .flat_map(|portal| portal.prepared.iter().map(Rc::as_ref))
                    .collect(),
                _ => Vec::new(),
            };
            if known.is_empty() {
                operations.push(statement.operation.clone());
            }
            // A prepared statement does not hold another EXECUTE: one step is enough.
            for prepared in known {
                operations.extend(
                    prepared
                        .statements
                        .iter()
                        .map(|inner| inner.operation.clone()),
                );
            }
        }
        operations
    }

    /// Judges `operations`; what cannot be carried yet is refused whatever policy says.
    pub(super) fn judge(&mut self, operations: &[Operation]) -> Judgement {
        let mut judgement = self.judge.judge(operations);
        let unsupported = operations
            .iter()
            .flat_map(|operation| &operation.accesses)
            .find_map(|access| match access.verb {
                Verb::CopyIn | Verb::CopyOut => Some("COPY through the gateway"),
                Verb::FunctionCall => Some("the FunctionCall message"),
                Verb::Replicate => Some("replication"),
                _ => None,
            });
        if let Some(what) = unsupported {
            judgement.rules = vec!["unsupported".to_owned()];
            judgement.verdict = Verdict::Deny(ostiary_policy::Denial {
                rule: "unsupported".to_owned(),
                reason: format!("{what} is not supported yet"),
            });
        }
        judgement
    }

    /// Whether the rows of these operations may carry a labelled value under another name.
    pub(super) fn taints(&self, operations: &[Operation]) -> bool {
        !self.masks.columns.is_empty()
            && operations.iter().any(|operation| {
                operation.facts.dynamic
                    || operation.facts.unreadable.is_some()
                    || operation
                        .accesses
                        .iter()
                        .any(|access| match &access.object {
                            Object::Relation { schema, name } => {
                                self.stale
                                    || self.catalogue.is_labelled(schema.as_deref(), name)
                                    || self
                                        .masks
                                        .columns
                                        .iter()
                                        .any(|(column, _)| column.table == *name)
                            }
                            Object::Function { .. } => true,
                            Object::Database
                            | Object::Schema { .. }
                            | Object::Setting { .. }
                            | Object::Role { .. }
                            | Object::Other { .. } => false,
                        })
            })
    }

    /// Records the judgement on an operation; returns its number and that of the event.
    pub(super) fn operated(
        &self,
        core: &mut Core,
        text: &str,
        judgement: &Judgement,
        parameters: &[Option<String>],
    ) -> (u64, u64) {
        let operation = core.journal.next_operation();
        let limit = core.config.limits.record_statement;
        let statement = match text.char_indices().find(|(at, _)| *at >= limit) {
            None => text,
            Some((end, _)) => text.get(..end).unwrap_or_default(),
        };
        let (verdict, reason) = match &judgement.verdict {
            Verdict::Allow => (ostiary_record::Verdict::Allow, String::new()),
            Verdict::Approve(demand) => (ostiary_record::Verdict::Approve, demand.reason.clone()),
            Verdict::Deny(denial) => (ostiary_record::Verdict::Deny, denial.reason.clone()),
        };
        let seq = core.record(Kind::Operated(Operated {
            operation,
            statement: statement.to_owned(),
            statement_size: u64::try_from(text.len()).unwrap_or(u64::MAX),
            statement_sha256: Sha256::digest(text).to_vec(),
            verb: judgement.verb.to_owned(),
            accesses: judgement.accesses.clone(),
            verdict: verdict.into(),
            rules: judgement.rules.clone(),
            reason,
            bundle: self.judge.bundle().hash().to_owned(),
            parameters: parameters
                .iter()
                .map(|value| Parameter {
                    value: value.clone(),
                })
                .collect(),
            observed: self.observes,
        }));
        (operation, seq)
    }

    /// Takes note of what an operation that goes to the server now changes about reading others.
    pub(super) fn forwarded(&mut self, judgement: &Judgement, operations: &[Operation]) {
        if judgement.reshapes {
            self.stale = !self.masks.columns.is_empty();
        }
        let sets = judgement.reshapes
            || operations
                .iter()
                .flat_map(|operation| &operation.accesses)
                .any(|access| {
                    matches!(access.verb, Verb::Set | Verb::SetRole)
                        && touches_reading(&access.object)
                });
        let ends = operations
            .iter()
            .any(|operation| operation.verb == Verb::Transaction);
        if sets || (ends && self.settings_changed) {
            self.unsettled = self.segment;
            self.settings_changed = true;
        }
    }
}

/// Whether a setting decides how statements are read.
fn touches_reading(object: &Object) -> bool {
    match object {
        Object::Setting { name } => {
            matches!(
                name.as_str(),
                "standard_conforming_strings" | "client_encoding" | "names" | "all"
            )
        }
        _ => true,
    }
}

fn broken(error: &ostiary_wire::Malformed) -> Fatal {
    Fatal::new(reply::PROTOCOL, "protocol", error.to_string())
}
