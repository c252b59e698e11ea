//! A server that is hostile or broken: every message out of turn ends the session, and nothing of it
//! reaches the client.

use ostiary_wire::postgres::{Authentication, Backend, CopyFormat, Format, TransactionStatus};

use super::answer::{Answer, USERS, from};
use super::client::{extended, query};
use super::policy::Rules;
use super::rig::Rig;

const SSN: &str = "123-45-6789";

fn bytes(message: &Backend<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).unwrap();
    out
}

fn row(values: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ostiary_wire::postgres::RowWriter::start(&mut out);
    for value in values {
        writer.value(Some(value.as_bytes()));
    }
    writer.finish().unwrap();
    out
}

fn described(columns: &[super::answer::Col]) -> Vec<u8> {
    let columns = columns
        .iter()
        .map(|column| column.wire(Format::Text))
        .collect();
    bytes(&Backend::RowDescription(columns))
}

fn every_message() -> Vec<Vec<u8>> {
    let copy = || CopyFormat {
        format: Format::Text,
        column_formats: vec![Format::Text],
    };
    vec![
        bytes(&Backend::Authentication(Authentication::Ok)),
        bytes(&Backend::Authentication(Authentication::CleartextPassword)),
        bytes(&Backend::BackendKeyData {
            process_id: 1,
            secret: b"1234",
        }),
        bytes(&Backend::BindComplete),
        bytes(&Backend::CloseComplete),
        bytes(&Backend::CommandComplete { tag: b"SELECT 1" }),
        bytes(&Backend::CopyInResponse(copy())),
        bytes(&Backend::CopyOutResponse(copy())),
        bytes(&Backend::CopyBothResponse(copy())),
        bytes(&Backend::CopyData(SSN.as_bytes())),
        bytes(&Backend::CopyDone),
        row(&[SSN]),
        bytes(&Backend::EmptyQueryResponse),
        bytes(&Backend::FunctionCallResponse(Some(SSN.as_bytes()))),
        bytes(&Backend::NegotiateProtocolVersion {
            minor: 0,
            options: Vec::new(),
        }),
        bytes(&Backend::NoData),
        bytes(&Backend::ParameterDescription(vec![25])),
        bytes(&Backend::ParseComplete),
        bytes(&Backend::PortalSuspended),
        bytes(&Backend::ReadyForQuery {
            status: TransactionStatus::Idle,
        }),
        described(&[from("ssn", USERS, 4)]),
        b"E\0\0\0\x18SERROR\0C22P02\0M123\0\0".to_vec(),
        vec![b'!', 0, 0, 0, 4],
        vec![b'D', 0, 0, 0, 3],
        vec![b'D', 0xff, 0xff, 0xff, 0xff],
        vec![b'D', 0, 0, 0, 8, 0, 1, 0, 0],
        vec![b'Z', 0, 0, 0, 5, b'X'],
        vec![b'T', 0, 0, 0, 6, 0xff, 0xff],
    ]
}

#[track_caller]
fn ends(rig: &mut Rig, what: &str) {
    let seen = rig.take();
    assert!(
        seen.contains("FATAL 57P03: the server broke the protocol"),
        "{what} {seen}"
    );
    assert!(seen.contains("Refused server"), "{what} {seen}");
    assert!(!rig.client_saw(SSN), "{what} {seen}");
    rig.ended();
}

#[test]
fn ends_on_anything_that_was_not_asked_for() {
    for (index, message) in every_message().iter().enumerate() {
        let mut rig = Rig::open(Rules::Labels);
        rig.server_says(message);
        ends(&mut rig, &format!("message {index}"));
    }
}

#[test]
fn ends_on_anything_out_of_turn() {
    // What may come first in answer to each, by index into the list above.
    let simple = [5, 12, 19, 20, 21];
    let parse = [17, 21];
    let bind = [3, 21];
    let describe = [15, 20, 21];
    let execute = [5, 12, 18, 21];
    let prefixes: [(Vec<u8>, Vec<u8>, &[usize]); 5] = [
        (query("SELECT ssn FROM users"), Vec::new(), &simple),
        (extended("SELECT ssn FROM users"), Vec::new(), &parse),
        (
            extended("SELECT ssn FROM users"),
            bytes(&Backend::ParseComplete),
            &bind,
        ),
        (
            extended("SELECT ssn FROM users"),
            [
                bytes(&Backend::ParseComplete),
                bytes(&Backend::BindComplete),
            ]
            .concat(),
            &describe,
        ),
        (
            extended("SELECT ssn FROM users"),
            [
                bytes(&Backend::ParseComplete),
                bytes(&Backend::BindComplete),
                bytes(&Backend::NoData),
            ]
            .concat(),
            &execute,
        ),
    ];
    for (state, (message, prefix, allowed)) in prefixes.iter().enumerate() {
        for (index, wrong) in every_message().iter().enumerate() {
            let mut rig = Rig::open(Rules::Labels);
            rig.server.silent = true;
            rig.send(message);
            rig.server_says(prefix);
            rig.server_says(wrong);
            if allowed.contains(&index) {
                let seen = rig.take();
                assert!(!seen.contains("FATAL"), "{state} {index} {seen}");
            } else {
                ends(&mut rig, &format!("state {state} message {index}"));
            }
        }
    }
}

#[test]
fn ends_on_rows_that_do_not_fit_their_description() {
    for rules in [Rules::Labels, Rules::Detectors] {
        for values in [&[][..], &["1", SSN], &["1", SSN, "3"]] {
            let mut rig = Rig::open(rules);
            rig.server.silent = true;
            rig.send(&query("SELECT ssn FROM users"));
            rig.server_says(&described(&[from("ssn", USERS, 4)]));
            rig.server_says(&row(values));
            ends(&mut rig, "row");
        }
    }
}

#[test]
fn a_second_description_is_taken_at_its_word() {
    let mut rig = Rig::open(Rules::Labels);
    rig.server.silent = true;
    rig.send(&query("SELECT id FROM users"));
    rig.server_says(&described(&[from("id", USERS, 1)]));
    rig.server_says(&row(&["1"]));
    rig.server_says(&described(&[from("ssn", USERS, 4)]));
    rig.server_says(&row(&[SSN]));
    assert!(!rig.client_saw(SSN));
}

#[test]
fn a_statement_that_cannot_work_must_not() {
    for answer in [
        bytes(&Backend::CommandComplete { tag: b"SELECT 1" }),
        bytes(&Backend::ReadyForQuery {
            status: TransactionStatus::Idle,
        }),
        described(&[from("ssn", USERS, 4)]),
        row(&[SSN]),
        bytes(&Backend::EmptyQueryResponse),
    ] {
        for message in [query("TRUNCATE users"), extended("TRUNCATE users")] {
            let mut rig = Rig::open(Rules::Labels);
            rig.server.silent = true;
            rig.send(&message);
            rig.server_says(&answer);
            ends(&mut rig, "refused");
        }
    }
}

#[test]
fn an_error_without_a_sqlstate_gets_one() {
    for body in [
        &b"SERROR\0Moops\0\0"[..],
        b"\0",
        b"SERROR\0VERROR\0Moops\0xyz\0\0",
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.server.silent = true;
        rig.send(&query("SELECT 1"));
        let mut frame = vec![b'E'];
        frame.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        frame.extend_from_slice(body);
        rig.server_says(&frame);
        rig.server_says(&bytes(&Backend::ReadyForQuery {
            status: TransactionStatus::Idle,
        }));
        let seen = rig.take();
        assert!(seen.contains("XX000"), "{seen}");
    }
}

#[test]
fn a_fatal_error_passes_at_any_time() {
    for message in [
        None,
        Some(query("SELECT 1")),
        Some(query("TRUNCATE users")),
        Some(extended("SELECT 1")),
        Some(extended("TRUNCATE users")),
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.server.silent = true;
        if let Some(message) = message {
            rig.send(&message);
        }
        let mut error = Vec::new();
        ostiary_wire::postgres::backend::encode::error(
            &mut error,
            "FATAL",
            "57P01",
            "terminating connection due to administrator command",
            None,
            None,
        )
        .unwrap();
        rig.server_says(&error);
        rig.session.on_server_closed(rig.now);
        rig.settle();
        assert!(rig.take().contains("FATAL 57P01: terminating connection"));
        rig.ended();
    }
}

#[test]
fn a_catalogue_that_is_nonsense_is_not_believed() {
    for values in [
        &["x", "1", "0", "public", "users", "id"][..],
        &["16400"],
        &["16400", "99999", "0", "public", "users", "id"],
        &["16400", "4", "77", "public", "users", "id"],
    ] {
        let mut rig = Rig::open(Rules::Labels);
        rig.server
            .on("SELECT app_function()", Answer::done("SELECT 0"));
        rig.send(&query("SELECT app_function()"));
        rig.server.silent = true;
        rig.send(&query("SELECT name FROM users"));
        rig.server_says(&row(values));
        rig.server_says(&bytes(&Backend::CommandComplete { tag: b"SELECT 1" }));
        rig.server_says(&bytes(&Backend::ReadyForQuery {
            status: TransactionStatus::Idle,
        }));
        rig.server_says(&described(&[from("name", USERS, 2)]));
        rig.server_says(&row(&[SSN]));
        assert!(!rig.client_saw(SSN), "{values:?} {}", rig.take());
    }
}
