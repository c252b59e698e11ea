//! Functions that reach further than a read, and what looks like none.

use expect_test::expect;

use super::super::check_all;

#[test]
fn functions_with_reach_are_known() {
    check_all(
        &[
            "select purge()",
            "select public.lower('x'), lower('x')",
            "select setval('s', 1), nextval('public.\"S\"'::regclass), currval($1)",
            "select pg_terminate_backend(1), lo_unlink(1), pg_switch_wal()",
            "select query_to_xml('delete from t', true, true, '')",
            "select * from dblink('x', 'drop table t') as t(a int)",
            "select ext.dblink_exec('drop table t')",
            "select cron.schedule('* * * * *', 'vacuum')",
            "select pg_read_file('/etc/passwd'), pg_ls_dir('/')",
            "select lo_import('/etc/passwd'), lo_export(1, '/tmp/x')",
            "select * from pg_ls_waldir()",
            "select pg_sleep(1)",
            "select pg_advisory_lock(1), pg_try_advisory_xact_lock(1)",
            "select pg_notify('c', secret) from t",
            "select current_setting('x.y')",
            "select * from pg_logical_slot_get_changes('s', null, null)",
            "select pg_stat_get_activity(null)",
            "select ts_rewrite('a'::tsquery, 'delete from t')",
            "select \"coalesce\"(1), coalesce(f(1), 2)",
            "select f(1) over w, count(*) filter (where g(x)) from t window w as (order by h(y))",
            "select * from t order by f(a), b using operator(pg_catalog.<)",
            "select 1 limit f(1)",
            "select a[f(1)], (b).c, (f(2)).* from t",
            "select case when f() then g() end, array[h()], row(i()), cast(j() as int)",
            "select extract(year from f()), position(g() in h()), trim(both from i())",
            "select * from t where a = any(f(1)) and exists (select g())",
            "select * from rows from (f(1), g(2)) as x(a, b)",
            "select * from t, lateral f(t.a) with ordinality as x",
            "select * from t tablesample system (f(1))",
            "values (f(1)), (g(2))",
            "insert into t values (f(1)) returning g(a)",
            "update t set (a, b) = (select f(1), 2), c[g()] = 3 where h()",
            "select percentile_cont(f()) within group (order by g()) from t",
            "call p(f(1))",
            "select f(distinct a order by g(b)) from t",
            "select xmlelement(name a, xmlattributes(f() as b), g())",
            "select json_object('a': f(), 'b' value g() returning text)",
            "select json_value(a, '$')",
        ],
        expect![[r#"
            select purge()
              call: call purge() | calls purge
            select public.lower('x'), lower('x')
              call: call public.lower() | calls lower public.lower
            select setval('s', 1), nextval('public."S"'::regclass), currval($1)
              update: select database, update s, update public.S | calls currval nextval setval
            select pg_terminate_backend(1), lo_unlink(1), pg_switch_wal()
              administer: administer pg_switch_wal(), administer pg_terminate_backend(), call lo_unlink() | calls lo_unlink pg_switch_wal pg_terminate_backend
            select query_to_xml('delete from t', true, true, '')
              call: call query_to_xml() | calls query_to_xml | dynamic
            select * from dblink('x', 'drop table t') as t(a int)
              call: call dblink() | calls dblink | dynamic
            select ext.dblink_exec('drop table t')
              call: call ext.dblink_exec() | calls ext.dblink_exec | dynamic
            select cron.schedule('* * * * *', 'vacuum')
              call: call cron.schedule() | calls cron.schedule
            select pg_read_file('/etc/passwd'), pg_ls_dir('/')
              server-file: server-file pg_ls_dir(), server-file pg_read_file() | calls pg_ls_dir pg_read_file
            select lo_import('/etc/passwd'), lo_export(1, '/tmp/x')
              server-file: server-file lo_export(), server-file lo_import() | calls lo_export lo_import
            select * from pg_ls_waldir()
              server-file: server-file pg_ls_waldir() | calls pg_ls_waldir
            select pg_sleep(1)
              call: call pg_sleep() | calls pg_sleep
            select pg_advisory_lock(1), pg_try_advisory_xact_lock(1)
              lock: lock database | calls pg_advisory_lock pg_try_advisory_xact_lock
            select pg_notify('c', secret) from t
              notify: select t, notify channel c | calls pg_notify
            select current_setting('x.y')
              show: show setting x.y | calls current_setting
            select * from pg_logical_slot_get_changes('s', null, null)
              replicate: replicate pg_logical_slot_get_changes() | calls pg_logical_slot_get_changes
            select pg_stat_get_activity(null)
              call: call pg_stat_get_activity() | calls pg_stat_get_activity
            select ts_rewrite('a'::tsquery, 'delete from t')
              call: call ts_rewrite() | calls ts_rewrite | dynamic
            select "coalesce"(1), coalesce(f(1), 2)
              call: call coalesce(), call f() | calls coalesce f
            select f(1) over w, count(*) filter (where g(x)) from t window w as (order by h(y))
              call: select t, call f(), call g(), call h() | calls count f g h | clean [false, true]
            select * from t order by f(a), b using operator(pg_catalog.<)
              call: select t, call f() | calls f
            select 1 limit f(1)
              call: call f() | calls f | clean [true]
            select a[f(1)], (b).c, (f(2)).* from t
              call: select t, call f() | calls f
            select case when f() then g() end, array[h()], row(i()), cast(j() as int)
              call: call f(), call g(), call h(), call i(), call j() | calls f g h i j
            select extract(year from f()), position(g() in h()), trim(both from i())
              call: call f(), call g(), call h(), call i() | calls extract f g h i position trim
            select * from t where a = any(f(1)) and exists (select g())
              call: select t, call f(), call g() | calls f g
            select * from rows from (f(1), g(2)) as x(a, b)
              call: call f(), call g() | calls f g
            select * from t, lateral f(t.a) with ordinality as x
              call: select t, call f() | calls f
            select * from t tablesample system (f(1))
              call: select t, call f() | calls f
            values (f(1)), (g(2))
              call: call f(), call g() | calls f g
            insert into t values (f(1)) returning g(a)
              insert: select t, insert t, call f(), call g() | calls f g
            update t set (a, b) = (select f(1), 2), c[g()] = 3 where h()
              update: update t, call f(), call g(), call h() | calls f g h
            select percentile_cont(f()) within group (order by g()) from t
              call: select t, call f(), call g() | calls f g percentile_cont
            call p(f(1))
              call: call f(), call p() | calls f p
            select f(distinct a order by g(b)) from t
              call: select t, call f(), call g() | calls f g
            select xmlelement(name a, xmlattributes(f() as b), g())
              call: call f(), call g() | calls f g xmlelement
            select json_object('a': f(), 'b' value g() returning text)
              call: call f(), call g() | calls f g json_object
            select json_value(a, '$')
              call: call json_value() | calls json_value
        "#]],
    );
}

#[test]
fn labels_and_lookalikes_do_not_clean_a_column() {
    check_all(
        &[
            "select t.* as x, email||'!', 1 from t",
            "select (t.*), email from t",
            "select ((t.*)) x, 1, 1 from t",
            "select count(t.*), 1 from t",
            "select not a, true and a, false or a from t",
            "select filter(email), count(*) filter (where a) from t",
            "select system_user, user from t",
            "select 1, 2 as as union select email, b from t",
            "select 1, t.distinct union select email, b from t",
            "select 1, 1 distinct union select email, b from t",
            "select 1 distinct from t, u",
            "select count(a, b), count(distinct a) from t",
            "select 1 a, 'x' isnull, 1 b into t2 from t",
        ],
        expect![[r#"
            select t.* as x, email||'!', 1 from t
              select: select t
            select (t.*), email from t
              select: select t
            select ((t.*)) x, 1, 1 from t
              select: select t
            select count(t.*), 1 from t
              select: select t | calls count | clean [true, true]
            select not a, true and a, false or a from t
              select: select t
            select filter(email), count(*) filter (where a) from t
              call: select t, call filter() | calls count filter | clean [false, true]
            select system_user, user from t
              select: select t | calls system_user user | clean [false, true]
            select 1, 2 as as union select email, b from t
              select: select t
            select 1, t.distinct union select email, b from t
              select: select t
            select 1, 1 distinct union select email, b from t
              select: select t
            select 1 distinct from t, u
              select: select t, select u | clean [true]
            select count(a, b), count(distinct a) from t
              select: select t | calls count | clean [false, true]
            select 1 a, 'x' isnull, 1 b into t2 from t
              create: select t, create t2
        "#]],
    );
}

#[test]
fn words_of_clauses_are_functions_too() {
    check_all(
        &[
            "select xmlexists('x' passing by(1))",
            "select xmlexists('x' passing by ref a by ref)",
            "select xmlexists('x' passing ref(1)), json_array(ref(1), value(2))",
            "select json_object('a' value by(1)), json_object('a' value ref(1))",
            "select xmlparse(document ref(1)), xmlforest(content(1), indent(2))",
            "select xmlparse(content (a)), json_value(a, '$' passing (b) as c)",
            "select json_array(value.a, version) from t",
        ],
        expect![[r#"
            select xmlexists('x' passing by(1))
              call: call by() | calls by xmlexists
            select xmlexists('x' passing by ref a by ref)
              select: select database | calls xmlexists
            select xmlexists('x' passing ref(1)), json_array(ref(1), value(2))
              call: call ref(), call value() | calls json_array ref value xmlexists
            select json_object('a' value by(1)), json_object('a' value ref(1))
              call: call by(), call ref() | calls by json_object ref
            select xmlparse(document ref(1)), xmlforest(content(1), indent(2))
              call: call content(), call indent(), call ref() | calls content indent ref xmlforest xmlparse
            select xmlparse(content (a)), json_value(a, '$' passing (b) as c)
              call: call content() | calls content json_value xmlparse
            select json_array(value.a, version) from t
              call: select t, call json_array() | calls json_array
        "#]],
    );
}

#[test]
fn a_call_of_a_function_named_like_an_operator_is_not_clean() {
    check_all(
        &[
            "select is()",
            "select 1 is not null and (true or not (false))",
        ],
        expect![[r#"
            select is()
              call: call is() | calls is
            select 1 is not null and (true or not (false))
              select: select database | clean [true]
        "#]],
    );
}
