//! What one exchange costs a session: reading, judging, recording and passing it on, both ways.
//!
//! Natively: `cargo bench -p ostiary-session --bench exchange`. As WebAssembly, with Node 20 or later:
//! `cargo build -p ostiary-session --bench exchange --target wasm32-wasip1 --profile wasm`, then
//! `node --no-warnings crates/mask/benches/wasi.mjs target/wasm32-wasip1/wasm/deps/exchange-*.wasm`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark measures time and ends where something is wrong; the engine does neither"
)]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use ostiary_operation::Principal;
use ostiary_policy::{Bundle, Files};
use ostiary_session::postgres::Session;
use ostiary_session::{Config, Effect, Limits, Login, Now, Opened, State};
use ostiary_wire::postgres::{
    Authentication, Backend, Column, Format, RowWriter, StartupMessage, TransactionStatus, backend,
    frontend,
};

const ROUNDS: usize = 7;
const NOW: Now = Now(1_700_000_000_000_000);

const RULES: &str = r#"
@id("reads") permit (principal in Group::"analysts", action == Action::"sql:select", resource);
@id("writes") permit (principal in Group::"analysts",
    action in [Action::"sql:insert", Action::"sql:update"], resource);
@id("no-ddl") @reason("no") forbid (principal, action in Action::"sql:ddl", resource);
"#;

const LABELS: &str = "
labels: {pii: {strategy: redact}}
columns: [{column: public.users.email, label: pii}]
";

fn main() {
    println!("exchange                                   ns (best of {ROUNDS})      MB/s of rows");
    for labels in [false, true] {
        let masks = if labels { "one label" } else { "no mask" };
        exchanges(
            &format!("simple, another literal each time, {masks}"),
            labels,
            &|n| {
                query(&format!(
                    "SELECT abalance FROM pgbench_accounts WHERE aid = {n};"
                ))
            },
        );
        exchanges(&format!("simple, the same text, {masks}"), labels, &|_| {
            query("SELECT abalance FROM pgbench_accounts WHERE aid = 7;")
        });
        exchanges(&format!("prepared, {masks}"), labels, &|n| {
            prepared(&n.to_string())
        });
        bulk(&format!("100,000 rows, {masks}"), labels);
    }
    idle();
}

fn state(labels: bool) -> State {
    let mut files = Files::from([("rules.cedar".to_owned(), RULES.to_owned())]);
    if labels {
        files.insert("labels.yaml".to_owned(), LABELS.to_owned());
    }
    State {
        bundle: Rc::new(Bundle::parse(&files).unwrap()),
        hash_key: Rc::new(vec![7; 32]),
    }
}

fn said(messages: &[Backend<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        message.encode(&mut out).unwrap();
    }
    out
}

const READY: Backend<'static> = Backend::ReadyForQuery {
    status: TransactionStatus::Idle,
};

/// A session that is logged in.
fn open(labels: bool) -> Session {
    let config = Config {
        resource: "shop".to_owned(),
        role: "app".to_owned(),
        session_id: "0".repeat(32),
        peer: "10.0.0.9:5000".to_owned(),
        limits: Limits::default(),
    };
    let mut session = Session::new(config, state(labels), Rc::default(), NOW);
    let mut hello = Vec::new();
    let parameters = vec![("user", "u"), ("database", "d")];
    StartupMessage {
        major: 3,
        minor: 0,
        parameters,
    }
    .encode(&mut hello)
    .unwrap();
    session.from_client(&hello, NOW);
    let encoding = Backend::ParameterStatus {
        name: b"client_encoding",
        value: b"UTF8",
    };
    let scs = Backend::ParameterStatus {
        name: b"standard_conforming_strings",
        value: b"on",
    };
    session.from_server(
        &said(&[
            Backend::Authentication(Authentication::Ok),
            encoding,
            scs,
            READY,
        ]),
        NOW,
    );
    let mut password = Vec::new();
    frontend::encode::password(&mut password, b"token").unwrap();
    session.from_client(&password, NOW);
    let principal = Principal {
        issuer: "issuer".to_owned(),
        subject: "subject".to_owned(),
        groups: BTreeSet::from(["analysts".to_owned()]),
        on_behalf_of: None,
    };
    let opened = Opened {
        principal,
        expires_us: 0,
        password: String::new(),
    };
    session.on_login(Login::Opened(opened), NOW);
    session.from_server(&said(&[READY]), NOW);
    if labels {
        let mut catalogue = Vec::new();
        // OID, attribute, label, schema, relation, column.
        let labelled = ["16400", "3", "0", "public", "users", "email"];
        row(&mut catalogue, &labelled);
        for oid in 16_400..17_400 {
            let mut writer = RowWriter::start(&mut catalogue);
            writer.value(Some(oid.to_string().as_bytes()));
            (0..5).for_each(|_| writer.value(None));
            writer.finish().unwrap();
        }
        catalogue.extend(said(&[
            Backend::CommandComplete { tag: b"SELECT 1" },
            READY,
        ]));
        session.from_server(&catalogue, NOW);
    }
    drain(&mut session);
    session
}

fn drain(session: &mut Session) -> usize {
    let mut events = 0;
    while let Some(effect) = session.next_effect() {
        if let Effect::Record(event) = &effect {
            events += 1;
            assert!(!matches!(
                event.kind,
                Some(ostiary_record::event::Kind::Refused(_))
            ));
        }
        black_box(effect);
    }
    events
}

fn query(sql: &str) -> Vec<u8> {
    let mut out = Vec::new();
    frontend::encode::query(&mut out, sql.as_bytes()).unwrap();
    out
}

fn prepared(parameter: &str) -> Vec<u8> {
    let mut out = Vec::new();
    frontend::encode::bind(&mut out, b"", b"s", &[], &[Some(parameter.as_bytes())], &[]).unwrap();
    frontend::encode::execute(&mut out, b"", 0).unwrap();
    frontend::encode::sync(&mut out).unwrap();
    out
}

fn row(out: &mut Vec<u8>, values: &[&str]) {
    let mut writer = RowWriter::start(out);
    for value in values {
        writer.value(Some(value.as_bytes()));
    }
    writer.finish().unwrap();
}

fn column(name: &str, attribute: i16) -> Column<'_> {
    Column {
        name: name.as_bytes(),
        table: 16_400,
        attribute,
        type_id: 25,
        type_size: -1,
        type_modifier: -1,
        format: Format::Text,
    }
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| run()).fold(f64::MAX, f64::min)
}

fn exchanges(name: &str, labels: bool, message: &dyn Fn(u64) -> Vec<u8>) {
    const COUNT: u64 = 20_000;
    let mut session = open(labels);
    let mut parse = Vec::new();
    frontend::encode::parse(
        &mut parse,
        b"s",
        b"SELECT abalance FROM pgbench_accounts WHERE aid = $1",
        &[],
    )
    .unwrap();
    frontend::encode::sync(&mut parse).unwrap();
    session.from_client(&parse, NOW);
    session.from_server(&said(&[Backend::ParseComplete, READY]), NOW);
    drain(&mut session);
    let columns = Backend::RowDescription(vec![column("abalance", 2)]);
    let mut one = Vec::new();
    row(&mut one, &["0"]);
    let done = said(&[Backend::CommandComplete { tag: b"SELECT 1" }, READY]);
    let simple = [
        said(std::slice::from_ref(&columns)),
        one.clone(),
        done.clone(),
    ]
    .concat();
    let bound = said(&[Backend::BindComplete]);
    let own = if labels { said(&[columns]) } else { Vec::new() };
    let extended = [bound, own, one, done].concat();
    let mut number = 0;
    let nanoseconds = best(|| {
        let messages: Vec<Vec<u8>> = (0..COUNT).map(|n| message(number + n)).collect();
        number += COUNT;
        let start = Instant::now();
        for message in &messages {
            session.from_client(message, NOW);
            drain(&mut session);
            let answer = match message.first() {
                Some(b'Q') => &simple,
                _ => &extended,
            };
            session.from_server(answer, NOW);
            assert_eq!(drain(&mut session), 1);
        }
        start.elapsed().as_secs_f64() * 1e9 / 20_000.0
    });
    println!("{name:<45} {nanoseconds:>8.0}");
}

fn bulk(name: &str, labels: bool) {
    let mut session = open(labels);
    let mut rows = Vec::new();
    for number in 0..100_000 {
        let number = number.to_string();
        row(
            &mut rows,
            &[
                &number,
                "a name that is a name",
                "somebody@example.com",
                "a city",
            ],
        );
    }
    let columns = ["id", "name", "email", "city"];
    let columns = (1..)
        .zip(columns)
        .map(|(attribute, name)| column(name, attribute));
    let described = said(&[Backend::RowDescription(columns.collect())]);
    let mut done = Vec::new();
    backend::encode::command_complete(&mut done, b"SELECT 100000").unwrap();
    done.extend(said(&[READY]));
    let seconds = best(|| {
        session.from_client(&query("SELECT * FROM users"), NOW);
        session.from_server(&described, NOW);
        drain(&mut session);
        let start = Instant::now();
        for chunk in rows.chunks(32 << 10) {
            session.from_server(chunk, NOW);
            drain(&mut session);
        }
        let elapsed = start.elapsed().as_secs_f64();
        session.from_server(&done, NOW);
        drain(&mut session);
        elapsed
    });
    let bytes = f64::from(u32::try_from(rows.len()).unwrap());
    let rate = bytes / seconds / 1e6;
    println!("{name:<45} {:>8.0} {rate:>18.0}", seconds * 1e9 / 100_000.0);
}

/// How much a session holds on to that has done this and that and waits for more.
fn idle() {
    println!(
        "size of a session value: {} bytes",
        std::mem::size_of::<Session>()
    );
}
