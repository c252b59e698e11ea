//! Keys of the sled tree.

use super::SessionId;

/// The one key without a row: the format of all others.
pub(super) const FORMAT: &[u8] = b"!";
const APPROVAL: u8 = b'a';
pub(super) const APPROVAL_TIME: u8 = b'b';
pub(super) const PENDING_APPROVAL: u8 = b'c';
const CHUNK: u8 = b'e';
const SECRET: u8 = b'k';
pub(super) const POLICY: u8 = b'p';
const SESSION: u8 = b's';
pub(super) const SESSION_TIME: u8 = b't';
pub(super) const OPEN_SESSION: u8 = b'u';

pub(super) fn chunk(session: SessionId, first_seq: u64) -> Vec<u8> {
    join(CHUNK, &[&session.0, &first_seq.to_be_bytes()])
}

pub(super) fn seq_of_chunk(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

pub(super) fn session(id: SessionId) -> Vec<u8> {
    join(SESSION, &[&id.0])
}

pub(super) fn session_time(opened_us: u64, id: SessionId) -> Vec<u8> {
    join(SESSION_TIME, &[&(!opened_us).to_be_bytes(), &id.0])
}

pub(super) fn open_session(id: SessionId) -> Vec<u8> {
    join(OPEN_SESSION, &[&id.0])
}

/// The session that an entry of either session index is about.
pub(super) fn session_of_index(key: &[u8]) -> Option<SessionId> {
    key.last_chunk().map(|id| SessionId(*id))
}

pub(super) fn policy(version: u64) -> Vec<u8> {
    join(POLICY, &[&version.to_be_bytes()])
}

pub(super) fn approval(id: &str) -> Vec<u8> {
    join(APPROVAL, &[id.as_bytes()])
}

pub(super) fn approval_time(requested_us: u64, id: &str) -> Vec<u8> {
    join(
        APPROVAL_TIME,
        &[&(!requested_us).to_be_bytes(), id.as_bytes()],
    )
}

/// The row an entry of the time index is about.
pub(super) fn approval_of_time(key: &[u8]) -> Option<Vec<u8>> {
    let id = key.get(9..)?;
    Some(join(APPROVAL, &[id]))
}

pub(super) fn pending_approval(id: &str) -> Vec<u8> {
    join(PENDING_APPROVAL, &[id.as_bytes()])
}

/// The row an entry of the pending index is about.
pub(super) fn approval_of_pending(key: &[u8]) -> Option<Vec<u8>> {
    let id = key.get(1..)?;
    Some(join(APPROVAL, &[id]))
}

pub(super) fn secret(name: &str) -> Vec<u8> {
    join(SECRET, &[name.as_bytes()])
}

fn join(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}
