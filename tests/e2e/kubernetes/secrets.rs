//! What is secret does not leave, whichever way it is asked for.

use ostiary_tests::{Result, kubernetes::PASSWORD, wait};
use serde_json::json;

use super::cluster::{PASSWORD_BASE64, REDACTED, with_cluster};

/// Nothing of the password is in a text.
#[track_caller]
fn assert_masked(text: &str) {
    for secret in [PASSWORD, PASSWORD_BASE64] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

fn secret(name: &str, password: &str) -> String {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
        "stringData": {"password": password},
    });
    secret.to_string()
}

const SECRETS: &str = "/api/v1/namespaces/web/secrets";

#[test]
fn kubectl_shows_secrets_masked_and_their_keys_as_they_are() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("reader")?;
        for arguments in [
            &["get", "secret", "db", "-o", "yaml"][..],
            &["get", "secret", "db", "-o", "json"],
            &["get", "secrets", "-o", "yaml"],
            &["get", "secret", "db", "-o", "jsonpath={.data.password}"],
            &[
                "get",
                "secrets",
                "--field-selector=metadata.name=db",
                "-o",
                "yaml",
            ],
            &["get", "secrets,pods", "-o", "yaml"],
        ] {
            let direct = it.admin.run(arguments)?.ok()?;
            assert!(direct.out.contains(PASSWORD_BASE64), "{direct:?}");
            let ran = agent.run(arguments)?.ok()?;
            assert_masked(&ran.all());
            assert!(ran.out.contains(REDACTED), "{arguments:?}: {ran:?}");
        }
        // The whole object as it was applied is in an annotation.
        let applied = it.admin.run(&["get", "secret", "db", "-o", "yaml"])?.ok()?;
        assert!(applied.out.contains(PASSWORD), "{applied:?}");
        let described = agent.run(&["describe", "secret", "db"])?.ok()?;
        assert_masked(&described.all());
        assert!(described.out.contains("password"), "{described:?}");
        let table = agent.run(&["get", "secrets"])?.ok()?;
        assert!(table.out.contains("db"), "{table:?}");
        Ok(())
    })
}

#[test]
fn every_form_of_an_answer_is_masked() -> Result<()> {
    with_cluster(|it| {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
        for (form, query) in [
            (table, "?includeObject=Object"),
            (partial, ""),
            ("application/vnd.kubernetes.protobuf", ""),
            ("application/vnd.kubernetes.protobuf, */*", ""),
            ("application/yaml", ""),
            ("application/cbor", ""),
            ("*/*", ""),
            ("application/json", "?limit=1"),
            ("application/json", "?resourceVersion=0"),
            ("application/json", "?watch=true&timeoutSeconds=1"),
            (table, "?watch=1&timeoutSeconds=1&includeObject=Object"),
            (
                "application/json;stream=watch",
                "?watch=true&timeoutSeconds=1",
            ),
        ] {
            let path = format!("{SECRETS}{query}");
            let answer = it.curl("forms", &path, &["-H", &format!("Accept: {form}")])?;
            assert_eq!(answer.status, 200, "{form}: {answer:?}");
            assert_masked(&answer.body);
            let kind = answer.header("content-type").unwrap_or_default();
            assert!(kind.starts_with("application/json"), "{form}: {answer:?}");
            assert!(answer.body.contains("db"), "{form}: {answer:?}");
        }
        for path in [
            "/api/v1/namespaces/web/secrets/db",
            "/api/v1/namespaces/web/secrets/db?pretty=true",
            "/api/v1/watch/namespaces/web/secrets?timeoutSeconds=1",
            "/api/v1/watch/namespaces/web/secrets/db?timeoutSeconds=1",
            "/api/v1/namespaces/web/secrets/db?watch=true",
        ] {
            let answer = it.curl("forms", path, &[])?;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert_masked(&answer.body);
            assert!(answer.body.contains(REDACTED), "{path}: {answer:?}");
        }
        Ok(())
    })
}

#[test]
fn a_watch_shows_changes_masked_as_they_come() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("watcher")?;
        let watch = [
            "get",
            "secrets",
            "-o",
            "json",
            "-w",
            "--request-timeout=20s",
        ];
        let mut watching = agent.start(&watch, "")?;
        // It watches only once it has listed: what came before is in its list.
        let make = |name: &str| {
            it.admin
                .feed(&["create", "-f", "-"], &secret(name, PASSWORD))?
                .ok()
        };
        make("watched-1")?;
        let auditor = it.stack.auditor()?;
        wait::until_true("the watch on record", wait::SOON, || {
            assert!(!watching.has_ended()?);
            let events = auditor.events_of("watcher")?;
            Ok(serde_json::to_string(&events)?.contains("k8s:watch secrets in web"))
        })?;
        make("watched-2")?;
        let ran = watching.finish(wait::START)?;
        assert_masked(&ran.all());
        for name in ["watched-1", "watched-2", REDACTED] {
            assert!(ran.out.contains(name), "{name}: {ran:?}");
        }
        Ok(())
    })
}

#[test]
fn what_an_agent_writes_is_kept_masked_and_a_masked_secret_is_not_written_back() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("writer")?;
        let own = "the-password-an-agent-made";
        let manifest = secret("mine", own);
        agent.feed(&["apply", "-f", "-"], &manifest)?.ok()?;
        let server_side = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        agent.feed(&server_side, &manifest)?.ok()?;
        let patch = format!(r#"[{{"op":"add","path":"/stringData","value":{{"x":"{own}"}}}}]"#);
        agent
            .run(&["patch", "secret", "mine", "--type=json", "-p", &patch])?
            .ok()?;
        let seen = it.admin.json(&["get", "secret", "mine"])?;
        assert_eq!(
            seen["data"]["x"], "dGhlLXBhc3N3b3JkLWFuLWFnZW50LW1hZGU=",
            "{seen}"
        );
        // What kubectl edit would do.
        let shown = agent.run(&["get", "secret", "mine", "-o", "json"])?.ok()?;
        let ran = agent.feed(&["replace", "-f", "-"], &shown.out)?.exits(1)?;
        assert!(ran.err.contains("the gateway had masked"), "{ran:?}");
        let after = it.admin.json(&["get", "secret", "mine"])?;
        assert_eq!(after["data"], seen["data"], "{after}");
        let auditor = it.stack.auditor()?;
        let all = wait::until("the refusal on record", wait::SOON, || {
            let all = serde_json::to_string(&auditor.events_of("writer")?)?;
            Ok(all.contains("the gateway had masked").then_some(all))
        })?;
        assert!(all.contains("k8s:patch secrets/mine in web"), "{all}");
        for secret in [own, "dGhlLXBhc3N3b3JkLWFuLWFnZW50LW1hZGU"] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
        Ok(())
    })
}

#[test]
fn a_patch_cannot_move_a_secret_to_where_it_is_shown_or_ask_what_it_is() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("mover")?;
        for patch in [
            r#"[{"op":"copy","from":"/data/password","path":"/metadata/labels"}]"#.to_owned(),
            r#"[{"op":"move","from":"/data/password","path":"/metadata/annotations/x"}]"#
                .to_owned(),
            format!(r#"[{{"op":"test","path":"/data/password","value":"{PASSWORD_BASE64}"}}]"#),
        ] {
            let ran = agent.run(&["patch", "secret", "db", "--type=json", "-p", &patch])?;
            let ran = ran.exits(1)?;
            assert!(
                ran.err.contains("(Forbidden)") && ran.err.contains("could not be read"),
                "{patch}: {ran:?}"
            );
        }
        Ok(())
    })
}

#[test]
fn who_may_see_secrets_sees_them_and_labelled_fields_are_masked_by_kind() -> Result<()> {
    with_cluster(|it| {
        let keeper = it.agent_in("keeper", &["analysts", "keepers"])?;
        let seen = keeper.json(&["get", "secret", "db"])?;
        assert_eq!(seen["data"]["password"], PASSWORD_BASE64, "{seen}");
        let agent = it.agent("env")?;
        for arguments in [
            &["get", "deployment", "api", "-o", "yaml"][..],
            &["get", "deployments", "-o", "yaml"],
        ] {
            let direct = it.admin.run(arguments)?.ok()?;
            assert!(direct.out.contains("env-of-the-api"), "{direct:?}");
            let ran = agent.run(arguments)?.ok()?;
            assert!(!ran.all().contains("env-of-the-api"), "{ran:?}");
            assert!(ran.out.contains("[redacted]"), "{ran:?}");
        }
        // Columns of a table show what they like of an object: there is none of a kind with labels.
        let accept = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        let path = "/apis/apps/v1/namespaces/web/deployments";
        let answer = it.curl("env", path, &["-H", accept])?;
        assert_eq!(answer.json()?["kind"], "DeploymentList", "{answer:?}");
        agent.run(&["get", "deployments"])?.ok()?;
        Ok(())
    })
}
