//! Requests of one run, and what they must have in common.

use super::rig::{POLICIES, Rig, state};
use crate::{Outcome, Run};

const CLUSTER: &str = r#"
@id("writes") permit (principal, action in Action::"k8s:write", resource in Cluster::"crm");
@id("asks") @approval("dba") @reason("it goes")
forbid (principal, action in Action::"k8s:write", resource is Kind);
@id("asks-too") @approval("dba")
forbid (principal, action, resource is Kind) when { resource.name == "secrets" };
"#;

const DELETE: &str = "DELETE /api/v1/namespaces/web/configmaps/one\n\
                      content-type: application/json\nuser-agent: kubectl\n\
                      kubectl-session: 1f\nkubectl-command: kubectl delete\n\n{\"propagationPolicy\":\"Background\"}";

fn run_of(request: &str) -> Option<Run> {
    thread_local! {
        static STATE: crate::State = state(CLUSTER, &[("labels.yaml", ""), ("resources.yaml", "")]);
    }
    let mut rig = Rig::cluster(STATE.with(Clone::clone));
    rig.request(request);
    let out = rig.take();
    assert!(out.starts_with("ask dba"), "{request}: {out}");
    rig.run.take().map(|it| *it)
}

#[test]
fn requests_of_a_run_that_differ_in_their_object_are_alike() {
    let first = run_of(DELETE).unwrap();
    assert_eq!(
        (first.id.as_str(), first.command.as_str()),
        ("1f", "kubectl delete")
    );
    assert_eq!(
        (first.kind.as_str(), first.namespace.as_str()),
        ("configmaps", "web")
    );
    assert_eq!(first.rules, ["asks"]);
    for alike in [
        DELETE.replace("/one", "/two"),
        DELETE.replace("user-agent: kubectl", "user-agent: other"),
    ] {
        assert_eq!(run_of(&alike).unwrap(), first, "{alike}");
    }
}

#[test]
fn what_differs_in_more_is_another_run() {
    let first = run_of(DELETE).unwrap();
    for other in [
        DELETE.replace("Background", "Foreground"),
        DELETE.replace("/one", "/one?gracePeriodSeconds=0"),
        DELETE.replace("user-agent", "x-more: 1\nuser-agent"),
        DELETE.replace("/web/", "/api/"),
        DELETE.replace("/configmaps/", "/secrets/"),
        DELETE.replace("/one", "/one/status"),
        DELETE.replace(": 1f", ": 20"),
        DELETE
            .replace("DELETE ", "PATCH ")
            .replace("application/json", "application/merge-patch+json"),
    ] {
        assert_ne!(run_of(&other).unwrap(), first, "{other}");
    }
    // What no other field tells is in the digest.
    for other in [
        DELETE.replace("Background", "Foreground"),
        DELETE.replace("/one", "/one?gracePeriodSeconds=0"),
        DELETE.replace("user-agent", "x-more: 1\nuser-agent"),
    ] {
        assert_ne!(run_of(&other).unwrap().likeness, first.likeness, "{other}");
    }
}

#[test]
fn who_says_nothing_of_a_run_or_names_no_object_is_asked_about_each_time() {
    for alone in [
        DELETE.replace("kubectl-session: 1f\n", ""),
        DELETE.replace(
            "kubectl-session: 1f",
            "kubectl-session: 1f\nkubectl-session: 1f",
        ),
        DELETE.replace(": 1f", ": \u{202e}f"),
        DELETE.replace(": 1f", &format!(": {}", "f".repeat(129))),
        DELETE.replace("/one", ""),
    ] {
        assert_eq!(run_of(&alone), None, "{alone}");
    }
}

#[test]
fn any_client_may_name_its_run() {
    let policies = POLICIES.replace("crm/refunds\")", "crm/users/{id}\")");
    let mut rig = Rig::with(state(&policies, &[]));
    let of = |rig: &mut Rig, id: u8| {
        rig.request(&format!(
            "POST /users/{id}\nostiary-run: r\nostiary-task: cleaning"
        ));
        rig.run.take().map(|it| *it)
    };
    let first = of(&mut rig, 1).unwrap();
    assert_eq!(first.kind, "/users/{id}");
    assert_eq!(of(&mut rig, 2).unwrap(), first);
}

#[test]
fn an_answer_to_other_rules_lets_nothing_through() {
    let files = [("labels.yaml", ""), ("resources.yaml", "")];
    let mut rig = Rig::cluster(state(CLUSTER, &files));
    let mut exchange = rig.request(DELETE);
    let pending = Outcome::Pending {
        approval_id: "ap-1".to_owned(),
        who: "one of dba".to_owned(),
        outlives_call: false,
    };
    rig.news(&mut exchange, &pending);
    rig.agent.on_state(state(
        &CLUSTER.replace("\"secrets\"", "\"configmaps\""),
        &files,
    ));
    rig.take();
    let approved = Outcome::Approved {
        reviewers: vec!["rita".to_owned()],
        comment: String::new(),
    };
    rig.news(&mut exchange, &approved);
    let out = rig.take();
    assert!(
        out.contains("policy changed while the request waited"),
        "{out}"
    );
}
