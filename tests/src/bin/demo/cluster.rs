//! A Kubernetes cluster behind the same gateway: a Secret read masked, a namespace kept, a deployment scaled
//! once a reviewer says so, a command run in a container and replayed. Where no API server is installed, the demo does without.

use ostiary_tests::{
    Context as _, Result,
    kubernetes::{Cluster, Kubectl, PASSWORD, WEB},
    narrate::Narrator,
    ports, tools, wait,
};

use crate::scene::{SOON, Scene};

/// The API server, its administrator, and where the gateway listens for agents.
pub(crate) struct Guarded {
    cluster: Cluster,
    admin: Kubectl,
    listen: u16,
}

/// Starts one if it is installed.
pub(crate) fn start(tell: &Narrator) -> Result<Option<Guarded>> {
    let is_here = [
        tools::etcd(),
        tools::kubectl(),
        tools::apiserver(),
        tools::kubelet(),
    ];
    if is_here.iter().any(Result::is_err) {
        tell.say("No Kubernetes API server is installed (`./bootstrap test` builds one): the demo does without.");
        return Ok(None);
    }
    let cluster = Cluster::start()?;
    let admin = cluster.admin()?;
    admin.feed(&["apply", "-f", "-"], WEB)?.ok()?;
    cluster.run_pod("web", "api-0", "api")?;
    let version = admin.json(&["version"])?;
    tell.say(&format!(
        "A Kubernetes API server {} runs on 127.0.0.1:{}.",
        version["serverVersion"]["gitVersion"]
            .as_str()
            .unwrap_or_default(),
        cluster.target().port
    ));
    Ok(Some(Guarded {
        cluster,
        admin,
        listen: ports::free(),
    }))
}

impl Guarded {
    /// The agent's kubectl.
    pub(crate) fn agent(&self, token: &str) -> Result<Kubectl> {
        self.cluster.kubectl("agent", self.listen, token)
    }

    /// The resource, for `ostiary.yaml`.
    pub(crate) fn resource(&self) -> String {
        let target = self.cluster.target();
        let mut text = format!(
            "  - name: prod\n    kind: kubernetes\n    listen: 127.0.0.1:{}\n    address: 127.0.0.1:{}\n    credential: {{bearer: {{file: credential}}}}\n",
            self.listen, target.port
        );
        for (key, value) in &target.more {
            text.push_str(&format!("    {key}: {value}\n"));
        }
        text
    }
}

pub(crate) fn scales(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    let Some(guarded) = &scene.cluster else {
        return Ok(());
    };
    tell.step("A Kubernetes cluster stands behind it too: kubectl, with the agent's token in its kubeconfig.");
    let agent = guarded.agent(&scene.caller.token)?;

    let read = ["get", "secret", "db", "-o", "jsonpath={.data}"];
    let secret = agent.run(&read)?;
    tell.ran(
        "agent",
        "kubectl get secret db -o jsonpath={.data}",
        &secret.all(),
    );
    let masked = base64_of("[redacted]");
    tell.check(
        "the key is there, its value is not",
        secret.code == 0
            && secret.out.contains("password")
            && secret.out.contains(&masked)
            && !secret.out.contains(&base64_of(PASSWORD)),
    );

    let deleted = agent.run(&["delete", "namespace", "web"])?;
    tell.ran("agent", "kubectl delete namespace web", &deleted.all());
    let phase = ["get", "namespace", "web", "-o", "jsonpath={.status.phase}"];
    tell.check(
        "refused, by a rule it is told, and the namespace is there",
        deleted.code == 1
            && deleted.err.contains("no-namespace-deletes")
            && guarded.admin.run(&phase)?.ok()?.out == "Active",
    );

    let scale = ["scale", "deployment", "api", "--replicas", "5"];
    let mut waiting = agent.start(&scale, "")?;
    tell.typed("agent", &format!("kubectl {}", scale.join(" ")));
    let approval = scene.reviewer.pending("deployments/api/scale")?;
    let id = approval["id"].as_str().context("an approval id")?;
    let shown = scene.reviewer.run(&["approvals", "show", id])?;
    tell.ran(
        "reviewer",
        &format!("ostiary approvals show {id}"),
        &shown.all(),
    );
    let replicas = || -> Result<String> {
        let count = [
            "get",
            "deployment",
            "api",
            "-o",
            "jsonpath={.spec.replicas}",
        ];
        Ok(guarded.admin.run(&count)?.ok()?.out)
    };
    tell.check(
        "kubectl waits, and nothing was scaled",
        !waiting.has_ended()? && replicas()? == "1",
    );
    let said = scene.reviewer.run(&[
        "approvals",
        "approve",
        id,
        "--comment",
        "ticket 814",
        "--yes",
    ])?;
    tell.ran(
        "reviewer",
        &format!("ostiary approvals approve {id} --comment 'ticket 814' --yes"),
        &said.all(),
    );
    let scaled = waiting.finish(SOON)?;
    tell.ran("agent", "# kubectl prints", &scaled.all());
    tell.check(
        "approved, it was scaled",
        scaled.code == 0 && replicas()? == "5",
    );
    Ok(())
}

pub(crate) fn looks(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    let Some(guarded) = &scene.cluster else {
        return Ok(());
    };
    tell.step("It runs commands in a container: what policy names, on record to the last byte.");
    let agent = guarded.agent(&scene.caller.token)?;
    let ran = agent.run(&["exec", "api-0", "--", "date"])?;
    tell.ran("agent", "kubectl exec api-0 -- date", &ran.all());
    let date = ran.out.trim();
    tell.check("it ran", ran.code == 0 && !date.is_empty());
    let refused = agent.run(&["exec", "api-0", "--", "cat", "/etc/shadow"])?;
    tell.ran(
        "agent",
        "kubectl exec api-0 -- cat /etc/shadow",
        &refused.all(),
    );
    tell.check(
        "another command is refused, and never began",
        refused.code == 1 && refused.out.is_empty() && refused.err.contains("default-deny"),
    );

    let auditor = &scene.auditor;
    let session = wait::until("the command on record", wait::SOON, || {
        let events = auditor.events_of("claude-17")?;
        let mut streamed = events.iter().filter(|it| it["kind"] == "streamed");
        Ok(streamed.next().map(|it| it["session_id"].clone()))
    })?;
    let id: String = session
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(12)
        .collect();
    let replayed = auditor.run(&["sessions", "replay", "--instant", &id])?;
    tell.ran(
        "auditor",
        &format!("ostiary sessions replay --instant {id}    # in it:"),
        &of_exec(&replayed.out),
    );
    tell.check(
        "the replay shows what the command printed",
        replayed.code == 0 && replayed.out.contains(&format!("| {date}")),
    );
    Ok(())
}

/// What a replay shows of the first exec in it.
fn of_exec(replay: &str) -> String {
    let begins = |line: &&str| !line.contains("/exec?");
    let mut lines = Vec::new();
    for line in replay.lines().skip_while(begins) {
        lines.push(line);
        if line.contains("exit code") {
            break;
        }
    }
    lines.join("\n")
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
