//! What the gateway cannot read yet is denied with a clear error, never passed unread.

use ostiary_tests::{
    Result,
    wire::{self, Raw},
};

use crate::{refusal, with_shared};

#[test]
fn copy_is_denied_unless_permitted() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut session = stack.agent("copier")?.on(&database).connect()?;
        for sql in [
            "COPY users TO STDOUT /* refused copy */",
            "COPY (SELECT * FROM users) TO STDOUT",
            "COPY (DELETE FROM orders RETURNING *) TO STDOUT",
            "COPY orders FROM STDIN",
            "COPY users TO PROGRAM 'cat'",
            "COPY users FROM '/etc/passwd'",
        ] {
            let (code, message) = refusal(session.simple_query(sql))?;
            assert_eq!(code, "42501", "{sql}: {message}");
            let (code, _) = refusal(session.execute(sql, &[]))?;
            assert_eq!(code, "42501", "{sql}");
        }
        assert_eq!(
            session
                .query_one("SELECT count(*) FROM orders", &[])?
                .get::<_, i64>(0),
            4
        );
        assert!(!postgres.was_sent("/* refused copy */"));
        Ok(())
    })
}

#[test]
fn function_call_is_denied() -> Result<()> {
    with_shared(|stack, _| {
        let mut raw = stack.agent("fastpath")?.raw()?;
        // pg_backend_pid() by its oid, no arguments, a text result.
        let call = [2026_u32.to_be_bytes().to_vec(), vec![0, 0, 0, 0, 0, 0]].concat();
        raw.send(&wire::message('F', &call))?;
        let answer = raw.until('Z')?;
        assert_eq!(answer[0].field('C').as_deref(), Some("42501"), "{answer:?}");
        assert!(answer.iter().all(|it| it.tag != 'V'), "{answer:?}");
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
fn replication_is_denied_at_login() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("replicator")?;
        for value in ["true", "database", "1", "on", "t"] {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&wire::startup_with(&[
                ("user", "agent"),
                ("database", "shop"),
                ("replication", value),
            ]))?;
            assert_eq!(raw.message()?.tag, 'R', "{value}");
            raw.send(&wire::message('p', &wire::text(&agent.token)))?;
            let said = raw.until_closed()?;
            assert_eq!(said.last().map(|it| it.tag), Some('E'), "{value}: {said:?}");
            assert_eq!(said[0].field('S').as_deref(), Some("FATAL"), "{value}");
            assert_eq!(said[0].field('C').as_deref(), Some("42501"), "{value}");
        }
        Ok(())
    })
}

#[test]
fn startup_options_cannot_smuggle_settings() -> Result<()> {
    with_shared(|stack, _| {
        let agent = stack.agent("options")?;
        for options in [
            "-c role=postgres",
            "--session_preload_libraries=evil",
            "-c session_authorization=postgres",
            "-W 3",
        ] {
            let mut raw = Raw::connect(agent.port)?;
            raw.send(&wire::startup_with(&[
                ("user", "agent"),
                ("database", "shop"),
                ("options", options),
            ]))?;
            let mut said = Vec::new();
            if let Some(first) = raw.maybe()? {
                let asked = first.tag == 'R';
                said.push(first);
                if asked {
                    raw.send(&wire::message('p', &wire::text(&agent.token)))?;
                    while let Some(message) = raw.maybe()? {
                        let done = message.tag == 'Z';
                        said.push(message);
                        if done {
                            break;
                        }
                    }
                }
            }
            assert!(
                said.iter().any(|it| it.tag == 'E') && said.iter().all(|it| it.tag != 'Z'),
                "{options}: {said:?}"
            );
        }
        Ok(())
    })
}
