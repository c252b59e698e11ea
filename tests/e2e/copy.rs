//! COPY in both directions with unmodified clients.

use std::io::{Read as _, Write as _};

use ostiary_tests::{
    Result,
    clients::Agent,
    process::run,
    stack::{Policy, Stack},
    wait, wire,
};

use crate::{example_with, masking::SECRETS, of_kind, refusal, with_policy};

/// The example bundle, in which analysts may copy.
fn policy(detectors: bool) -> Result<Policy> {
    let mut policy = example_with(
        "access.cedar",
        r#"action == Action::"sql:select""#,
        r#"action in [Action::"sql:select", Action::"sql:copy-out", Action::"sql:copy-in"]"#,
    )?;
    if !detectors && let Some(labels) = policy.get_mut("labels.yaml") {
        labels.truncate(labels.find("# Run over every text value").unwrap_or(0));
    }
    Ok(policy)
}

fn copied(agent: &Agent, sql: &str) -> Result<Vec<u8>> {
    let mut raw = agent.raw()?;
    let answer = raw.query(sql)?;
    let data = answer.into_iter().filter(|message| message.tag == 'd');
    Ok(data.flat_map(|message| message.body).collect())
}

#[test]
fn labelled_columns_are_masked_in_every_format() -> Result<()> {
    for detectors in [false, true] {
        with_policy(&policy(detectors)?, |stack, postgres| {
            let database = postgres.database()?;
            let agent = stack.agent("copier")?.on(&database);
            let rows = ["users", "users (ssn, id, email)", "(SELECT * FROM users)"];
            let more = [
                "(SELECT email AS city FROM users)",
                "(SELECT upper(email), ssn || '' FROM users)",
                "(SELECT to_json(u) FROM users u)",
                "(SELECT u FROM users u)",
                "(TABLE customers)",
                "(SELECT city FROM users UNION ALL SELECT email FROM users)",
                "(UPDATE users SET city = city WHERE id = 1 RETURNING email)",
            ];
            let options = [
                "",
                "(FORMAT csv, HEADER, FORCE_QUOTE *)",
                "(FORMAT csv, QUOTE '$', ESCAPE '#', DELIMITER ';', NULL 'nil')",
                "(DELIMITER '|', NULL '')",
                "(FORMAT binary)",
                "CSV HEADER",
                "(ENCODING 'LATIN1')",
            ];
            for what in rows.iter().chain(&more) {
                for option in options {
                    let sql = format!("COPY {what} TO STDOUT {option}");
                    let data = copied(&agent, &sql)?;
                    assert!(!data.is_empty(), "{sql}");
                    let text = String::from_utf8_lossy(&data).to_lowercase();
                    for secret in SECRETS {
                        assert!(!text.contains(secret), "{sql}: {text}");
                    }
                }
            }
            // What is not labelled arrives, and NULL stays NULL.
            let data = copied(&agent, "COPY users (id, name, ssn, city) TO STDOUT")?;
            let text = String::from_utf8(data)?;
            assert!(text.contains("1\tAda Brook\t"), "{text}");
            assert!(text.contains("3\tCleo Marsh\t\\N\tFaro\n"), "{text}");
            let record = serde_json::to_string(&stack.auditor()?.events_of("copier")?)?;
            for secret in SECRETS {
                assert!(!record.contains(secret), "the record holds {secret}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn psql_copies_out_and_in() -> Result<()> {
    with_policy(&policy(true)?, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("psql")?.on(&database);
        let out = agent
            .psql(&[
                "\\copy users to stdout csv header",
                "COPY (SELECT id FROM orders ORDER BY id) TO STDOUT",
            ])?
            .ok()?;
        assert!(
            out.out
                .starts_with("id,name,email,ssn,card,city\n1,Ada Brook,"),
            "{}",
            out.all()
        );
        assert!(!out.out.contains("ada.brook"), "{}", out.all());
        assert!(out.out.ends_with("1\n2\n3\n4\n"), "{}", out.all());

        let mut psql = agent.psql_command()?;
        psql.args(["-At", "-f", "-"]);
        let script = "\
            COPY orders FROM STDIN;\n10\t1\t1.00\tnew\tten\n11\t1\t2.00\tnew\t\\N\n\\.\n\
            \\copy orders from pstdin csv\n12,2,3.00,new,twelve\n\\.\n\
            COPY users (id, name, email) FROM STDIN;\n1\tx\tada.brook@example.com\n\\.\n\
            COPY users (id, name, email) FROM STDIN;\ncleo@example.net\tx\ty\n\\.\n\
            COPY orders FROM STDIN;\nfive\n\\.\n\
            SELECT count(*) FROM orders;\n";
        let ran = run(psql, script, wait::SOON)?;
        assert!(ran.out.contains("COPY 2\nCOPY 1\n7\n"), "{}", ran.all());
        assert_eq!(ran.err.matches("ERROR:").count(), 3, "{}", ran.all());
        for secret in ["ada.brook", "cleo@"] {
            assert!(!ran.all().contains(secret), "{}", ran.all());
        }
        let events = stack.auditor()?.events_of("psql")?;
        let counted = of_kind(&events, "replied")
            .iter()
            .any(|event| event["command_tag"] == "COPY 2" && event["rows"] == 2);
        assert!(counted, "{events:#?}");
        Ok(())
    })
}

#[test]
fn drivers_copy_both_ways() -> Result<()> {
    with_policy(&policy(true)?, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("driver")?.on(&database);
        let mut session = agent.connect()?;
        let mut writer = session.copy_in("COPY orders FROM STDIN")?;
        for id in 100..400 {
            writeln!(writer, "{id}\t1\t1.00\tnew\t{}", "x".repeat(1000))?;
        }
        assert_eq!(writer.finish()?, 300);
        let mut out = Vec::new();
        session
            .copy_out("COPY users TO STDOUT (FORMAT binary)")?
            .read_to_end(&mut out)?;
        assert!(out.starts_with(b"PGCOPY\n\xff\r\n\0"));
        assert!(out.ends_with(&[0xff, 0xff]));
        assert!(!String::from_utf8_lossy(&out).contains("ada.brook"));
        // One that is given up, one that fails, one that is denied.
        drop(session.copy_in("COPY orders FROM STDIN")?);
        let mut writer = session.copy_in("COPY orders FROM STDIN")?;
        writer.write_all(b"not a number\n")?;
        assert_eq!(refusal(writer.finish())?.0, "22P02");
        let denied = session.copy_in("COPY pg_catalog.pg_class FROM PROGRAM 'x'");
        assert_eq!(refusal(denied.map(drop))?.0, "42501");
        let count: i64 = session
            .query_one("SELECT count(*) FROM orders", &[])?
            .get(0);
        assert_eq!(count, 304);

        let found = agent.python("copying.py", &[])?.ok()?.out;
        let found: serde_json::Value = serde_json::from_str(&found)?;
        assert_eq!(found["rows"], 306, "{found}");
        assert_eq!(found["masked"][0][0], "Ada Brook", "{found}");
        assert!(!found.to_string().contains("ada.brook"), "{found}");
        assert_eq!(found["failed"], "22P02", "{found}");
        assert_eq!(found["after"], 42, "{found}");
        Ok(())
    })
}

#[test]
fn a_denied_or_broken_copy_changes_nothing() -> Result<()> {
    with_policy(&policy(true)?, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("broken")?.on(&database);
        let mut raw = agent.raw()?;
        // Denied: what comes of its data is drained.
        raw.send(&wire::message(
            'Q',
            &wire::text("COPY orders FROM STDIN; DROP TABLE orders"),
        ))?;
        raw.send(&wire::message('d', b"50\t1\t1.00\tnew\tx\n"))?;
        raw.send(&wire::message('c', b""))?;
        let answer = raw.until('Z')?;
        assert_eq!(answer[0].field('C').as_deref(), Some("42501"), "{answer:?}");
        assert_eq!(raw.query("SELECT 1")?.last().map(|it| it.tag), Some('Z'));
        // Another message among the data: the server never sees it.
        raw.send(&wire::message('Q', &wire::text("COPY orders FROM STDIN")))?;
        raw.until('G')?;
        raw.send(&wire::message('d', b"51\t1\t1.00\tnew\tx\n"))?;
        raw.send(&wire::message(
            'Q',
            &wire::text("UPDATE orders SET note = 'smuggled' WHERE id = 1"),
        ))?;
        let said = raw.until_closed_or_reset()?;
        assert!(said.iter().all(|it| it.tag != 'C'), "{said:?}");
        // The client goes away in the middle.
        let mut raw = agent.raw()?;
        raw.send(&wire::message('Q', &wire::text("COPY orders FROM STDIN")))?;
        raw.until('G')?;
        raw.send(&wire::message('d', b"52\t1\t1.00\tnew\tx\n"))?;
        drop(raw);
        let others = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        wait::until_true("the server to roll back", wait::SOON, || {
            Ok(postgres.value(&database, &others)? == "0")
        })?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        assert!(!postgres.was_sent("smuggled"));
        Ok(())
    })
}

#[test]
fn a_dump_restores_through_the_gateway() -> Result<()> {
    let all = Policy::from([
        (
            "access.cedar".to_owned(),
            "@id(\"all\") permit (principal, action, resource);".to_owned(),
        ),
        ("labels.yaml".to_owned(), "labels: {}".to_owned()),
    ]);
    with_policy(&all, |stack, postgres| {
        let from = postgres.database()?;
        let to = postgres.database()?;
        postgres
            .admin(&to)?
            .batch_execute("DROP SCHEMA public CASCADE")?;
        let dump = dumped(stack, &from)?;
        let mut psql = stack.agent("restorer")?.on(&to).psql_command()?;
        psql.args(["-v", "ON_ERROR_STOP=1", "-q", "-f", "-"]);
        run(psql, &dump, wait::SOON)?.ok()?;
        let again = dumped(stack, &to)?;
        assert_eq!(lines(&dump), lines(&again));
        assert!(dump.contains("ada.brook@example.com"));
        Ok(())
    })?;
    let mut masked = policy(true)?;
    masked.insert(
        "dump.cedar".to_owned(),
        "@id(\"dumps\") permit (principal in Group::\"analysts\", action in [Action::\"sql:read\", \
         Action::\"sql:set\", Action::\"sql:lock\", Action::\"sql:call\"], resource in Resource::\"shop\");"
            .to_owned(),
    );
    masked.remove("guards.cedar");
    with_policy(&masked, |stack, postgres| {
        let dump = dumped(stack, &postgres.database()?)?;
        assert!(dump.contains("COPY public.users"), "{dump}");
        assert!(dump.contains("Ada Brook"), "{dump}");
        for secret in ["ada.brook@", "078-05-1120", "4111111111111111"] {
            assert!(!dump.contains(secret), "{dump}");
        }
        Ok(())
    })
}

fn dumped(stack: &Stack, database: &str) -> Result<String> {
    let agent = stack.agent("dumper")?.on(database);
    let mut dump = agent.command("pg_dump")?;
    dump.args(["--no-owner", "--no-privileges", "--schema=public"]);
    Ok(run(dump, "", wait::SOON)?.ok()?.out)
}

/// A dump without its comments and its random key.
fn lines(dump: &str) -> Vec<&str> {
    let says = |line: &&str| !line.starts_with("--") && !line.starts_with('\\');
    dump.lines().filter(says).collect()
}
