//! Questions that outlive their call: a client that will not wait asks again later, and the equal
//! question takes the answer, once. And questions that clients ask again at once when they are denied,
//! which people have answered already.
//!
//! Kept in memory only: after a restart people are asked anew. Everything here happens under the lock
//! of changes, so that of two equal questions one takes the answer.

use std::{collections::BTreeMap, sync::Arc};

use ostiary_proto::{RequestApprovalRequest, Session};
use ostiary_record::ApprovalState;
use tokio::sync::{mpsc, watch};

use super::{
    Approvals, Error,
    ask::{News, Question, is_pending},
};
use crate::store::ApprovalRow;

/// Answers kept at a time.
const MAX_KEPT: usize = 4096;
/// How long a denial answers the equal question that comes again at once, microseconds.
const AGAIN_US: u64 = 10_000_000;

/// By question; the approval's id and when it can be forgotten.
pub(super) type Kept = BTreeMap<Key, (String, u64)>;

/// What makes two questions equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    who: [String; 3],
    resource: String,
    approvals: Vec<String>,
    digest: Vec<u8>,
}

/// A question to keep.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) key: Key,
    pub(super) until_us: u64,
}

impl Key {
    pub(super) fn new(session: &Session, request: &RequestApprovalRequest) -> Self {
        let Session {
            issuer,
            subject,
            on_behalf_of,
            ..
        } = session;
        let mut approvals = request.approvals.clone();
        approvals.sort_unstable();
        Self {
            who: [issuer.clone(), subject.clone(), on_behalf_of.clone()],
            resource: request.resource.clone(),
            approvals,
            digest: request.digest.clone(),
        }
    }
}

impl Approvals {
    /// Keeps a question; false if too many are. The caller holds `changing`.
    pub(super) fn keep(&self, keep: Keep, id: &str, now: u64) -> bool {
        let mut waits = self.waits();
        waits.kept.retain(|_, (_, until_us)| now < *until_us);
        if waits.kept.len() >= MAX_KEPT {
            return false;
        }
        waits.kept.insert(keep.key, (id.to_owned(), keep.until_us));
        true
    }

    /// What came of an equal question that was kept; `None` if it has to be asked. The caller holds
    /// `changing`.
    pub(super) async fn answer_again(
        self: &Arc<Self>,
        key: &Key,
        grant_us: u64,
        outlives_call: bool,
    ) -> Result<Option<Question>, Error> {
        let kept = self.waits().kept.get(key).map(|(id, _)| id.clone());
        let Some(id) = kept else { return Ok(None) };
        let row = self.store.approval(&id).await?;
        let now = self.clock.now_us();
        let Some(row) = row.filter(|row| is_usable(row, now, grant_us)) else {
            self.waits().kept.remove(key);
            return Ok(None);
        };
        let (news, question) = mpsc::channel(2);
        let changed = self
            .waits()
            .pending
            .get(&id)
            .map(|wait| wait.row.subscribe());
        if let Some(changed) = changed.filter(|_| is_pending(&row)) {
            let _ = news.try_send(News { row, outlives_call });
            if !outlives_call {
                let (waiter, key) = (self.clone(), key.clone());
                self.tasks.tracker.spawn(async move {
                    waiter.wait_for_kept(&key, changed, news).await;
                });
            }
            return Ok(Some(question));
        }
        // An approval is used up here; a refusal stands until the question would have expired.
        if row.approval.state() == ApprovalState::Approved {
            self.waits().kept.remove(key);
            tracing::info!(approval = %id, "approval used");
        }
        tell(&news, row);
        Ok(Some(question))
    }

    /// Remembers a question that comes again at once if it is denied. The caller holds `changing`.
    pub(super) fn expect_again(&self, key: Key, row: &ApprovalRow) {
        let now = row.approval.requested_us;
        let until_us = row.approval.expires_us.saturating_add(AGAIN_US);
        let mut waits = self.waits();
        waits
            .coming_again
            .retain(|_, (_, until_us)| now < *until_us);
        // Beyond that people are asked twice.
        if waits.coming_again.len() < MAX_KEPT {
            let id = row.approval.id.clone();
            waits.coming_again.insert(key, (id, until_us));
        }
    }

    /// The denial of an equal question just now; never anything that lets it go on. The caller holds
    /// `changing`.
    pub(super) async fn denied_just_now(&self, key: &Key) -> Result<Option<Question>, Error> {
        let known = self.waits().coming_again.get(key).map(|(id, _)| id.clone());
        let Some(id) = known else { return Ok(None) };
        let now = self.clock.now_us();
        let row = self.store.approval(&id).await?.filter(|row| {
            let decided_us = row.approval.decisions.last().map_or(0, |last| last.time_us);
            row.approval.state() == ApprovalState::Denied
                && now < decided_us.saturating_add(AGAIN_US)
        });
        let Some(row) = row else { return Ok(None) };
        let (news, question) = mpsc::channel(2);
        tell(&news, row);
        Ok(Some(question))
    }

    /// A client that waits for a question somebody else asked.
    async fn wait_for_kept(
        &self,
        key: &Key,
        mut changed: watch::Receiver<ApprovalRow>,
        news: mpsc::Sender<News>,
    ) {
        let ended = async {
            let row = changed.wait_for(|row| !is_pending(row)).await;
            row.ok().map(|row| row.clone())
        };
        let row = tokio::select! {
            row = ended => row,
            () = news.closed() => return,
        };
        let Some(mut row) = row else { return };
        if row.approval.state() == ApprovalState::Approved {
            let _changing = self.changing.lock().await;
            // Whoever is still there when it is given takes it.
            let id = &row.approval.id;
            let mut waits = self.waits();
            let is_kept = waits.kept.get(key).is_some_and(|(kept, _)| kept == id);
            if is_kept && !news.is_closed() {
                waits.kept.remove(key);
                tracing::info!(approval = %id, "approval used");
            } else {
                drop(waits);
                row.approval.set_state(ApprovalState::Cancelled);
                "another request used the approval".clone_into(&mut row.ended);
            }
        }
        let _ = news.send(News::of(row)).await;
    }
}

/// All there is to say of a question that has been answered.
fn tell(news: &mpsc::Sender<News>, row: ApprovalRow) {
    let mut pending = row.clone();
    pending.approval.set_state(ApprovalState::Pending);
    let _ = news.try_send(News::of(pending));
    let _ = news.try_send(News::of(row));
}

/// Whether a question that was asked still has something to say.
fn is_usable(row: &ApprovalRow, now: u64, grant_us: u64) -> bool {
    let approval = &row.approval;
    match approval.state() {
        ApprovalState::Pending | ApprovalState::Denied => now < approval.expires_us,
        ApprovalState::Approved => {
            let decided_us = approval.decisions.last().map_or(0, |last| last.time_us);
            now < decided_us.saturating_add(grant_us)
        }
        ApprovalState::Unspecified
        | ApprovalState::Expired
        | ApprovalState::Cancelled
        | ApprovalState::Lost => false,
    }
}
