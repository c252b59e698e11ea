//! What is particular to a Kubernetes API server: what is secret in its answers, in which form it is asked
//! for them, and what must not come back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ostiary_mask::{FieldPath, Strategy};
use ostiary_operation::{Object, Operation, http::Refused};
use ostiary_policy::Masks;

/// Where objects stand in an answer that is not one: in a list, in an event of a watch, in a row of a
/// table, and in a row of a table in an event.
const PLACES: [&str; 4] = [
    "$.items[*]",
    "$.object",
    "$.rows[*].object",
    "$.object.rows[*].object",
];
/// The whole object as it was last applied, as text.
const LAST_APPLIED: &str =
    "$.metadata.annotations.\"kubectl.kubernetes.io/last-applied-configuration\"";
/// What clients take for an object in its place.
const NOTHING_APPLIED: Strategy = Strategy::Fixed("{}");

/// What is masked in answers about the objects of an operation, and in what is kept of it.
pub(super) fn fields(masks: &Masks, operation: &Operation) -> Vec<(FieldPath, Strategy)> {
    let object = operation.accesses.iter().map(|it| &it.object).next();
    let kind = object.and_then(kind_of);
    let secrets = match (object, &kind, &masks.secrets) {
        (Some(Object::Kind { subresource, .. }), Some(kind), Some(strategy)) => {
            secret(kind, subresource, strategy)
        }
        _ => Vec::new(),
    };
    let labelled = masks.fields.iter();
    let labelled = labelled
        .filter(|(field, _)| field.is_of(kind.as_deref()))
        .map(|(field, strategy)| (field.path.clone(), strategy.clone()));
    let mut fields: Vec<_> = secrets.into_iter().chain(labelled).collect();
    if !fields.is_empty() {
        // It would show all of them once more.
        fields.extend(path(LAST_APPLIED).map(|path| (path, NOTHING_APPLIED)));
    }
    let places = PLACES.into_iter().filter_map(path);
    let inside: Vec<_> = places
        .flat_map(|place| {
            let at_place =
                |(path, strategy): &(FieldPath, Strategy)| (path.below(&place), strategy.clone());
            fields.iter().map(at_place).collect::<Vec<_>>()
        })
        .collect();
    fields.extend(inside);
    fields
}

/// `secrets`, `deployments.apps`.
fn kind_of(object: &Object) -> Option<String> {
    match object {
        Object::Kind {
            group, resource, ..
        } if group.is_empty() => Some(resource.clone()),
        Object::Kind {
            group, resource, ..
        } => Some(format!("{resource}.{group}")),
        _ => None,
    }
}

/// What the API keeps secret in a kind of objects.
fn secret(kind: &str, subresource: &str, strategy: &Strategy) -> Vec<(FieldPath, Strategy)> {
    let inside = || Strategy::Base64(Box::new(strategy.clone()));
    let paths = match (kind, subresource) {
        ("secrets", _) => vec![("$.data.*", inside()), ("$.stringData.*", strategy.clone())],
        ("serviceaccounts", "token") => vec![("$.status.token", strategy.clone())],
        ("tokenreviews.authentication.k8s.io", _) => vec![("$.spec.token", strategy.clone())],
        _ => Vec::new(),
    };
    let paths = paths.into_iter();
    paths
        .filter_map(|(text, strategy)| Some((path(text)?, strategy)))
        .collect()
}

fn path(text: &str) -> Option<FieldPath> {
    text.parse().ok()
}

/// Whether a request's body can be kept with what is secret in it masked; a patch that names its fields
/// beside their values gets them all masked.
pub(super) fn can_show(operation: &Operation, fields: &mut Vec<(FieldPath, Strategy)>) -> bool {
    if fields.is_empty() {
        return true;
    }
    let facts = operation.facts.request.as_deref();
    if facts.is_some_and(|it| it.content_type == "application/json-patch+json") {
        fields.extend(path("$[*].value").map(|path| (path, Strategy::Redact)));
    }
    operation.facts.unreadable.is_none()
}

/// Secrets that hold what the gateway showed in their place would be lost if they were written so.
pub(super) fn check_not_masked(operation: &Operation) -> Result<(), Refused> {
    let is_secret = operation.accesses.iter().any(|it| {
        let of_secrets = matches!(&it.object, Object::Kind { group, resource, .. }
            if group.is_empty() && resource == "secrets");
        of_secrets && !it.verb.is_read()
    });
    let Some(facts) = operation.facts.request.as_deref().filter(|_| is_secret) else {
        return Ok(());
    };
    let is_masked = |value: &[u8]| value.starts_with(b"[redacted") || value.starts_with(b"****");
    for (path, values) in &facts.body {
        let masked = values.iter().any(|value| {
            is_masked(value.as_bytes())
                || STANDARD
                    .decode(value)
                    .is_ok_and(|inside| is_masked(&inside))
        });
        if masked && (path.starts_with("data.") || path.starts_with("stringData.")) {
            return Err(Refused::bad(
                "the Secret holds a value that the gateway had masked: writing it would lose the real one",
            ));
        }
    }
    Ok(())
}

/// Whether fields of the objects are labelled: columns of a table would show them under other names.
pub(super) fn has_labelled(masks: &Masks, operation: &Operation) -> bool {
    let kind = operation.accesses.iter().find_map(|it| kind_of(&it.object));
    masks
        .fields
        .iter()
        .any(|(field, _)| field.is_of(kind.as_deref()))
}

/// What the server is asked for: of the forms the client takes, those that can be read. Where there are
/// no objects, text is one.
pub(super) fn accept(headers: &[(String, String)], of_objects: bool, tables: bool) -> String {
    let all = headers.iter().filter(|(name, _)| name == "accept");
    let forms = all.flat_map(|(_, value)| value.split(','));
    let read: Vec<&str> = forms
        .map(str::trim)
        .filter(|form| {
            let media_type = form.split(';').next().unwrap_or_default().trim();
            if !tables && form.to_ascii_lowercase().contains("table") {
                return false;
            }
            match media_type.to_ascii_lowercase().as_str() {
                "application/json" => true,
                "text/plain" | "text/*" | "*/*" => !of_objects,
                _ => false,
            }
        })
        .collect();
    match read.is_empty() {
        true => "application/json".to_owned(),
        false => read.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_can_be_read() {
        let accept = |value: &str, of_objects| {
            accept(&[("accept".to_owned(), value.to_owned())], of_objects, true)
        };
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(
            accept(table, true),
            "application/json;as=Table;v=v1;g=meta.k8s.io, application/json"
        );
        let plain = super::accept(&[("accept".to_owned(), table.to_owned())], true, false);
        assert_eq!(plain, "application/json");
        for value in [
            "",
            "*/*",
            "application/vnd.kubernetes.protobuf",
            "application/cbor, application/yaml",
            "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, application/json",
        ] {
            assert_eq!(accept(value, true), "application/json", "{value}");
        }
        assert_eq!(
            accept("application/json, */*", false),
            "application/json, */*"
        );
    }
}
