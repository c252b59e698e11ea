//! Objects of a cluster, as Cedar wants them.

use cedar_policy::{Entity, RestrictedExpression};
use ostiary_operation::{
    Object, Target,
    kubernetes::{ObjectFacts, is_of_cluster},
};

use super::{Untold, Vocabulary, entity, escape, text, texts, uid};
use crate::mentions::Mentions;

/// Stands in an id for no namespace, and for every one.
const NO_NAMESPACE: &str = "*";

impl Vocabulary {
    /// The entities of an object. One that may be in any namespace gives one for each that the bundle
    /// could treat differently, and one that is in none.
    pub(super) fn objects(
        &self,
        target: &Target,
        object: &Object,
        mentions: &Mentions,
    ) -> Result<Vec<Entity>, Untold> {
        let resource = escape(&target.resource);
        let above = [
            uid(&self.cluster, &resource),
            uid(&self.resource, &resource),
        ];
        let (namespace, group, name, subresource) = match object {
            Object::Kind {
                namespace,
                group,
                resource,
                subresource,
                ..
            } => (namespace.as_deref(), group, resource, subresource),
            Object::Url { path } => {
                let id = format!("{resource}{path}");
                let path = [("path", text(path))];
                return Ok(vec![entity(uid(&self.url, &id), path, above)?]);
            }
            _ => return Ok(Vec::new()),
        };
        let mut kind = escape(name);
        for (mark, part) in [(".", group), ("/", subresource)] {
            if !part.is_empty() {
                kind.push_str(mark);
                kind.push_str(&escape(part));
            }
        }
        let one = |namespace: Option<&str>| {
            let place = namespace.map_or_else(|| NO_NAMESPACE.to_owned(), escape);
            let within = namespace.map(|_| uid(&self.namespace, &format!("{resource}/{place}")));
            let attributes = [
                ("name", text(name)),
                ("group", text(group)),
                ("subresource", text(subresource)),
                ("namespace", text(namespace.unwrap_or_default())),
            ];
            let id = format!("{resource}/{place}/{kind}");
            let above = within.into_iter().chain(above.clone());
            entity(uid(&self.kind, &id), attributes, above)
        };
        if namespace.is_some() || is_of_cluster(group, name) {
            return Ok(vec![one(namespace)?]);
        }
        let named = mentions.namespaces(target);
        named.into_iter().map(Some).chain([None]).map(one).collect()
    }
}

/// The facts a request has of objects.
pub(super) fn facts(objects: &ObjectFacts) -> Result<RestrictedExpression, Untold> {
    let flag = RestrictedExpression::new_bool;
    let pairs = [
        ("version", text(&objects.version)),
        ("dry_run", flag(objects.dry_run)),
        ("kinds", texts(objects.kinds.iter().cloned())),
        ("images", texts(objects.images.iter().cloned())),
        (
            "service_accounts",
            texts(objects.service_accounts.iter().cloned()),
        ),
        ("privileged", flag(objects.privileged)),
        ("host_path", flag(objects.host_path)),
        ("host_namespaces", flag(objects.host_namespaces)),
        ("wildcard_rules", flag(objects.wildcard_rules)),
    ];
    let said = [
        ("name", &objects.name),
        ("command", &objects.command),
        ("container", &objects.container),
        ("port", &objects.port),
        ("path", &objects.path),
    ];
    let said = said
        .into_iter()
        .filter_map(|(key, value)| Some((key, text(value.as_deref()?))));
    let pairs = pairs.into_iter().chain(said);
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    Ok(RestrictedExpression::new_record(pairs)?)
}
