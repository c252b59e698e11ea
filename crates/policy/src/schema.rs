//! The built-in Cedar schema: entity types and facts from a file, actions from the verbs.

use std::fmt::Write as _;

use cedar_policy::Schema;
use ostiary_operation::{Group, Protocol, Verb};

const ENTITIES: &str = include_str!("ostiary.cedarschema");

/// The action that lifts a mask.
pub(crate) const REVEAL: &str = "reveal";

/// Every verb may meet every kind of object: what an operation touches is decided elsewhere, and a
/// pair this list left out would be a request no policy could speak of.
const OBJECTS: &str = "Database, Schema, Table, Function, Setting, DbRole, Other";
const ROUTES: &str = "Api, Route, Field, Method";
const KINDS: &str = "Kind, Url";

/// The schema policies are checked against, in Cedar's own notation.
pub fn schema_text() -> String {
    let mut text = String::from(ENTITIES);
    text.push_str("\n// Groups of actions.\n");
    for group in Group::ALL {
        let _ = writeln!(text, "action \"{}\";", group.as_str());
    }
    text.push_str("\n// What an operation does.\n");
    for verb in Verb::ALL {
        let _ = write!(text, "action \"{verb}\"");
        if let Some(group) = verb.group() {
            let _ = write!(text, " in [\"{}\"]", group.as_str());
        }
        let (objects, facts) = match verb.protocol() {
            Protocol::Sql => (OBJECTS, "Facts"),
            Protocol::Http => (ROUTES, "HttpFacts"),
            Protocol::Kubernetes => (KINDS, "KubernetesFacts"),
        };
        let _ = writeln!(
            text,
            " appliesTo {{ principal: [Agent], resource: [{objects}], context: {facts} }};"
        );
    }
    text.push_str("\n// Seeing labelled data as it is.\n");
    let _ = writeln!(
        text,
        "action \"{REVEAL}\" appliesTo {{ principal: [Agent], resource: [Label], context: Facts }};"
    );
    text
}

/// The schema, compiled. The text is ours, so an error is a defect of this crate; it is returned so
/// that a bundle is refused and nothing traps.
pub(crate) fn schema() -> Result<Schema, String> {
    match Schema::from_cedarschema_str(&schema_text()) {
        Ok((schema, _warnings)) => Ok(schema),
        Err(error) => Err(error.to_string()),
    }
}
