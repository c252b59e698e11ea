//! A Kubernetes cluster behind the gateway: a real kube-apiserver with a real etcd, the real kubectl, and
//! curl for what kubectl would not say.

mod attacks;
mod batch;
mod cluster;
mod difference;
mod exec;
mod impersonation;
mod ports;
mod proxy;
mod python;
mod secrets;
mod streams;

use std::thread;

use ostiary_tests::{Result, wait};
use serde_json::{Value, json};

use crate::of_kind;
use cluster::with_cluster;

#[test]
fn kubectl_reads_writes_and_applies_as_it_would_without_a_gateway() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("worker")?;
        let pods = agent.run(&["get", "pods"])?.ok()?;
        assert!(pods.out.contains("api-0"), "{pods:?}");
        let wide = agent.run(&["get", "deployments", "-A", "-o", "wide"])?.code;
        // Every namespace is kube-system as well.
        assert_eq!(wide, 1);
        agent.run(&["describe", "deployment", "api"])?.ok()?;
        let manifest = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"one"}}"#;
        let applied = agent.feed(&["apply", "-f", "-"], manifest)?.ok()?;
        assert!(
            applied.out.contains("configmap/settings created"),
            "{applied:?}"
        );
        let changed = manifest.replace("one", "two");
        let applied = agent.feed(&["apply", "-f", "-"], &changed)?.ok()?;
        assert!(applied.out.contains("configured"), "{applied:?}");
        let server_side = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        agent
            .feed(&server_side, &manifest.replace("one", "three"))?
            .ok()?;
        let label = ["label", "configmap", "settings", "team=web"];
        agent.run(&label)?.ok()?;
        let patch = r#"[{"op":"add","path":"/data/b","value":"four"}]"#;
        agent
            .run(&["patch", "configmap", "settings", "--type=json", "-p", patch])?
            .ok()?;
        let seen = it.admin.json(&["get", "configmap", "settings"])?;
        assert_eq!(seen["data"]["a"], "three", "{seen}");
        assert_eq!(seen["data"]["b"], "four", "{seen}");
        assert_eq!(seen["metadata"]["labels"]["team"], "web", "{seen}");
        agent.run(&["delete", "configmap", "settings"])?.ok()?;
        assert_eq!(it.admin.run(&["get", "configmap", "settings"])?.code, 1);
        Ok(())
    })
}

#[test]
fn a_denial_is_an_error_that_kubectl_reads() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("deleter")?;
        let ran = agent.run(&["delete", "namespace", "web"])?.exits(1)?;
        assert!(
            ran.err.starts_with("Error from server (Forbidden): ")
                && ran.err.contains("denied by rule `no-namespace-deletes`: a namespace takes all that is in it along"),
            "{ran:?}"
        );
        let namespace = it.admin.json(&["get", "namespace", "web"])?;
        assert_eq!(namespace["status"]["phase"], "Active", "{namespace}");
        let status = it.curl("deleter", "/api/v1/namespaces/web", &["-X", "DELETE"])?;
        assert_eq!(status.status, 403, "{status:?}");
        let status = status.json()?;
        assert_eq!(status["kind"], "Status", "{status}");
        assert_eq!(status["reason"], "Forbidden", "{status}");
        let causes = status["details"]["causes"].as_array().unwrap();
        let rule = causes.iter().find(|it| it["reason"] == "ostiary.rule");
        assert_eq!(rule.unwrap()["message"], "no-namespace-deletes", "{status}");
        Ok(())
    })
}

#[test]
fn what_a_body_says_decides() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("builder")?;
        let pod = |more: Value, privileged: bool| {
            let container = json!({
                "name": "c", "image": "busybox", "securityContext": {"privileged": privileged},
            });
            let mut pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tool"}, "spec": more,
            });
            pod["spec"]["containers"] = json!([container]);
            pod.to_string()
        };
        for (more, privileged) in [
            (json!({}), true),
            (json!({"hostNetwork": true}), false),
            (
                json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
                false,
            ),
        ] {
            let manifest = pod(more.clone(), privileged);
            let ran = agent.feed(&["create", "-f", "-"], &manifest)?.exits(1)?;
            assert!(ran.err.contains("(Forbidden)"), "{more}: {ran:?}");
            assert_eq!(it.admin.run(&["get", "pod", "tool"])?.code, 1, "{more}");
        }
        let manifest = pod(json!({}), false);
        agent.feed(&["create", "-f", "-"], &manifest)?.ok()?;
        it.admin.run(&["get", "pod", "tool"])?.ok()?;
        let grant = [
            "create",
            "rolebinding",
            "mine",
            "--clusterrole=admin",
            "--user=me",
        ];
        // Some versions of kubectl would send it in protobuf.
        let manifest = it
            .admin
            .run(&[&grant[..], &["--dry-run=client", "-o", "json"]].concat())?
            .ok()?;
        let ran = agent
            .feed(&["create", "-f", "-"], &manifest.out)?
            .exits(1)?;
        assert!(ran.err.contains("`no-rights`"), "{ran:?}");
        agent.run(&grant)?.exits(1)?;
        assert_eq!(it.admin.run(&["get", "rolebinding", "mine"])?.code, 1);
        Ok(())
    })
}

#[test]
fn what_kubectl_sends_in_protobuf_passes_where_policy_says_so() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("protobuf")?;
        let create = ["create", "configmap", "made", "--from-literal=a=b"];
        agent.run(&create)?.ok()?;
        let made = it.admin.json(&["get", "configmap", "made"])?;
        assert_eq!(made["data"]["a"], "b", "{made}");
        for line in ["run made --image=busybox", "expose pod made --port=80"] {
            agent.run(&line.split(' ').collect::<Vec<_>>())?.ok()?;
        }
        let path = "/apis/apps/v1/namespaces/web/deployments";
        let kind = "Content-Type: application/vnd.kubernetes.protobuf";
        let answer = it.curl("protobuf", path, &["-H", kind, "--data-binary", "k8s"])?;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("its body is protobuf"), "{answer:?}");
        Ok(())
    })
}

#[test]
fn scaling_waits_until_a_reviewer_agrees() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("scaler")?;
        let rita = it.stack.reviewer("rita")?;
        let replicas = || -> Result<Value> {
            Ok(it.admin.json(&["get", "deployment", "api"])?["spec"]["replicas"].clone())
        };
        let scale = |to: &'static str| {
            let agent = agent.clone();
            thread::spawn(move || agent.run(&["scale", "deployment", "api", "--replicas", to]))
        };
        for (verb, to, code, then) in [("deny", "7", 1, 1), ("approve", "5", 0, 5)] {
            let waiting = scale(to);
            let approval = rita.pending("/deployments/api/scale")?;
            let statement = approval["statement"].as_str().unwrap_or_default();
            assert!(
                statement.contains(&format!("\"replicas\":{to}")),
                "{statement}"
            );
            assert_eq!(replicas()?, 1);
            let id = approval["id"].as_str().unwrap_or_default();
            rita.run(&["approvals", verb, id, "--yes", "--comment", "in a test"])?
                .ok()?;
            let ran = waiting.join().unwrap()?.exits(code)?;
            if code == 1 {
                assert!(
                    ran.err.contains("(Forbidden)")
                        && ran.err.contains("denied by rita: in a test"),
                    "{ran:?}"
                );
            }
            assert_eq!(replicas()?, then);
        }
        // A dry run changes nothing, and the policy says that it needs nobody.
        if !it.is_old_kubectl()? {
            let dry = [
                "scale",
                "deployment",
                "api",
                "--replicas=9",
                "--dry-run=server",
            ];
            agent.run(&dry)?.ok()?;
            assert_eq!(replicas()?, 5);
        }
        Ok(())
    })
}

#[test]
fn requests_are_on_record_as_what_they_are() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent("recorded")?;
        agent.run(&["get", "pods"])?.ok()?;
        agent.run(&["delete", "namespace", "web"])?.exits(1)?;
        let auditor = it.stack.auditor()?;
        wait::until("both on record", wait::SOON, || {
            let events = auditor.events_of("recorded")?;
            let of = |kind: &str, text: &str| {
                let mut all = of_kind(&events, kind).into_iter();
                all.any(|event| event.to_string().contains(text))
            };
            let all = of("operated", "k8s:list pods in web")
                && of("operated", "k8s:delete namespaces/web in web")
                && of("operated", "no-namespace-deletes");
            Ok(all.then_some(()))
        })
    })
}
