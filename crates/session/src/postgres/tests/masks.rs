//! Labelled values, in every form they can take.

use ostiary_wire::postgres::{Format, types};

use super::answer::{Answer, CONTACTS, Col, NEWER, ORDERS, USERS, computed, from};
use super::client::{Client, bind, extended, parse, query};
use super::policy::Rules;
use super::rig::{Rig, principal};
use super::server::Auth;

const EMAIL: &str = "alice@example.com";
const SSN: &str = "123-45-6789";

/// What the client gets of a value of this column, asked for in this way.
fn seen(rig: &mut Rig, sql: &str, column: Col, value: &str, message: &[u8]) -> String {
    rig.server.on(sql, Answer::rows(&[column], &[&[value]]));
    rig.take();
    rig.send(message);
    let lines = rig.take();
    let row = lines
        .lines()
        .find_map(|line| line.strip_prefix("<- DataRow "));
    row.unwrap_or_else(|| panic!("{lines}")).to_owned()
}

/// Every way to ask for a statement.
fn ways(sql: &str) -> Vec<Vec<u8>> {
    let cursor = format!("BEGIN; DECLARE c CURSOR FOR {sql}");
    let prepared = format!("PREPARE p AS {sql}");
    vec![
        query(sql),
        extended(sql),
        parse("", sql).bind("", "").execute("").sync(),
        parse("", sql)
            .bind_with("", "", &[], &[Format::Binary])
            .execute("")
            .sync(),
        parse("", sql)
            .bind("", "")
            .describe_portal("")
            .execute_some("", 1)
            .sync(),
        [query(&prepared), query("EXECUTE p")].concat(),
        [query(&prepared), bind("", "p").execute("").sync()].concat(),
        [query(&cursor), query("FETCH 1 FROM c")].concat(),
        [query(&cursor), extended("FETCH 1 FROM c")].concat(),
        [query(&cursor), Client::default().execute("c").sync()].concat(),
    ]
}

#[test]
fn masks_by_the_origin_the_server_attests() {
    let cases: &[(&str, Col, &str, &str)] = &[
        (
            "SELECT email FROM users",
            from("email", USERS, 3),
            EMAIL,
            "****.com",
        ),
        (
            "SELECT email AS city FROM users",
            from("city", USERS, 3),
            EMAIL,
            "****.com",
        ),
        (
            "SELECT ssn FROM users",
            from("ssn", USERS, 4),
            SSN,
            "[redacted]",
        ),
        (
            "SELECT born FROM users",
            from("born", USERS, 6).of_type(types::DATE),
            "2000-01-01",
            "NULL",
        ),
        (
            "SELECT id FROM users",
            from("id", USERS, 1).of_type(types::INT4),
            "7",
            "7",
        ),
        (
            "SELECT name FROM users",
            from("name", USERS, 2),
            "alice",
            "alice",
        ),
        (
            "SELECT * FROM contacts",
            from("mail", CONTACTS, 1),
            EMAIL,
            "****.com",
        ),
        (
            "SELECT note FROM orders",
            from("note", ORDERS, 3),
            "hello",
            "hello",
        ),
        (
            "SELECT u FROM users u",
            from("u", USERS, 0).of_type(40_000),
            "(1,a)",
            "NULL",
        ),
        (
            "SELECT x FROM newer",
            from("x", NEWER, 1),
            "secret",
            "[redacted]",
        ),
        (
            "SELECT email FROM users LIMIT 1",
            from("email", USERS, 3).of_type(types::JSON),
            "{}",
            "NULL",
        ),
        (
            "SELECT ssn FROM users LIMIT 1",
            from("ssn", USERS, 4).of_type(types::INT4),
            "5",
            "NULL",
        ),
    ];
    for (sql, column, value, expected) in cases {
        for (index, message) in ways(sql).into_iter().enumerate() {
            let mut rig = Rig::open(Rules::Labels);
            let got = seen(&mut rig, sql, column.clone(), value, &message);
            assert_eq!(got, *expected, "{sql} way {index}");
            let masked = expected != value;
            assert!(!masked || !rig.client_saw(value), "{sql} way {index}");
            let recorded = format!("{:?}", rig.events);
            assert!(
                !masked || !recorded.contains(&format!("\"{value}\"")),
                "{sql} way {index} {recorded}"
            );
        }
    }
}

#[test]
fn masks_what_has_no_origin_unless_the_text_proves_it_clean() {
    let cases = [
        ("SELECT email || '' FROM users", "[redacted]"),
        ("SELECT count(*) FROM users", "value"),
        ("SELECT 'a' FROM users", "value"),
        ("SELECT max(id) FROM orders", "value"),
        ("SELECT upper(name) FROM users", "value"),
        ("SELECT upper(u.name) || u.id FROM users u", "value"),
        (
            "SELECT sum(o.total) FROM users u JOIN orders o ON o.user_id = u.id",
            "value",
        ),
        (
            "WITH t AS (SELECT id, name AS n FROM users) SELECT lower(t.n) FROM t",
            "value",
        ),
        ("SELECT coalesce(name, email) FROM users", "[redacted]"),
        ("SELECT upper(u.peek) FROM users u", "[redacted]"),
        ("SELECT upper(u.name::mine) FROM users u", "[redacted]"),
        (
            "SELECT lower(t.n) FROM (SELECT id, email AS n FROM users) t",
            "[redacted]",
        ),
        ("SELECT upper(c) FROM users u(a, b, c)", "[redacted]"),
        ("SELECT upper(name) FROM contacts", "[redacted]"),
        ("SELECT concat(users) FROM users", "[redacted]"),
        (
            "SELECT upper(name) || app_function() FROM users",
            "[redacted]",
        ),
        (
            "SELECT name FROM users UNION ALL SELECT email FROM users",
            "[redacted]",
        ),
        ("SELECT to_json(u) FROM users u", "[redacted]"),
        (
            "SELECT x FROM (SELECT lower(email) AS x FROM public.users) s",
            "[redacted]",
        ),
        (
            "WITH u AS (SELECT * FROM users) SELECT length(email) FROM u",
            "[redacted]",
        ),
        ("SELECT * FROM app_function()", "[redacted]"),
        ("SELECT upper(mail) FROM contacts", "[redacted]"),
        ("EXPLAIN SELECT * FROM users", "[redacted]"),
        ("SELECT (SELECT email FROM users LIMIT 1)", "[redacted]"),
        ("SELECT 1", "value"),
        ("SHOW server_version", "value"),
    ];
    for (sql, expected) in cases {
        for message in [query(sql), extended(sql)] {
            let mut rig = Rig::open(Rules::Labels);
            assert_eq!(
                seen(&mut rig, sql, computed("?column?"), "value", &message),
                expected,
                "{sql}"
            );
        }
    }
}

#[test]
fn a_computed_null_is_not_told_from_a_value() {
    let sql = "SELECT nullif(ssn, '1') FROM users";
    for message in ways(sql) {
        let mut rig = Rig::open(Rules::Labels);
        let shown = seen(&mut rig, sql, computed("nullif"), "NULL", &message);
        assert_eq!(shown, "[redacted]");
    }
    let number = computed("nullif").of_type(types::INT4);
    for (sql, column) in [
        (sql, number),
        ("SELECT upper(name) FROM users", computed("upper")),
        ("SELECT ssn FROM users", from("ssn", USERS, 4)),
    ] {
        let mut rig = Rig::open(Rules::Labels);
        let shown = seen(&mut rig, sql, column, "NULL", &query(sql));
        assert_eq!(shown, "NULL", "{sql}");
    }
}

#[test]
fn hashes_equal_values_to_equal_texts() {
    let mut rig = Rig::open(Rules::Labels);
    let sql = "SELECT card FROM users";
    rig.server.on(
        sql,
        Answer::rows(
            &[from("card", USERS, 5)],
            &[&["4111"], &["4111"], &["4112"], &["NULL"]],
        ),
    );
    rig.send(&query(sql));
    let lines = rig.take();
    let rows: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.strip_prefix("<- DataRow "))
        .collect();
    assert!(
        rows[0].starts_with("h:") && rows[0] == rows[1] && rows[0] != rows[2] && rows[3] == "NULL",
        "{rows:?}"
    );
    assert!(lines.contains("rows=4 masked=3"), "{lines}");
}

#[test]
fn who_may_see_a_label_sees_it() {
    let mut rig = Rig::new(Rules::Labels, Auth::Trust);
    rig.principal = principal(&["analysts", "support"]);
    let mut rig = rig.logged_in();
    assert_eq!(
        seen(
            &mut rig,
            "SELECT email FROM users",
            from("email", USERS, 3),
            EMAIL,
            &query("SELECT email FROM users")
        ),
        EMAIL
    );
    assert_eq!(
        seen(
            &mut rig,
            "SELECT ssn FROM users",
            from("ssn", USERS, 4),
            SSN,
            &query("SELECT ssn FROM users")
        ),
        "[redacted]"
    );
}

#[test]
fn detectors_look_into_every_text() {
    let cases: [(Col, &str, &str); 5] = [
        (
            from("note", ORDERS, 3),
            "write to alice@example.com now",
            "write to [redacted] now",
        ),
        (computed("x"), "alice@example.com", "[redacted]"),
        (
            computed("x").of_type(types::JSON),
            "{\"m\":\"alice@example.com\"}",
            "NULL",
        ),
        (computed("x").of_type(types::INT4), "7", "7"),
        (computed("x"), "nothing", "nothing"),
    ];
    let sql = "SELECT note FROM orders";
    for (column, value, expected) in cases {
        for message in ways(sql) {
            let mut rig = Rig::open(Rules::Detectors);
            assert_eq!(
                seen(&mut rig, sql, column.clone(), value, &message),
                expected
            );
        }
    }
}

#[test]
fn a_change_of_the_schema_is_read_before_the_next_round() {
    let mut rig = Rig::open(Rules::Labels);
    assert_eq!(rig.server.catalogue_reads, 1);
    let sql = "SELECT id FROM orders";
    rig.server.on(
        "SELECT app_function()",
        Answer::rows(&[computed("x")], &[&["1"]]),
    );
    // In one go the origin of what follows is not certain.
    rig.server
        .on(sql, Answer::rows(&[from("id", ORDERS, 1)], &[&["7"]]));
    rig.send(&[query("SELECT app_function()"), query(sql)].concat());
    assert!(rig.take().contains("<- DataRow [redacted]"));
    rig.send(&query(sql));
    assert!(rig.take().contains("<- DataRow 7"));
    assert_eq!(rig.server.catalogue_reads, 2);
}

#[test]
fn a_relation_nobody_knows_is_asked_for_once() {
    let mut rig = Rig::open(Rules::Labels);
    let sql = "SELECT x FROM newer";
    for reads in [1, 2, 2, 2] {
        assert_eq!(
            seen(&mut rig, sql, from("x", NEWER, 1), "v", &query(sql)),
            "[redacted]"
        );
        assert_eq!(rig.server.catalogue_reads, reads);
    }
}

#[test]
fn the_catalogue_is_asked_for_again_in_time() {
    let mut rig = Rig::open(Rules::Labels);
    rig.wait(61_000_000);
    rig.works();
    assert_eq!(rig.server.catalogue_reads, 2);
    rig.works();
    assert_eq!(rig.server.catalogue_reads, 2);
}

#[test]
fn labels_that_change_while_the_catalogue_is_read_hold() {
    let sql = "SELECT ssn FROM users";
    let mut rig = Rig::open(Rules::Detectors);
    rig.server
        .on(sql, Answer::rows(&[from("ssn", USERS, 4)], &[&[SSN]]));
    // The labels come, the catalogue is asked for; before it answers they come again.
    rig.change(Rules::Labels);
    rig.server.silent = true;
    let mark = rig.upstream.len();
    rig.send(&query(sql));
    rig.change(Rules::Plain);
    rig.change(Rules::Labels);
    rig.answers_one_by_one(mark);
    assert!(!rig.client_saw(SSN), "{}", rig.take());
}

#[test]
fn rows_on_their_way_stay_masked_when_policy_is_lost() {
    let sql = "SELECT ssn FROM users";
    for message in [
        query(sql),
        extended(sql),
        parse("", sql).bind("", "").execute("").sync(),
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.server
            .on(sql, Answer::rows(&[from("ssn", USERS, 4)], &[&[SSN]]));
        rig.server.silent = true;
        let mark = rig.upstream.len();
        rig.send(&message);
        rig.change(Rules::None);
        let answer = rig.late_answer(mark);
        rig.server_says(&answer);
        let seen = rig.take();
        assert!(seen.contains("<- DataRow [redacted]"), "{seen}");
    }
}

#[test]
fn masks_that_come_while_rows_are_on_their_way_break_nothing() {
    let sql = "SELECT ssn FROM users";
    for message in [
        query(sql),
        extended(sql),
        parse("", sql).bind("", "").execute("").sync(),
    ] {
        let mut rig = Rig::open(Rules::Plain);
        rig.server.on(
            sql,
            Answer::rows(&[from("ssn", USERS, 4)], &[&[SSN], &[SSN]]),
        );
        rig.server.silent = true;
        let mark = rig.upstream.len();
        rig.send(&message);
        rig.change(Rules::Labels);
        let answer = rig.late_answer(mark);
        rig.server_says(&answer);
        assert!(rig.take().contains("ReadyForQuery"));
        rig.works();
    }
}

#[test]
fn a_catalogue_that_cannot_be_read_again_masks_everything_attested() {
    let mut rig = Rig::open(Rules::Labels);
    rig.server.catalogue_fails = true;
    rig.send(&query("SELECT app_function()"));
    let sql = "SELECT name FROM users";
    for _ in 0..2 {
        assert_eq!(
            seen(&mut rig, sql, from("name", USERS, 2), "alice", &query(sql)),
            "[redacted]"
        );
    }
    rig.server.catalogue_fails = false;
    assert_eq!(
        seen(&mut rig, sql, from("name", USERS, 2), "alice", &query(sql)),
        "alice"
    );
}

#[test]
fn labelled_values_are_not_put_into_notifications() {
    for (sql, rules, passes) in [
        (
            "SELECT pg_notify('c', ssn) FROM users",
            Rules::Labels,
            false,
        ),
        (
            "SELECT pg_notify('c', upper(mail)) FROM contacts",
            Rules::Labels,
            false,
        ),
        (
            "SELECT pg_notify('c', id::text) FROM orders",
            Rules::Labels,
            true,
        ),
        ("NOTIFY c, 'hello'", Rules::Labels, true),
        ("SELECT pg_notify('c', ssn) FROM users", Rules::Plain, true),
    ] {
        for message in [
            query(sql),
            extended(sql),
            query(&format!("PREPARE p AS {sql}")),
        ] {
            if sql.starts_with("NOTIFY") && message.windows(7).any(|part| part == b"PREPARE") {
                continue;
            }
            let mut rig = Rig::open(rules);
            rig.send(&message);
            let seen = rig.take();
            assert_eq!(!rig.ran().is_empty(), passes, "{sql} {seen}");
            assert_eq!(
                seen.contains("denied by rule `labels-stay-in`"),
                !passes,
                "{seen}"
            );
            rig.works();
        }
    }
}

#[test]
fn payloads_of_notifications_are_scanned() {
    let mut rig = Rig::open(Rules::Detectors);
    let mut bytes = Vec::new();
    ostiary_wire::postgres::Backend::NotificationResponse {
        process_id: 1,
        channel: b"c",
        payload: b"mail alice@example.com",
    }
    .encode(&mut bytes)
    .unwrap();
    rig.server_says(&bytes);
    assert!(rig.client_saw("mail [redacted]"));
}
