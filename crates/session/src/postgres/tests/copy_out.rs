//! COPY TO STDOUT: masked as results are, in every format and both protocols.

use ostiary_record::event::Kind;
use ostiary_wire::postgres::{Format, types};

use super::answer::{Answer, ORDERS, USERS, computed, from};
use super::client::{extended, query};
use super::policy::Rules;
use super::rig::Rig;

const LOOK: &str = "SELECT \"id\",\"email\" FROM ONLY \"users\"";

fn columns() -> [super::answer::Col; 2] {
    [
        from("id", USERS, 1).of_type(types::INT4),
        from("email", USERS, 3),
    ]
}

/// The rows a client gets of a COPY, by CopyData message.
fn copied(rig: &mut Rig, message: &[u8]) -> Vec<String> {
    rig.client.clear();
    rig.send(message);
    let mut rest = rig.client.as_slice();
    let mut data = Vec::new();
    while let Ok(Some(frame)) = ostiary_wire::postgres::frame::take(rest, usize::MAX) {
        match frame.tag {
            b'd' => data.push(frame.body.escape_ascii().to_string()),
            b'E' => data.push(format!("error {}", frame.body.escape_ascii())),
            _ => {}
        }
        rest = &rest[frame.bytes.len()..];
    }
    data
}

fn rig(sql: &str, look: &str, answer: Answer) -> Rig {
    let mut rig = Rig::open(Rules::Labels);
    rig.server.on(look, Answer::rows(&columns(), &[]));
    rig.server.on(sql, answer);
    rig
}

#[test]
fn masks_every_format_in_both_protocols() {
    let binary: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\
        \0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x0aal@exa.com";
    type Case<'a> = (&'a str, Format, &'a [&'a [u8]], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            "COPY users (id, email) TO STDOUT",
            Format::Text,
            &[b"1\tal@exa.com\n", b"2\t\\N\n"],
            &["1\\t****.com\\n", "2\\t\\\\N\\n"],
        ),
        (
            "COPY users (id, email) TO STDOUT (FORMAT csv, HEADER)",
            Format::Text,
            &[b"id,email\n", b"1,\"al,\n@exa.com\"\n", b"2,\n"],
            &["id,email\\n", "1,\\\"****.com\\\"\\n", "2,\\n"],
        ),
        (
            "COPY users (id, email) TO STDOUT (FORMAT binary)",
            Format::Binary,
            &[binary, b"\xff\xff"],
            &[
                "PGCOPY\\n\\xff\\r\\n\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\
                 \\x00\\x02\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x08****.com",
                "\\xff\\xff",
            ],
        ),
    ];
    for (sql, format, data, expected) in cases {
        for message in [query(sql), extended(sql)] {
            let mut rig = rig(sql, LOOK, Answer::copy(*format, 2, data));
            assert_eq!(copied(&mut rig, &message), *expected, "{sql}");
            let replied = rig.events.iter().rev().find_map(|event| match &event.kind {
                Some(Kind::Replied(replied)) => Some(replied),
                _ => None,
            });
            let replied = replied.unwrap();
            assert_eq!(replied.masked, 1, "{sql}");
            assert_eq!(replied.columns, ["id", "email"], "{sql}");
            let sample = &replied.sample[0].values[1].value;
            let shown = match format {
                Format::Text => "****.com",
                Format::Binary => "\\x2a2a2a2a2e636f6d",
            };
            assert_eq!(sample.as_deref(), Some(shown), "{sql}");
            assert!(replied.bytes > 0 && replied.rows > 0);
            // The session goes on.
            rig.take();
            rig.send(&query("SELECT 1"));
            assert!(rig.take().contains("<- ReadyForQuery I"));
        }
    }
}

#[test]
fn knows_queries_by_what_the_server_says_and_the_text_proves() {
    let sql = "COPY (SELECT count(*), upper(email) FROM users) TO STDOUT";
    let mut rig = Rig::open(Rules::Labels);
    let described = [computed("count").of_type(types::INT8), computed("upper")];
    let look = "SELECT count(*), upper(email) FROM users";
    rig.server.on(look, Answer::rows(&described, &[]));
    rig.server
        .on(sql, Answer::copy(Format::Text, 2, &[b"3\tAL\n"]));
    assert_eq!(copied(&mut rig, &query(sql)), ["3\\t[redacted]\\n"]);
}

#[test]
fn passes_what_needs_no_mask() {
    let sql = "COPY orders TO STDOUT";
    let mut rig = Rig::open(Rules::Labels);
    let look = "SELECT * FROM ONLY \"orders\"";
    rig.server
        .on(look, Answer::rows(&[from("id", ORDERS, 1)], &[]));
    rig.server
        .on(sql, Answer::copy(Format::Text, 1, &[b"1\n", b"2\n"]));
    assert_eq!(copied(&mut rig, &query(sql)), ["1\\n", "2\\n"]);
    let mut rig = Rig::open(Rules::Plain);
    rig.server
        .on(sql, Answer::copy(Format::Text, 1, &[b"1\n", b"2\n"]));
    assert_eq!(copied(&mut rig, &extended(sql)), ["1\\n", "2\\n"]);
    assert!(!String::from_utf8_lossy(&rig.upstream).contains("ostiary"));
}

#[test]
fn gives_the_error_of_a_failed_look_as_the_answer() {
    let sql = "COPY (SELECT nothing FROM users) TO STDOUT";
    for message in [query(sql), extended(sql)] {
        let mut rig = Rig::open(Rules::Labels);
        let mut failing = Answer::error("42703", "column \"nothing\" does not exist");
        failing.unparsable = true;
        rig.server.on("SELECT nothing FROM users", failing);
        rig.take();
        rig.send(&message);
        let lines = rig.take();
        assert_eq!(lines.matches("<- Error").count(), 1, "{lines}");
        assert_eq!(lines.matches("<- ReadyForQuery").count(), 1, "{lines}");
        assert!(
            !String::from_utf8_lossy(&rig.upstream).contains("Q\0\0\0"),
            "{lines}"
        );
        // The error points into the client's text.
        assert!(
            String::from_utf8_lossy(&rig.client).contains("P7\0"),
            "{lines}"
        );
        rig.send(&query("SELECT 1"));
        assert!(rig.take().contains("<- CommandComplete SELECT"));
    }
}

#[test]
fn denies_what_it_could_not_mask() {
    for sql in [
        "SET search_path = x; COPY users TO STDOUT",
        "COPY users TO STDOUT; DELETE FROM orders",
        "COPY users TO STDOUT (FORMAT json)",
        "COPY users TO STDOUT (ENCODING 'SJIS')",
        "COPY users TO STDOUT (HEADER 2)",
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.send(&query(sql));
        let lines = rig.take();
        assert!(lines.contains("<- Error"), "{sql}: {lines}");
        assert!(lines.contains("<- ReadyForQuery I"), "{sql}: {lines}");
        assert!(
            !String::from_utf8_lossy(&rig.upstream).contains("COPY"),
            "{sql}"
        );
    }
}

#[test]
fn closes_where_the_server_contradicts_itself() {
    let sql = "COPY users (id, email) TO STDOUT";
    let wrong = [
        Answer::copy(Format::Text, 3, &[b"1\ta\tb\n"]),
        Answer::copy(Format::Binary, 2, &[b"x"]),
        Answer::copy(Format::Text, 2, &[b"1\ta\tal@exa.com\n"]),
        Answer::copy(Format::Text, 2, &[b"1\tal@exa.com"]),
    ];
    for answer in wrong {
        let mut rig = rig(sql, LOOK, answer);
        let data = copied(&mut rig, &query(sql));
        assert!(data.iter().all(|it| !it.contains("exa.com")), "{data:?}");
        assert!(data.iter().any(|it| it.contains("FATAL")), "{data:?}");
    }
}

#[test]
fn takes_several_copies_of_one_text() {
    let sql = "COPY users (id, email) TO STDOUT; COPY (SELECT email, id FROM users) TO STDOUT";
    let mut rig = Rig::open(Rules::Labels);
    let [id, email] = columns();
    rig.server
        .on(LOOK, Answer::rows(&[id.clone(), email.clone()], &[]));
    rig.server.on(
        "SELECT email, id FROM users",
        Answer::rows(&[email, id], &[]),
    );
    let answer = Answer::copy(Format::Text, 2, &[b"1\tal@exa.com\n"]);
    rig.server.on("COPY users (id, email) TO STDOUT", answer);
    let answer = Answer::copy(Format::Text, 2, &[b"al@exa.com\t1\n"]);
    rig.server
        .on("COPY (SELECT email, id FROM users) TO STDOUT", answer);
    assert_eq!(
        copied(&mut rig, &query(sql)),
        ["1\\t****.com\\n", "****.com\\t1\\n"]
    );
}
