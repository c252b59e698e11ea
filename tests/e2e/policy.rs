//! Policy while sessions are open, bad policy, and observing.

use std::time::{Duration, Instant};

use ostiary_tests::{Result, process::Folder, stack::example_policy};

use crate::{example_with, of_kind, refusal, with_policy};

/// How soon a change must hold on sessions that are open.
const PROMISED: Duration = Duration::from_secs(1);

#[test]
fn a_change_takes_effect_on_open_sessions_within_a_second() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let mut session = stack.agent("changing")?.connect()?;
        let read = session.prepare("SELECT note FROM orders WHERE id = 1")?;
        assert_eq!(session.query(&read, &[])?.len(), 1);
        let mut changed = example_policy()?;
        changed.insert(
            "no-orders.cedar".into(),
            "@id(\"no-orders\")\nforbid (principal, action, resource is Table) when { resource.name == \"orders\" };".into(),
        );
        stack.apply(&changed)?;
        let applied = Instant::now();
        let denied = loop {
            match session.query(&read, &[]) {
                Err(error) => break error,
                Ok(_) => assert!(applied.elapsed() < PROMISED, "the old policy still holds"),
            }
        };
        assert_eq!(denied.code().map(|it| it.code()), Some("42501"));
        assert!(
            refusal(session.simple_query("SELECT 1 FROM orders"))?
                .1
                .contains("no-orders")
        );

        stack.apply(&example_policy()?)?;
        let applied = Instant::now();
        while session.query(&read, &[]).is_err() {
            assert!(
                applied.elapsed() < PROMISED,
                "the changed policy still holds"
            );
        }
        Ok(())
    })
}

#[test]
fn a_new_label_masks_what_an_open_session_reads_next() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let mut session = stack.agent("labelled")?.connect()?;
        let read = session.prepare("SELECT city FROM users WHERE id = 1")?;
        assert_eq!(session.query_one(&read, &[])?.get::<_, &str>(0), "Lisbon");
        let mut changed = example_policy()?;
        let labels = changed.get_mut("labels.yaml").unwrap();
        *labels = labels.replace(
            "columns:\n",
            "columns:\n  - {column: public.users.city, label: pii.ssn}\n",
        );
        stack.apply(&changed)?;
        let applied = Instant::now();
        while session.query_one(&read, &[])?.get::<_, &str>(0) == "Lisbon" {
            assert!(applied.elapsed() < PROMISED, "the column is still bare");
        }
        Ok(())
    })
}

#[test]
fn a_bad_bundle_is_refused_whole_and_the_running_one_stays() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let running = stack.auditor()?.json(&["policy", "get"])?;
        let folder = Folder::new("bad-bundle")?;
        let mut bad = example_policy()?;
        bad.insert(
            "broken.cedar".into(),
            "permit (principal, action, resource".into(),
        );
        bad.insert(
            "approvals.yaml".into(),
            "approvals:\n  dba: {reviewers: [dba], peple: 1}\n".into(),
        );
        for (name, text) in &bad {
            std::fs::write(folder.path().join(name), text)?;
        }
        let path = folder.path().display().to_string();
        for verb in ["check", "apply"] {
            let ran = stack.administrator()?.run(&["policy", verb, &path])?;
            assert!(matches!(ran.code, 1 | 2), "{}", ran.all());
            let said = ran.all();
            assert!(said.contains("broken.cedar:1"), "{said}");
            assert!(
                said.contains("approvals.yaml:2") && said.contains("peple"),
                "{said}"
            );
        }
        assert_eq!(
            stack.auditor()?.json(&["policy", "get"])?["hash"],
            running["hash"]
        );
        stack.agent("after-bad")?.psql(&["SELECT 1"])?.ok()?;
        Ok(())
    })
}

#[test]
fn only_an_administrator_applies_policy() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let path = stack.folder().join("policy").display().to_string();
        for groups in [&["analysts"][..], &["dba"], &["security"]] {
            let ran = stack
                .operator("pretender", groups)?
                .run(&["policy", "apply", &path])?;
            assert_eq!(ran.code, 4, "{groups:?}: {}", ran.all());
        }
        Ok(())
    })
}

#[test]
fn observing_lets_it_pass_and_records_what_would_have_been() -> Result<()> {
    with_policy(
        &example_with("resources.yaml", "mode: enforce", "mode: observe")?,
        |stack, postgres| {
            let database = postgres.database()?;
            let ran = stack.agent("observed")?.on(&database).psql(&[
                "DELETE FROM orders WHERE id = 1",
                "DROP TABLE orders",
                "SELECT email FROM users WHERE id = 1",
                "SELECT id FROM users WHERE ssn < '0'",
            ])?;
            let ran = ran.ok()?;
            assert_eq!(
                ran.out.lines().collect::<Vec<_>>(),
                ["DELETE 1", "DROP TABLE", "ada.brook@example.com"]
            );
            let events = stack.auditor()?.recorded("observed")?;
            let operated = of_kind(&events, "operated");
            let verdicts: Vec<_> = operated
                .iter()
                .map(|it| (it["verdict"].as_str(), it["observed"].as_bool()))
                .collect();
            assert_eq!(
                verdicts,
                [
                    (Some("approve"), Some(true)),
                    (Some("deny"), Some(true)),
                    (Some("allow"), Some(true)),
                    (Some("deny"), Some(true))
                ]
            );
            assert_eq!(operated[3]["rules"][0], "labelled-rows");
            assert!(
                !serde_json::to_string(&events)?.contains("ada.brook@"),
                "the record holds what is masked"
            );
            Ok(())
        },
    )
}
