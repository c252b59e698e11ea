//! The simple protocol.

use expect_test::expect;

use super::answer::{Answer, USERS, from};
use super::client::{query, terminate};
use super::policy::Rules;
use super::rig::{Rig, check};

#[test]
fn carries_a_query() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server.on(
        "SELECT name FROM users",
        Answer::rows(&[from("name", USERS, 2)], &[&["alice"], &["bob"]]),
    );
    rig.send(&query("SELECT name FROM users"));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 allow by reads sql:select [sql:select users]: SELECT name FROM users
        -> Query SELECT name FROM users
        == 4 Replied 1 SELECT 2 rows=2 masked=0 [name] (alice) (bob)
        <- RowDescription name
        <- DataRow alice
        <- DataRow bob
        <- CommandComplete SELECT 2
        <- ReadyForQuery I
    "#]],
    );
}

#[test]
fn refuses_a_query_and_goes_on() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("TRUNCATE users"));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 deny by no-truncate sql:truncate [sql:truncate users]: TRUNCATE users
        -> Query OSTIARY REFUSED 0123456789abcdef0123456789abcdef/1
        <- Error ERROR 42501: denied by rule `no-truncate`: nobody empties a table [D: {"decision":"0123456789abcdef0123456789abcdef/1","verdict":"deny","rule":"no-truncate","approval":null,"ran":false,"next":"change-statement"}] [H: Nothing was run. The session goes on; this statement will be refused again until policy changes.]
        <- ReadyForQuery I
    "#]],
    );
    rig.works();
}

#[test]
fn an_empty_query_is_one_as_well() {
    for sql in ["", " ; ;", "-- nothing"] {
        let mut rig = Rig::open(Rules::Plain);
        rig.send(&query(sql));
        rig.works();
    }
}

#[test]
fn one_denied_statement_stops_all_of_a_query() {
    for sql in [
        "SELECT 1; TRUNCATE users",
        "TRUNCATE users; SELECT 1",
        "BEGIN; TRUNCATE users; COMMIT",
        "SELECT 1;;;;;;; TRUNCATE users",
        "SELECT 'a''; TRUNCATE users",
        "SELECT 1 /* /* */ ; */; TRUNCATE users",
    ] {
        let mut rig = Rig::open(Rules::Plain);
        rig.send(&query(sql));
        assert!(rig.take().contains("ERROR 42501"), "{sql}");
        assert!(rig.ran().is_empty(), "{sql}");
        rig.works();
    }
}

#[test]
fn a_refusal_leaves_the_transaction_to_the_server() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("BEGIN"));
    rig.take();
    rig.send(&query("TRUNCATE users"));
    let seen = rig.take();
    assert!(
        seen.contains("ERROR 42501") && seen.contains("ReadyForQuery E"),
        "{seen}"
    );
    rig.send(&query("SELECT 1"));
    let seen = rig.take();
    assert!(
        seen.contains("25P02") && seen.contains("ReadyForQuery E"),
        "{seen}"
    );
    // Refused again while the transaction has failed.
    rig.send(&query("TRUNCATE users"));
    let seen = rig.take();
    assert!(
        seen.contains("ERROR 42501") && seen.contains("ReadyForQuery E"),
        "{seen}"
    );
    rig.send(&query("COMMIT"));
    let seen = rig.take();
    assert!(
        seen.contains("CommandComplete ROLLBACK") && seen.contains("ReadyForQuery I"),
        "{seen}"
    );
    rig.works();
}

#[test]
fn queries_sent_ahead_are_judged_each_and_answered_in_order() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(
        &[
            "SELECT 1",
            "TRUNCATE users",
            "SELECT 2",
            "TRUNCATE users",
            "SELECT 3",
        ]
        .map(query)
        .concat(),
    );
    assert_eq!(rig.ran(), ["SELECT 1", "SELECT 2", "SELECT 3"]);
    let answers: Vec<String> = rig
        .take()
        .lines()
        .filter(|line| line.starts_with("<- C") || line.starts_with("<- E"))
        .map(|line| line.chars().take(15).collect())
        .collect();
    assert_eq!(
        answers,
        [
            "<- CommandCompl",
            "<- Error ERROR ",
            "<- CommandCompl",
            "<- Error ERROR ",
            "<- CommandCompl"
        ]
    );
}

#[test]
fn detail_is_one_line_of_json() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("TRUNCATE users"));
    let seen = rig.take();
    let detail = seen
        .split("[D: ")
        .nth(1)
        .unwrap()
        .split("] [H:")
        .next()
        .unwrap();
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap();
    assert_eq!(detail["rule"], "no-truncate");
    assert_eq!(detail["ran"], false);
}

#[test]
fn a_goodbye_waits_for_what_was_sent_before() {
    let mut rig = Rig::open(Rules::Plain);
    rig.acknowledges = false;
    rig.send(&[query("INSERT INTO t VALUES (1)"), terminate()].concat());
    assert!(!rig.closed);
    rig.acknowledge();
    assert_eq!(rig.ran(), ["INSERT INTO t VALUES (1)"]);
    assert!(rig.server.terminated && rig.closed);
    let seen = rig.take();
    assert!(seen.contains("CommandComplete INSERT"), "{seen}");
    rig.ended();
}

#[test]
fn without_policy_nothing_runs() {
    let mut rig = Rig::open(Rules::None);
    for sql in ["SELECT 1", "BEGIN", "SHOW x", ""] {
        rig.send(&query(sql));
    }
    assert!(rig.ran().is_empty(), "{}", rig.take());
    assert!(rig.take().contains("policy not received"));
    rig.change(Rules::Plain);
    rig.works();
    rig.change(Rules::None);
    rig.send(&query("SELECT 1"));
    assert_eq!(rig.ran().len(), 1);
}

#[test]
fn observing_lets_pass_and_records_what_would_have_been() {
    let mut rig = Rig::open(Rules::Observe);
    rig.send(&query("TRUNCATE users"));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 deny (observed) by no-truncate sql:truncate [sql:truncate users]: TRUNCATE users
        -> Query TRUNCATE users
        == 4 Replied 1 TRUNCATE
        <- CommandComplete TRUNCATE
        <- ReadyForQuery I
    "#]],
    );
    assert_eq!(rig.ran(), ["TRUNCATE users"]);
    rig.works();
}

#[test]
fn a_message_that_breaks_the_protocol_ends_the_session() {
    for bytes in [
        &[b'Q', 0, 0, 0, 0][..],
        &[b'Q', 0, 0, 0, 3],
        &[b'Q', 0x7f, 0xff, 0xff, 0xff],
        &[b'Q', 0xff, 0xff, 0xff, 0xff],
        &[b'Q', 0, 0, 0, 6, b'a', b'b'],
        &[b'Q', 0, 0, 0, 6, 0xff, 0],
        b"P\0\0\0\x0a\0\xc3\x28\0\0\0",
        &[b'Q', 0, 0, 0, 8, b'a', 0, b'b', 0],
        &[b'q', 0, 0, 0, 5, 0],
        &[0, 0, 0, 0, 4],
        &[b'p', 0, 0, 0, 6, b'a', 0],
        &[b'B', 0, 0, 0, 5, 0],
        &[b'D', 0, 0, 0, 6, b'X', 0],
        &[b'S', 0, 0, 0, 5, 0],
    ] {
        let mut rig = Rig::open(Rules::Plain);
        rig.send(bytes);
        let seen = rig.take();
        assert!(seen.contains("FATAL 08P01"), "{bytes:?} {seen}");
        assert!(
            seen.contains("Refused protocol") || seen.contains("Refused limit"),
            "{bytes:?} {seen}"
        );
        rig.ended();
        rig.send(&query("SELECT 1"));
        assert!(rig.ran().is_empty());
    }
}

#[test]
fn a_setting_that_changes_the_reading_counts_at_once() {
    // With the setting off, the backslash hides the quote: one statement becomes two, or two one.
    const HIDDEN: &str = r"SELECT 'a\'; TRUNCATE users --'";
    const SHOWN: &str = r"SELECT 'a\''; TRUNCATE users --'";
    for texts in [[HIDDEN, SHOWN], [SHOWN, HIDDEN]] {
        let mut rig = Rig::open(Rules::Plain);
        let mut all = Vec::new();
        for text in texts {
            for value in ["off", "on"] {
                all.extend(query(&format!("SET standard_conforming_strings = {value}")));
                all.extend(query(text));
            }
        }
        rig.send(&all);
        let mut rig2 = Rig::open(Rules::Plain);
        rig2.server.silent = true;
        let mark = rig2.upstream.len();
        rig2.send(&all);
        rig2.answers_one_by_one(mark);
        for rig in [rig, rig2] {
            assert!(
                !rig.ran().iter().any(|text| text.starts_with("TRUNCATE")),
                "{:?}",
                rig.ran()
            );
        }
    }
}

#[test]
fn a_setting_that_a_rollback_takes_back_counts_as_well() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server.silent = true;
    let mark = rig.upstream.len();
    rig.send(&query("BEGIN"));
    rig.send(&query("SET standard_conforming_strings = off"));
    rig.send(&query("ROLLBACK"));
    rig.send(&query(r"SELECT 'a\'; TRUNCATE users --'"));
    rig.answers_one_by_one(mark);
    assert!(rig.take().contains("may have changed just before it"));
}
