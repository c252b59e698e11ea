//! An open connection: what is known of it, and what happens to it as a whole.

use std::collections::VecDeque;
use std::rc::Rc;

use ostiary_mask::{HashKey, Rewriter};
use ostiary_policy::{Masks, Mode};
use ostiary_record::{ApprovalState, event::Kind};
use ostiary_wire::Inbox;
use ostiary_wire::postgres::{TransactionStatus, frontend};

use super::catalogue::Catalogue;
use super::copy::Copying;
use super::core::{Core, Fatal, encoded};
use super::expect::{Batch, Expect};
use super::hold::Hold;
use super::incoming::Incoming;
use super::judge::Judge;
use super::literals::MaskedTexts;
use super::names::{Names, Portal, Prepared};
use super::outbox::Outbox;
use super::rows::{Masker, RowPlan};
use super::{Next, reply};
use crate::{Effect, Now};

/// An open connection.
pub(super) struct Open {
    pub(super) judge: Judge,
    pub(super) server: Server,
    pub(super) observes: bool,
    /// The bundle masks something that this resource, which only observes, lets pass: the record must
    /// not hold it either.
    pub(super) hides_parameters: bool,
    expires_us: u64,

    /// What the bundle masks here for this principal.
    pub(super) labels: Rc<Masks>,
    /// What is masked: nothing on a resource that only observes.
    pub(super) masks: Rc<Masks>,
    /// Counts changes of `masks`.
    pub(super) masks_version: u64,
    hash_key: Rc<Vec<u8>>,
    pub(super) masker: Masker,
    /// What searches statements for the record where a resource only observes.
    pub(super) observer: Option<Masker>,
    /// Texts as they are put on record.
    pub(super) masked_texts: MaskedTexts,
    pub(super) catalogue: Rc<Catalogue>,
    /// The masks it was asked for.
    pub(super) catalogue_version: u64,
    /// The catalogue may be older than the schema or the bundle: what it calls clean is masked.
    pub(super) stale: bool,
    /// The catalogue should be asked for again, when there is time.
    pub(super) outdated: bool,
    /// When it was asked for last.
    pub(super) asked_at: Now,
    /// What the shared count of changes was then; nothing inside a transaction.
    pub(super) schema: Option<u64>,
    /// This session may have changed the schema since it asked.
    pub(super) own_ddl: bool,
    /// The segment that may have changed it, while other sessions were not told.
    pub(super) untold_ddl: Option<u64>,
    /// A refresh failed; the next one is tried in this segment.
    pub(super) refresh_from: u64,
    /// The relation that made the catalogue outdated: not a reason to ask again.
    pub(super) unknown_relation: u32,
    /// A labelled value may have been written into a setting.
    pub(super) settings_tainted: bool,
    /// The transaction has touched labelled values, which its end may quote.
    pub(super) transaction_tainted: bool,

    pub(super) statements: Names<Prepared>,
    pub(super) portals: Names<Portal>,
    /// Rounds of the protocol, each ended by Sync or one Query: the one being read, and the last one
    /// the server has answered.
    pub(super) segment: u64,
    pub(super) answered: u64,
    /// A round of the extended protocol is under way.
    pub(super) mid_segment: bool,
    /// An operation of this segment was refused: the rest of it is dropped, as the server would.
    pub(super) skipping: bool,
    /// Parse, Bind and Describe of an operation that will need an approval, kept back so that
    /// nothing of it reaches the server before.
    pub(super) batch: Option<Batch>,
    pub(super) hold: Option<Box<Hold>>,
    /// Texts read until this segment is answered may meet settings that are not known yet.
    pub(super) unsettled: u64,
    pub(super) settings_changed: bool,

    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    gate_deadline: Option<Now>,
    pub(super) expects: VecDeque<Expect>,

    pub(super) incoming: Incoming,
    pub(super) plan: Option<Rc<RowPlan>>,
    pub(super) copying: Option<Copying>,
    pub(super) status: TransactionStatus,
    /// The server's greeting, withheld until the catalogue is known.
    pub(super) greeting: Option<Vec<u8>>,
}

/// What the session knows of its server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) version: String,
    pub(super) backslash_is_special: bool,
    pub(super) not_utf8: bool,
    pub(super) database_not_utf8: bool,
    /// `client_encoding`.
    pub(super) encoding: String,
    pub(super) cancel_key: Option<[u8; 32]>,
}

/// What the login hands over.
pub(super) struct LoggedIn {
    pub(super) judge: Judge,
    pub(super) server: Server,
    pub(super) expires_us: u64,
    /// AuthenticationOk to ReadyForQuery.
    pub(super) greeting: Vec<u8>,
    /// What the client sent ahead.
    pub(super) ahead: Vec<u8>,
}

impl Server {
    /// Takes note of a ParameterStatus.
    pub(super) fn learn(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"server_version" => {
                let value = value.get(..64).unwrap_or(value);
                self.version = String::from_utf8_lossy(value).into_owned();
            }
            b"standard_conforming_strings" => self.backslash_is_special = value != b"on",
            b"client_encoding" => {
                self.not_utf8 = value != b"UTF8";
                let value = value.get(..64).unwrap_or(value);
                self.encoding = String::from_utf8_lossy(value).into_owned();
            }
            b"server_encoding" => self.database_not_utf8 = value != b"UTF8",
            _ => {}
        }
    }
}

impl Open {
    /// The login is done. Comes inside `from_server`.
    pub(super) fn start(core: &mut Core, login: LoggedIn, input: &[u8]) -> Self {
        let mut inbox = Inbox::default();
        inbox.push(&login.ahead);
        let no_key = || HashKey::new(Vec::new());
        let mut open = Self {
            judge: login.judge,
            server: login.server,
            observes: false,
            hides_parameters: false,
            expires_us: login.expires_us,
            labels: Rc::default(),
            masks: Rc::default(),
            masks_version: 0,
            hash_key: Rc::new(Vec::new()),
            masker: Masker::new(no_key(), Rewriter::new([], no_key())),
            observer: None,
            masked_texts: MaskedTexts::default(),
            catalogue: Rc::default(),
            catalogue_version: 0,
            stale: false,
            outdated: false,
            asked_at: core.now,
            schema: None,
            own_ddl: false,
            untold_ddl: None,
            refresh_from: 0,
            unknown_relation: 0,
            settings_tainted: false,
            transaction_tainted: false,
            statements: Names::default(),
            portals: Names::default(),
            segment: 1,
            answered: 0,
            mid_segment: false,
            skipping: false,
            batch: None,
            hold: None,
            unsettled: 0,
            settings_changed: false,
            inbox,
            outbox: Outbox::default(),
            gate_deadline: None,
            expects: VecDeque::new(),
            incoming: Incoming::default(),
            plan: None,
            copying: None,
            status: TransactionStatus::Idle,
            greeting: Some(login.greeting),
        };
        open.load_masks(core);
        if !open.refresh(core) {
            open.greet(core, input);
        }
        open.flush(core);
        open
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
        let masks = bundle.masks(self.judge.principal(), self.judge.target());
        self.hides_parameters =
            self.observes && !(masks.columns.is_empty() && masks.detectors.is_empty());
        self.labels = core.shared.masks(masks);
        self.masks = if self.observes {
            core.shared.masks(Masks::default())
        } else {
            Rc::clone(&self.labels)
        };
        self.masks_version = self.masks_version.saturating_add(1);
        self.stale = !self.labels.columns.is_empty();
        self.refresh_from = 0;
        self.hash_key = Rc::clone(&core.state.hash_key);
        self.masker = Masker::of(&self.masks, &self.hash_key);
        self.observer = self
            .observes
            .then(|| Masker::of(&self.labels, &self.hash_key));
    }

    pub(super) fn on_state(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let before = self.judge.bundle().hash().to_owned();
        let after = &core.state.bundle;
        self.judge.set_bundle(Rc::clone(after));
        // Without policy nothing new passes, yet rows may be on their way: the masks stay.
        let none = after.hash().is_empty();
        let same = after.hash() == before && self.hash_key == core.state.hash_key;
        if none {
            self.observes = false;
        } else if !same {
            self.load_masks(core);
        }
        Ok(Next::Stay)
    }

    pub(super) fn on_recorded(&mut self, core: &mut Core, seq: u64) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        self.outbox.recorded(seq);
        // An acknowledgement shows that records are stored: what waits behind it gets its time anew.
        self.gate_deadline = self
            .outbox
            .waits()
            .then(|| core.now.after(core.config.limits.record_us));
        self.pump_and_flush(core)
    }

    /// Hands what may go to the server to the shell.
    pub(super) fn flush(&mut self, core: &mut Core) {
        let ready = self.outbox.take();
        core.send_to_server(ready);
        if self.outbox.waits() && self.gate_deadline.is_none() {
            self.gate_deadline = Some(core.now.after(core.config.limits.record_us));
        }
    }

    pub(super) fn deadline(&self) -> Option<Now> {
        let expires = (self.expires_us > 0).then_some(Now(self.expires_us));
        let hold = self.hold.as_ref().and_then(|hold| hold.deadline());
        [expires, self.gate_deadline, hold]
            .into_iter()
            .flatten()
            .min()
    }

    /// Nothing more is let through once the token has expired, whenever the timer fires.
    pub(super) fn still_valid(&self, core: &Core) -> Result<(), Fatal> {
        if self.expires_us == 0 || core.now.0 < self.expires_us {
            return Ok(());
        }
        Err(Fatal::new(
            reply::LOGIN,
            "login",
            "the token has expired; connect again with a fresh one".to_owned(),
        ))
    }

    pub(super) fn on_timeout(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        if self
            .gate_deadline
            .is_some_and(|deadline| core.now >= deadline)
        {
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
    pub(super) fn elicit(&mut self) -> Vec<u8> {
        self.outbox.clear();
        encoded(frontend::encode::sync)
    }

    /// Bytes of a row the client has got the first part of.
    pub(super) fn passing(&self) -> usize {
        self.incoming.passing
    }

    /// Nobody is there any more.
    pub(super) fn abandon(&mut self, core: &mut Core) {
        self.outbox.clear();
        if self.untold_ddl.take().is_some() {
            core.shared.change_schema();
        }
        self.end_hold(core, "the session ended");
    }

    /// Ends a wait that nobody cares for any more.
    pub(super) fn end_hold(&mut self, core: &mut Core, why: &str) {
        if let Some(hold) = self.hold.take() {
            core.effects.push_back(Effect::CancelApproval);
            core.record(Kind::ApprovalResolved(hold.resolved(
                ApprovalState::Cancelled,
                Vec::new(),
                why.to_owned(),
            )));
        }
    }
}
