//! Columns in their roles: what decides about rows, what is stored.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{USUAL, analyze};
use crate::{Mention, Place};

fn show(mention: &Mention) -> String {
    let column = mention.column.as_deref().unwrap_or("*");
    match &mention.relation {
        None => column.to_owned(),
        Some((None, name)) => format!("{name}.{column}"),
        Some((Some(schema), name)) => format!("{schema}.{name}.{column}"),
    }
}

pub(super) fn show_all<'m>(mentions: impl IntoIterator<Item = &'m Mention>) -> String {
    let shown: Vec<String> = mentions.into_iter().map(show).collect();
    shown.join(" ")
}

/// The roles of each text, in a line below it.
#[track_caller]
fn check(texts: &[&str], expected: Expect) {
    let mut all = String::new();
    for text in texts {
        writeln!(all, "{text}").unwrap();
        for statement in analyze(text, USUAL).statements {
            let facts = &statement.operation.facts;
            if let Some(reason) = &facts.unreadable {
                writeln!(all, "  unreadable: {reason}").unwrap();
                continue;
            }
            let roles = &facts.columns;
            let mut line = String::new();
            if !roles.shaping.is_empty() {
                write!(line, " shaping {}", show_all(&roles.shaping)).unwrap();
            }
            for moved in &roles.moved {
                let to = moved.to.as_ref().map_or("anywhere".to_owned(), show);
                write!(line, " {} -> {to}", show(&moved.from)).unwrap();
            }
            let line = if line.is_empty() { " nothing" } else { &line };
            writeln!(all, " {line}").unwrap();
        }
    }
    expected.assert_eq(&all);
}

/// What each parameter and constant of each text meets.
#[track_caller]
fn check_values(texts: &[&str], expected: Expect) {
    let mut all = String::new();
    for text in texts {
        writeln!(all, "{text}").unwrap();
        for statement in analyze(text, USUAL).statements {
            let values = &statement.values;
            let place = |index: usize| match &values.places[index] {
                Place::Near(mentions) => show_all(mentions),
                Place::Apart => "-".to_owned(),
                Place::Unknown => "?".to_owned(),
            };
            let parameters = values
                .parameters
                .iter()
                .map(|(number, at)| format!("${number}: {}", place(*at)));
            let literals = values
                .literals
                .iter()
                .map(|(range, at)| format!("{}: {}", text.get(range.clone()).unwrap(), place(*at)));
            let all_of_it: Vec<String> = parameters.chain(literals).collect();
            writeln!(all, "  {}", all_of_it.join(", ")).unwrap();
        }
    }
    expected.assert_eq(&all);
}

#[test]
fn everyday_statements_use_few_columns() {
    check(
        &[
            "SELECT id, email FROM users WHERE id = 7 ORDER BY id",
            "SELECT * FROM users LIMIT 10 OFFSET 5",
            "SELECT u.*, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total > 5",
            "SELECT count(*) FROM users",
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = 1)",
            "SELECT lower(email), coalesce(phone, ''), email || ' x', substr(ssn, 1, 3), ssn::text FROM users",
            "SELECT s.email FROM (SELECT id, email FROM users) s WHERE s.id = 1",
            "WITH u AS (SELECT * FROM users) SELECT * FROM u ORDER BY id LIMIT 3",
            "SELECT id, max(email) AS m FROM users GROUP BY id",
            "SELECT json_build_object('id', id, 'email', email), row_to_json(u) FROM users u",
            "SELECT email FROM a UNION ALL SELECT email FROM b",
            "UPDATE users SET name = 'x', visits = visits + 1 WHERE id = 1 RETURNING *",
            "UPDATE users SET email = lower(email) WHERE id = 1",
            "INSERT INTO users (id, email) VALUES (1, 'a') ON CONFLICT (email) DO UPDATE SET email = excluded.email",
            "INSERT INTO archive SELECT id, city FROM users WHERE id < 10",
            "DELETE FROM users WHERE id = 1",
            "MERGE INTO users u USING news n ON u.id = n.id WHEN MATCHED THEN UPDATE SET name = n.name",
            "DECLARE c CURSOR FOR SELECT email FROM users",
            "COPY (SELECT email FROM users) TO STDOUT",
            "CREATE INDEX ON users (lower(email))",
            "TABLE users",
        ],
        expect![[r#"
            SELECT id, email FROM users WHERE id = 7 ORDER BY id
              shaping id
            SELECT * FROM users LIMIT 10 OFFSET 5
              nothing
            SELECT u.*, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total > 5
              shaping orders.total orders.user_id users.id
            SELECT count(*) FROM users
              nothing
            SELECT EXISTS (SELECT 1 FROM users WHERE id = 1)
              shaping id
            SELECT lower(email), coalesce(phone, ''), email || ' x', substr(ssn, 1, 3), ssn::text FROM users
              nothing
            SELECT s.email FROM (SELECT id, email FROM users) s WHERE s.id = 1
              shaping id
            WITH u AS (SELECT * FROM users) SELECT * FROM u ORDER BY id LIMIT 3
              shaping id
            SELECT id, max(email) AS m FROM users GROUP BY id
              shaping id
            SELECT json_build_object('id', id, 'email', email), row_to_json(u) FROM users u
              nothing
            SELECT email FROM a UNION ALL SELECT email FROM b
              nothing
            UPDATE users SET name = 'x', visits = visits + 1 WHERE id = 1 RETURNING *
              shaping id visits
            UPDATE users SET email = lower(email) WHERE id = 1
              shaping id lower -> users.email
            INSERT INTO users (id, email) VALUES (1, 'a') ON CONFLICT (email) DO UPDATE SET email = excluded.email
              nothing
            INSERT INTO archive SELECT id, city FROM users WHERE id < 10
              shaping id city -> anywhere id -> anywhere
            DELETE FROM users WHERE id = 1
              shaping id
            MERGE INTO users u USING news n ON u.id = n.id WHEN MATCHED THEN UPDATE SET name = n.name
              shaping news.id users.id news.name -> users.name
            DECLARE c CURSOR FOR SELECT email FROM users
              nothing
            COPY (SELECT email FROM users) TO STDOUT
              nothing
            CREATE INDEX ON users (lower(email))
              nothing
            TABLE users
              nothing
        "#]],
    );
}

#[test]
fn rows_are_shaped_in_every_clause() {
    check(
        &[
            "SELECT 1 FROM t WHERE a LIKE '1%'",
            "SELECT 1 FROM t JOIN u ON t.a = u.b",
            "SELECT 1 FROM t JOIN u USING (a)",
            "SELECT 1 FROM t NATURAL JOIN u",
            "SELECT 1 FROM (t NATURAL JOIN u) j, v",
            "SELECT 1 FROM t GROUP BY a HAVING max(b) > 1",
            "SELECT b FROM t ORDER BY a",
            "SELECT b, a FROM t ORDER BY 2",
            "SELECT b, a FROM t GROUP BY (2)",
            "SELECT b, a FROM t GROUP BY ROLLUP (1, 2)",
            "SELECT * FROM t ORDER BY 3",
            "SELECT t.* FROM t, u ORDER BY 3",
            "SELECT upper(a) AS x FROM t ORDER BY x",
            "SELECT upper(a) FROM t ORDER BY upper",
            "SELECT a::int FROM t ORDER BY int4",
            "SELECT DISTINCT a FROM t",
            "SELECT DISTINCT * FROM t",
            "SELECT DISTINCT ON (a) b FROM t",
            "SELECT DISTINCT ON (1) b FROM t",
            "SELECT a FROM t UNION SELECT b FROM u",
            "SELECT a FROM t INTERSECT ALL SELECT b FROM u",
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
            "SELECT sum(c) OVER w FROM t WINDOW w AS (ORDER BY a)",
            "SELECT count(*) FILTER (WHERE a = 'x') FROM t",
            "SELECT count(a LIKE '1%' OR NULL) FROM t",
            "SELECT count(DISTINCT a) FROM t",
            "SELECT count(a), count(t.a) FROM t",
            "SELECT array_agg(b ORDER BY a) FROM t",
            "SELECT CASE WHEN a LIKE '1%' THEN 1 ELSE 2 END FROM t",
            "SELECT CASE a WHEN 'x' THEN b END FROM t",
            "SELECT 1 FROM t LIMIT (SELECT length(a) FROM t)",
            "SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.b)",
            "SELECT 1 FROM t WHERE (SELECT a FROM u) = 1",
            "SELECT 1 FROM t, LATERAL (SELECT 1 FROM u WHERE u.x = t.a) l",
            "DELETE FROM t USING u WHERE t.a = u.b",
            "UPDATE t SET x = 1 FROM u WHERE t.a = u.b",
            "MERGE INTO t USING u ON t.a = u.b WHEN MATCHED AND t.c = 1 THEN DELETE",
            "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1 WHERE t.a = 1",
            "SELECT 1 FROM t TABLESAMPLE bernoulli (a)",
            "EXPLAIN SELECT 1 FROM t WHERE a = 1",
            "PREPARE p AS SELECT 1 FROM t WHERE a = $1",
            "ALTER TABLE t ADD CHECK (a > 'x')",
            "TABLE t ORDER BY a",
            "(SELECT a FROM t) ORDER BY 1",
        ],
        expect![[r#"
            SELECT 1 FROM t WHERE a LIKE '1%'
              shaping a
            SELECT 1 FROM t JOIN u ON t.a = u.b
              shaping t.a u.b
            SELECT 1 FROM t JOIN u USING (a)
              shaping a
            SELECT 1 FROM t NATURAL JOIN u
              shaping t.* u.*
            SELECT 1 FROM (t NATURAL JOIN u) j, v
              shaping t.* u.*
            SELECT 1 FROM t GROUP BY a HAVING max(b) > 1
              shaping a b max
            SELECT b FROM t ORDER BY a
              shaping a
            SELECT b, a FROM t ORDER BY 2
              shaping a
            SELECT b, a FROM t GROUP BY (2)
              shaping a
            SELECT b, a FROM t GROUP BY ROLLUP (1, 2)
              shaping a b
            SELECT * FROM t ORDER BY 3
              shaping t.*
            SELECT t.* FROM t, u ORDER BY 3
              shaping t.*
            SELECT upper(a) AS x FROM t ORDER BY x
              shaping a upper x
            SELECT upper(a) FROM t ORDER BY upper
              shaping a upper
            SELECT a::int FROM t ORDER BY int4
              shaping a int4
            SELECT DISTINCT a FROM t
              shaping a
            SELECT DISTINCT * FROM t
              shaping t.*
            SELECT DISTINCT ON (a) b FROM t
              shaping a
            SELECT DISTINCT ON (1) b FROM t
              shaping b
            SELECT a FROM t UNION SELECT b FROM u
              shaping a b
            SELECT a FROM t INTERSECT ALL SELECT b FROM u
              shaping a b
            SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t
              shaping a b
            SELECT sum(c) OVER w FROM t WINDOW w AS (ORDER BY a)
              shaping a
            SELECT count(*) FILTER (WHERE a = 'x') FROM t
              shaping a
            SELECT count(a LIKE '1%' OR NULL) FROM t
              shaping a count
            SELECT count(DISTINCT a) FROM t
              shaping a count
            SELECT count(a), count(t.a) FROM t
              nothing
            SELECT array_agg(b ORDER BY a) FROM t
              shaping a array_agg b
            SELECT CASE WHEN a LIKE '1%' THEN 1 ELSE 2 END FROM t
              shaping a
            SELECT CASE a WHEN 'x' THEN b END FROM t
              shaping a b
            SELECT 1 FROM t LIMIT (SELECT length(a) FROM t)
              shaping a length
            SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.b)
              shaping t.b u.a
            SELECT 1 FROM t WHERE (SELECT a FROM u) = 1
              shaping a
            SELECT 1 FROM t, LATERAL (SELECT 1 FROM u WHERE u.x = t.a) l
              shaping t.a u.x
            DELETE FROM t USING u WHERE t.a = u.b
              shaping t.a u.b
            UPDATE t SET x = 1 FROM u WHERE t.a = u.b
              shaping t.a u.b
            MERGE INTO t USING u ON t.a = u.b WHEN MATCHED AND t.c = 1 THEN DELETE
              shaping t.a t.c u.b
            INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1 WHERE t.a = 1
              shaping t.a
            SELECT 1 FROM t TABLESAMPLE bernoulli (a)
              shaping a
            EXPLAIN SELECT 1 FROM t WHERE a = 1
              shaping a
            PREPARE p AS SELECT 1 FROM t WHERE a = $1
              shaping a
            ALTER TABLE t ADD CHECK (a > 'x')
              shaping a a -> anywhere
            TABLE t ORDER BY a
              shaping a
            (SELECT a FROM t) ORDER BY 1
              shaping a
        "#]],
    );
}

#[test]
fn errors_and_numbers_of_rows_tell_of_values() {
    check(
        &[
            "SELECT 1 / length(a) FROM t",
            "SELECT (a || 'x')::int FROM t",
            "SELECT a::int, a::numeric(3, 1), (a)::int, CAST(a AS int) FROM t",
            "SELECT regexp_matches(a, '^1') FROM t",
            "SELECT regexp_replace(a, '1', '2'), regexp_replace(a, b, 'x') FROM t",
            "SELECT generate_series(1, length(a)) FROM t",
            "SELECT unnest(string_to_array(a, '-')) FROM t",
            "SELECT a = 'x' AND 1 / 0 = 1 FROM t",
            "SELECT coalesce(nullif(a, 'x'), chr(-1)) FROM t",
            "SELECT a ~ '[' , a ~ b FROM t",
            "SELECT json_build_object('k', a), json_build_object(a, 1) FROM t",
            "SELECT a = 'x' FROM t",
            "SELECT (SELECT count(*) FROM users u)::int FROM t",
            "SELECT count(*)::int, sum(b) / 2 FROM t",
            "SELECT pg_sleep(length(a)) FROM t",
            "SELECT f(a) FROM t",
            "SELECT left(a, -1), substring(a from 2 for 3), substring(a from b) FROM t",
            "SELECT x FROM t, regexp_split_to_table(a, '-') x",
            "SELECT x FROM t, upper(a) x",
            "SELECT x FROM t, JSON_TABLE(a, '$' COLUMNS (x int PATH '$')) j",
            "SELECT (a || 'x').int4, (replace(a, 'x', '1')).date FROM t",
            "SELECT x.int4 FROM t, replace(t.a, 'x', '1') x",
            "SELECT t.date, t.age, (t).name, t.upper FROM t",
            "SELECT a::mine, CAST(b AS s.int4), c::double precision, d::timestamp with time zone FROM t",
        ],
        expect![[r#"
            SELECT 1 / length(a) FROM t
              shaping a length
            SELECT (a || 'x')::int FROM t
              shaping a
            SELECT a::int, a::numeric(3, 1), (a)::int, CAST(a AS int) FROM t
              shaping a
            SELECT regexp_matches(a, '^1') FROM t
              shaping a
            SELECT regexp_replace(a, '1', '2'), regexp_replace(a, b, 'x') FROM t
              shaping a b
            SELECT generate_series(1, length(a)) FROM t
              shaping a length
            SELECT unnest(string_to_array(a, '-')) FROM t
              shaping a unnest
            SELECT a = 'x' AND 1 / 0 = 1 FROM t
              shaping a
            SELECT coalesce(nullif(a, 'x'), chr(-1)) FROM t
              shaping a chr
            SELECT a ~ '[' , a ~ b FROM t
              shaping a b
            SELECT json_build_object('k', a), json_build_object(a, 1) FROM t
              shaping a
            SELECT a = 'x' FROM t
              nothing
            SELECT (SELECT count(*) FROM users u)::int FROM t
              nothing
            SELECT count(*)::int, sum(b) / 2 FROM t
              shaping b sum
            SELECT pg_sleep(length(a)) FROM t
              shaping a length pg_sleep
            SELECT f(a) FROM t
              nothing
            SELECT left(a, -1), substring(a from 2 for 3), substring(a from b) FROM t
              shaping a b
            SELECT x FROM t, regexp_split_to_table(a, '-') x
              shaping a
            SELECT x FROM t, upper(a) x
              nothing
            SELECT x FROM t, JSON_TABLE(a, '$' COLUMNS (x int PATH '$')) j
              shaping a
            SELECT (a || 'x').int4, (replace(a, 'x', '1')).date FROM t
              shaping a date int4
            SELECT x.int4 FROM t, replace(t.a, 'x', '1') x
              shaping int4 t.a
            SELECT t.date, t.age, (t).name, t.upper FROM t
              nothing
            SELECT a::mine, CAST(b AS s.int4), c::double precision, d::timestamp with time zone FROM t
              shaping a b
        "#]],
    );
}

#[test]
fn other_names_hide_no_column() {
    check(
        &[
            "SELECT x FROM (SELECT ssn AS x FROM users) s WHERE x LIKE '1%'",
            "SELECT x FROM (SELECT ssn FROM users) s(x) WHERE s.x LIKE '1%'",
            "SELECT 1 FROM users AS u(a, b, c) WHERE c LIKE '1%'",
            "WITH c(x) AS (SELECT ssn FROM users) SELECT 1 FROM c WHERE x = '1'",
            "WITH c AS (SELECT ssn AS x FROM users), d AS (SELECT x AS y FROM c) SELECT 1 FROM d WHERE y = '1'",
            "WITH RECURSIVE c(x) AS (SELECT ssn FROM users UNION ALL SELECT x FROM c) SELECT 1 FROM c WHERE x = '1'",
            "SELECT 1 FROM (SELECT city AS x FROM users UNION ALL SELECT ssn FROM users) s WHERE x = '1'",
            "SELECT 1 FROM (SELECT * FROM users) s WHERE s::text LIKE '%1%'",
            "SELECT 1 FROM users u WHERE u::text LIKE '%1%'",
            "SELECT 1 FROM users WHERE users::text LIKE '%1%'",
            "SELECT 1 FROM users u WHERE row_to_json(u)->>'ssn' = '1'",
            "SELECT 1 FROM users u WHERE u.row_to_json->>'ssn' = '1'",
            "SELECT 1 FROM users u WHERE ssn(u) = '1'",
            "SELECT 1 FROM users u WHERE (u).ssn = '1'",
            "SELECT 1 FROM users u WHERE (u.*) IN (SELECT 1)",
            "SELECT 1 FROM (users u JOIN orders o ON true) j(a, b) WHERE b = '1'",
            "SELECT 1 FROM users u, LATERAL (VALUES (u.ssn)) v WHERE column1 = '1'",
            "SELECT 1 FROM (SELECT trim(BOTH FROM ssn) FROM users) s WHERE btrim = '1'",
            "SELECT 1 FROM (SELECT ssn || '' FROM users) s WHERE \"?column?\" = '1'",
            "SELECT 1 FROM users u, upper(u.ssn) WHERE upper = '1'",
            "SELECT 1 FROM users u, jsonb_each_text(to_jsonb(u)) WHERE value = '1'",
            "SELECT (SELECT 1 FROM orders u WHERE u.id = 1) FROM (SELECT ssn FROM users) u WHERE u.ssn = '1'",
            "SELECT 1 FROM users JOIN v USING (id) AS j WHERE j.id = 1",
            "SELECT public.users.ssn FROM public.users ORDER BY public.users.ssn",
            "SELECT DISTINCT s.* FROM (SELECT ssn FROM users) s, orders o",
            "SELECT count(*) FROM (SELECT DISTINCT ssn FROM users) s",
        ],
        expect![[r#"
            SELECT x FROM (SELECT ssn AS x FROM users) s WHERE x LIKE '1%'
              shaping ssn x
            SELECT x FROM (SELECT ssn FROM users) s(x) WHERE s.x LIKE '1%'
              shaping ssn x
            SELECT 1 FROM users AS u(a, b, c) WHERE c LIKE '1%'
              shaping c users.*
            WITH c(x) AS (SELECT ssn FROM users) SELECT 1 FROM c WHERE x = '1'
              shaping ssn x
            WITH c AS (SELECT ssn AS x FROM users), d AS (SELECT x AS y FROM c) SELECT 1 FROM d WHERE y = '1'
              shaping ssn x y
            WITH RECURSIVE c(x) AS (SELECT ssn FROM users UNION ALL SELECT x FROM c) SELECT 1 FROM c WHERE x = '1'
              shaping ssn x
            SELECT 1 FROM (SELECT city AS x FROM users UNION ALL SELECT ssn FROM users) s WHERE x = '1'
              shaping city ssn x
            SELECT 1 FROM (SELECT * FROM users) s WHERE s::text LIKE '%1%'
              shaping s users.*
            SELECT 1 FROM users u WHERE u::text LIKE '%1%'
              shaping u users.*
            SELECT 1 FROM users WHERE users::text LIKE '%1%'
              shaping users users.*
            SELECT 1 FROM users u WHERE row_to_json(u)->>'ssn' = '1'
              shaping row_to_json u users.*
            SELECT 1 FROM users u WHERE u.row_to_json->>'ssn' = '1'
              shaping users.* users.row_to_json
            SELECT 1 FROM users u WHERE ssn(u) = '1'
              shaping ssn u users.*
            SELECT 1 FROM users u WHERE (u).ssn = '1'
              shaping ssn u users.*
            SELECT 1 FROM users u WHERE (u.*) IN (SELECT 1)
              shaping users.*
            SELECT 1 FROM (users u JOIN orders o ON true) j(a, b) WHERE b = '1'
              shaping b orders.* users.*
            SELECT 1 FROM users u, LATERAL (VALUES (u.ssn)) v WHERE column1 = '1'
              shaping column1 users.ssn
            SELECT 1 FROM (SELECT trim(BOTH FROM ssn) FROM users) s WHERE btrim = '1'
              shaping btrim ssn
            SELECT 1 FROM (SELECT ssn || '' FROM users) s WHERE "?column?" = '1'
              shaping ?column? ssn
            SELECT 1 FROM users u, upper(u.ssn) WHERE upper = '1'
              shaping upper users.ssn
            SELECT 1 FROM users u, jsonb_each_text(to_jsonb(u)) WHERE value = '1'
              shaping jsonb_each_text to_jsonb u value users.*
            SELECT (SELECT 1 FROM orders u WHERE u.id = 1) FROM (SELECT ssn FROM users) u WHERE u.ssn = '1'
              shaping id ssn orders.id orders.ssn
            SELECT 1 FROM users JOIN v USING (id) AS j WHERE j.id = 1
              shaping id
            SELECT public.users.ssn FROM public.users ORDER BY public.users.ssn
              shaping public.users.ssn
            SELECT DISTINCT s.* FROM (SELECT ssn FROM users) s, orders o
              shaping ssn
            SELECT count(*) FROM (SELECT DISTINCT ssn FROM users) s
              shaping ssn
        "#]],
    );
}

#[test]
fn values_are_moved() {
    check(
        &[
            "INSERT INTO copies SELECT email FROM users",
            "INSERT INTO copies SELECT * FROM users",
            "INSERT INTO copies SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id",
            "INSERT INTO copies (SELECT x FROM (SELECT email AS x FROM users) s)",
            "INSERT INTO copies VALUES ((SELECT ssn FROM users WHERE id = 1))",
            "INSERT INTO copies TABLE users",
            "INSERT INTO users (email) SELECT lower(email) FROM users",
            "INSERT INTO users (id, city) SELECT id, email FROM users",
            "UPDATE users SET city = ssn",
            "UPDATE users SET (city, x) = (ssn, 1)",
            "UPDATE users u SET city = v.ssn FROM users v WHERE v.id = u.id",
            "UPDATE users SET email = (SELECT e FROM (SELECT ssn AS e FROM users) s)",
            "INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET city = excluded.ssn",
            "CREATE TABLE c AS SELECT email FROM users",
            "CREATE TEMP TABLE c AS TABLE users",
            "CREATE VIEW c AS SELECT ssn AS city FROM users",
            "CREATE MATERIALIZED VIEW c AS SELECT u FROM users u",
            "SELECT email, id INTO c FROM users",
            "SELECT * INTO c FROM users",
            "WITH d AS (DELETE FROM users RETURNING ssn AS s) INSERT INTO copies SELECT s FROM d",
            "WITH d AS (DELETE FROM users RETURNING *) INSERT INTO copies SELECT * FROM d",
            "WITH i AS (INSERT INTO copies SELECT ssn FROM users) SELECT 1",
            "MERGE INTO copies c USING users u ON c.id = u.id WHEN NOT MATCHED THEN INSERT (x) VALUES (u.email)",
            "MERGE INTO copies c USING (SELECT id, ssn AS s FROM users) u ON c.id = u.id WHEN MATCHED THEN UPDATE SET x = s",
            "SELECT set_config('a.b', ssn, false) FROM users",
            "SELECT pg_notify('c', ssn) FROM users",
            "CALL p(ssn)",
            "EXPLAIN ANALYZE CREATE TABLE c AS SELECT email FROM users",
            "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO copies SELECT ssn FROM users",
            "CREATE FUNCTION f() RETURNS text RETURN (SELECT ssn FROM users)",
            "CREATE SCHEMA s CREATE VIEW v AS SELECT ssn FROM users",
            "ALTER TABLE users ALTER city TYPE text USING (ssn)",
            "ALTER TABLE users ALTER city TYPE text USING ssn",
            "ALTER TABLE users ADD x text GENERATED ALWAYS AS (ssn) STORED",
            "ALTER TABLE users RENAME ssn TO x",
            "ALTER TABLE users RENAME TO x",
            "ALTER TABLE users SET SCHEMA x",
            "ALTER TABLE users DETACH PARTITION p",
            "ALTER TABLE users ADD x int",
            "INSERT INTO c SELECT x FROM users u, upper(u.ssn) x",
            "INSERT INTO c SELECT value FROM users u, jsonb_each_text(to_jsonb(u))",
            "INSERT INTO archive SELECT * FROM (SELECT id FROM users WHERE email = 'x') s",
            "EXECUTE p",
            "DO 'x'",
        ],
        expect![[r#"
            INSERT INTO copies SELECT email FROM users
              email -> anywhere
            INSERT INTO copies SELECT * FROM users
              users.* -> anywhere
            INSERT INTO copies SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id
              shaping orders.user_id users.id orders.* -> anywhere
            INSERT INTO copies (SELECT x FROM (SELECT email AS x FROM users) s)
              email -> anywhere x -> anywhere
            INSERT INTO copies VALUES ((SELECT ssn FROM users WHERE id = 1))
              shaping id ssn -> anywhere
            INSERT INTO copies TABLE users
              users.* -> anywhere
            INSERT INTO users (email) SELECT lower(email) FROM users
              email -> users.email lower -> users.email
            INSERT INTO users (id, city) SELECT id, email FROM users
              email -> users.city id -> users.id
            UPDATE users SET city = ssn
              ssn -> users.city
            UPDATE users SET (city, x) = (ssn, 1)
              ssn -> anywhere
            UPDATE users u SET city = v.ssn FROM users v WHERE v.id = u.id
              shaping users.id users.ssn -> users.city
            UPDATE users SET email = (SELECT e FROM (SELECT ssn AS e FROM users) s)
              e -> users.email ssn -> anywhere
            INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET city = excluded.ssn
              users.ssn -> users.city
            CREATE TABLE c AS SELECT email FROM users
              email -> anywhere
            CREATE TEMP TABLE c AS TABLE users
              users.* -> anywhere
            CREATE VIEW c AS SELECT ssn AS city FROM users
              ssn -> anywhere
            CREATE MATERIALIZED VIEW c AS SELECT u FROM users u
              u -> anywhere users.* -> anywhere
            SELECT email, id INTO c FROM users
              email -> anywhere id -> anywhere
            SELECT * INTO c FROM users
              users.* -> anywhere
            WITH d AS (DELETE FROM users RETURNING ssn AS s) INSERT INTO copies SELECT s FROM d
              s -> anywhere ssn -> anywhere
            WITH d AS (DELETE FROM users RETURNING *) INSERT INTO copies SELECT * FROM d
              users.* -> anywhere
            WITH i AS (INSERT INTO copies SELECT ssn FROM users) SELECT 1
              ssn -> anywhere
            MERGE INTO copies c USING users u ON c.id = u.id WHEN NOT MATCHED THEN INSERT (x) VALUES (u.email)
              shaping copies.id users.id users.email -> copies.x
            MERGE INTO copies c USING (SELECT id, ssn AS s FROM users) u ON c.id = u.id WHEN MATCHED THEN UPDATE SET x = s
              shaping id copies.id s -> copies.x ssn -> anywhere
            SELECT set_config('a.b', ssn, false) FROM users
              shaping ssn ssn -> anywhere
            SELECT pg_notify('c', ssn) FROM users
              shaping ssn ssn -> anywhere
            CALL p(ssn)
              shaping p ssn p -> anywhere ssn -> anywhere
            EXPLAIN ANALYZE CREATE TABLE c AS SELECT email FROM users
              email -> anywhere
            CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO copies SELECT ssn FROM users
              ssn -> anywhere
            CREATE FUNCTION f() RETURNS text RETURN (SELECT ssn FROM users)
              shaping ssn ssn -> anywhere
            CREATE SCHEMA s CREATE VIEW v AS SELECT ssn FROM users
              shaping * * -> anywhere
            ALTER TABLE users ALTER city TYPE text USING (ssn)
              shaping ssn ssn -> anywhere
            ALTER TABLE users ALTER city TYPE text USING ssn
              shaping ssn ssn -> anywhere
            ALTER TABLE users ADD x text GENERATED ALWAYS AS (ssn) STORED
              shaping ssn ssn -> anywhere
            ALTER TABLE users RENAME ssn TO x
              shaping ssn ssn -> anywhere
            ALTER TABLE users RENAME TO x
              shaping * * -> anywhere
            ALTER TABLE users SET SCHEMA x
              shaping * * -> anywhere
            ALTER TABLE users DETACH PARTITION p
              shaping * * -> anywhere
            ALTER TABLE users ADD x int
              nothing
            INSERT INTO c SELECT x FROM users u, upper(u.ssn) x
              upper -> anywhere x -> anywhere users.ssn -> anywhere
            INSERT INTO c SELECT value FROM users u, jsonb_each_text(to_jsonb(u))
              shaping jsonb_each_text to_jsonb u users.* jsonb_each_text -> anywhere to_jsonb -> anywhere u -> anywhere value -> anywhere users.* -> anywhere
            INSERT INTO archive SELECT * FROM (SELECT id FROM users WHERE email = 'x') s
              shaping email id -> anywhere
            EXECUTE p
              nothing
            DO 'x'
              nothing
        "#]],
    );
}

#[test]
fn constants_meet_columns() {
    check_values(
        &[
            "SELECT * FROM users WHERE id = $1 AND email = $2",
            "SELECT * FROM users WHERE lower(email) = lower($1) OR id = $2 LIMIT $3",
            "SELECT * FROM users WHERE email BETWEEN $1 AND $2 AND id = 3",
            "SELECT * FROM users WHERE (id = $1 OR (name = $2 AND email LIKE $3))",
            "SELECT * FROM users WHERE ((email) = $1 AND (id) = $2)",
            "SELECT * FROM users WHERE email IN ($1, $2) AND id = ANY ($3)",
            "INSERT INTO users (id, email) VALUES ($1, $2), (3, 'x')",
            "INSERT INTO users VALUES ($1, $2)",
            "INSERT INTO users (id, email) SELECT $1, $2",
            "UPDATE users SET email = $1, name = upper($2) WHERE id = $3",
            "UPDATE users SET (email, name) = ($1, $2)",
            "SELECT * FROM (SELECT ssn AS x FROM users) s WHERE x = $1",
            "SELECT f($1) FROM users WHERE g($2)",
            "SELECT $1, 'a', 1 FROM users u WHERE u.ssn = '123-45-6789'",
            "SELECT * FROM users WHERE (SELECT ssn FROM users WHERE id = $1) = $2",
            "COMMENT ON TABLE users IS 'x'",
            "SELECT date '2020-01-01' - born FROM users",
        ],
        expect![[r#"
            SELECT * FROM users WHERE id = $1 AND email = $2
              $1: id, $2: email
            SELECT * FROM users WHERE lower(email) = lower($1) OR id = $2 LIMIT $3
              $1: email lower, $2: id, $3: -
            SELECT * FROM users WHERE email BETWEEN $1 AND $2 AND id = 3
              $1: email, $2: email, 3: id
            SELECT * FROM users WHERE (id = $1 OR (name = $2 AND email LIKE $3))
              $1: id, $2: name, $3: email
            SELECT * FROM users WHERE ((email) = $1 AND (id) = $2)
              $1: email, $2: id
            SELECT * FROM users WHERE email IN ($1, $2) AND id = ANY ($3)
              $1: email, $2: email, $3: id
            INSERT INTO users (id, email) VALUES ($1, $2), (3, 'x')
              $1: users.id, $2: users.email, 3: users.id, 'x': users.email
            INSERT INTO users VALUES ($1, $2)
              $1: ?, $2: ?
            INSERT INTO users (id, email) SELECT $1, $2
              $1: users.id, $2: users.email
            UPDATE users SET email = $1, name = upper($2) WHERE id = $3
              $1: users.email, $2: upper users.name, $3: id
            UPDATE users SET (email, name) = ($1, $2)
              $1: ?, $2: ?
            SELECT * FROM (SELECT ssn AS x FROM users) s WHERE x = $1
              $1: ?
            SELECT f($1) FROM users WHERE g($2)
              $1: ?, $2: ?
            SELECT $1, 'a', 1 FROM users u WHERE u.ssn = '123-45-6789'
              $1: ?, 'a': ?, 1: ?, '123-45-6789': users.ssn
            SELECT * FROM users WHERE (SELECT ssn FROM users WHERE id = $1) = $2
              $1: id, $2: id ssn
            COMMENT ON TABLE users IS 'x'
              'x': ?
            SELECT date '2020-01-01' - born FROM users
              '2020-01-01': ?
        "#]],
    );
}

#[test]
fn a_generated_column_without_its_expression_keeps_its_values() {
    check(
        &[
            "ALTER TABLE t ALTER a DROP EXPRESSION",
            "ALTER TABLE t ADD x int, ALTER COLUMN a DROP EXPRESSION IF EXISTS",
            "ALTER TABLE t ADD expression text",
            "ALTER SCHEMA s RENAME TO u",
            "ALTER SCHEMA s OWNER TO r",
            "SELECT lo_from_bytea(0, a), lo_put(1, 0, b), lowrite(0, c) FROM t",
        ],
        expect![[r#"
            ALTER TABLE t ALTER a DROP EXPRESSION
              shaping * * -> anywhere
            ALTER TABLE t ADD x int, ALTER COLUMN a DROP EXPRESSION IF EXISTS
              shaping * * -> anywhere
            ALTER TABLE t ADD expression text
              nothing
            ALTER SCHEMA s RENAME TO u
              shaping * * -> anywhere
            ALTER SCHEMA s OWNER TO r
              nothing
            SELECT lo_from_bytea(0, a), lo_put(1, 0, b), lowrite(0, c) FROM t
              shaping a b c a -> anywhere b -> anywhere c -> anywhere
        "#]],
    );
}
