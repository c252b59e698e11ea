//! What reviewers see of a change before it is made.

use std::thread;

use ostiary_tests::{Context as _, Result, kubernetes::PASSWORD};
use serde_json::{Value, json};

use super::cluster::{PASSWORD_BASE64, REDACTED, with_cluster};

#[test]
fn reviewers_see_what_a_change_would_make_of_its_object() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("differs", &["analysts", "differs"])?;
        let rita = it.stack.reviewer("rita")?;
        let map = |value: &str| {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "differs"},
                "data": {"a": value},
            });
            map.to_string()
        };
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "differs"},
            "stringData": {"password": PASSWORD},
        });
        it.admin.feed(&["apply", "-f", "-"], &map("one"))?.ok()?;
        let changes = [
            (
                &["apply", "-f", "-"][..],
                map("two"),
                "/configmaps/differs",
                vec![json!({"path": ".data.a", "before": "\"one\"", "after": "\"two\""})],
            ),
            (
                &["delete", "configmap", "differs", "--wait=false"],
                String::new(),
                "DELETE /api/v1/namespaces/web/configmaps/differs",
                vec![json!({"path": ".data.a", "before": "\"one\"", "after": null})],
            ),
            (
                &["create", "-f", "-"],
                secret.to_string(),
                "POST /api/v1/namespaces/web/secrets",
                vec![
                    json!({"path": ".data.password", "before": null, "after": format!("\"{REDACTED}\"")}),
                ],
            ),
        ];
        for (arguments, manifest, statement, expected) in changes {
            let running = {
                let (agent, arguments) = (agent.clone(), arguments.to_vec());
                thread::spawn(move || agent.feed(&arguments, &manifest))
            };
            let approval = rita.pending(statement)?;
            let difference = &approval["difference"];
            assert_eq!(difference["missing"], "", "{difference}");
            let seen = difference["changes"].as_array().context("changes")?;
            for change in expected {
                assert!(seen.contains(&change), "{change}: {difference}");
            }
            for secret in [PASSWORD, PASSWORD_BASE64] {
                assert!(!approval.to_string().contains(secret), "{approval}");
            }
            // Nothing has come of it.
            let kept = it.admin.json(&["get", "configmap", "differs"])?;
            assert_eq!(kept["data"]["a"], "one", "{kept}");
            assert_eq!(it.admin.run(&["get", "secret", "differs"])?.code, 1);
            let id = approval["id"].as_str().context("an id")?;
            let shown = rita.run(&["approvals", "show", id])?.ok()?;
            assert!(shown.out.contains("\ndifference\n"), "{shown:?}");
            rita.run(&["approvals", "deny", id, "--yes"])?.ok()?;
            running.join().unwrap()?.exits(1)?;
        }
        Ok(())
    })
}

#[test]
fn scaling_shows_both_numbers_and_a_refused_dry_run_says_so() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("differs", &["analysts", "differs"])?;
        let rita = it.stack.reviewer("rita")?;
        let before: Value = it.admin.json(&["get", "deployment", "api"])?;
        let before = before["spec"]["replicas"].to_string();
        let running = {
            let agent = agent.clone();
            thread::spawn(move || agent.run(&["scale", "deployment", "api", "--replicas=8"]))
        };
        let approval = rita.pending("/deployments/api/scale")?;
        let change = json!({"path": ".spec.replicas", "before": before, "after": "8"});
        let seen = approval["difference"]["changes"].as_array();
        assert!(seen.context("changes")?.contains(&change), "{approval}");
        let id = approval["id"].as_str().context("an id")?;
        rita.run(&["approvals", "deny", id, "--yes"])?.ok()?;
        running.join().unwrap()?.exits(1)?;
        let path = "/api/v1/namespaces/web/configmaps/none";
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}});
        let body = body.to_string();
        let running = thread::spawn(move || {
            let json = [
                "-X",
                "PUT",
                "-H",
                "Content-Type: application/json",
                "-d",
                &body,
            ];
            it.curl_in("differs", &["analysts", "differs"], path, &json)
        });
        let approval = rita.pending("PUT /api/v1/namespaces/web/configmaps/none")?;
        let missing = approval["difference"]["missing"]
            .as_str()
            .unwrap_or_default();
        assert!(
            missing.starts_with("the server refused the dry run (4"),
            "{approval}"
        );
        let id = approval["id"].as_str().context("an id")?;
        rita.run(&["approvals", "deny", id, "--yes"])?.ok()?;
        assert_eq!(running.join().unwrap()?.status, 403);
        Ok(())
    })
}
