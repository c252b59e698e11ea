"""What calling PostgreSQL's own functions does, told from its catalogue and documentation."""

from functools import cache
from pathlib import Path

from pglast import ast

from truth import ANY

# Functions whose value comes from the session or the clock.
CLEAN = frozenset(
    """clock_timestamp current_database current_schema gen_random_uuid inet_client_addr
    inet_client_port inet_server_addr inet_server_port now pg_backend_pid pg_is_in_recovery
    pg_my_temp_schema pg_postmaster_start_time random statement_timestamp timeofday
    transaction_timestamp txid_current system_user uuidv4 uuidv7 version timezone""".split()
)

FILES = (
    "pg_read_file pg_read_binary_file pg_read_file_old pg_ls_dir pg_ls_logdir pg_ls_waldir "
    "pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir "
    "pg_ls_replslotdir pg_ls_summariesdir pg_stat_file lo_import lo_export pg_current_logfile"
).split()

ADMINISTER = (
    "pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_switch_wal "
    "pg_promote pg_create_restore_point pg_start_backup pg_stop_backup pg_backup_start "
    "pg_backup_stop pg_wal_replay_pause pg_wal_replay_resume pg_stat_reset pg_stat_reset_shared "
    "pg_stat_reset_slru pg_stat_reset_single_table_counters "
    "pg_stat_reset_single_function_counters pg_stat_reset_replication_slot "
    "pg_stat_reset_subscription_stats pg_stat_reset_backend_stats pg_log_backend_memory_contexts "
    "pg_log_standby_snapshot pg_replication_origin_create pg_replication_origin_drop "
    "pg_replication_origin_advance pg_import_system_collations pg_logical_emit_message "
    "pg_export_snapshot pg_clear_relation_stats pg_restore_relation_stats "
    "pg_clear_attribute_stats pg_restore_attribute_stats binary_upgrade_set_next_pg_type_oid"
).split()

REPLICATE = (
    "pg_create_physical_replication_slot pg_create_logical_replication_slot "
    "pg_drop_replication_slot pg_copy_physical_replication_slot pg_copy_logical_replication_slot "
    "pg_replication_slot_advance pg_logical_slot_get_changes pg_logical_slot_peek_changes "
    "pg_logical_slot_get_binary_changes pg_logical_slot_peek_binary_changes"
).split()

LOCKS = (
    "pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared "
    "pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared"
).split()

DYNAMIC = (
    "query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema "
    "table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema "
    "schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema "
    "database_to_xml_and_xmlschema ts_stat ts_rewrite dblink dblink_exec dblink_open dblink_send_query "
    "dblink_connect crosstab connectby xpath_table"
).split()

# Calls the grammar itself writes for `SIMILAR TO`, `LIKE … ESCAPE`, `JSON_OBJECT(…)` and, of types it
# spells itself, `TREAT(… AS type)`.
OF_GRAMMAR = frozenset(
    ("pg_catalog", name)
    for name in """similar_to_escape like_escape json_object int2 int4 int8 float4 float8 numeric bool
    bit varbit bpchar varchar interval time timetz timestamp timestamptz json""".split()
)

# Declared volatile because they read the clock, the log's position or sizes; they change nothing
# that another session sees, or give the session's own locks back.
HARMLESS = frozenset(
    """clock_timestamp timeofday random random_normal gen_random_uuid uuidv4 uuidv7 setseed
    txid_current pg_current_xact_id txid_current_if_assigned pg_current_xact_id_if_assigned
    current_query pg_blocking_pids pg_collation_actual_version pg_current_wal_flush_lsn
    pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_collation_actual_version
    pg_database_size pg_get_wal_replay_pause_state pg_indexes_size pg_is_in_recovery
    pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available
    pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage
    pg_partition_ancestors pg_partition_tree pg_relation_size pg_safe_snapshot_blocking_pids
    pg_table_size pg_tablespace_size pg_total_relation_size pg_xact_commit_timestamp
    pg_xact_status txid_status pg_advisory_unlock pg_advisory_unlock_shared
    pg_advisory_unlock_all""".split()
)

NOT_READ = frozenset(
    "sql:" + verb
    for verb in """set listen notify lock insert update delete server-file create alter drop maintain
    grant set-role role administer call do replicate""".split()
)


@cache
def catalogue():
    """Names of built-in functions, with `v` where one of that name is volatile."""
    lines = (Path(__file__).parent / "functions.txt").read_text().splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


# A string cast to one of these is the same text.
TEXTS = ({"text"}, {"name"}, {"regclass"}, {"pg_catalog", "text"})


def literal(args, index):
    """The text of a plain string argument."""
    if not args or index >= len(args):
        return None
    value = args[index]
    if isinstance(value, ast.TypeCast) and not value.typeName.arrayBounds:
        names = {part.sval for part in value.typeName.names}
        value = value.arg if names in TEXTS else value
    if isinstance(value, ast.A_Const) and isinstance(value.val, ast.String):
        return value.val.sval
    return None


def effects(truth, schema, name, args):
    """Adds what the call must be recorded as."""
    if name in DYNAMIC and (schema in (None, "pg_catalog") or name not in catalogue()):
        truth.dynamic = True
        truth.allow("sql:call", "function", schema, name)
    known = schema in (None, "pg_catalog")
    if not known:
        if not (schema == "information_schema" and name.startswith("_pg_")):
            truth.require(NOT_READ, "function", schema, name)
        return
    if name == "set_config":
        setting = literal(args, 0)
        if setting is None:
            # Any setting, and `role` is one.
            truth.require("sql:set-role")
            truth.allow("sql:set")
            truth.may_be_dynamic = True
        elif setting.lower() in ("role", "session_authorization"):
            truth.require("sql:set-role")
        else:
            # Where the constant is hard to see it may be said to be any setting.
            truth.require(
                frozenset({"sql:set", "sql:set-role"}),
                frozenset({"setting", "database"}),
                None,
                frozenset({setting.lower(), ""}),
            )
            truth.may_be_dynamic = True
            truth.allow("sql:set", "database")
    elif name == "current_setting":
        truth.allow("sql:show")
    elif name in ("nextval", "setval"):
        truth.require("sql:update", *sequence(args))
    elif name in ("currval", "lastval", "pg_sequence_last_value"):
        truth.require("sql:select")
        truth.allow("sql:select")
    elif name == "pg_notify":
        truth.require("sql:notify")
    elif name in LOCKS:
        truth.require("sql:lock")
    elif name in FILES:
        truth.require("sql:server-file", "function", schema, name)
    elif name in ADMINISTER:
        truth.require("sql:administer", "function", schema, name)
    elif name in REPLICATE:
        truth.require("sql:replicate", "function", schema, name)
    elif name in HARMLESS:
        pass
    elif name not in catalogue() or catalogue()[name] == "v":
        truth.require(NOT_READ, "function", schema, name)


# What takes no single argument is no field.
MANY_ARGUMENTS = frozenset("set_config pg_notify".split())


def field(truth, name):
    """Adds what `x.name` must be recorded as where it is no column."""
    truth.optional.add(name)
    if name in MANY_ARGUMENTS:
        return
    if name in FILES or name in ADMINISTER or name in REPLICATE or name in LOCKS or name in DYNAMIC:
        effects(truth, None, name, ())
    elif name in ("nextval", "currval", "current_setting"):
        effects(truth, None, name, ())
    elif name.startswith(("pg_sleep", "lo_")) and name in catalogue():
        truth.require("sql:call", "function", None, name)
    elif name.startswith(("pg_", "lo_", "brin_", "gin_", "binary_upgrade_", "dblink", "crosstab")):
        truth.allow(ANY, "function", None, name)
        truth.may_be_dynamic = True


def sequence(args):
    """The sequence a plain string argument names, where that is simple to tell; or any of them."""
    text = literal(args, 0)
    if text is None or not text.replace("_", "a").isalnum() or not text.isascii():
        return (ANY, ANY, ANY)
    return (frozenset({"relation", "database"}), None, frozenset({text.lower(), ""}))
