//! Approvals that the requests of one run share.

use ostiary_proto::{ApplyRequest, Approval, DecideRequest, GetApprovalRequest, Run};
use ostiary_record::ApprovalState::{self, Approved, Pending};

use super::*;

/// A deletion of one object, in a run.
fn deletion(plane: &Plane, name: u8) -> RequestApprovalRequest {
    let run = Run {
        id: "run-1".to_owned(),
        command: "kubectl delete".to_owned(),
        rules: vec!["ask".to_owned()],
        namespace: "web".to_owned(),
        kind: "configmaps".to_owned(),
        bundle: plane.bundle(),
        likeness: vec![3; 32],
    };
    RequestApprovalRequest {
        verb: "k8s:delete".to_owned(),
        digest: vec![name; 32],
        rule: "ask".to_owned(),
        run: Some(run),
        ..question(&id("aa"), &["many"])
    }
}

impl Plane {
    fn bundle(&self) -> String {
        let app = &self.server.as_ref().unwrap().app;
        let running = app.policies.watch().borrow().clone();
        running.unwrap().row.hash.clone()
    }

    /// The first news, and the last if the question has ended by then.
    async fn news(&self, request: RequestApprovalRequest) -> (String, ApprovalState) {
        let mut question = self.try_ask(request).await.unwrap();
        let first = question.message().await.unwrap().unwrap();
        assert_eq!(first.state(), Pending);
        let approval = self.seen(&first.approval_id).await;
        if approval.state() == Pending {
            // Whoever leaves takes the question along.
            std::mem::forget(question);
            return (first.approval_id, Pending);
        }
        let last = question.message().await.unwrap().unwrap();
        assert_eq!(last.approval_id, first.approval_id);
        (first.approval_id, last.state())
    }

    async fn seen(&self, id: &str) -> Approval {
        let get = GetApprovalRequest { id: id.to_owned() };
        let get = self.by("sam", AUDITOR, get);
        self.approvals().get(get).await.unwrap().into_inner()
    }

    async fn agree(&self, id: &str, only_this: bool) -> Approval {
        let vote = DecideRequest {
            id: id.to_owned(),
            digest: self.seen(id).await.digest,
            only_this,
            ..DecideRequest::default()
        };
        let vote = self.by("dora", DBA, vote);
        self.approvals().approve(vote).await.unwrap().into_inner()
    }

    /// The first question of a run, approved.
    async fn granted(&self) -> String {
        self.open(&id("aa"), "agent-7").await;
        let (approval, state) = self.news(deletion(self, 1)).await;
        assert_eq!(state, Pending);
        self.agree(&approval, false).await;
        approval
    }
}

#[tokio::test]
async fn one_answer_is_for_as_many_requests_as_it_says_and_no_more() {
    let plane = Plane::new().await;
    let approval = plane.granted().await;
    for name in 2..=5 {
        let news = plane.news(deletion(&plane, name)).await;
        assert_eq!(news, (approval.clone(), Approved), "{name}");
        let batch = plane.seen(&approval).await.batch.unwrap();
        assert_eq!(
            batch.used,
            u32::from(name),
            "on record before it is heard of"
        );
    }
    let (other, state) = plane.news(deletion(&plane, 6)).await;
    assert_ne!(other, approval);
    assert_eq!(state, Pending);
}

#[tokio::test]
async fn whoever_approves_is_told_what_for() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let (approval, _) = plane.news(deletion(&plane, 1)).await;
    let shown = plane.seen(&approval).await;
    let batch = shown.batch.unwrap();
    assert_eq!(
        batch.covers,
        "5 requests in all, this one among them, within 60 s of the decision: k8s:delete on one object each, \
         of the kind configmaps in namespace web, that differ from this one in nothing but the object, asked \
         about by the rule ask, of this agent, session and run of the client (in its words: kubectl delete)"
    );
    assert_eq!((batch.used, batch.until_us), (0, 0));
    // The digest of the request alone is not that of what would be approved.
    let vote = DecideRequest {
        id: approval.clone(),
        digest: vec![1; 32],
        ..DecideRequest::default()
    };
    let vote = plane.by("dora", DBA, vote);
    refused(
        plane.approvals().approve(vote).await,
        Code::FailedPrecondition,
        "the digest is not that of this approval: look at it again",
    );
}

#[tokio::test]
async fn what_differs_in_anything_is_asked_anew() {
    let plane = Plane::new().await;
    let approval = plane.granted().await;
    plane.open(&id("bb"), "agent-7").await;
    let base = || deletion(&plane, 2);
    let with = |change: &dyn Fn(&mut Run)| {
        let mut request = base();
        change(request.run.as_mut().unwrap());
        request
    };
    for (what, request) in [
        ("a run", with(&|it| it.id = "run-2".to_owned())),
        ("a namespace", with(&|it| it.namespace = "api".to_owned())),
        ("a kind", with(&|it| it.kind = "secrets".to_owned())),
        ("a rule", with(&|it| it.rules.push("too".to_owned()))),
        ("a bundle", with(&|it| it.bundle = "other".to_owned())),
        ("the rest of it", with(&|it| it.likeness = vec![4; 32])),
        (
            "a session",
            RequestApprovalRequest {
                session_id: id("bb"),
                ..base()
            },
        ),
        (
            "a verb",
            RequestApprovalRequest {
                verb: "k8s:patch".to_owned(),
                ..base()
            },
        ),
        (
            "an approval",
            RequestApprovalRequest {
                approvals: vec!["any".to_owned()],
                ..base()
            },
        ),
        (
            "an approval more",
            RequestApprovalRequest {
                approvals: vec!["many".to_owned(), "dba".to_owned()],
                ..base()
            },
        ),
        (
            "no run",
            RequestApprovalRequest {
                run: None,
                ..base()
            },
        ),
    ] {
        let (other, state) = plane.news(request).await;
        assert_ne!(other, approval, "{what}");
        assert_eq!(state, Pending, "{what}");
    }
    assert_eq!(plane.news(base()).await, (approval, Approved));
}

#[tokio::test]
async fn of_requests_that_race_no_more_are_let_through_than_were_approved() {
    let plane = Arc::new(Plane::new().await);
    let approval = plane.granted().await;
    let racers: Vec<_> = (2..=16)
        .map(|name| {
            let (plane, request) = (plane.clone(), deletion(&plane, name));
            tokio::spawn(async move { plane.news(request).await })
        })
        .collect();
    let mut through = 0;
    for racer in racers {
        let (id, state) = racer.await.unwrap();
        through += usize::from(id == approval && state == Approved);
    }
    assert_eq!(through, 4);
    assert_eq!(plane.seen(&approval).await.batch.unwrap().used, 5);
}

#[tokio::test]
async fn it_ends_by_the_clock() {
    let plane = Plane::new().await;
    let approval = plane.granted().await;
    plane.advance(59);
    assert_eq!(plane.news(deletion(&plane, 2)).await.0, approval);
    plane.advance(1);
    assert_ne!(plane.news(deletion(&plane, 3)).await.0, approval);
}

#[tokio::test]
async fn another_policy_or_a_restart_ends_it() {
    let plane = Plane::new().await;
    let approval = plane.granted().await;
    let old = deletion(&plane, 2);
    let mut files = bundle();
    files.insert(
        "b.cedar".to_owned(),
        POLICY.replace("@id(\"", "@id(\"more-"),
    );
    let apply = ApplyRequest {
        files: files.into_iter().collect(),
    };
    let apply = plane.by("ada", ADMIN, apply);
    plane.policy().apply(apply).await.unwrap();
    // A filter that has the old one still, and one that has the new one.
    assert_ne!(plane.news(old).await.0, approval);
    assert_ne!(plane.news(deletion(&plane, 3)).await.0, approval);

    let plane = Plane::new().await;
    let approval = plane.granted().await;
    let plane = plane.restart().await;
    let (other, state) = plane.news(deletion(&plane, 2)).await;
    assert_ne!(other, approval);
    assert_eq!(state, Pending);
}

#[tokio::test]
async fn a_reviewer_may_agree_to_the_one_alone() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let (approval, _) = plane.news(deletion(&plane, 1)).await;
    let given = plane.agree(&approval, true).await;
    assert_eq!(given.batch.unwrap().requests, 1);
    assert_ne!(plane.news(deletion(&plane, 2)).await.0, approval);
}

#[tokio::test]
async fn what_was_denied_or_still_waits_lets_nothing_through() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let (first, _) = plane.news(deletion(&plane, 1)).await;
    let (second, state) = plane.news(deletion(&plane, 2)).await;
    assert_ne!(second, first);
    assert_eq!(state, Pending);
    assert!(
        plane.seen(&second).await.batch.is_none(),
        "one batch is enough"
    );
    let deny = DecideRequest {
        id: first.clone(),
        ..DecideRequest::default()
    };
    let deny = plane.by("dora", DBA, deny);
    plane.approvals().deny(deny).await.unwrap();
    let (third, state) = plane.news(deletion(&plane, 3)).await;
    assert_ne!(third, first);
    assert_eq!(state, Pending);
}

#[tokio::test]
async fn any_kind_is_any_kind() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let of = |kind: &str, name| {
        let mut request = RequestApprovalRequest {
            approvals: vec!["any".to_owned()],
            ..deletion(&plane, name)
        };
        request.run.as_mut().unwrap().kind = kind.to_owned();
        request
    };
    let (approval, _) = plane.news(of("configmaps", 1)).await;
    let shown = plane.seen(&approval).await.batch.unwrap();
    assert!(
        shown.covers.contains("of any kind in namespace web"),
        "{shown:?}"
    );
    plane.agree(&approval, false).await;
    assert_eq!(plane.news(of("services", 2)).await, (approval, Approved));
}

#[tokio::test]
async fn a_run_that_is_not_described_whole_is_refused() {
    let plane = Plane::new().await;
    plane.open(&id("aa"), "agent-7").await;
    let mut request = deletion(&plane, 1);
    request.run.as_mut().unwrap().likeness = vec![1];
    let mut escape = deletion(&plane, 1);
    escape.run.as_mut().unwrap().command = "kubectl\u{1b}[2J".to_owned();
    for request in [request, escape] {
        refused(
            plane.try_ask(request).await,
            Code::InvalidArgument,
            "a run is not described whole",
        );
    }
}
