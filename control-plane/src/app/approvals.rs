//! Questions to people: asked, seen, decided, ended.
//!
//! Every change of an approval goes through one lock and is on disk before anybody hears of it, so
//! that two reviewers, the clock and a requester who leaves cannot all win.

mod ask;
mod batch;
mod decide;
mod keep;
mod rules;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
};

use ostiary_proto::Approval;
use ostiary_record::ApprovalState;
use tokio::sync::{Mutex, broadcast, watch};

pub use ask::{News, Question, Waited};
pub use decide::Ballot;

use super::{
    Error, Tasks,
    access::{Operator, Role},
    policies::Policies,
};
use crate::{
    clock::Clock,
    store::{ApprovalRow, SessionId, Store, StoreError},
};

/// Changes a watcher may be behind; beyond that it is told everything pending again.
const BEHIND: usize = 256;
/// Shortest prefix that stands for an id.
const MIN_PREFIX: usize = 4;
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// Bytes of approvals in one list, below what a client takes in one message.
const MAX_LIST_BYTES: usize = 3 << 20;

/// Approvals of every session.
#[derive(Debug)]
pub struct Approvals {
    store: Arc<dyn Store>,
    policies: Arc<Policies>,
    clock: Clock,
    tasks: Tasks,
    /// Held from reading a row to having replaced it.
    changing: Mutex<()>,
    waits: StdMutex<Waits>,
    changes: broadcast::Sender<ApprovalRow>,
}

/// What is known only while sessions are alive.
#[derive(Debug, Default)]
struct Waits {
    /// By approval id.
    pending: BTreeMap<String, Wait>,
    /// Answers that equal questions may take: see [`keep`].
    kept: keep::Kept,
    /// Questions that come again at once if they are denied: see [`keep`].
    coming_again: keep::Kept,
    /// Approvals that requests of one run share: see [`batch`].
    batches: batch::Batches,
    /// Backend keys by which a CancelRequest finds its session.
    keys: BTreeMap<(String, [u8; 32]), SessionId>,
}

#[derive(Debug)]
struct Wait {
    session: SessionId,
    requester: (String, String),
    row: watch::Sender<ApprovalRow>,
    /// Nobody need wait for it.
    outlives_call: bool,
}

impl Approvals {
    pub(super) fn new(
        store: Arc<dyn Store>,
        policies: Arc<Policies>,
        clock: Clock,
        tasks: Tasks,
    ) -> Self {
        Self {
            store,
            policies,
            clock,
            tasks,
            changing: Mutex::default(),
            waits: StdMutex::default(),
            changes: broadcast::Sender::new(BEHIND),
        }
    }

    /// Nobody waits for what was pending when the process ended.
    pub(super) async fn end_those_of_the_last_run(&self) -> Result<(), StoreError> {
        for mut row in self.store.pending_approvals().await? {
            row.revision = row.revision.saturating_add(1);
            row.approval.set_state(ApprovalState::Lost);
            "the control plane was restarted".clone_into(&mut row.ended);
            self.store.put_approval(row).await?;
        }
        Ok(())
    }

    /// Approvals the operator may see, newest first.
    pub async fn list(
        &self,
        who: &Operator,
        all: bool,
        resource: &str,
        limit: usize,
    ) -> Result<Vec<Approval>, Error> {
        let limit = match limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let mut found = Vec::new();
        let mut bytes = 0_usize;
        let mut after = None;
        loop {
            let page = match all {
                true => self.store.approvals(after, DEFAULT_LIMIT).await?,
                false => self.pending_newest_first().await?,
            };
            let Some(last) = page.last() else {
                return Ok(found);
            };
            after = Some((last.approval.requested_us, last.approval.id.clone()));
            for row in page {
                let wanted = resource.is_empty() || row.approval.resource == resource;
                if !wanted || !self.may_see(who, &row) {
                    continue;
                }
                bytes = bytes.saturating_add(prost::Message::encoded_len(&row.approval));
                if bytes > MAX_LIST_BYTES {
                    return Ok(found);
                }
                found.push(row.approval);
                if found.len() == limit {
                    return Ok(found);
                }
            }
            if !all {
                return Ok(found);
            }
        }
    }

    /// The approval of an id, or of a prefix that only one id has.
    pub async fn get(&self, who: &Operator, id: &str) -> Result<Approval, Error> {
        let row = self.find(id).await?;
        match self.may_see(who, &row) {
            true => Ok(row.approval),
            // To others it does not exist.
            false => Err(missing(id)),
        }
    }

    /// What is pending now.
    pub async fn pending(&self, who: &Operator) -> Result<Vec<ApprovalRow>, Error> {
        let mut rows = self.store.pending_approvals().await?;
        rows.retain(|row| self.may_see(who, row));
        Ok(rows)
    }

    /// Every change from now on.
    pub fn changes(&self) -> broadcast::Receiver<ApprovalRow> {
        self.changes.subscribe()
    }

    /// Auditors see all; reviewers what they may decide or have decided.
    pub fn may_see(&self, who: &Operator, row: &ApprovalRow) -> bool {
        if who.roles.contains(&Role::Auditor) {
            return true;
        }
        let voted = row.voters.iter().any(|voter| {
            voter.issuer == who.principal.issuer && voter.subject == who.principal.subject
        });
        let may_decide = self.policies.running().is_some_and(|running| {
            !rules::given_by(&running.bundle, &row.approval.approvals, &who.principal).is_empty()
        });
        voted || may_decide
    }

    async fn find(&self, id: &str) -> Result<ApprovalRow, Error> {
        if id.len() < MIN_PREFIX {
            let message = "an approval id has 10 characters; a prefix of at least 4 is enough";
            return Err(Error::Invalid(message.to_owned()));
        }
        let mut rows = self.store.approvals_with_prefix(id, 2).await?;
        match (rows.pop(), rows.pop()) {
            (None, _) => Err(missing(id)),
            (Some(row), None) => Ok(row),
            (Some(_), Some(_)) => Err(Error::Invalid(format!(
                "several approvals begin with `{id}`; give more of the id"
            ))),
        }
    }

    async fn pending_newest_first(&self) -> Result<Vec<ApprovalRow>, Error> {
        let mut rows = self.store.pending_approvals().await?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.approval.requested_us));
        Ok(rows)
    }

    /// Writes a changed row, then tells everybody. The caller holds `changing`.
    async fn put(&self, row: &mut ApprovalRow) -> Result<(), Error> {
        row.revision = row.revision.saturating_add(1);
        self.store
            .put_approval(row.clone())
            .await
            .map_err(|error| match error {
                StoreError::Conflict => Error::TooLate("the approval changed meanwhile".to_owned()),
                error => error.into(),
            })?;
        let mut waits = self.waits();
        if let Some(wait) = waits.pending.get(&row.approval.id) {
            wait.row.send_replace(row.clone());
        }
        if row.approval.state() != ApprovalState::Pending {
            waits.pending.remove(&row.approval.id);
        }
        drop(waits);
        let _ = self.changes.send(row.clone());
        Ok(())
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(id: &str) -> Error {
    Error::NotFound(format!("no approval `{id}`"))
}
