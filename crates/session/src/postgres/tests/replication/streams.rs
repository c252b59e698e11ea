//! Data, both ways.

use super::super::client::{copy_data, copy_done, extended, password, query};
use super::super::policy::Rules;
use super::{
    BACKUP, CALL, STREAM, both, data, done, end_of_data, error, open, out, ready, row, works,
};

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
        super::super::client::Client::default().sync(),
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
            super::super::client::Client::default().sync(),
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
