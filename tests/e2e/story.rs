//! The four steps the gateway is for, in the words of an agent and its reviewer.

use ostiary_tests::{Result, wait::SOON};

use crate::{of_kind, with_shared};

#[test]
fn an_agent_reads_is_refused_waits_and_is_on_record() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("storyteller")?.on(&database);
        let reviewer = stack.reviewer("rita")?;

        let mut session = agent.psql_started(&[
            "SELECT name, email FROM users ORDER BY id",
            "DROP TABLE orders",
            "SELECT count(*) FROM orders",
            "DELETE FROM orders WHERE status = 'cancelled'",
            "SELECT count(*) FROM orders",
        ])?;
        let approval = reviewer.pending("DELETE FROM orders WHERE status = 'cancelled'")?;
        assert!(!session.has_ended()?);
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        assert_eq!(approval["subject"], "storyteller");
        let id = approval["id"].as_str().unwrap();
        reviewer
            .run(&[
                "approvals",
                "approve",
                id,
                "--comment",
                "ticket 812",
                "--yes",
            ])?
            .ok()?;
        let ran = session.finish(SOON)?.ok()?;

        let lines: Vec<&str> = ran.out.lines().collect();
        assert_eq!(lines.len(), 6, "{}", ran.all());
        assert!(lines[0].starts_with("Ada Brook|"), "{}", ran.out);
        assert!(!ran.all().contains("ada.brook@"), "{}", ran.out);
        assert_eq!(lines[3..], ["4", "DELETE 2", "2"]);
        assert!(ran.err.contains("denied by rule `no-ddl`"), "{}", ran.err);

        let events = stack.auditor()?.recorded("storyteller")?;
        let verdicts: Vec<&str> = of_kind(&events, "operated")
            .iter()
            .filter_map(|it| it["verdict"].as_str())
            .collect();
        assert_eq!(verdicts, ["allow", "deny", "allow", "approve", "allow"]);
        let sequence: Vec<u64> = events.iter().filter_map(|it| it["seq"].as_u64()).collect();
        assert_eq!(sequence, (1..=sequence.len() as u64).collect::<Vec<_>>());
        assert!(!serde_json::to_string(&events)?.contains("ada.brook@"));
        Ok(())
    })
}
