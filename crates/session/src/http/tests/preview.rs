//! What people are shown of a change before they decide.

use expect_test::expect;

use super::rig::{Rig, state};
use crate::{
    Now,
    http::{Answer, Exchange, Which},
};

const POLICIES: &str = r#"
@id("writes") permit (principal, action, resource in Cluster::"crm");
@id("unread") permit (principal, action == Action::"k8s:unreadable", resource in Cluster::"crm");
@id("asks") @approval("dba") @reason("it changes")
forbid (principal, action in Action::"k8s:write", resource is Kind) unless { context.objects.dry_run };
"#;

const SCALE: &str = "PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?fieldManager=me\n\
                     content-type: application/merge-patch+json\nuser-agent: kubectl\nx-more: 1\n\n{\"spec\":{\"replicas\":5}}";

fn rig() -> Rig {
    let files = [
        ("labels.yaml", ""),
        ("resources.yaml", ""),
        (
            "approvals.yaml",
            "approvals: {dba: {reviewers: [dba], difference: true}}",
        ),
    ];
    Rig::cluster(state(POLICIES, &files))
}

fn answer(rig: &mut Rig, exchange: &mut Exchange, which: Which, status: u16, body: &str) {
    let answer = Answer {
        status,
        body: Some(body.as_bytes().to_vec()),
    };
    exchange.on_target(&mut rig.agent, which, Some(answer), rig.now);
    rig.look(exchange);
}

#[test]
fn the_target_is_asked_and_then_people_see_what_would_change() {
    let mut rig = rig();
    let mut exchange = rig.request(SCALE);
    assert!(exchange.is_held());
    let (before, after) = ("{\"spec\":{\"replicas\":1}}", "{\"spec\":{\"replicas\":5}}");
    answer(&mut rig, &mut exchange, Which::After, 200, after);
    answer(&mut rig, &mut exchange, Which::Before, 200, before);
    expect![[r#"
        target Before GET /apis/apps/v1/namespaces/web/deployments/api/scale user-agent: kubectl; accept: application/json; accept-encoding: identity; authorization: Bearer the-gateways-own;
        target After PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?dryRun=All&fieldManager=me content-type: application/merge-patch+json; user-agent: kubectl; accept: application/json; accept-encoding: identity; authorization: Bearer the-gateways-own;
          operated #1 Approve k8s:patch deployments.apps/api/scale in web [asks] "PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?fieldManager=me\ncontent-type: application/merge-patch+json\nx-more: 1\n\n{\"spec\":{\"replicas\":5}}"
        difference .spec.replicas: 1 > 5
        difference 0 more
        ask dba (it changes):
        PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?fieldManager=me
        content-type: application/merge-patch+json
        x-more: 1

        {"spec":{"replicas":5}}
    "#]].assert_eq(&rig.take());
}

#[test]
fn a_secret_stays_masked_for_reviewers() {
    let mut rig = rig();
    let mut exchange = rig.request(
        "PUT /api/v1/namespaces/web/secrets/db\ncontent-type: application/json\n\n{\"data\":{\"p\":\"b25l\"}}",
    );
    let of = |value: &str| format!("{{\"data\":{{\"p\":\"{value}\"}}}}");
    answer(&mut rig, &mut exchange, Which::Before, 200, &of("dHdv"));
    answer(&mut rig, &mut exchange, Which::After, 200, &of("b25l"));
    let out = rig.take();
    assert!(
        out.contains("difference .data.p: \"W3JlZGFjdGVkXQ==\" > \"W3JlZGFjdGVkXQ==\""),
        "{out}"
    );
    assert!(!out.contains("dHdv") && !out.contains("b25l"), "{out}");
}

/// What the target is asked about a request, and what people are told.
fn asked(request: &str) -> (Vec<String>, String) {
    let mut rig = rig();
    let mut exchange = rig.request(request);
    let out = rig.take();
    let calls = out.lines().filter_map(|line| line.strip_prefix("target "));
    let calls = calls.map(|line| line.split(" accept").next().unwrap().to_owned());
    let calls: Vec<String> = calls.collect();
    let due = exchange.poll_timeout();
    if !calls.is_empty() {
        exchange.on_timeout(&mut rig.agent, due.unwrap());
        rig.look(&mut exchange);
    }
    let out = out + &rig.take();
    let told = out
        .lines()
        .find_map(|line| line.strip_prefix("difference "));
    (calls, told.unwrap_or_default().to_owned())
}

#[test]
fn nothing_is_tried_that_could_be_the_change_itself() {
    let json = "content-type: application/json\n\n{}";
    for (request, calls, told) in [
        // What goes is looked at; a deletion reads `dryRun` elsewhere.
        (
            "DELETE /api/v1/namespaces/web/pods/a".to_owned(),
            &["Before GET /api/v1/namespaces/web/pods/a"][..],
            "0 more the server did not answer in time",
        ),
        (
            format!("POST /api/v1/namespaces/web/pods/a/eviction\n{json}"),
            &[],
            "0 more it is not known whether the server heeds a dry run of this kind",
        ),
        (
            format!("POST /apis/example.com/v1/namespaces/web/things\n{json}"),
            &[],
            "0 more it is not known whether the server heeds a dry run of this kind",
        ),
        (
            format!("PUT /apis/apps/v1/namespaces/web/deployments/a?x=1\n{json}"),
            &[
                "Before GET /apis/apps/v1/namespaces/web/deployments/a",
                "After PUT /apis/apps/v1/namespaces/web/deployments/a?dryRun=All&x=1 content-type: application/json;",
            ],
            "0 more the server did not answer in time",
        ),
        (
            "DELETE /api/v1/namespaces/web/pods".to_owned(),
            &[],
            "0 more it is not about one object",
        ),
        (
            "PUT /api/v1/namespaces/web/pods/a\ncontent-type: application/vnd.kubernetes.protobuf\n\nk8s".to_owned(),
            &[],
            "0 more the body of the request could not be read",
        ),
    ] {
        let (seen, said) = asked(&request);
        let seen: Vec<&str> = seen.iter().map(|it| it.trim_end()).collect();
        assert_eq!(seen, calls, "{request}");
        assert_eq!(said, told, "{request}");
    }
}

#[test]
fn people_are_asked_whatever_the_target_says() {
    for (status, body, told) in [
        (403, "{}", "the server refused the dry run (403)"),
        (200, "no", "the server's answer could not be read"),
        (200, "[]", "the server's answer could not be read"),
    ] {
        let mut rig = rig();
        let mut exchange = rig.request(SCALE);
        answer(&mut rig, &mut exchange, Which::After, status, body);
        answer(&mut rig, &mut exchange, Which::Before, 404, "");
        let out = rig.take();
        assert!(out.contains(told) && out.contains("ask dba"), "{out}");
        assert!(!out.contains("forward"), "{out}");
    }
    let mut rig = rig();
    let mut exchange = rig.request(SCALE);
    exchange.on_target(&mut rig.agent, Which::After, None, rig.now);
    let due = exchange.poll_timeout().unwrap();
    assert!(due <= Now(rig.now.0 + 2_000_000));
    exchange.on_timeout(&mut rig.agent, due);
    rig.look(&mut exchange);
    assert!(rig.take().contains("ask dba"));
    // It comes too late.
    answer(&mut rig, &mut exchange, Which::Before, 200, "{}");
    assert_eq!(rig.take(), "");
}

#[test]
fn a_client_that_leaves_meanwhile_asks_nobody() {
    let mut rig = rig();
    let mut exchange = rig.request(SCALE);
    rig.take();
    exchange.on_closed(&mut rig.agent, rig.now);
    answer(&mut rig, &mut exchange, Which::Before, 200, "{}");
    answer(&mut rig, &mut exchange, Which::After, 200, "{}");
    assert_eq!(rig.take(), "");
}
