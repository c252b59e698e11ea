//! Questions that outlive their call.

use ostiary_proto::{DecideRequest, GetApprovalRequest};
use ostiary_record::ApprovalState::{self, Approved, Cancelled, Denied, Expired, Pending};

use super::*;

impl Plane {
    /// All that is said of a question, with whether the call ended before it did.
    async fn ask_later(&self, session: &str, digest: u8) -> Vec<(ApprovalState, bool, String)> {
        let request = RequestApprovalRequest {
            digest: vec![digest; 32],
            outlives_call: true,
            ..question(session, &["later"])
        };
        said(self.try_ask(request).await.unwrap()).await
    }

    async fn give(&self, id: &str, approve: bool) {
        let request = DecideRequest {
            id: id.to_owned(),
            ..DecideRequest::default()
        };
        let request = self.by("dora", DBA, request);
        match approve {
            true => self.approvals().approve(request).await.unwrap(),
            false => self.approvals().deny(request).await.unwrap(),
        };
    }
}

async fn said(
    mut question: Streaming<RequestApprovalResponse>,
) -> Vec<(ApprovalState, bool, String)> {
    let mut all = Vec::new();
    while let Some(news) = question.message().await.unwrap() {
        all.push((news.state(), news.outlives_call, news.approval_id));
    }
    all
}

/// The id of a question that was kept.
fn kept(said: &[(ApprovalState, bool, String)]) -> String {
    match said {
        [(Pending, true, id)] => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_equal_question_takes_the_answer_once() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    // Another worker's session of the same agent, and somebody else.
    plane.open(&id("bb"), "agent-7").await;
    plane.open(&id("cc"), "agent-8").await;
    let first = kept(&plane.ask_later(&id("aa"), 9).await);
    assert_eq!(kept(&plane.ask_later(&id("bb"), 9).await), first);
    assert_ne!(kept(&plane.ask_later(&id("aa"), 8).await), first);
    assert_ne!(kept(&plane.ask_later(&id("cc"), 9).await), first);
    plane.give(&first, true).await;
    let taken = plane.ask_later(&id("bb"), 9).await;
    assert_eq!(
        taken,
        [
            (Pending, false, first.clone()),
            (Approved, false, first.clone())
        ]
    );
    assert_ne!(kept(&plane.ask_later(&id("aa"), 9).await), first);
}

#[tokio::test]
async fn it_outlives_its_session_and_ends_by_the_clock() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let first = kept(&plane.ask_later(&id("aa"), 9).await);
    plane.give(&first, true).await;
    // The grant of `later` is ten minutes.
    plane.advance(600);
    let second = kept(&plane.ask_later(&id("aa"), 9).await);
    assert_ne!(second, first);
    plane.advance(301);
    let request = GetApprovalRequest { id: second.clone() };
    eventually(|| async {
        let request = plane.by("sam", AUDITOR, request.clone());
        let approval = plane.approvals().get(request).await.unwrap();
        approval.into_inner().state() == Expired
    })
    .await;
    assert_ne!(kept(&plane.ask_later(&id("aa"), 9).await), second);
}

#[tokio::test]
async fn a_refusal_is_the_answer_until_the_question_would_have_expired() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let first = kept(&plane.ask_later(&id("aa"), 9).await);
    plane.give(&first, false).await;
    let again = plane.ask_later(&id("aa"), 9).await;
    assert_eq!(again.last().map(|it| it.0), Some(Denied));
    plane.advance(301);
    assert_ne!(kept(&plane.ask_later(&id("aa"), 9).await), first);
}

#[tokio::test]
async fn of_those_who_wait_for_it_one_takes_it() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let first = kept(&plane.ask_later(&id("aa"), 9).await);
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let request = RequestApprovalRequest {
            outlives_call: false,
            ..question(&id("aa"), &["later"])
        };
        waiting.push(plane.try_ask(request).await.unwrap());
    }
    plane.give(&first, true).await;
    let mut states = Vec::new();
    for question in waiting {
        states.extend(said(question).await.last().map(|it| it.0));
    }
    states.sort_unstable();
    assert_eq!(states, [Approved, Cancelled, Cancelled, Cancelled]);
}

#[tokio::test]
async fn without_a_grant_it_is_a_question_like_any_other() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let request = RequestApprovalRequest {
        outlives_call: true,
        ..question(&id("aa"), &["later", "dba"])
    };
    let mut question = plane.try_ask(request).await.unwrap();
    let news = question.message().await.unwrap().unwrap();
    assert!(!news.outlives_call);
    drop(question);
    let request = GetApprovalRequest {
        id: news.approval_id,
    };
    eventually(|| async {
        let request = plane.by("sam", AUDITOR, request.clone());
        let approval = plane.approvals().get(request).await.unwrap();
        approval.into_inner().state() == Cancelled
    })
    .await;
}

#[tokio::test]
async fn a_denial_answers_the_question_that_comes_again_at_once_and_nothing_else_does() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    plane.open(&id("bb"), "agent-7").await;
    plane.open(&id("cc"), "agent-8").await;
    let ask = async |session: &str, digest: u8, comes_again: bool| {
        let request = RequestApprovalRequest {
            digest: vec![digest; 32],
            comes_again,
            ..question(&id(session), &["dba"])
        };
        let mut question = plane.try_ask(request).await.unwrap();
        let news = question.message().await.unwrap().unwrap();
        (question, news.approval_id)
    };
    let (asked, first) = ask("aa", 9, true).await;
    plane.give(&first, false).await;
    assert_eq!(said(asked).await.last().map(|it| it.0), Some(Denied));
    // Over another connection, which may be another worker's session.
    let (again, same) = ask("bb", 9, true).await;
    assert_eq!(same, first);
    assert_eq!(said(again).await.last().map(|it| it.0), Some(Denied));
    for (session, digest, comes_again) in [("aa", 8, true), ("cc", 9, true), ("aa", 9, false)] {
        let (_, other) = ask(session, digest, comes_again).await;
        assert_ne!(other, first, "{session} {digest} {comes_again}");
    }
    plane.advance(11);
    let (asked, second) = ask("aa", 9, true).await;
    assert_ne!(second, first);
    plane.give(&second, true).await;
    assert_eq!(said(asked).await.last().map(|it| it.0), Some(Approved));
    // What was granted is used up.
    assert_ne!(ask("bb", 9, true).await.1, second);
}
