//! Texts made to look like less than they are.

use expect_test::expect;

use super::{Reading, USUAL, analyze, check, check_all, render};

#[test]
fn strings_hide_nothing() {
    check_all(
        &[
            r"select E'O\'x'; delete from t; --'",
            r"select 'O\'; delete from t; --'",
            "select $$a)b$$; select $t$ $$ ; $t$, 1",
            "select $a$ $b$ $a$; drop table t; -- $b$ $a$",
            "select 'a' -- x\n 'b;'; delete from t",
            "select 'a' 'b'",
            "select U&'a\\0027; drop table t' ; delete from t",
            "select x'41''; drop table t; --'",
            "select a$b$c from t; delete from d$$; select $$",
            "select e$$x$$",
        ],
        expect![[r#"
            select E'O\'x'; delete from t; --'
              select: select database | clean [true]
              delete: delete t | no where
            select 'O\'; delete from t; --'
              select: select database | clean [true]
              delete: delete t | no where
            select $$a)b$$; select $t$ $$ ; $t$, 1
              select: select database | clean [true]
              select: select database | clean [true, true]
            select $a$ $b$ $a$; drop table t; -- $b$ $a$
              select: select database | clean [true]
              drop: drop t
            select 'a' -- x\n 'b;'; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 'a' 'b'
              unreadable: not understood as PostgreSQL
            select U&'a\0027; drop table t' ; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select x'41''; drop table t; --'
              unreadable: not understood as PostgreSQL
            select a$b$c from t; delete from d$$; select $$
              unreadable: a dollar-quoted string that does not end
            select e$$x$$
              select: select database
        "#]],
    );
}

#[test]
fn comments_hide_nothing() {
    check_all(
        &[
            "select 1 /* a /* b */ ; delete from t */",
            "select 1 /* a /* b */ */ ; delete from t",
            "select 1 -- x\rdelete from t",
            "select 1; -- x\rdelete from t",
            "select 1 -- x\u{85}; delete from t\u{2028}; delete from t",
            "select 1 /*/ ; delete from t /*/ */ */",
            "select 1 /*! ; delete from t */",
            "select 1 --/*\n; delete from t --*/",
            "select 1 +--x\n 2; delete from t",
            "select 1 */* ; */ 2",
            "select 1 @-/* ; */- 2",
        ],
        expect![[r#"
            select 1 /* a /* b */ ; delete from t */
              select: select database | clean [true]
            select 1 /* a /* b */ */ ; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 -- x\rdelete from t
              select: select t | clean [true]
            select 1; -- x\rdelete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 -- x\u{85}; delete from t\u{2028}; delete from t
              select: select database | clean [true]
            select 1 /*/ ; delete from t /*/ */ */
              select: select database | clean [true]
            select 1 /*! ; delete from t */
              select: select database | clean [true]
            select 1 --/*\n; delete from t --*/
              select: select database | clean [true]
              delete: delete t | no where
            select 1 +--x\n 2; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 */* ; */ 2
              select: select database | clean [true]
            select 1 @-/* ; */- 2
              select: select database
        "#]],
    );
}

#[test]
fn names_are_those_of_the_server() {
    check_all(
        &[
            r#"select * from "Users", users, USERS, "users""#,
            r#"select * from U&"d!0061t!0061" UESCAPE '!'"#,
            r#"select * from "a.b"."c/d", "a""b""#,
            "select * from STRAßE, ＵＳＥＲＳ, TABLO_İ",
            "select * from users\u{a0}x",
            "select\u{200b} * from users",
            "\u{feff}select 1",
            "select * from abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcd",
            "select * from äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678äabcd",
            "select * from db.s.t",
            "select * from a.b.c.d",
        ],
        expect![[r#"
            select * from "Users", users, USERS, "users"
              select: select Users, select users
            select * from U&"d!0061t!0061" UESCAPE '!'
              unreadable: an identifier with Unicode escapes
            select * from "a.b"."c/d", "a""b"
              select: select a"b, select a.b.c/d
            select * from STRAßE, ＵＳＥＲＳ, TABLO_İ
              select: select straße, select tablo_İ, select ＵＳＥＲＳ
            select * from users\u{a0}x
              unreadable: an invisible character outside quotes
            select\u{200b} * from users
              unreadable: an invisible character outside quotes
            \u{feff}select 1
              unreadable: an invisible character outside quotes
            select * from abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcd
              select: select abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789a
            select * from äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678äabcd
              select: select äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678
            select * from db.s.t
              select: select s.t
            select * from a.b.c.d
              unreadable: a name of more than three parts
        "#]],
    );
}

#[test]
fn writes_inside_reads_are_found() {
    check_all(
        &[
            "with x as (delete from a returning *) select * from x",
            "with x as (update a set b = 1 returning *), y as (insert into c select * from x) select 1",
            "copy (delete from t returning *) to stdout",
            "explain analyze delete from t",
            "explain (analyze, verbose) delete from t where a = 1",
            "explain (analyze false, costs) delete from t",
            "explain (verbose, analyze true) insert into t select * from u",
            "EXPLAIN (ANALYZE 1) select f()",
            "explain verbose update t set a = 1",
            "explain (select 1)",
            "explain analyze execute p",
            "explain (analyze off) create table t as select * from u",
            "explain analyze create table t as select * from u",
            "explain analyze declare c cursor for select * from t",
            "merge into t using u on t.a = u.a when matched and f(1) then update set b = 1 when matched then delete when not matched then insert values (1)",
            "select * into t2 from t",
            "select * into temp t2 from t",
            "insert into t values (1) on conflict (a) do update set b = (select c from d) where t.e",
            "select (with x as (insert into a values (1) returning b) select b from x)",
        ],
        expect![[r#"
            with x as (delete from a returning *) select * from x
              delete: select a, delete a | no where
            with x as (update a set b = 1 returning *), y as (insert into c select * from x) select 1
              update: select a, insert c, update a | no where | clean [true]
            copy (delete from t returning *) to stdout
              delete: select t, delete t, copy-out database | no where
            explain analyze delete from t
              delete: explain database, delete t | no where
            explain (analyze, verbose) delete from t where a = 1
              delete: explain database, delete t
            explain (analyze false, costs) delete from t
              explain: select t, explain database | no where
            explain (verbose, analyze true) insert into t select * from u
              insert: select u, explain database, insert t
            EXPLAIN (ANALYZE 1) select f()
              call: explain database, call f() | calls f
            explain verbose update t set a = 1
              explain: select t, explain database | no where
            explain (select 1)
              explain: explain database
            explain analyze execute p
              unreadable: explain database, unreadable database | dynamic
            explain (analyze off) create table t as select * from u
              explain: select u, explain database
            explain analyze create table t as select * from u
              create: select u, explain database, create t
            explain analyze declare c cursor for select * from t
              explain: select t, explain database
            merge into t using u on t.a = u.a when matched and f(1) then update set b = 1 when matched then delete when not matched then insert values (1)
              merge: select u, insert t, update t, delete t, merge t, call f() | calls f
            select * into t2 from t
              create: select t, create t2
            select * into temp t2 from t
              create: select t, create pg_temp.t2
            insert into t values (1) on conflict (a) do update set b = (select c from d) where t.e
              update: select d, insert t, update t
            select (with x as (insert into a values (1) returning b) select b from x)
              insert: select a, insert a
        "#]],
    );
}

#[test]
fn common_table_expressions_shadow_only_in_their_scope() {
    check_all(
        &[
            "with delete as (select 1) select * from delete",
            "with users as (select * from users) select * from users",
            "with recursive users as (select * from users) select * from users",
            "with a as (select * from b), b as (select 1) select * from a, b",
            "with recursive a as (select * from b), b as (select 1) select * from a, b",
            "select * from (with a as (select 1) select * from a) x, a",
            "with a as (select 1) select * from a union select * from public.a",
            "with a as (select 1) delete from a where true",
            "with a as (select 1) insert into a select * from a",
            "with a as (select 1) select (select 2 from a), (with a as (select 1 from t) select 1 from a)",
            "(with a as (select 1) select * from a) union select * from a",
            r#"with "A" as (select 1) select * from a"#,
        ],
        expect![[r#"
            with delete as (select 1) select * from delete
              select: select database
            with users as (select * from users) select * from users
              select: select users
            with recursive users as (select * from users) select * from users
              select: select database
            with a as (select * from b), b as (select 1) select * from a, b
              select: select b
            with recursive a as (select * from b), b as (select 1) select * from a, b
              select: select database
            select * from (with a as (select 1) select * from a) x, a
              select: select a
            with a as (select 1) select * from a union select * from public.a
              select: select public.a
            with a as (select 1) delete from a where true
              delete: delete a
            with a as (select 1) insert into a select * from a
              insert: insert a
            with a as (select 1) select (select 2 from a), (with a as (select 1 from t) select 1 from a)
              select: select t
            (with a as (select 1) select * from a) union select * from a
              select: select a
            with "A" as (select 1) select * from a
              select: select a
        "#]],
    );
}

#[test]
fn only_and_star_are_not_names() {
    check_all(
        &[
            "select * from only users",
            "select * from only (users) u, orders *",
            "update only users set a = 1",
            "delete from only (users) where true",
            "truncate only a, b *",
            "lock table only a",
            "table only users",
            "with only_x as (select 1) select * from only only_x",
        ],
        expect![[r#"
            select * from only users
              select: select users
            select * from only (users) u, orders *
              select: select orders, select users
            update only users set a = 1
              update: update users | no where
            delete from only (users) where true
              delete: delete users
            truncate only a, b *
              truncate: truncate a, truncate b
            lock table only a
              lock: lock a
            table only users
              select: select users
            with only_x as (select 1) select * from only only_x
              select: select database
        "#]],
    );
}

#[test]
fn roles_change_in_every_spelling() {
    check_all(
        &[
            "set role admin",
            "set local role 'admin'",
            "set session role none",
            "set role = x",
            "SET ROLE TO DEFAULT",
            "set \"role\" to admin",
            "set \"ROLE\" = admin",
            "reset role",
            "set session authorization bob",
            "set local session authorization bob",
            "set session session authorization default",
            "set session_authorization = bob",
            "reset session authorization",
            "select set_config('role', 'admin', false)",
            "select pg_catalog.set_config('ROLE', $1, true)",
            "select \"set_config\"(E'r\\x6fle', 'x', true)",
            "select set_config('ro' || 'le', 'admin', false)",
            "select set_config(setting_name => 'role', new_value => 'x', is_local => true)",
            "select set_config('search_path', '', false)",
            "select set_config($1, $2, false)",
            "select public.set_config('role', 'x', false)",
            "set role.x = 1",
            "discard all",
        ],
        expect![[r#"
            set role admin
              set-role: set-role role admin
            set local role 'admin'
              set-role: set-role role admin
            set session role none
              set-role: set-role role none
            set role = x
              set-role: set-role role x
            SET ROLE TO DEFAULT
              set-role: set-role role default
            set "role" to admin
              set-role: set-role role admin
            set "ROLE" = admin
              set-role: set-role role admin
            reset role
              set-role: set-role database
            set session authorization bob
              set-role: set-role role bob
            set local session authorization bob
              set-role: set-role role bob
            set session session authorization default
              set-role: set-role role default
            set session_authorization = bob
              set-role: set-role role bob
            reset session authorization
              set-role: set-role database
            select set_config('role', 'admin', false)
              set-role: set-role role admin | calls set_config
            select pg_catalog.set_config('ROLE', $1, true)
              set-role: set-role database | calls pg_catalog.set_config
            select "set_config"(E'r\x6fle', 'x', true)
              set-role: set-role role x | calls set_config
            select set_config('ro' || 'le', 'admin', false)
              set-role: set database, set-role database | calls set_config | dynamic
            select set_config(setting_name => 'role', new_value => 'x', is_local => true)
              set-role: set database, set-role database | calls set_config | dynamic
            select set_config('search_path', '', false)
              set: set setting search_path | calls set_config
            select set_config($1, $2, false)
              set-role: set database, set-role database | calls set_config | dynamic
            select public.set_config('role', 'x', false)
              call: call public.set_config() | calls public.set_config
            set role.x = 1
              set: set setting role.x
            discard all
              set: transaction database, set setting all | forget None
        "#]],
    );
}

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
fn definitions_show_what_they_will_run() {
    check_all(
        &[
            "create view v as select * from secret",
            "create materialized view v as select f(a) from secret with no data",
            "create recursive view v (a) as select 1 union select a from v",
            "create table t as select * from u",
            "create table t as execute p",
            "create temp table users (a int)",
            "create table p1 partition of p for values in (1)",
            "create table c (a int default f(1), b int references u(b), like l) inherits (i)",
            "create function f() returns int language sql as 'delete from t'",
            "create function f() returns int begin atomic delete from t; select 1; end",
            "create function f() returns int return (select a from t)",
            "create or replace function f() returns trigger as $$begin; end$$ language plpgsql security definer",
            "create trigger tr after insert on t for each row execute function f()",
            "create rule r as on select to t do instead select * from u",
            "create rule r as on insert to t do also (delete from u; notify c)",
            "create index on t (f(a)) where g(b)",
            "create policy p on t using (exists (select 1 from u where f(1)))",
            "create event trigger e on ddl_command_end execute function f()",
            "alter table t add column a int default f(1)",
            "alter table t alter a type int using f(a), add constraint c check (g(a))",
            "alter table t attach partition p for values in (1)",
            "alter table t rename to u",
            "alter table t owner to r",
            "create schema s create table t (a int) create view v as select * from u",
            "create publication p for table a, b where (c > 1)",
            "create publication p for all tables",
            "create statistics on a, f(b) from t",
            "create extension dblink",
            "create foreign table f (a int) server s",
            "import foreign schema x from server s into y",
            "create type t as (a int)",
            "create table t (a int check (a is distinct from f(1) and a operator(x.+) g(2) > 0))",
            "create table t (a int default f((with u as (select 1) select a b c)), b int references u)",
            "create domain d as text check (f(value))",
            "create aggregate a (int) (sfunc = f, stype = int)",
        ],
        expect![[r#"
            create view v as select * from secret
              create: select secret, create v
            create materialized view v as select f(a) from secret with no data
              create: select secret, create v, call f() | calls f
            create recursive view v (a) as select 1 union select a from v
              create: create v
            create table t as select * from u
              create: select u, create t
            create table t as execute p
              unreadable: create t, unreadable database | dynamic
            create temp table users (a int)
              create: create pg_temp.users
            create table p1 partition of p for values in (1)
              alter: create p1, alter p
            create table c (a int default f(1), b int references u(b), like l) inherits (i)
              alter: select l, select u, create c, alter i, call f() | calls f
            create function f() returns int language sql as 'delete from t'
              create: create f() | dynamic
            create function f() returns int begin atomic delete from t; select 1; end
              create: delete t, create f() | no where
            create function f() returns int return (select a from t)
              create: select t, create f()
            create or replace function f() returns trigger as $$begin; end$$ language plpgsql security definer
              create: create f() | dynamic
            create trigger tr after insert on t for each row execute function f()
              alter: create trigger tr, alter t, call f() | calls f
            create rule r as on select to t do instead select * from u
              alter: select u, create rule r, alter t
            create rule r as on insert to t do also (delete from u; notify c)
              alter: notify channel c, delete u, create rule r, alter t | no where
            create index on t (f(a)) where g(b)
              alter: create index on t, alter t, call f(), call g() | calls f g
            create policy p on t using (exists (select 1 from u where f(1)))
              alter: select u, create policy p, alter t, call f() | calls f
            create event trigger e on ddl_command_end execute function f()
              create: create event trigger e, call f() | calls f
            alter table t add column a int default f(1)
              alter: alter t, call f() | calls f
            alter table t alter a type int using f(a), add constraint c check (g(a))
              alter: alter t, call f(), call g() | calls f g
            alter table t attach partition p for values in (1)
              alter: alter p, alter t
            alter table t rename to u
              alter: alter t
            alter table t owner to r
              grant: alter t, grant role r
            create schema s create table t (a int) create view v as select * from u
              create: select u, create schema s, create t, create v
            create publication p for table a, b where (c > 1)
              create: select a, select b, create publication p
            create publication p for all tables
              create: select database, create publication p
            create statistics on a, f(b) from t
              alter: create database, alter t, call f() | calls f
            create extension dblink
              create: create extension dblink
            create foreign table f (a int) server s
              create: create f
            import foreign schema x from server s into y
              create: create schema y, create server s
            create type t as (a int)
              create: create type t
            create table t (a int check (a is distinct from f(1) and a operator(x.+) g(2) > 0))
              create: create t, call f(), call g() | calls f g
            create table t (a int default f((with u as (select 1) select a b c)), b int references u)
              unreadable: not understood as PostgreSQL
            create domain d as text check (f(value))
              create: create domain d, call f() | calls f
            create aggregate a (int) (sfunc = f, stype = int)
              create: create a()
        "#]],
    );
}

#[test]
fn administration_is_named() {
    check_all(
        &[
            "do $$begin delete from t; end$$",
            "do language plpythonu 'x'",
            "copy t from program 'curl x'",
            "copy t to '/tmp/x'",
            "copy (select * from t) to program 'x'",
            "copy t (a, b) to stdout with (format csv)",
            "copy t from stdin",
            "alter system set a = b",
            "alter role r set search_path = x",
            "alter role all in database d reset all",
            "create role r in role admin, x",
            "create user u superuser password 'x'",
            "drop role a, b",
            "alter group g add user u",
            "grant select on t to r",
            "grant all on all tables in schema s to public",
            "grant admin to r with admin option",
            "revoke grant option for select (a) on table s.t, u from r cascade",
            "grant execute on function f(int) to r",
            "grant set on parameter work_mem to r",
            "alter default privileges in schema s grant select on tables to r",
            "reassign owned by a to b",
            "drop owned by a",
            "load 'x'",
            "prepare transaction 'x'",
            "commit prepared 'x'",
            "vacuum full a, b",
            "analyze t (a)",
            "cluster t using i",
            "reindex table concurrently t",
            "reindex schema s",
            "refresh materialized view concurrently v",
            "checkpoint",
            "lock table a, b in access exclusive mode nowait",
            "select * from a, b x for update of x skip locked",
            "select * from (select * from a) x for no key update",
            "listen c",
            "notify c, 'x'",
            "unlisten *",
            "truncate a, b cascade",
            "drop table a, s.b cascade",
            "drop function f(int), g",
            "drop trigger t on s.u",
            "comment on column s.t.c is 'x'",
            "security label for p on table t is 'x'",
            "alter extension e add table t",
            "drop database d with (force)",
        ],
        expect![[r#"
            do $$begin delete from t; end$$
              do: do database | dynamic
            do language plpythonu 'x'
              do: do database | dynamic
            copy t from program 'curl x'
              server-file: insert t, server-file database
            copy t to '/tmp/x'
              server-file: select t, server-file database
            copy (select * from t) to program 'x'
              server-file: select t, server-file database
            copy t (a, b) to stdout with (format csv)
              copy-out: select t, copy-out t
            copy t from stdin
              copy-in: insert t, copy-in t
            alter system set a = b
              administer: administer setting a
            alter role r set search_path = x
              role: role role r
            alter role all in database d reset all
              role: role role all
            create role r in role admin, x
              role: role role admin, role role r, role role x
            create user u superuser password 'x'
              role: role role u
            drop role a, b
              role: role role a, role role b
            alter group g add user u
              role: role role g, role role u
            grant select on t to r
              grant: grant t, grant role r
            grant all on all tables in schema s to public
              grant: grant schema s, grant role public
            grant admin to r with admin option
              grant: grant role admin, grant role r
            revoke grant option for select (a) on table s.t, u from r cascade
              grant: grant u, grant s.t, grant role r
            grant execute on function f(int) to r
              grant: grant f(), grant role r
            grant set on parameter work_mem to r
              grant: grant setting work_mem, grant role r
            alter default privileges in schema s grant select on tables to r
              grant: grant database, grant schema s, grant role r
            reassign owned by a to b
              grant: grant role a, grant role b
            drop owned by a
              drop: drop database, drop role a
            load 'x'
              administer: administer database
            prepare transaction 'x'
              administer: administer database
            commit prepared 'x'
              administer: administer database
            vacuum full a, b
              maintain: maintain a, maintain b
            analyze t (a)
              maintain: maintain t
            cluster t using i
              maintain: maintain i, maintain t
            reindex table concurrently t
              maintain: maintain t
            reindex schema s
              maintain: maintain schema s
            refresh materialized view concurrently v
              maintain: maintain v
            checkpoint
              maintain: maintain database
            lock table a, b in access exclusive mode nowait
              lock: lock a, lock b
            select * from a, b x for update of x skip locked
              lock: select a, select b, lock b
            select * from (select * from a) x for no key update
              lock: select a, lock a
            listen c
              listen: listen channel c
            notify c, 'x'
              notify: notify channel c
            unlisten *
              transaction: transaction database
            truncate a, b cascade
              truncate: truncate database, truncate a, truncate b
            drop table a, s.b cascade
              drop: drop database, drop a, drop s.b
            drop function f(int), g
              drop: drop f(), drop g()
            drop trigger t on s.u
              drop: alter s.u, drop trigger t
            comment on column s.t.c is 'x'
              alter: alter s.t
            security label for p on table t is 'x'
              alter: alter t
            alter extension e add table t
              alter: alter t, alter extension e
            drop database d with (force)
              drop: drop database d
        "#]],
    );
}

#[test]
fn named_statements_carry_what_they_do() {
    check_all(
        &[
            "prepare p (int) as delete from t where a = $1",
            "execute p(f(1))",
            "deallocate p",
            "deallocate prepare all",
            "declare c binary no scroll cursor with hold for select * from t limit 3",
            "fetch 10 from c",
            "fetch next from \"C\"",
            "move backward all in c",
            "close c",
            "close all",
            "prepare p as execute q",
            "create table t as execute p(1)",
        ],
        expect![[r#"
            prepare p (int) as delete from t where a = $1
              delete: delete t | prepare p
            execute p(f(1))
              unreadable: call f(), unreadable database | calls f | dynamic | execute p
            deallocate p
              transaction: transaction database | forget Some("p")
            deallocate prepare all
              transaction: transaction database | forget None
            declare c binary no scroll cursor with hold for select * from t limit 3
              select: select t | limit 3 | declare c
            fetch 10 from c
              unreadable: unreadable database | dynamic | fetch c
            fetch next from "C"
              unreadable: unreadable database | dynamic | fetch C
            move backward all in c
              unreadable: unreadable database | dynamic | fetch c
            close c
              transaction: transaction database | forget Some("c")
            close all
              transaction: transaction database | forget None
            prepare p as execute q
              unreadable: not understood as PostgreSQL
            create table t as execute p(1)
              unreadable: create t, unreadable database | dynamic
        "#]],
    );
}

#[test]
fn one_bad_statement_does_not_taint_the_others() {
    check_all(
        &[
            "select 1; selekt 2; delete from t",
            ";;; select 1;;;;",
            "",
            " -- nothing\n /* here */ ; ",
            "select (1; select 2)",
            "select 1) ; (select 2",
            "select 'a; delete from t",
            "select /* a; delete from t",
            "select 1; select $a; delete from t",
            "create function f() returns int begin atomic select case when true then 1 end; end; drop table t",
        ],
        expect![[r#"
            select 1; selekt 2; delete from t
              select: select database | clean [true]
              unreadable: not understood as PostgreSQL
              delete: delete t | no where
            ;;; select 1;;;;
              select: select database | clean [true]

             -- nothing\n /* here */ ; 
            select (1; select 2)
              unreadable: not understood as PostgreSQL
            select 1) ; (select 2
              unreadable: unbalanced parentheses
            select 'a; delete from t
              unreadable: a quoted string that does not end
            select /* a; delete from t
              unreadable: a comment that does not end
            select 1; select $a; delete from t
              unreadable: a dollar sign on its own
            create function f() returns int begin atomic select case when true then 1 end; end; drop table t
              create: create f()
              drop: drop t
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
fn limits_that_go_on_are_no_limits() {
    check_all(
        &[
            "select * from t limit 5 operator(pg_catalog.*) 100",
            "select * from t limit 5 like '1'",
            "select * from t limit 5::int",
            "select * from t order by a fetch first rows with ties",
            "select * from t order by a fetch first 5 rows with ties",
            "select * from t limit 5 offset 2",
            "select * from t limit 5 for update",
            "select * from t offset 2 fetch next 5 rows only",
        ],
        expect![[r#"
            select * from t limit 5 operator(pg_catalog.*) 100
              select: select t
            select * from t limit 5 like '1'
              select: select t
            select * from t limit 5::int
              select: select t
            select * from t order by a fetch first rows with ties
              select: select t
            select * from t order by a fetch first 5 rows with ties
              select: select t
            select * from t limit 5 offset 2
              select: select t | limit 5
            select * from t limit 5 for update
              lock: select t, lock t | limit 5
            select * from t offset 2 fetch next 5 rows only
              select: select t | limit 5
        "#]],
    );
}

#[test]
fn publications_send_all_they_name() {
    check_all(
        &[
            "create publication p for tables in schema a, b, current_schema, \"current_schema\"",
            "create publication p for table a, tables, tables in schema s, t, table only (b), c (d) where (f(e))",
            "create publication p for all tables with (publish = 'insert')",
            "alter publication p set table tables",
            "alter publication p add tables in schema a, b, table c",
            "alter publication p drop table a, b",
            "alter publication p owner to r",
            "alter publication p rename to tables",
            "alter publication p set (publish = 'insert')",
            "grant set on parameter \"None.Such\", WORK_MEM to r",
        ],
        expect![[r#"
            create publication p for tables in schema a, b, current_schema, "current_schema"
              create: select database, select schema a, select schema b, select schema current_schema, create publication p
            create publication p for table a, tables, tables in schema s, t, table only (b), c (d) where (f(e))
              create: select schema s, select schema t, select a, select b, select c, select tables, create publication p, call f() | calls f
            create publication p for all tables with (publish = 'insert')
              create: select database, create publication p
            alter publication p set table tables
              alter: select tables, alter publication p
            alter publication p add tables in schema a, b, table c
              alter: select schema a, select schema b, select c, alter publication p
            alter publication p drop table a, b
              alter: select a, select b, alter publication p
            alter publication p owner to r
              grant: alter publication p, grant role r
            alter publication p rename to tables
              alter: alter publication p
            alter publication p set (publish = 'insert')
              alter: alter publication p
            grant set on parameter "None.Such", WORK_MEM to r
              grant: grant setting none.such, grant setting work_mem, grant role r
        "#]],
    );
}

#[test]
fn statements_inside_statements_keep_their_own_effects() {
    check_all(
        &[
            "create function f() returns int begin atomic explain delete from t; end",
            "create function f() begin atomic create procedure p() begin atomic end; end",
            "create function f() begin atomic delete from t; end; drop table u",
            "create function f() begin atomic select 1 case; end; drop table u; select 1 end",
            "create function f() begin atomic select atomic end; delete from t; end; drop table u",
            "create function f(begin atomic) language sql as ''; drop table u; select 1 end",
            "create or replace procedure p() begin atomic end; drop table u",
            "create view v as select * from begin atomic; drop table u; select 1 end",
        ],
        expect![[r#"
            create function f() returns int begin atomic explain delete from t; end
              create: select t, explain database, create f() | no where
            create function f() begin atomic create procedure p() begin atomic end; end
              unreadable: a function body inside another
            create function f() begin atomic delete from t; end; drop table u
              create: delete t, create f() | no where
              drop: drop u
            create function f() begin atomic select 1 case; end; drop table u; select 1 end
              create: create f()
              drop: drop u
              select: select database | clean [true]
            create function f() begin atomic select atomic end; delete from t; end; drop table u
              create: delete t, create f() | no where
              drop: drop u
            create function f(begin atomic) language sql as ''; drop table u; select 1 end
              create: create f() | dynamic
              drop: drop u
              select: select database | clean [true]
            create or replace procedure p() begin atomic end; drop table u
              create: create p()
              drop: drop u
            create view v as select * from begin atomic; drop table u; select 1 end
              create: select begin, create v
              drop: drop u
              select: select database | clean [true]
        "#]],
    );
}

#[test]
fn definitions_hide_no_queries() {
    check_all(
        &[
            "create policy p on t using ((table secrets))",
            "create policy p on t for select to r using (((select 1) union select a from secrets))",
            "create policy p on t with check (a in (table b))",
            "create policy p on t using (true) with check (((((values (1)) except table b))))",
            "create table t (a int check ((((with x as (table b) table x))) > 0))",
            "create table t (a int default (1 + (table b)), b int generated always as (((table c))) stored)",
            "create trigger g after update on t for each row when (old.a in (table b)) execute function f()",
            "create index on t (a) where a = any (array(table b))",
            "alter policy p on t using (exists (table b)) with check (f(a) between g(1) and 2)",
            "alter table t alter column a type int using (table b)",
            "alter table t alter a set default ((table b))",
            "create domain d as int default f(1) check (value between f(2) and g(3))",
            "create table t (a int, exclude using gist (a with =, (f(b)) with operator(s.+)) where (g(a)))",
            "create table t (values int)",
            "create table t (a int) partition by range ((a between f(1) and 2), g(a) int_ops)",
            "create table t partition of p for values from (f(1)) to ((table b))",
        ],
        expect![[r#"
            create policy p on t using ((table secrets))
              alter: select secrets, create policy p, alter t
            create policy p on t for select to r using (((select 1) union select a from secrets))
              alter: select secrets, create policy p, alter t
            create policy p on t with check (a in (table b))
              alter: select b, create policy p, alter t
            create policy p on t using (true) with check (((((values (1)) except table b))))
              alter: select b, create policy p, alter t
            create table t (a int check ((((with x as (table b) table x))) > 0))
              create: select b, create t
            create table t (a int default (1 + (table b)), b int generated always as (((table c))) stored)
              create: select b, select c, create t
            create trigger g after update on t for each row when (old.a in (table b)) execute function f()
              alter: select b, create trigger g, alter t, call f() | calls f
            create index on t (a) where a = any (array(table b))
              alter: select b, create index on t, alter t
            alter policy p on t using (exists (table b)) with check (f(a) between g(1) and 2)
              alter: select b, alter t, alter policy p, call f(), call g() | calls f g
            alter table t alter column a type int using (table b)
              alter: select b, alter t
            alter table t alter a set default ((table b))
              alter: select b, alter t
            create domain d as int default f(1) check (value between f(2) and g(3))
              create: create domain d, call f(), call g() | calls f g
            create table t (a int, exclude using gist (a with =, (f(b)) with operator(s.+)) where (g(a)))
              create: create t, call f(), call g() | calls f g
            create table t (values int)
              create: create t
            create table t (a int) partition by range ((a between f(1) and 2), g(a) int_ops)
              create: create t, call f(), call g() | calls f g
            create table t partition of p for values from (f(1)) to ((table b))
              alter: select b, create t, alter p, call f() | calls f
        "#]],
    );
}

#[test]
fn definitions_hide_no_calls() {
    check_all(
        &[
            "create function g(a int default exclude()) returns int language sql as 'select 1'",
            "create function g(a int = key(), b int default include(), c int = storage()) language sql as 'x'",
            "create function g() returns int language sql set work_mem to default begin atomic delete from t; end",
            "create function g() returns int set work_mem = default return f()",
            "create table t (a int default treat('/etc/hostname' as pg_read_file))",
            "create table t (a int default f(treat('/etc/hostname' as pg_read_file)))",
            "create table t (a int default (not treat('/etc/hostname' as pg_read_file)))",
            "create table t (a xml check (xmlexists('x' passing by(1))))",
            "create table t (a int check (a between f(1) and g(2)), b text default substring(h(1)))",
            "create table t (a int references u on delete set default on update set default, b int default 1 not null)",
            "create table t (a int generated by default as identity (start 1), b varchar(10) default 'x'::varchar(3) collate \"C\")",
            "create table t (a int primary key, foreign key (a) references u (b), exclude (a with =), primary key (a) include (b))",
            "create table t partition of p default partition by list (f(a))",
            "alter table t alter a drop default, alter b set default f(1), attach partition q default",
            "alter table t add constraint c check (f(a)) not valid, add exclude using gist (a with &&)",
            "alter table t add b int generated always as (f(a)) stored, alter c set expression as (g(a))",
        ],
        expect![[r#"
            create function g(a int default exclude()) returns int language sql as 'select 1'
              create: create g(), call exclude() | calls exclude | dynamic
            create function g(a int = key(), b int default include(), c int = storage()) language sql as 'x'
              create: create g(), call include(), call key(), call storage() | calls include key storage | dynamic
            create function g() returns int language sql set work_mem to default begin atomic delete from t; end
              create: delete t, create g() | no where
            create function g() returns int set work_mem = default return f()
              create: create g(), call f() | calls f
            create table t (a int default treat('/etc/hostname' as pg_read_file))
              unreadable: TREAT calls a function by a type's name
            create table t (a int default f(treat('/etc/hostname' as pg_read_file)))
              unreadable: TREAT calls a function by a type's name
            create table t (a int default (not treat('/etc/hostname' as pg_read_file)))
              unreadable: TREAT calls a function by a type's name
            create table t (a xml check (xmlexists('x' passing by(1))))
              create: create t, call by() | calls by xmlexists
            create table t (a int check (a between f(1) and g(2)), b text default substring(h(1)))
              create: create t, call f(), call g(), call h() | calls f g h substring
            create table t (a int references u on delete set default on update set default, b int default 1 not null)
              create: select u, create t
            create table t (a int generated by default as identity (start 1), b varchar(10) default 'x'::varchar(3) collate "C")
              create: create t
            create table t (a int primary key, foreign key (a) references u (b), exclude (a with =), primary key (a) include (b))
              create: select u, create t
            create table t partition of p default partition by list (f(a))
              alter: create t, alter p, call f() | calls f
            alter table t alter a drop default, alter b set default f(1), attach partition q default
              alter: alter q, alter t, call f() | calls f
            alter table t add constraint c check (f(a)) not valid, add exclude using gist (a with &&)
              alter: alter t, call f() | calls f
            alter table t add b int generated always as (f(a)) stored, alter c set expression as (g(a))
              alter: alter t, call f(), call g() | calls f g
        "#]],
    );
}

#[test]
fn no_setting_of_a_row_is_known_but_the_one_of_pg_dump() {
    check_all(
        &[
            "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'admin', false) from pg_settings where name = 'ROLE'",
            "select set_config(name, 'x', false) from pg_settings where name = 'work_mem'",
            "select set_config(name, 'x', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' or true",
            "select set_config(name, 'view', false) from pg_settings where name <> 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = $1",
            "select set_config(name, 'view', false) from s.pg_settings where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from t where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' union table t",
            "prepare p as select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'",
        ],
        expect![[r#"
            SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
              set: select pg_settings, set setting restrict_nonsystem_relation_kind | calls set_config
            select set_config(name, 'admin', false) from pg_settings where name = 'ROLE'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'x', false) from pg_settings where name = 'work_mem'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'x', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' or true
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name <> 'restrict_nonsystem_relation_kind'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = $1
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from s.pg_settings where name = 'restrict_nonsystem_relation_kind'
              set-role: select s.pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from t where name = 'restrict_nonsystem_relation_kind'
              set-role: select t, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' union table t
              set-role: select pg_settings, select t, set database, set-role database | calls set_config | dynamic
            prepare p as select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'
              set: select pg_settings, set setting restrict_nonsystem_relation_kind | calls set_config | prepare p
        "#]],
    );
}

#[test]
fn writing_to_the_catalogue_is_more_than_writing_rows() {
    check_all(
        &[
            "update pg_settings set setting = 'admin' where name = 'role'",
            "update pg_catalog.pg_settings s set setting = 'off' from t where s.name = t.name",
            "with x as (update only pg_settings set setting = 'off' where true) select 1",
            "prepare p as update pg_settings set setting = $1 where name = $2",
            "update public.pg_settings set setting = 'x' where true",
            "update pg_attribute set attname = 'city2' where attname = 'ssn'",
            "insert into pg_auth_members select * from t",
            "delete from pg_catalog.pg_policy where true",
            "merge into pg_class c using t on c.oid = t.a when matched then update set relname = 'x'",
            "select * from pg_settings for update",
            "with pg_class as (select 1) select * from pg_class",
        ],
        expect![[r#"
            update pg_settings set setting = 'admin' where name = 'role'
              set-role: set database, update pg_settings, set-role database | dynamic
            update pg_catalog.pg_settings s set setting = 'off' from t where s.name = t.name
              set-role: select t, set database, update pg_catalog.pg_settings, set-role database | dynamic
            with x as (update only pg_settings set setting = 'off' where true) select 1
              set-role: set database, update pg_settings, set-role database | dynamic | clean [true]
            prepare p as update pg_settings set setting = $1 where name = $2
              set-role: set database, update pg_settings, set-role database | dynamic | prepare p
            update public.pg_settings set setting = 'x' where true
              update: update public.pg_settings
            update pg_attribute set attname = 'city2' where attname = 'ssn'
              alter: update pg_attribute, alter pg_attribute
            insert into pg_auth_members select * from t
              alter: select t, insert pg_auth_members, alter pg_auth_members
            delete from pg_catalog.pg_policy where true
              alter: delete pg_catalog.pg_policy, alter pg_catalog.pg_policy
            merge into pg_class c using t on c.oid = t.a when matched then update set relname = 'x'
              alter: select t, update pg_class, merge pg_class, alter pg_class
            select * from pg_settings for update
              lock: select pg_settings, lock pg_settings
            with pg_class as (select 1) select * from pg_class
              select: select database
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

#[test]
fn a_statement_after_a_thousand_semicolons_is_found() {
    let text = format!("select 1{} delete from t", ";".repeat(1000));
    check(
        &text,
        expect![[r#"
        select: select database | clean [true]
        delete: delete t | no where
    "#]],
    );
}

#[test]
fn settings_change_the_reading() {
    let escaping = Reading {
        standard_conforming_strings: false,
        ..USUAL
    };
    let other_encoding = Reading {
        utf8: false,
        ..USUAL
    };
    let latin_database = Reading {
        server_utf8: false,
        ..USUAL
    };
    let cases = [
        (r"select 'a\'; delete from t; --'", escaping),
        ("select 'a'; delete from t", escaping),
        ("select U&'a'", escaping),
        ("select 'ä'", other_encoding),
        ("select 'a'", other_encoding),
        ("select 'a\0'", USUAL),
        ("select 'ä' from t", latin_database),
        ("select 1 from Ä", latin_database),
        ("select 1 from \"Ä\"", latin_database),
    ];
    let mut all = String::new();
    for (text, reading) in cases {
        all.push_str(&render(&analyze(text, reading)));
    }
    expect![[r#"
        unreadable: a backslash in a plain string while `standard_conforming_strings` is off
        select: select database | clean [true]
        delete: delete t | no where
        unreadable: a string with Unicode escapes while `standard_conforming_strings` is off
        unreadable: text outside ASCII while the client encoding is not UTF-8
        select: select database | clean [true]
        unreadable: NUL inside the text
        select: select t | clean [true]
        unreadable: a name outside ASCII in a database that is not UTF-8
        unreadable: a name outside ASCII in a database that is not UTF-8
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_name_of_several_parts_locks_them_all() {
    check_all(
        &[
            "select * from (select * from a) x, x for update of x",
            "select * from (with w as (select 1 from x) select * from b) x for share of x",
            "select * from (a cross join b) x, x y for share of x",
            "select * from (select * from a) y, x for update of x",
        ],
        expect![[r#"
            select * from (select * from a) x, x for update of x
              lock: select a, select x, lock a, lock x
            select * from (with w as (select 1 from x) select * from b) x for share of x
              lock: select b, select x, lock b, lock x
            select * from (a cross join b) x, x y for share of x
              lock: select a, select b, select x, lock a, lock b, lock x
            select * from (select * from a) y, x for update of x
              lock: select a, select x, lock x
        "#]],
    );
}

#[test]
fn a_setting_has_a_name_of_any_length() {
    check_all(
        &[
            "grant set on parameter a . b . c, a.b.c.d to r",
            "alter system set a . b . excluding = true",
        ],
        expect![[r#"
            grant set on parameter a . b . c, a.b.c.d to r
              grant: grant setting a.b.c, grant setting a.b.c.d, grant role r
            alter system set a . b . excluding = true
              administer: administer setting a.b.excluding
        "#]],
    );
}

#[test]
fn a_type_called_return_is_no_body() {
    check_all(
        &[
            "create function f() returns return language internal as 'x'",
            "create function f() returns setof s.return language sql return 1",
            "create function f() returns int return pg_reload_conf()",
            "create function f() returns returns return pg_reload_conf()",
            "create function f(out a int) set x to returns return pg_reload_conf()",
            "create function f() returns table (return int) return pg_reload_conf()",
            "create function f() returns begin begin atomic select pg_reload_conf(); end",
        ],
        expect![[r#"
            create function f() returns return language internal as 'x'
              create: create f() | dynamic
            create function f() returns setof s.return language sql return 1
              create: create f()
            create function f() returns int return pg_reload_conf()
              administer: create f(), administer pg_reload_conf() | calls pg_reload_conf
            create function f() returns returns return pg_reload_conf()
              administer: create f(), administer pg_reload_conf() | calls pg_reload_conf
            create function f(out a int) set x to returns return pg_reload_conf()
              administer: create f(), administer pg_reload_conf() | calls pg_reload_conf
            create function f() returns table (return int) return pg_reload_conf()
              administer: create f(), administer pg_reload_conf() | calls pg_reload_conf
            create function f() returns begin begin atomic select pg_reload_conf(); end
              administer: create f(), administer pg_reload_conf() | calls pg_reload_conf
        "#]],
    );
}
