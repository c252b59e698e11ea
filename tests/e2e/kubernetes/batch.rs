//! One question for the many objects of one command.

use std::thread;

use ostiary_tests::{
    Context as _, Result, kubernetes::Kubectl, process::Ran, stack::Operator, wait,
};
use serde_json::{Value, json};

use crate::of_kind;

use super::cluster::with_cluster;

/// ConfigMaps of these names and namespaces, in this order.
fn maps(names: &[(String, &str)]) -> String {
    let items: Vec<Value> = names
        .iter()
        .map(|(name, namespace)| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace}, "data": {"a": "b"},
            })
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// `kubectl delete -f` of them, still running.
fn deleting(agent: &Kubectl, manifest: &str) -> thread::JoinHandle<Result<Ran>> {
    let (agent, manifest) = (agent.clone(), manifest.to_owned());
    let delete = ["delete", "--wait=false", "-f", "-"];
    thread::spawn(move || agent.feed(&delete, &manifest))
}

fn decide(who: &Operator, verb: &str, approval: &Value) -> Result<()> {
    let id = approval["id"].as_str().context("an id")?;
    who.run(&["approvals", verb, id, "--yes"])?.ok()?;
    Ok(())
}

#[test]
fn twenty_objects_of_one_command_ask_once_and_one_more_asks_again() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("batcher", &["analysts", "batchers"])?;
        let rita = it.stack.reviewer("rita")?;
        let names: Vec<_> = (0..21).map(|n| (format!("batch-{n:02}"), "web")).collect();
        let manifest = maps(&names);
        it.admin.feed(&["create", "-f", "-"], &manifest)?.ok()?;
        let left = || -> Result<usize> {
            let all = it.admin.json(&["get", "configmaps"])?;
            let items = all["items"].as_array().context("items")?;
            let is_ours = |it: &&Value| it.to_string().contains("\"batch-");
            Ok(items.iter().filter(is_ours).count())
        };
        let running = deleting(&agent, &manifest);
        let first = rita.pending("/configmaps/batch-00")?;
        let covers = first["batch"]["covers"].as_str().unwrap_or_default();
        for part in [
            "20 requests in all",
            "k8s:delete on one object each, of the kind configmaps in namespace web",
            "by the rule batches-ask",
            "(in its words: kubectl delete)",
        ] {
            assert!(covers.contains(part), "{covers}");
        }
        let id = first["id"].as_str().unwrap_or_default();
        let shown = rita.run(&["approvals", "show", id])?.ok()?;
        assert!(shown.out.contains(covers), "{shown:?}");
        let listed = rita.run(&["approvals", "list"])?.ok()?;
        assert!(listed.out.contains("[up to 20 alike] DELETE"), "{listed:?}");
        assert_eq!(left()?, 21);
        decide(&rita, "approve", &first)?;
        let second = rita.pending("/configmaps/batch-20")?;
        assert_eq!(left()?, 1);
        decide(&rita, "deny", &second)?;
        let ran = running.join().unwrap()?.exits(1)?;
        assert!(ran.err.contains("denied by rita"), "{ran:?}");
        assert_eq!(left()?, 1);
        let used = rita.json(&["approvals", "show", id])?;
        assert_eq!(used["batch"]["used"], 20, "{used}");
        // Each of them is on record with the approval it used.
        let auditor = it.stack.auditor()?;
        wait::until("all on record", wait::SOON, || {
            let events = auditor.events_of("batcher")?;
            let resolved = of_kind(&events, "approval_resolved").into_iter();
            let with = resolved.filter(|it| it["approval_id"] == id && it["state"] == "approved");
            Ok((with.count() == 20).then_some(()))
        })
    })
}

#[test]
fn another_run_another_namespace_and_another_verb_ask_again() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("batches", &["analysts", "batchers"])?;
        let rita = it.stack.reviewer("rita")?;
        let name = |n: u8| format!("again-{n}");
        let names = [
            (name(0), "web"),
            (name(1), "web"),
            (name(2), "default"),
            (name(3), "web"),
        ];
        let manifest = maps(&names);
        it.admin.feed(&["create", "-f", "-"], &manifest)?.ok()?;
        let running = deleting(&agent, &manifest);
        let first = rita.pending("/namespaces/web/configmaps/again-0")?;
        decide(&rita, "approve", &first)?;
        // The second one went; the third is elsewhere.
        let other = rita.pending("/namespaces/default/configmaps/again-2")?;
        assert_eq!(it.admin.run(&["get", "configmap", "again-1"])?.code, 1);
        decide(&rita, "approve", &other)?;
        // The fourth is covered by the first question again.
        running.join().unwrap()?.ok()?;
        assert_eq!(it.admin.run(&["get", "configmap", "again-3"])?.code, 1);

        it.admin.feed(&["create", "-f", "-"], &manifest)?.ok()?;
        let running = deleting(&agent, &maps(&names[..1]));
        let again = rita.pending("/namespaces/web/configmaps/again-0")?;
        assert_ne!(again["id"], first["id"]);
        decide(&rita, "deny", &again)?;
        running.join().unwrap()?.exits(1)?;

        // A client that gives every request the run it likes is bound by what its requests do.
        let run = ["-H", "Kubectl-Session: mine"];
        let path = |n: u8| format!("/api/v1/namespaces/web/configmaps/again-{n}");
        let curl = |method: &'static str, n: u8, more: &[&'static str]| {
            let arguments = [&["-X", method][..], &run, more].concat();
            let (path, it) = (path(n), it);
            thread::spawn(move || it.curl_in("runs", &["analysts", "batchers"], &path, &arguments))
        };
        let running = curl("DELETE", 0, &[]);
        let own = rita.pending("/namespaces/web/configmaps/again-0")?;
        decide(&rita, "approve", &own)?;
        assert_eq!(running.join().unwrap()?.status, 200);
        let body = [
            "-H",
            "Content-Type: application/json",
            "-d",
            "{\"gracePeriodSeconds\":0}",
        ];
        let running = curl("DELETE", 1, &body);
        let other = rita.pending("/namespaces/web/configmaps/again-1")?;
        decide(&rita, "deny", &other)?;
        assert_eq!(running.join().unwrap()?.status, 403);
        Ok(())
    })
}
