//! Approvals that cover more than the request they were asked for: others of the same run of a client
//! that are alike but for their object, up to a number and for a time.
//!
//! Which approval a run has is kept in memory only, so that after a restart people are asked anew; how
//! often it was used is in the store before a request hears of it. All of it happens under the lock of
//! changes, which every request of every filter passes, so that no race uses an approval too often.

use std::{collections::BTreeMap, sync::Arc};

use ostiary_policy as policy;
use ostiary_proto::{Batch, RequestApprovalRequest, Run, Session};
use ostiary_record::ApprovalState;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{
    Approvals, Error,
    ask::{News, Question},
};
use crate::{app::policies::Running, store::ApprovalRow};

/// Runs known at a time; those beyond ask for each request.
const MAX_BATCHES: usize = 4096;
/// Bytes of what a client says of its run.
const MAX_WORDS: usize = 128;
const MAX_RULES: usize = 64;

/// By run; the approval's id and when it can be forgotten.
pub(super) type Batches = BTreeMap<Key, (String, u64)>;

/// What the requests of a batch have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    who: [String; 3],
    session: String,
    resource: String,
    approvals: Vec<String>,
    verb: String,
    place: [String; 2],
    rules: Vec<String>,
    bundle: String,
    run: String,
    likeness: Vec<u8>,
}

/// A batch to ask for.
#[derive(Debug)]
pub(super) struct Asked {
    key: Key,
    batch: Batch,
}

/// What a run has.
pub(super) enum Found {
    /// An approval, which this request has used.
    Granted(Question),
    /// A question that waits: it is for the others.
    Pending,
    /// Nothing, or nothing any more.
    Nothing,
}

impl Asked {
    /// What one approval may cover beside this request; `None` if nothing else.
    pub(super) fn of(
        running: &Running,
        session: &Session,
        request: &RequestApprovalRequest,
    ) -> Option<Self> {
        let run = request.run.as_ref()?;
        let mut limits = request.approvals.iter().map(|name| {
            let rule = running.bundle.approval(name);
            rule.and_then(|rule| rule.batch)
        });
        let first = limits.next()??;
        let limits = limits.try_fold(first, |all, one| Some(all.and(one?)))?;
        // A filter that has another bundle than the one that counts.
        if run.bundle != running.row.hash {
            return None;
        }
        let Session {
            issuer,
            subject,
            on_behalf_of,
            ..
        } = session;
        let mut approvals = request.approvals.clone();
        approvals.sort_unstable();
        let kind = match limits.any_kind {
            true => String::new(),
            false => run.kind.clone(),
        };
        let batch = Batch {
            covers: covers(&limits, request, run, &kind),
            requests: limits.requests,
            within_us: limits.within_us,
            verb: request.verb.clone(),
            namespace: run.namespace.clone(),
            kind: kind.clone(),
            rules: run.rules.clone(),
            bundle: run.bundle.clone(),
            run: run.id.clone(),
            command: run.command.clone(),
            ..Batch::default()
        };
        let key = Key {
            who: [issuer.clone(), subject.clone(), on_behalf_of.clone()],
            session: session.id.clone(),
            resource: request.resource.clone(),
            approvals,
            verb: request.verb.clone(),
            place: [run.namespace.clone(), kind],
            rules: run.rules.clone(),
            bundle: run.bundle.clone(),
            run: run.id.clone(),
            likeness: run.likeness.clone(),
        };
        Some(Self { key, batch })
    }

    /// Puts it on a question. The digest then is of the batch as well, so that nobody approves one
    /// who was not shown it.
    pub(super) fn put_on(&self, row: &mut ApprovalRow) {
        let mut digest = Sha256::new();
        digest.update(&row.approval.digest);
        digest.update(prost::Message::encode_to_vec(&self.batch));
        row.approval.digest = digest.finalize().to_vec();
        row.approval.batch = Some(self.batch.clone());
    }
}

impl Approvals {
    /// Remembers which question is for a batch; false if too many are. The caller holds `changing`.
    pub(super) fn keep_batch(&self, asked: Asked, row: &ApprovalRow, now: u64) -> bool {
        let expires_us = row.approval.expires_us;
        let until_us = expires_us.saturating_add(asked.batch.within_us);
        let mut waits = self.waits();
        waits.batches.retain(|_, (_, until_us)| now < *until_us);
        if waits.batches.len() >= MAX_BATCHES {
            return false;
        }
        let id = row.approval.id.clone();
        waits.batches.insert(asked.key, (id, until_us));
        true
    }

    /// Uses the approval that the run of this request has. The caller holds `changing`.
    pub(super) async fn answer_of_batch(self: &Arc<Self>, asked: &Asked) -> Result<Found, Error> {
        let known = self.waits().batches.get(&asked.key).cloned();
        let Some((id, _)) = known else {
            return Ok(Found::Nothing);
        };
        let row = self.store.approval(&id).await?;
        let now = self.clock.now_us();
        let state = row.as_ref().map(|row| row.approval.state());
        if state == Some(ApprovalState::Pending) {
            return Ok(Found::Pending);
        }
        let Some(mut row) = row.and_then(|row| used_once_more(row, now)) else {
            self.waits().batches.remove(&asked.key);
            return Ok(Found::Nothing);
        };
        self.put(&mut row).await?;
        tracing::info!(approval = %id, "approval of a batch used");
        let (news, question) = mpsc::channel(2);
        let mut pending = row.clone();
        pending.approval.set_state(ApprovalState::Pending);
        let _ = news.try_send(News::of(pending));
        let _ = news.try_send(News::of(row));
        Ok(Found::Granted(question))
    }
}

/// The approval with one more use on it; `None` if that is one too many, or too late.
fn used_once_more(mut row: ApprovalRow, now: u64) -> Option<ApprovalRow> {
    if row.approval.state() != ApprovalState::Approved {
        return None;
    }
    let batch = row.approval.batch.as_mut()?;
    if now >= batch.until_us || batch.used >= batch.requests {
        return None;
    }
    batch.used = batch.used.saturating_add(1);
    Some(row)
}

/// Somebody agrees to the one request alone.
pub(super) fn narrow(row: &mut ApprovalRow) {
    if let Some(batch) = row.approval.batch.as_mut() {
        batch.requests = 1;
    }
}

/// The approval was given just now.
pub(super) fn give(row: &mut ApprovalRow, now: u64) {
    if let Some(batch) = row.approval.batch.as_mut() {
        batch.used = 1;
        batch.until_us = now.saturating_add(batch.within_us);
    }
}

pub(super) fn check(run: &Run) -> Result<(), Error> {
    let words = [&run.id, &run.command];
    let is_plain = words
        .iter()
        .all(|it| it.len() <= MAX_WORDS && it.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let is_whole = !run.id.is_empty()
        && run.likeness.len() == 32
        && (1..=MAX_RULES).contains(&run.rules.len());
    match is_plain && is_whole {
        true => Ok(()),
        false => Err(Error::Invalid("a run is not described whole".to_owned())),
    }
}

/// In words, for people who decide.
fn covers(
    limits: &policy::Batch,
    request: &RequestApprovalRequest,
    run: &Run,
    kind: &str,
) -> String {
    let of = match kind {
        "" => "of any kind".to_owned(),
        kind => format!("of the kind {kind}"),
    };
    let place = match run.namespace.as_str() {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    let rules = match run.rules.as_slice() {
        [rule] => format!("the rule {rule}"),
        rules => format!("the rules {}", rules.join(", ")),
    };
    let words = match run.command.as_str() {
        "" => String::new(),
        command => format!(" (in its words: {command})"),
    };
    format!(
        "{} requests in all, this one among them, within {} s of the decision: {} on one object each, \
         {of}{place}, that differ from this one in nothing but the object, asked about by {rules}, \
         of this agent, session and run of the client{words}",
        limits.requests,
        limits.within_us / 1_000_000,
        request.verb,
    )
}
