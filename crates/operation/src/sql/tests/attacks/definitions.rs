//! Definitions: what they will run, read and send.

use expect_test::expect;

use super::super::check_all;

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
