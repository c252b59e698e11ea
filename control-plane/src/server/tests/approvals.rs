use ostiary_proto::{
    Approval, CancelWaitRequest, DecideRequest, GetApprovalRequest, ListApprovalsRequest,
    WatchApprovalsRequest,
};
use ostiary_record::ApprovalState::{self, Approved, Cancelled, Denied, Expired, Lost, Pending};

use super::*;

impl Plane {
    async fn approve(
        &self,
        subject: &str,
        groups: &[&str],
        request: DecideRequest,
    ) -> Result<Approval, Status> {
        let request = self.by(subject, groups, request);
        Ok(self.approvals().approve(request).await?.into_inner())
    }

    async fn deny(
        &self,
        subject: &str,
        groups: &[&str],
        request: DecideRequest,
    ) -> Result<Approval, Status> {
        let request = self.by(subject, groups, request);
        Ok(self.approvals().deny(request).await?.into_inner())
    }

    async fn approval(&self, id: &str) -> Approval {
        let get = GetApprovalRequest { id: id.to_owned() };
        let get = self.by("sam", AUDITOR, get);
        self.approvals().get(get).await.unwrap().into_inner()
    }

    async fn cancel_wait(&self, resource: &str, key: u8) -> (bool, bool) {
        let request = CancelWaitRequest {
            resource: resource.to_owned(),
            cancel_key_sha256: vec![key; 32],
        };
        let answer = self.gateway().cancel_wait(self.filter(request)).await;
        let answer = answer.unwrap().into_inner();
        (answer.known, answer.waited)
    }
}

fn vote(id: &str) -> DecideRequest {
    DecideRequest {
        id: id.to_owned(),
        ..DecideRequest::default()
    }
}

/// Takes the first news of a question, which says that it is pending.
async fn pending(question: &mut Streaming<RequestApprovalResponse>) -> String {
    let news = question.message().await.unwrap().unwrap();
    assert_eq!(news.state(), Pending);
    news.approval_id
}

/// Takes the last news of a question.
async fn outcome(
    question: &mut Streaming<RequestApprovalResponse>,
) -> (ApprovalState, Vec<String>, String) {
    let news = question.message().await.unwrap().unwrap();
    assert_eq!(
        question.message().await.unwrap(),
        None,
        "it ends after that"
    );
    (news.state(), news.reviewers, news.comment)
}

#[tokio::test]
async fn one_reviewer_approves_and_the_requester_hears_who_and_why() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let news = question.message().await.unwrap().unwrap();
    assert_eq!(news.who, "one of dba");
    assert_eq!(news.expires_us, (NOW + 300) * 1_000_000);
    let vote = DecideRequest {
        id: news.approval_id,
        comment: "checked with Ada".to_owned(),
        digest: vec![9; 32],
        ..DecideRequest::default()
    };
    let approval = plane.approve("dora", DBA, vote).await.unwrap();
    assert_eq!(approval.state(), Approved);
    assert_eq!(
        outcome(&mut question).await,
        (
            Approved,
            vec!["dora".to_owned()],
            "checked with Ada".to_owned()
        )
    );
}

#[tokio::test]
async fn the_first_no_ends_it_and_later_votes_are_told_so() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    plane.deny("dora", DBA, vote(&approval)).await.unwrap();
    assert_eq!(outcome(&mut question).await.0, Denied);
    refused(
        plane.approve("dirk", DBA, vote(&approval)).await,
        Code::FailedPrecondition,
        "already denied by dora",
    );
}

#[tokio::test]
async fn every_named_approval_needs_its_own_people() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["duo", "security"]).await;
    let news = question.message().await.unwrap().unwrap();
    assert_eq!(news.who, "2 of dba or security and one of security");
    assert_eq!(
        news.expires_us,
        (NOW + 60) * 1_000_000,
        "the shortest hold counts"
    );
    let id = news.approval_id;
    let state = async |subject, groups| {
        let approval = plane.approve(subject, groups, vote(&id)).await;
        approval.map(|approval| approval.state())
    };
    assert_eq!(state("dora", DBA).await.unwrap(), Pending);
    refused(
        state("dora", DBA).await,
        Code::FailedPrecondition,
        "already approved by you; it needs other people too",
    );
    assert_eq!(state("dirk", DBA).await.unwrap(), Pending);
    assert_eq!(state("sue", SECURITY).await.unwrap(), Approved);
    assert_eq!(outcome(&mut question).await.1, ["dora", "dirk", "sue"]);
}

#[tokio::test]
async fn nobody_decides_their_own_request_in_any_guise() {
    let plane = Plane::new().await;
    let now = NOW;
    let sign = |subject: &str, groups: &[&str], act: Option<&str>| {
        let mut claims = testing::claims(now, subject, groups);
        if let Some(human) = act {
            claims["act"] = serde_json::json!({ "sub": human });
        }
        testing::KEYS[1].sign(&claims)
    };
    let agent = sign("agent-7", &["agents"], Some("dora"));
    plane.open_with(&id("aa"), &agent).await.unwrap();
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    let own = "the requester cannot decide their own request";
    let agents = "an agent's token cannot decide: use your own";
    for (who, token, message) in [
        ("the agent itself", sign("agent-7", DBA, None), own),
        ("the human behind it", sign("dora", DBA, None), own),
        (
            "another agent of hers",
            sign("agent-8", DBA, Some("dora")),
            agents,
        ),
        (
            "an agent of somebody else",
            sign("agent-9", DBA, Some("dirk")),
            agents,
        ),
    ] {
        let request = with_token(&token, vote(&approval));
        let answer = plane.approvals().approve(request).await;
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{who}");
        assert_eq!(status.message(), message, "{who}");
    }
    assert_eq!(plane.approval(&approval).await.state(), Pending);
}

#[tokio::test]
async fn who_may_not_decide_does_not_see_it() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    let message = format!("no approval `{approval}`");
    refused(
        plane.approve("sue", SECURITY, vote(&approval)).await,
        Code::NotFound,
        &message,
    );
    let listed = async |groups| {
        let list = plane.by("x", groups, ListApprovalsRequest::default());
        let list = plane.approvals().list(list).await.unwrap().into_inner();
        list.approvals.len()
    };
    assert_eq!(
        (
            listed(DBA).await,
            listed(SECURITY).await,
            listed(AUDITOR).await
        ),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_vote_for_something_else_than_was_seen_does_not_count() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    let other = DecideRequest {
        digest: vec![8; 32],
        ..vote(&approval)
    };
    refused(
        plane.approve("dora", DBA, other).await,
        Code::FailedPrecondition,
        "the digest is not that of this approval: look at it again",
    );
    let escape = DecideRequest {
        comment: "fine\u{1b}]52;c;".to_owned(),
        ..vote(&approval)
    };
    refused(
        plane.approve("dora", DBA, escape).await,
        Code::InvalidArgument,
        "a comment has at most 1000 bytes and no control characters",
    );
}

#[tokio::test]
async fn of_two_who_race_one_wins_and_the_other_is_told() {
    for round in 0..10 {
        let plane = Plane::new().await;
        plane.open(&id("aa"), "agent-7").await;
        let mut question = plane.ask(&id("aa"), &["dba"]).await;
        let approval = pending(&mut question).await;
        let (yes, no) = tokio::join!(
            plane.approve("dora", DBA, vote(&approval)),
            plane.deny("dirk", DBA, vote(&approval)),
        );
        let (state, reviewers, _) = outcome(&mut question).await;
        let (winner, loser, expected) = match state {
            Approved => (yes, no, "already approved by dora"),
            Denied => (no, yes, "already denied by dirk"),
            other => panic!("{other:?}"),
        };
        assert_eq!(winner.unwrap().state(), state, "round {round}");
        refused(loser, Code::FailedPrecondition, expected);
        assert_eq!(reviewers.len(), 1);
        assert_eq!(plane.approval(&approval).await.decisions.len(), 1);
    }
}

#[tokio::test]
async fn expires_when_nobody_decides_in_time() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    plane.advance(300);
    assert_eq!(outcome(&mut question).await.0, Expired);
    refused(
        plane.approve("dora", DBA, vote(&approval)).await,
        Code::FailedPrecondition,
        "already expired",
    );
}

#[tokio::test]
async fn is_cancelled_when_the_requester_goes_away() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    drop(question);
    eventually(async || plane.approval(&approval).await.state() == Cancelled).await;
    refused(
        plane.approve("dora", DBA, vote(&approval)).await,
        Code::FailedPrecondition,
        "already cancelled: the requester went away",
    );
}

#[tokio::test]
async fn a_cancel_request_finds_the_wait_by_its_key() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    pending(&mut question).await;
    for (resource, key, expected) in [
        ("shop", 6, (false, false)),
        ("other", 5, (false, false)),
        ("shop", 0, (false, false)),
        ("shop", 5, (true, true)),
        ("shop", 5, (true, false)),
    ] {
        let found = plane.cancel_wait(resource, key).await;
        assert_eq!(found, expected, "{resource} {key}");
    }
    let (state, _, comment) = outcome(&mut question).await;
    assert_eq!(
        (state, comment.as_str()),
        (Cancelled, "the requester cancelled")
    );
    plane
        .append("")
        .await
        .store(vec![closed(&id("aa"), 1)])
        .await;
    eventually(async || plane.cancel_wait("shop", 5).await == (false, false)).await;
}

#[tokio::test]
async fn a_cancel_request_finds_a_session_that_waits_for_nothing_and_its_key_is_not_kept() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let login = ostiary_record::LoggedIn {
        cancel_key_sha256: vec![7; 32],
        ..ostiary_record::LoggedIn::default()
    };
    let mut stream = plane.append("").await;
    let login = event(&id("aa"), 1, Kind::LoggedIn(login));
    stream.store(vec![login]).await;
    eventually(async || plane.cancel_wait("shop", 7).await == (true, false)).await;
    let events = ostiary_proto::EventsRequest {
        session_id: id("aa"),
        ..ostiary_proto::EventsRequest::default()
    };
    let events = plane.by("sam", AUDITOR, events);
    let mut events = plane.sessions().events(events).await.unwrap().into_inner();
    let Some(Kind::LoggedIn(kept)) = events.message().await.unwrap().unwrap().kind else {
        panic!("not the login");
    };
    assert!(kept.cancel_key_sha256.is_empty());
    stream.store(vec![closed(&id("aa"), 2)]).await;
    eventually(async || plane.cancel_wait("shop", 7).await == (false, false)).await;
}

#[tokio::test]
async fn is_cancelled_when_the_session_is_killed() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    pending(&mut question).await;
    let kill = ostiary_proto::KillRequest {
        session_id: id("aa"),
        reason: String::new(),
    };
    let kill = plane.by("ada", ADMIN, kill);
    plane.sessions().kill(kill).await.unwrap();
    assert_eq!(outcome(&mut question).await.0, Cancelled);
}

#[tokio::test]
async fn a_restart_loses_what_was_pending_and_keeps_what_was_decided() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut first = plane.ask(&id("aa"), &["dba"]).await;
    let decided = pending(&mut first).await;
    plane.approve("dora", DBA, vote(&decided)).await.unwrap();
    let mut second = plane.ask(&id("aa"), &["dba"]).await;
    let waiting = pending(&mut second).await;
    let plane = plane.restart().await;
    assert_eq!(outcome(&mut second).await.0, Lost);
    assert_eq!(plane.approval(&decided).await.state(), Approved);
    assert_eq!(plane.approval(&waiting).await.state(), Lost);
    let answer = plane.approve("dora", DBA, vote(&waiting)).await;
    assert_eq!(answer.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn refuses_questions_that_make_no_sense() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let base = || question(&id("aa"), &["dba"]);
    let mut long = base();
    long.statement = "x".repeat((256 << 10) + 1);
    let mut undigested = base();
    undigested.digest = vec![1];
    let mut elsewhere = base();
    elsewhere.resource = "other".to_owned();
    for (request, code, message) in [
        (
            question(&id("bb"), &["dba"]),
            Code::FailedPrecondition,
            format!("session `{}` is not open", id("bb")),
        ),
        (
            question(&id("aa"), &["nobody"]),
            Code::FailedPrecondition,
            "approval `nobody` is not in the running policy".to_owned(),
        ),
        (
            question(&id("aa"), &[]),
            Code::InvalidArgument,
            "1 to 16 approvals can be asked".to_owned(),
        ),
        (
            long,
            Code::InvalidArgument,
            "the statement and its parameters are longer than people can review: 256 KiB"
                .to_owned(),
        ),
        (
            undigested,
            Code::InvalidArgument,
            "a digest is 32 bytes".to_owned(),
        ),
        (
            elsewhere,
            Code::InvalidArgument,
            "the session is of another resource".to_owned(),
        ),
    ] {
        refused(plane.try_ask(request).await, code, &message);
    }
}

#[tokio::test]
async fn one_requester_cannot_flood_reviewers() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut questions = Vec::new();
    for _ in 0..16 {
        questions.push(plane.ask(&id("aa"), &["dba"]).await);
    }
    let one_more = plane.try_ask(question(&id("aa"), &["dba"])).await;
    refused(
        one_more,
        Code::ResourceExhausted,
        "too many approvals are pending already",
    );
    plane.open(&id("bb"), "agent-8").await;
    plane.ask(&id("bb"), &["dba"]).await;
}

#[tokio::test]
async fn watchers_see_what_is_pending_and_every_change() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut first = plane.ask(&id("aa"), &["dba"]).await;
    let one = pending(&mut first).await;
    let watch = plane.by("dora", DBA, WatchApprovalsRequest {});
    let mut watch = plane.approvals().watch(watch).await.unwrap().into_inner();
    let mut seen = async || {
        let approval = watch.message().await.unwrap().unwrap();
        (approval.id.clone(), approval.state())
    };
    assert_eq!(seen().await, (one.clone(), Pending));
    plane.ask(&id("aa"), &["security"]).await;
    let mut third = plane.ask(&id("aa"), &["duo"]).await;
    let three = pending(&mut third).await;
    assert_eq!(seen().await, (three, Pending));
    plane.approve("dirk", DBA, vote(&one)).await.unwrap();
    assert_eq!(seen().await, (one, Approved));
    plane.advance(3600 + 61);
    loop {
        match watch.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without saying why"),
            Err(status) => {
                assert_eq!(status.code(), Code::Unauthenticated);
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_id_may_be_shortened() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut question = plane.ask(&id("aa"), &["dba"]).await;
    let approval = pending(&mut question).await;
    refused(
        plane
            .approve("dora", DBA, vote(approval.get(..3).unwrap()))
            .await,
        Code::InvalidArgument,
        "an approval id has 10 characters; a prefix of at least 4 is enough",
    );
    let approved = plane
        .approve("dora", DBA, vote(approval.get(..6).unwrap()))
        .await;
    assert_eq!(approved.unwrap().id, approval);
}
