//! What the API server takes a request for: `RequestInfoFactory` of k8s.io/apiserver
//! (pkg/endpoints/request/requestinfo.go), step by step. Forms in which it and its router could differ,
//! or a proxy before it, are refused.

use crate::{
    Verb,
    http::{Parameters, Path, Refused},
};

/// Methods it gives a verb.
pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// A request as the server's authorizer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// In the server's words: `get`, `deletecollection`; of a path that is no resource, the method in
    /// lower case.
    pub verb: String,
    /// The decoded path, without a last slash.
    pub path: String,
    /// `None` if the path is no resource.
    pub resource: Option<Resource>,
}

/// The objects of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    /// `v1`
    pub version: String,
    /// The namespace. A Namespace object is in the namespace it is.
    pub namespace: Option<String>,
    /// `pods`
    pub name: String,
    /// `status`; empty if there is none.
    pub subresource: String,
    /// The name of the object: of the path, or the one a list or watch is limited to.
    pub object: Option<String>,
    /// Of a proxy: the path behind it.
    pub behind: Option<String>,
}

impl RequestInfo {
    /// Reads a request of one of the [`METHODS`].
    pub fn read(method: &str, path: &Path, query: &Parameters) -> Result<Self, Refused> {
        let mut parts: Vec<&str> = path.segments().iter().map(String::as_str).collect();
        let ends_with_slash = parts.last().is_some_and(|it| it.is_empty());
        if ends_with_slash {
            parts.pop();
        }
        let mut info = Self {
            verb: method.to_ascii_lowercase(),
            path: format!("/{}", parts.join("/")),
            resource: None,
        };
        let Some((prefix, rest)) = parts.split_first() else {
            return Ok(info);
        };
        let (group, rest) = match (*prefix, rest) {
            ("api", [_, _, ..]) => ("", rest),
            ("apis", [group, rest @ ..]) if rest.len() >= 2 => (*group, rest),
            (other, _) => {
                let folded = other.to_ascii_lowercase();
                let is_odd = other != folded && matches!(folded.as_str(), "api" | "apis");
                return match is_odd {
                    true => Err(odd("a prefix")),
                    false => Ok(info),
                };
            }
        };
        let [version, rest @ ..] = rest else {
            return Ok(info);
        };
        let mut resource = Resource {
            group: lower(group, "a group")?,
            version: lower(version, "a version")?,
            ..Resource::default()
        };
        let mut rest = rest;
        if let [special @ ("watch" | "proxy"), after @ ..] = rest {
            if after.is_empty() {
                let reason = format!("the path says `{special}` and not of what");
                return Err(Refused::bad(reason));
            }
            (*special).clone_into(&mut info.verb);
            rest = after;
        } else {
            info.verb = verb_of(method).to_owned();
        }
        if let ["namespaces", namespace, after @ ..] = rest {
            resource.namespace = Some(lower(namespace, "a namespace")?);
            if let [first, ..] = after
                && !matches!(*first, "status" | "finalize")
            {
                rest = after;
            }
        }
        let most = match rest {
            // The rest is for who is behind the server.
            _ if info.verb == "proxy" => usize::MAX,
            [_, _, "proxy", ..] => usize::MAX,
            _ => 3,
        };
        if rest.len() > most {
            return Err(Refused::bad("the path goes on behind a subresource"));
        }
        if let [name, ..] = rest {
            resource.name = lower(name, "a resource")?;
        }
        if let [_, object, ..] = rest {
            resource.object = Some((*object).to_owned());
        }
        if let [_, _, subresource, behind @ ..] = rest
            && info.verb != "proxy"
        {
            resource.subresource = lower(subresource, "a subresource")?;
            if resource.subresource == "proxy" {
                let slash = if ends_with_slash && !behind.is_empty() {
                    "/"
                } else {
                    ""
                };
                resource.behind = Some(format!("/{}{slash}", behind.join("/")));
            }
        }
        if ends_with_slash && resource.behind.is_none() {
            return Err(Refused::bad("the path of a resource ends with `/`"));
        }
        info.limit(&mut resource, query)?;
        info.resource = Some(resource);
        if info.verb == "watch" && !matches!(method, "GET" | "HEAD") {
            return Err(Refused::bad("a watch is a GET"));
        }
        Ok(info)
    }

    /// What a request without a name is, and the one object it may be limited to.
    fn limit(&mut self, resource: &mut Resource, query: &Parameters) -> Result<(), Refused> {
        if resource.object.is_some() {
            return Ok(());
        }
        if self.verb == "delete" {
            "deletecollection".clone_into(&mut self.verb);
        }
        if self.verb != "get" {
            return Ok(());
        }
        let watch = query
            .one("watch")?
            .is_some_and(|value| !(value == "0" || value.eq_ignore_ascii_case("false")));
        self.verb = if watch { "watch" } else { "list" }.to_owned();
        if let Some(selector) = query.one("fieldSelector")? {
            resource.object = named_by(selector)?;
        }
        Ok(())
    }

    /// The verb policy knows: what a subresource is comes before how it is asked for.
    pub fn meaning(&self) -> Verb {
        let subresource = self.resource.as_ref().map(|it| it.subresource.as_str());
        match (subresource, self.verb.as_str()) {
            (Some("exec"), _) => Verb::K8sExec,
            (Some("attach"), _) => Verb::K8sAttach,
            (Some("portforward"), _) => Verb::K8sPortForward,
            (Some("proxy"), _) | (_, "proxy") => Verb::K8sProxy,
            (Some("log"), _) => Verb::K8sLog,
            (_, "get" | "head") => Verb::K8sGet,
            (_, "list") => Verb::K8sList,
            (_, "watch") => Verb::K8sWatch,
            (_, "update" | "put") => Verb::K8sUpdate,
            (_, "patch") => Verb::K8sPatch,
            (_, "delete") => Verb::K8sDelete,
            (_, "deletecollection") => Verb::K8sDeleteCollection,
            (_, _) => Verb::K8sCreate,
        }
    }
}

fn verb_of(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "get",
    }
}

/// The name a field selector asks for exactly, as `fields.Selector.RequiresExactMatch` finds it.
fn named_by(selector: &str) -> Result<Option<String>, Refused> {
    if selector.contains('\\') {
        return Err(Refused::bad("the field selector holds a backslash"));
    }
    let terms = selector.split(',').filter(|term| !term.is_empty());
    let mut named = None;
    for term in terms {
        let Some((field, value)) = term.split_once('=') else {
            return Ok(None);
        };
        let value = value.strip_prefix('=').unwrap_or(value);
        if field == "metadata.name" && named.is_none() {
            named = Some(value);
        }
    }
    let is_segment = |name: &&str| {
        !name.is_empty() && !matches!(*name, "." | "..") && !name.contains(['/', '%'])
    };
    Ok(named.filter(is_segment).map(str::to_owned))
}

/// A part of the path that Kubernetes writes in lower case only.
fn lower(part: &str, what: &str) -> Result<String, Refused> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    match part.chars().all(allowed) {
        true => Ok(part.to_owned()),
        false => Err(odd(what)),
    }
}

fn odd(what: &str) -> Refused {
    Refused::bad(format!(
        "the path holds {what} in other letters than Kubernetes writes it"
    ))
}
