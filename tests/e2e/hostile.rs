//! A server that misbehaves: its client is told, its connection closed, and nobody else notices.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ostiary_tests::{
    Context as _, Result, anyhow,
    fake::{Behaviour, Fake, description, done, greeting, row},
    shared,
    stack::{Stack, Target, example_policy},
    wait::{self, SOON},
    wire::{self, Raw, message, text},
};

use crate::{explain, of_kind};

/// Misbehaves by the name of the database at login, and by the statement afterwards.
struct Hostile;

impl Behaviour for Hostile {
    fn login(&self, database: &str) -> Option<Vec<u8>> {
        let sasl = message(
            'R',
            &[&[0, 0, 0, 10][..], &text("SCRAM-SHA-256"), &[0]].concat(),
        );
        let error = |fields: &[(char, &str)]| {
            let mut body = Vec::new();
            for (code, value) in fields {
                body.push(*code as u8);
                body.extend(text(value));
            }
            body.push(0);
            message('E', &body)
        };
        Some(match database {
            "auth-99" => message('R', &[0, 0, 0, 99]),
            "gss" => message('R', &[0, 0, 0, 7]),
            "only-unknown-mechanisms" => message(
                'R',
                &[&[0, 0, 0, 10][..], &text("SCRAM-ROT13"), &[0]].concat(),
            ),
            "short-auth" => message('R', &[0, 0]),
            "rows-first" => [description(&["a"]), row(&["1"])].concat(),
            "length-0" => vec![b'R', 0, 0, 0, 0],
            "length-max" => vec![b'R', 0x7f, 0xff, 0xff, 0xff, 0],
            "unknown-tag" => message('y', b"what"),
            "error-without-sqlstate" => error(&[('S', "FATAL"), ('M', "go away")]),
            "endless-greeting" => {
                let status = message('S', &[text("name"), text(&"v".repeat(1000))].concat());
                [message('R', &[0; 4]), status.repeat(20_000)].concat()
            }
            "final-without-proof" => {
                [message('R', &[0, 0, 0, 12, b'v', b'=']), greeting()].concat()
            }
            "endless-iterations" | "few-iterations" | "other-nonce" | "wrong-signature" => sasl,
            _ => return None,
        })
    }

    fn password(&self, database: &str, body: &[u8]) -> Vec<u8> {
        let said = String::from_utf8_lossy(body).into_owned();
        let Some((_, nonce)) = said.rsplit_once("r=") else {
            return Vec::new();
        };
        // The client's final message also holds the nonce, and a proof behind it.
        if said.contains(",p=") {
            let signature = format!("v={}", STANDARD.encode([0; 32]));
            return [
                message('R', &[&[0, 0, 0, 12][..], signature.as_bytes()].concat()),
                message('R', &[0; 4]),
                greeting(),
            ]
            .concat();
        }
        let salt = STANDARD.encode("salt salt salt salt");
        let first = match database {
            "endless-iterations" => format!("r={nonce}more,s={salt},i=2147483647"),
            "few-iterations" => format!("r={nonce}more,s={salt},i=0"),
            "other-nonce" => format!("r=something-else,s={salt},i=4096"),
            _ => format!("r={nonce}more,s={salt},i=4096"),
        };
        message('R', &[&[0, 0, 0, 11][..], first.as_bytes()].concat())
    }

    fn query(&self, sql: &str) -> Option<Vec<u8>> {
        let two = description(&["a", "b"]);
        Some(
            match sql.trim_start_matches("SELECT '").trim_end_matches('\'') {
                "short row" => [two, row(&["1"]), done("SELECT 1")].concat(),
                "long row" => [two, row(&["1", "2", "3"]), done("SELECT 1")].concat(),
                "row that lies" => [two, message('D', &[0, 2, 0x7f, 0xff, 0xff, 0xff, 1])].concat(),
                "row of negative length" => [
                    two,
                    message('D', &[0, 2, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0]),
                ]
                .concat(),
                "row with bytes behind" => {
                    [two, message('D', &[0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9])].concat()
                }
                "row undescribed" => [row(&["1"]), done("SELECT 1")].concat(),
                "description that lies" => message('T', &[0, 9, b'a', 0]),
                "unknown tag" => message('y', b"what"),
                "length 3" => vec![b'C', 0, 0, 0, 3],
                "length max" => vec![b'D', 0x7f, 0xff, 0xff, 0xff, 0],
                "login again" => message('R', &[0, 0, 0, 3]),
                "copy" => message('H', &[0, 0, 0]),
                "copy both" => message('W', &[0, 0, 0]),
                "status unknown" => [message('C', &text("SELECT 0")), message('Z', b"?")].concat(),
                "half a message" => {
                    return None;
                }
                "error without sqlstate" => [
                    message('E', &[text("SERROR"), text("Mno code"), vec![0]].concat()),
                    message('Z', b"I"),
                ]
                .concat(),
                "notice of garbage" => [message('N', b"\xff\xff"), done("SELECT 0")].concat(),
                _ => [description(&["a"]), row(&["1"]), done("SELECT 1")].concat(),
            },
        )
    }
}

/// The server, and one gateway in front of it.
static HOSTILE: LazyLock<Result<(Fake, Stack), String>> =
    LazyLock::new(|| start().map_err(|error| format!("{error:#}")));

fn start() -> Result<(Fake, Stack)> {
    let fake = Fake::start(Hostile)?;
    let mut policy = example_policy()?;
    // No column labels: the catalogue of this server is not one.
    let labels = policy.get_mut("labels.yaml").unwrap();
    let (before, rest) = labels.split_once("columns:").unwrap();
    *labels = format!(
        "{before}detectors:{}",
        rest.split_once("detectors:").unwrap().1
    );
    let stack = Stack::start(shared::issuer()?, &[Target::shop(fake.port())], &policy)?;
    Ok((fake, stack))
}

fn with_hostile(body: impl FnOnce(&Stack) -> Result<()>) -> Result<()> {
    let (_, stack) = HOSTILE.as_ref().map_err(|text| anyhow!("{text}"))?;
    explain(stack, || body(stack))
}

#[test]
fn a_server_that_breaks_the_protocol_loses_that_session_alone() -> Result<()> {
    with_hostile(|stack| {
        let agent = stack.agent("victim")?;
        let mut bystander = agent.raw()?;
        for what in [
            "short row",
            "long row",
            "row that lies",
            "row of negative length",
            "row with bytes behind",
            "row undescribed",
            "description that lies",
            "unknown tag",
            "length 3",
            "length max",
            "login again",
            "copy",
            "copy both",
            "status unknown",
            "half a message",
        ] {
            let mut raw = agent.raw()?;
            raw.send(&message('Q', &text(&format!("SELECT '{what}'"))))?;
            let said = raw.until_closed_or_reset()?;
            // What came before the broken message was honest.
            let honest = if what == "status unknown" { "C" } else { "" };
            assert!(
                said.iter()
                    .all(|it| it.tag == 'E' || it.tag == 'T' || honest.contains(it.tag)),
                "{what}: {said:?}"
            );
            let answer = bystander.query("SELECT 1")?;
            assert!(answer.iter().any(|it| it.tag == 'D'), "{what}: {answer:?}");
        }
        let auditor = stack.auditor()?;
        let events = wait::until("the record of every session", SOON, || {
            let events = auditor.events_of("victim")?;
            Ok((of_kind(&events, "closed").len() >= 15).then_some(events))
        })?;
        assert!(
            of_kind(&events, "refused")
                .iter()
                .filter(|it| it["stage"] == "server")
                .count()
                >= 12,
            "{events:?}"
        );
        Ok(())
    })
}

#[test]
fn odd_answers_of_a_server_are_answers_still() -> Result<()> {
    with_hostile(|stack| {
        let mut raw = stack.agent("odd")?.raw()?;
        let answer = raw.query("SELECT 'error without sqlstate'")?;
        assert!(answer.iter().any(|it| it.tag == 'E'), "{answer:?}");
        assert!(raw.query("SELECT 1")?.iter().any(|it| it.tag == 'D'));
        Ok(())
    })
}

#[test]
fn a_hostile_login_ends_in_a_fatal_error() -> Result<()> {
    with_hostile(|stack| {
        let agent = stack.agent("login-victim")?;
        for database in [
            "auth-99",
            "gss",
            "only-unknown-mechanisms",
            "short-auth",
            "rows-first",
            "length-0",
            "length-max",
            "unknown-tag",
            "error-without-sqlstate",
            "endless-greeting",
            "final-without-proof",
            "endless-iterations",
            "few-iterations",
            "other-nonce",
            "wrong-signature",
        ] {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&wire::startup("agent", database))?;
            // The gateway asks for the token whatever the server wants; it may know by then already.
            let mut said = Vec::new();
            if let Some(asked) = raw.maybe()? {
                if asked.tag == 'R' {
                    raw.send(&message('p', &text(&agent.token)))?;
                }
                said.push(asked);
            }
            said.extend(raw.until_closed_or_reset().context(database)?);
            assert!(
                said.iter().all(|it| matches!(it.tag, 'R' | 'E')),
                "{database}: {said:?}"
            );
            let fatal = said.last().and_then(|it| it.field('S'));
            assert_eq!(fatal.as_deref(), Some("FATAL"), "{database}: {said:?}");
            agent.raw()?.query("SELECT 1")?;
        }
        Ok(())
    })
}
