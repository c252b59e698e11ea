//! What happened can be listed, searched and replayed; sessions can be ended.

use std::time::Instant;

use ostiary_tests::{
    Result,
    wait::{self, SOON},
};

use crate::{of_kind, with_shared};

#[test]
fn a_session_is_listed_searched_and_replayed() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        stack.agent("historian")?.on(&database).psql(&[
            "SELECT name FROM users WHERE name <> 'needle in the archive' ORDER BY id",
            "DROP TABLE users",
            "SELECT 1/0",
        ])?;
        let auditor = stack.auditor()?;
        let events = auditor.recorded("historian")?;
        let kinds: Vec<&str> = events.iter().filter_map(|it| it["kind"].as_str()).collect();
        assert_eq!(kinds.first(), Some(&"connection_opened"));
        assert_eq!(kinds.get(1), Some(&"logged_in"));
        assert_eq!(kinds.last(), Some(&"closed"));
        assert_eq!(of_kind(&events, "operated").len(), 3, "{kinds:?}");
        let replied = of_kind(&events, "replied");
        assert!(
            replied.iter().any(|it| it["command_tag"] == "SELECT 3"),
            "{replied:?}"
        );
        assert!(
            replied.iter().any(|it| it["sqlstate"] == "22012"),
            "{replied:?}"
        );
        let logged_in = &events[1];
        assert_eq!(logged_in["subject"], "historian");
        assert_eq!(logged_in["role"], "shop_scram");

        let session = auditor.sessions("historian")?.remove(0);
        assert_eq!(
            (session["operations"].as_u64(), session["denied"].as_u64()),
            (Some(3), Some(1)),
            "{session}"
        );
        let id = session["id"].as_str().unwrap();

        let found = auditor.json_lines(&["sessions", "search", "NEEDLE in the"])?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["session"]["id"], id);
        let denied = auditor.json_lines(&[
            "sessions",
            "search",
            "--subject",
            "historian",
            "--verdict",
            "deny",
        ])?;
        assert_eq!(denied.len(), 1);
        assert_eq!(denied[0]["event"]["rules"].to_string(), r#"["no-ddl"]"#);
        assert_eq!(
            auditor
                .json_lines(&[
                    "sessions",
                    "search",
                    "--subject",
                    "historian",
                    "--verb",
                    "sql:drop"
                ])?
                .len(),
            1
        );

        // By the beginning of the id, as text, at its own pace and at once.
        let replay = auditor
            .run(&["sessions", "replay", "--instant", &id[..8]])?
            .ok()?
            .out;
        for part in [
            "needle in the archive",
            "Ada Brook",
            "no-ddl",
            "SELECT 3",
            "historian",
        ] {
            assert!(replay.contains(part), "`{part}` is missing:\n{replay}");
        }
        let fast = auditor
            .run(&["sessions", "replay", "--speed", "1000", id])?
            .ok()?
            .out;
        assert_eq!(fast, replay);
        Ok(())
    })
}

#[test]
fn what_an_agent_sent_cannot_steer_the_terminal_of_who_reads_it() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack.agent("escaper")?.connect()?;
        session.simple_query(
            "SELECT 'clip \x1b]52;c;ZXZpbA==\x07 \x1b[2J \r overwritten', E'\\x1b]0;title\\x07'",
        )?;
        drop(session);
        let auditor = stack.auditor()?;
        auditor.recorded("escaper")?;
        let id = auditor.sessions("escaper")?[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        for arguments in [
            &["sessions", "replay", "--instant", id.as_str()][..],
            &["sessions", "search", "clip"],
            &["sessions", "list"],
        ] {
            let said = auditor.run(arguments)?.ok()?.all();
            assert!(
                !said.contains(['\x1b', '\x07', '\r']),
                "{arguments:?}: {said:?}"
            );
        }
        Ok(())
    })
}

#[test]
fn a_killed_session_ends_at_once_and_its_statement_with_it() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("killed")?.on(&database);
        let mut idle = agent.connect()?;
        idle.simple_query("SELECT 1")?;
        let auditor = stack.auditor()?;
        let id = wait::until("the open session", SOON, || {
            Ok(auditor
                .sessions("killed")?
                .first()
                .and_then(|it| it["id"].as_str())
                .map(str::to_owned))
        })?;
        assert_eq!(
            auditor.run(&["sessions", "kill", &id])?.code,
            4,
            "an auditor may not"
        );
        stack
            .administrator()?
            .run(&["sessions", "kill", &id, "--reason", "wrong branch"])?
            .ok()?;
        let killed = Instant::now();
        while idle.simple_query("SELECT 1").is_ok() {
            assert!(killed.elapsed() < SOON, "the session lives on");
        }
        let events = auditor.recorded("killed")?;
        let closed = of_kind(&events, "closed");
        assert_eq!(closed[0]["reason"], "killed", "{closed:?}");

        // One that waits: nothing runs, and the question is withdrawn.
        let waiting = agent.psql_started(&["DELETE FROM orders WHERE 'killed' = 'killed'"])?;
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending("'killed' = 'killed'")?;
        let session = approval["session_id"].as_str().unwrap();
        stack
            .administrator()?
            .run(&["sessions", "kill", session])?
            .ok()?;
        assert_ne!(waiting.finish(SOON)?.code, 0);
        rita.settled(approval["id"].as_str().unwrap(), "cancelled")?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        Ok(())
    })
}

#[test]
fn who_is_no_auditor_reads_nothing() -> Result<()> {
    with_shared(|stack, _| {
        for groups in [&["analysts"][..], &[]] {
            let nobody = stack.operator("snoop", groups)?;
            for arguments in [
                &["sessions", "list"][..],
                &["sessions", "search", "a"],
                &["policy", "get"],
            ] {
                assert_eq!(nobody.run(arguments)?.code, 4, "{groups:?} {arguments:?}");
            }
        }
        let stale = ostiary_tests::stack::Operator {
            token: "not a token".into(),
            ..stack.auditor()?
        };
        assert_eq!(stale.run(&["sessions", "list"])?.code, 4);
        let elsewhere = ostiary_tests::stack::Operator {
            address: "http://127.0.0.1:1".into(),
            ..stack.auditor()?
        };
        assert_eq!(elsewhere.run(&["sessions", "list"])?.code, 3);
        assert_eq!(
            stack
                .auditor()?
                .run(&["sessions", "show", "ffffffff"])?
                .code,
            5
        );
        Ok(())
    })
}
