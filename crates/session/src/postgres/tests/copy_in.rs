//! COPY FROM STDIN: judged as a write; the data goes when the server asks for it, and nowhere else.

use ostiary_record::event::Kind;
use ostiary_wire::postgres::{
    Backend, CopyFormat, Format, Frontend, TransactionStatus, backend::encode, frame,
};

use super::client::{Client, extended, parse, query};
use super::policy::Rules;
use super::rig::{Rig, approved};

const SQL: &str = "COPY orders FROM STDIN";

fn data(text: &str) -> Vec<u8> {
    message(b'd', text.as_bytes())
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

const DONE: &[u8] = b"c\0\0\0\x04";
const SYNC: &[u8] = b"S\0\0\0\x04";
const FLUSH: &[u8] = b"H\0\0\0\x04";

fn asks() -> Vec<u8> {
    let mut out = Vec::new();
    let format = CopyFormat {
        format: Format::Text,
        column_formats: vec![Format::Text; 2],
    };
    Backend::CopyInResponse(format).encode(&mut out).unwrap();
    out
}

fn completes(tag: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode::command_complete(&mut out, tag.as_bytes()).unwrap();
    out
}

fn ready() -> Vec<u8> {
    let mut out = Vec::new();
    let status = TransactionStatus::Idle;
    Backend::ReadyForQuery { status }.encode(&mut out).unwrap();
    out
}

fn fails(message: &str, context: &str) -> Vec<u8> {
    let body = format!("SERROR\0C23505\0M{message}\0W{context}\0\0");
    self::message(b'E', body.as_bytes())
}

/// A session whose server says what the test says.
fn rig(rules: Rules) -> Rig {
    let mut rig = Rig::open(rules);
    rig.server.silent = true;
    rig.upstream.clear();
    rig.client.clear();
    rig
}

/// The tags of what the server got.
fn sent(rig: &mut Rig) -> String {
    let upstream = std::mem::take(&mut rig.upstream);
    let mut rest = upstream.as_slice();
    let mut tags = String::new();
    while let Some(frame) = frame::take(rest, usize::MAX).unwrap() {
        tags.push(char::from(frame.tag));
        rest = &rest[frame.bytes.len()..];
    }
    tags
}

#[test]
fn data_goes_when_the_server_asks_and_is_counted() {
    let whole = [
        query(SQL),
        data("1\ta\n"),
        FLUSH.to_vec(),
        SYNC.to_vec(),
        data("2\tb\n"),
        DONE.to_vec(),
        query("SELECT 1"),
    ]
    .concat();
    for size in [1, 7, whole.len()] {
        let mut rig = rig(Rules::Labels);
        for part in whole.chunks(size) {
            rig.send(part);
        }
        assert_eq!(sent(&mut rig), "Q");
        rig.server_says(&asks());
        assert_eq!(sent(&mut rig), "ddc");
        rig.server_says(&[completes("COPY 2"), ready()].concat());
        assert_eq!(sent(&mut rig), "Q");
        let replied = rig.events.iter().rev().find_map(|event| match &event.kind {
            Some(Kind::Replied(replied)) => Some(replied),
            _ => None,
        });
        let replied = replied.unwrap();
        assert_eq!((replied.rows, replied.bytes), (2, 8));
        assert!(rig.client_saw("COPY 2"));
    }
}

#[test]
fn the_extended_protocol_takes_data_behind_a_sync_the_server_ignores() {
    let mut rig = rig(Rules::Plain);
    rig.send(&extended(SQL));
    assert_eq!(sent(&mut rig), "PBDE");
    let opening = [
        Backend::ParseComplete,
        Backend::BindComplete,
        Backend::NoData,
    ];
    let mut said = Vec::new();
    for message in opening {
        message.encode(&mut said).unwrap();
    }
    rig.server_says(&[said, asks()].concat());
    assert_eq!(sent(&mut rig), "");
    rig.send(&[&data("1\ta\n"), DONE, SYNC].concat());
    assert_eq!(sent(&mut rig), "dcS");
    rig.server_says(&[completes("COPY 1"), ready()].concat());
    rig.send(&query("SELECT 1"));
    assert_eq!(sent(&mut rig), "Q");
}

#[test]
fn several_copies_of_one_text_take_turns() {
    let sql = "COPY orders FROM STDIN; SELECT 1; COPY orders FROM STDIN";
    let mut rig = rig(Rules::Plain);
    let both = [
        query(sql),
        data("1\ta\n"),
        DONE.to_vec(),
        data("2\tb\n"),
        DONE.to_vec(),
    ];
    rig.send(&both.concat());
    rig.server_says(&asks());
    assert_eq!(sent(&mut rig), "Qdc");
    rig.server_says(&completes("COPY 1"));
    assert_eq!(sent(&mut rig), "");
    rig.server_says(&asks());
    assert_eq!(sent(&mut rig), "dc");
    rig.server_says(&[completes("COPY 1"), ready()].concat());
    assert!(!rig.closed);
}

#[test]
fn what_comes_behind_an_error_is_dropped() {
    let mut rig = rig(Rules::Labels);
    rig.send(&query("COPY users FROM STDIN"));
    rig.server_says(&asks());
    rig.send(&data("1\tal@exa.com\n"));
    assert_eq!(sent(&mut rig), "Qd");
    let context = "COPY users, line 1, column email: \"al@exa.com\"";
    rig.server_says(&fails("Key (email)=(al@exa.com) is there", context));
    assert!(!rig.client_saw("al@exa.com"));
    rig.send(&[&data("2\tb\n"), DONE].concat());
    rig.server_says(&ready());
    rig.send(&query("SELECT 1"));
    assert_eq!(sent(&mut rig), "Q");

    let mut rig = self::rig(Rules::Plain);
    let ahead = parse("", SQL).bind("", "").execute("").sync();
    rig.send(&ahead);
    rig.server_says(&fails("no", "x"));
    assert_eq!(sent(&mut rig), "PBES");
    rig.server_says(&ready());
    assert!(!rig.closed);
}

#[test]
fn a_failed_copy_of_the_client_is_its_own() {
    let mut rig = rig(Rules::Plain);
    rig.send(&query(SQL));
    rig.server_says(&asks());
    rig.send(&message(b'f', b"enough\0"));
    assert_eq!(sent(&mut rig), "Qf");
    rig.server_says(&[fails("COPY from stdin failed: enough", "x"), ready()].concat());
    assert!(rig.client_saw("enough"));
    rig.send(&query("SELECT 1"));
    assert_eq!(sent(&mut rig), "Q");
}

#[test]
fn other_messages_end_the_session() {
    let wrong = [
        query("DELETE FROM orders"),
        parse("", "SELECT 1").0,
        Client::default().execute("").0,
        message(b'p', b"x\0"),
    ];
    for wrong in wrong {
        let mut rig = rig(Rules::Lax);
        rig.send(&query(SQL));
        rig.server_says(&asks());
        sent(&mut rig);
        rig.send(&wrong);
        let tags = sent(&mut rig);
        assert!(!tags.contains(['Q', 'P', 'E', 'p']), "{tags}");
        rig.server_says(&ready());
        assert!(rig.client_saw("08P01"));
        rig.ended();
    }
    // A goodbye makes the server roll back.
    let mut rig = rig(Rules::Plain);
    rig.send(&query(SQL));
    rig.server_says(&asks());
    rig.send(&message(b'X', b""));
    assert_eq!(sent(&mut rig), "QX");
    rig.ended();
}

#[test]
fn denied_and_held_copies_leave_the_session_usable() {
    let ask = "COPY orders FROM STDIN; DELETE FROM orders";
    for (sql, rules) in [
        ("COPY orders FROM PROGRAM 'x'", Rules::Plain),
        (ask, Rules::Strict),
        (ask, Rules::Plain),
    ] {
        let mut rig = Rig::open(rules);
        rig.upstream.clear();
        rig.send(&query(sql));
        if rig.asked.is_empty() {
            // Drained, as the server does.
            rig.send(&[&data("1\ta\n"), DONE].concat());
            assert_eq!(sent(&mut rig), "Q", "{sql}");
            rig.works();
            continue;
        }
        rig.send(&data("1\ta\n"));
        assert_eq!(sent(&mut rig), "");
        rig.server.silent = true;
        rig.approve(approved());
        assert_eq!(sent(&mut rig), "Q");
        rig.server_says(&asks());
        assert_eq!(sent(&mut rig), "d");
    }
}

#[test]
fn the_server_may_not_ask_for_what_was_not_judged() {
    for (sql, said) in [
        ("SELECT 1", vec![asks()]),
        (SQL, vec![asks(), asks()]),
        (SQL, vec![asks(), completes("COPY 0")]),
        (SQL, vec![asks(), ready()]),
    ] {
        let mut rig = rig(Rules::Plain);
        rig.send(&query(sql));
        rig.server_says(&said.concat());
        rig.ended();
        rig.send(&data("x"));
        assert!(!sent(&mut rig).contains('d'), "{sql}");
    }
}

#[test]
fn data_is_no_message() {
    let inner = query("DROP TABLE orders");
    let mut rig = rig(Rules::Plain);
    rig.send(&query(SQL));
    rig.server_says(&asks());
    rig.send(&message(b'd', &inner));
    let upstream = std::mem::take(&mut rig.upstream);
    let first = frame::take(&upstream, usize::MAX).unwrap().unwrap();
    let rest = &upstream[first.bytes.len()..];
    let frame = frame::take(rest, usize::MAX).unwrap().unwrap();
    assert_eq!(
        Frontend::parse(frame.tag, frame.body),
        Ok(Frontend::CopyData(&inner))
    );
}
