//! An HTTP API behind the gateway: a real Envoy, an API of the tests' own, curl, Node and bytes by hand.

mod answers;
mod approvals;
mod attacks;
mod crm;
mod identity;
mod named;
mod tls;

use ostiary_tests::{Result, wait};
use serde_json::json;

use crate::of_kind;
use crm::with_crm;

#[test]
fn reads_are_masked_over_http_1_and_2() -> Result<()> {
    with_crm(|crm| {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let answer = crm.agent("reader")?.curl("/users?page=2", &[version])?;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(
                answer.json()?,
                json!({"users": [
                    {"id": 1, "email": "****.com", "ssn": "[redacted]", "card": "****1111", "note": "call ****.org"},
                    {"id": 2, "email": null, "ssn": "[redacted]", "card": "****5559", "note": null},
                ]}),
            );
            for name in [
                "etag",
                "content-length",
                "set-cookie",
                "x-envoy-upstream-service-time",
            ] {
                assert_eq!(answer.header(name), None, "{answer:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn the_target_sees_the_gateways_credential_and_nothing_of_the_agent() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("courier")?;
        let headers = [
            "Cookie: sid=1",
            "X-Forwarded-For: 10.0.0.1",
            "X-Real-IP: 10.0.0.1",
            "Forwarded: for=10.0.0.1",
            "X-Envoy-Retry-On: 5xx",
            "X-Api-Key: guessed",
            "Impersonate-User: root",
            "Proxy-Authorization: Basic x",
            "Accept-Encoding: br",
            "Range: bytes=0-3",
            "Connection: x-hop",
            "X-Hop: 1",
            "Host: other.example",
            "X-Kept: yes",
            "Ostiary-Task: t",
        ];
        let headers: Vec<&str> = headers.iter().flat_map(|it| ["-H", *it]).collect();
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let path = format!("/users/7?headers{version}");
            let answer = agent.curl(&path, &[&[version], &headers[..]].concat())?;
            assert_eq!(answer.status, 200, "{answer:?}");
            let seen = crm.api.seen(&path);
            let [seen] = seen.as_slice() else {
                panic!("{seen:?}")
            };
            assert_eq!(
                seen.header("authorization"),
                Some("Bearer the-gateways-own")
            );
            assert_eq!(seen.header("accept-encoding"), Some("identity"));
            assert_eq!(
                seen.header("host"),
                Some(format!("127.0.0.1:{}", crm.api.port()).as_str())
            );
            assert_eq!(seen.header("x-kept"), Some("yes"));
            let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
            for name in [
                "cookie",
                "x-real-ip",
                "forwarded",
                "x-api-key",
                "impersonate-user",
                "range",
                "ostiary-task",
            ] {
                assert!(!names.contains(&name), "{name}: {seen:?}");
            }
            let internal =
                |name: &&str| name.starts_with("x-envoy") || name.starts_with("x-forwarded-for");
            assert!(!names.iter().any(internal), "{seen:?}");
            assert!(!format!("{seen:?}").contains(&agent.token), "{seen:?}");
        }
        Ok(())
    })
}

#[test]
fn a_denied_request_is_a_problem_document_and_the_connection_goes_on() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("denied")?;
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let answer = agent.curl("/users/7", &[version, "-X", "DELETE"])?;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json")
            );
            let problem = answer.json()?;
            assert_eq!(problem["type"], "urn:ostiary:problem:denied");
            assert_eq!(problem["rule"], "no-user-deletes");
            assert_eq!(
                problem["detail"],
                "people are deleted by the privacy team, not through agents"
            );
            assert!(
                problem["decision"].is_string() && problem["retry"].is_string(),
                "{problem}"
            );
        }
        assert_eq!(crm.api.seen("DELETE /users/7 ").len(), 0);
        // Two requests on one connection: the first is denied.
        let both = "DELETE /users/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n\
                    GET /users/7?after HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n";
        let answer = agent.send(both)?;
        assert!(
            answer.starts_with("HTTP/1.1 403 ") && answer.contains("HTTP/1.1 200 "),
            "{answer}"
        );
        Ok(())
    })
}

#[test]
fn requests_and_answers_are_recorded_masked_one_session_for_a_task() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("recorded")?;
        let task = ["-H", "Ostiary-Task: ticket-812"];
        agent.curl("/users", &task)?;
        let json = ["-H", "Content-Type: application/json", "-d"];
        let note = r#"{"text":"write to ada.brook@example.com"}"#;
        agent.curl("/users/7/notes", &[&task[..], &json, &[note]].concat())?;
        agent.curl("/users/7", &[&task[..], &["-X", "DELETE"]].concat())?;
        agent.curl("/users/7", &[])?;
        let auditor = crm.stack.auditor()?;
        let sessions = auditor.sessions("recorded")?;
        // One worker may have taken requests that another one took before.
        assert!(sessions.len() >= 2, "{sessions:?}");
        let mut of_task = Vec::new();
        wait::until("four operations on record", wait::SOON, || {
            let events = auditor.events_of("recorded")?;
            of_task = of_kind(&events, "operated").into_iter().cloned().collect();
            let replied = of_kind(&events, "replied").len();
            Ok((of_task.len() == 4 && replied == 3).then_some(()))
        })?;
        let events = auditor.events_of("recorded")?;
        let all = serde_json::to_string(&events)?;
        for secret in [
            "ada.brook@",
            "4111111111111111",
            "123-45-6789",
            "the-gateways-own",
            &agent.token,
        ] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
        for shown in [
            "http:GET /users",
            "http:POST /users/{id}/notes",
            "no-user-deletes",
            "****.com",
            "\"201\"",
        ] {
            assert!(all.contains(shown), "{shown}: {all}");
        }
        let named = sessions.iter().filter(|it| {
            it["application_name"]
                .as_str()
                .is_some_and(|it| it.starts_with("ticket-812"))
        });
        assert!(named.count() >= 1, "{sessions:?}");
        Ok(())
    })
}

#[test]
fn fetch_of_node_sees_what_curl_sees() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("fetch")?;
        let ran = agent.node("fetch.js")?.ok()?;
        let found: serde_json::Value = serde_json::from_str(&ran.out)?;
        let curl = agent.curl("/users", &[])?.json()?;
        assert_eq!(found["users"], curl, "{found}");
        assert_eq!(found["denied"], json!([403, "no-user-deletes"]));
        assert_eq!(
            found["events"],
            json!("data: {\"email\": \"****.com\"}\n\ndata: call ****.org\n\n")
        );
        assert_eq!(crm.api.seen("DELETE /users/7 ").len(), 0);
        Ok(())
    })
}
