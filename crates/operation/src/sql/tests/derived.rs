//! What output columns are computed from.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::columns::show_all;
use super::{USUAL, analyze};
use crate::sql::Named;

#[track_caller]
fn check(texts: &[&str], expected: Expect) {
    let mut all = String::new();
    for text in texts {
        writeln!(all, "{text}").unwrap();
        for statement in analyze(text, USUAL).statements {
            let derived = match &statement.named {
                Some(Named::Prepare { statement, .. } | Named::Declare { statement, .. }) => {
                    &statement.derived
                }
                _ => &statement.derived,
            };
            let shown: Vec<String> = derived
                .iter()
                .map(|one| match one {
                    None => "?".to_owned(),
                    Some(mentions) => format!("[{}]", show_all(mentions)),
                })
                .collect();
            let line = if shown.is_empty() {
                "nothing".to_owned()
            } else {
                shown.join(", ")
            };
            writeln!(all, "  {line}").unwrap();
        }
    }
    expected.assert_eq(&all);
}

#[test]
fn expressions_are_made_of_the_columns_they_name() {
    check(
        &[
            "select upper(name), id + 1, lower(u.city) from users u",
            "select sum(o.total), max(id), count(*) from orders o",
            "select coalesce(name, 'x'), case when id = 1 then name else city end from users",
            "select total::float8, cast(total as numeric(10, 2)), total::double precision from orders",
            "select extract(year from born), born at time zone 'UTC', substring(name from 1 for 2) from users",
            "select row_number() over (order by id), rank() over (partition by ssn) from users",
            "select string_agg(distinct name, ', ' order by name) filter (where id > 1) from users",
            "select name || ' ' || \"City\", t.name like 'a%' from t",
            "select date_trunc('day', at), date '2020-01-01' - at, interval '1 day' from t",
            "select upper(x) from (select ssn as x from users) s",
            "select upper(x), upper(s.x) from (select ssn as x, id from users) s",
            "with c(x) as (select ssn from users) select lower(c.x), lower(x) from c",
            "select upper(c) from users as u(a, b, c)",
            "select upper(x) from users u, lower(u.ssn) x",
            "select to_json(u), concat(u) from users u",
            "select concat(users) from users",
            "prepare p as select upper(name) from users",
            "declare c cursor for select upper(name) from users",
            "with t as (select user_id, sum(total) as s from orders group by 1) select round(t.s, 2), upper(u.name) from users u join t on t.user_id = u.id",
            "select upper(s.n) from (select name as n, * from users) s, lateral (select s.n || 'x' as m) l",
            "select lower(l.m) from users u, lateral (select u.name || 'x' as m) l",
        ],
        expect![[r#"
            select upper(name), id + 1, lower(u.city) from users u
              [upper name], [id], [lower users.city]
            select sum(o.total), max(id), count(*) from orders o
              [sum orders.total], [max id], ?
            select coalesce(name, 'x'), case when id = 1 then name else city end from users
              [name city id], [city name id]
            select total::float8, cast(total as numeric(10, 2)), total::double precision from orders
              [total], [total], [total]
            select extract(year from born), born at time zone 'UTC', substring(name from 1 for 2) from users
              [born year], [born year], [name]
            select row_number() over (order by id), rank() over (partition by ssn) from users
              [id], [ssn]
            select string_agg(distinct name, ', ' order by name) filter (where id > 1) from users
              [id name]
            select name || ' ' || "City", t.name like 'a%' from t
              [City name t.name], [t.name]
            select date_trunc('day', at), date '2020-01-01' - at, interval '1 day' from t
              [at], [at], []
            select upper(x) from (select ssn as x from users) s
              [upper x ssn]
            select upper(x), upper(s.x) from (select ssn as x, id from users) s
              [upper x ssn], [upper x ssn]
            with c(x) as (select ssn from users) select lower(c.x), lower(x) from c
              ?, ?
            select upper(c) from users as u(a, b, c)
              [upper c users.*]
            select upper(x) from users u, lower(u.ssn) x
              [upper lower users.ssn x]
            select to_json(u), concat(u) from users u
              [to_json u users.* concat], [concat u users.* to_json]
            select concat(users) from users
              [concat users users.*]
            prepare p as select upper(name) from users
              [upper name]
            declare c cursor for select upper(name) from users
              [upper name]
            with t as (select user_id, sum(total) as s from orders group by 1) select round(t.s, 2), upper(u.name) from users u join t on t.user_id = u.id
              [s sum total], [upper users.name]
            select upper(s.n) from (select name as n, * from users) s, lateral (select s.n || 'x' as m) l
              [upper n name]
            select lower(l.m) from users u, lateral (select u.name || 'x' as m) l
              [lower m users.name]
        "#]],
    );
}

#[test]
fn what_is_not_understood_is_made_of_anything() {
    check(
        &[
            "select f(name), public.upper(name), \"upper\"(name) from users",
            "select (select ssn from users), (values (1)), name from users",
            "select u.peek, upper(s.peek), (u).ssn || 'x' from users u, (select 1) s",
            "select name::mine, mine 'x', name operator(public.+) 1, name +++ 1 from users",
            "select rank() over w from users window w as (order by ssn)",
            "select rank() over (w order by id) from users window w as (partition by ssn)",
            "select exists (table users), array(select ssn from users), row(name) from users",
            "select upper(name) from users union all select ssn from users",
            "select *, upper(name) from users",
            "explain select upper(name) from users",
            "update users set name = 'x' returning upper(name)",
            "select xmlelement(name a, ssn), json_object('a': ssn), treat(ssn as t) from users",
            "select unnest(array[name]), generate_series(1, id) from users",
            "select current_setting('x') || name, pg_read_file(name) from users",
            "select upper(s.hstore), 1 as hstore from (select * from users) s",
            "select upper(s.hstore) from (select u.*, 1 as hstore from users u) s(a, b, c, d)",
            "with s(a) as (select 1 as hstore) select upper(s.hstore) from s",
            "select upper(u.name) from users u(a, b)",
            "select upper(x.name) from lower('a') x",
            "with s as (select id from users), t as (select 1 as hstore) select upper(s.hstore) from s, t",
            "select upper(nowhere.name) from users",
        ],
        expect![[r#"
            select f(name), public.upper(name), "upper"(name) from users
              nothing
            select (select ssn from users), (values (1)), name from users
              ?, ?, [name]
            select u.peek, upper(s.peek), (u).ssn || 'x' from users u, (select 1) s
              [users.peek], ?, ?
            select name::mine, mine 'x', name operator(public.+) 1, name +++ 1 from users
              ?, ?, ?, [name]
            select rank() over w from users window w as (order by ssn)
              nothing
            select rank() over (w order by id) from users window w as (partition by ssn)
              nothing
            select exists (table users), array(select ssn from users), row(name) from users
              nothing
            select upper(name) from users union all select ssn from users
              nothing
            select *, upper(name) from users
              nothing
            explain select upper(name) from users
              nothing
            update users set name = 'x' returning upper(name)
              nothing
            select xmlelement(name a, ssn), json_object('a': ssn), treat(ssn as t) from users
              nothing
            select unnest(array[name]), generate_series(1, id) from users
              nothing
            select current_setting('x') || name, pg_read_file(name) from users
              nothing
            select upper(s.hstore), 1 as hstore from (select * from users) s
              ?, ?
            select upper(s.hstore) from (select u.*, 1 as hstore from users u) s(a, b, c, d)
              ?
            with s(a) as (select 1 as hstore) select upper(s.hstore) from s
              ?
            select upper(u.name) from users u(a, b)
              ?
            select upper(x.name) from lower('a') x
              ?
            with s as (select id from users), t as (select 1 as hstore) select upper(s.hstore) from s, t
              ?
            select upper(nowhere.name) from users
              ?
        "#]],
    );
}

#[test]
fn what_search_and_cycle_make_is_made_of_their_columns() {
    check(
        &[
            "with recursive t(id, s) as (select id, ssn from users union all select id, s from t) \
             search depth first by s set ord select upper(ord::text), id + 1 from t",
            "with recursive t(id, s) as (select id, ssn from users union all select id, s from t) \
             cycle s set looped using path select looped, path, t.path::text from t",
        ],
        expect![[r#"
            with recursive t(id, s) as (select id, ssn from users union all select id, s from t) search depth first by s set ord select upper(ord::text), id + 1 from t
              [upper ord s id ssn], [id s ssn]
            with recursive t(id, s) as (select id, ssn from users union all select id, s from t) cycle s set looped using path select looped, path, t.path::text from t
              [looped s id ssn], ?, ?
        "#]],
    );
}
