//! Requests that wait for people.

use expect_test::expect;

use super::rig::{POLICIES, Rig, state};
use crate::{Now, Outcome};

const REFUND: &str =
    "POST /refunds\ncontent-type: application/json\nuser-agent: curl/8\n\n{\"amount\":5}";

fn pending(outlives_call: bool) -> Outcome {
    Outcome::Pending {
        approval_id: "ap-1".to_owned(),
        who: "one of dba".to_owned(),
        outlives_call,
    }
}

fn approved() -> Outcome {
    Outcome::Approved {
        reviewers: vec!["rita".to_owned()],
        comment: "fine".to_owned(),
    }
}

#[test]
fn an_approved_request_goes_on_once_its_record_is_durable() {
    let mut rig = Rig::new();
    let mut exchange = rig.request(REFUND);
    rig.news(&mut exchange, &pending(false));
    rig.news(&mut exchange, &approved());
    assert!(exchange.awaits_record());
    rig.recorded(&mut exchange);
    expect![[r#"
        ask dba (money goes out):
        POST /refunds
        content-type: application/json

        {"amount":5}
          operated #1 Approve http:POST /refunds [refunds] "POST /refunds\ncontent-type: application/json\n\n{\"amount\":5}"
          asked #1 ap-1
          resolved #1 Approved fine
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
    "#]].assert_eq(&rig.take());
}

#[test]
fn every_other_outcome_sends_nothing() {
    let denied = Outcome::Denied {
        reviewers: vec!["rita".to_owned()],
        comment: "no ticket".to_owned(),
    };
    let mut shown = String::new();
    for outcome in [denied, Outcome::Expired, Outcome::Cancelled, Outcome::Lost] {
        let mut rig = Rig::new();
        let mut exchange = rig.request(REFUND);
        rig.news(&mut exchange, &pending(false));
        rig.take();
        rig.news(&mut exchange, &outcome);
        rig.news(&mut exchange, &approved());
        rig.recorded(&mut exchange);
        shown.push_str(&rig.take());
    }
    expect![[r#"
        answer 403 rejected: denied by rita: no ticket rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1
          resolved #1 Denied no ticket
        answer 403 expired: nobody answered in time rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1
          resolved #1 Expired
        answer 403 cancelled: the wait was cancelled rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1
          resolved #1 Cancelled
        answer 403 lost: the control plane was lost rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1
          resolved #1 Lost
    "#]].assert_eq(&shown);
}

#[test]
fn a_control_plane_that_says_nothing_is_lost() {
    let mut rig = Rig::new();
    let mut exchange = rig.request(REFUND);
    rig.take();
    let due = exchange.poll_timeout().unwrap();
    exchange.on_timeout(&mut rig.agent, Now(due.0 - 1));
    assert_eq!(exchange.next_effect(), None);
    exchange.on_timeout(&mut rig.agent, due);
    rig.look(&mut exchange);
    expect![[r#"
        cancel
        answer 403 lost: the control plane was lost rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          resolved #1 Lost
    "#]].assert_eq(&rig.take());
}

#[test]
fn policy_is_asked_again_when_people_have_answered() {
    let strict = POLICIES.replace("people are never deleted", "x").replace(
        "@id(\"files\")",
        "@id(\"closed\") forbid (principal, action == Action::\"http:POST\", resource);\n@id(\"files\")",
    );
    let boss = POLICIES.replace("@approval(\"dba\")", "@approval(\"boss\")");
    let mut shown = String::new();
    for policies in [strict, boss] {
        let mut rig = Rig::new();
        let mut exchange = rig.request(REFUND);
        rig.news(&mut exchange, &pending(false));
        rig.take();
        rig.agent.on_state(state(&policies, &[]));
        rig.news(&mut exchange, &approved());
        rig.recorded(&mut exchange);
        shown.push_str(&rig.take());
    }
    expect![[r#"
        answer 403 denied: forbidden by policy rule=closed decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          resolved #1 Approved fine
        answer 403 policy-changed: policy changed while the request waited rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1
          resolved #1 Approved fine
    "#]].assert_eq(&shown);
}

#[test]
fn a_client_that_will_not_wait_is_told_to_ask_again() {
    let mut rig = Rig::new();
    let later = REFUND.replace("user-agent", "prefer: respond-async\nuser-agent");
    let mut exchange = rig.request(&later);
    rig.news(&mut exchange, &pending(true));
    rig.news(&mut exchange, &approved());
    rig.recorded(&mut exchange);
    expect![[r#"
        ask dba (money goes out) for later:
        POST /refunds
        content-type: application/json

        {"amount":5}
          operated #1 Approve http:POST /refunds [refunds] "POST /refunds\ncontent-type: application/json\n\n{\"amount\":5}"
        cancel
        answer 403 approval-pending: waits for approval by one of dba rule=refunds decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1 approval=ap-1 again in 5 s
          asked #1 ap-1
    "#]].assert_eq(&rig.take());

    // Where no approval may outlive its request, it waits after all.
    let mut exchange = rig.request(&later);
    rig.take();
    rig.news(&mut exchange, &pending(false));
    rig.news(&mut exchange, &approved());
    rig.recorded(&mut exchange);
    expect![[r#"
          asked #2 ap-1
        forward -prefer +accept-encoding: identity +authorization: Bearer the-gateways-own
          resolved #2 Approved fine
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn a_client_that_goes_away_withdraws_its_question() {
    let mut rig = Rig::new();
    let mut exchange = rig.request(REFUND);
    rig.news(&mut exchange, &pending(false));
    rig.take();
    exchange.on_closed(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    expect![[r#"
        cancel
          resolved #1 Cancelled the stream ended early
    "#]]
    .assert_eq(&rig.take());
}

/// What an approval is bound to.
fn digest(request: &str) -> [u8; 32] {
    let mut rig = Rig::new();
    rig.request(request);
    assert_ne!(rig.digest, [0; 32], "{request}");
    rig.digest
}

#[test]
fn an_approval_covers_the_request_and_not_its_incidents() {
    let same = digest(REFUND);
    for request in [
        REFUND.replace("curl/8", "httpx"),
        REFUND.replace("user-agent: curl/8", "traceparent: 00-1"),
        REFUND.replace("user-agent", "prefer: respond-async\nuser-agent"),
        REFUND.replace("user-agent", "authorization: Bearer x\nuser-agent"),
    ] {
        assert_eq!(digest(&request), same, "{request}");
    }
    for request in [
        REFUND.replace(":5", ":50"),
        REFUND.replace("/refunds", "/refunds?force=1"),
        REFUND.replace("user-agent", "x-tenant: other\nuser-agent"),
        REFUND.replace(
            "user-agent",
            "prefer: resolution=merge-duplicates\nuser-agent",
        ),
        REFUND.replace("application/json", "application/merge-patch+json"),
    ] {
        assert_ne!(digest(&request), same, "{request}");
    }
}
