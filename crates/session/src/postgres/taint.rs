//! Where a labelled value may come out under another name.
//!
//! The server attests the origin of plain columns. For everything else (computed columns, errors,
//! notices, settings) what counts is whether the statement can reach a labelled relation.

use ostiary_operation::sql::Outputs;
use ostiary_operation::{Access, Object, Operation, Verb};
use ostiary_wire::postgres::{Fields, error_response::field};

use super::judge::Read;
use super::open::Open;

/// What the rows of an operation may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Taint {
    /// No labelled value.
    None,
    /// Labelled values in columns whose origin is not attested, and in errors and notices.
    Computed,
    /// Labelled values anywhere: it reads settings a labelled value may have been put into.
    All,
}

/// Settings whose value is one of a few words or set by the server alone: nothing can be hidden in
/// them.
const CLOSED_SETTINGS: [&str; 21] = [
    "block_size",
    "bytea_output",
    "client_encoding",
    "datestyle",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "intervalstyle",
    "is_superuser",
    "lc_collate",
    "lc_ctype",
    "max_identifier_length",
    "server_encoding",
    "server_version",
    "server_version_num",
    "standard_conforming_strings",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
    "wal_block_size",
];

/// Relations and functions that show settings.
const SHOWS_SETTINGS: [&str; 4] = [
    "pg_settings",
    "pg_show_all_settings",
    "pg_stat_activity",
    "pg_stat_get_activity",
];

/// SQLSTATEs whose message never quotes data: failed transaction, read-only transaction,
/// serialization, deadlock, rights, locks, cancel, shutdown, resources.
const QUOTES_NOTHING: [&[u8]; 12] = [
    b"25P02", b"25006", b"40001", b"40P01", b"42501", b"53100", b"53200", b"53300", b"55P03",
    b"57014", b"57P01", b"57P03",
];

/// Whether values of a setting can hold what somebody wrote into it.
pub(super) fn is_closed_setting(name: &str) -> bool {
    CLOSED_SETTINGS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether an error or notice quotes nothing but the statement, even of a statement that reads
/// labelled data: the server points into the statement (which it does while it reads it, not while
/// it runs it), or the SQLSTATE has a fixed message. Code in the database can raise any SQLSTATE,
/// but cannot do so without a context.
pub(super) fn quotes_no_data(fields: Fields<'_>) -> bool {
    fields.get(field::WHERE).is_none()
        && fields.get(field::INTERNAL_QUERY).is_none()
        && (fields.get(field::POSITION).is_some()
            || fields
                .sqlstate()
                .is_some_and(|sqlstate| QUOTES_NOTHING.contains(&sqlstate)))
}

impl Open {
    /// What the answer to these operations may carry.
    pub(super) fn taint(&self, operations: &[Operation]) -> Taint {
        if self.masks.columns.is_empty() {
            return Taint::None;
        }
        self.reach(operations)
    }

    /// As `taint`, also where nothing is masked because the resource only observes.
    pub(super) fn reach(&self, operations: &[Operation]) -> Taint {
        operations
            .iter()
            .map(|operation| self.taint_of(operation))
            .max()
            .unwrap_or(Taint::None)
    }

    pub(super) fn taint_of(&self, operation: &Operation) -> Taint {
        let facts = &operation.facts;
        let shown = self.settings_tainted
            && (operation.accesses.iter().any(shows_open_setting)
                || facts.functions.iter().any(|name| {
                    let name = name.rsplit('.').next().unwrap_or_default();
                    SHOWS_SETTINGS.contains(&name)
                }));
        if shown {
            return Taint::All;
        }
        let reaches = facts.dynamic
            || facts.unreadable.is_some()
            || operation
                .accesses
                .iter()
                .any(|access| match &access.object {
                    Object::Relation { schema, name } => {
                        self.stale
                            || self.catalogue.is_labelled(schema.as_deref(), name)
                            || self
                                .labels
                                .columns
                                .iter()
                                .any(|(column, _)| column.table == *name)
                    }
                    Object::Function { .. } => true,
                    Object::Database
                    | Object::Schema { .. }
                    | Object::Setting { .. }
                    | Object::Role { .. }
                    | Object::Other { .. }
                    | Object::Api
                    | Object::Route { .. }
                    | Object::Field { .. }
                    | Object::Method { .. }
                    | Object::Kind { .. }
                    | Object::Url { .. } => false,
                });
        if reaches {
            Taint::Computed
        } else {
            Taint::None
        }
    }

    /// What a text proves of its columns, unless they show a setting.
    pub(super) fn proved(&self, taint: Taint, operations: &[Operation], read: &Read) -> Outputs {
        match (taint, &read.outputs, operations) {
            (Taint::All, ..) => Outputs::Unknown,
            (Taint::Computed, Outputs::Clean(clean), [operation])
                if self.sees_all_of(operation) && !read.derived.is_empty() =>
            {
                let here = self.labelled_relations(operation);
                let made_of = read.derived.iter();
                let clean = clean.iter().zip(made_of).map(|(clean, made_of)| {
                    *clean
                        || made_of
                            .as_ref()
                            .is_some_and(|all| all.iter().all(|one| self.is_clean(&here, one)))
                });
                Outputs::Clean(clean.collect())
            }
            (Taint::None | Taint::Computed, outputs, _) => outputs.clone(),
        }
    }

    /// Whether nothing but the columns it names can bring a labelled value into what the operation returns.
    fn sees_all_of(&self, operation: &Operation) -> bool {
        let facts = &operation.facts;
        !self.stale
            && !facts.dynamic
            && facts.unreadable.is_none()
            && !operation
                .accesses
                .iter()
                .any(|access| matches!(access.object, Object::Function { .. }))
    }

    /// Takes note of an operation that could put a labelled value into a setting.
    pub(super) fn note_settings(&mut self, taint: Taint, operations: &[Operation]) {
        self.settings_tainted |= taint > Taint::None
            && operations.iter().any(|operation| {
                operation.facts.dynamic
                    || operation.facts.unreadable.is_some()
                    || operation
                        .accesses
                        .iter()
                        .any(|access| match (access.verb, &access.object) {
                            (_, Object::Function { .. }) => true,
                            (Verb::Set, Object::Setting { name }) => !is_closed_setting(name),
                            (Verb::Set | Verb::SetRole, _) => true,
                            _ => false,
                        })
            });
    }

    /// Whether a ParameterStatus may carry a labelled value.
    pub(super) fn hides_setting(&self, name: &[u8]) -> bool {
        self.settings_tainted && !std::str::from_utf8(name).is_ok_and(is_closed_setting)
    }
}

/// Whether an access reads a setting that can hold anything.
fn shows_open_setting(access: &Access) -> bool {
    match &access.object {
        Object::Setting { name } => access.verb == Verb::Show && !is_closed_setting(name),
        Object::Database => access.verb == Verb::Show,
        Object::Relation { name, .. } | Object::Function { name, .. } => {
            SHOWS_SETTINGS.contains(&name.as_str())
        }
        Object::Schema { .. }
        | Object::Role { .. }
        | Object::Other { .. }
        | Object::Api
        | Object::Route { .. }
        | Object::Field { .. }
        | Object::Method { .. }
        | Object::Kind { .. }
        | Object::Url { .. } => false,
    }
}
