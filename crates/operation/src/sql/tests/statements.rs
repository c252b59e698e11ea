//! Facts and outputs.

use expect_test::expect;

use super::check_all;

#[test]
fn limits_are_the_outermost_literal() {
    check_all(
        &[
            "select * from t limit 5",
            "select * from t fetch first 7 rows only",
            "select * from t fetch next row only",
            "select * from t fetch first 7 rows with ties",
            "select * from (select * from t limit 5) x",
            "select * from t limit $1",
            "select * from t limit 5 + 5",
            "select * from t limit all",
            "select a from t union select a from u limit 3 offset 2",
        ],
        expect![[r#"
            select * from t limit 5
              select: select t | limit 5
            select * from t fetch first 7 rows only
              select: select t | limit 7
            select * from t fetch next row only
              select: select t | limit 1
            select * from t fetch first 7 rows with ties
              select: select t
            select * from (select * from t limit 5) x
              select: select t
            select * from t limit $1
              select: select t
            select * from t limit 5 + 5
              select: select t
            select * from t limit all
              select: select t
            select a from t union select a from u limit 3 offset 2
              select: select t, select u | limit 3
        "#]],
    );
}

#[test]
fn where_is_missed_anywhere() {
    check_all(
        &[
            "update t set a = 1",
            "delete from t",
            "delete from t where true",
            "delete from t where current of c",
            "with x as (delete from t) select 1 where true",
            "update t set a = 1 from u where t.a = u.a",
            "update t set set = 1 where x",
            "update t as x set a = 1 where b returning *",
            "delete from t using u, v where t.a = u.a returning t.a",
        ],
        expect![[r#"
            update t set a = 1
              update: update t | no where
            delete from t
              delete: delete t | no where
            delete from t where true
              delete: delete t
            delete from t where current of c
              delete: delete t
            with x as (delete from t) select 1 where true
              delete: delete t | no where | clean [true]
            update t set a = 1 from u where t.a = u.a
              update: select u, update t
            update t set set = 1 where x
              update: update t
            update t as x set a = 1 where b returning *
              update: select t, update t
            delete from t using u, v where t.a = u.a returning t.a
              delete: select t, select u, select v, delete t
        "#]],
    );
}

#[test]
fn clean_outputs_are_proved() {
    check_all(
        &[
            "select count(*), 1, 'x' as y, now() - '1 day', null from users",
            "select count(ssn) as n, count(*) filter (where ssn like '1%') from users",
            "select version(), current_user, 1 + 2 * 3, $1, true and not false",
            "select 1::int, 'x'::text t, 2 two",
            "select ssn, max(ssn), length(ssn), ssn is null from users",
            "select *, 1 from users",
            "select u.*, 1 from users u",
            "select 1 from a union select ssn from b",
            "select public.count(ssn), s.now() from t",
            "select pg_catalog.count(*), pg_catalog.user from users as pg_catalog",
            "select (select ssn from users), (count(*))",
            "select now, count, user from t",
            "select 1 is distinct from ssn, ssn from t",
            "select '1'::mine, 1 operator(public.+) 2, 1 +++ 2",
            "select distinct 1 from t",
            "select distinct on (a) 1 from t",
            "select count(*) over (partition by ssn) from t",
            "select 1 as from, 2 as union from t",
            "select (ssn) from t",
            "select 1 into t2 from t",
            "with x as (select ssn from users) select count(*), 1, ssn from x limit 3",
            "show all",
            "show server_version",
            "select from t",
            "select not ssn, true and ssn, false or ssn from t",
            "select filter(ssn), count(*) filter (where true) from t",
            "select t.* as x, 1 from t",
            "select (f(1)).* y, 1 from t",
            "select treat('/etc/hostname' as pg_read_file)",
        ],
        expect![[r#"
            select count(*), 1, 'x' as y, now() - '1 day', null from users
              select: select users | calls count now | clean [true, true, true, true, true]
            select count(ssn) as n, count(*) filter (where ssn like '1%') from users
              select: select users | calls count | clean [true, true]
            select version(), current_user, 1 + 2 * 3, $1, true and not false
              select: select database | calls current_user version | clean [true, true, true, true, true]
            select 1::int, 'x'::text t, 2 two
              select: select database | clean [true, true, true]
            select ssn, max(ssn), length(ssn), ssn is null from users
              select: select users | calls length max
            select *, 1 from users
              select: select users
            select u.*, 1 from users u
              select: select users
            select 1 from a union select ssn from b
              select: select a, select b
            select public.count(ssn), s.now() from t
              call: select t, call public.count(), call s.now() | calls public.count s.now
            select pg_catalog.count(*), pg_catalog.user from users as pg_catalog
              select: select users | calls pg_catalog.count | clean [true, false]
            select (select ssn from users), (count(*))
              select: select users | calls count | clean [false, true]
            select now, count, user from t
              select: select t | calls user | clean [false, false, true]
            select 1 is distinct from ssn, ssn from t
              select: select t
            select '1'::mine, 1 operator(public.+) 2, 1 +++ 2
              select: select database | clean [false, false, true]
            select distinct 1 from t
              select: select t | clean [true]
            select distinct on (a) 1 from t
              select: select t
            select count(*) over (partition by ssn) from t
              select: select t | calls count
            select 1 as from, 2 as union from t
              select: select t
            select (ssn) from t
              select: select t
            select 1 into t2 from t
              create: select t, create t2
            with x as (select ssn from users) select count(*), 1, ssn from x limit 3
              select: select users | calls count | limit 3 | clean [true, true, false]
            show all
              show: show setting all | clean [true, true, true]
            show server_version
              show: show setting server_version | clean [true]
            select from t
              select: select t
            select not ssn, true and ssn, false or ssn from t
              select: select t
            select filter(ssn), count(*) filter (where true) from t
              call: select t, call filter() | calls count filter | clean [false, true]
            select t.* as x, 1 from t
              select: select t
            select (f(1)).* y, 1 from t
              call: select t, call f() | calls f
            select treat('/etc/hostname' as pg_read_file)
              unreadable: TREAT calls a function by a type's name
        "#]],
    );
}
