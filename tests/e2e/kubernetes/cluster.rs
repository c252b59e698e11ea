//! The cluster, and one gateway in front of it for every test that disturbs nobody.

use std::{process::Command, sync::LazyLock, time::Duration};

use ostiary_tests::{
    Context as _, Result, anyhow,
    http::Response,
    kubernetes::{Cluster, Kubectl, WEB},
    process::Started,
    shared,
    stack::{Policy, Stack, example_policy},
};

use crate::explain;

/// The password of the Secret in [`WEB`], as the API shows it.
pub(super) const PASSWORD_BASE64: &str = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5";
/// `[redacted]`, as the API would show it.
pub(super) const REDACTED: &str = "W3JlZGFjdGVkXQ==";

/// What is there before a test begins, beside [`WEB`].
const OBJECTS: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: root, namespace: kube-system}
stringData: {password: correct-horse-battery}
---
apiVersion: v1
kind: Pod
metadata: {name: api-0, namespace: web}
spec: {containers: [{name: api, image: "example/api:1"}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: see-pods}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: see-deployments}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: analysts, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: see-pods}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "ostiary:analysts"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployers, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: see-deployments}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "ostiary:deployers"}]
"#;

/// What the tests' own groups may do beside the example.
const MORE: &str = r#"
@id("streams")
permit (principal in Group::"streamers", action in Action::"k8s:connect", resource in Cluster::"prod");
@id("reaches")
permit (principal in Group::"reachers", action in [Action::"k8s:connect", Action::"k8s:unreadable"], resource in Cluster::"prod");
@id("no-database") @reason("the database is not for agents")
forbid (principal in Group::"reachers", action == Action::"k8s:portforward", resource)
when { context.objects has port && context.objects.port == "5432" };
@id("no-touching")
forbid (principal in Group::"reachers", action == Action::"k8s:proxy", resource)
when { context.objects has path && context.objects.path like "/run/*/untouched" };
@id("own")
permit (principal, action in Action::"k8s:read", resource in Cluster::"own");
@id("asks")
permit (principal in Group::"askers", action == Action::"k8s:exec", resource in Cluster::"prod");
@id("asks-first") @approval("dba") @reason("somebody looks on")
forbid (principal in Group::"askers", action == Action::"k8s:exec", resource);
@id("no-env")
forbid (principal in Group::"streamers", action == Action::"k8s:exec", resource)
when { context.objects has command && context.objects.command like "env*" };
@id("sees")
permit (principal in Group::"keepers", action == Action::"reveal", resource == Label::"kubernetes.secret");
@id("batches")
permit (principal in Group::"batchers", action in Action::"k8s:write", resource in Namespace::"prod/default");
@id("batches-ask")
@approval("deletions")
@reason("objects go away")
forbid (principal in Group::"batchers", action == Action::"k8s:delete", resource is Kind);
@id("differs-ask")
@approval("seen")
@reason("something changes")
forbid (principal in Group::"differs", action in Action::"k8s:write", resource is Kind);
"#;

/// The running parts.
pub(super) struct Kube {
    pub(super) cluster: Cluster,
    pub(super) stack: Stack,
    pub(super) admin: Kubectl,
}

static KUBE: LazyLock<Result<Kube, String>> =
    LazyLock::new(|| start().map_err(|error| format!("{error:#}")));

fn start() -> Result<Kube> {
    let cluster = Cluster::start()?;
    let admin = cluster.admin()?;
    for objects in [WEB, OBJECTS] {
        admin.feed(&["apply", "-f", "-"], objects)?.ok()?;
    }
    cluster.run_pod("web", "shell-0", "shell")?;
    let stack = Stack::start(
        shared::issuer()?,
        &[cluster.target(), cluster.impersonating()],
        &policy()?,
    )?;
    Ok(Kube {
        cluster,
        stack,
        admin,
    })
}

fn policy() -> Result<Policy> {
    let mut policy = example_policy()?;
    policy.insert("more.cedar".to_owned(), MORE.to_owned());
    let approvals = policy.get_mut("approvals.yaml").context("approvals")?;
    approvals.push_str("  deletions: {reviewers: [dba], batch: {requests: 20, within: 5m}}\n");
    approvals.push_str("  seen: {reviewers: [dba], difference: true}\n");
    let labels = policy.get_mut("labels.yaml").context("labels")?;
    let field = "fields:\n  - {field: '$.spec.template.spec.containers[*].env[*].value', label: secret.token, kind: deployments.apps}\n";
    *labels = labels.replace("fields:\n", field);
    Ok(policy)
}

/// Runs a test's body on the shared cluster and gateway.
pub(super) fn with_cluster(body: impl FnOnce(&'static Kube) -> Result<()>) -> Result<()> {
    let kube = KUBE.as_ref().map_err(|text| anyhow!("{text}"))?;
    explain(&kube.stack, || body(kube))
}

impl Kube {
    /// The kubectl of an agent of the group `analysts`, with a name nobody else has.
    pub(super) fn agent(&self, name: &str) -> Result<Kubectl> {
        self.agent_in(name, &["analysts"])
    }

    /// The same in other groups.
    pub(super) fn agent_in(&self, name: &str, groups: &[&str]) -> Result<Kubectl> {
        let token = self.stack.issuer().token(name, groups)?;
        self.cluster.kubectl(name, self.stack.port("prod")?, &token)
    }

    /// The kubectl of an agent whom the server knows by its own name.
    pub(super) fn agent_itself(&self, name: &str, groups: &[&str]) -> Result<Kubectl> {
        let token = self.stack.issuer().token(name, groups)?;
        self.cluster.kubectl(name, self.stack.port("own")?, &token)
    }

    /// curl as such an agent, with more of its arguments.
    pub(super) fn curl(&self, name: &str, path: &str, arguments: &[&str]) -> Result<Response> {
        let token = self.stack.issuer().token(name, &["analysts"])?;
        self.curl_as(&token, path, arguments)
    }

    /// The same as an agent of these groups.
    pub(super) fn curl_in(
        &self,
        name: &str,
        groups: &[&str],
        path: &str,
        arguments: &[&str],
    ) -> Result<Response> {
        let token = self.stack.issuer().token(name, groups)?;
        self.curl_as(&token, path, arguments)
    }

    /// curl with a token.
    pub(super) fn curl_as(&self, token: &str, path: &str, arguments: &[&str]) -> Result<Response> {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-i",
            "--path-as-is",
            "-m",
            "50",
            "--noproxy",
            "*",
            "--cacert",
        ])
        .arg(self.cluster.authority())
        .args(["-H", &format!("Authorization: Bearer {token}")])
        .args(arguments)
        .arg(format!(
            "https://127.0.0.1:{}{path}",
            self.stack.port("prod")?
        ));
        let ran = Started::new(curl, "")?.finish(Duration::from_secs(60))?;
        Response::parse(&ran.ok()?.out)
    }

    /// Whether kubectl is too old to pass `dryRun` on to a subresource.
    pub(super) fn is_old_kubectl(&self) -> Result<bool> {
        let version = self.admin.json(&["version", "--client"])?;
        let minor = version["clientVersion"]["minor"]
            .as_str()
            .unwrap_or_default();
        let digits = minor.trim_end_matches(|c: char| !c.is_ascii_digit());
        Ok(digits.parse().unwrap_or(0) < 24)
    }
}
