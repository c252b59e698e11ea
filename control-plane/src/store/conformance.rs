//! What every store must do. `suite!` turns it into tests of one implementation.

use std::collections::BTreeMap;

use ostiary_proto::{Approval, Session};
use ostiary_record::ApprovalState;

use super::{
    ApprovalRow, Batch, Chunk, PolicyRow, SessionId, SessionRow, SessionWrite, Store, StoreError,
};

/// Makes a test of each function here, with a fresh store in a directory of its own.
macro_rules! suite {
    ($open:expr) => {
        $crate::store::conformance::suite!($open;
            writes_events_and_sessions_at_once,
            lists_sessions_newest_first_in_pages,
            finds_sessions_by_prefix,
            knows_which_sessions_are_open,
            reads_chunks_from_the_one_that_holds_a_seq,
            bounds_what_one_read_returns,
            numbers_policy_versions_without_gaps,
            replaces_an_approval_only_by_its_next_revision,
            lists_approvals_and_those_pending,
            keeps_the_first_secret
        );
        #[tokio::test]
        async fn keeps_everything_through_a_restart() {
            let dir = tempfile::tempdir().unwrap();
            let open = $open;
            let store = open(dir.path());
            $crate::store::conformance::fill(&store).await;
            drop(store);
            $crate::store::conformance::is_filled(&open(dir.path())).await;
        }
    };
    ($open:expr; $($name:ident),*) => {$(
        #[tokio::test]
        async fn $name() {
            let dir = tempfile::tempdir().unwrap();
            let open = $open;
            $crate::store::conformance::$name(&open(dir.path())).await;
        }
    )*};
}
pub(crate) use suite;

fn id(first: u8) -> SessionId {
    let mut id = [0x11; 16];
    id[0] = first;
    SessionId(id)
}

fn session(first: u8, opened_us: u64, closed_us: u64) -> SessionWrite {
    let row = SessionRow {
        session: Session {
            id: id(first).to_string(),
            opened_us,
            closed_us,
            ..Session::default()
        },
        next_seq: 1,
        ..SessionRow::default()
    };
    SessionWrite { row, reindex: true }
}

fn chunk(first: u8, first_seq: u64, size: usize) -> Chunk {
    Chunk {
        session: id(first),
        first_seq,
        events: vec![7; size],
    }
}

async fn write(store: &dyn Store, sessions: Vec<SessionWrite>, chunks: Vec<Chunk>) {
    store.write(Batch { chunks, sessions }).await.unwrap();
}

fn ids(rows: &[SessionRow]) -> Vec<u8> {
    let first = |row: &SessionRow| row.session.id.parse::<SessionId>().unwrap().0[0];
    rows.iter().map(first).collect()
}

pub(crate) async fn writes_events_and_sessions_at_once(store: &dyn Store) {
    write(store, vec![session(1, 10, 0)], vec![chunk(1, 1, 3)]).await;
    let row = store.session(id(1)).await.unwrap().unwrap();
    assert_eq!(row, session(1, 10, 0).row);
    assert_eq!(store.session(id(2)).await.unwrap(), None);
    let chunks = store.chunks(id(1), 1, 100).await.unwrap();
    assert_eq!(chunks, [chunk(1, 1, 3)]);
}

pub(crate) async fn lists_sessions_newest_first_in_pages(store: &dyn Store) {
    let sessions = vec![session(1, 10, 0), session(2, 30, 31), session(3, 20, 0)];
    write(store, sessions, vec![]).await;
    assert_eq!(ids(&store.sessions(None, 10).await.unwrap()), [2, 3, 1]);
    assert_eq!(ids(&store.sessions(None, 1).await.unwrap()), [2]);
    let next = store.sessions(Some((30, id(2))), 10).await.unwrap();
    assert_eq!(ids(&next), [3, 1]);
    assert!(
        store
            .sessions(Some((10, id(1))), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn finds_sessions_by_prefix(store: &dyn Store) {
    write(
        store,
        vec![session(0xab, 1, 0), session(0xac, 2, 0)],
        vec![],
    )
    .await;
    for (prefix, expected) in [
        ("a", vec![0xab, 0xac]),
        ("ab", vec![0xab]),
        ("ac1", vec![0xac]),
        ("ad", vec![]),
        ("AB", vec![]),
        ("x", vec![]),
    ] {
        let rows = store.sessions_with_prefix(prefix, 10).await.unwrap();
        assert_eq!(ids(&rows), expected, "{prefix}");
    }
    let whole = store
        .sessions_with_prefix(&id(0xab).to_string(), 10)
        .await
        .unwrap();
    assert_eq!(ids(&whole), [0xab]);
    assert_eq!(store.sessions_with_prefix("a", 1).await.unwrap().len(), 1);
}

pub(crate) async fn knows_which_sessions_are_open(store: &dyn Store) {
    write(store, vec![session(1, 10, 0), session(2, 20, 0)], vec![]).await;
    write(store, vec![session(1, 10, 15)], vec![]).await;
    assert_eq!(ids(&store.open_sessions().await.unwrap()), [2]);
    write(store, vec![session(1, 10, 0)], vec![]).await;
    assert_eq!(ids(&store.open_sessions().await.unwrap()), [1, 2]);
}

pub(crate) async fn reads_chunks_from_the_one_that_holds_a_seq(store: &dyn Store) {
    let chunks = vec![
        chunk(1, 1, 1),
        chunk(1, 5, 2),
        chunk(1, 300, 3),
        chunk(2, 4, 4),
    ];
    write(store, vec![], chunks).await;
    for (from, expected) in [
        (0, vec![1, 5, 300]),
        (1, vec![1, 5, 300]),
        (4, vec![1, 5, 300]),
        (5, vec![5, 300]),
        (299, vec![5, 300]),
        (301, vec![300]),
    ] {
        let chunks = store.chunks(id(1), from, 100).await.unwrap();
        let seqs: Vec<u64> = chunks.iter().map(|chunk| chunk.first_seq).collect();
        assert_eq!(seqs, expected, "{from}");
    }
    assert!(store.chunks(id(3), 0, 100).await.unwrap().is_empty());
}

pub(crate) async fn bounds_what_one_read_returns(store: &dyn Store) {
    write(
        store,
        vec![],
        vec![chunk(1, 1, 50), chunk(1, 2, 50), chunk(1, 3, 50)],
    )
    .await;
    assert_eq!(store.chunks(id(1), 1, 100).await.unwrap().len(), 2);
    assert_eq!(store.chunks(id(1), 1, 10).await.unwrap().len(), 1);
}

fn policy(version: u64) -> PolicyRow {
    PolicyRow {
        version,
        hash: format!("hash-{version}"),
        files: BTreeMap::from([("a.cedar".to_owned(), "permit".to_owned())]),
        applied_us: version,
        applied_by: "ada".to_owned(),
    }
}

pub(crate) async fn numbers_policy_versions_without_gaps(store: &dyn Store) {
    assert_eq!(store.policy(None).await.unwrap(), None);
    for version in 1..=300 {
        store.add_policy(policy(version)).await.unwrap();
    }
    for version in [0, 1, 300, 302] {
        let error = store.add_policy(policy(version)).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict), "{version}");
    }
    assert_eq!(store.policy(None).await.unwrap(), Some(policy(300)));
    assert_eq!(store.policy(Some(7)).await.unwrap(), Some(policy(7)));
    assert_eq!(store.policy(Some(301)).await.unwrap(), None);
}

fn approval(name: &str, requested_us: u64, state: ApprovalState, revision: u64) -> ApprovalRow {
    ApprovalRow {
        approval: Approval {
            id: name.to_owned(),
            state: state.into(),
            requested_us,
            ..Approval::default()
        },
        revision,
        ..ApprovalRow::default()
    }
}

pub(crate) async fn replaces_an_approval_only_by_its_next_revision(store: &dyn Store) {
    use ApprovalState::{Approved, Denied, Pending};
    for (row, fits) in [
        (approval("x", 1, Pending, 0), false),
        (approval("x", 1, Pending, 2), false),
        (approval("x", 1, Pending, 1), true),
        (approval("x", 1, Pending, 1), false),
        (approval("x", 1, Approved, 2), true),
        (approval("x", 1, Denied, 2), false),
    ] {
        let written = store.put_approval(row.clone()).await;
        assert_eq!(written.is_ok(), fits, "{row:?}");
    }
    let row = store.approval("x").await.unwrap().unwrap();
    assert_eq!(row.approval.state(), Approved);
}

pub(crate) async fn lists_approvals_and_those_pending(store: &dyn Store) {
    use ApprovalState::{Expired, Pending};
    for row in [
        approval("k1", 10, Pending, 1),
        approval("k2", 30, Pending, 1),
        approval("m3", 20, Pending, 1),
        approval("k2", 30, Expired, 2),
    ] {
        store.put_approval(row).await.unwrap();
    }
    let names = |rows: Vec<ApprovalRow>| -> Vec<String> {
        rows.into_iter().map(|row| row.approval.id).collect()
    };
    assert_eq!(
        names(store.approvals(None, 10).await.unwrap()),
        ["k2", "m3", "k1"]
    );
    let after = Some((30, "k2".to_owned()));
    assert_eq!(names(store.approvals(after, 1).await.unwrap()), ["m3"]);
    assert_eq!(
        names(store.pending_approvals().await.unwrap()),
        ["k1", "m3"]
    );
    assert_eq!(
        names(store.approvals_with_prefix("k", 10).await.unwrap()),
        ["k1", "k2"]
    );
    assert_eq!(store.approval("k").await.unwrap(), None);
}

pub(crate) async fn keeps_the_first_secret(store: &dyn Store) {
    assert_eq!(store.secret("a", [1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.secret("a", [2; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.secret("b", [3; 32]).await.unwrap(), [3; 32]);
}

pub(crate) async fn fill(store: &dyn Store) {
    write(store, vec![session(1, 10, 0)], vec![chunk(1, 1, 9)]).await;
    store.add_policy(policy(1)).await.unwrap();
    let pending = approval("x", 1, ApprovalState::Pending, 1);
    store.put_approval(pending).await.unwrap();
    store.secret("a", [1; 32]).await.unwrap();
}

pub(crate) async fn is_filled(store: &dyn Store) {
    assert_eq!(ids(&store.open_sessions().await.unwrap()), [1]);
    assert_eq!(store.chunks(id(1), 1, 99).await.unwrap(), [chunk(1, 1, 9)]);
    assert_eq!(store.policy(None).await.unwrap(), Some(policy(1)));
    assert_eq!(store.pending_approvals().await.unwrap().len(), 1);
    assert_eq!(store.secret("a", [2; 32]).await.unwrap(), [1; 32]);
}
