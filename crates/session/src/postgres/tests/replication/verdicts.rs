//! Who may replicate, and what is asked again.

use super::super::client::{copy_done, extended, query};
use super::super::policy::Rules;
use super::super::rig::{Rig, principal};
use super::super::server::Auth;
use super::{
    BACKUP, STREAM, WHOLE_STREAM, begin, connect, data, denied_at_login, open, ready, works,
};
use crate::{Login, Opened};

#[test]
fn is_denied_unless_a_permit_names_it() {
    let nothing = "denied by rule `default-deny`: nothing permits `sql:replicate` on database";
    for mode in ["true", "database"] {
        for rules in [Rules::Plain, Rules::Blanket] {
            denied_at_login(rules, mode, &["analysts"], nothing);
        }
        denied_at_login(Rules::Replicates, mode, &["others"], nothing);
        denied_at_login(Rules::None, mode, &["analysts"], "no-policy");
        let asks = "rule `ask` asks for an approval, and replication cannot wait for one";
        denied_at_login(Rules::AskedReplication, mode, &["analysts"], asks);
    }
    // A permit on one database does not cover what shows all of them.
    denied_at_login(Rules::ReplicatesHere, "true", &["analysts"], nothing);
    // Nor what is done to slots, which may be of others.
    for text in [
        "DROP_REPLICATION_SLOT other",
        "ALTER_REPLICATION_SLOT other (FAILOVER false)",
    ] {
        let mut rig = open(Rules::ReplicatesHere, "database");
        rig.send(&query(text));
        let seen = rig.take();
        assert!(seen.contains("Error ERROR 42501"), "{text}: {seen}");
        assert!(rig.server.commands.is_empty(), "{text}");
        works(&mut rig);
    }
}

#[test]
fn is_refused_where_anything_is_masked() {
    for mode in ["true", "database"] {
        let why = "denied by rule `labelled-replication`: replication shows values as they are";
        denied_at_login(Rules::LabelledReplication, mode, &["analysts"], why);
        denied_at_login(Rules::DetectedReplication, mode, &["analysts"], why);
        // Who may see one label of four.
        let groups = ["analysts", "support"];
        denied_at_login(Rules::LabelledReplication, mode, &groups, why);
        // Who may see the only one.
        let mut rig = connect(Rules::DetectedReplication, Auth::Scram, mode, &groups);
        works(&mut rig);
    }
    // A label in another database is about what shows all of them, and nothing else.
    let why = "labelled-replication";
    denied_at_login(Rules::LabelsElsewhere, "true", &["analysts"], why);
    let mut rig = open(Rules::LabelsElsewhere, "database");
    rig.send(&query(BACKUP));
    rig.send(&query(WHOLE_STREAM));
    let seen = rig.take();
    assert_eq!(seen.matches("Error ERROR 42501").count(), 2, "{seen}");
    assert_eq!(
        seen.matches("labelled-replication").count(),
        4 + 2,
        "{seen}"
    );
    assert!(rig.server.commands.is_empty());
    rig.send(&query(STREAM));
    assert!(rig.client_saw("change 1"));
}

#[test]
fn is_only_recorded_where_the_resource_observes() {
    let mut rig = connect(Rules::Observe, Auth::Trust, "database", &["analysts"]);
    let seen = rig.take();
    let line = "Operated 1 deny (observed) by default-deny sql:replicate";
    assert!(seen.contains(line), "{seen}");
    works(&mut rig);
    rig.send(&query(STREAM));
    assert!(rig.client_saw("change 1"));
    // What cannot be carried is refused even so, and its constants are not on record.
    let mut rig = connect(Rules::Observe, Auth::Trust, "true", &["analysts"]);
    rig.send(&query("SELECT 'ada@example.com'"));
    let seen = rig.take();
    assert!(seen.contains("ERROR 0A000"), "{seen}");
    assert!(!seen.contains("Query SELECT"), "{seen}");
    assert!(!seen.contains("ada@"), "{seen}");
    works(&mut rig);
}

#[test]
fn each_command_is_judged() {
    let mut rig = open(Rules::ReplicatesHere, "database");
    for text in [
        BACKUP,
        WHOLE_STREAM,
        "START_REPLICATION SLOT s 0/0",
        "TIMELINE_HISTORY 1",
        "UPLOAD_MANIFEST",
        "CREATE_REPLICATION_SLOT s PHYSICAL",
    ] {
        rig.send(&query(text));
        let seen = rig.take();
        assert!(seen.contains("Error ERROR 42501: denied by rule"), "{seen}");
        assert!(!seen.contains(&format!("-> Query {text}")), "{seen}");
        works(&mut rig);
    }
    // To write files of the server is more than to replicate.
    let mut rig = open(Rules::Replicates, "true");
    rig.send(&query(
        "BASE_BACKUP (TARGET 'server', TARGET_DETAIL '/tmp/x')",
    ));
    let seen = rig.take();
    assert!(seen.contains("nothing permits `sql:server-file`"), "{seen}");
    works(&mut rig);
}

#[test]
fn a_change_of_policy_ends_a_stream() {
    for rules in [
        Rules::Plain,
        Rules::LabelledReplication,
        Rules::DetectedReplication,
        Rules::AskedReplication,
        Rules::None,
    ] {
        let mut rig = open(Rules::Replicates, "database");
        rig.send(&query(STREAM));
        rig.take();
        rig.server.silent = true;
        rig.change(rules);
        assert!(rig.upstream.ends_with(&copy_done()));
        rig.server_says(&data(b"too late"));
        let seen = rig.take();
        assert!(!rig.client_saw("too late"), "{seen}");
        assert!(
            seen.contains("Error FATAL 42501: replication is not permitted any more"),
            "{seen}"
        );
        assert!(seen.contains("Refused policy"), "{seen}");
        assert!(seen.contains("Replied 2 08006"), "{seen}");
        rig.ended();
    }
    // A label elsewhere is about what shows every database.
    for (mode, command, stays) in [
        ("database", STREAM, true),
        ("database", WHOLE_STREAM, false),
        ("true", WHOLE_STREAM, false),
    ] {
        let mut rig = open(Rules::Replicates, mode);
        rig.send(&query(command));
        rig.server.silent = true;
        rig.change(Rules::LabelsElsewhere);
        rig.server_says(&data(b"change 9"));
        assert_eq!(rig.client_saw("change 9"), stays, "{mode} {command}");
    }
    // Policy that changes during the login counts.
    let mut rig = Rig::new(Rules::Replicates, Auth::Trust);
    rig.opens = false;
    begin(&mut rig, "true", &["analysts"]);
    rig.server.silent = true;
    rig.session.on_login(Login::Opened(rig.login()), rig.now);
    rig.settle();
    rig.take();
    rig.change(Rules::Plain);
    rig.server_says(&ready());
    let seen = rig.take();
    assert!(
        seen.contains("FATAL 42501: replication is refused"),
        "{seen}"
    );
    assert!(!seen.contains("<- ReadyForQuery"), "{seen}");
    rig.ended();
}

#[test]
fn a_stream_ends_with_its_token() {
    let mut rig = Rig::new(Rules::Replicates, Auth::Trust);
    rig.opens = false;
    begin(&mut rig, "database", &["analysts"]);
    let opened = Opened {
        expires_us: rig.now.after(60_000_000).0,
        ..rig.login()
    };
    rig.session.on_login(Login::Opened(opened), rig.now);
    rig.settle();
    rig.send(&query(STREAM));
    assert!(rig.client_saw("change 1"));
    rig.wait(60_000_000);
    rig.server_says(&data(b"too late"));
    assert!(rig.client_saw("the token has expired"));
    assert!(!rig.client_saw("too late"));
    rig.ended();
}

#[test]
fn functions_that_read_the_wal_are_judged_the_same() {
    let read = "SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)";
    for (rules, groups, why) in [
        (Rules::Blanket, &["analysts"][..], "default-deny"),
        (
            Rules::LabelledReplication,
            &["analysts"],
            "labelled-replication",
        ),
        (
            Rules::DetectedReplication,
            &["analysts"],
            "labelled-replication",
        ),
        (Rules::Replicates, &["analysts"], ""),
        (Rules::DetectedReplication, &["analysts", "support"], ""),
    ] {
        let mut rig = Rig::new(rules, Auth::Trust);
        rig.principal = principal(groups);
        let mut rig = rig.logged_in();
        rig.send(&query(read));
        rig.send(&extended(read));
        let seen = rig.take();
        let refused = if why.is_empty() { 0 } else { 2 };
        assert_eq!(seen.matches("Error ERROR 42501").count(), refused, "{seen}");
        assert!(seen.contains(why), "{seen}");
        assert_eq!(rig.ran().len(), 2 - refused, "{seen}");
    }
}
