//! Ends: of the client, the server, the session, the record, at every step.

use ostiary_record::event::Kind;

use super::answer::{Answer, USERS, from};
use super::client::{extended, hello, password, query};
use super::policy::Rules;
use super::rig::{Rig, TOKEN, pending};
use super::server::Auth;
use crate::{Effect, Limits};

/// A session after each of its steps.
fn steps() -> Vec<Rig> {
    let mut rigs = Vec::new();
    for step in 0..9 {
        let mut rig = Rig::new(Rules::Labels, Auth::Scram);
        rig.opens = step > 2;
        if step > 0 {
            rig.send(&hello());
        }
        if step > 1 {
            rig.send(&password(TOKEN));
        }
        match step {
            4 => rig.send(&query("SELECT 1")),
            5 => rig.send(&query("DELETE FROM users")),
            6 => {
                rig.send(&query("DELETE FROM users"));
                rig.approve(pending());
            }
            7 => {
                rig.acknowledges = false;
                rig.send(&query("INSERT INTO t VALUES (1)"));
            }
            8 => {
                rig.server.silent = true;
                rig.send(&query("SELECT 1"));
            }
            _ => {}
        }
        rigs.push(rig);
    }
    rigs
}

#[test]
fn ends_from_either_side_at_every_step() {
    for (step, mut rig) in steps().into_iter().enumerate() {
        let ran = rig.server.ran.len();
        match step % 2 {
            0 => rig.session.on_client_closed(rig.now),
            _ => rig.session.on_server_closed(rig.now),
        }
        rig.settle();
        if !rig.events.is_empty() {
            rig.ended();
        }
        // Nothing that comes later does anything.
        rig.session.on_client_closed(rig.now);
        rig.session.on_server_closed(rig.now);
        rig.session.on_revoked("", rig.now);
        rig.session.on_recorded(99, rig.now);
        rig.session.on_approval(super::rig::approved(), rig.now);
        rig.session.from_client(&query("SELECT 2"), rig.now);
        rig.session.from_server(b"Z\0\0\0\x05I", rig.now);
        rig.settle();
        assert_eq!(rig.server.ran.len(), ran, "{step}");
        assert_eq!(rig.session.poll_timeout(), None);
    }
}

#[test]
fn ends_by_an_operator_at_every_step() {
    for (step, mut rig) in steps().into_iter().enumerate() {
        let ran = rig.server.ran.len();
        rig.session.on_revoked("off duty", rig.now);
        rig.settle();
        rig.ended();
        rig.session.on_recorded(99, rig.now);
        rig.session.on_approval(super::rig::approved(), rig.now);
        rig.send(&query("SELECT 2"));
        rig.wait(5_000_000);
        let seen = rig.take();
        assert!(
            seen.contains("Refused killed: the session was ended by an operator: off duty"),
            "{step} {seen}"
        );
        assert!(rig.closed || seen.contains("FATAL 57P01"), "{step} {seen}");
        assert_eq!(rig.server.ran.len(), ran, "{step}");
        assert!(rig.session.poll_timeout().is_none_or(|due| due > rig.now) || rig.closed);
    }
}

#[test]
fn a_write_runs_only_once_it_is_on_record() {
    for message in [
        query("INSERT INTO t VALUES (1)"),
        extended("INSERT INTO t VALUES (1)"),
    ] {
        let mut rig = Rig::open(Rules::Plain);
        rig.acknowledges = false;
        rig.send(&query("SELECT 1"));
        assert_eq!(rig.ran(), ["SELECT 1"]);
        rig.send(&[message, query("SELECT 2")].concat());
        assert_eq!(rig.ran(), ["SELECT 1"]);
        assert!(rig.session.awaits_record());
        // An acknowledgement of what came before is not enough.
        rig.session.on_recorded(3, rig.now);
        rig.settle();
        assert_eq!(rig.ran(), ["SELECT 1"]);
        rig.acknowledge();
        assert_eq!(
            rig.ran(),
            ["SELECT 1", "INSERT INTO t VALUES (1)", "SELECT 2"]
        );
        assert!(!rig.session.awaits_record());
    }
}

#[test]
fn a_write_that_never_gets_on_record_does_not_run() {
    for message in [
        query("INSERT INTO t VALUES (1)"),
        extended("INSERT INTO t VALUES (1)"),
    ] {
        let mut rig = Rig::open(Rules::Plain);
        rig.acknowledges = false;
        rig.send(&message);
        rig.wait(9_999_999);
        assert!(rig.session.awaits_record());
        rig.wait(1);
        let seen = rig.take();
        assert!(seen.contains("FATAL 57P03: the record of a statement could not be stored; the statement was not run"), "{seen}");
        rig.acknowledge();
        assert!(rig.ran().is_empty());
        rig.ended();
    }
}

#[test]
fn a_goodbye_comes_between_frames() {
    let sql = "SELECT name FROM users";
    let long = "x".repeat(100_000);
    for cut in [3, 5, 6, 99_000] {
        let mut rig = Rig::open(Rules::Plain);
        rig.server.on(
            sql,
            Answer::rows(&[from("name", USERS, 2)], &[&[&long], &[&long]]),
        );
        rig.server.silent = true;
        let mark = rig.upstream.len();
        rig.send(&query(sql));
        let answer = rig.late_answer(mark);
        rig.server.silent = true;
        let row = answer.iter().position(|byte| *byte == b'D').unwrap();
        rig.client.clear();
        let (first, rest) = answer.split_at(row + cut);
        rig.chunk = usize::MAX - 1;
        rig.server_says(first);
        rig.session.on_revoked("", rig.now);
        rig.settle();
        rig.server_says(rest);
        let lines = super::transcript::to_client(&rig.client);
        assert!(
            lines.last().unwrap().contains("FATAL 57P01"),
            "{cut} {:?}",
            lines.last()
        );
        assert!(
            lines
                .iter()
                .all(|line| !line.contains("(broken)") && !line.contains("(malformed)"))
        );
        rig.ended();
    }
}

#[test]
fn a_message_that_is_too_long_is_refused_on_its_header() {
    let limits = Limits {
        message: 1000,
        ..Limits::default()
    };
    let mut rig = Rig::open_with(Rules::Plain, limits);
    rig.send(&query(&format!("SELECT '{}'", "x".repeat(900))));
    assert_eq!(rig.ran().len(), 1);
    rig.send(&[b'Q', 0, 0, 3, 0xe8]);
    let seen = rig.take();
    assert!(seen.contains("FATAL 08P01"), "{seen}");
    rig.ended();
}

#[test]
fn names_are_bounded_in_number_and_size() {
    let limits = Limits {
        names: 10,
        message: 10_000,
        ..Limits::default()
    };
    let mut rig = Rig::open_with(Rules::Plain, limits);
    for number in 0..20 {
        rig.send(&super::client::parse(&format!("s{number}"), "SELECT 1").sync());
    }
    assert!(
        rig.take()
            .contains("more than 10 prepared statements and portals are open")
    );
    rig.ended();

    let mut rig = Rig::open_with(Rules::Plain, limits);
    for number in 0..9 {
        rig.send(&query(&format!(
            "PREPARE s{number} AS SELECT '{}'",
            "x".repeat(8000)
        )));
    }
    assert!(rig.take().contains("take more than 20000 bytes"));
    rig.ended();

    // The same name, again and again, in texts that fail.
    let mut rig = Rig::open_with(Rules::Plain, limits);
    rig.server
        .on("SELECT 1/0", Answer::error("22012", "division by zero"));
    for _ in 0..30 {
        rig.send(&query("PREPARE p AS SELECT 1; SELECT 1/0"));
    }
    assert!(rig.take().contains("FATAL"));

    // Closed names do not count.
    let mut rig = Rig::open_with(Rules::Plain, limits);
    for number in 0..50 {
        let name = format!("s{number}");
        rig.send(
            &super::client::parse(&name, "SELECT 1")
                .bind(&name, &name)
                .execute(&name)
                .close_statement(&name)
                .sync(),
        );
        rig.send(&query(&format!("PREPARE {name} AS SELECT 1")));
        rig.send(&query(&format!("DEALLOCATE {name}")));
        rig.send(&query("BEGIN"));
        rig.send(&query(&format!("DECLARE {name} CURSOR FOR SELECT 1")));
        rig.send(&query("COMMIT"));
    }
    rig.works();
}

#[test]
fn a_large_row_passes_where_nothing_is_masked_and_ends_the_session_where_it_is() {
    let limits = Limits {
        row: 10_000,
        ..Limits::default()
    };
    let sql = "SELECT name FROM users";
    let long = "x".repeat(20_000);
    for (rules, passes) in [
        (Rules::Plain, true),
        (Rules::Labels, true),
        (Rules::Detectors, false),
    ] {
        for chunk in [7, usize::MAX] {
            for message in [query(sql), extended(sql)] {
                let mut rig = Rig::open_with(rules, limits);
                rig.server
                    .on(sql, Answer::rows(&[from("name", USERS, 2)], &[&[&long]]));
                rig.chunk = chunk;
                rig.send(&message);
                let lines = super::transcript::to_client(&rig.client).join("\n");
                assert_eq!(lines.contains("FATAL 08P01"), !passes, "{rules:?} {chunk}");
                assert_eq!(rig.client_saw(&long), passes, "{rules:?} {chunk}");
            }
        }
    }
}

#[test]
fn the_record_is_bounded_whatever_the_server_says() {
    let mut rig = Rig::open(Rules::Plain);
    let long: &'static str = Box::leak("t".repeat(100_000).into_boxed_str());
    rig.server.on(
        "SELECT 1",
        Answer {
            error: Some(super::answer::said(long, long)),
            ..Answer::default()
        },
    );
    rig.server.on("SELECT 2", Answer::done(long));
    let columns: Vec<_> = (0..3000).map(|_| super::answer::computed("c")).collect();
    let row: Vec<&str> = (0..3000).map(|_| "NULL").collect();
    let rows: Vec<&[&str]> = (0..100).map(|_| row.as_slice()).collect();
    rig.server.on("SELECT 3", Answer::rows(&columns, &rows));
    for sql in ["SELECT 1", "SELECT 2", "SELECT 3"] {
        rig.send(&query(sql));
    }
    for event in &rig.events {
        if let Some(Kind::Replied(replied)) = &event.kind {
            let size = format!("{replied:?}").len();
            assert!(size < 400_000, "{size}");
        }
    }
    rig.works();
}

#[test]
fn nothing_is_said_to_the_client_out_of_turn() {
    let mut rig = Rig::open(Rules::Plain);
    rig.session.from_client(&query("TRUNCATE users"), rig.now);
    while let Some(effect) = rig.session.next_effect() {
        assert!(!matches!(
            effect,
            Effect::ToClient(_) | Effect::PassToClient
        ));
    }
}
