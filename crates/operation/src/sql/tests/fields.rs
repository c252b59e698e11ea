//! `x.name` calls the function `name` where `x` has no such column.

use expect_test::expect;

use super::check_all;

#[test]
fn a_field_may_be_a_call() {
    check_all(
        &[
            "select ('/etc/passwd'::text).pg_read_file",
            "select f.pg_read_file from unnest(array['/etc/passwd']) f",
            "select (f).pg_ls_dir from unnest(array['/etc']) f",
            "select ($1).pg_read_binary_file",
            "select $1.pg_stat_file",
            "select (array['a'::text])[1].pg_read_file",
            "select x.\"lo_import\" from t x",
            "select (pid).pg_terminate_backend from t",
            "select public.t.pg_cancel_backend from public.t",
            "select 1 from t where t.pg_sleep is null order by t.pg_advisory_lock",
            "select ('select 1'::text).ts_stat, (('x'::text).dblink).*",
            "select ('s'::regclass).nextval, ('s'::regclass).currval",
            "select (f(1)).lo_unlink",
            "select (a.b).c.pg_read_file from a",
            "update t set a = t.pg_sleep where (t.b).lo_create > 0",
            "insert into t values (1) returning t.pg_reload_conf",
            "values (('x'::text).pg_read_file)",
            "select (2).pg_sleep_for::text",
        ],
        expect![[r#"
            select ('/etc/passwd'::text).pg_read_file
              server-file: server-file pg_read_file() | calls pg_read_file
            select f.pg_read_file from unnest(array['/etc/passwd']) f
              server-file: server-file pg_read_file() | calls pg_read_file unnest
            select (f).pg_ls_dir from unnest(array['/etc']) f
              server-file: server-file pg_ls_dir() | calls pg_ls_dir unnest
            select ($1).pg_read_binary_file
              server-file: server-file pg_read_binary_file() | calls pg_read_binary_file
            select $1.pg_stat_file
              server-file: server-file pg_stat_file() | calls pg_stat_file
            select (array['a'::text])[1].pg_read_file
              server-file: server-file pg_read_file() | calls pg_read_file
            select x."lo_import" from t x
              server-file: select t, server-file lo_import() | calls lo_import
            select (pid).pg_terminate_backend from t
              administer: select t, administer pg_terminate_backend() | calls pg_terminate_backend
            select public.t.pg_cancel_backend from public.t
              administer: select public.t, administer pg_cancel_backend() | calls pg_cancel_backend
            select 1 from t where t.pg_sleep is null order by t.pg_advisory_lock
              call: select t, lock database, call pg_sleep() | calls pg_advisory_lock pg_sleep | clean [true]
            select ('select 1'::text).ts_stat, (('x'::text).dblink).*
              call: call dblink(), call ts_stat() | calls dblink ts_stat | dynamic
            select ('s'::regclass).nextval, ('s'::regclass).currval
              update: select database, update database | calls currval nextval
            select (f(1)).lo_unlink
              call: call f(), call lo_unlink() | calls f lo_unlink
            select (a.b).c.pg_read_file from a
              server-file: select a, server-file pg_read_file() | calls pg_read_file
            update t set a = t.pg_sleep where (t.b).lo_create > 0
              update: update t, call lo_create(), call pg_sleep() | calls lo_create pg_sleep
            insert into t values (1) returning t.pg_reload_conf
              administer: select t, insert t, administer pg_reload_conf() | calls pg_reload_conf
            values (('x'::text).pg_read_file)
              server-file: server-file pg_read_file() | calls pg_read_file
            select (2).pg_sleep_for::text
              call: call pg_sleep_for() | calls pg_sleep_for
        "#]],
    );
}

#[test]
fn a_field_that_computes_or_is_a_column_is_neither() {
    check_all(
        &[
            "select ('a'::text).upper, t.lower, (t).to_json, (x.y).name from t",
            "select pg_catalog.pg_class.oid, c.relname, c.pg_get_userbyid from pg_class c",
            "select x.set_config, x.pg_notify from t x",
            "select (information_schema._pg_expandarray(i.indkey)).n from pg_index i",
            "select t.lo, t.loan, t.pga, t.brink from t",
            "select (t).* from t",
        ],
        expect![[r#"
            select ('a'::text).upper, t.lower, (t).to_json, (x.y).name from t
              select: select t
            select pg_catalog.pg_class.oid, c.relname, c.pg_get_userbyid from pg_class c
              select: select pg_class
            select x.set_config, x.pg_notify from t x
              select: select t
            select (information_schema._pg_expandarray(i.indkey)).n from pg_index i
              select: select pg_index | calls information_schema._pg_expandarray
            select t.lo, t.loan, t.pga, t.brink from t
              select: select t
            select (t).* from t
              select: select t
        "#]],
    );
}
