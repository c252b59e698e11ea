//! A denied statement never runs, says why, and leaves the session as the server has it.

use ostiary_tests::{Context as _, Result, wire};
use postgres::SimpleQueryMessage;
use tokio_postgres::NoTls;

use crate::{of_kind, refusal, with_shared};

#[test]
fn a_simple_denial_leaves_the_session_usable() -> Result<()> {
    with_shared(|stack, postgres| {
        let mut session = stack.agent("simple-denied")?.connect()?;
        let (code, message) = refusal(session.simple_query("CREATE TABLE simple_denied (id int)"))?;
        assert_eq!(code, "42501");
        assert!(
            message.starts_with("denied by rule `no-ddl`: "),
            "{message}"
        );
        let rows = session.simple_query("SELECT 7")?;
        assert!(
            rows.iter()
                .any(|it| matches!(it, SimpleQueryMessage::Row(row) if row.get(0) == Some("7")))
        );
        assert!(!postgres.was_sent("simple_denied"));
        Ok(())
    })
}

#[test]
fn a_denial_tells_a_machine_what_a_person_reads() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack.agent("machine")?.connect()?;
        let error = session.simple_query("DROP TABLE users").unwrap_err();
        let error = error.as_db_error().unwrap();
        let detail: serde_json::Value = serde_json::from_str(error.detail().unwrap())?;
        assert_eq!(detail["rule"], "no-ddl", "{detail}");
        assert!(error.hint().is_some());
        Ok(())
    })
}

#[test]
fn a_denial_inside_a_transaction_aborts_it_as_any_error_does() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("in-transaction")?.on(&database);
        let mut raw = agent.raw()?;
        let status = |messages: &[wire::Message]| messages.last().map(|it| it.body[0] as char);
        assert_eq!(status(&raw.query("BEGIN")?), Some('T'));
        raw.query("UPDATE orders SET status = 'lost' WHERE id = 1")?;
        let denied = raw.query("TRUNCATE orders")?;
        assert_eq!(denied[0].field('C').as_deref(), Some("42501"));
        assert_eq!(status(&denied), Some('E'));
        let refused = raw.query("SELECT 1")?;
        assert_eq!(refused[0].field('C').as_deref(), Some("25P02"));
        let ended = raw.query("COMMIT")?;
        assert_eq!(ended[0].body, b"ROLLBACK\0");
        assert_eq!(status(&ended), Some('I'));
        assert_eq!(
            postgres.value(&database, "SELECT status FROM orders WHERE id = 1")?,
            "paid"
        );
        Ok(())
    })
}

#[test]
fn one_denied_statement_denies_the_whole_query_it_came_in() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("several")?.on(&database).raw()?;
        let sql = "UPDATE orders SET status = 'half' WHERE id = 1; DROP TABLE orders; SELECT 1";
        let answer = raw.query(sql)?;
        assert!(
            answer
                .iter()
                .any(|it| it.field('C').as_deref() == Some("42501")),
            "{answer:?}"
        );
        assert!(
            answer.iter().all(|it| it.tag != 'C' && it.tag != 'D'),
            "{answer:?}"
        );
        assert_eq!(
            postgres.value(
                &database,
                "SELECT count(*) FROM orders WHERE status = 'half'"
            )?,
            "0"
        );
        assert_eq!(
            raw.query("SELECT 1")?
                .iter()
                .filter(|it| it.tag == 'D')
                .count(),
            1
        );
        Ok(())
    })
}

#[test]
fn an_extended_denial_skips_to_sync() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("extended-denied")?.on(&database).raw()?;
        let batch = [
            wire::parse("", "DROP TABLE orders"),
            wire::bind("", "", &[], 0),
            wire::execute("", 0),
            // Belongs to the same batch, so it must not run.
            wire::parse("", "UPDATE orders SET status = 'after' WHERE id = 1"),
            wire::bind("", "", &[], 0),
            wire::execute("", 0),
            wire::sync(),
        ];
        raw.send(&batch.concat())?;
        let answer = raw.until('Z')?;
        let errors: Vec<_> = answer.iter().filter(|it| it.tag == 'E').collect();
        assert_eq!(errors.len(), 1, "{answer:?}");
        assert_eq!(errors[0].field('C').as_deref(), Some("42501"));
        assert!(answer.iter().all(|it| it.tag != 'C'), "{answer:?}");
        assert_eq!(answer.last().map(|it| it.body.clone()), Some(b"I".to_vec()));
        assert_eq!(
            postgres.value(
                &database,
                "SELECT count(*) FROM orders WHERE status = 'after'"
            )?,
            "0"
        );
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        raw.send(
            &[
                wire::parse("", "SELECT 5"),
                wire::bind("", "", &[], 0),
                wire::execute("", 0),
                wire::sync(),
            ]
            .concat(),
        )?;
        let answer = raw.until('Z')?;
        assert_eq!(
            answer.iter().filter(|it| it.tag == 'D').count(),
            1,
            "{answer:?}"
        );
        Ok(())
    })
}

#[test]
fn each_batch_of_a_pipeline_stands_on_its_own() -> Result<()> {
    with_shared(|stack, _| {
        let mut raw = stack.agent("pipelined")?.raw()?;
        let batch = |sql: &str| {
            [
                wire::parse("", sql),
                wire::bind("", "", &[], 0),
                wire::execute("", 0),
                wire::sync(),
            ]
            .concat()
        };
        raw.send(
            &[
                batch("SELECT 1"),
                batch("DROP TABLE users"),
                batch("SELECT 3"),
                batch("DROP VIEW customers"),
                batch("SELECT 5"),
            ]
            .concat(),
        )?;
        let mut outcomes = Vec::new();
        for _ in 0..5 {
            let answer = raw.until('Z')?;
            let row = answer
                .iter()
                .find(|it| it.tag == 'D')
                .map(|it| String::from_utf8(it.values()[0].clone().unwrap()).unwrap());
            let error = answer
                .iter()
                .find(|it| it.tag == 'E')
                .and_then(|it| it.field('C'));
            outcomes.push(row.or(error).unwrap_or_default());
        }
        assert_eq!(outcomes, ["1", "42501", "3", "42501", "5"]);
        Ok(())
    })
}

#[test]
fn tokio_postgres_pipelines_through_a_denial() -> Result<()> {
    with_shared(|stack, _| {
        let config = stack.agent("tokio-pipeline")?.tokio_config();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await?;
            let connection = tokio::spawn(connection);
            let (first, denied, third) = futures_util::join!(
                client.query_one("SELECT 1::int4", &[]),
                client.query("DROP TABLE users", &[]),
                client.query_one("SELECT name FROM users WHERE id = $1", &[&3]),
            );
            assert_eq!(first?.get::<_, i32>(0), 1);
            assert_eq!(
                denied.unwrap_err().code().map(|it| it.code()),
                Some("42501")
            );
            assert_eq!(third?.get::<_, &str>(0), "Cleo Marsh");
            drop(client);
            connection.await??;
            Ok(())
        })
    })
}

#[test]
fn a_prepared_statement_is_judged_again_each_time_it_runs() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut session = stack.agent("prepared")?.on(&database).connect()?;
        // Allowed, and allowed again.
        let read = session.prepare("SELECT status FROM orders WHERE id = $1")?;
        for id in [1, 2] {
            assert_eq!(session.query(&read, &[&id])?.len(), 1);
        }
        let (code, _) = refusal(
            session
                .prepare("DROP TABLE orders")
                .and_then(|it| session.execute(&it, &[])),
        )?;
        assert_eq!(code, "42501");
        assert_eq!(session.query(&read, &[&3])?.len(), 1);
        drop(session);
        let events = stack.auditor()?.recorded("prepared")?;
        let reads: Vec<_> = of_kind(&events, "operated")
            .into_iter()
            .filter(|it| {
                it["statement"]
                    .as_str()
                    .is_some_and(|it| it.starts_with("SELECT status"))
            })
            .collect();
        assert_eq!(reads.len(), 3, "{events:?}");
        assert_eq!(
            reads[2]["parameters"].to_string(),
            r#"["\\x00000003"]"#,
            "{:?}",
            reads[2]
        );
        Ok(())
    })
}

#[test]
fn update_without_where_is_denied_and_with_where_runs() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut session = stack.agent("updater")?.on(&database).connect()?;
        let (_, message) = refusal(session.execute("UPDATE orders SET status = 'x'", &[]))?;
        assert!(message.contains("updates-need-where"), "{message}");
        assert_eq!(
            session.execute("UPDATE orders SET status = 'y' WHERE id = $1", &[&1])?,
            1
        );
        Ok(())
    })
}

#[test]
fn what_no_rule_permits_is_denied() -> Result<()> {
    with_shared(|stack, _| {
        let mut stranger = stack
            .agent_in("stranger", &["nobody-knows-this-group"])?
            .connect()?;
        let (code, message) = refusal(stranger.simple_query("SELECT 1"))?;
        assert_eq!(code, "42501");
        assert!(message.contains("default-deny"), "{message}");
        Ok(())
    })
}

#[test]
fn a_name_that_the_server_converts_before_it_cuts_it_is_refused() -> Result<()> {
    with_shared(|stack, postgres| {
        postgres.admin("postgres")?.batch_execute(
            "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        )?;
        let mut raw = stack.agent("converted-names")?.on("latin").raw()?;
        raw.query("SET client_encoding = 'UTF8'")?;
        // Two names in the 33 bytes the server keeps, one in the first 63 that the gateway sees.
        let name = |end: &str| format!("n{}{end}", "\u{e4}".repeat(31));
        for (name, refused) in [
            (name("a"), true),
            (name("b"), true),
            ("a".repeat(64), false),
        ] {
            let parse = wire::parse(&name, "SELECT 'converted_names'");
            raw.send(&[parse, wire::sync()].concat())?;
            let answer = raw.until('Z')?;
            let error = answer.iter().find(|message| message.tag == 'E');
            assert_eq!(error.is_some(), refused, "{name}: {answer:?}");
            if refused {
                let code = error.and_then(|error| error.field('C')).context("a code")?;
                assert_eq!(code, "22021");
            }
        }
        Ok(())
    })
}
