//! What is behind the API server: services that a proxy leads to, and ports that are forwarded. Neither is
//! read as this API is, so policy has to permit what is not read as well.

use super::{ObjectFacts, RequestInfo, Resource, Verb};
use crate::http::Refused;

/// Why what a verb leads to is not read.
pub(super) fn unread(verb: Verb) -> Option<&'static str> {
    match verb {
        Verb::K8sProxy => Some("what is behind a proxy is not read as Kubernetes"),
        Verb::K8sPortForward => Some("what goes to and from a port is not read"),
        _ => None,
    }
}

/// Whether it is of Kubernetes' own kinds, in the form servers since 1.10 know.
pub(super) fn is_known(info: &RequestInfo) -> bool {
    info.resource.as_ref().is_some_and(|it| {
        it.group.is_empty()
            && it.object.is_some()
            && match it.subresource.as_str() {
                "portforward" => it.name == "pods",
                "proxy" => matches!(it.name.as_str(), "pods" | "services" | "nodes"),
                _ => false,
            }
    })
}

/// Who is asked, and for what: `SplitSchemeNamePort` of k8s.io/apimachinery (pkg/util/net/port_split.go).
pub(super) fn read(resource: &Resource, facts: &mut ObjectFacts) -> Result<(), Refused> {
    facts.path.clone_from(&resource.behind);
    let Some(object) = &resource.object else {
        return Ok(());
    };
    let (scheme, name, port) = match object.split(':').collect::<Vec<_>>()[..] {
        [name] => ("", name, ""),
        [name, port] => ("", name, port),
        [scheme, name, port] => (scheme, name, port),
        _ => ("?", "", ""),
    };
    if name.is_empty() || !matches!(scheme, "" | "http" | "https") {
        let reason = "the path names whom to speak to in no form of Kubernetes";
        return Err(Refused::bad(reason));
    }
    facts.name = Some(name.to_owned());
    facts.port = (!port.is_empty()).then(|| port.to_owned());
    Ok(())
}
