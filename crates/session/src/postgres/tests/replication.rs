//! Replication connections.

use expect_test::expect;
use ostiary_wire::postgres::{Backend, Column, CopyFormat, Format, backend::encode, types};

use super::answer::Answer;
use super::client::{copy_data, copy_done, extended, parse, password, query, startup, terminate};
use super::policy::Rules;
use super::rig::{ID, Rig, TOKEN, check, config, principal};
use super::server::{Auth, Server};
use crate::{Config, Limits, Login, Opened};

/// A stream, and what the scripted walsender says to it.
pub(super) const STREAM: &str = "START_REPLICATION SLOT \"s\" LOGICAL 0/0";
const WHOLE_STREAM: &str = "START_REPLICATION 0/3000000 TIMELINE 1";
const BACKUP: &str = "BASE_BACKUP";
const CALL: &[u8] = b"F\0\0\0\x0e\0\0\x03\xbd\0\0\0\0\0\0";

fn said(messages: &[Backend<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        message.encode(&mut out).unwrap();
    }
    out
}

fn row(value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let column = Column {
        name: b"value",
        table: 0,
        attribute: 0,
        type_id: types::TEXT,
        type_size: -1,
        type_modifier: -1,
        format: Format::Text,
    };
    out.extend(said(&[Backend::RowDescription(vec![column])]));
    let mut writer = ostiary_wire::postgres::RowWriter::start(&mut out);
    writer.value(Some(value.as_bytes()));
    writer.finish().unwrap();
    out
}

fn done(tag: &str) -> Vec<u8> {
    said(&[Backend::CommandComplete {
        tag: tag.as_bytes(),
    }])
}

fn ready() -> Vec<u8> {
    b"Z\0\0\0\x05I".to_vec()
}

fn error(sqlstate: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode::error(&mut out, "ERROR", sqlstate, "no", None, None).unwrap();
    out
}

fn format() -> CopyFormat {
    CopyFormat {
        format: Format::Text,
        column_formats: Vec::new(),
    }
}

fn both() -> Vec<u8> {
    said(&[Backend::CopyBothResponse(format())])
}

fn out() -> Vec<u8> {
    said(&[Backend::CopyOutResponse(format())])
}

fn data(bytes: &[u8]) -> Vec<u8> {
    said(&[Backend::CopyData(bytes)])
}

fn end_of_data() -> Vec<u8> {
    said(&[Backend::CopyDone])
}

/// Makes a walsender of the scripted server.
pub(super) fn teach(server: &mut Server) {
    for (command, answer) in [
        (
            "IDENTIFY_SYSTEM",
            [row("7"), done("IDENTIFY_SYSTEM"), ready()].concat(),
        ),
        ("SHOW x", [row("16MB"), done("SHOW"), ready()].concat()),
        (STREAM, [both(), data(b"change 1"), data(b"")].concat()),
        (WHOLE_STREAM, [both(), data(b"wal")].concat()),
        (
            "(done)",
            [
                data(b"change 2"),
                end_of_data(),
                done("COPY 0"),
                done("START_REPLICATION"),
                ready(),
            ]
            .concat(),
        ),
        (
            BACKUP,
            [
                row("0/3000000"),
                done("SELECT"),
                row("pg_default"),
                done("SELECT"),
                out(),
                data(b"nbase.tar"),
                data(&[b'd'; 200]),
                end_of_data(),
                row("0/3000100"),
                done("SELECT"),
                done("BASE_BACKUP"),
                ready(),
            ]
            .concat(),
        ),
    ] {
        server.on_command(command, answer);
    }
}

fn connect(rules: Rules, auth: Auth, mode: &str, groups: &[&str]) -> Rig {
    let mut rig = Rig::new(rules, auth);
    begin(&mut rig, mode, groups);
    rig
}

fn begin(rig: &mut Rig, mode: &str, groups: &[&str]) {
    teach(&mut rig.server);
    rig.principal = principal(groups);
    rig.send(&startup(&[
        ("user", "alice"),
        ("database", "app"),
        ("replication", mode),
    ]));
    rig.send(&password(TOKEN));
}

fn open(rules: Rules, mode: &str) -> Rig {
    let mut rig = connect(rules, Auth::Trust, mode, &["analysts"]);
    let seen = rig.take();
    assert!(seen.contains("<- ReadyForQuery I"), "{seen}");
    rig
}

/// The session works: a command gives its answer.
#[track_caller]
fn works(rig: &mut Rig) {
    rig.take();
    rig.send(&query("IDENTIFY_SYSTEM"));
    let seen = rig.take();
    assert!(seen.contains("<- DataRow 7"), "{seen}");
    assert!(seen.ends_with("<- ReadyForQuery I\n"), "{seen}");
}

#[track_caller]
fn denied_at_login(rules: Rules, mode: &str, groups: &[&str], why: &str) {
    for auth in [Auth::Trust, Auth::Cleartext, Auth::Md5, Auth::Scram] {
        let mut rig = connect(rules, auth, mode, groups);
        let seen = rig.take();
        assert!(
            seen.contains("FATAL 42501: replication is refused"),
            "{seen}"
        );
        assert!(seen.contains(why), "{seen}");
        assert!(!seen.contains("LoggedIn"), "{seen}");
        assert!(seen.contains("Operated 1 "), "{seen}");
        assert!(
            seen.contains(" sql:replicate [sql:replicate database]"),
            "{seen}"
        );
        // The server was never shown the credential.
        let upstream = String::from_utf8_lossy(&rig.upstream);
        assert!(!upstream.contains("upstream secret"), "{upstream}");
        assert!(!upstream.contains("n,,n="), "{upstream}");
        rig.ended();
    }
}

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
        rig.send(&super::client::Client::default().sync());
        works(&mut rig);
        rig.send(&super::client::Client::default().sync());
        works(&mut rig);
        rig.send(&super::client::Client::default().close_portal("p").sync());
        assert!(rig.take().contains("ERROR 0A000"));
        works(&mut rig);
    }
}

#[test]
fn data_flows_both_ways_until_both_are_done() {
    let mut rig = open(Rules::Replicates, "database");
    rig.send(&query(STREAM));
    rig.send(&[copy_data(b"r1"), copy_data(b"r2")].concat());
    assert_eq!(rig.server.taken, b"r1r2");
    // What comes behind the end of its data is no data any more.
    rig.server.silent = true;
    rig.send(&[copy_done(), copy_data(b"late"), query("SHOW x")].concat());
    let upstream = rig.upstream.len();
    rig.server.silent = false;
    assert_eq!(rig.server.taken, b"r1r2");
    let tail = [copy_done()].concat();
    assert!(rig.upstream.ends_with(&tail));
    let last = [
        data(b"change 2"),
        end_of_data(),
        done("COPY 0"),
        done("START_REPLICATION"),
        ready(),
    ];
    rig.server_says(&last.concat());
    let seen = rig.take();
    let more = rig.upstream[upstream..].to_vec();
    assert_eq!(more, query("SHOW x"), "{seen}");
    assert!(seen.contains("<- DataRow 16MB"), "{seen}");
    assert!(seen.contains("Replied 2 START_REPLICATION"), "{seen}");
    let bytes = rig.events.iter().find_map(|event| match &event.kind {
        Some(ostiary_record::event::Kind::Replied(it)) if it.operation == 2 => Some(it.bytes),
        _ => None,
    });
    assert_eq!(bytes, Some(16));
    works(&mut rig);
}

#[test]
fn data_goes_nowhere_before_the_server_asks_for_it() {
    let mut rig = open(Rules::Replicates, "database");
    rig.send(&copy_data(b"stray"));
    rig.send(&copy_done());
    rig.server.silent = true;
    rig.send(&[query(STREAM), copy_data(b"early")].concat());
    assert!(rig.upstream.ends_with(&query(STREAM)));
    // The command fails: the server would drop it.
    rig.server_says(&[error("42704"), ready()].concat());
    rig.server.silent = false;
    works(&mut rig);
    assert!(rig.server.taken.is_empty());
    assert!(!rig.upstream.windows(5).any(|part| part == b"early"));
    // One that is answered, and then fails: by a CancelRequest, say.
    rig.send(&[query(STREAM), copy_data(b"early")].concat());
    assert_eq!(rig.server.taken, b"early");
    rig.server_says(&[error("57014"), ready()].concat());
    rig.send(&[copy_data(b"late"), copy_done()].concat());
    assert_eq!(rig.server.taken, b"early");
    let seen = rig.take();
    assert!(seen.contains("57014 no"), "{seen}");
    works(&mut rig);
}

#[test]
fn nothing_but_data_goes_into_a_stream() {
    let function_call = CALL.to_vec();
    for message in [
        query("IDENTIFY_SYSTEM"),
        extended("SELECT 1"),
        super::client::Client::default().sync(),
        function_call,
        password("x"),
        b"?\0\0\0\x04".to_vec(),
        b"W\0\0\0\x07\0\0\0".to_vec(),
    ] {
        let mut rig = open(Rules::Replicates, "database");
        rig.send(&query(STREAM));
        let mark = rig.upstream.len();
        rig.take();
        rig.send(&message);
        rig.server_says(&ready());
        let seen = rig.take();
        assert!(seen.contains("Error FATAL 08P01"), "{seen}");
        assert!(seen.contains("Refused protocol"), "{seen}");
        let more = &rig.upstream[mark..];
        assert!(!more.starts_with(&message) || message[0] == b'S', "{seen}");
        rig.ended();
    }
}

#[test]
fn a_server_that_speaks_out_of_turn_ends_the_session() {
    let rows = row("x");
    let description = rows.len() - 12;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("", ready()),
        ("", done("x")),
        ("", rows.clone()),
        ("", both()),
        ("", data(b"x")),
        ("", end_of_data()),
        ("", error("42601")),
        ("IDENTIFY_SYSTEM", ready()),
        ("IDENTIFY_SYSTEM", both()),
        ("IDENTIFY_SYSTEM", out()),
        ("IDENTIFY_SYSTEM", data(b"x")),
        ("IDENTIFY_SYSTEM", rows[description..].to_vec()),
        ("IDENTIFY_SYSTEM", b"G\0\0\0\x07\0\0\0".to_vec()),
        ("IDENTIFY_SYSTEM", b"I\0\0\0\x04".to_vec()),
        ("IDENTIFY_SYSTEM", b"R\0\0\0\x08\0\0\0\0".to_vec()),
        ("IDENTIFY_SYSTEM", b"?\0\0\0\x04".to_vec()),
        ("IDENTIFY_SYSTEM", [error("42601"), done("x")].concat()),
        ("IDENTIFY_SYSTEM", [error("42601"), error("42601")].concat()),
        (STREAM, out()),
        (STREAM, [both(), done("x")].concat()),
        (STREAM, [both(), ready()].concat()),
        (STREAM, [both(), both()].concat()),
        (STREAM, [both(), end_of_data(), data(b"x")].concat()),
        (STREAM, [both(), end_of_data(), done("x")].concat()),
        (STREAM, [both(), rows.clone()].concat()),
        (BACKUP, both()),
        (BACKUP, [out(), rows.clone()].concat()),
        (BACKUP, [out(), done("x")].concat()),
        (BACKUP, [out(), end_of_data(), ready()].concat()),
        (BACKUP, [out(), end_of_data(), data(b"x")].concat()),
        ("SELECT 1", done("x")),
        ("SELECT 1", rows.clone()),
        ("SELECT 1", ready()),
    ];
    for (command, bytes) in cases {
        let mut rig = open(Rules::Replicates, "true");
        if command == STREAM {
            rig = open(Rules::Replicates, "database");
        }
        rig.server.silent = true;
        if !command.is_empty() {
            rig.send(&query(command));
        }
        rig.take();
        rig.server_says(&bytes);
        let seen = rig.take();
        assert!(seen.contains("Refused server"), "{command}: {seen}");
        assert!(seen.contains("Error FATAL 57P03"), "{command}: {seen}");
        rig.ended();
    }
}

#[test]
fn a_backup_is_several_results_and_data() {
    let mut rig = open(Rules::Replicates, "true");
    rig.send(&query(BACKUP));
    let seen = rig.take();
    assert!(seen.contains("<- DataRow 0/3000100"), "{seen}");
    assert!(seen.contains("Replied 2 BASE_BACKUP rows=3"), "{seen}");
    works(&mut rig);
    // Up to PostgreSQL 14 there is one stream for each tablespace.
    rig.server.on_command(
        BACKUP,
        [
            out(),
            data(b"one"),
            end_of_data(),
            out(),
            data(b"two"),
            end_of_data(),
            done("BASE_BACKUP"),
            ready(),
        ]
        .concat(),
    );
    rig.send(&query(BACKUP));
    assert!(rig.client_saw("two"));
    works(&mut rig);
    // One that fails in the middle.
    rig.server.on_command(
        BACKUP,
        [out(), data(b"one"), error("XX001"), ready()].concat(),
    );
    rig.send(&query(BACKUP));
    let seen = rig.take();
    assert!(seen.contains("Replied 6 XX001 no"), "{seen}");
    works(&mut rig);
}

#[test]
fn a_manifest_is_taken_only_when_it_is_asked_for() {
    let ask = b"G\0\0\0\x07\0\0\0".to_vec();
    let mut rig = open(Rules::Replicates, "true");
    rig.server.on_command("UPLOAD_MANIFEST", ask.clone());
    rig.server
        .on_command("(done)", [done("UPLOAD_MANIFEST"), ready()].concat());
    rig.send(&query("UPLOAD_MANIFEST"));
    rig.send(
        &[
            copy_data(b"{"),
            super::client::Client::default().sync(),
            copy_data(b"}"),
        ]
        .concat(),
    );
    rig.send(&copy_done());
    assert_eq!(rig.server.taken, b"{}");
    let seen = rig.take();
    assert!(!seen.contains("-> Sync"), "{seen}");
    works(&mut rig);
    // It ignores a Sync meanwhile: what makes it speak is another message.
    rig.send(&query("UPLOAD_MANIFEST"));
    let mark = rig.upstream.len();
    rig.session.on_revoked("", rig.now);
    rig.settle();
    assert_eq!(rig.upstream[mark], b'f');
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
fn an_end_waits_for_the_rest_of_a_message() {
    let mut rig = open(Rules::Replicates, "database");
    rig.send(&query(STREAM));
    rig.take();
    rig.server.silent = true;
    rig.chunk = 1;
    let message = data(b"a long change");
    let (start, rest) = message.split_at(9);
    rig.server_says(start);
    let mark = rig.client.len();
    rig.session.on_revoked("enough", rig.now);
    rig.settle();
    rig.server_says(&[rest, &data(b"hidden")].concat());
    assert!(rig.client[mark..].starts_with(b"ng change"));
    assert!(rig.client_saw("the session was ended by an operator: enough"));
    assert!(!rig.client_saw("hidden"));
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
