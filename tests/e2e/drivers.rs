//! Unmodified drivers play one scenario; what they find is the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ostiary_tests::{
    Result, bail,
    clients::Agent,
    process::{Signal, Started, kill, run},
    stack::Operator,
    wait::{self, SOON},
};
use serde_json::{Value, json};

use crate::{refusal, with_shared};

/// Plays the scenario; a reviewer approves what asks for it.
fn check(name: &str, play: impl FnOnce(&Agent) -> Result<Value>) -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent(name)?.on(&database);
        let done = Arc::new(AtomicBool::new(false));
        let approving = {
            let (rita, database, done) = (stack.reviewer("rita")?, database.clone(), done.clone());
            thread::spawn(move || approve(&rita, &database, &done))
        };
        let found = play(&agent);
        done.store(true, Ordering::Relaxed);
        let approved = approving.join().unwrap();
        let mut found = found?;
        approved?;
        let [masked, binary, prepared] =
            ["masked", "binary", "prepared"].map(|part| found[part].take());
        let detail = found["denied"][2].take();
        assert_eq!(
            found,
            json!({
                "masked": null,
                "binary": null,
                "prepared": null,
                "denied": ["42501", "denied by rule `no-ddl`: schema changes go through migrations, not through agents", null],
                "after": 42,
                "transaction": "seen",
                "rolled back": "42501",
                "unchanged": "seen",
                "pipeline": [2, 4],
                "pool": 2,
                "approved": 1,
                "cancelled": "57014",
                "left": 3,
            })
        );
        let detail = detail.as_str().unwrap_or_default();
        assert!(!detail.contains('\n'), "{detail}");
        let detail: Value = serde_json::from_str(detail)?;
        assert_eq!(detail["rule"], "no-ddl");
        assert_eq!(detail["next"], "change-statement");
        assert_eq!(masked[0], json!(["Ada Brook", "****.com"]));
        assert_eq!(binary, masked[0][1]);
        assert_eq!(prepared, json!(vec![&masked[0]; 7]));
        for secret in ["ada.brook", "ben.ortiz", "cleo@"] {
            assert!(!masked.to_string().contains(secret), "{masked}");
        }
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM users")?,
            "3"
        );
        Ok(())
    })
}

/// Approves the first statement on this database that says so.
fn approve(rita: &Operator, database: &str, done: &AtomicBool) -> Result<()> {
    let id = wait::until("an approval to give", Duration::from_secs(60), || {
        let answer = rita.json(&["approvals", "list"])?;
        let asked = answer["approvals"].as_array().cloned().unwrap_or_default();
        let found = asked.into_iter().find(|it| {
            it["database"] == *database
                && it["statement"]
                    .as_str()
                    .is_some_and(|it| it.contains("/* approve */"))
        });
        if found.is_none() && done.load(Ordering::Relaxed) {
            bail!("the scenario ended and asked for nothing");
        }
        Ok(found.and_then(|it| it["id"].as_str().map(str::to_owned)))
    })?;
    rita.run(&[
        "approvals",
        "approve",
        &id,
        "--comment",
        "the scenario",
        "--yes",
    ])?
    .ok()?;
    Ok(())
}

fn python(agent: &Agent, script: &str) -> Result<Value> {
    Ok(serde_json::from_str(&agent.python(script, &[])?.ok()?.out)?)
}

#[test]
fn psycopg() -> Result<()> {
    check("psycopg", |agent| python(agent, "psycopg_scenario.py"))
}

#[test]
fn asyncpg() -> Result<()> {
    check("asyncpg", |agent| python(agent, "asyncpg_scenario.py"))
}

#[test]
fn sqlalchemy() -> Result<()> {
    check("sqlalchemy", |agent| {
        python(agent, "sqlalchemy_scenario.py")
    })
}

#[test]
fn node_postgres() -> Result<()> {
    check("node-postgres", |agent| {
        Ok(serde_json::from_str(
            &agent.node("node_postgres_scenario.js", &[])?.ok()?.out,
        )?)
    })
}

#[test]
fn pgjdbc() -> Result<()> {
    check("pgjdbc", |agent| {
        Ok(serde_json::from_str(
            &agent.java("Scenario.java")?.ok()?.out,
        )?)
    })
}

#[test]
fn tokio_postgres() -> Result<()> {
    check("tokio-postgres", |agent| {
        let (notice, noticed) = std::sync::mpsc::channel();
        let mut config = agent.config();
        config.notice_callback(move |_| {
            // Nobody listens once the scenario has ended.
            let _ = notice.send(());
        });
        let mut session = config.connect(postgres::NoTls)?;
        let rows = session.query("SELECT name, email FROM users ORDER BY id", &[])?;
        let pair = |row: &postgres::Row| json!([row.get::<_, &str>(0), row.get::<_, &str>(1)]);
        let masked: Vec<Value> = rows.iter().map(pair).collect();
        // tokio-postgres asks for binary values wherever it prepares.
        let row = session.query_one("SELECT email FROM users WHERE id = $1", &[&1])?;
        let binary = json!(row.get::<_, &str>(0));
        let statement = session.prepare("SELECT name, email FROM users WHERE id = $1")?;
        let mut prepared = Vec::new();
        for _ in 0..7 {
            prepared.push(pair(&session.query_one(&statement, &[&1])?));
        }

        let denied = match session.batch_execute("DROP TABLE users") {
            Ok(()) => bail!("it was not refused"),
            Err(error) => error
                .as_db_error()
                .map(|error| json!([error.code().code(), error.message(), error.detail()])),
        };
        let after = session.query_one("SELECT 40 + 2", &[])?.get::<_, i32>(0);
        let status = |session: &mut postgres::Client| -> Result<String> {
            Ok(session
                .query_one("SELECT status FROM orders WHERE id = 1", &[])?
                .get(0))
        };
        let mut transaction = session.transaction()?;
        transaction.execute("UPDATE orders SET status = 'seen' WHERE id = $1", &[&1])?;
        transaction.commit()?;
        let seen = status(&mut session)?;
        let mut transaction = session.transaction()?;
        transaction.execute("UPDATE orders SET status = 'lost' WHERE id = $1", &[&1])?;
        let (rolled_back, _) = refusal(transaction.batch_execute("DROP TABLE users"))?;
        transaction.rollback()?;
        let unchanged = status(&mut session)?;
        let first = session
            .query_one("SELECT $1::int + 1", &[&1])?
            .get::<_, i32>(0);
        let second = session
            .query_one("SELECT count(*)::int FROM orders", &[])?
            .get::<_, i32>(0);

        let pid = |session: &mut postgres::Client| -> Result<i32> {
            Ok(session.query_one("SELECT pg_backend_pid()", &[])?.get(0))
        };
        let other = pid(&mut agent.connect()?)?;
        let pool = if pid(&mut session)? == other { 1 } else { 2 };

        let approved = session.execute("DELETE FROM orders WHERE id = 2 /* approve */", &[])?;
        while noticed.try_recv().is_ok() {}
        let cancel = session.cancel_token();
        let canceller = thread::spawn(move || -> Result<()> {
            noticed.recv_timeout(SOON)?;
            Ok(cancel.cancel_query(postgres::NoTls)?)
        });
        let (cancelled, _) =
            refusal(session.execute("DELETE FROM orders WHERE id = 3 /* cancel */", &[]))?;
        canceller.join().unwrap()?;
        let left = session
            .query_one("SELECT count(*)::int FROM orders", &[])?
            .get::<_, i32>(0);
        Ok(json!({
            "masked": masked, "binary": binary, "prepared": prepared, "denied": denied,
            "after": after, "transaction": seen, "rolled back": rolled_back, "unchanged": unchanged,
            "pipeline": [first, second], "pool": pool, "approved": approved,
            "cancelled": cancelled, "left": left,
        }))
    })
}

#[test]
fn ctrl_c_in_psql_ends_the_wait() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("impatient")?.on(&database);
        let rita = stack.reviewer("rita")?;
        let mut psql = agent.psql_command()?;
        psql.args(["-At", "-f", "-"]);
        // psql ends a script at an interrupt.
        let script = "DELETE FROM orders WHERE id = 1 /* ctrl-c */;\nSELECT 'not reached';\n";
        let waiting = Started::new(psql, script)?;
        let approval = rita.pending("/* ctrl-c */")?;
        kill(waiting.pid(), Signal::INT)?;
        let ran = waiting.finish(SOON)?;
        assert!(
            ran.err
                .contains("NOTICE:  waiting for approval by one of dba"),
            "{}",
            ran.all()
        );
        assert!(
            ran.err.contains("canceling statement due to user request"),
            "{}",
            ran.all()
        );
        assert_eq!(ran.out, "", "{}", ran.all());
        rita.settled(approval["id"].as_str().unwrap_or_default(), "cancelled")?;
        Ok(())
    })
}

#[test]
fn psql_works_as_people_use_it() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("psql")?.on(&database);
        let mut psql = agent.psql_command()?;
        psql.arg("-At");
        let script = "\
            \\set ON_ERROR_STOP 0\n\
            SELECT 1 AS one;\n\
            \\gset\n\
            SELECT :one + 1;\n\
            \\echo :SERVER_VERSION_NUM\n\
            BEGIN;\nUPDATE orders SET note = 'from psql' WHERE id = 1;\nSAVEPOINT here;\nDROP TABLE orders;\nROLLBACK TO here;\nCOMMIT;\n\
            SELECT note FROM orders WHERE id = 1;\n\
            SELECT 'one'; SELECT 'two' \\; SELECT 'three';\n\
            \\timing off\n\
            SELECT email FROM users WHERE id = 1 \\gx\n";
        let ran = run(
            {
                psql.arg("-f").arg("-");
                psql
            },
            script,
            SOON,
        )?;
        assert!(ran.out.contains("from psql"), "{}", ran.all());
        for line in ["2", "one", "two", "three"] {
            assert!(
                ran.out.lines().any(|it| it == line),
                "{line}: {}",
                ran.all()
            );
        }
        assert!(ran.err.contains("no-ddl"), "{}", ran.all());
        assert!(!ran.all().contains("ada.brook"), "{}", ran.all());
        Ok(())
    })
}
