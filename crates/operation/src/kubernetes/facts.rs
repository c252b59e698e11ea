//! Facts of a body that policies ask about, wherever in it they stand: a pod's template is at one
//! place in a Deployment, at another in a CronJob, and anywhere in what an operator of the cluster
//! defined. More may be found than the server would heed, never less.

use std::collections::{BTreeMap, BTreeSet};

use super::Resource;
use crate::{
    Verb,
    http::{Parameters, Refused, RequestFacts},
};

/// What a request says of objects, beside their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectFacts {
    /// The API version: `v1`.
    pub version: String,
    /// The name of the one object it is about, where the request says.
    pub name: Option<String>,
    /// The command of exec, as a shell would take it.
    pub command: Option<String>,
    /// The container of exec and attach, where the request says.
    pub container: Option<String>,
    /// The port that a proxy or a forwarded connection leads to, by number or name, where it is said.
    pub port: Option<String>,
    /// What a proxy is asked for behind the API server: `/metrics`.
    pub path: Option<String>,
    /// The server is told to change nothing.
    pub dry_run: bool,
    /// `kind` of the body, and of items in it.
    pub kinds: BTreeSet<String>,
    /// Images that are to run.
    pub images: BTreeSet<String>,
    /// Accounts that something is to run as.
    pub service_accounts: BTreeSet<String>,
    /// A container would be privileged.
    pub privileged: bool,
    /// A directory of the node would be in a container.
    pub host_path: bool,
    /// A pod would share the node's network, processes or IPC.
    pub host_namespaces: bool,
    /// A role would hold `*`.
    pub wildcard_rules: bool,
}

impl ObjectFacts {
    /// Of the fields of a body.
    pub(super) fn of(request: &RequestFacts) -> Self {
        let mut facts = Self::default();
        for (path, values) in &request.body {
            facts.add(&steps(path), values);
        }
        facts
    }

    fn add(&mut self, steps: &[&str], values: &BTreeSet<String>) {
        let [.., last] = steps else { return };
        let is = |name: &str| last.eq_ignore_ascii_case(name);
        let within = |name: &str| steps.iter().any(|it| it.eq_ignore_ascii_case(name));
        let all = || values.iter().filter(|it| *it != "null").cloned();
        let is_true = values.contains("true");
        if is("image") || (is("reference") && within("image")) {
            self.images.extend(all());
        }
        if is("serviceAccountName") || is("serviceAccount") {
            self.service_accounts.extend(all());
        }
        if is("kind") && matches!(steps, [_] | ["items", _]) {
            self.kinds.extend(all());
        }
        self.privileged |= is_true && is("privileged");
        self.host_path |= within("hostPath") && all().next().is_some();
        self.host_namespaces |= is_true && (is("hostNetwork") || is("hostPID") || is("hostIPC"));
        let of_rule = is("verbs") || is("resources") || is("apiGroups") || is("nonResourceURLs");
        self.wildcard_rules |=
            of_rule && within("rules") && values.iter().any(|it| it.contains('*'));
    }
}

/// The names of a path as bodies have them, without `[]` and quotes.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    let mut end = |from: usize, to: usize| {
        let step = path.get(from..to).unwrap_or_default();
        let step = step.trim_end_matches("[]").trim_matches('"');
        if !step.is_empty() {
            steps.push(step);
        }
    };
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b'.' if !quoted => {
                end(from, at);
                from = at.saturating_add(1);
            }
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    end(from, path.len());
    steps
}

/// Whether the server is told to change nothing, in the one place where it looks: the body of a
/// deletion if there is one, else the query. Some subresources do not heed it.
pub(super) fn dry_run(
    verb: Verb,
    resource: &Resource,
    query: &Parameters,
    request: &RequestFacts,
) -> Result<bool, Refused> {
    let of = |from: &BTreeMap<String, BTreeSet<String>>, key: &str| {
        let values = from.get(key).into_iter().flatten();
        let mut values = values.peekable();
        let any = values.peek().is_some();
        match values.all(|value| value == "All") {
            true => Ok(any),
            false => Err(Refused::bad("`dryRun` is `All` or absent")),
        }
    };
    let (in_query, in_body) = (of(query.all(), "dryRun")?, of(&request.body, "dryRun[]")?);
    let asked = match verb {
        Verb::K8sCreate | Verb::K8sUpdate | Verb::K8sPatch => in_query,
        Verb::K8sDelete | Verb::K8sDeleteCollection => match request.has_body {
            true => in_body,
            false => in_query,
        },
        _ => false,
    };
    Ok(asked && matches!(resource.subresource.as_str(), "" | "status" | "scale"))
}
