//! Relations that are more than their rows: PostgreSQL's own catalogue.
//!
//! It is the schema: who updates `pg_attribute` renames a column, who inserts into `pg_auth_members` grants
//! a role. And the server's rule on the view `pg_settings` makes `set_config` of an UPDATE, which everyone
//! may do.

use super::effects::Effects;
use super::functions;
use crate::{Object, Verb};

/// Adds what writing rows of `object` does beside that.
pub(super) fn record_write(effects: &mut Effects, verb: Verb, object: &Object) {
    let writes = matches!(
        verb,
        Verb::Insert | Verb::Update | Verb::Delete | Verb::Merge | Verb::Truncate
    );
    let Object::Relation { schema, name } = object else {
        return;
    };
    let of_server = match schema.as_deref() {
        // It comes first in every `search_path` that does not say otherwise.
        None => name.starts_with("pg_"),
        Some(schema) => matches!(schema, "pg_catalog" | "pg_toast"),
    };
    if !writes || !of_server {
        return;
    }
    if name == "pg_settings" {
        functions::set_unknown(effects);
    } else {
        effects.add(Verb::Alter, object.clone());
    }
}
