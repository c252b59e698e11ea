//! Unmodified drivers play one scenario; what they find is the same.

use ostiary_tests::{Result, clients::Agent, process::run, wait::SOON};
use serde_json::{Value, json};

use crate::{refusal, with_shared};

fn check(name: &str, play: impl FnOnce(&Agent) -> Result<Value>) -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut found = play(&stack.agent(name)?.on(&database))?;
        let masked = found["masked"].take();
        let binary = found["binary"].take();
        assert_eq!(
            found,
            json!({
                "masked": null,
                "binary": null,
                "parameter": "Ben Ortiz",
                "denied": ["42501", "denied by rule `no-ddl`: schema changes go through migrations, not through agents"],
                "after": 42,
                "transaction": "seen",
                "rolled back": "42501",
                "unchanged": "seen",
                "pipeline": [2, 4],
            })
        );
        assert_eq!(masked[0][0], "Ada Brook");
        assert!(
            masked[0][1].is_string() && !masked.to_string().contains('@')
                || masked.to_string().contains('*'),
            "{masked}"
        );
        for secret in ["ada.brook", "ben.ortiz", "cleo@"] {
            assert!(
                !format!("{masked}{binary}").contains(secret),
                "{masked}{binary}"
            );
        }
        assert_eq!(binary, masked[0][1]);
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM users")?,
            "3"
        );
        Ok(())
    })
}

#[test]
fn psycopg() -> Result<()> {
    check("psycopg", |agent| {
        Ok(serde_json::from_str(
            &agent.python("scenario.py", &[])?.ok()?.out,
        )?)
    })
}

#[test]
fn node_postgres() -> Result<()> {
    check("node-postgres", |agent| {
        Ok(serde_json::from_str(
            &agent.node("scenario.js", &[])?.ok()?.out,
        )?)
    })
}

#[test]
fn tokio_postgres() -> Result<()> {
    check("tokio-postgres", |agent| {
        let mut session = agent.connect()?;
        let rows = session.query("SELECT name, email FROM users ORDER BY id", &[])?;
        let masked: Vec<Value> = rows
            .iter()
            .map(|row| json!([row.get::<_, &str>(0), row.get::<_, &str>(1)]))
            .collect();
        // tokio-postgres asks for binary values wherever it prepares.
        let row = session.query_one("SELECT email FROM users WHERE id = $1", &[&1])?;
        let binary = json!(row.get::<_, &str>(0));
        let parameter = session
            .query_one("SELECT name FROM users WHERE id = $1", &[&2])?
            .get::<_, String>(0);
        let denied = refusal(session.batch_execute("DROP TABLE users"))?;
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
        Ok(json!({
            "masked": masked, "binary": binary, "parameter": parameter, "denied": [denied.0, denied.1],
            "after": after, "transaction": seen, "rolled back": rolled_back, "unchanged": unchanged,
            "pipeline": [first, second],
        }))
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
