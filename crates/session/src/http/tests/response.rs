//! Responses: read as they stream, masked, or not passed on.

use expect_test::{Expect, expect};

use super::rig::{POLICIES, Rig, state};

#[track_caller]
fn check(request: &str, head: &str, body: &[&[u8]], expected: Expect) {
    let mut rig = Rig::new();
    let mut exchange = rig.request(request);
    rig.recorded(&mut exchange);
    rig.take();
    rig.response(&mut exchange, head, body);
    expected.assert_eq(&rig.take());
}

const JSON: &str = "200\ncontent-type: application/json";
const LENGTH: &str = "200\ncontent-type: application/json\ncontent-length: 30";
const READ: &str = "GET /users/7";

#[test]
fn a_masked_body_loses_what_described_the_whole() {
    check(
        READ,
        "200\ncontent-type: application/json\ncontent-length: 40\netag: \"x\"\ndigest: sha-256=x\n\
         content-md5: x\nset-cookie: sid=1\nx-envoy-upstream-service-time: 1\nlink: <a>\nx-owner: ada@example.com",
        &[br#"{"email":"ada@example.com","card":"4111111111111111"}"#],
        expect![[r#"
            head -content-length -etag -digest -content-md5 -set-cookie -x-envoy-upstream-service-time -x-owner +x-owner: [redacted]
            body {"email":"[redacted]","card":"****1111"}
              replied #1 200 40 bytes, 3 masked, "{\"email\":\"[redacted]\",\"card\":\"****1111\"}"
        "#]],
    );
}

#[test]
fn an_answer_without_body_keeps_its_head() {
    check(
        READ,
        "304\netag: \"x\"\nset-cookie: a=b",
        &[],
        expect![[r#"
            head -set-cookie
              replied #1 304 0 bytes, 0 masked, ""
        "#]],
    );
    check(
        "HEAD /users/7",
        "200\ncontent-type: image/png\ncontent-length: 5",
        &[],
        expect![[r#"
            head
              replied #1 200 0 bytes, 0 masked, ""
        "#]],
    );
}

#[test]
fn what_cannot_be_read_is_not_passed_on() {
    let mut shown = String::new();
    for head in [
        "200\ncontent-type: application/json\ncontent-encoding: gzip",
        "200\ncontent-type: application/json\ncontent-encoding: identity\ncontent-encoding: br",
        "200\ncontent-type: image/png",
        "200\ncontent-type: multipart/form-data; boundary=x",
        "200\ncontent-type: application/grpc",
        "200\ncontent-type: application/json; charset=utf-16",
        "200\ncontent-type: text/html; charset=utf-7",
        "200\ncontent-type: text/plain\ncontent-type: application/json",
        "200\nserver: x",
        "206\ncontent-type: application/json",
        "101\nupgrade: websocket",
        "401\nwww-authenticate: Basic",
    ] {
        let mut rig = Rig::new();
        let mut exchange = rig.request(READ);
        rig.take();
        rig.response(&mut exchange, head, &[b"{}"]);
        shown.push_str(&rig.take());
    }
    expect![[r#"
        answer 502 unreadable-response: the body of the answer is encoded decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the body of the answer is encoded
        answer 502 unreadable-response: the body of the answer is encoded decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the body of the answer is encoded
        answer 502 unreadable-response: the content type of the answer is not one that is read decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the content type of the answer is not one that is read
        answer 502 unreadable-response: the content type of the answer is not one that is read decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the content type of the answer is not one that is read
        answer 502 unreadable-response: the answer is messages of gRPC decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the answer is messages of gRPC
        answer 502 unreadable-response: the JSON of the answer is not UTF-8 decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the JSON of the answer is not UTF-8
        answer 502 unreadable-response: the text of the answer is in an unknown character set decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the text of the answer is in an unknown character set
        answer 502 unreadable-response: the answer has several content types decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the answer has several content types
        answer 502 unreadable-response: the answer has no content type decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the answer has no content type
        answer 502 unreadable-response: the answer is a part of something decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 206 0 bytes, 0 masked, "" the answer is a part of something
        answer 502 upstream-protocol: the target wants another protocol decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 101 0 bytes, 0 masked, "" the target wants another protocol
        answer 502 upstream-credential: the target refused the credential of the gateway decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 401 0 bytes, 0 masked, "" the target refused the credential of the gateway
    "#]].assert_eq(&shown);
}

#[test]
fn a_permit_of_the_unreadable_passes_it_on_its_route() {
    check(
        "GET /files",
        "200\ncontent-type: image/png\ncontent-length: 3\netag: \"x\"",
        &[b"\x89PN", b"G"],
        expect![[r#"
            head
            body �PNG
              replied #1 200 4 bytes, 0 masked, ""
        "#]],
    );
}

#[test]
fn a_body_that_is_not_what_it_says_is_not_passed_on() {
    check(
        READ,
        LENGTH,
        &[b"{\"a\":", b"<html>"],
        expect![[r#"
            head -content-length
            answer 502 unreadable-response: the body is not the JSON it is said to be decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
              replied #1 200 0 bytes, 0 masked, "" the body is not the JSON it is said to be
        "#]],
    );
    check(
        READ,
        JSON,
        &[b"{\"a\":1"],
        expect![[r#"
        head
        answer 502 unreadable-response: the JSON of the body ends too early decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          replied #1 200 0 bytes, 0 masked, "" the JSON of the body ends too early
    "#]],
    );
    let long = format!("[{}", "1,".repeat(64 << 10));
    let mut rig = Rig::new();
    let mut exchange = rig.request(READ);
    rig.take();
    rig.response(&mut exchange, JSON, &[long.as_bytes(), b"oops]"]);
    let shown = rig.take();
    assert!(
        shown.contains("reset\n") && !shown.contains("oops"),
        "{}",
        shown.len()
    );
}

#[test]
fn a_refused_credential_is_asked_for_again_by_the_next_request() {
    let mut rig = Rig::new();
    let mut exchange = rig.request(READ);
    rig.response(&mut exchange, "401\ncontent-type: text/plain", &[b"secret"]);
    assert!(rig.agent.is_over());
}

#[test]
fn observe_mode_passes_and_records_what_would_have_been() {
    let observe = "resources: {crm: {mode: observe, routes: ['/users/{id}', /refunds, /files]}}";
    let mut rig = Rig::with(state(POLICIES, &[("resources.yaml", observe)]));
    let mut exchange = rig.request("DELETE /users/7");
    rig.recorded(&mut exchange);
    rig.response(&mut exchange, JSON, &[br#"{"email":"ada@example.com"}"#]);
    expect![[r#"
          operated #1 Deny http:DELETE /users/{id} [no-deletes] "DELETE /users/7" observed
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
        head
        body {"email":"ada@example.com"}
          replied #1 200 27 bytes, 0 masked, ""
    "#]]
    .assert_eq(&rig.take());
}

/// Whatever the cuts, the client and the record see the same.
#[test]
fn any_chunking_gives_the_same_answer() {
    let bodies = [
        (
            JSON,
            "[{\"email\":\"a\\u0040b.cd\", \"note\":\"to ada@example.com\",\"card\":4111111111111111},\n 1.5e3]",
        ),
        (
            "200\ncontent-type: application/x-ndjson",
            "{\"email\":\"x\"}\n{\"a\":\"4111 1111 1111 1111\"}\n",
        ),
        (
            "200\ncontent-type: text/plain",
            "hello ada@example.com\r\nand 4111-1111-1111-1111",
        ),
        (
            "200\ncontent-type: text/event-stream",
            ": hi\r\nid: 1\r\ndata: {\"email\":\r\ndata: \"x\"}\r\n\r\ndata: ada@example.com\n\n",
        ),
        (LENGTH, "{\"a\": [1, 2"),
        (LENGTH, "{\"email\": \"ada@example.com\"}"),
    ];
    for (head, body) in bodies {
        let whole = answer(head, &[body.as_bytes()]);
        assert!(!whole.contains("ada@"), "{whole}");
        for at in 1..body.len() {
            let (left, right) = body.as_bytes().split_at(at);
            assert_eq!(answer(head, &[left, right]), whole, "cut at {at}: {body}");
        }
        let each: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert_eq!(answer(head, &each), whole, "byte by byte: {body}");
    }
}

fn answer(head: &str, body: &[&[u8]]) -> String {
    let mut rig = Rig::new();
    let mut exchange = rig.request(READ);
    rig.take();
    rig.response(&mut exchange, head, body);
    rig.take()
}
