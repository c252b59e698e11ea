//! What outlives the process: policy versions, approvals, sessions and their events.
//!
//! One trait, any number of implementations, each held to `conformance.rs`. Every method that writes
//! returns after the write is durable.

#[cfg(test)]
pub(crate) mod conformance;
mod rows;
mod session_id;
mod sled;

pub use rows::{ApprovalRow, Gap, PolicyRow, SessionRow, Voter};
pub use session_id::{InvalidSessionId, SessionId};
pub use sled::SledStore;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What was to be replaced is no longer what the caller saw.
    #[error("changed by somebody else")]
    Conflict,
    /// The storage failed; nothing that was not acknowledged may be relied on.
    #[error("storage failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something stored cannot be read.
    #[error("stored {0} cannot be read")]
    Corrupt(&'static str),
    /// Written by another version.
    #[error("the store has format {found}, this version reads {known}")]
    Format {
        /// In the store.
        found: u8,
        /// Ours.
        known: u8,
    },
}

/// Events of one session that follow each other without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The session.
    pub session: SessionId,
    /// `seq` of the first event.
    pub first_seq: u64,
    /// The events, each with its length before it (protobuf's delimited form).
    pub events: Vec<u8>,
}

/// A session row to write.
#[derive(Clone, Debug)]
pub struct SessionWrite {
    /// The new row.
    pub row: SessionRow,
    /// It is new, or was closed or opened again: indexes must follow.
    pub reindex: bool,
}

/// What is written at once: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// New events.
    pub chunks: Vec<Chunk>,
    /// The sessions they changed.
    pub sessions: Vec<SessionWrite>,
}

/// A place in a list that is sorted newest first: the last row already seen.
pub type After<K> = Option<(u64, K)>;

/// Policy versions, approvals, sessions, events.
#[tonic::async_trait]
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// Writes events and sessions.
    async fn write(&self, batch: Batch) -> Result<(), StoreError>;
    /// One session.
    async fn session(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError>;
    /// Sessions whose id starts with these hex digits, at most `limit`.
    async fn sessions_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError>;
    /// Sessions, newest first.
    async fn sessions(
        &self,
        after: After<SessionId>,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError>;
    /// Every session that is open.
    async fn open_sessions(&self) -> Result<Vec<SessionRow>, StoreError>;
    /// Chunks that hold events from `from_seq` on, in order; at least one if there is any, and no
    /// more than fit into `max_bytes`.
    async fn chunks(
        &self,
        session: SessionId,
        from_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Chunk>, StoreError>;

    /// The newest policy version, or the one asked for.
    async fn policy(&self, version: Option<u64>) -> Result<Option<PolicyRow>, StoreError>;
    /// Adds the version after the newest one; any other number is a conflict.
    async fn add_policy(&self, row: PolicyRow) -> Result<(), StoreError>;

    /// One approval.
    async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError>;
    /// Approvals whose id starts with `prefix`, at most `limit`.
    async fn approvals_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError>;
    /// Approvals, newest first.
    async fn approvals(
        &self,
        after: After<String>,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError>;
    /// Every approval that is pending.
    async fn pending_approvals(&self) -> Result<Vec<ApprovalRow>, StoreError>;
    /// Writes an approval. `revision` counts from 1; a row whose revision is not one more than that
    /// stored is a conflict.
    async fn put_approval(&self, row: ApprovalRow) -> Result<(), StoreError>;

    /// The secret of this name; `fresh` is kept and returned if there was none.
    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<Vec<u8>, StoreError>;
}
