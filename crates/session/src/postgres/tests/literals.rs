//! Constants on record: masked as the columns they meet are.

use super::client::{extended, query};
use super::policy::Rules;
use super::rig::Rig;
use crate::Limits;

#[track_caller]
fn check(rules: Rules, sql: &str, recorded: &str) {
    for message in [query(sql), extended(sql)] {
        let mut rig = Rig::open(rules);
        rig.send(&message);
        let seen = rig.take();
        let kept = seen.lines().filter(|line| line.contains(" Operated "));
        for line in kept.clone() {
            let said = line.split_once("]: ").map(|(_, said)| said);
            assert_eq!(said, Some(recorded), "{seen}");
        }
        assert!(kept.count() > 0, "{seen}");
    }
}

#[test]
fn constants_are_masked_by_the_labels_of_what_they_meet() {
    use Rules::{Detectors, Labels, Observe, Plain};
    let insert = "INSERT INTO users (id, email) VALUES (7, 'alice@example.com')";
    let masked = "INSERT INTO users (id, email) VALUES (7, '****.com')";
    check(Labels, insert, masked);
    check(Observe, insert, masked);
    check(Plain, insert, insert);
    check(
        Labels,
        "SELECT name FROM users u WHERE id = 71234 AND u.email = 'alice@example.com' LIMIT 1000",
        "SELECT name FROM users u WHERE id = 71234 AND u.email = '****.com' LIMIT 1000",
    );
    check(
        Labels,
        "UPDATE users SET ssn = 78051120, name = 'ada' WHERE id = 1",
        "UPDATE users SET ssn = '[redacted]', name = 'ada' WHERE id = 1",
    );
    // A constant in any spelling; one that may meet anything, unless it is too short to tell anything.
    check(
        Observe,
        r"UPDATE users SET email = E'\x61lice', card = $$4111$$ WHERE id = 1",
        "UPDATE users SET email = '[redacted]', card = '[redacted]' WHERE id = 1",
    );
    check(
        Labels,
        "SELECT 'x', 1, 78051120, name FROM users",
        "SELECT '[redacted]', 1, '[redacted]', name FROM users",
    );
    check(
        Labels,
        "SELECT name FROM contacts WHERE mail = 'alice@example.com'",
        "SELECT name FROM contacts WHERE mail = '****.com'",
    );
    // What a function does with it is not known.
    check(
        Labels,
        "SELECT set_mail(7, 'alice@example.com')",
        "SELECT set_mail(7, '[redacted]')",
    );
    // Other relations, and code, are on record as they came.
    for sql in [
        "INSERT INTO orders VALUES (9, 'alice@example.com')",
        "DO $$ BEGIN PERFORM 'alice@example.com' FROM users; END $$",
        "SELECT query_to_xml('select ssn from users', true, true, '')",
    ] {
        check(Labels, sql, sql);
    }
    check(
        Detectors,
        "INSERT INTO orders VALUES ('to alice@example.com')",
        "INSERT INTO orders VALUES ('to [redacted]')",
    );
}

#[test]
fn arguments_of_execute_are_masked_by_what_it_runs() {
    let mut rig = Rig::open(Rules::Labels);
    rig.send(&query("PREPARE p AS SELECT name FROM users WHERE id = $1"));
    rig.send(&query("PREPARE q AS SELECT $1"));
    rig.take();
    rig.send(&query("EXECUTE p('alice@example.com')"));
    let seen = rig.take();
    assert!(seen.contains("]: EXECUTE p('[redacted]')"), "{seen}");
    rig.send(&query("EXECUTE q('alice@example.com')"));
    let seen = rig.take();
    assert!(seen.contains("]: EXECUTE q('alice@example.com')"), "{seen}");
}

#[test]
fn a_text_is_masked_by_what_it_means_now() {
    let mut rig = Rig::open(Rules::Labels);
    let shown = "]: EXECUTE p('alice@example.com')";
    for (prepare, bare) in [
        ("PREPARE p AS SELECT $1", true),
        ("PREPARE p AS SELECT name FROM users WHERE id = $1", false),
        ("PREPARE p AS SELECT $1", true),
    ] {
        rig.send(&query(prepare));
        rig.take();
        for _ in 0..2 {
            rig.send(&query("EXECUTE p('alice@example.com')"));
            assert_eq!(rig.take().contains(shown), bare, "{prepare}");
        }
        rig.send(&query("DEALLOCATE p"));
    }
    let sql = "SELECT total FROM orders WHERE note = 'alice@example.com'";
    let shown = format!("]: {sql}");
    for rules in [Rules::Detectors, Rules::Plain] {
        rig.send(&query(sql));
        assert!(rig.take().contains(&shown));
        rig.change(rules);
        rig.send(&query(sql));
        assert_eq!(rig.take().contains(&shown), rules == Rules::Plain);
        rig.change(Rules::Labels);
    }
}

#[test]
fn a_masked_text_is_not_told_by_its_digest() {
    let limits = Limits {
        record_statement: 8,
        ..Limits::default()
    };
    let digest = |sql: &str| {
        let mut rig = Rig::open_with(Rules::Labels, limits);
        rig.send(&query(sql));
        rig.events
            .iter()
            .find_map(|event| match &event.kind {
                Some(ostiary_record::event::Kind::Operated(it)) => {
                    Some((it.statement_sha256.clone(), it.statement_size))
                }
                _ => None,
            })
            .unwrap()
    };
    let [one, other] = ["123456789", "987654321"]
        .map(|ssn| digest(&format!("SELECT name FROM users WHERE ssn = '{ssn}'")));
    assert_eq!(one.0.len(), 32);
    assert_eq!(one, other);
}
