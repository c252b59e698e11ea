//! Filters that watch, and sessions they were told to end.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::broadcast;

use super::Sessions;
use crate::store::SessionId;

/// Revocations a filter may be behind; beyond that it is told all of them again.
const BEHIND: usize = 256;

/// A session that must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The session.
    pub session: SessionId,
    /// Its resource.
    pub resource: String,
    /// Why, for the client.
    pub reason: String,
}

#[derive(Debug)]
pub(super) struct Filters {
    watching: BTreeMap<String, u32>,
    /// Until the session has closed, so that a filter that was away hears of it too.
    revoked: BTreeMap<SessionId, Revoked>,
    news: broadcast::Sender<Revoked>,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            watching: BTreeMap::new(),
            revoked: BTreeMap::new(),
            news: broadcast::Sender::new(BEHIND),
        }
    }
}

impl Filters {
    pub(super) fn add(&mut self, resource: &str) -> broadcast::Receiver<Revoked> {
        let count = self.watching.entry(resource.to_owned()).or_default();
        *count = count.saturating_add(1);
        self.news.subscribe()
    }

    fn remove(&mut self, resource: &str) {
        if let Some(count) = self.watching.get_mut(resource) {
            *count = count.saturating_sub(1);
        }
    }

    pub(super) fn count(&self, resource: &str) -> u32 {
        self.watching.get(resource).copied().unwrap_or(0)
    }

    pub(super) fn revoke(&mut self, revoked: Revoked) {
        self.revoked.insert(revoked.session, revoked.clone());
        let _ = self.news.send(revoked);
    }

    pub(super) fn is_revoked(&self, id: SessionId) -> bool {
        self.revoked.contains_key(&id)
    }

    pub(super) fn forget(&mut self, id: SessionId) {
        self.revoked.remove(&id);
    }
}

/// One filter's place in the count, and its news.
#[derive(Debug)]
pub struct FilterGuard {
    sessions: Arc<Sessions>,
    resource: String,
    news: broadcast::Receiver<Revoked>,
}

impl FilterGuard {
    pub(super) fn new(
        sessions: Arc<Sessions>,
        resource: String,
        news: broadcast::Receiver<Revoked>,
    ) -> Self {
        Self {
            sessions,
            resource,
            news,
        }
    }

    /// Every session of the resource that must end and has not yet.
    pub fn standing(&self) -> Vec<Revoked> {
        let filters = self.sessions.lock();
        let ours = |revoked: &&Revoked| revoked.resource == self.resource;
        filters.revoked.values().filter(ours).cloned().collect()
    }

    /// The next sessions of the resource that must end; nothing for a while is normal.
    pub async fn next(&mut self) -> Vec<Revoked> {
        loop {
            match self.news.recv().await {
                Ok(revoked) if revoked.resource == self.resource => return vec![revoked],
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return self.standing(),
                // The sender lives as long as `sessions`.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Drop for FilterGuard {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.resource);
    }
}
