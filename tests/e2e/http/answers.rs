//! Answers in every form: masked as they stream, or not passed on.

use std::collections::BTreeSet;

use ostiary_tests::Result;
use serde_json::json;

use super::crm::{HUGE, with_crm};

const SECRETS: [&str; 5] = [
    "ada.brook@",
    "ada@",
    "ben@",
    "4111111111111111",
    "the-gateways-own",
];

#[test]
fn streams_are_masked_whatever_the_chunks() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("streams")?;
        for (path, expected) in [
            (
                "/events",
                "data: {\"email\": \"****.com\"}\n\ndata: call ****.org\n\n",
            ),
            (
                "/export",
                "{\"email\":\"****.com\"}\n{\"email\":\"****.org\"}\n",
            ),
            ("/text", "card ****1111\nok\n"),
        ] {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let answer = agent.curl(path, &[version])?;
                assert_eq!(
                    (answer.status, answer.body.as_str()),
                    (200, expected),
                    "{answer:?}"
                );
            }
        }
        Ok(())
    })
}

#[test]
fn encoded_answers_are_decoded_and_masked() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("encoded")?;
        for path in ["/gzip", "/br", "/zstd"] {
            let answer = agent.curl(path, &["-H", "Accept-Encoding: gzip, br, zstd"])?;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert_eq!(
                answer.header("content-encoding"),
                None,
                "{path}: {answer:?}"
            );
            let body = answer.json()?;
            assert_eq!(
                (&body["email"], &body["n"]),
                (&json!("****.com"), &json!(1)),
                "{path}: {body}"
            );
        }
        Ok(())
    })
}

#[test]
fn what_cannot_be_read_is_not_passed_on() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("unreadable")?;
        let mut kinds = BTreeSet::new();
        for path in [
            "/twice",
            "/mislabelled",
            "/unlabelled",
            "/unknown",
            "/image",
            "/part",
            "/broken",
            "/cut",
            "/nonsense",
            "/lengths",
            "/switch",
            "/challenge",
            "/spoilt",
        ] {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let ran = agent
                    .curl_started(path, &[version])?
                    .finish(ostiary_tests::wait::SOON)?;
                let all = ran.all();
                for secret in SECRETS {
                    assert!(!all.contains(secret), "{path}: {all}");
                }
                assert!(
                    !all.contains("PNG") && !all.contains("Basic realm"),
                    "{path}: {all}"
                );
                // What a decoder cannot decode is nothing.
                let empty = ran.out.ends_with("\r\n\r\n");
                let refused = ran.code != 0 || all.contains(" 502") || all.contains(" 503");
                assert!(
                    refused || (empty && path == "/mislabelled"),
                    "{path}: {all}"
                );
                if let Some((_, kind)) = all.split_once("urn:ostiary:problem:") {
                    kinds.insert(kind.split('"').next().unwrap_or_default().to_owned());
                }
            }
        }
        assert!(
            kinds.contains("unreadable-response") && kinds.contains("upstream-credential"),
            "{kinds:?}"
        );
        Ok(())
    })
}

#[test]
fn heads_and_trailers_carry_nothing_out() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("heads")?;
        for path in ["/redirect", "/trailers", "/users/7"] {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let ran = agent
                    .curl_started(path, &[version])?
                    .finish(ostiary_tests::wait::SOON)?;
                let all = ran.ok()?.all();
                for secret in SECRETS {
                    assert!(!all.contains(secret), "{path}: {all}");
                }
            }
        }
        let head = agent.curl("/users/7", &["--head"])?;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{head:?}");
        Ok(())
    })
}

#[test]
fn an_answer_far_over_the_buffers_streams() -> Result<()> {
    with_crm(|crm| {
        let answer = crm.agent("huge")?.curl("/huge", &[])?;
        let masked = answer.body.matches("{\"email\":\"****.com\"}").count();
        assert_eq!((answer.status, masked), (200, HUGE));
        assert!(!answer.body.contains("ada.brook"));
        Ok(())
    })
}
