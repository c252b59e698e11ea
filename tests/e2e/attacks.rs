//! Attempts on the wire: what no table of `tests/cases` can say.

use ostiary_tests::{
    Context as _, Result,
    clients::Agent,
    ensure,
    stack::{Policy, example_policy},
    wire::{self, Message, Raw},
};

mod late;

use crate::{of_kind, with_policy, with_shared};

/// What a cancel request begins with instead of a version.
const CANCEL: i32 = 80_877_102;

fn cancel_request(process: &[u8], secret: &[u8]) -> Vec<u8> {
    wire::untagged(&[&CANCEL.to_be_bytes(), process, secret].concat())
}

/// A session and its key: process id and secret.
fn with_key(agent: &Agent, database: &str) -> Result<(Raw, [Vec<u8>; 2])> {
    let mut raw = Raw::connect(agent.port)?;
    raw.send(&wire::startup("agent", database))?;
    raw.message()?;
    raw.send(&wire::message('p', &wire::text(&agent.token)))?;
    let answers = raw.until('Z')?;
    let key = answers.iter().find(|it| it.tag == 'K').context("no key")?;
    let (process, secret) = key.body.split_at(4);
    Ok((raw, [process.to_vec(), secret.to_vec()]))
}

fn sqlstates(answer: &[Message]) -> Vec<String> {
    let errors = answer.iter().filter(|it| it.tag == 'E');
    errors.filter_map(|it| it.field('C')).collect()
}

#[test]
fn the_keys_of_others_cancel_nothing() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let (mut victim, [process, secret]) = with_key(&stack.agent("victim")?, &database)?;
        let (mut attacker, [own, own_secret]) = with_key(&stack.agent("attacker")?, &database)?;
        let sql = "DELETE FROM orders WHERE id = 1 /* of the victim */";
        victim.send(&wire::message('Q', &wire::text(sql)))?;
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending(sql)?;
        let longer = [secret.as_slice(), &[0]].concat();
        let guesses = [
            (&process, own_secret.as_slice()),
            (&own, secret.as_slice()),
            (&process, &[0; 4]),
            (&process, &secret[..3]),
            (&process, longer.as_slice()),
            (&process, &[]),
        ];
        for (process, secret) in guesses.iter().cycle().take(60) {
            let mut request = Raw::connect(stack.port("shop")?)?;
            request.send(&cancel_request(process, secret))?;
            request.half_close()?;
            ensure!(
                request
                    .until_closed_or_reset()?
                    .iter()
                    .all(|it| it.tag == 'E'),
                "a cancel request is answered"
            );
        }
        let id = approval["id"].as_str().unwrap_or_default();
        rita.run(&[
            "approvals",
            "approve",
            id,
            "--comment",
            "decided in a test",
            "--yes",
        ])?
        .ok()?;
        let answer = victim.until('Z')?;
        assert!(sqlstates(&answer).is_empty(), "{answer:?}");
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "3"
        );
        assert!(sqlstates(&attacker.query("SELECT 1")?).is_empty());
        Ok(())
    })
}

#[test]
fn a_statement_sent_with_the_password_is_judged_as_any_other() -> Result<()> {
    with_shared(|stack, postgres| {
        let agent = stack.agent("hasty")?;
        let ahead = |token: &str, sql: &str| -> Result<Vec<Message>> {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&wire::startup("agent", "shop"))?;
            raw.message()?;
            let query = wire::message('Q', &wire::text(sql));
            let end = wire::message('X', b"");
            raw.send(&[wire::message('p', &wire::text(token)), query, end].concat())?;
            raw.until_closed_or_reset()
        };
        let said = ahead("no token", "SELECT 'ahead of a bad token'")?;
        assert!(said.iter().all(|it| it.tag == 'E'), "{said:?}");
        let said = ahead(&agent.token, "DROP TABLE users /* ahead */")?;
        assert_eq!(sqlstates(&said), ["42501"], "{said:?}");
        let said = ahead(&agent.token, "SELECT 'ahead of the greeting'")?;
        assert!(said.iter().any(|it| it.tag == 'D'), "{said:?}");
        assert!(!postgres.was_sent("ahead of a bad token"));
        assert!(!postgres.was_sent("/* ahead */"));
        Ok(())
    })
}

#[test]
fn bytes_stuffed_behind_a_first_message_are_refused() -> Result<()> {
    with_shared(|stack, postgres| {
        let agent = stack.agent("stuffer")?;
        let ssl = wire::untagged(&80_877_103_i32.to_be_bytes());
        let startup = wire::startup("agent", "shop");
        let password = wire::message('p', &wire::text(&agent.token));
        let query = wire::message('Q', &wire::text("SELECT 'stuffed'"));
        for (what, stuffed) in [
            ("a startup behind SSLRequest", [&ssl[..], &startup].concat()),
            (
                "a login behind SSLRequest",
                [&ssl[..], &startup, &password, &query].concat(),
            ),
            (
                "a password behind a startup",
                [&startup[..], &password, &query].concat(),
            ),
            ("SSLRequest twice", [&ssl[..], &ssl].concat()),
        ] {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&stuffed)?;
            let said = raw.until_closed_or_reset().unwrap_or_default();
            assert!(said.iter().all(|it| it.tag != 'Z'), "{what}: {said:?}");
        }
        assert!(!postgres.was_sent("'stuffed'"));
        Ok(())
    })
}

#[test]
fn a_name_means_what_it_means_to_the_server() -> Result<()> {
    with_shared(|stack, postgres| {
        let mut raw = stack.agent("namer")?.raw()?;
        let run = |statement: &str| {
            [
                wire::bind("", statement, &[], 0),
                wire::execute("", 0),
                wire::sync(),
            ]
            .concat()
        };
        // Closed and made anew in one round.
        raw.send(&[wire::parse("p", "SELECT 1"), wire::sync()].concat())?;
        raw.until('Z')?;
        let close = wire::message('C', b"Sp\0");
        raw.send(
            &[
                close,
                wire::parse("p", "DROP TABLE users /* anew */"),
                run("p"),
            ]
            .concat(),
        )?;
        assert_eq!(sqlstates(&raw.until('Z')?), ["42501"]);
        // Made in SQL, run on the wire; and the other way round.
        raw.query("DEALLOCATE ALL")?;
        raw.query("PREPARE q AS SELECT email FROM users")?;
        raw.send(&run("q"))?;
        let answer = raw.until('Z')?;
        assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 3);
        raw.send(&[wire::parse("r", "SELECT email FROM users"), wire::sync()].concat())?;
        answer_is_clean(&[answer, raw.until('Z')?, raw.query("EXECUTE r")?].concat());
        // The server cuts these to one name.
        let [one, other] = ["x", "y"].map(|end| format!("{}{end}", "n".repeat(63)));
        raw.send(&[wire::parse(&one, "SELECT 1"), wire::sync()].concat())?;
        assert!(sqlstates(&raw.until('Z')?).is_empty());
        raw.send(
            &[
                wire::parse(&other, "DROP TABLE users /* anew */"),
                wire::sync(),
            ]
            .concat(),
        )?;
        assert_eq!(sqlstates(&raw.until('Z')?), ["42501"]);
        raw.send(&run(&other))?;
        let answer = raw.until('Z')?;
        assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 1);
        // Bytes that another encoding knows as one character.
        raw.query("SET client_encoding = 'SJIS'")?;
        let parse = [b"\xed\x40\0".as_slice(), b"SELECT 1\0", &[0, 0]].concat();
        raw.send(&[wire::message('P', &parse), wire::sync()].concat())?;
        assert_eq!(sqlstates(&raw.until('Z')?), ["22021"]);
        assert!(!postgres.was_sent("/* anew */"));
        Ok(())
    })
}

#[test]
fn a_setting_that_changes_in_the_same_round_is_reckoned_with() -> Result<()> {
    with_shared(|stack, postgres| {
        let mut raw = stack.agent("flipper")?.raw()?;
        let text = r"SELECT 'a\'; DELETE FROM orders; --' AS flipped";
        let round = |sql: &str| {
            [
                wire::parse("", sql),
                wire::bind("", "", &[], 0),
                wire::execute("", 0),
            ]
            .concat()
        };
        for first in [
            "SET standard_conforming_strings = off",
            "SELECT set_config('standard_conforming_strings', 'off', false)",
            "RESET ALL",
        ] {
            raw.send(&[round(first), round(text), wire::sync()].concat())?;
            assert_eq!(sqlstates(&raw.until('Z')?), ["42501"], "{first}");
            let query = wire::message('Q', &wire::text(first));
            raw.send(&[query, wire::message('Q', &wire::text(text))].concat())?;
            raw.until('Z')?;
            assert_eq!(sqlstates(&raw.until('Z')?), ["42501"], "{first}");
            raw.query("RESET standard_conforming_strings")?;
        }
        assert!(!postgres.was_sent("AS flipped"));
        Ok(())
    })
}

#[test]
fn startup_parameters_are_judged_as_the_settings_they_are() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("starter")?;
        for (name, value) in [
            ("role", "postgres"),
            ("ROLE", "postgres"),
            ("session_authorization", "postgres"),
            ("options", "-c\trole=postgres"),
            ("options", r"-c r\ole=postgres"),
            ("options", "--Role=postgres"),
            ("options", "-c search_path=x -crole=postgres"),
            ("options", "-c local_preload_libraries=evil"),
            ("options", r"-c options=-c\ role=postgres"),
            ("options", "-c replication=database"),
            ("options", "-c user=postgres"),
            ("session_preload_libraries", "evil"),
            ("replication", "database"),
            ("Replication", "yes"),
        ] {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&wire::startup_with(&[
                ("user", "agent"),
                ("database", "shop"),
                (name, value),
            ]))?;
            let first = raw.maybe()?;
            if first.as_ref().is_some_and(|it| it.tag == 'R') {
                raw.send(&wire::message('p', &wire::text(&agent.token)))?;
            }
            let said = raw.until_closed_or_reset()?;
            let all: Vec<Message> = first.into_iter().chain(said).collect();
            assert!(
                all.iter().any(|it| it.tag == 'E') && all.iter().all(|it| it.tag != 'Z'),
                "{name}={value}: {all:?}"
            );
        }
        Ok(())
    })
}

/// Labels on a table of its own, which may decide about rows, so that errors can come of its values.
fn labelled_lab() -> Result<Policy> {
    let mut policy = example_policy()?;
    policy.remove("guards.cedar");
    policy.insert(
        "access.cedar".to_owned(),
        r#"@id("everything") permit (principal in Group::"analysts", action, resource in Resource::"shop");"#
            .to_owned(),
    );
    policy.insert(
        "labels.yaml".to_owned(),
        "labels:\n  secret: {strategy: redact, rows: allow}\n  pii.email: {strategy: redact}\n\
         columns:\n  - {column: public.safe.code, label: secret}\n\
         detectors:\n  - {detector: email, label: pii.email}\n"
            .to_owned(),
    );
    Ok(policy)
}

const LAB: &str = "
    CREATE TABLE safe (id int PRIMARY KEY, code text UNIQUE DEFERRABLE INITIALLY DEFERRED, n int CHECK (n < 10));
    INSERT INTO safe VALUES (1, 'open-sesame', 1), (2, 'abracadabra', 2);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE NOTICE 'the code is %', new.code; RETURN new; END $$;
    CREATE TRIGGER tells BEFORE UPDATE ON safe FOR EACH ROW EXECUTE FUNCTION tell();
    GRANT ALL ON safe TO shop;";

#[test]
fn errors_and_notices_quote_no_labelled_value() -> Result<()> {
    with_policy(&labelled_lab()?, |stack, postgres| {
        let database = postgres.database()?;
        postgres.admin(&database)?.batch_execute(LAB)?;
        let mut raw = stack.agent("quoter")?.on(&database).raw()?;
        let mut said = Vec::new();
        for sql in [
            "SELECT code::int FROM safe",
            "SELECT 1 / (code <> 'open-sesame')::int FROM safe",
            "SELECT ('[' || code)::json FROM safe",
            "SELECT xmlparse(document code) FROM safe",
            "SELECT format(code, VARIADIC ARRAY[1]), code::regclass FROM safe",
            "UPDATE safe SET code = 'abracadabra' WHERE id = 1",
            "BEGIN; UPDATE public.safe SET code = (SELECT code FROM public.safe WHERE id = 2) WHERE id = 1; COMMIT",
            "UPDATE safe SET n = 11 WHERE id = 1",
            "INSERT INTO safe VALUES (3, 'new', 11) RETURNING code",
            "UPDATE safe SET id = 2 WHERE id = 1",
        ] {
            let answer = raw.query(sql)?;
            ensure!(
                answer.iter().any(|it| matches!(it.tag, 'E' | 'N')),
                "`{sql}` says nothing: {answer:?}"
            );
            said.extend(answer);
        }
        // What a constraint says comes at the end: of a transaction, and of a pipeline.
        raw.query("BEGIN")?;
        said.extend(raw.query("UPDATE public.safe SET code = (SELECT code FROM public.safe WHERE id = 2) WHERE id = 1")?);
        let end = raw.query("COMMIT")?;
        assert_eq!(sqlstates(&end), ["23505"], "{end:?}");
        said.extend(end);
        raw.query("BEGIN")?;
        raw.query("UPDATE public.safe SET code = (SELECT code FROM public.safe WHERE id = 2) WHERE id = 1")?;
        let end = raw.query("SET CONSTRAINTS ALL IMMEDIATE")?;
        assert_eq!(sqlstates(&end), ["23505"], "{end:?}");
        said.extend(end);
        raw.query("ROLLBACK")?;
        raw.send(
            &[
                wire::parse("", "UPDATE public.safe SET code = (SELECT code FROM public.safe WHERE id = 2) WHERE id = 1"),
                wire::bind("", "", &[], 0),
                wire::execute("", 0),
                wire::sync(),
            ]
            .concat(),
        )?;
        let end = raw.until('Z')?;
        assert_eq!(sqlstates(&end), ["23505"], "{end:?}");
        said.extend(end);
        for message in said {
            let text = String::from_utf8_lossy(&message.body).into_owned();
            assert!(
                !text.contains("sesame") && !text.contains("abracadabra"),
                "{text}"
            );
        }
        Ok(())
    })
}

#[test]
fn a_notification_is_looked_at_by_detectors() -> Result<()> {
    with_policy(&labelled_lab()?, |stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("listener")?.on(&database).raw()?;
        raw.query("LISTEN news")?;
        postgres
            .admin(&database)?
            .batch_execute("NOTIFY news, 'ada.brook@example.com has paid'")?;
        // It comes with the next answer at the latest.
        let answer = raw.query("SELECT 1")?;
        let news = answer.iter().find(|it| it.tag == 'A').context("no news")?;
        let text = String::from_utf8_lossy(&news.body);
        assert!(
            !text.contains("brook") && text.contains("has paid"),
            "{text}"
        );
        let denied = raw.query("SELECT pg_notify('news', code) FROM safe")?;
        assert!(!sqlstates(&denied).is_empty(), "{denied:?}");
        Ok(())
    })
}

#[test]
fn a_cursor_that_a_function_opens_anew_is_described_anew() -> Result<()> {
    with_policy(&labelled_lab()?, |stack, postgres| {
        let database = postgres.database()?;
        postgres.admin(&database)?.batch_execute(&format!(
            "{LAB} CREATE FUNCTION swap() RETURNS void LANGUAGE plpgsql AS $$
             DECLARE c refcursor := 'c';
             BEGIN CLOSE c; OPEN c FOR SELECT id, code FROM safe; END $$"
        ))?;
        let mut raw = stack.agent("swapper")?.on(&database).raw()?;
        raw.query("BEGIN")?;
        raw.query("DECLARE c CURSOR FOR SELECT 1 AS id, 'x'::text AS code")?;
        let describe = wire::message('D', b"Pc\0");
        raw.send(&[describe, wire::execute("c", 1), wire::sync()].concat())?;
        raw.until('Z')?;
        assert!(sqlstates(&raw.query("SELECT swap()")?).is_empty());
        raw.send(&[wire::execute("c", 0), wire::sync()].concat())?;
        let answer = raw.until('Z')?;
        assert!(sqlstates(&answer).is_empty(), "{answer:?}");
        assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 2);
        for row in answer.iter().filter(|it| it.tag == 'D') {
            let text = String::from_utf8_lossy(&row.body);
            assert!(!text.contains("sesame") && !text.contains("abra"), "{text}");
        }
        drop(raw);
        let events = stack.auditor()?.recorded("swapper")?;
        assert!(of_kind(&events, "operated").len() >= 5, "{events:?}");
        Ok(())
    })
}

/// No value of `users.email` of the seed.
fn answer_is_clean(answer: &[Message]) {
    for message in answer {
        let text = String::from_utf8_lossy(&message.body);
        assert!(!text.contains("ada.brook@"), "{text}");
    }
}
