//! What labels do not permit: rows chosen by a labelled column, values that leave their label.

use super::client::{Client, extended, parse, query};
use super::policy::Rules;
use super::rig::{Rig, principal};
use super::server::Auth;

const FILTER: &str = "SELECT name FROM users WHERE email = 'a'";

#[test]
fn a_refusal_tells_people_and_programs_what_to_do() {
    for message in [query(FILTER), extended(FILTER)] {
        let mut rig = Rig::open(Rules::Labels);
        rig.send(&message);
        let seen = rig.take();
        for part in [
            "denied by rule `labelled-rows`: `public.users.email`, labelled `pii.email`, would decide",
            r#""rule":"labelled-rows""#,
            r#""column":"public.users.email","label":"pii.email","use":"rows","cure":"Choose, join"#,
            "[H: Nothing was run. Choose, join, sort and group by other columns.",
        ] {
            assert!(seen.contains(part), "{part}\n{seen}");
        }
        assert!(rig.server.ran.iter().all(|ran| ran.said != FILTER));
        rig.works();
    }
}

#[test]
fn reveal_lifts_what_labels_refuse() {
    let moves = "INSERT INTO orders SELECT email FROM users";
    for sql in [FILTER, moves] {
        let mut rig = Rig::new(Rules::Labels, Auth::Trust);
        rig.principal = principal(&["analysts", "support"]);
        let mut rig = rig.logged_in();
        rig.send(&query(sql));
        assert!(!rig.take().contains("denied"), "{sql}");
        assert!(rig.server.ran.iter().any(|ran| ran.said.contains(sql)));
    }
}

#[test]
fn views_and_cursors_are_held_to_the_same() {
    for sql in [
        "SELECT 1 FROM contacts WHERE mail = 'a'",
        "SELECT 1 FROM public.contacts c ORDER BY c.name",
        "BEGIN; DECLARE c CURSOR FOR SELECT name FROM users ORDER BY ssn",
        "PREPARE p AS SELECT name FROM users WHERE ssn = $1",
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.send(&query(sql));
        assert!(rig.take().contains("labelled-rows"), "{sql}");
        rig.works();
    }
    // Only the relations a statement touches lend it their labels.
    for sql in [
        "SELECT 1 FROM orders WHERE email = 'a' ORDER BY ssn",
        "SELECT 1 FROM users u WHERE u.id = 1",
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.send(&query(sql));
        assert!(!rig.take().contains("denied"), "{sql}");
    }
}

#[test]
fn a_schema_with_labelled_columns_keeps_its_name() {
    for (sql, denied) in [
        ("ALTER SCHEMA public RENAME TO other", true),
        ("ALTER SCHEMA other RENAME TO another", false),
        ("ALTER SCHEMA public OWNER TO owner", false),
    ] {
        let mut rig = Rig::new(Rules::Labels, Auth::Trust);
        rig.principal = principal(&["analysts", "owners"]);
        let mut rig = rig.logged_in();
        rig.send(&query(sql));
        assert_eq!(rig.take().contains("labels-stay-in"), denied, "{sql}");
    }
}

#[test]
fn labels_that_come_later_hold_for_what_was_bound_before() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&parse("", FILTER).bind("", "").flush().0);
    assert!(rig.take().contains("BindComplete"));
    rig.change(Rules::Labels);
    rig.send(&Client::default().execute("").sync());
    assert!(rig.take().contains("labelled-rows"));
    assert!(rig.server.ran.is_empty());
}

#[test]
fn observing_records_what_labels_would_refuse() {
    for (sql, rule) in [
        (FILTER, "labelled-rows"),
        ("SELECT 1 FROM contacts WHERE mail = 'a'", "labelled-rows"),
        (
            "INSERT INTO orders SELECT email FROM users",
            "labels-stay-in",
        ),
        ("SELECT name FROM users WHERE id = 1", ""),
    ] {
        for message in [query(sql), extended(sql)] {
            let mut rig = Rig::open(Rules::Observe);
            rig.send(&message);
            let seen = rig.take();
            let said = format!("deny (observed) by {rule} ");
            assert_eq!(seen.contains(&said), !rule.is_empty(), "{sql}\n{seen}");
            assert!(!seen.contains("denied"), "{sql}\n{seen}");
            assert!(rig.server.ran.iter().any(|ran| ran.said == sql), "{sql}");
            rig.works();
        }
    }
}

#[test]
fn observing_goes_on_without_a_catalogue() {
    let mut rig = Rig::new(Rules::Observe, Auth::Trust);
    rig.server.catalogue_fails = true;
    let mut rig = rig.logged_in();
    rig.send(&query(FILTER));
    assert!(rig.take().contains("deny (observed) by labelled-rows "));
    assert!(rig.server.ran.iter().any(|ran| ran.said == FILTER));
}
