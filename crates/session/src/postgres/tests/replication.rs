//! Replication connections.

mod commands;
mod streams;
mod verdicts;

use super::client::{password, query, startup};
use super::policy::Rules;
use super::rig::{Rig, TOKEN, principal};
use super::server::{Auth, Server};
use ostiary_wire::postgres::{Backend, Column, CopyFormat, Format, backend::encode, types};

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
