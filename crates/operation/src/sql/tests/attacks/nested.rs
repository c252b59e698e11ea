//! Statements inside others, and what their parts are called.

use expect_test::expect;

use super::super::check_all;

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
