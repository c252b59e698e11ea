//! Requests: judged whole before anything goes on.

use expect_test::{Expect, expect};

use super::rig::{POLICIES, Rig, state};
use crate::{
    Now,
    http::{Exchange, Login, Request, bearer},
};

#[track_caller]
fn check(request: &str, expected: Expect) {
    let mut rig = Rig::new();
    rig.request(request);
    expected.assert_eq(&rig.take());
}

#[test]
fn a_read_goes_on_with_the_gateways_credential_in_place_of_the_token() {
    check(
        "GET /users/7?full=1\nauthorization: Bearer agents-own\nx-forwarded-for: 1.2.3.4\n\
         accept: */*\naccept-encoding: br\ncookie: a=b\nx-envoy-retry-on: 5xx\nte: trailers",
        expect![[r#"
            forward -x-forwarded-for -cookie -x-envoy-retry-on -te =accept-encoding: identity =authorization: Bearer the-gateways-own
              operated #1 Allow http:GET /users/{id} [reads] "GET /users/7?full=1"
        "#]],
    );
}

#[test]
fn a_denied_request_is_answered_with_a_problem_document() {
    check(
        "DELETE /users/7",
        expect![[r#"
        answer 403 denied: people are never deleted rule=no-deletes decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
          operated #1 Deny http:DELETE /users/{id} [no-deletes] "DELETE /users/7"
    "#]],
    );
    check(
        "GET /users/7\ncontent-type: image/png\n\n\u{1}",
        expect![[r#"
            answer 403 denied: could not be read: its body is neither JSON nor a form rule=default-deny decision=9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c/1
              operated #1 Deny http:GET /users/{id} [default-deny] "GET /users/7\ncontent-type: image/png\n\n\u{1}"
        "#]],
    );
}

#[test]
fn a_write_waits_for_its_record_and_its_body_is_kept_masked() {
    let mut rig = Rig::new();
    let mut exchange = rig.request(
        "POST /users/7\ncontent-type: application/json\n\n{\"email\":\"ada@example.com\",\"n\":\"4111111111111111\"}",
    );
    assert!(exchange.awaits_record());
    rig.recorded(&mut exchange);
    expect![[r#"
          operated #1 Allow http:POST /users/{id} [writes] "POST /users/7\ncontent-type: application/json\n\n{\"email\":\"[redacted]\",\"n\":\"****1111\"}"
        forward +accept-encoding: identity +authorization: Bearer the-gateways-own
    "#]].assert_eq(&rig.take());
}

#[test]
fn a_record_that_does_not_come_ends_the_wait() {
    let mut rig = Rig::new();
    let mut exchange = rig.request("POST /users/7");
    rig.take();
    rig.now = exchange.poll_timeout().unwrap();
    exchange.on_timeout(&mut rig.agent, rig.now);
    rig.look(&mut exchange);
    rig.recorded(&mut exchange);
    expect![[r#"
        answer 503 unavailable: the record of the request could not be kept again in 5 s
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_and_kept() {
    let mut rig = Rig::new();
    for request in [
        "GET /a/../users",
        "GET /users/%2e%2e/x",
        "GET /users;v=1",
        "GET /USERS/7",
        "TRACE /users/7",
        "GET /users/7\nx-http-method-override: DELETE",
        "GET /users/7\nx-original-url: /refunds",
        "GET /users/7\nx_original_url: /refunds",
        "GET /users/7\nupgrade: websocket",
        "POST /users/7\ncontent-length: 1\ncontent-length: 2\n\n{}",
        "POST /users/7\ntransfer-encoding: gzip, chunked\n\n{}",
        "POST /users/7\ncontent-type: application/json\n\n{\"a\":1,\"a\":2}",
        "POST /users/7\ncontent-type: application/json\n\n{\"a\":1} {}",
        "POST /users/7\ncontent-type: application/x-www-form-urlencoded\n\n{\"a\":1}",
        "POST /users/7?_method=DELETE",
        "GET /users/7\ncontent-type: text/plain\ncontent-type: application/json",
    ] {
        rig.request(request);
    }
    expect![[r#"
        answer 400 bad-request: the path holds a `.` or `..` segment
          refused protocol: GET /a/../users: the path holds a `.` or `..` segment
        answer 400 bad-request: the path escapes what needs no escape
          refused protocol: GET /users/%2e%2e/x: the path escapes what needs no escape
        answer 400 bad-request: the path holds `;`, which some servers cut at
          refused protocol: GET /users;v=1: the path holds `;`, which some servers cut at
        answer 400 bad-request: the path is `/users/{id}` in other letters or with another last slash
          refused protocol: GET /USERS/7: the path is `/users/{id}` in other letters or with another last slash
        answer 501 bad-request: the gateway does not know this method
          refused protocol: TRACE /users/7: the gateway does not know this method
        answer 400 bad-request: the header `x-http-method-override` would change what the request does
          refused protocol: GET /users/7: the header `x-http-method-override` would change what the request does
        answer 400 bad-request: the header `x-original-url` would change what the request does
          refused protocol: GET /users/7: the header `x-original-url` would change what the request does
        answer 400 bad-request: the name of a header holds `_`
          refused protocol: GET /users/7: the name of a header holds `_`
        answer 400 bad-request: the request for WebSocket is not a whole one
          refused protocol: GET /users/7: the request for WebSocket is not a whole one
        answer 400 bad-request: `content-length` comes more than once
          refused protocol: POST /users/7: `content-length` comes more than once
        answer 400 bad-request: the transfer encoding is not `chunked`
          refused protocol: POST /users/7: the transfer encoding is not `chunked`
        answer 400 bad-request: the body has one key twice in an object
          refused protocol: POST /users/7: the body has one key twice in an object
        answer 400 bad-request: the body is not the JSON it is said to be (line 1, column 9)
          refused protocol: POST /users/7: the body is not the JSON it is said to be (line 1, column 9)
        answer 400 bad-request: the body is not the form it is said to be
          refused protocol: POST /users/7: the body is not the form it is said to be
        answer 400 bad-request: `_method` would override the method
          refused protocol: POST /users/7?_method=DELETE: `_method` would override the method
        answer 400 bad-request: `content-type` comes more than once
          refused protocol: GET /users/7: `content-type` comes more than once
    "#]].assert_eq(&rig.take());
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let mut rig = Rig::new();
    rig.request(&format!("POST /users/7\n\n{}", "x".repeat(1025)));
    expect![[r#"
        answer 413 too-large: a request body has at most 1024 bytes
          refused protocol: POST /users/7: a request body has at most 1024 bytes
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn nothing_happens_before_the_identity_is_known() {
    let mut rig = Rig::pending(state(POLICIES, &[]));
    let mut waiting = rig.request("GET /users/7");
    let mut other = rig.request("GET /users/8");
    assert_eq!(rig.take(), "");
    rig.agent
        .on_login(Login::Rejected("the token has expired".to_owned()), rig.now);
    waiting.on_identity(&mut rig.agent, rig.now);
    rig.look(&mut waiting);
    other.on_identity(&mut rig.agent, rig.now);
    rig.look(&mut other);
    expect![[r#"
        answer 401 unauthorized: the token has expired
          turned away: GET /users/7 from 127.0.0.1:50000 by curl: the token has expired
        answer 401 unauthorized: the token has expired
          turned away: GET /users/8 from 127.0.0.1:50000 by curl: the token has expired
    "#]]
    .assert_eq(&rig.take());

    let mut rig = Rig::pending(state(POLICIES, &[]));
    let mut waiting = rig.request("GET /users/7");
    rig.agent.on_login(Login::Lost, rig.now);
    waiting.on_identity(&mut rig.agent, rig.now);
    rig.look(&mut waiting);
    expect![[r#"
        answer 503 unavailable: the control plane could not verify the token again in 5 s
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn a_body_that_never_ends_is_given_up() {
    let mut rig = Rig::new();
    let request = Request {
        method: "POST".to_owned(),
        target: "/users/7".to_owned(),
        headers: Vec::new(),
    };
    let mut exchange = Exchange::new(&rig.agent, request, rig.now);
    exchange.on_identity(&mut rig.agent, rig.now);
    assert!(exchange.is_held());
    exchange.on_timeout(&mut rig.agent, Now(u64::MAX));
    rig.look(&mut exchange);
    expect![[r#"
        answer 503 unavailable: the request took too long again in 5 s
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn an_ended_session_answers_nothing_more() {
    let mut rig = Rig::new();
    let mut running = rig.request("GET /users/7");
    let mut held = rig.request("POST /users/7");
    rig.take();
    rig.agent.on_revoked("leak", rig.now);
    for exchange in [&mut running, &mut held] {
        exchange.on_identity(&mut rig.agent, rig.now);
        rig.look(exchange);
    }
    rig.request("GET /users/7");
    expect![[r#"
        reset
          refused killed: the session was ended by an operator: leak
          replied #1  0 bytes, 0 masked, "" the session was ended
        answer 403 session-ended: the session was ended by an operator: leak
        answer 403 session-ended: the session was ended by an operator: leak
          turned away: GET /users/7 from 127.0.0.1:50000 by curl: the session was ended by an operator: leak
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn an_expired_token_ends_what_runs() {
    let mut rig = Rig::new();
    let mut running = rig.request("GET /users/7");
    rig.take();
    assert!(!rig.agent.has_expired(rig.now));
    rig.now = Now(90_000_000);
    assert!(rig.agent.has_expired(rig.now));
    rig.agent.on_expired();
    running.on_identity(&mut rig.agent, rig.now);
    rig.look(&mut running);
    rig.request("GET /users/7");
    expect![[r#"
        reset
          replied #1  0 bytes, 0 masked, "" the session was ended
        answer 401 unauthorized: the token has expired
          turned away: GET /users/7 from 127.0.0.1:50000 by curl: the token has expired
    "#]]
    .assert_eq(&rig.take());
}

#[test]
fn one_bearer_token_and_nothing_else() {
    let shown = |values: &[&str]| {
        let headers: Vec<(String, String)> = values
            .iter()
            .map(|value| ("authorization".to_owned(), (*value).to_owned()))
            .collect();
        bearer(&headers).map_or_else(|reply| reply.status.to_string(), str::to_owned)
    };
    assert_eq!(shown(&["Bearer a.b.c"]), "a.b.c");
    assert_eq!(shown(&["bearer  a.b.c "]), "a.b.c");
    for values in [
        &[][..],
        &["Bearer a", "Bearer b"],
        &["Basic YTpi"],
        &["Bearer "],
        &["Bearer"],
        &["B\u{e9}arer a"],
    ] {
        assert_eq!(shown(values), "401", "{values:?}");
    }
}
