//! The entities a policy names. Cedar checks their types; an id that nothing can have would make a
//! rule that never applies, so ids are checked here.

use std::collections::BTreeMap;

use cedar_policy::{EntityUid, Policy};

use crate::{labels::Labels, names::meant, resources::ResourceRules};

type Resources = BTreeMap<String, ResourceRules>;

/// Entities in the policy that cannot exist: the text that names each, and what is wrong with it.
pub(crate) fn wrong(
    policy: &Policy,
    labels: &Labels,
    resources: &Resources,
) -> Vec<(String, String)> {
    policy
        .entity_literals()
        .iter()
        .filter_map(|literal| Some((literal.to_string(), problem(literal, labels, resources)?)))
        .collect()
}

/// Whether every `%` begins an escape that ids use.
fn is_escaped(id: &str) -> bool {
    let mut escapes = id.split('%').skip(1);
    escapes.all(|rest| {
        ["25", "2F", "2E", "3F"]
            .iter()
            .any(|code| rest.starts_with(code))
    })
}

fn problem(literal: &EntityUid, labels: &Labels, resources: &Resources) -> Option<String> {
    let id: &str = literal.id().unescaped();
    let kind = literal.type_name().to_string();
    let slashes = id.bytes().filter(|byte| *byte == b'/').count();
    let empty = id.split('/').any(str::is_empty);
    let last = id.rsplit('/').next().unwrap_or_default();
    let (fits, form) = match kind.as_str() {
        "Agent" => (id.contains('|'), "<issuer>|<subject>"),
        "Group" => (!id.is_empty(), "group"),
        "Resource" => (slashes == 0 && !empty, "resource"),
        "Database" => (slashes == 1 && !empty, "resource/database"),
        "Schema" => (slashes == 2 && !empty, "resource/database/schema"),
        "Table" => (
            slashes == 2 && !empty && last.contains('.'),
            "resource/database/schema.table",
        ),
        "Function" => (
            slashes == 2 && !empty && last.contains('.'),
            "resource/database/schema.function",
        ),
        "Setting" => (slashes == 2 && !empty, "resource/database/setting"),
        "DbRole" => (slashes == 2 && !empty, "resource/database/role"),
        "Other" => (
            slashes == 2 && !empty && last.contains(':'),
            "resource/database/kind:name",
        ),
        "Label" if labels.strategies.contains_key(id) => return None,
        "Label" => {
            let meant = meant(id, labels.strategies.keys().map(String::as_str));
            return Some(format!("label `{id}` is not defined in labels.yaml{meant}"));
        }
        "Api" => (slashes == 0 && !empty, "resource"),
        "Route" => return route_problem(id, resources),
        "Field" => return field_problem(id, resources),
        "Service" => return service_problem(&kind, id, id, resources),
        "Method" => {
            let service = id.rsplit_once('/').map_or(id, |(service, _)| service);
            return service_problem(&kind, id, service, resources);
        }
        "Cluster" => (slashes == 0 && !empty, "resource"),
        "Namespace" => (slashes == 1 && !empty && last != "*", "resource/namespace"),
        "Kind" => (
            matches!(slashes, 2 | 3) && !empty,
            "resource/namespace/kind.group/subresource",
        ),
        "Url" => (slashes > 0, "resource/path"),
        // Actions and unknown types are Cedar's to judge.
        _ => return None,
    };
    if !fits {
        return Some(format!(
            "`{literal}` can never match: an id of this type is \"{form}\""
        ));
    }
    (slashes > 0 && !is_escaped(id)).then(|| {
        format!("`{literal}` can never match: in an id `%` is written %25, `/` %2F, and `.` in a schema %2E")
    })
}

/// A route has to be one of its resource: a template that nobody named never matches.
fn route_problem(id: &str, resources: &Resources) -> Option<String> {
    let templates: Vec<String> = resources
        .iter()
        .flat_map(|(name, rules)| {
            let routes = rules.routes.iter();
            routes.map(move |route| format!("{name}{}", route.template()))
        })
        .collect();
    if templates.iter().any(|template| template == id) {
        return None;
    }
    let meant = meant(id, templates.iter().map(String::as_str).take(20));
    Some(format!(
        "`Route::\"{id}\"` is no route of resources.yaml{meant}"
    ))
}

/// A field is one of a GraphQL route; which fields there are only the API knows.
fn field_problem(id: &str, resources: &Resources) -> Option<String> {
    let is_name = |name: &str| {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        plain && !name.is_empty()
    };
    let is_route = |id: &str| {
        resources.iter().any(|(name, rules)| {
            let mut routes = rules.routes.iter().filter(|route| route.is_graphql());
            id.strip_prefix(name.as_str())
                .is_some_and(|template| routes.any(|route| route.template() == template))
        })
    };
    let fits = id
        .rsplit_once('.')
        .is_some_and(|(route, name)| is_name(name) && is_route(route));
    (!fits).then(|| {
        format!("`Field::\"{id}\"` is no field of a `graphql` route of resources.yaml: an id is \"resource/route.field\"")
    })
}

/// A service has to be one of its resource.
fn service_problem(kind: &str, id: &str, service: &str, resources: &Resources) -> Option<String> {
    let services: Vec<String> = resources
        .iter()
        .flat_map(|(name, rules)| {
            let services = rules.routes.services();
            services.map(move |service| format!("{name}/{service}"))
        })
        .collect();
    if services.iter().any(|known| known == service) {
        return None;
    }
    let meant = meant(service, services.iter().map(String::as_str).take(20));
    Some(format!(
        "`{kind}::\"{id}\"` is of no `grpc` service of resources.yaml{meant}"
    ))
}
