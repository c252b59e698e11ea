//! GraphQL, gRPC and WebSocket: what the client is told, and what may not hide.

use expect_test::expect;

use super::rig::{Rig, state};
use crate::http::{Effect, Reply};

const POLICIES: &str = r#"
@id("reads") permit (principal, action in Action::"http:read", resource in Api::"crm");
@id("refunds") @approval("dba") @reason("money goes out")
forbid (principal, action == Action::"graphql:mutation", resource == Field::"crm/graphql.refund");
@id("mutates") permit (principal, action == Action::"graphql:mutation", resource in Route::"crm/graphql");
@id("calls") permit (principal, action in [Action::"grpc:call", Action::"http:unreadable"], resource in Service::"crm/shop.v1.Orders");
@id("no-cancels") @reason("orders are cancelled by 10 %")
forbid (principal, action == Action::"grpc:call", resource == Method::"crm/shop.v1.Orders/Cancel");
@id("live") permit (principal, action == Action::"http:upgrade", resource == Route::"crm/live");
"#;

const RESOURCES: &str = "resources: {crm: {graphql: [/graphql], grpc: [shop.v1.Orders], routes: [/live, /users, '/users/{id}', /files]}}";

fn rig() -> Rig {
    Rig::with(state(POLICIES, &[("resources.yaml", RESOURCES)]))
}

fn graphql(rig: &mut Rig, query: &str) -> crate::http::Exchange {
    rig.request(&format!(
        "POST /graphql\ncontent-type: application/json\n\n{{\"query\":\"{query}\"}}"
    ))
}

#[test]
fn an_alias_does_not_hide_a_labelled_field() {
    let mut rig = rig();
    graphql(&mut rig, "{ me { email mail: name } }");
    graphql(&mut rig, "{ me { safe: email } }");
    graphql(&mut rig, "{ me { ...F } } fragment F on U { EMAIL: Email }");
    expect![[r#"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
          operated #1 Allow graphql:query /graphql.me [reads] "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"{ me { email mail: name } }\"}"
        answer 403 denied: `safe` would stand for `email`, which is on the way to a labelled field: ask for it by its own name rule=labelled-alias decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/2
          operated #2 Deny graphql:query /graphql.me [labelled-alias] "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"{ me { safe: email } }\"}"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
          operated #3 Allow graphql:query /graphql.me [reads] "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"{ me { ...F } } fragment F on U { EMAIL: Email }\"}"
    "#]].assert_eq(&rig.take());
}

#[test]
fn a_label_on_a_whole_path_holds_in_a_batch() {
    let labels =
        "labels: {name: {strategy: redact}}\nfields: [{field: $.data.me.name, label: name}]";
    let files = [("resources.yaml", RESOURCES), ("labels.yaml", labels)];
    let mut rig = Rig::with(state(POLICIES, &files));
    let one = r#"{"query":"{ me { name } }"}"#;
    for (request, answer, masked) in [
        (
            one.to_owned(),
            r#"{"data":{"me":{"name":"ada"}}}"#,
            r#"{"data":{"me":{"name":"[redacted]"}}}"#,
        ),
        (
            format!("[{one},{one}]"),
            r#"[{"data":{"me":{"name":"ada"}}},{"data":{"me":{"name":"eve"}}}]"#,
            r#"[{"data":{"me":{"name":"[redacted]"}}},{"data":{"me":{"name":"[redacted]"}}}]"#,
        ),
    ] {
        let mut exchange = rig.request(&format!(
            "POST /graphql\ncontent-type: application/json\n\n{request}"
        ));
        rig.recorded(&mut exchange);
        rig.take();
        rig.response(
            &mut exchange,
            "200\ncontent-type: application/json",
            &[answer.as_bytes()],
        );
        let seen = rig.take();
        assert!(seen.contains(&format!("body {masked}\n")), "{seen}");
    }
}

#[test]
fn a_mutation_waits_for_people_and_for_its_record() {
    let mut rig = rig();
    graphql(&mut rig, "mutation { refund }");
    let mut other = graphql(&mut rig, "mutation { note }");
    assert!(other.awaits_record());
    rig.recorded(&mut other);
    expect![[r#"
        ask dba (money goes out):
        POST /graphql
        content-type: application/json

        {"query":"mutation { refund }"}
          operated #1 Approve graphql:mutation /graphql.refund [refunds] "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"mutation { refund }\"}"
          operated #2 Allow graphql:mutation /graphql.note [mutates] "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"mutation { note }\"}"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
    "#]].assert_eq(&rig.take());
}

fn reply(exchange: &mut crate::http::Exchange) -> Reply {
    match exchange.next_effect() {
        Some(Effect::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_of_grpc_is_told_its_status() {
    let mut rig = rig();
    let mut call =
        rig.open("POST /shop.v1.Orders/Cancel\ncontent-type: application/grpc+proto\n\nx");
    let reply = reply(&mut call);
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let shown: Vec<String> = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    expect![[r#"
        cache-control: no-store
        content-type: application/grpc
        grpc-status: 7
        grpc-message: denied by rule `no-cancels`: orders are cancelled by 10 %25
        ostiary-problem: {"type":"urn:ostiary:problem:denied","title":"denied by rule `no-cancels`","status":403,"detail":"orders are cancelled by 10 %25","decision":"9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1","rule":"no-cancels","retry":"Nothing was sent. The same request will be denied again under this policy."}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn a_call_goes_on_and_its_trailers_come_back() {
    let mut rig = rig();
    let mut call =
        rig.request("POST /shop.v1.Orders/List\ncontent-type: application/grpc\nte: trailers\n\nx");
    rig.recorded(&mut call);
    rig.response(
        &mut call,
        "200\ncontent-type: application/grpc\ngrpc-status-details-bin: YWRh",
        &[b"a message"],
    );
    expect![[r#"
          operated #1 Allow grpc:call shop.v1.Orders/List [calls] "POST /shop.v1.Orders/List\ncontent-type: application/grpc\n\nx"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
        head -grpc-status-details-bin
        body a message
          replied #1 200 9 bytes, 0 masked, ""
    "#]].assert_eq(&rig.take());
    let mut call = rig.request("POST /shop.v1.Orders/List\ncontent-type: application/grpc\n\nx");
    rig.recorded(&mut call);
    rig.head(&mut call, "200\ncontent-type: application/grpc");
    let trailers = [
        ("grpc-status", "5"),
        ("grpc-message", "no ada@example.com"),
        ("grpc-status-details-bin", "YWRh"),
        ("x-owner", "ada"),
    ];
    let trailers = trailers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut kept = call.trailers(&trailers);
    kept.sort();
    expect![[r#"[("grpc-message", "no [redacted]"), ("grpc-status", "5")]"#]]
        .assert_eq(&format!("{kept:?}"));
}

const UPGRADE: &str = "connection: keep-alive, Upgrade\nupgrade: websocket\nsec-websocket-version: 13\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

#[test]
fn websocket_passes_unread_once_the_target_agrees() {
    let mut rig = rig();
    rig.request(&format!("GET /users\n{UPGRADE}"));
    let mut live = rig.request(&format!("GET /live\n{UPGRADE}"));
    assert!(live.is_upgrade());
    rig.recorded(&mut live);
    rig.response(
        &mut live,
        "101\nupgrade: websocket\nconnection: upgrade\nset-cookie: a=b",
        &[b"ada@example.com", b"x"],
    );
    expect![[r#"
        answer 403 denied: nothing permits `http:upgrade` on /users rule=default-deny decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          operated #1 Deny http:upgrade /users [default-deny] "GET /users\nsec-websocket-version: 13\nupgrade: websocket"
          operated #2 Allow http:upgrade /live [live] "GET /live\nsec-websocket-version: 13\nupgrade: websocket"
        forward -connection +connection: Upgrade +accept-encoding: identity +authorization: Bearer the-gateways-own
        head -set-cookie
        body ada@example.comx
          replied #2 101 16 bytes, 0 masked, ""
    "#]].assert_eq(&rig.take());
}

#[test]
fn bytes_ahead_of_the_change_end_the_stream() {
    let mut rig = rig();
    let mut held = rig.request(&format!("GET /live\n{UPGRADE}"));
    let mut sent = rig.request(&format!("GET /live\n{UPGRADE}"));
    rig.recorded(&mut sent);
    rig.take();
    for exchange in [&mut held, &mut sent] {
        assert!(!exchange.on_upgraded(&mut rig.agent, rig.now));
        rig.look(exchange);
    }
    expect![[r#"
        answer 400 bad-request: bytes came before the change of protocol was answered
          refused protocol: GET /live: bytes came before the change of protocol was answered
        reset
          replied #2  0 bytes, 0 masked, "" bytes came before the change of protocol was answered
    "#]]
    .assert_eq(&rig.take());
    let mut open = rig.request(&format!("GET /live\n{UPGRADE}"));
    rig.head(&mut open, "101\nupgrade: websocket\nconnection: upgrade");
    rig.take();
    assert!(open.on_upgraded(&mut rig.agent, rig.now));
    rig.look(&mut open);
    assert_eq!(rig.take(), "");
}

#[test]
fn a_target_that_does_not_agree_answers_as_always() {
    let mut rig = rig();
    let mut live = rig.request(&format!("GET /live\n{UPGRADE}"));
    rig.recorded(&mut live);
    rig.take();
    rig.response(
        &mut live,
        "200\ncontent-type: application/json",
        &[br#"{"email":"ada@example.com"}"#],
    );
    expect![[r#"
        head
        body {"email":"[redacted]"}
          replied #1 200 22 bytes, 1 masked, "{\"email\":\"[redacted]\"}"
    "#]]
    .assert_eq(&rig.take());
}
