//! The embedded store: one sled tree, so that one batch is atomic over everything.
//!
//! Keys begin with a letter for their kind and sort the way they are listed; times in indexes are
//! inverted, because lists are read newest first.

mod key;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ostiary_record::ApprovalState;
use prost::Message;

use super::{
    After, ApprovalRow, Batch, Chunk, PolicyRow, SessionId, SessionRow, Store, StoreError,
};

/// Raised when what is stored changes shape.
const FORMAT: u8 = 1;

/// A sled database in a directory of its own.
#[derive(Clone, Debug)]
pub struct SledStore {
    db: sled::Db,
    /// Held from reading a row to replacing it.
    replacing: Arc<Mutex<()>>,
}

impl SledStore {
    /// Opens or creates the database; another process that has it open is an error.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = sled::Config::new()
            .path(path)
            // Every write is flushed before it is acknowledged; a timer would only add to that.
            .flush_every_ms(None)
            .cache_capacity(64 << 20)
            .open()
            .map_err(failed)?;
        match db.get(key::FORMAT).map_err(failed)?.as_deref() {
            None => {
                db.insert(key::FORMAT, &[FORMAT]).map_err(failed)?;
                db.flush().map_err(failed)?;
            }
            Some([FORMAT]) => {}
            Some([found, ..]) => {
                let (found, known) = (*found, FORMAT);
                return Err(StoreError::Format { found, known });
            }
            Some([]) => return Err(StoreError::Corrupt("format")),
        }
        Ok(Self {
            db,
            replacing: Arc::default(),
        })
    }

    /// Runs `work` where it may block on the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|error| Err(StoreError::Failed(error.into())))
    }

    fn get<M: Message + Default>(
        &self,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<M>, StoreError> {
        let value = self.db.get(key).map_err(failed)?;
        value.map(|value| decode(&value, what)).transpose()
    }

    /// The rows that an index points to, from `start` (exclusive) on.
    fn indexed<M: Message + Default>(
        &self,
        prefix: u8,
        start: Option<Vec<u8>>,
        limit: usize,
        row_key: impl Fn(&[u8]) -> Option<Vec<u8>>,
        what: &'static str,
    ) -> Result<Vec<M>, StoreError> {
        let entries = match start {
            Some(start) => {
                let from = std::ops::Bound::Excluded(start);
                let to = std::ops::Bound::Excluded(vec![prefix + 1]);
                self.db.range((from, to))
            }
            None => self.db.scan_prefix([prefix]),
        };
        let mut rows = Vec::new();
        for entry in entries.take(limit) {
            let (index, _) = entry.map_err(failed)?;
            let key = row_key(&index).ok_or(StoreError::Corrupt("index"))?;
            rows.push(self.get(&key, what)?.ok_or(StoreError::Corrupt("index"))?);
        }
        Ok(rows)
    }

    fn commit(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.db.apply_batch(batch).map_err(failed)?;
        self.db.flush().map_err(failed)?;
        Ok(())
    }

    fn write_now(&self, batch: Batch) -> Result<(), StoreError> {
        let mut writes = sled::Batch::default();
        for chunk in batch.chunks {
            writes.insert(key::chunk(chunk.session, chunk.first_seq), chunk.events);
        }
        for write in batch.sessions {
            let session = &write.row.session;
            let id: SessionId = session
                .id
                .parse()
                .map_err(|_| StoreError::Corrupt("session id"))?;
            if write.reindex {
                writes.insert(key::session_time(session.opened_us, id), &[]);
                if session.closed_us == 0 {
                    writes.insert(key::open_session(id), &[]);
                } else {
                    writes.remove(key::open_session(id));
                }
            }
            writes.insert(key::session(id), write.row.encode_to_vec());
        }
        self.commit(writes)
    }

    fn put_approval_now(&self, row: &ApprovalRow) -> Result<(), StoreError> {
        let _replacing = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let approval = &row.approval;
        let stored = self.get::<ApprovalRow>(&key::approval(&approval.id), "approval")?;
        if stored.map_or(0, |row| row.revision).checked_add(1) != Some(row.revision) {
            return Err(StoreError::Conflict);
        }
        let mut writes = sled::Batch::default();
        writes.insert(key::approval(&approval.id), row.encode_to_vec());
        writes.insert(key::approval_time(approval.requested_us, &approval.id), &[]);
        if approval.state() == ApprovalState::Pending {
            writes.insert(key::pending_approval(&approval.id), &[]);
        } else {
            writes.remove(key::pending_approval(&approval.id));
        }
        self.commit(writes)
    }

    fn newest_policy(&self) -> Result<Option<PolicyRow>, StoreError> {
        let last = self.db.scan_prefix([key::POLICY]).next_back();
        let value = last.transpose().map_err(failed)?;
        value.map(|(_, value)| decode(&value, "policy")).transpose()
    }
}

#[tonic::async_trait]
impl Store for SledStore {
    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.run(|store| store.write_now(batch)).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.run(move |store| store.get(&key::session(id), "session"))
            .await
    }

    async fn sessions_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let Ok((first, last)) = SessionId::range_of(prefix) else {
            return Ok(Vec::new());
        };
        self.run(move |store| {
            let range = key::session(first)..=key::session(last);
            let rows = store.db.range(range).take(limit).map(|entry| {
                let (_, value) = entry.map_err(failed)?;
                decode(&value, "session")
            });
            rows.collect()
        })
        .await
    }

    async fn sessions(
        &self,
        after: After<SessionId>,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        self.run(move |store| {
            let start = after.map(|(time, id)| key::session_time(time, id));
            let row_key = |index: &[u8]| key::session_of_index(index).map(key::session);
            store.indexed(key::SESSION_TIME, start, limit, row_key, "session")
        })
        .await
    }

    async fn open_sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.run(|store| {
            let row_key = |index: &[u8]| key::session_of_index(index).map(key::session);
            store.indexed(key::OPEN_SESSION, None, usize::MAX, row_key, "session")
        })
        .await
    }

    async fn chunks(
        &self,
        session: SessionId,
        from_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Chunk>, StoreError> {
        self.run(move |store| {
            // The chunk that begins at or before `from_seq` may reach beyond it.
            let first = key::chunk(session, 0);
            let holding = store
                .db
                .range(first.clone()..=key::chunk(session, from_seq))
                .next_back()
                .transpose()
                .map_err(failed)?;
            let start = holding.map_or(first, |(key, _)| key.to_vec());
            let mut chunks = Vec::new();
            let mut bytes = 0_usize;
            for entry in store.db.range(start..=key::chunk(session, u64::MAX)) {
                let (key, value) = entry.map_err(failed)?;
                bytes = bytes.saturating_add(value.len());
                if bytes > max_bytes && !chunks.is_empty() {
                    break;
                }
                chunks.push(Chunk {
                    session,
                    first_seq: key::seq_of_chunk(&key).ok_or(StoreError::Corrupt("event key"))?,
                    events: value.to_vec(),
                });
            }
            Ok(chunks)
        })
        .await
    }

    async fn policy(&self, version: Option<u64>) -> Result<Option<PolicyRow>, StoreError> {
        self.run(move |store| match version {
            Some(version) => store.get(&key::policy(version), "policy"),
            None => store.newest_policy(),
        })
        .await
    }

    async fn add_policy(&self, row: PolicyRow) -> Result<(), StoreError> {
        self.run(move |store| {
            let _replacing = store
                .replacing
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let newest = store.newest_policy()?.map_or(0, |row| row.version);
            if newest.checked_add(1) != Some(row.version) {
                return Err(StoreError::Conflict);
            }
            let mut writes = sled::Batch::default();
            writes.insert(key::policy(row.version), row.encode_to_vec());
            store.commit(writes)
        })
        .await
    }

    async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
        let key = key::approval(id);
        self.run(move |store| store.get(&key, "approval")).await
    }

    async fn approvals_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        let key = key::approval(prefix);
        self.run(move |store| {
            let rows = store.db.scan_prefix(key).take(limit).map(|entry| {
                let (_, value) = entry.map_err(failed)?;
                decode(&value, "approval")
            });
            rows.collect()
        })
        .await
    }

    async fn approvals(
        &self,
        after: After<String>,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        self.run(move |store| {
            let start = after.map(|(time, id)| key::approval_time(time, &id));
            let row_key = |index: &[u8]| key::approval_of_time(index);
            store.indexed(key::APPROVAL_TIME, start, limit, row_key, "approval")
        })
        .await
    }

    async fn pending_approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        self.run(|store| {
            let row_key = |index: &[u8]| key::approval_of_pending(index);
            store.indexed(key::PENDING_APPROVAL, None, usize::MAX, row_key, "approval")
        })
        .await
    }

    async fn put_approval(&self, row: ApprovalRow) -> Result<(), StoreError> {
        self.run(move |store| store.put_approval_now(&row)).await
    }

    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        let key = key::secret(name);
        self.run(move |store| {
            let _replacing = store
                .replacing
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(secret) = store.db.get(&key).map_err(failed)? {
                return Ok(secret.to_vec());
            }
            let mut writes = sled::Batch::default();
            writes.insert(key, &fresh);
            store.commit(writes)?;
            Ok(fresh.to_vec())
        })
        .await
    }
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Failed(Box::new(error))
}

fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, StoreError> {
    M::decode(bytes).map_err(|_| StoreError::Corrupt(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::store::conformance::suite!(|dir: &Path| reopen(dir).unwrap());

    /// Opens a store; sled's own threads let go of one that was dropped a moment later.
    fn reopen(dir: &Path) -> Result<SledStore, StoreError> {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            match SledStore::open(dir) {
                Err(StoreError::Failed(_)) if std::time::Instant::now() < until => {
                    std::thread::yield_now();
                }
                opened => return opened,
            }
        }
    }

    #[tokio::test]
    async fn refuses_a_store_of_another_format() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path()).unwrap();
        store.db.insert(key::FORMAT, &[9]).unwrap();
        drop(store);
        let error = reopen(dir.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store has format 9, this version reads 1"
        );
    }

    #[tokio::test]
    async fn refuses_a_directory_that_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let _held = SledStore::open(dir.path()).unwrap();
        assert!(matches!(
            SledStore::open(dir.path()),
            Err(StoreError::Failed(_))
        ));
    }
}
