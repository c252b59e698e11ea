//! Requests to a Kubernetes API server to operations.
//!
//! In: a request's head and its whole body. Out: an [`Operation`] on the objects that the server itself
//! takes the request for, with the facts of its body; or a [`Refused`] for a request that has no one
//! reading. Deliberately absent: which kinds a cluster has, and the streams behind exec and the like.

mod behind;
mod body;
mod facts;
mod info;
mod stream;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use facts::ObjectFacts;
pub use info::{RequestInfo, Resource};
pub use stream::{Carrier, Purpose, Streams};

use crate::{
    Access, Facts, Object, Operation, Verb,
    http::{Content, Parameters, Path, Refused, RequestFacts, headers},
};

/// Who the client would rather be: the gateway's to say.
const IMPERSONATE: &str = "impersonate-";

/// The head of a request, in its one canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    info: RequestInfo,
    verb: Verb,
    path: Path,
    query: Parameters,
    content: Content,
    method: String,
    /// The command of exec, as a shell would take it.
    command: Option<String>,
    /// Whether it asks for another protocol on the connection.
    upgrades: bool,
    /// What exec, attach and port-forward ask for, or why that cannot be followed.
    streams: Option<Result<Streams, &'static str>>,
}

impl Head {
    /// Reads a head. Names of `headers` are lower case and without pseudo-headers.
    pub fn read(method: &str, target: &str, headers: &[(String, String)]) -> Result<Self, Refused> {
        if !info::METHODS.contains(&method) {
            return Err(Refused {
                status: 405,
                reason: "the API server does not know this method".to_owned(),
            });
        }
        if headers
            .iter()
            .any(|(name, _)| name.starts_with(IMPERSONATE))
        {
            let reason = "the gateway does not impersonate others for a client (`Impersonate-…`)";
            return Err(Refused {
                status: 403,
                reason: reason.to_owned(),
            });
        }
        // An upgrade is judged as what it would do, and then refused by whoever holds the connection.
        let is_upgrade = |name: &str| name == "upgrade";
        let others = headers.iter().filter(|(name, _)| !is_upgrade(name));
        headers::check(&others.cloned().collect::<Vec<_>>())?;
        let (path, raw) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (Path::parse(path)?, Parameters::parse(raw, "query")?);
        let info = RequestInfo::read(method, &path, &query)?;
        let verb = info.meaning();
        let streams = Purpose::of(verb).map(|it| Streams::read(it, method, headers, &query));
        let command = match verb {
            Verb::K8sExec => stream::command(raw)?,
            _ => None,
        };
        Ok(Self {
            verb,
            command,
            streams,
            info,
            path,
            query,
            content: Content::of(headers)?,
            method: method.to_owned(),
            upgrades: headers.iter().any(|(name, _)| is_upgrade(name)),
        })
    }

    /// What the API server takes it for.
    pub fn info(&self) -> &RequestInfo {
        &self.info
    }

    /// Why the gateway cannot pass it, whatever policy says: what would follow is not read.
    pub fn unsupported(&self) -> Option<&'static str> {
        match self.verb {
            Verb::K8sExec | Verb::K8sAttach => self.streams.clone().and_then(Result::err),
            Verb::K8sPortForward | Verb::K8sProxy if !behind::is_known(&self.info) => Some(
                "the gateway knows port-forward of pods, and proxy of pods, services and nodes",
            ),
            Verb::K8sPortForward => self.streams.clone().and_then(Result::err),
            _ if self.upgrades => Some("the gateway does not change protocols"),
            _ => None,
        }
    }

    /// Whether the answer is a document that describes types, which clients want in a form of its own.
    pub fn wants_types(&self) -> bool {
        self.info.resource.is_none()
            && self
                .path
                .segments()
                .first()
                .is_some_and(|it| it == "openapi")
    }

    /// Whether the answer holds objects, rather than text or what describes the server.
    pub fn is_of_objects(&self) -> bool {
        self.info.resource.is_some() && self.verb != Verb::K8sLog
    }

    /// Whether it goes to who is behind the API server, in whatever form that speaks.
    pub fn is_proxied(&self) -> bool {
        self.verb == Verb::K8sProxy
    }

    /// What the request does.
    pub fn operation(&self, body: &[u8]) -> Result<Operation, Refused> {
        let mut request = RequestFacts {
            path: self.path.text().to_owned(),
            query: self.query.all().clone(),
            content_type: self.content.media_type().to_owned(),
            has_body: !body.is_empty(),
            ..RequestFacts::default()
        };
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        if reads && !body.is_empty() {
            return Err(Refused::bad("a request to read has no body"));
        }
        let unread = body::read(&self.content, body, &mut request)?;
        let unreadable = behind::unread(self.verb).map(str::to_owned).or(unread);
        let mut facts = ObjectFacts::of(&request);
        let object = match &self.info.resource {
            None => Object::Url {
                path: self.info.path.clone(),
            },
            Some(it) => {
                facts.version.clone_from(&it.version);
                facts.name.clone_from(&it.object);
                if self.verb == Verb::K8sProxy {
                    behind::read(it, &mut facts)?;
                }
                facts.command.clone_from(&self.command);
                if matches!(self.verb, Verb::K8sExec | Verb::K8sAttach) {
                    facts.container = self.query.one("container")?.map(str::to_owned);
                }
                facts.dry_run = facts::dry_run(self.verb, it, &self.query, &request)?;
                Object::Kind {
                    namespace: it.namespace.clone(),
                    group: it.group.clone(),
                    resource: it.name.clone(),
                    subresource: it.subresource.clone(),
                    name: it.object.clone(),
                }
            }
        };
        Ok(Operation {
            verb: self.verb,
            accesses: BTreeSet::from([Access {
                verb: self.verb,
                object,
            }]),
            facts: Facts {
                has_where: true,
                unreadable,
                request: Some(Box::new(request)),
                objects: Some(Box::new(facts)),
                ..Facts::default()
            },
        })
    }
}

/// Kinds that are in no namespace, by group and name: what is asked of all of them is asked of no
/// namespace. Others may be in any.
const OF_CLUSTER: [(&str, &str); 28] = [
    ("", "componentstatuses"),
    ("", "namespaces"),
    ("", "nodes"),
    ("", "persistentvolumes"),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    (
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
    ),
    ("metrics.k8s.io", "nodes"),
    ("networking.k8s.io", "ingressclasses"),
    ("node.k8s.io", "runtimeclasses"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
];

/// Whether a kind is known to be in no namespace.
pub fn is_of_cluster(group: &str, resource: &str) -> bool {
    OF_CLUSTER.contains(&(group, resource))
}
