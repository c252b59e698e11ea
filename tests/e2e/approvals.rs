//! Statements that wait for people.

use std::{thread, time::Duration};

use ostiary_tests::{Result, clients::Agent, stack::Operator, wait::SOON, wire};

use crate::{example_with, of_kind, refusal, with_policy, with_shared};

/// Runs a DELETE in a thread of its own, as an agent waits for it.
fn deleting(
    agent: &Agent,
    sql: &str,
) -> thread::JoinHandle<std::result::Result<u64, postgres::Error>> {
    let (config, sql) = (agent.config(), sql.to_owned());
    thread::spawn(move || config.connect(postgres::NoTls)?.execute(&sql, &[]))
}

fn id(approval: &serde_json::Value) -> &str {
    approval["id"].as_str().unwrap_or_default()
}

fn decide(who: &Operator, verb: &str, id: &str) -> Result<i32> {
    Ok(who
        .run(&[
            "approvals",
            verb,
            id,
            "--comment",
            "decided in a test",
            "--yes",
        ])?
        .code)
}

#[test]
fn an_approved_statement_runs_once() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("approved")?.on(&database);
        let rita = stack.reviewer("rita")?;
        let sql = "DELETE FROM orders WHERE id = 2";
        let waiting = deleting(&agent, sql);
        let approval = rita.pending(sql)?;
        assert_eq!(approval["database"], database.as_str());
        assert_eq!(approval["rule"], "deletes-need-approval");
        assert_eq!(approval["verb"], "sql:delete");
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        assert_eq!(decide(&rita, "approve", id(&approval))?, 0);
        assert_eq!(waiting.join().unwrap()?, 1);
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "3"
        );
        // The same statement again is another operation.
        let again = deleting(&agent, sql);
        let second = rita.pending(sql)?;
        assert_ne!(id(&second), id(&approval));
        assert_eq!(decide(&rita, "deny", id(&second))?, 0);
        assert_eq!(refusal(again.join().unwrap())?.0, "42501");
        // What is decided stays decided.
        assert_eq!(decide(&rita, "approve", id(&second))?, 6);
        Ok(())
    })
}

#[test]
fn a_denied_statement_does_not_run_and_the_session_goes_on() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let config = stack.agent("denied-by-rita")?.on(&database).config();
        let rita = stack.reviewer("rita")?;
        let session = thread::spawn(move || -> Result<(String, String, i64)> {
            let mut session = config.connect(postgres::NoTls)?;
            let (code, message) = refusal(session.execute("DELETE FROM orders WHERE id = 1", &[]))?;
            let left = session
                .query_one("SELECT count(*) FROM orders", &[])?
                .get(0);
            Ok((code, message, left))
        });
        let approval = rita.pending("DELETE FROM orders WHERE id = 1")?;
        assert_eq!(decide(&rita, "deny", id(&approval))?, 0);
        let (code, message, left) = session.join().unwrap()?;
        assert_eq!((code.as_str(), left), ("42501", 4));
        assert!(
            message.contains("rita") && message.contains("decided in a test"),
            "{message}"
        );
        assert!(message.contains("deletes-need-approval"), "{message}");
        Ok(())
    })
}

#[test]
fn an_unanswered_statement_expires() -> Result<()> {
    with_policy(
        &example_with("approvals.yaml", "hold: 5m", "hold: 1s")?,
        |stack, postgres| {
            let database = postgres.database()?;
            let mut session = stack.agent("expired")?.on(&database).connect()?;
            let (code, message) = refusal(session.execute("DELETE FROM orders WHERE id = 1", &[]))?;
            assert_eq!(code, "42501");
            assert!(message.contains("nobody answered in time"), "{message}");
            assert_eq!(
                session
                    .query_one("SELECT count(*) FROM orders", &[])?
                    .get::<_, i64>(0),
                4
            );
            let rita = stack.reviewer("rita")?;
            let all = rita.json(&["approvals", "list", "--all"])?;
            assert_eq!(all["approvals"][0]["state"], "expired", "{all}");
            assert_eq!(decide(&rita, "approve", id(&all["approvals"][0]))?, 6);
            assert_eq!(
                postgres.value(&database, "SELECT count(*) FROM orders")?,
                "4"
            );
            Ok(())
        },
    )
}

#[test]
fn a_client_that_goes_away_withdraws_its_question() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let rita = stack.reviewer("rita")?;
        let psql = stack
            .agent("gone")?
            .on(&database)
            .psql_started(&["DELETE FROM orders WHERE id = 3"])?;
        let approval = rita.pending("DELETE FROM orders WHERE id = 3")?;
        drop(psql);
        rita.settled(id(&approval), "cancelled")?;
        assert_eq!(decide(&rita, "approve", id(&approval))?, 6);
        let events = stack.auditor()?.recorded("gone")?;
        let resolved = of_kind(&events, "approval_resolved");
        assert_eq!(resolved[0]["state"], "cancelled", "{events:?}");
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        Ok(())
    })
}

#[test]
fn a_cancel_request_ends_the_wait_and_not_the_session() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let config = stack.agent("canceller")?.on(&database).config();
        let rita = stack.reviewer("rita")?;
        let mut session = config.connect(postgres::NoTls)?;
        let cancel = session.cancel_token();
        let waiting = thread::spawn(move || -> Result<(String, i64)> {
            let (code, _) = refusal(session.execute("DELETE FROM orders WHERE id = 4", &[]))?;
            Ok((
                code,
                session
                    .query_one("SELECT count(*) FROM orders", &[])?
                    .get(0),
            ))
        });
        let approval = rita.pending("DELETE FROM orders WHERE id = 4")?;
        cancel.cancel_query(postgres::NoTls)?;
        assert_eq!(waiting.join().unwrap()?, ("57014".to_owned(), 4));
        rita.settled(id(&approval), "cancelled")?;
        Ok(())
    })
}

#[test]
fn a_cancel_request_stops_a_statement_that_runs() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack.agent("sleeper")?.connect()?;
        let cancel = session.cancel_token();
        let start = std::time::Instant::now();
        let running = thread::spawn(move || {
            refusal(session.simple_query("SELECT count(*) FROM generate_series(1, 100000000000)"))
        });
        let mut done = false;
        while !done {
            // The request may come before the statement: ask again until it is heard.
            cancel.cancel_query(postgres::NoTls)?;
            done = running.is_finished();
            assert!(start.elapsed() < SOON, "the statement runs on");
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(running.join().unwrap()?.0, "57014");
        Ok(())
    })
}

#[test]
fn of_two_reviewers_who_race_one_wins() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("raced")?.on(&database);
        let (rita, raj) = (stack.reviewer("rita")?, stack.reviewer("raj")?);
        for round in 0..3 {
            let sql = format!("DELETE FROM orders WHERE id = 1 AND {round} = {round}");
            let waiting = deleting(&agent, &sql);
            let approval = rita.pending(&sql)?;
            let id = id(&approval).to_owned();
            let one = (rita.clone(), id.clone());
            let other = (raj.clone(), id.clone());
            let one = thread::spawn(move || decide(&one.0, "approve", &one.1));
            let other = thread::spawn(move || decide(&other.0, "deny", &other.1));
            let codes = (one.join().unwrap()?, other.join().unwrap()?);
            let outcome = waiting.join().unwrap();
            match codes {
                (0, 6) => assert!(outcome.is_ok(), "{outcome:?}"),
                (6, 0) => assert_eq!(refusal(outcome)?.0, "42501"),
                codes => panic!("both or neither decided: {codes:?}"),
            }
        }
        Ok(())
    })
}

#[test]
fn nobody_approves_what_they_asked_for_themselves() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent_in("both", &["analysts", "dba"])?.on(&database);
        let own = stack.operator("both", &["dba"])?;
        let waiting = deleting(
            &agent,
            "DELETE FROM orders WHERE id = 1 AND 'self' = 'self'",
        );
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending("'self' = 'self'")?;
        assert_eq!(decide(&own, "approve", id(&approval))?, 4);
        // An agent that acts for a reviewer cannot be let through by that reviewer either.
        let human = stack.operator("not-a-reviewer", &["analysts"])?;
        assert_eq!(decide(&human, "approve", id(&approval))?, 4);
        let still = rita.json(&["approvals", "show", id(&approval)])?;
        assert_eq!(still["state"], "pending");
        assert_eq!(decide(&rita, "deny", id(&approval))?, 0);
        assert!(waiting.join().unwrap().is_err());
        Ok(())
    })
}

#[test]
fn the_human_behind_an_agent_cannot_approve_for_it() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let token =
            stack
                .issuer()
                .token_with("agent-of-mara", &["analysts"], &["--act", "mara"])?;
        let agent = stack.agent("unused")?.with_token(&token).on(&database);
        let waiting = deleting(
            &agent,
            "DELETE FROM orders WHERE id = 1 AND 'mara' = 'mara'",
        );
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending("'mara' = 'mara'")?;
        assert_eq!(
            decide(&stack.reviewer("mara")?, "approve", id(&approval))?,
            4
        );
        assert_eq!(decide(&rita, "approve", id(&approval))?, 0);
        assert_eq!(waiting.join().unwrap()?, 1);
        Ok(())
    })
}

#[test]
fn the_reviewer_sees_the_parameters_and_decides_on_them() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let config = stack.agent("parameters")?.on(&database).config();
        let rita = stack.reviewer("rita")?;
        let waiting = thread::spawn(move || {
            let mut session = config.connect(postgres::NoTls)?;
            session.execute(
                "DELETE FROM orders WHERE status = $1 AND note IS NULL",
                &[&"paid"],
            )
        });
        let approval = rita.pending("note IS NULL")?;
        // A binary value is shown as its bytes.
        assert_eq!(
            approval["parameters"].to_string(),
            r#"["\\x70616964"]"#,
            "{approval}"
        );
        let wrong = rita.run(&[
            "approvals",
            "approve",
            id(&approval),
            "--yes",
            "--digest",
            &"00".repeat(32),
        ])?;
        assert_eq!(wrong.code, 6, "{}", wrong.all());
        let digest = approval["digest"].as_str().unwrap_or_default();
        rita.run(&[
            "approvals",
            "approve",
            id(&approval),
            "--yes",
            "--digest",
            digest,
        ])?
        .ok()?;
        assert_eq!(waiting.join().unwrap()?, 1);
        Ok(())
    })
}

#[test]
fn a_text_parameter_is_shown_as_text() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("text-parameter")?.on(&database).raw()?;
        let rita = stack.reviewer("rita")?;
        let batch = [
            wire::parse(
                "",
                "DELETE FROM orders WHERE status = $1 AND 'text' = 'text'",
            ),
            wire::bind("", "", &["cancelled"], 0),
            wire::execute("", 0),
            wire::sync(),
        ];
        raw.send(&batch.concat())?;
        let approval = rita.pending("'text' = 'text'")?;
        assert_eq!(
            approval["parameters"].to_string(),
            r#"["cancelled"]"#,
            "{approval}"
        );
        assert_eq!(decide(&rita, "approve", id(&approval))?, 0);
        let answer = raw.until('Z')?;
        assert!(
            answer.iter().any(|it| it.body == b"DELETE 2\0"),
            "{answer:?}"
        );
        Ok(())
    })
}

#[test]
fn a_wait_inside_a_transaction_keeps_it_open() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("transaction-wait")?.on(&database).raw()?;
        let rita = stack.reviewer("rita")?;
        raw.query("BEGIN")?;
        raw.send(&wire::message(
            'Q',
            &wire::text("DELETE FROM orders WHERE id = 1 AND 'tx' = 'tx'"),
        ))?;
        let approval = rita.pending("'tx' = 'tx'")?;
        assert_eq!(decide(&rita, "approve", id(&approval))?, 0);
        let answer = raw.until('Z')?;
        assert_eq!(
            answer.last().map(|it| it.body.clone()),
            Some(b"T".to_vec()),
            "{answer:?}"
        );
        let notice = answer
            .iter()
            .find(|it| it.tag == 'N')
            .and_then(|it| it.field('M'));
        assert!(
            notice.is_some_and(|it| it.contains("waiting for approval")),
            "{answer:?}"
        );
        raw.query("ROLLBACK")?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        Ok(())
    })
}

#[test]
fn what_is_sent_behind_a_waiting_statement_comes_after_it() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("behind")?.on(&database).raw()?;
        let rita = stack.reviewer("rita")?;
        let query = |sql: &str| wire::message('Q', &wire::text(sql));
        let delete = "DELETE FROM orders WHERE id = 1 AND 'behind' = 'behind'";
        raw.send(
            &[
                query("SELECT 1"),
                query(delete),
                query("SELECT count(*) FROM orders"),
            ]
            .concat(),
        )?;
        let approval = rita.pending("'behind' = 'behind'")?;
        assert!(!postgres.was_sent("'behind' = 'behind'"));
        assert_eq!(decide(&rita, "approve", id(&approval))?, 0);
        let mut tags = Vec::new();
        for _ in 0..3 {
            let answer = raw.until('Z')?;
            tags.extend(
                answer
                    .iter()
                    .filter(|it| it.tag == 'C')
                    .map(|it| String::from_utf8_lossy(&it.body).into_owned()),
            );
        }
        assert_eq!(tags, ["SELECT 1\0", "DELETE 1\0", "SELECT 1\0"]);
        Ok(())
    })
}

#[test]
fn an_approval_that_is_not_there_is_not_found() -> Result<()> {
    with_shared(|stack, _| {
        let rita = stack.reviewer("rita")?;
        assert_eq!(decide(&rita, "approve", "doesnotexist")?, 5);
        assert_eq!(rita.run(&["approvals", "show", "doesnotexist"])?.code, 5);
        Ok(())
    })
}
