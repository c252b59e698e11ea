//! Commands, one at a time.

use super::super::answer::Answer;
use super::super::client::{copy_data, extended, parse, query, startup, terminate};
use super::super::policy::Rules;
use super::super::rig::{ID, Rig, check, config};
use super::super::server::Auth;
use super::{BACKUP, CALL, STREAM, begin, connect, data, open, ready, works};
use crate::{Config, Limits};
use expect_test::expect;

#[test]
fn carries_commands_and_says_so_in_the_record() {
    let mut rig = connect(Rules::Replicates, Auth::Trust, "on", &["analysts"]);
    rig.send(&query("IDENTIFY_SYSTEM"));
    rig.send(&terminate());
    check(
        &mut rig,
        &expect![[r#"
        == 1 ConnectionOpened  as alice []
        -> Startup 3.0 user=shop_app database=app replication=true
        <- Authentication CleartextPassword
        !! OpenSession  alice
        -> Sync
        == 2 LoggedIn agent-7 as shop_app on 16.1
        == 3 Operated 1 allow by replicates sql:replicate [sql:replicate database]: replication=true
        == 4 Replied 1 REPLICATION
        <- Authentication Ok
        <- ParameterStatus server_version=16.1
        <- ParameterStatus client_encoding=UTF8
        <- ParameterStatus standard_conforming_strings=on
        <- BackendKeyData 42
        <- ReadyForQuery I
        == 5 Operated 2 allow by replicates sql:replicate [sql:replicate database]: IDENTIFY_SYSTEM
        -> Query IDENTIFY_SYSTEM
        == 6 Replied 2 IDENTIFY_SYSTEM rows=1 masked=0 [value] (7)
        <- RowDescription value
        <- DataRow 7
        <- CommandComplete IDENTIFY_SYSTEM
        <- ReadyForQuery I
        == 7 Closed client 2
        !! Close
        -> Terminate
    "#]],
    );
}

#[test]
fn reads_the_mode_as_the_server_does() {
    for (value, upstream) in [
        ("T", " replication=true"),
        ("yes", " replication=true"),
        ("database", " replication=database"),
        ("of", ""),
        ("N", ""),
    ] {
        let mut rig = Rig::new(Rules::Replicates, Auth::Trust);
        rig.send(&startup(&[
            ("user", "alice"),
            ("database", "app"),
            ("replication", value),
        ]));
        let seen = rig.take();
        let line = format!("-> Startup 3.0 user=shop_app database=app{upstream}\n");
        assert!(seen.contains(&line), "{seen}");
    }
}

#[test]
fn a_command_waits_for_its_record() {
    let mut rig = open(Rules::Replicates, "true");
    rig.acknowledges = false;
    rig.send(&[query(BACKUP), query("SHOW x")].concat());
    assert!(rig.session.awaits_record());
    assert!(rig.server.commands.is_empty());
    rig.acknowledge();
    assert_eq!(rig.server.commands, [BACKUP]);
    rig.acknowledge();
    assert_eq!(rig.server.commands, [BACKUP, "SHOW x"]);
    rig.send(&query("SHOW x"));
    rig.wait(10_000_000);
    rig.server_says(&ready());
    let seen = rig.take();
    assert!(
        seen.contains("the record of a command could not be stored"),
        "{seen}"
    );
    assert_eq!(rig.server.commands.len(), 2);
    rig.ended();
}

#[test]
fn sql_does_not_run() {
    let texts = [
        "SELECT 1",
        "IDENTIFY_SYSTEM; DROP TABLE users",
        "identify_system",
        "Identify_System",
        "/* IDENTIFY_SYSTEM */ DROP TABLE users",
        "IDENTIFY_SYSTEM -- ;",
        "SHOW x; SELECT 1",
        "SHOW x /*",
        "CREATE_REPLICATION_SLOT s LOGICAL p (a 'b\\'); DROP TABLE users; --')",
        "CREATE_REPLICATION_SLOT \"s\"\" LOGICAL p",
        "CREATE TABLE t ()",
        "BEGIN",
        "",
    ];
    for mode in ["true", "database"] {
        let mut rig = open(Rules::Replicates, mode);
        for text in texts {
            rig.server.on(text, Answer::done("RAN"));
            rig.send(&query(text));
            let seen = rig.take();
            assert!(
                seen.contains(
                    "Error ERROR 0A000: denied by rule `unsupported`: SQL is not carried"
                ),
                "{seen}"
            );
            assert!(
                seen.contains(" deny by unsupported sql:unreadable"),
                "{seen}"
            );
            assert!(!seen.contains("RAN"), "{seen}");
            assert!(rig.ran().is_empty(), "{seen}");
            works(&mut rig);
        }
    }
    // Bytes that are no text.
    let mut rig = open(Rules::Replicates, "database");
    rig.send(b"Q\0\0\0\x09SHO\xff\0".as_slice());
    rig.send(b"Q\0\0\0\x0dSHOW \"\xff\"\0".as_slice());
    let seen = rig.take();
    assert!(!seen.contains("-> Query SH"), "{seen}");
    assert_eq!(seen.matches("ERROR 0A000").count(), 2, "{seen}");
    works(&mut rig);
}

#[test]
fn other_rounds_are_refused_and_the_session_goes_on() {
    for mode in ["true", "database"] {
        let mut rig = open(Rules::Replicates, mode);
        rig.send(CALL);
        let seen = rig.take();
        assert!(seen.contains("ERROR 0A000"), "{seen}");
        assert_eq!(rig.server.calls, 0);
        works(&mut rig);
        rig.send(&extended("SELECT 1"));
        let seen = rig.take();
        assert_eq!(seen.matches("ERROR 0A000").count(), 1, "{seen}");
        assert!(seen.ends_with("<- ReadyForQuery I\n"), "{seen}");
        assert!(rig.ran().is_empty(), "{seen}");
        works(&mut rig);
        // Until Sync the server drops whatever comes, a command too.
        let mark = rig.server.commands.len();
        rig.send(&parse("s", "SELECT 1").flush().0);
        rig.send(&[query(STREAM), copy_data(b"x"), CALL.to_vec()].concat());
        assert_eq!(rig.server.commands.len(), mark);
        rig.send(&super::super::client::Client::default().sync());
        works(&mut rig);
        rig.send(&super::super::client::Client::default().sync());
        works(&mut rig);
        rig.send(
            &super::super::client::Client::default()
                .close_portal("p")
                .sync(),
        );
        assert!(rig.take().contains("ERROR 0A000"));
        works(&mut rig);
    }
}

#[test]
fn messages_are_bounded() {
    let limits = Limits {
        message: 1000,
        row: 1000,
        ..Limits::default()
    };
    let start = || {
        let config = Config { limits, ..config() };
        let mut rig = Rig::with(Rules::Replicates.state(), Auth::Trust, config);
        begin(&mut rig, "database", &["analysts"]);
        rig.send(&query(STREAM));
        rig.take();
        rig
    };
    let mut rig = start();
    rig.send(&copy_data(&[b'x'; 2000])[..20]);
    rig.server_says(&ready());
    assert!(rig.take().contains("FATAL 08P01"));
    rig.ended();
    // Data of the server passes without being held, whatever its size; nothing else does.
    let mut rig = start();
    rig.server_says(&data(&[b'y'; 5000]));
    assert!(rig.client_saw(&"y".repeat(5000)));
    let mut notice = vec![b'N'];
    notice.extend(5000_u32.to_be_bytes());
    rig.server_says(&notice);
    let seen = rig.take();
    assert!(seen.contains("Refused limit"), "{seen}");
    rig.ended();
}

#[test]
fn says_goodbye_in_every_state() {
    for before in ["", STREAM, "SELECT 1"] {
        let mut rig = open(Rules::Replicates, "database");
        if !before.is_empty() {
            rig.send(&query(before));
        }
        rig.send(&terminate());
        assert!(rig.server.terminated, "{before}");
        assert!(rig.closed, "{before}");
        rig.ended();
        assert!(rig.take().contains(ID) || before != "SELECT 1");
    }
}
