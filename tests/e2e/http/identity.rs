//! Who asks: a bearer token, verified, and nothing without.

use ostiary_tests::{Result, http::Agent, stack::example_policy, wait};

use super::crm::{with_own, with_policy};

#[test]
fn without_a_valid_token_nothing_reaches_the_target() -> Result<()> {
    with_policy(&example_policy()?, |crm| {
        let port = crm.stack.port("crm")?;
        let issuer = crm.stack.issuer();
        let mut expired = issuer.claims("late", &["analysts"]);
        expired["exp"] = 1_000_000.into();
        let mut foreign = issuer.claims("foreign", &["analysts"]);
        foreign["aud"] = "somebody-else".into();
        let none = serde_json::json!({"alg": "none", "typ": "JWT"});
        let tokens = [
            String::new(),
            "not-a-token".to_owned(),
            issuer.sign(&expired)?,
            issuer.sign(&foreign)?,
            issuer.forge(&none, &issuer.claims("none", &["analysts"]), b""),
            "x".repeat(17 << 10),
        ];
        for (number, token) in tokens.into_iter().enumerate() {
            let agent = Agent { port, token };
            let path = format!("/users?nobody&access_token={number}");
            let answer = agent.curl(&path, &["-A", &format!("stranger-{number}")])?;
            assert_eq!(answer.status, 401, "{answer:?}");
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"ostiary\"")
            );
            assert_eq!(answer.json()?["type"], "urn:ostiary:problem:unauthorized");
        }
        let agent = crm.agent("twice")?;
        let answer = agent.curl("/users?nobody", &["-H", "Authorization: Bearer second"])?;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(crm.api.seen("nobody").len(), 0);
        // Each of them is on record, whichever worker took it, and none of the tokens is.
        let auditor = crm.stack.auditor()?;
        let mut all = String::new();
        wait::until("the refused requests on record", wait::SOON, || {
            all = serde_json::to_string(&auditor.events_of("")?)?;
            let on_record = |number| all.contains(&format!(" by stranger-{number}: "));
            let told = [
                "GET /users from 127.0.0.1:",
                "stranger-0: the `Authorization` header is not `Bearer` and a token",
                "stranger-2: token has expired",
                "token signature is wrong",
            ];
            let is_told = told.iter().all(|it| all.contains(it));
            Ok((is_told && (0..6).all(on_record)).then_some(()))
        })?;
        assert!(!all.contains(&agent.token), "{all}");
        assert!(!all.contains("access_token"), "{all}");
        Ok(())
    })
}

#[test]
fn a_killed_session_ends_and_its_token_opens_no_other() -> Result<()> {
    with_policy(&example_policy()?, |crm| {
        let agent = crm.agent("killed")?;
        assert_eq!(agent.curl("/users", &[])?.status, 200);
        let administrator = crm.stack.administrator()?;
        wait::until("every session of the agent to be ended", wait::SOON, || {
            for session in administrator.sessions("killed")? {
                if session["closed"].is_null() {
                    let id = session["id"].as_str().unwrap_or_default();
                    administrator.run(&["sessions", "kill", id, "--reason", "leak"])?;
                }
            }
            let answer = agent.curl("/users?after", &[])?;
            Ok((answer.status == 403 && answer.body.contains("session-ended")).then_some(()))
        })
    })
}

#[test]
fn without_a_control_plane_nothing_passes() -> Result<()> {
    with_own(&example_policy()?, |crm| {
        let known = crm.agent("known")?;
        assert_eq!(known.curl("/users", &[])?.status, 200);
        let envoy = crm.stack.envoy()?;
        // Stopped, not killed: with its parent gone Envoy would end too.
        let pid = crm.stack.process().pid();
        ostiary_tests::process::kill(pid, ostiary_tests::process::Signal::STOP)?;
        let outcome = (|| -> Result<()> {
            let answer = Agent {
                token: known.token.replace('.', ".x"),
                ..known.clone()
            }
            .curl("/users?dark", &[])?;
            assert_eq!(answer.status, 503, "{answer:?}");
            let json = ["-H", "Content-Type: application/json", "-d", "{\"dark\":1}"];
            let answer = known.curl("/users/7/notes", &json)?;
            assert_eq!(answer.status, 503, "{answer:?}");
            Ok(())
        })();
        ostiary_tests::process::kill(pid, ostiary_tests::process::Signal::CONT)?;
        outcome?;
        assert!(ostiary_tests::process::is_alive(envoy));
        assert_eq!(crm.api.seen("dark").len(), 0);
        Ok(())
    })
}
