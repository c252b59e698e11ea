//! What calling a function does, for the functions PostgreSQL brings along.
//!
//! A function that is not listed may do anything: it is a call of its own. Names are taken as the
//! built-in ones unless another schema is named; `pg_catalog` is searched first.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::effects::Effects;
use super::expression::Arguments;
use super::reader::Name;
use crate::{Object, Verb};

/// Functions that only compute, or read what the catalogue shows everyone, one on each line.
static PURE: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("functions/pure.txt").lines().collect());

/// What a built-in function can do.
enum Effect {
    /// `set_config`.
    SetConfig,
    /// `current_setting`.
    Show,
    /// `pg_notify`.
    Notify,
    /// Advisory locks.
    Lock,
    /// Changes a sequence.
    Advance,
    /// Reads a sequence.
    Sequence,
    /// Touches the server's files.
    File,
    /// Controls the server or other sessions, or resets what it knows.
    Administer,
    /// Reads or moves replication.
    Replicate,
    /// Runs SQL given as text, or reads what an argument names.
    Dynamic,
}

/// Adds what calling `name` does.
pub(super) fn record(effects: &mut Effects, name: Name<'_>, arguments: &Arguments<'_>) {
    effects.functions.insert(name.dotted());
    let built_in = matches!(name.schema, None | Some("pg_catalog"));
    // Extensions can be installed in any schema.
    if let Some(effect) = effect_of(name.name)
        && (built_in || matches!(effect, Effect::Dynamic))
    {
        apply(effects, name, arguments, &effect);
        return;
    }
    let pure = match name.schema {
        None | Some("pg_catalog") => is_pure(name.name),
        Some("information_schema") => name.name.starts_with("_pg_"),
        Some(_) => false,
    };
    if !pure {
        effects.add(Verb::Call, name.function());
    }
}

/// Adds what `x.name` does where `name` is no column: the server then calls the function of that name
/// with `x`, so `('/etc/passwd'::text).pg_read_file` reads a file.
pub(super) fn record_field(effects: &mut Effects, field: &str) {
    const ONE: Arguments<'static> = Arguments {
        count: 1,
        literals: [None, None],
        varying: 1,
    };
    let name = Name {
        schema: None,
        name: field,
    };
    match effect_of(field) {
        // They take more than one argument.
        Some(Effect::SetConfig | Effect::Notify) => {}
        Some(effect) => {
            effects.functions.insert(name.dotted());
            apply(effects, name, &ONE, &effect);
        }
        None if OF_SERVER.iter().any(|start| field.starts_with(start)) && !is_pure(field) => {
            effects.functions.insert(name.dotted());
            effects.add(Verb::Call, name.function());
        }
        None => {}
    }
}

/// How the names of built-in functions begin that do more than compute.
const OF_SERVER: [&str; 4] = ["pg_", "lo_", "brin_", "gin_"];

/// What a call can tell by failing.
pub(super) enum Totality {
    /// Whatever its arguments, it gives one value.
    Total,
    /// It can fail, give several rows, or take its time.
    Partial,
    /// It is not known.
    Unknown,
    /// It does something with its arguments beside computing.
    Effect,
}

/// Functions that give one value whatever they are given, one on each line. Behind a name: `first`
/// if that holds only as long as no argument but the first varies, `rest` if the first must not vary,
/// `keys` if no other one must.
static TOTAL: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("functions/total.txt")
        .lines()
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect()
});

/// What a call to `name` can tell.
pub(super) fn totality(name: Name<'_>, arguments: &Arguments<'_>) -> Totality {
    let built_in = matches!(name.schema, None | Some("pg_catalog"));
    match effect_of(name.name) {
        Some(Effect::Show | Effect::Sequence) if built_in => return Totality::Partial,
        Some(effect) if built_in || matches!(effect, Effect::Dynamic) => return Totality::Effect,
        _ => {}
    }
    // What is in a large object carries no label.
    if built_in && matches!(name.name, "lo_from_bytea" | "lo_put" | "lowrite") {
        return Totality::Effect;
    }
    if built_in && name.name.starts_with("pg_sleep") {
        return Totality::Partial;
    }
    if !built_in || !is_pure(name.name) {
        return Totality::Unknown;
    }
    const KEYS: u64 = 0x5555_5555_5555_5555;
    let total = match TOTAL.get(name.name) {
        None => false,
        Some(&"first") => arguments.varying & !1 == 0,
        Some(&"rest") => arguments.varying & 1 == 0,
        Some(&"keys") => arguments.varying & KEYS == 0 && arguments.count <= 64,
        Some(_) => true,
    };
    if total {
        Totality::Total
    } else {
        Totality::Partial
    }
}

/// Whether the function gives one value that hangs on its arguments alone.
pub(super) fn is_total(name: &str) -> bool {
    TOTAL.contains_key(name)
}

/// Whether `x.name` can fail for some `x`, where `name` is no column: it is a cast then, or a call.
pub(super) fn field_can_fail(name: &str) -> bool {
    match TOTAL.get(name) {
        Some(when) => *when == "rest",
        None => (is_pure(name) || CASTS.contains(&name)) && !is_text(name),
    }
}

/// Whether a type of this name, as a cast spells it, is built in.
pub(super) fn is_built_in_type(name: &str) -> bool {
    const SPELT: [&str; 10] = [
        "bigint", "boolean", "dec", "decimal", "double", "float", "int", "integer", "real",
        "smallint",
    ];
    CASTS.contains(&name) || SPELT.contains(&name) || is_text(name)
}

/// Types a cast to which never fails; their names are those of functions, and of many a column.
pub(super) fn is_text(name: &str) -> bool {
    matches!(name, "text" | "varchar" | "bpchar" | "char" | "name")
}

/// Types whose input fails for some texts, under the names the server knows them by.
#[rustfmt::skip]
const CASTS: [&str; 40] = [
    "bit", "bool", "box", "bytea", "cidr", "circle", "date", "float4", "float8", "inet", "int2",
    "int4", "int8", "interval", "json", "jsonb", "jsonpath", "line", "lseg", "macaddr", "macaddr8",
    "money", "numeric", "oid", "path", "point", "polygon", "regclass", "regproc", "regrole",
    "regtype", "tid", "time", "timestamp", "timestamptz", "timetz", "uuid", "varbit", "xid", "xml",
];

/// Whether the function only computes.
pub(super) fn is_pure(name: &str) -> bool {
    PURE.binary_search(&name).is_ok()
}

fn effect_of(name: &str) -> Option<Effect> {
    Some(match name {
        "set_config" => Effect::SetConfig,
        "current_setting" => Effect::Show,
        "pg_notify" => Effect::Notify,
        "nextval" | "setval" => Effect::Advance,
        "currval" | "lastval" | "pg_sequence_last_value" => Effect::Sequence,
        "ts_stat" | "ts_rewrite" | "connectby" | "xpath_table" | "dblink" => Effect::Dynamic,
        "lo_import" | "lo_export" | "pg_stat_file" | "pg_current_logfile" => Effect::File,
        "pg_terminate_backend"
        | "pg_cancel_backend"
        | "pg_reload_conf"
        | "pg_rotate_logfile"
        | "pg_switch_wal"
        | "pg_promote"
        | "pg_create_restore_point"
        | "pg_start_backup"
        | "pg_stop_backup"
        | "pg_backup_start"
        | "pg_backup_stop"
        | "pg_export_snapshot"
        | "pg_import_system_collations"
        | "pg_log_backend_memory_contexts"
        | "pg_log_standby_snapshot"
        | "pg_logical_emit_message"
        | "pg_sync_replication_slots"
        | "pg_nextoid"
        | "pg_stop_making_pinned_objects"
        | "pg_set_relation_stats"
        | "pg_set_attribute_stats"
        | "pg_show_all_file_settings"
        | "pg_hba_file_rules"
        | "pg_ident_file_mappings" => Effect::Administer,
        "pg_copy_logical_replication_slot"
        | "pg_copy_physical_replication_slot"
        | "pg_create_logical_replication_slot"
        | "pg_create_physical_replication_slot"
        | "pg_drop_replication_slot"
        | "pg_replication_slot_advance" => Effect::Replicate,
        _ => return effect_of_family(name),
    })
}

/// Families of functions that share the start of their names.
fn effect_of_family(name: &str) -> Option<Effect> {
    let starts = |prefix: &str| name.starts_with(prefix);
    Some(if starts("pg_") {
        if starts("pg_advisory_unlock") {
            // A session gives its own locks back; pools do when a connection comes home.
            return None;
        } else if starts("pg_advisory_") || starts("pg_try_advisory_") {
            Effect::Lock
        } else if starts("pg_read_") || starts("pg_ls_") || starts("pg_file_") {
            Effect::File
        } else if starts("pg_stat_reset")
            || starts("pg_wal_replay_")
            || starts("pg_xlog_replay_")
            || starts("pg_replication_origin_")
            || starts("pg_clear_")
            || starts("pg_restore_")
        {
            Effect::Administer
        } else if starts("pg_logical_slot_") {
            Effect::Replicate
        } else {
            return None;
        }
    } else if starts("binary_upgrade_") {
        Effect::Administer
    } else if starts("dblink_")
        || starts("crosstab")
        || name.contains("_to_xml")
            && ["query", "table", "cursor", "schema", "database"]
                .iter()
                .any(|start| starts(start))
    {
        Effect::Dynamic
    } else {
        return None;
    })
}

fn apply(effects: &mut Effects, name: Name<'_>, arguments: &Arguments<'_>, effect: &Effect) {
    let [first, second] = arguments.literals;
    match effect {
        Effect::SetConfig => set_config(effects, first, second),
        Effect::Show => effects.add(Verb::Show, first.map_or(Object::Database, setting)),
        Effect::Notify => {
            let channel = first.map(|channel| Object::Other {
                kind: "channel".to_owned(),
                name: channel.to_owned(),
            });
            effects.add(Verb::Notify, channel.unwrap_or(Object::Database));
        }
        Effect::Lock => effects.add(Verb::Lock, Object::Database),
        Effect::Advance => effects.add(Verb::Update, sequence(first)),
        Effect::Sequence => effects.add(Verb::Select, sequence(first)),
        Effect::File => effects.add(Verb::ServerFile, name.function()),
        Effect::Administer => effects.add(Verb::Administer, name.function()),
        Effect::Replicate => effects.add(Verb::Replicate, name.function()),
        Effect::Dynamic => {
            effects.dynamic = true;
            effects.add(Verb::Call, name.function());
        }
    }
}

fn set_config(effects: &mut Effects, setting_name: Option<&str>, value: Option<&str>) {
    match setting_name {
        None => set_unknown(effects),
        Some(name) => set(effects, name, value),
    }
}

/// Changes any setting, and `role` is one.
pub(super) fn set_unknown(effects: &mut Effects) {
    effects.dynamic = true;
    effects.add(Verb::Set, Object::Database);
    effects.add(Verb::SetRole, Object::Database);
}

/// `SET name = value`, in whatever spelling.
pub(super) fn set(effects: &mut Effects, name: &str, value: Option<&str>) {
    let name = name.to_ascii_lowercase();
    if name == "role" || name == "session_authorization" {
        let role = value.map(|role| Object::Role {
            name: role.to_owned(),
        });
        effects.add(Verb::SetRole, role.unwrap_or(Object::Database));
    } else {
        effects.add(Verb::Set, setting(&name));
    }
}

pub(super) fn setting(name: &str) -> Object {
    Object::Setting {
        name: name.to_ascii_lowercase(),
    }
}

/// The sequence a `regclass` constant names; the database if that cannot be told.
fn sequence(literal: Option<&str>) -> Object {
    literal.and_then(parse_name).unwrap_or(Object::Database)
}

/// Reads `schema.name` as the server reads it inside a string.
fn parse_name(text: &str) -> Option<Object> {
    let reading = super::Reading {
        standard_conforming_strings: true,
        utf8: true,
        // What is left of it was read as the server reads it.
        server_utf8: true,
    };
    let tokens = super::lexer::lex(text, reading).ok()?;
    let mut reader = super::reader::Reader::new(&tokens);
    let first = reader.label().ok()?;
    let name = reader.name_after(first).ok()?;
    reader.at_end().then(|| name.relation())
}

#[cfg(test)]
#[test]
fn total_functions_are_pure() {
    for (name, when) in TOTAL.iter() {
        assert!(is_pure(name), "{name}");
        assert!(
            ["", "first", "rest", "keys"].contains(when),
            "{name} {when}"
        );
    }
}

#[cfg(test)]
#[test]
fn pure_functions_are_sorted_and_have_no_effect() {
    assert!(PURE.is_sorted());
    for name in PURE.iter() {
        assert!(
            effect_of(name).is_none() || *name == "pg_sequence_last_value",
            "{name}"
        );
    }
}
