//! Operations that are known by a name in the body or path: GraphQL and gRPC; and WebSocket, which is not
//! read.

use ostiary_tests::{
    Result,
    stack::{Operator, Policy, Stack, Target, example_policy},
    wait,
};
use serde_json::json;

use super::crm::{with_crm, with_policy};
use crate::of_kind;

const GRAPHQL: &str = r#"
@id("asks") permit (principal, action == Action::"graphql:query", resource in Route::"crm/graphql");
@id("posts") permit (principal, action == Action::"http:POST", resource == Route::"crm/graphql");
@id("small-refunds") permit (principal, action == Action::"graphql:mutation", resource == Field::"crm/graphql.refund")
when {
  context.request.numbers.hasTag("refund(amount)") && context.request.numbers.getTag("refund(amount)") <= 50
};
@id("notes") permit (principal, action == Action::"graphql:mutation", resource == Field::"crm/graphql.note");
@id("never") @reason("people are never deleted")
forbid (principal, action, resource == Field::"crm/graphql.deleteUser");
@id("live") permit (principal, action == Action::"http:upgrade", resource == Route::"crm/live");
@id("everything-else") permit (principal, action, resource == Route::"crm/closed");
"#;

fn policy() -> Result<Policy> {
    let mut policy = example_policy()?;
    policy.insert("graphql.cedar".into(), GRAPHQL.into());
    let resources = "resources: {shop: {}, crm: {graphql: [/graphql], routes: [/live, /closed, /users, \
                     '/users/{id}', '/users/{id}/notes', /refunds]}}";
    policy.insert("resources.yaml".into(), resources.into());
    Ok(policy)
}

#[test]
fn graphql_is_judged_by_the_fields_it_asks_for() -> Result<()> {
    with_policy(&policy()?, |crm| {
        let agent = crm.agent("graph")?;
        let found: serde_json::Value = serde_json::from_str(&agent.node("graphql.js")?.ok()?.out)?;
        let user = json!({"user": {"email": "****.com"}});
        let refused = |text: &str| json!([403, text]);
        assert_eq!(found["query"], json!([200, user]), "{found}");
        assert_eq!(found["mutation"], json!([200, user]));
        assert_eq!(found["small"], json!([200, user]));
        for name in ["hidden", "spread", "batch"] {
            assert_eq!(
                found[name],
                refused("never: people are never deleted"),
                "{name}"
            );
        }
        assert_eq!(
            found["large"],
            refused("default-deny: nothing permits `graphql:mutation` on /graphql.refund")
        );
        for (name, why) in [
            ("persisted", "it names a document that the server keeps"),
            ("two", "it has several operations and names none"),
        ] {
            let why = format!("default-deny: could not be read: {why}");
            assert_eq!(found[name], refused(&why), "{name}");
        }
        assert!(
            found["alias"][1]
                .as_str()
                .is_some_and(|it| it.starts_with("labelled-alias: ")),
            "{found}"
        );
        assert_eq!(crm.api.seen("deleteUser").len(), 0);
        let by_url = "/graphql?query=mutation%7Bnote%7D";
        assert_eq!(agent.curl(by_url, &[])?.status, 400);
        assert_eq!(
            crm.api.seen("note").len(),
            1,
            "the one that was sent by POST"
        );
        let auditor = crm.stack.auditor()?;
        wait::until("the operations on record", wait::SOON, || {
            let events = auditor.events_of("graph")?;
            let shown = serde_json::to_string(&of_kind(&events, "operated"))?;
            let all = [
                "graphql:query /graphql.user",
                "graphql:mutation /graphql.deleteUser",
            ];
            Ok(all.iter().all(|it| shown.contains(it)).then_some(()))
        })
    })
}

const GRPC: &str = r#"
@id("lists") permit (principal, action in [Action::"grpc:call", Action::"http:unreadable"],
  resource in Service::"archive/ostiary.v1.Sessions");
@id("no-kills") @reason("sessions are ended by people")
forbid (principal, action == Action::"grpc:call", resource == Method::"archive/ostiary.v1.Sessions/Kill");
"#;

/// The target is a control plane, and the client the `ostiary` command: both real gRPC.
#[test]
fn grpc_is_judged_by_service_and_method() -> Result<()> {
    with_crm(|crm| {
        crm.agent("before")?.curl("/users", &[])?;
        let target = Target {
            name: "archive".into(),
            ..Target::crm(crm.stack.control_plane_port())
        }
        .with("protocol", "http2");
        let mut policy = example_policy()?;
        policy.insert("http.cedar".into(), GRPC.into());
        policy.insert(
            "resources.yaml".into(),
            "resources: {shop: {}, archive: {grpc: [ostiary.v1.Sessions]}}".into(),
        );
        policy.insert("labels.yaml".into(), without_fields(&policy["labels.yaml"]));
        let stack = Stack::start(crm.stack.issuer(), &[target], &policy)?;
        let credential = crm.stack.administrator()?.token;
        std::fs::write(stack.folder().join("credential"), &credential)?;
        stack.explain((|| {
            let agent = Operator {
                address: format!("http://127.0.0.1:{}", stack.port("archive")?),
                token: stack.issuer().token("caller", &["analysts"])?,
            };
            // The agent's own token would not do there.
            let direct = Operator {
                address: crm.stack.address().to_owned(),
                token: agent.token.clone(),
            };
            assert_ne!(direct.run(&["sessions", "list"])?.code, 0);
            let sessions = agent.json(&["sessions", "list"])?;
            let id = sessions["sessions"][0]["id"]
                .as_str()
                .expect("a session")
                .to_owned();
            let killed = agent.run(&["sessions", "kill", &id, "--reason", "x"])?;
            assert!(
                killed.code != 0
                    && killed.err.contains("no-kills")
                    && killed.err.contains("sessions are ended by people"),
                "{killed:?}"
            );
            let other = agent.run(&["approvals", "list"])?;
            assert!(
                other.code != 0 && other.err.contains("default-deny"),
                "{other:?}"
            );
            let nobody = Operator {
                token: "nobody".into(),
                ..agent.clone()
            };
            assert_ne!(nobody.run(&["sessions", "list"])?.code, 0);
            let auditor = stack.auditor()?;
            wait::until("the calls on record", wait::SOON, || {
                let events = serde_json::to_string(&auditor.events_of("caller")?)?;
                let all = [
                    "grpc:call ostiary.v1.Sessions/List",
                    "grpc:call ostiary.v1.Sessions/Kill",
                ];
                Ok(all.iter().all(|it| events.contains(it)).then_some(()))
            })
        })())
    })
}

/// The example's labels, whose fields are on routes that this API does not have.
fn without_fields(labels: &str) -> String {
    labels
        .lines()
        .filter(|line| !line.contains("route:"))
        .map(|line| format!("{line}\n"))
        .collect()
}

const UPGRADE: &str = "Host: x\r\nAuthorization: Bearer TOKEN\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn websocket_passes_only_where_a_permit_names_it() -> Result<()> {
    with_policy(&policy()?, |crm| {
        let agent = crm.agent("socket")?;
        // A permit of everything does not name it.
        for path in ["/closed", "/users/7"] {
            let answer = agent.send(&format!(
                "GET {path}?marker HTTP/1.1\r\n{}",
                &UPGRADE.replace("Host: x", "Host: x\r\nX-Marker: 1")
            ))?;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
            assert!(
                answer.contains("nothing permits `http:upgrade`"),
                "{answer}"
            );
        }
        let other = UPGRADE.replace("websocket", "SPDY/3.1");
        let answer = agent.send(&format!("GET /closed?marker HTTP/1.1\r\n{other}"))?;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("WebSocket alone"), "{answer}");
        assert_eq!(crm.api.seen("marker").len(), 0);
        let answer = agent.send(&format!("GET /live HTTP/1.1\r\n{UPGRADE}"))?;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.ends_with("frames that nobody reads"), "{answer}");
        // Bytes before the target has agreed to change could be a request to it.
        let early =
            format!("GET /live?early HTTP/1.1\r\n{UPGRADE}DELETE /users/7 HTTP/1.1\r\n\r\n");
        let answer = agent.send(&early)?;
        assert!(!answer.contains("frames"), "{answer}");
        assert_eq!(crm.api.seen("DELETE").len(), 0);
        let auditor = crm.stack.auditor()?;
        wait::until("the upgrades on record", wait::SOON, || {
            let events = serde_json::to_string(&auditor.events_of("socket")?)?;
            let all = [
                "http:upgrade /closed",
                "http:upgrade /live",
                "WebSocket alone",
            ];
            Ok(all.iter().all(|it| events.contains(it)).then_some(()))
        })
    })
}
