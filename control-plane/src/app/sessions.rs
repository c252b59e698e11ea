//! Sessions: opened by a verified login, found, read, ended.

mod filters;
mod login;
mod read;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ostiary_proto::Session;

pub use filters::{FilterGuard, Revoked};
pub use login::{Login, LoginRequest};
pub use read::{Found, SearchQuery};

use super::{Error, ingest::Ingest};
use crate::{
    config::{self, Config},
    identity::Verifier,
    store::{SessionId, SessionRow, Store},
};
use filters::Filters;

/// Shortest prefix that stands for an id.
const MIN_PREFIX: usize = 4;
/// Sessions in one answer, unless asked for fewer.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Opens, finds and ends sessions.
#[derive(Debug)]
pub struct Sessions {
    resources: BTreeMap<String, config::Resource>,
    store: Arc<dyn Store>,
    verifier: Arc<Verifier>,
    ingest: Ingest,
    filters: Mutex<Filters>,
}

/// Which sessions to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Of this resource; empty for all.
    pub resource: String,
    /// Of this subject; empty for all.
    pub subject: String,
    /// Only those still open.
    pub open: bool,
    /// At most so many; 0 for 100, never more than 1000.
    pub limit: usize,
}

impl Sessions {
    pub(super) fn new(
        config: &Config,
        store: Arc<dyn Store>,
        verifier: Arc<Verifier>,
        ingest: Ingest,
    ) -> Self {
        let resources = config.resources.iter();
        Self {
            resources: resources
                .map(|resource| (resource.name.clone(), resource.clone()))
                .collect(),
            store,
            verifier,
            ingest,
            filters: Mutex::default(),
        }
    }

    /// Sessions, newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<Session>, Error> {
        let limit = match query.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let wanted = |session: &Session| {
            (query.resource.is_empty() || session.resource == query.resource)
                && (query.subject.is_empty() || session.subject == query.subject)
        };
        if query.open {
            let rows = self.store.open_sessions().await?;
            let mut sessions: Vec<Session> = rows
                .into_iter()
                .map(|row| row.session)
                .filter(wanted)
                .collect();
            sessions.sort_by_key(|session| std::cmp::Reverse(session.opened_us));
            sessions.truncate(limit);
            return Ok(sessions);
        }
        let mut sessions = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.sessions(after, DEFAULT_LIMIT).await?;
            let Some(last) = page.last() else {
                return Ok(sessions);
            };
            after = Some(place(last)?);
            for row in page {
                if wanted(&row.session) {
                    sessions.push(row.session);
                }
                if sessions.len() == limit {
                    return Ok(sessions);
                }
            }
        }
    }

    /// The session of an id, or of a prefix that only one id has.
    pub async fn get(&self, id: &str) -> Result<SessionRow, Error> {
        if id.len() < MIN_PREFIX || SessionId::range_of(id).is_err() {
            let message = "a session id is 32 hex digits; a prefix of at least 4 is enough";
            return Err(Error::Invalid(message.to_owned()));
        }
        let mut rows = self.store.sessions_with_prefix(id, 2).await?;
        match (rows.pop(), rows.pop()) {
            (None, _) => Err(Error::NotFound(format!("no session `{id}`"))),
            (Some(row), None) => Ok(row),
            (Some(_), Some(_)) => Err(Error::Invalid(format!(
                "several sessions begin with `{id}`; give more of the id"
            ))),
        }
    }

    /// Tells the session's filter to close it; a filter that is away is told when it comes back.
    pub(super) async fn kill(&self, id: &str, reason: &str) -> Result<SessionId, Error> {
        if reason.len() > 1000 || reason.chars().any(char::is_control) {
            let message = "a reason has at most 1000 bytes and no control characters";
            return Err(Error::Invalid(message.to_owned()));
        }
        let row = self.get(id).await?;
        let session = row.session;
        if session.closed_us != 0 {
            let message = format!("session `{}` is closed already", session.id);
            return Err(Error::TooLate(message));
        }
        let id = session.id.parse().map_err(|_| Error::Task)?;
        tracing::info!(session = %session.id, resource = %session.resource, "session killed");
        self.lock().revoke(Revoked {
            session: id,
            resource: session.resource,
            reason: reason.to_owned(),
        });
        Ok(id)
    }

    /// A filter begins to watch a resource: the guard counts it until it is dropped.
    pub fn watch(self: &Arc<Self>, resource: &str) -> Result<FilterGuard, Error> {
        if !self.resources.contains_key(resource) {
            return Err(Error::NotFound(format!("no resource `{resource}`")));
        }
        let revoked = self.lock().add(resource);
        Ok(FilterGuard::new(self.clone(), resource.to_owned(), revoked))
    }

    /// Filters that watch a resource now.
    pub fn filters(&self, resource: &str) -> u32 {
        self.lock().count(resource)
    }

    /// The session has closed: nothing need be known of it here.
    pub(super) fn forget(&self, id: SessionId) {
        self.lock().forget(id);
    }

    fn lock(&self) -> MutexGuard<'_, Filters> {
        self.filters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a session stands in lists.
fn place(row: &SessionRow) -> Result<(u64, SessionId), Error> {
    let id = row.session.id.parse();
    let id = id.map_err(|_| crate::store::StoreError::Corrupt("session id"))?;
    Ok((row.session.opened_us, id))
}
