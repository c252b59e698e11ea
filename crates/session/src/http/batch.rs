//! Requests of one run of a client (`kubectl delete -f`) that may share one approval.
//!
//! What the client says of its run only ever tells requests apart. That they are alike is read from
//! the requests themselves: all that goes to the target but for which object it is about. So whoever
//! approves has seen everything that the others do.

use ostiary_operation::{Object, Operation};

use super::{Agent, Api, Exchange, Identity, digest};
use crate::Run;

/// kubectl sends both with each request of a run.
const KUBECTL: (&str, &str) = ("kubectl-session", "kubectl-command");
/// What other clients may say in their place.
const ANY: (&str, &str) = ("ostiary-run", "ostiary-task");
/// Bytes of what a client says of itself.
const MAX_WORDS: usize = 128;

/// The run of a request that these rules ask about; `None` if an approval is for it alone.
pub(super) fn run(agent: &Agent, exchange: &Exchange, rules: &[String]) -> Option<Run> {
    let (id, command) = match agent.api {
        Api::Http => ANY,
        Api::Kubernetes => KUBECTL,
    };
    let words = |name: &str| {
        let mut values = exchange.request.headers.iter().filter(|(it, _)| it == name);
        let value = values.next().map(|(_, value)| value.trim())?;
        let is_plain = !value.is_empty() && value.bytes().all(|b| (b' '..=b'~').contains(&b));
        let fits = is_plain && value.len() <= MAX_WORDS && values.next().is_none();
        fits.then(|| value.to_owned())
    };
    let id = words(id)?;
    let operation = exchange.judged.as_ref()?;
    let (namespace, kind) = place(operation)?;
    let Identity::Known(who) = agent.identity() else {
        return None;
    };
    let request = &exchange.request;
    let query = request.target.split_once('?').map_or("", |(_, it)| it);
    let verbs: Vec<&str> = operation
        .accesses
        .iter()
        .map(|it| it.verb.as_str())
        .collect();
    let what = [
        "batch",
        &agent.config.resource,
        &request.method,
        query,
        operation.verb.as_str(),
        &verbs.join(" "),
    ];
    let body = exchange.body.as_deref().unwrap_or_default();
    Some(Run {
        id,
        command: words(command).unwrap_or_default(),
        rules: rules.to_vec(),
        namespace,
        kind,
        bundle: agent.state.bundle.hash().to_owned(),
        likeness: digest::over(&who.principal, &what, request, body),
    })
}

/// Namespace and kind of the one object a request is about.
fn place(operation: &Operation) -> Option<(String, String)> {
    let mut objects = operation.accesses.iter().map(|it| &it.object);
    let object = objects.next()?;
    if objects.any(|it| it != object) {
        return None;
    }
    match object {
        Object::Kind {
            namespace,
            group,
            resource,
            subresource,
            name: Some(_),
        } => {
            let mut kind = resource.clone();
            for (mark, part) in [('.', group), ('/', subresource)] {
                if !part.is_empty() {
                    kind.push(mark);
                    kind.push_str(part);
                }
            }
            Some((namespace.clone().unwrap_or_default(), kind))
        }
        Object::Route { template } => Some((String::new(), template.clone())),
        _ => None,
    }
}
