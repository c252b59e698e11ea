use std::sync::{Arc, atomic::AtomicBool};

use ostiary_proto::{GetSessionRequest, KillRequest, watch_response::Message};

use super::*;
use crate::store::{
    After, ApprovalRow, Batch, Chunk, PolicyRow, SessionId, SessionRow, StoreError,
};

#[tokio::test]
async fn lets_only_the_gateway_token_in() {
    let plane = Plane::new().await;
    let watch = WatchRequest {
        resource: "shop".to_owned(),
        ..WatchRequest::default()
    };
    let operator = plane.token("ada", ADMIN);
    let almost: String = plane.gateway_token.chars().rev().collect();
    for token in ["", "x", &operator, &almost] {
        let request = with_token(token, watch.clone());
        let answer = plane.gateway().watch(request).await;
        refused(answer, Code::Unauthenticated, "gateway token is wrong");
    }
    let none = plane.gateway().watch(Request::new(watch.clone())).await;
    refused(none, Code::Unauthenticated, "gateway token is wrong");
    assert!(plane.gateway().watch(plane.filter(watch)).await.is_ok());
}

#[tokio::test]
async fn opens_a_session_with_what_the_token_attests_and_the_credential() {
    let plane = Plane::new().await;
    let opened = plane.open(&id("aa"), "agent-7").await;
    assert_eq!(opened.subject, "agent-7");
    assert_eq!(opened.issuer, testing::ISSUER);
    assert_eq!(opened.groups, ["agents"]);
    assert_eq!(
        (opened.role.as_str(), opened.password.as_str()),
        ("shop_app", "hunter2")
    );
    assert_eq!(opened.expires_us, (NOW + 3600) * 1_000_000);
    let get = GetSessionRequest { id: id("aa") };
    let session = plane.sessions().get(plane.by("sam", AUDITOR, get)).await;
    let session = session.unwrap().into_inner();
    assert_eq!(
        (session.subject.as_str(), session.closed_us),
        ("agent-7", 0)
    );
    let again = plane.open_with(&id("aa"), &plane.token("eve", &[])).await;
    refused(again, Code::AlreadyExists, "the session was opened before");
}

#[tokio::test]
async fn says_which_check_a_token_failed_and_nothing_of_the_token() {
    let plane = Plane::new().await;
    let token = plane.token("agent-7", &[]);
    plane.advance(3600 + 61);
    for (token, expected) in [
        (token.as_str(), "token has expired"),
        ("hunter2", "token is not a signed JWT"),
        ("", "no token: the password must be an OIDC access token"),
    ] {
        let answer = plane.open_with(&id("ab"), token).await.unwrap();
        let Some(Outcome::Rejected(rejected)) = answer.outcome else {
            panic!("{answer:?}");
        };
        assert_eq!(rejected.message, expected);
    }
}

#[tokio::test]
async fn refuses_sessions_of_unknown_resources_and_odd_ids() {
    let plane = Plane::new().await;
    let token = plane.token("agent-7", &[]);
    let odd = plane.open_with("nope", &token).await;
    refused(
        odd,
        Code::InvalidArgument,
        "a session id is 32 lower-case hex digits",
    );
    let request = OpenSessionRequest {
        session_id: id("a"),
        resource: "other".to_owned(),
        token,
        ..OpenSessionRequest::default()
    };
    let other = plane.gateway().open_session(plane.filter(request)).await;
    refused(other, Code::NotFound, "no resource `other`");
}

#[tokio::test]
async fn a_missing_upstream_password_is_a_rejection_that_shows_no_path() {
    let plane = Plane::new().await;
    std::fs::remove_file(plane.dir.path().join("password")).unwrap();
    let token = plane.token("agent-7", &[]);
    let answer = plane.open_with(&id("ab"), &token).await.unwrap();
    let Some(Outcome::Rejected(rejected)) = answer.outcome else {
        panic!("{answer:?}");
    };
    assert_eq!(
        rejected.message,
        "the credential of resource `shop` cannot be read"
    );
}

#[tokio::test]
async fn counts_filters_while_they_watch() {
    let plane = Plane::new().await;
    let mut first = plane.watch().await;
    let Some(Message::Snapshot(snapshot)) = first.message().await.unwrap().unwrap().message else {
        panic!("the first message is not a snapshot");
    };
    assert_eq!(snapshot.version, 1);
    assert_eq!(snapshot.files.into_iter().collect::<Files>(), bundle());
    assert_eq!(snapshot.hash_key.len(), 32);
    let filters = async || {
        let list = plane.by("ada", ADMIN, ostiary_proto::ListResourcesRequest {});
        let list = plane.resources().list(list).await.unwrap().into_inner();
        list.resources.first().unwrap().filters
    };
    assert_eq!(filters().await, 1);
    drop(first);
    eventually(async || filters().await == 0).await;
}

#[tokio::test]
async fn a_killed_session_is_revoked_now_and_for_filters_that_come_later() {
    let plane = Plane::new().await;
    plane.open(&id("ac"), "agent-7").await;
    let mut filter = plane.watch().await;
    filter.message().await.unwrap();
    let kill = KillRequest {
        session_id: "ac00".to_owned(),
        reason: "enough".to_owned(),
    };
    let kill = plane.by("ada", ADMIN, kill);
    plane.sessions().kill(kill).await.unwrap();
    let revoked = async |filter: &mut Streaming<WatchResponse>| {
        let message = filter.message().await.unwrap().unwrap().message.unwrap();
        let Message::Revocation(revocation) = message else {
            panic!("{message:?}");
        };
        (revocation.session_id, revocation.reason)
    };
    let expected = (id("ac"), "enough".to_owned());
    assert_eq!(revoked(&mut filter).await, expected);
    let mut late = plane.watch().await;
    late.message().await.unwrap();
    assert_eq!(revoked(&mut late).await, expected);
    plane
        .append("")
        .await
        .store(vec![closed(&id("ac"), 1)])
        .await;
    let again = KillRequest {
        session_id: id("ac"),
        reason: String::new(),
    };
    let again = plane.by("ada", ADMIN, again);
    let message = format!("session `{}` is closed already", id("ac"));
    refused(
        plane.sessions().kill(again).await,
        Code::FailedPrecondition,
        &message,
    );
}

#[tokio::test]
async fn ends_a_stream_whose_batches_make_no_sense() {
    let plane = Plane::new().await;
    for (batch, event, message) in [
        (
            1,
            Event::default(),
            "an event needs a session id of 32 hex digits and a seq from 1",
        ),
        (
            1,
            connected(&id("A"), 1),
            "an event needs a session id of 32 hex digits and a seq from 1",
        ),
        (0, connected(&id("a"), 1), "batch 0 comes after batch 0"),
    ] {
        let mut stream = plane.append("").await;
        let events = vec![event];
        let request = AppendRequest { batch, events };
        stream.batches.send(request).await.unwrap();
        refused(stream.acks.message().await, Code::InvalidArgument, message);
    }
}

#[tokio::test]
async fn acknowledges_all_that_was_sent_before_the_stream_ends() {
    let plane = Plane::new().await;
    let mut stream = plane.append("").await;
    for seq in 1..=50 {
        let event = operated(&id("a"), seq, "SELECT 1", Verdict::Allow);
        stream.queue(vec![event]).await;
    }
    drop(stream.batches);
    let mut last = 0;
    while let Some(ack) = stream.acks.message().await.unwrap() {
        assert!(ack.batch > last, "acknowledgements go up");
        last = ack.batch;
    }
    assert_eq!(last, 50);
}

/// A store that holds its writes back, or fails them.
#[derive(Debug)]
struct Moody {
    inner: SledStore,
    gate: tokio::sync::Semaphore,
    broken: AtomicBool,
}

#[tonic::async_trait]
impl Store for Moody {
    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.gate.acquire().await.unwrap().forget();
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("no space left on device".into()));
        }
        self.inner.write(batch).await
    }
    async fn session(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.inner.session(id).await
    }
    async fn sessions_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        self.inner.sessions_with_prefix(prefix, limit).await
    }
    async fn sessions(
        &self,
        after: After<SessionId>,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        self.inner.sessions(after, limit).await
    }
    async fn open_sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.inner.open_sessions().await
    }
    async fn chunks(
        &self,
        session: SessionId,
        from_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Chunk>, StoreError> {
        self.inner.chunks(session, from_seq, max_bytes).await
    }
    async fn policy(&self, version: Option<u64>) -> Result<Option<PolicyRow>, StoreError> {
        self.inner.policy(version).await
    }
    async fn add_policy(&self, row: PolicyRow) -> Result<(), StoreError> {
        self.inner.add_policy(row).await
    }
    async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
        self.inner.approval(id).await
    }
    async fn approvals_with_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        self.inner.approvals_with_prefix(prefix, limit).await
    }
    async fn approvals(
        &self,
        after: After<String>,
        limit: usize,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        self.inner.approvals(after, limit).await
    }
    async fn pending_approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        self.inner.pending_approvals().await
    }
    async fn put_approval(&self, row: ApprovalRow) -> Result<(), StoreError> {
        self.inner.put_approval(row).await
    }
    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.inner.secret(name, fresh).await
    }
}

async fn moody() -> (Plane, Arc<Moody>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Moody {
        inner: SledStore::open(&dir.path().join("store")).unwrap(),
        gate: tokio::sync::Semaphore::new(0),
        broken: AtomicBool::new(false),
    });
    let now = Arc::new(AtomicU64::new(NOW * 1_000_000));
    (Plane::start_with(dir, now, store.clone()).await, store)
}

#[tokio::test]
async fn acknowledges_nothing_before_it_is_on_disk() {
    let (plane, store) = moody().await;
    let mut stream = plane.append("").await;
    stream.queue(vec![connected(&id("a"), 1)]).await;
    stream.queue(vec![closed(&id("a"), 2)]).await;
    let early = tokio::time::timeout(Duration::from_millis(200), stream.acks.message()).await;
    assert!(early.is_err(), "acknowledged before it was written");
    store.gate.add_permits(100);
    while stream.acks.message().await.unwrap().unwrap().batch < 2 {}
    let chunks = store.chunks(id("a").parse().unwrap(), 1, 1 << 20).await;
    assert!(!chunks.unwrap().is_empty());
}

#[tokio::test]
async fn a_full_disk_ends_the_stream_without_acknowledgement_and_loses_nothing_sent_again() {
    let (plane, store) = moody().await;
    store.gate.add_permits(1000);
    let mut stream = plane.append("").await;
    stream.store(vec![connected(&id("a"), 1)]).await;
    store.broken.store(true, Ordering::SeqCst);
    stream.queue(vec![closed(&id("a"), 2)]).await;
    refused(
        stream.acks.message().await,
        Code::Unavailable,
        "the store failed",
    );
    let token = plane.token("agent-7", &[]);
    refused(
        plane.open_with(&id("b"), &token).await,
        Code::Unavailable,
        "the store failed",
    );
    store.broken.store(false, Ordering::SeqCst);
    let mut again = plane.append("").await;
    again
        .store(vec![connected(&id("a"), 1), closed(&id("a"), 2)])
        .await;
    let row = store.session(id("a").parse().unwrap()).await.unwrap();
    let row = row.unwrap();
    assert_eq!((row.session.events, row.next_seq), (2, 3));
    assert_eq!(row.session.close_reason, "client");
}

/// Not a test of speed on whatever machine this runs: a way to see it.
/// `cargo test --release -p ostiary-control-plane --lib events_per_second -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a measurement"]
async fn events_per_second() {
    const SESSIONS: u64 = 50;
    const PER_BATCH: u64 = 20;
    const BATCHES: u64 = 1000;
    let plane = Plane::new().await;
    for (what, statement) in [("short", 60), ("long", 2000)] {
        let mut stream = plane.append("f1").await;
        let statement = "x".repeat(statement);
        let started = std::time::Instant::now();
        let batches = stream.batches.clone();
        let sending = tokio::spawn(async move {
            for batch in 1..=BATCHES {
                let session = id(&format!(
                    "{:08x}",
                    (batch % SESSIONS) + ((statement.len() as u64) << 8)
                ));
                let first = (batch / SESSIONS) * PER_BATCH;
                let events = (1..=PER_BATCH)
                    .map(|n| operated(&session, first + n, &statement, Verdict::Allow))
                    .collect();
                let request = AppendRequest { batch, events };
                batches.send(request).await.unwrap();
            }
        });
        while stream.acks.message().await.unwrap().unwrap().batch < BATCHES {}
        sending.await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        let events = (BATCHES * PER_BATCH) as f64;
        println!(
            "{what} statements: {:.0} events per second",
            events / seconds
        );
    }
}
