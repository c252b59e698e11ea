use ostiary_proto::{
    EventsRequest, GetSessionRequest, ListSessionsRequest, SearchRequest, Session,
};

use super::*;

impl Plane {
    async fn session(&self, id: &str) -> Result<Session, Status> {
        let get = GetSessionRequest { id: id.to_owned() };
        let get = self.by("sam", AUDITOR, get);
        Ok(self.sessions().get(get).await?.into_inner())
    }

    async fn list(&self, request: ListSessionsRequest) -> Vec<String> {
        let list = self.by("sam", AUDITOR, request);
        let list = self.sessions().list(list).await.unwrap().into_inner();
        list.sessions.into_iter().map(|one| one.id).collect()
    }

    async fn events(&self, request: EventsRequest) -> Streaming<Event> {
        let events = self.by("sam", AUDITOR, request);
        self.sessions().events(events).await.unwrap().into_inner()
    }

    async fn search(&self, request: SearchRequest) -> Vec<(String, u64)> {
        let search = self.by("sam", AUDITOR, request);
        let mut hits = self.sessions().search(search).await.unwrap().into_inner();
        let mut found = Vec::new();
        while let Some(hit) = hits.message().await.unwrap() {
            let prefix = hit.session.unwrap().id.get(..2).unwrap().to_owned();
            found.push((prefix, hit.event.unwrap().seq));
        }
        found
    }
}

impl Plane {
    /// Lets the writer look at the time, and waits until it has.
    async fn tick(&self) {
        self.server.as_ref().unwrap().app.ingest.tick();
        // A login goes through the same queue: when it is answered, the tick is done.
        let session = crate::random::hex(&crate::random::bytes::<16>().unwrap());
        self.open(&session, "agent-0").await;
    }
}

async fn seqs(events: &mut Streaming<Event>) -> Vec<u64> {
    let mut seqs = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        seqs.push(event.seq);
    }
    seqs
}

fn from(session: &str, from_seq: u64, follow: bool) -> EventsRequest {
    EventsRequest {
        session_id: session.to_owned(),
        follow,
        from_seq,
    }
}

#[tokio::test]
async fn keeps_every_event_once_in_order_and_counts() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let one = |seq| operated(&id("aa"), seq, "SELECT 1", Verdict::Allow);
    let mut stream = plane.append("f1").await;
    stream
        .store(vec![connected(&id("aa"), 1), one(2), one(3)])
        .await;
    stream.store(vec![one(2), one(3), one(4)]).await;
    let mut again = plane.append("f1").await;
    let denied = operated(&id("aa"), 5, "DROP TABLE users", Verdict::Deny);
    again
        .store(vec![one(4), denied, closed(&id("aa"), 6)])
        .await;
    assert_eq!(
        seqs(&mut plane.events(from("aa00", 0, false)).await).await,
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(
        seqs(&mut plane.events(from(&id("aa"), 4, false)).await).await,
        [4, 5, 6]
    );
    let session = plane.session("aa00").await.unwrap();
    assert_eq!(
        (session.events, session.operations, session.denied),
        (6, 4, 1)
    );
    assert_eq!(session.subject, "agent-7");
    assert_eq!(session.close_reason, "client");
}

#[tokio::test]
async fn stores_events_byte_for_byte_however_large_the_batch() {
    let plane = Plane::new().await;
    let mut stream = plane.append("").await;
    let sent: Vec<Event> = (1..=500)
        .map(|seq| operated(&id("aa"), seq, &"x".repeat(500), Verdict::Allow))
        .collect();
    stream.store(sent.clone()).await;
    let mut events = plane.events(from(&id("aa"), 1, false)).await;
    for event in sent {
        assert_eq!(events.message().await.unwrap(), Some(event));
    }
    assert_eq!(events.message().await.unwrap(), None);
}

#[tokio::test]
async fn adds_the_digest_of_a_whole_statement() {
    let plane = Plane::new().await;
    let mut stream = plane.append("").await;
    let sent = |seq, size, digest: &[u8]| {
        let mut event = operated(&id("aa"), seq, "SELECT 1", Verdict::Allow);
        if let Some(Kind::Operated(operated)) = &mut event.kind {
            operated.statement_size = size;
            operated.statement_sha256 = digest.to_vec();
        }
        event
    };
    stream
        .store(vec![
            sent(1, 8, b""),
            sent(2, 8, b"its own"),
            sent(3, 9, b""),
        ])
        .await;
    let mut events = plane.events(from(&id("aa"), 1, false)).await;
    // printf 'SELECT 1' | sha256sum
    let digest = b"\xe0\x04\xeb\xd5\xb5\x53\x2a\x4b\x85\x98\x4a\x62\xf8\xad\x48\xa8\x1a\xa3\x46\x0c\x1c\xa0\x77\x01\xf3\x86\x13\x5d\x72\xcd\xec\xf5";
    for expected in [sent(1, 8, digest), sent(2, 8, b"its own"), sent(3, 9, b"")] {
        assert_eq!(events.message().await.unwrap(), Some(expected));
    }
}

#[tokio::test]
async fn follows_a_session_until_it_closes() {
    let plane = Plane::new().await;
    let mut stream = plane.append("").await;
    stream.store(vec![connected(&id("aa"), 1)]).await;
    let mut events = plane.events(from(&id("aa"), 1, true)).await;
    assert_eq!(events.message().await.unwrap().unwrap().seq, 1);
    let next = operated(&id("aa"), 2, "SELECT 1", Verdict::Allow);
    stream.store(vec![next]).await;
    assert_eq!(events.message().await.unwrap().unwrap().seq, 2);
    stream.store(vec![closed(&id("aa"), 3)]).await;
    assert_eq!(seqs(&mut events).await, [3]);
}

#[tokio::test]
async fn lists_newest_first_and_finds_by_prefix() {
    let plane = Plane::new().await;
    for (prefix, subject) in [
        ("aaaa", "agent-7"),
        ("aaab", "agent-8"),
        ("bbbb", "agent-7"),
    ] {
        plane.open(&id(prefix), subject).await;
        plane.advance(1);
    }
    plane
        .append("")
        .await
        .store(vec![closed(&id("bbbb"), 1)])
        .await;
    let list = async |subject: &str, open, limit| {
        let found = plane.list(ListSessionsRequest {
            subject: subject.to_owned(),
            open,
            limit,
            ..ListSessionsRequest::default()
        });
        let found = found.await;
        found
            .iter()
            .map(|id| id.get(..4).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("", false, 0).await, ["bbbb", "aaab", "aaaa"]);
    assert_eq!(list("", false, 2).await, ["bbbb", "aaab"]);
    assert_eq!(list("", true, 0).await, ["aaab", "aaaa"]);
    assert_eq!(list("agent-7", false, 0).await, ["bbbb", "aaaa"]);
    assert_eq!(plane.session("bbbb").await.unwrap().id, id("bbbb"));
    refused(
        plane.session("cccc").await,
        Code::NotFound,
        "no session `cccc`",
    );
    refused(
        plane.session("aaa").await,
        Code::InvalidArgument,
        "a session id is 32 hex digits; a prefix of at least 4 is enough",
    );
    plane.open(&id("aaaa1"), "agent-7").await;
    refused(
        plane.session("aaaa").await,
        Code::InvalidArgument,
        "several sessions begin with `aaaa`; give more of the id",
    );
}

#[tokio::test]
async fn searches_statements_newest_session_first() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    plane.advance(10);
    plane.open(&id("bb"), "agent-8").await;
    let mut stream = plane.append("").await;
    stream
        .store(vec![
            connected(&id("aa"), 1),
            operated(&id("aa"), 2, "SELECT * FROM Users", Verdict::Allow),
            operated(&id("aa"), 3, "DROP TABLE users", Verdict::Deny),
            operated(&id("bb"), 1, "select 1 -- USERS", Verdict::Allow),
        ])
        .await;
    let base = SearchRequest::default;
    let hit = |session: &str, seq| (session.to_owned(), seq);
    for (request, expected) in [
        (
            SearchRequest {
                text: "users".to_owned(),
                ..base()
            },
            vec![hit("bb", 1), hit("aa", 2), hit("aa", 3)],
        ),
        (
            SearchRequest {
                text: "users".to_owned(),
                limit: 1,
                ..base()
            },
            vec![hit("bb", 1)],
        ),
        (
            SearchRequest {
                verdict: Verdict::Deny.into(),
                ..base()
            },
            vec![hit("aa", 3)],
        ),
        (
            SearchRequest {
                subject: "agent-7".to_owned(),
                text: "from".to_owned(),
                ..base()
            },
            vec![hit("aa", 2)],
        ),
        (
            SearchRequest {
                verb: "sql:delete".to_owned(),
                ..base()
            },
            vec![],
        ),
        (
            SearchRequest {
                since_us: NOW * 1_000_000 + 3,
                ..base()
            },
            vec![hit("aa", 3)],
        ),
    ] {
        let found = plane.search(request.clone()).await;
        assert_eq!(found, expected, "{request:?}");
    }
}

#[tokio::test]
async fn closes_sessions_whose_filter_went_away_and_takes_them_up_again() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    plane.open(&id("bb"), "agent-8").await;
    let mut stream = plane.append("f1").await;
    stream
        .store(vec![connected(&id("aa"), 1), connected(&id("bb"), 1)])
        .await;
    let tick = async || plane.tick().await;
    plane.advance(3000);
    tick().await;
    assert_eq!(
        plane.session("aa00").await.unwrap().closed_us,
        0,
        "idle, not lost"
    );
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    plane.advance(59);
    tick().await;
    assert_eq!(plane.session("aa00").await.unwrap().closed_us, 0);
    let back = plane.append("f1").await;
    plane.advance(59);
    tick().await;
    assert_eq!(
        plane.session("aa00").await.unwrap().closed_us,
        0,
        "it came back"
    );
    drop(back);
    tokio::time::sleep(Duration::from_millis(100)).await;
    plane.advance(60);
    tick().await;
    assert_eq!(
        plane.session("aa00").await.unwrap().close_reason,
        "filter lost"
    );
    let mut late = plane.append("f1").await;
    let next = operated(&id("aa"), 2, "SELECT 1", Verdict::Allow);
    late.store(vec![next]).await;
    let session = plane.session("aa00").await.unwrap();
    assert_eq!((session.closed_us, session.close_reason.as_str()), (0, ""));
}

#[tokio::test]
async fn a_filter_that_was_lost_is_still_told_to_end_a_killed_session() {
    let plane = Plane::new().await;
    let mut stream = plane.append("f1").await;
    stream.store(vec![connected(&id("aa"), 1)]).await;
    let kill = ostiary_proto::KillRequest {
        session_id: id("aa"),
        reason: "enough".to_owned(),
    };
    let kill = plane.by("ada", ADMIN, kill);
    plane.sessions().kill(kill).await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    plane.advance(60);
    plane.tick().await;
    let session = plane.session("aa00").await.unwrap();
    assert_eq!(session.close_reason, "filter lost");
    let mut filter = plane.watch().await;
    filter.message().await.unwrap();
    let told = filter.message().await.unwrap().unwrap().message.unwrap();
    let expected = ostiary_proto::Revocation {
        session_id: id("aa"),
        reason: "enough".to_owned(),
    };
    let expected = ostiary_proto::watch_response::Message::Revocation(expected);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn sessions_and_numbering_go_on_after_a_restart() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    plane
        .append("f1")
        .await
        .store(vec![connected(&id("aa"), 1)])
        .await;
    let plane = plane.restart().await;
    let mut stream = plane.append("f1").await;
    stream
        .store(vec![connected(&id("aa"), 1), closed(&id("aa"), 2)])
        .await;
    let session = plane.session("aa00").await.unwrap();
    assert_eq!((session.events, session.subject.as_str()), (2, "agent-7"));
}
