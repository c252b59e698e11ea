//! The requester's side: a question, the wait, and every way it can end.

use std::sync::Arc;

use ostiary_proto::{Approval, Difference, RequestApprovalRequest};
use ostiary_record::ApprovalState;
use tokio::sync::{MutexGuard, mpsc, watch};

use super::{
    Approvals, Error, Wait,
    batch::{self, Asked, Found},
    keep::{Keep, Key},
    rules,
};
use crate::{
    random,
    store::{ApprovalRow, SessionId},
};

/// Bytes of statement and parameters that people can be asked to read.
const MAX_STATEMENT: usize = 256 << 10;
/// Questions one requester can have open: more would only tire reviewers.
const MAX_PENDING_OF_ONE: usize = 16;
const MAX_PENDING: usize = 4096;
const MAX_APPROVALS: usize = 16;

/// News of a question: pending first, then how it ended, unless it outlives the call.
pub type Question = mpsc::Receiver<News>;

/// One piece of news.
#[derive(Debug)]
pub struct News {
    /// The approval as it is now.
    pub row: ApprovalRow,
    /// Nothing more is said: an equal question takes the answer.
    pub outlives_call: bool,
}

impl News {
    pub(super) fn of(row: ApprovalRow) -> Self {
        Self {
            row,
            outlives_call: false,
        }
    }
}

/// What a CancelRequest found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// The key belongs to a live session of the resource.
    pub known: bool,
    /// That session was waiting, and does no longer.
    pub waited: bool,
}

impl Approvals {
    /// Asks people. Dropping the answer cancels the question.
    pub async fn ask(self: &Arc<Self>, request: RequestApprovalRequest) -> Result<Question, Error> {
        let id: SessionId = request
            .session_id
            .parse()
            .map_err(|_| Error::Invalid("a session id is 32 lower-case hex digits".to_owned()))?;
        let session = match self.store.session(id).await? {
            Some(row) if row.verified && row.session.closed_us == 0 => row.session,
            _ => return Err(Error::TooLate(format!("session `{id}` is not open"))),
        };
        if session.resource != request.resource {
            return Err(Error::Invalid(
                "the session is of another resource".to_owned(),
            ));
        }
        check_size(&request)?;
        let running = self.policies.running();
        let running = running.ok_or_else(|| Error::TooLate("no policy is running".to_owned()))?;
        let (mut hold_us, mut grant_us) = (u64::MAX, u64::MAX);
        for name in &request.approvals {
            let rule = running.bundle.approval(name).ok_or_else(|| {
                Error::TooLate(format!("approval `{name}` is not in the running policy"))
            })?;
            hold_us = hold_us.min(rule.hold_us);
            grant_us = grant_us.min(rule.grant_us);
        }
        let now = self.clock.now_us();
        let key = Key::new(&session, &request);
        let changing = self.changing.lock().await;
        if let Some(question) = self
            .answer_again(&key, grant_us, request.outlives_call)
            .await?
        {
            return Ok(question);
        }
        let again = request.comes_again.then(|| key.clone());
        if let Some(key) = &again
            && let Some(question) = self.denied_just_now(key).await?
        {
            return Ok(question);
        }
        let mut batch = Asked::of(&running, &session, &request);
        if let Some(asked) = &batch {
            match self.answer_of_batch(asked).await? {
                Found::Granted(question) => return Ok(question),
                Found::Pending => batch = None,
                Found::Nothing => {}
            }
        }
        let kept = (request.outlives_call && grant_us > 0).then(|| Keep {
            key,
            until_us: now.saturating_add(hold_us).saturating_add(grant_us),
        });
        let mut row = ApprovalRow {
            on_behalf_of: session.on_behalf_of,
            approval: Approval {
                id: random::readable_id()?,
                state: ApprovalState::Pending.into(),
                session_id: session.id,
                issuer: session.issuer,
                subject: session.subject,
                groups: session.groups,
                resource: request.resource.clone(),
                database: request.database,
                role: request.role,
                who: rules::who(&running.bundle, &request.approvals),
                approvals: request.approvals,
                statement: request.statement,
                parameters: request.parameters,
                verb: request.verb,
                accesses: request.accesses,
                rule: request.rule,
                reason: request.reason,
                digest: request.digest,
                requested_us: now,
                expires_us: now.saturating_add(hold_us),
                decisions: Vec::new(),
                batch: None,
                difference: request.difference.map(bounded),
            },
            ..ApprovalRow::default()
        };
        self.remember_key(&request.resource, &request.cancel_key_sha256, id);
        if let Some(asked) = batch {
            let mut whole = row.clone();
            asked.put_on(&mut whole);
            if self.keep_batch(asked, &whole, now) {
                row = whole;
            }
        }
        if let Some(key) = again {
            self.expect_again(key, &row);
        }
        self.begin(id, row, kept, changing).await
    }

    async fn begin(
        self: &Arc<Self>,
        session: SessionId,
        mut row: ApprovalRow,
        keep: Option<Keep>,
        changing: MutexGuard<'_, ()>,
    ) -> Result<Question, Error> {
        let now = row.approval.requested_us;
        let requester = (row.approval.issuer.clone(), row.approval.subject.clone());
        let rows = watch::Sender::new(row.clone());
        let changed = rows.subscribe();
        {
            let mut waits = self.waits();
            let own = waits
                .pending
                .values()
                .filter(|wait| wait.requester == requester);
            if own.count() >= MAX_PENDING_OF_ONE || waits.pending.len() >= MAX_PENDING {
                let message = "too many approvals are pending already";
                return Err(Error::TooMany(message.to_owned()));
            }
            let wait = Wait {
                session,
                requester,
                row: rows,
                outlives_call: false,
            };
            waits.pending.insert(row.approval.id.clone(), wait);
        }
        if let Err(error) = self.put(&mut row).await {
            self.waits().pending.remove(&row.approval.id);
            return Err(error);
        }
        let outlives_call = keep.is_some_and(|keep| self.keep(keep, &row.approval.id, now));
        if let Some(wait) = self.waits().pending.get_mut(&row.approval.id) {
            wait.outlives_call = outlives_call;
        }
        drop(changing);
        let approval = &row.approval;
        tracing::info!(approval = %approval.id, session = %approval.session_id, rule = %approval.rule, "approval asked");
        let (news, question) = mpsc::channel(2);
        let _ = news.try_send(News {
            row: row.clone(),
            outlives_call,
        });
        let news = (!outlives_call).then_some(news);
        let waiter = self.clone();
        self.tasks.tracker.spawn(async move {
            waiter.wait(row, changed, news).await;
        });
        Ok(question)
    }

    /// Until it is decided, or nobody waits, or time is up. Without `news`, nobody need wait.
    async fn wait(
        &self,
        row: ApprovalRow,
        mut changed: watch::Receiver<ApprovalRow>,
        news: Option<mpsc::Sender<News>>,
    ) {
        use ApprovalState::{Cancelled, Expired, Lost};
        let id = &row.approval.id;
        let tell = async |row: ApprovalRow| {
            if let Some(news) = &news {
                let _ = news.send(News::of(row)).await;
            }
        };
        let left = async {
            match &news {
                Some(news) => news.closed().await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            let row = changed.wait_for(|row| !is_pending(row)).await;
            row.ok().map(|row| row.clone())
        };
        let ending = tokio::select! {
            biased;
            row = ended => {
                if let Some(row) = row {
                    tell(row).await;
                }
                return;
            }
            () = left => (Cancelled, "the requester went away"),
            () = self.clock.sleep_until(row.approval.expires_us) => (Expired, "nobody decided in time"),
            () = self.tasks.stop.cancelled() => (Lost, "the control plane was stopped"),
        };
        let (state, why) = ending;
        match self.end(id, state, why).await {
            Ok(Some(row)) => tell(row).await,
            // Somebody decided at this very moment: theirs is the outcome.
            Ok(None) => {
                let row = changed.borrow().clone();
                tell(row).await;
            }
            Err(error) => {
                let cause = crate::telemetry::chain(&error);
                tracing::error!(approval = %id, cause, "the end of an approval could not be stored");
                self.waits().pending.remove(id);
            }
        }
    }

    /// Ends a pending approval without a decision; `None` if it had ended already.
    async fn end(
        &self,
        id: &str,
        state: ApprovalState,
        why: &str,
    ) -> Result<Option<ApprovalRow>, Error> {
        let _changing = self.changing.lock().await;
        let Some(mut row) = self.store.approval(id).await? else {
            return Ok(None);
        };
        if row.approval.state() != ApprovalState::Pending {
            return Ok(None);
        }
        row.approval.set_state(state);
        why.clone_into(&mut row.ended);
        self.put(&mut row).await?;
        tracing::info!(approval = %id, why, "approval ended");
        Ok(Some(row))
    }

    /// A CancelRequest came for the session with this backend key.
    pub async fn cancel_wait(&self, resource: &str, key: &[u8]) -> Result<Waited, Error> {
        let Some(key) = usable_key(key) else {
            return Ok(Waited::default());
        };
        let session = {
            let waits = self.waits();
            waits.keys.get(&(resource.to_owned(), key)).copied()
        };
        match session {
            None => Ok(Waited::default()),
            Some(session) => Ok(Waited {
                known: true,
                waited: self.cancel(session, "the requester cancelled").await?,
            }),
        }
    }

    /// The session is gone, and its backend key with it.
    pub(in crate::app) async fn session_closed(&self, session: SessionId) {
        self.waits().keys.retain(|_, owner| *owner != session);
        if let Err(error) = self.cancel(session, "the session ended").await {
            let cause = crate::telemetry::chain(&error);
            tracing::error!(%session, cause, "approvals of a closed session could not be cancelled");
        }
    }

    /// True if something was pending.
    async fn cancel(&self, session: SessionId, why: &str) -> Result<bool, Error> {
        let pending: Vec<String> = {
            let waits = self.waits();
            let own = waits
                .pending
                .iter()
                .filter(|(_, wait)| wait.session == session && !wait.outlives_call);
            own.map(|(id, _)| id.clone()).collect()
        };
        let mut cancelled = false;
        for id in pending {
            let ended = self.end(&id, ApprovalState::Cancelled, why).await?;
            cancelled |= ended.is_some();
        }
        Ok(cancelled)
    }

    /// Lets a CancelRequest find its session.
    pub fn remember_key(&self, resource: &str, key: &[u8], session: SessionId) {
        if let Some(key) = usable_key(key) {
            self.waits()
                .keys
                .insert((resource.to_owned(), key), session);
        }
    }
}

pub(super) fn is_pending(row: &ApprovalRow) -> bool {
    row.approval.state() == ApprovalState::Pending
}

/// All zeros stand for a key that is not known yet.
fn usable_key(key: &[u8]) -> Option<[u8; 32]> {
    <[u8; 32]>::try_from(key).ok().filter(|key| *key != [0; 32])
}

/// The difference, if it is not more than people are to read.
fn bounded(difference: Difference) -> Difference {
    match prost::Message::encoded_len(&difference) > MAX_STATEMENT {
        true => Difference {
            missing: "it is too large".to_owned(),
            ..Difference::default()
        },
        false => difference,
    }
}

fn check_size(request: &RequestApprovalRequest) -> Result<(), Error> {
    let parameters = request
        .parameters
        .iter()
        .filter_map(|one| one.value.as_ref());
    let bytes = parameters.fold(request.statement.len(), |sum, value| {
        sum.saturating_add(value.len())
    });
    if bytes > MAX_STATEMENT {
        let message = "the statement and its parameters are longer than people can review: 256 KiB";
        return Err(Error::Invalid(message.to_owned()));
    }
    if request.approvals.is_empty() || request.approvals.len() > MAX_APPROVALS {
        return Err(Error::Invalid("1 to 16 approvals can be asked".to_owned()));
    }
    if let Some(run) = &request.run {
        batch::check(run)?;
    }
    if request.digest.len() != 32 {
        return Err(Error::Invalid("a digest is 32 bytes".to_owned()));
    }
    Ok(())
}
