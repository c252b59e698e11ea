//! What errors, notices and settings say of labelled data.

use super::answer::{Answer, Said, USERS, computed, from, said};
use super::client::{Client, extended, parse, query};
use super::policy::Rules;
use super::rig::Rig;

const EMAIL: &str = "alice@example.com";
const READS: &str = "SELECT email::int FROM users";
const HARMLESS: &str = "SELECT id::int FROM orders";

fn quoting(sqlstate: &'static str) -> Said {
    said(sqlstate, "it says alice@example.com").with(b'D', "Key (email)=(alice@example.com)")
}

#[test]
fn errors_that_may_quote_labelled_data_are_withheld() {
    let cases: &[(&str, Said, bool)] = &[
        (READS, quoting("22P02"), false),
        (READS, quoting("23505"), false),
        (READS, quoting("P0001"), false),
        // email::regclass
        (READS, quoting("42P01"), false),
        (READS, quoting("42704"), false),
        (READS, quoting("42883"), false),
        // RAISE ... USING ERRCODE
        (
            READS,
            quoting("42501")
                .with(b'W', "PL/pgSQL function f() line 1 at RAISE")
                .with(b't', EMAIL),
            false,
        ),
        (
            READS,
            quoting("57014")
                .with(b'W', "at RAISE")
                .with(b'n', EMAIL)
                .with(b'c', EMAIL),
            false,
        ),
        (
            READS,
            quoting("22P02").with(b'q', "SELECT 1").with(b'P', "3"),
            false,
        ),
        (READS, quoting("22P02").with(b'?', EMAIL), false),
        // The server points into the statement: it has not run.
        (READS, quoting("22P02").with(b'P', "8"), true),
        (READS, quoting("42703").with(b'P', "8"), true),
        (READS, quoting("42501"), true),
        (READS, quoting("57014"), true),
        (HARMLESS, quoting("22P02"), true),
        (HARMLESS, quoting("P0001").with(b'W', "somewhere"), true),
    ];
    for (sql, error, passes) in cases {
        for notice in [false, true] {
            for message in [
                query(sql),
                extended(sql),
                parse("", sql).bind("", "").execute("").sync(),
            ] {
                let mut rig = Rig::open(Rules::Labels);
                let answer = if notice {
                    Answer::done("SELECT 0").noticing(error.clone())
                } else {
                    Answer {
                        error: Some(error.clone()),
                        ..Answer::default()
                    }
                };
                rig.server.on(sql, answer);
                rig.send(&message);
                let lines = rig.take();
                assert_eq!(rig.client_saw(EMAIL), *passes, "{sql} {error:?} {lines}");
                assert_eq!(
                    lines.contains("the message is withheld"),
                    !passes,
                    "{lines}"
                );
                if !passes {
                    assert!(
                        !format!("{:?}", rig.events).contains(EMAIL),
                        "{:?}",
                        rig.events
                    );
                }
                rig.works();
            }
        }
    }
}

#[test]
fn errors_at_the_end_of_a_transaction_are_withheld() {
    const UPDATE: &str = "UPDATE users SET email = 'x' WHERE id = 1";
    let deferred = || Answer {
        deferred: Some(quoting("23505")),
        ..Answer::done("UPDATE 1")
    };
    let scripts: [Vec<Vec<u8>>; 5] = [
        vec![query(UPDATE)],
        vec![extended(UPDATE)],
        vec![query("BEGIN"), query(UPDATE), query("COMMIT")],
        vec![query("BEGIN"), query(UPDATE), extended("COMMIT")],
        vec![[query("BEGIN"), query(UPDATE), query("COMMIT")].concat()],
    ];
    for script in scripts {
        let mut rig = Rig::open(Rules::Labels);
        rig.server.on(UPDATE, deferred());
        for message in script {
            rig.send(&message);
        }
        let lines = rig.take();
        assert!(lines.contains("the message is withheld"), "{lines}");
        assert!(!rig.client_saw(EMAIL), "{lines}");
        rig.works();
    }
}

#[test]
fn detectors_look_into_errors_and_their_records() {
    let mut rig = Rig::open(Rules::Detectors);
    rig.server.on(
        HARMLESS,
        Answer {
            error: Some(quoting("22P02").with(b'H', EMAIL).with(b'W', EMAIL)),
            ..Answer::default()
        },
    );
    rig.send(&query(HARMLESS));
    let lines = rig.take();
    assert!(lines.contains("it says [redacted]"), "{lines}");
    assert!(!rig.client_saw(EMAIL) && !lines.contains(EMAIL), "{lines}");
}

#[test]
fn settings_carry_no_labelled_value() {
    const SETS: &str = "SELECT set_config('application_name', app_mail(id), false) FROM users";
    let readers = [
        "SHOW application_name",
        "SHOW ALL",
        "SELECT current_setting('application_name')",
        "SELECT current_setting('my.' || 'x')",
        "SELECT setting FROM pg_settings",
        "SELECT setting FROM pg_catalog.pg_show_all_settings()",
    ];
    for set in [query(SETS), extended(SETS)] {
        for reader in readers {
            let mut rig = Rig::open(Rules::Labels);
            let column = if reader.contains("FROM pg_settings") {
                from("setting", USERS, 2)
            } else {
                computed("x")
            };
            rig.server.on(reader, Answer::rows(&[column], &[&[EMAIL]]));
            rig.send(&query(reader));
            // A call that is not known to only compute is tainted anyway.
            assert!(
                rig.client_saw(EMAIL) || reader.contains("pg_show_all"),
                "{reader}"
            );
            rig.client.clear();
            rig.server.on(
                SETS,
                Answer::rows(&[computed("set_config")], &[&[EMAIL]])
                    .reporting("application_name", EMAIL),
            );
            rig.send(&set);
            rig.send(&query("BEGIN"));
            rig.server.on(
                "ROLLBACK TO x",
                Answer::done("ROLLBACK").reporting("application_name", EMAIL),
            );
            rig.send(&query("ROLLBACK TO x"));
            rig.send(&query(reader));
            rig.send(&extended(reader));
            assert!(!rig.client_saw(EMAIL), "{reader} {}", rig.take());
            // Settings that can hold nothing but their own words stay readable.
            rig.server.on(
                "SHOW transaction_isolation",
                Answer::rows(&[computed("x")], &[&["read committed"]]),
            );
            rig.send(&query("SHOW transaction_isolation"));
            assert!(rig.client_saw("read committed"));
        }
    }
}

#[test]
fn settings_reach_the_client_otherwise() {
    let mut rig = Rig::open(Rules::Labels);
    rig.server.on(
        "SET application_name = 'a'",
        Answer::done("SET").reporting("application_name", "a"),
    );
    rig.send(&query("SET application_name = 'a'"));
    assert!(rig.take().contains("<- ParameterStatus application_name=a"));
    rig.send(&Client::default().sync());
    assert!(rig.take().contains("ReadyForQuery"));
}
