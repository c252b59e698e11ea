//! Who gets in, whatever the server asks of the gateway, and what everyone else is told.

use ostiary_tests::{
    Result,
    issuer::now,
    postgres::ROLES,
    shared,
    stack::{Stack, Target, example_policy},
    wire::{self, Raw},
};
use serde_json::json;

use crate::{explain, of_kind, with_shared};

#[test]
fn logs_in_with_every_method_a_server_asks_for() -> Result<()> {
    let postgres = shared::postgres()?;
    let targets: Vec<Target> = ROLES
        .iter()
        .map(|(role, _)| Target::named(&role.replace('_', "-"), role, postgres.port()))
        .collect();
    let mut policy = example_policy()?;
    if let Some(text) = policy.get_mut("access.cedar") {
        *text = text.replace("resource in Resource::\"shop\"", "resource");
    }
    let stack = Stack::start(shared::issuer()?, &targets, &policy)?;
    explain(&stack, || {
        for (role, method) in ROLES {
            let agent = stack.agent_on(&role.replace('_', "-"), "matrix", &["analysts"])?;
            let ran =
                agent.psql(&["SELECT current_user", "SELECT name FROM users WHERE id = 1"])?;
            assert_eq!(
                (ran.code, ran.out.trim()),
                (0, format!("{role}\nAda Brook").as_str()),
                "{method}: {}",
                ran.err
            );
            let row = agent
                .connect()?
                .query_one("SELECT name FROM users WHERE id = $1", &[&2])?;
            assert_eq!(row.get::<_, &str>(0), "Ben Ortiz", "{method}");
        }
        Ok(())
    })
}

#[test]
fn a_bad_token_is_a_native_failure_that_names_the_check_and_not_the_token() -> Result<()> {
    with_shared(|stack, postgres| {
        let issuer = stack.issuer();
        let honest = issuer.claims("intruder", &["analysts"]);
        let changed = |changes: serde_json::Value| -> Result<String> {
            let mut claims = honest.clone();
            for (name, value) in changes.as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
            issuer.sign(&claims)
        };
        let signed = issuer.sign(&honest)?;
        let (unsigned, _) = signed.rsplit_once('.').unwrap_or_default();
        let header = json!({"alg": "ES256", "kid": issuer.key_id()?, "typ": "JWT"});
        // What is wrong, the token, a word of the message that says so.
        let cases = [
            ("expired", changed(json!({"exp": now() - 3600}))?, "expired"),
            (
                "not yet valid",
                changed(json!({"nbf": now() + 3600}))?,
                "not",
            ),
            (
                "another audience",
                changed(json!({"aud": "someone-else"}))?,
                "audience",
            ),
            (
                "an unknown issuer",
                changed(json!({"iss": "http://127.0.0.1:1"}))?,
                "issuer",
            ),
            ("no subject", changed(json!({"sub": ""}))?, "sub"),
            (
                "garbage",
                "correct horse battery staple".to_owned(),
                "token",
            ),
            ("three parts of garbage", "a.b.c".to_owned(), "token"),
            ("empty", String::new(), "token"),
            ("no signature", format!("{unsigned}."), "signature"),
            (
                "a signature of zeros",
                format!("{unsigned}.{}", "A".repeat(86)),
                "signature",
            ),
            (
                "alg none",
                issuer.forge(&json!({"alg": "none"}), &honest, b""),
                "alg",
            ),
            (
                "a MAC",
                issuer.forge(&json!({"alg": "HS256"}), &honest, &[7; 32]),
                "alg",
            ),
            (
                "other claims, old signature",
                {
                    let mut claims = honest.clone();
                    claims["groups"] = json!(["platform"]);
                    let forged = issuer.forge(&header, &claims, b"");
                    format!("{forged}{}", signed.rsplit('.').next().unwrap_or_default())
                },
                "signature",
            ),
            (
                "an unknown key",
                issuer.forge(&json!({"alg": "ES256", "kid": "other"}), &honest, &[1; 64]),
                "key",
            ),
        ];
        for (what, token, word) in cases {
            let mut raw = Raw::connect(stack.port("shop")?)?;
            raw.send(&wire::startup("agent", "shop"))?;
            assert_eq!(raw.message()?.tag, 'R', "{what}");
            raw.send(&wire::message('p', &wire::text(&token)))?;
            let said = raw.until_closed()?;
            let [error] = said.as_slice() else {
                panic!("{what}: {said:?}")
            };
            assert_eq!(error.tag, 'E', "{what}");
            assert_eq!(error.field('S').as_deref(), Some("FATAL"), "{what}");
            assert_eq!(error.field('C').as_deref(), Some("28000"), "{what}");
            let message = error.field('M').unwrap_or_default();
            assert!(message.contains(word), "{what}: {message}");
            let body = String::from_utf8_lossy(&error.body).into_owned();
            for part in token.split('.').filter(|part| part.len() > 3) {
                assert!(!body.contains(part), "{what}: the token is echoed: {body}");
            }
        }
        assert!(!postgres.log().contains("intruder"));
        let refused = stack
            .auditor()?
            .json(&["sessions", "list", "--limit", "200"])?
            .to_string();
        assert!(!refused.contains("correct horse"));
        Ok(())
    })
}

#[test]
fn psql_reads_a_login_failure_as_its_own() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("expired")?.with_token("no token at all");
        let ran = agent.psql(&["SELECT 1"])?.exits(2)?;
        assert!(ran.err.contains("FATAL:"), "{}", ran.err);
        assert!(!ran.err.contains("no token at all"), "{}", ran.err);
        Ok(())
    })
}

#[test]
fn a_refused_login_is_on_record() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack
            .agent("nobody")?
            .on("database_of_the_refused")
            .with_token("garbage");
        assert!(agent.connect().is_err());
        let auditor = stack.auditor()?;
        let session = ostiary_tests::wait::until("the record", ostiary_tests::wait::SOON, || {
            let all = auditor.json(&["sessions", "list", "--limit", "500"])?;
            let all = all["sessions"].as_array().cloned().unwrap_or_default();
            Ok(all
                .into_iter()
                .find(|it| it["database"] == "database_of_the_refused"))
        })?;
        let events = auditor.events(session["id"].as_str().unwrap_or_default())?;
        let refused = of_kind(&events, "refused");
        assert_eq!(refused.len(), 1, "{events:?}");
        assert_eq!(refused[0]["stage"], "login");
        Ok(())
    })
}

#[test]
fn the_password_of_the_role_never_reaches_the_client() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("curious")?;
        let mut raw = Raw::connect(agent.port)?;
        raw.send(&wire::startup("postgres", "shop"))?;
        let mut all = vec![raw.message()?];
        raw.send(&wire::message('p', &wire::text(&agent.token)))?;
        all.extend(raw.until('Z')?);
        let bytes: Vec<u8> = all.iter().flat_map(|it| it.body.clone()).collect();
        assert!(!String::from_utf8_lossy(&bytes).contains(ostiary_tests::postgres::PASSWORD));
        // The role the client names is not the role it gets.
        let rows = raw.query("SELECT current_user")?;
        let row = rows.iter().find(|it| it.tag == 'D').unwrap();
        assert_eq!(row.values()[0].as_deref(), Some(b"shop_scram".as_slice()));
        Ok(())
    })
}

#[test]
fn an_encryption_request_is_answered_and_login_goes_on() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("encryptor")?;
        let ssl = wire::untagged(&80_877_103_i32.to_be_bytes());
        let mut raw = Raw::connect(agent.port)?;
        raw.send(&ssl)?;
        assert_eq!(raw.byte()?, b'N');
        raw.send(&wire::startup("agent", "shop"))?;
        assert_eq!(raw.message()?.tag, 'R');
        raw.send(&wire::message('p', &wire::text(&agent.token)))?;
        assert!(raw.until('Z')?.iter().all(|it| it.tag != 'E'));
        Ok(())
    })
}
