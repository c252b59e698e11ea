//! Requests to a cluster: what goes on and in which form, what is masked and kept.

use expect_test::{Expect, expect};

use super::rig::{Rig, state};
use crate::http::{Body, Upgraded};

const POLICIES: &str = r#"
@id("reads") permit (principal, action in Action::"k8s:read", resource in Cluster::"crm");
@id("writes") permit (principal, action in Action::"k8s:write", resource in Namespace::"crm/web");
@id("streams") permit (principal, action in Action::"k8s:connect", resource in Namespace::"crm/web");
@id("reaches")
permit (principal, action in [Action::"k8s:connect", Action::"k8s:unreadable"], resource in Namespace::"crm/ops");
@id("no-database") @reason("not for agents")
forbid (principal, action == Action::"k8s:portforward", resource) when { context.objects has port && context.objects.port == "5432" };
@id("asks") @approval("dba") @reason("a secret changes")
forbid (principal, action == Action::"k8s:update", resource is Kind) when { resource.name == "secrets" };
"#;
const LABELS: &str = "labels: {env: {strategy: redact}}\n\
                      fields: [{field: $.spec.token, label: env, kind: things.example.com}]\n";

fn rig() -> Rig {
    let others = [
        ("labels.yaml", LABELS),
        ("resources.yaml", "resources: {crm: {tags: {}}}"),
    ];
    Rig::cluster(state(POLICIES, &others))
}

#[track_caller]
fn check(request: &str, expected: Expect) {
    let mut rig = rig();
    rig.request(request);
    expected.assert_eq(&rig.take());
}

/// The body a client sees of an answer in JSON.
fn answered(request: &str, body: &str) -> String {
    let mut rig = rig();
    let mut exchange = rig.request(request);
    rig.recorded(&mut exchange);
    rig.take();
    rig.response(
        &mut exchange,
        "200\ncontent-type: application/json",
        &[body.as_bytes()],
    );
    let out = rig.take();
    let shown = out.lines().find_map(|line| line.strip_prefix("body "));
    shown.unwrap_or_else(|| panic!("{out}")).to_owned()
}

#[test]
fn a_request_asks_for_what_can_be_read() {
    check(
        "GET /api/v1/namespaces/web/pods\nauthorization: Bearer own\n\
         accept: application/vnd.kubernetes.protobuf, application/json;as=Table;v=v1;g=meta.k8s.io\nkubectl-session: 1",
        expect![[r#"
            forward -kubectl-session =accept: application/json;as=Table;v=v1;g=meta.k8s.io =authorization: Bearer the-gateways-own +accept-encoding: identity
              operated #1 Allow k8s:list pods in web [reads] "GET /api/v1/namespaces/web/pods"
        "#]],
    );
    check(
        "GET /apis/example.com/v1/namespaces/web/things\naccept: application/json;as=Table;v=v1;g=meta.k8s.io",
        expect![[r#"
            forward =accept: application/json +accept-encoding: identity +authorization: Bearer the-gateways-own
              operated #1 Allow k8s:list things.example.com in web [reads] "GET /apis/example.com/v1/namespaces/web/things"
        "#]],
    );
    check(
        "GET /openapi/v2\naccept: application/com.github.proto",
        expect![[r#"
            forward +accept-encoding: identity +authorization: Bearer the-gateways-own
              operated #1 Allow k8s:get /openapi/v2 [reads] "GET /openapi/v2"
        "#]],
    );
}

#[test]
fn secrets_are_masked_in_every_place_where_objects_stand() {
    let secret = r#"{"kind":"Secret","metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"czNjcjN0\"}}","a":"b"}},"data":{"p":"czNjcjN0"}}"#;
    let masked = r#"{"kind":"Secret","metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","a":"b"}},"data":{"p":"W3JlZGFjdGVkXQ=="}}"#;
    for (path, place) in [
        ("namespaces/web/secrets/db", "OBJECT".to_owned()),
        (
            "secrets",
            r#"{"kind":"SecretList","items":[OBJECT,OBJECT]}"#.to_owned(),
        ),
        (
            "secrets?watch=1",
            r#"{"type":"ADDED","object":OBJECT}"#.to_owned(),
        ),
        (
            "secrets",
            r#"{"kind":"Table","rows":[{"cells":["db"],"object":OBJECT}]}"#.to_owned(),
        ),
        (
            "watch/secrets",
            r#"{"type":"ADDED","object":{"kind":"Table","rows":[{"object":OBJECT}]}}"#.to_owned(),
        ),
    ] {
        let shown = answered(
            &format!("GET /api/v1/{path}"),
            &place.replace("OBJECT", secret),
        );
        assert_eq!(shown, place.replace("OBJECT", masked), "{path}");
    }
    let token = r#"{"kind":"TokenRequest","status":{"token":"abc"}}"#;
    let path = "/api/v1/namespaces/web/serviceaccounts/sa/token";
    let request = format!("POST {path}\ncontent-type: application/json\n\n{{}}");
    assert_eq!(
        answered(&request, token),
        r#"{"kind":"TokenRequest","status":{"token":"[redacted]"}}"#
    );
    // Of another kind it is a field like any other.
    let map = r#"{"kind":"ConfigMap","data":{"p":"czNjcjN0"}}"#;
    assert_eq!(
        answered("GET /api/v1/namespaces/web/configmaps/c", map),
        map
    );
}

#[test]
fn what_is_kept_of_a_secret_is_masked_in_every_form_of_writing_it() {
    for (kind, body, masked) in [
        (
            "application/json",
            r#"{"data":{"p":"czNjcjN0"}}"#,
            r#"{"data":{"p":"W3JlZGFjdGVkXQ=="}}"#,
        ),
        (
            "application/apply-patch+yaml",
            r#"{"stringData":{"p":"s3cr3t"}}"#,
            r#"{"stringData":{"p":"[redacted]"}}"#,
        ),
        (
            "application/merge-patch+json",
            r#"{"data":{"p":"czNjcjN0"}}"#,
            r#"{"data":{"p":"W3JlZGFjdGVkXQ=="}}"#,
        ),
        (
            "application/json-patch+json",
            r#"[{"op":"add","path":"/data/p","value":"czNjcjN0"}]"#,
            r#"[{"op":"add","path":"/data/p","value":"[redacted]"}]"#,
        ),
        (
            "application/yaml",
            "data: {p: czNjcjN0}",
            "(19 bytes that are not shown)",
        ),
    ] {
        let mut rig = rig();
        rig.request(&format!(
            "PATCH /api/v1/namespaces/web/secrets/db\ncontent-type: {kind}\n\n{body}"
        ));
        let kept = rig.take();
        assert!(
            !kept.contains("czNjcjN0") && !kept.contains("s3cr3t"),
            "{kept}"
        );
        assert!(kept.contains(&masked.escape_debug().to_string()), "{kept}");
    }
}

#[test]
fn reviewers_see_what_is_masked_as_it_is_kept() {
    check(
        "PUT /api/v1/namespaces/web/secrets/db\ncontent-type: application/json\n\n{\"data\":{\"p\":\"czNjcjN0\"}}",
        expect![[r#"
            ask dba (a secret changes):
            PUT /api/v1/namespaces/web/secrets/db
            content-type: application/json

            {"data":{"p":"W3JlZGFjdGVkXQ=="}}
              operated #1 Approve k8s:update secrets/db in web [asks] "PUT /api/v1/namespaces/web/secrets/db\ncontent-type: application/json\n\n{\"data\":{\"p\":\"W3JlZGFjdGVkXQ==\"}}"
        "#]],
    );
}

#[test]
fn streams_that_are_not_read_are_refused_whatever_policy_says_and_nobody_is_asked() {
    for way in ["exec?command=id", "attach", "portforward", "proxy/a"] {
        let mut rig = rig();
        rig.request(&format!(
            "POST /api/v1/namespaces/ops/pods/p/{way}\nconnection: Upgrade\nupgrade: SPDY/3.1"
        ));
        let out = rig.take();
        assert!(!out.contains("forward -") && !out.contains("ask "), "{out}");
        assert!(
            out.contains("answer 403 Forbidden")
                && (out.contains("does not change") || out.contains("offers no version")),
            "{out}"
        );
        assert!(out.contains("[reaches]"), "{out}");
    }
    check(
        "GET /api/v1/namespaces/web/pods/p\nconnection: Upgrade\nupgrade: websocket",
        expect![[r#"
            answer 403 Forbidden: ostiary: the gateway cannot pass this: the gateway does not change protocols (decision 9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1)
              operated #1 Allow k8s:get pods/p in web [reads] "GET /api/v1/namespaces/web/pods/p\nupgrade: websocket"
              refused protocol: GET /api/v1/namespaces/web/pods/p: the gateway does not change protocols
        "#]],
    );
    check(
        "POST /api/v1/namespaces/other/pods/p/exec?command=id\nupgrade: SPDY/3.1",
        expect![[r#"
            answer 403 Forbidden: ostiary: denied by rule `default-deny`: nothing permits `k8s:exec` on pods/p/exec in other (decision 9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1)
              operated #1 Deny k8s:exec pods/p/exec in other [default-deny] "POST /api/v1/namespaces/other/pods/p/exec?command=id\nupgrade: SPDY/3.1\n\nid"
        "#]],
    );
}

#[test]
fn what_is_behind_a_proxy_goes_on_by_a_permit_for_what_is_not_read() {
    check(
        "GET /api/v1/namespaces/web/services/api/proxy/a",
        expect![[r#"
            answer 403 Forbidden: ostiary: denied by rule `default-deny`: could not be read: what is behind a proxy is not read as Kubernetes (decision 9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1)
              operated #1 Deny k8s:proxy services/api/proxy in web [default-deny] "GET /api/v1/namespaces/web/services/api/proxy/a"
        "#]],
    );
    let mut rig = rig();
    let mut exchange = rig.request(
        "POST /api/v1/namespaces/ops/services/api:web/proxy/a/b?c=d\naccept: text/html\n\nbody",
    );
    rig.recorded(&mut exchange);
    expect![[r#"
          operated #1 Allow k8s:proxy services/api:web/proxy in ops [reaches] "POST /api/v1/namespaces/ops/services/api:web/proxy/a/b?c=d\n\nbody"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
    "#]].assert_eq(&rig.take());
    rig.response(&mut exchange, "200\ncontent-type: text/html", &[b"hi"]);
    expect![[r#"
        head
        body hi
          replied #1 200 2 bytes, 0 masked, "hi"
    "#]]
    .assert_eq(&rig.take());
}

const FORWARD: &str = "POST /api/v1/namespaces/ops/pods/p/portforward\n\
    connection: Upgrade\nupgrade: SPDY/3.1\nx-stream-protocol-version: portforward.k8s.io";
const FORWARDS: &str =
    "101\nupgrade: SPDY/3.1\nconnection: Upgrade\nx-stream-protocol-version: portforward.k8s.io";
/// SYN_STREAM of an `error` and a `data` stream of port 80, and the same of 5432.
const PORT_80: &str = "80030001000000500000000100000000000078f9e3c6a7c2003b00c4ff000000030000000a73747265616d7479706500\
    0000056572726f7200000004706f72740000000238300000000972657175657374696400000001308003000100000049\
    00000003000000000000003a00c5ff000000030000000a73747265616d74797065000000046461746100000004706f72\
    74000000023830000000097265717565737469640000000130";
const PORT_5432: &str = "800300010000004c00000005000000000000003d00c2ff000000030000000a73747265616d7479706500000005657272\
    6f7200000004706f72740000000435343332000000097265717565737469640000000131800300010000004b00000007\
    000000000000003c00c3ff000000030000000a73747265616d74797065000000046461746100000004706f7274000000\
    0435343332000000097265717565737469640000000131";

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

#[test]
fn each_port_is_judged_before_it_is_asked_for() {
    let forwarding = || {
        let mut rig = rig();
        let mut exchange = rig.request(FORWARD);
        rig.recorded(&mut exchange);
        rig.head(&mut exchange, FORWARDS);
        let out = rig.take();
        assert!(out.contains("[reaches]"), "{out}");
        let first = unhex(PORT_80);
        let sent = exchange.on_stream(&mut rig.agent, &first, rig.now);
        assert_eq!(sent, Upgraded::Send(first));
        (rig, exchange)
    };
    let (mut rig, mut exchange) = forwarding();
    let sent = exchange.on_stream(&mut rig.agent, &unhex(PORT_5432), rig.now);
    assert_eq!(sent, Upgraded::Reset);
    rig.look(&mut exchange);
    expect![[r#"
        reset
          streamed #1 ToPort 80: 0
          streamed #1 ToPort 5432: 0
          streamed #1 ToPort 80: 0
          streamed #1 FromPort 80: 0
          streamed #1 ToPort 5432: 0
          streamed #1 FromPort 5432: 0
          replied #1 101 0 bytes, 0 masked, "" port 5432: denied by rule `no-database`: not for agents
    "#]].assert_eq(&rig.take());
    // Policy that changes counts for ports that are open.
    let (mut rig, mut exchange) = forwarding();
    let without = POLICIES.replace("5432", "80");
    rig.agent.on_state(state(&without, &[]));
    exchange.on_state(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    let out = rig.take();
    assert!(
        out.starts_with("reset") && out.contains("does not permit it any more"),
        "{out}"
    );
    // The end of it is no failure.
    let (mut rig, mut exchange) = forwarding();
    exchange.on_closed(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    let out = rig.take();
    assert!(
        out.contains("streamed #1 FromPort 80: 0\n")
            && out.ends_with("replied #1 101 0 bytes, 0 masked, \"\"\n"),
        "{out}"
    );
}

#[test]
fn who_else_and_what_is_masked_are_not_passed_on() {
    check(
        "GET /api/v1/namespaces/web/pods\nimpersonate-user: root",
        expect![[r#"
            answer 403 Forbidden: ostiary: the request is refused: the gateway does not impersonate others for a client (`Impersonate-…`)
              refused protocol: GET /api/v1/namespaces/web/pods: the gateway does not impersonate others for a client (`Impersonate-…`)
        "#]],
    );
    for value in ["W3JlZGFjdGVkXQ==", "KioqKjQh"] {
        let mut rig = rig();
        rig.request(&format!(
            "PATCH /api/v1/namespaces/web/secrets/db\ncontent-type: application/merge-patch+json\n\n{{\"data\":{{\"p\":\"{value}\"}}}}"
        ));
        let out = rig.take();
        assert!(out.starts_with("answer 400 "), "{out}");
    }
}

#[test]
fn an_answer_in_another_form_than_asked_for_is_not_passed_on() {
    let mut rig = rig();
    let mut exchange = rig.request("GET /api/v1/namespaces/web/secrets/db");
    rig.take();
    rig.response(
        &mut exchange,
        "200\ncontent-type: application/vnd.kubernetes.protobuf",
        &[b"k8s\0s3cr3t"],
    );
    expect![[r#"
        answer 502 InternalError: ostiary: the answer of the target is not passed on: the content type of the answer is not one that is read (decision 9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1)
          replied #1 200 0 bytes, 0 masked, "" the content type of the answer is not one that is read
    "#]].assert_eq(&rig.take());
}

#[test]
fn a_refusal_is_a_status() {
    let mut rig = rig();
    let mut exchange = rig.request("DELETE /api/v1/namespaces/other/pods/p");
    let _ = exchange.next_effect();
    let reply =
        crate::http::Reply::unavailable("the record of this gateway is behind").into_status();
    let status: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["code"], 503);
    assert_eq!(status["reason"], "ServiceUnavailable");
    assert!(
        reply
            .headers
            .contains(&("content-type".to_owned(), "application/json".to_owned()))
    );
}

const EXEC: &str = "GET /api/v1/namespaces/web/pods/p/exec?command=cat&command=a+b&stdout=1\n\
    connection: Upgrade\nupgrade: websocket\nsec-websocket-version: 13\nsec-websocket-key: x\n\
    sec-websocket-protocol: v5.channel.k8s.io, base64.channel.k8s.io\n\
    sec-websocket-extensions: permessage-deflate";
const AGREED: &str =
    "101\nupgrade: websocket\nconnection: Upgrade\nsec-websocket-protocol: v5.channel.k8s.io";

#[test]
fn exec_goes_on_in_streams_that_are_read_and_recorded() {
    let mut rig = rig();
    let mut exchange = rig.request(EXEC);
    assert!(!rig.take().contains("forward"), "before it is on record");
    rig.recorded(&mut exchange);
    rig.head(&mut exchange, AGREED);
    let printed = exchange.on_response_body(&mut rig.agent, b"\x82\x04\x01hi\n", false, rig.now);
    assert_eq!(printed, Body::Send(b"\x82\x04\x01hi\n".to_vec()));
    let status = b"\x82\x15\x03{\"status\":\"Success\"}";
    exchange.on_response_body(&mut rig.agent, status, false, rig.now);
    exchange.on_closed(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    expect![[r#"
        forward -connection -sec-websocket-extensions =sec-websocket-protocol: v5.channel.k8s.io +connection: Upgrade +accept-encoding: identity +accept: application/json +authorization: Bearer the-gateways-own
        head
          streamed #1 Stdout "hi\n"
          replied #1 101 3 bytes, 0 masked, ""
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn what_cannot_be_followed_ends_the_stream_and_is_on_record() {
    for client in [true, false] {
        let mut rig = rig();
        let mut exchange = rig.request(EXEC);
        rig.recorded(&mut exchange);
        rig.head(&mut exchange, AGREED);
        rig.take();
        match client {
            true => {
                assert!(exchange.on_upgraded(&mut rig.agent, rig.now));
                let out = exchange.on_stream(&mut rig.agent, b"\x82\x80\0\0\0\0", rig.now);
                assert_eq!(out, Upgraded::Reset);
            }
            false => {
                let out = exchange.on_response_body(&mut rig.agent, b"\xc2\0", false, rig.now);
                assert_eq!(out, Body::Reset);
            }
        }
        rig.look(&mut exchange);
        let out = rig.take();
        assert!(
            out.starts_with("reset") && out.contains("cannot be followed"),
            "{out}"
        );
    }
}

#[test]
fn bytes_before_the_change_of_protocol_end_it() {
    let mut rig = rig();
    let mut exchange = rig.request(EXEC);
    rig.recorded(&mut exchange);
    rig.take();
    assert!(!exchange.on_upgraded(&mut rig.agent, rig.now));
    rig.look(&mut exchange);
    let out = rig.take();
    assert!(
        out.starts_with("reset") && out.contains("before the change"),
        "{out}"
    );
}

#[test]
fn a_target_that_agrees_to_something_else_is_not_heard() {
    for head in [
        "101\nupgrade: websocket",
        "101\nupgrade: websocket\nsec-websocket-protocol: base64.channel.k8s.io",
        "101\nupgrade: SPDY/3.1\nsec-websocket-protocol: v5.channel.k8s.io",
    ] {
        let mut rig = rig();
        let mut exchange = rig.request(EXEC);
        rig.recorded(&mut exchange);
        rig.take();
        rig.response(&mut exchange, head, &[b"unread"]);
        let out = rig.take();
        assert!(out.starts_with("answer 502"), "{head}: {out}");
    }
}

#[test]
fn streams_do_not_begin_under_a_policy_that_changed_on_the_way() {
    let refused = POLICIES.replace("\"k8s:connect\"", "\"k8s:read\"");
    let asks = format!(
        "{POLICIES} @id(\"asks-exec\") @approval(\"dba\") forbid (principal, action == Action::\"k8s:exec\", resource);"
    );
    for policies in [refused, asks] {
        let mut rig = rig();
        let mut exchange = rig.request(EXEC);
        rig.recorded(&mut exchange);
        rig.agent.on_state(state(&policies, &[]));
        exchange.on_state(&mut rig.agent, rig.now);
        rig.take();
        rig.response(&mut exchange, AGREED, &[b"unread"]);
        assert!(!exchange.is_streaming());
        let out = rig.take();
        assert!(
            out.starts_with("answer 502") && out.contains("does not permit it any more"),
            "{out}"
        );
    }
}

#[test]
fn streams_end_when_policy_or_an_operator_says_so() {
    let streaming = || {
        let mut rig = rig();
        let mut exchange = rig.request(EXEC);
        rig.recorded(&mut exchange);
        rig.head(&mut exchange, AGREED);
        rig.take();
        (rig, exchange)
    };
    let (mut rig, mut exchange) = streaming();
    rig.agent.on_state(state(POLICIES, &[]));
    exchange.on_state(&mut rig.agent, rig.now);
    assert!(exchange.is_streaming());
    let without = POLICIES.replace("\"k8s:connect\"", "\"k8s:read\"");
    rig.agent.on_state(state(&without, &[]));
    exchange.on_state(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    let out = rig.take();
    assert!(
        out.starts_with("reset") && out.contains("does not permit it any more"),
        "{out}"
    );
    let (mut rig, mut exchange) = streaming();
    rig.agent.on_revoked("", rig.now);
    exchange.on_identity(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    let out = rig.take();
    assert!(
        out.starts_with("reset") && out.contains("the session was ended"),
        "{out}"
    );
}
