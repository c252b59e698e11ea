//! A server that speaks PostgreSQL's protocol as badly as it is told to. It stands for a server that
//! misbehaves; everything honest is tested against a real one.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use crate::{
    Result, ports,
    wire::{message, text},
};

/// What the server does in place of what it should.
pub trait Behaviour: Send + Sync + 'static {
    /// The bytes after StartupMessage for this database; `None` for an honest login without password.
    fn login(&self, database: &str) -> Option<Vec<u8>>;
    /// The bytes after a PasswordMessage or SASL message.
    fn password(&self, database: &str, body: &[u8]) -> Vec<u8>;
    /// The bytes after a simple query; `None` closes the connection.
    fn query(&self, sql: &str) -> Option<Vec<u8>>;
}

/// The running server; its thread ends with the process.
#[derive(Debug)]
pub struct Fake {
    port: u16,
}

impl Fake {
    /// Starts one on a free port.
    pub fn start(behaviour: impl Behaviour) -> Result<Self> {
        let port = ports::free();
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let behaviour = Arc::new(behaviour);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let behaviour = behaviour.clone();
                // The other side is the gateway: whatever it does to the connection ends it.
                thread::spawn(move || serve(stream, &*behaviour));
            }
        });
        Ok(Self { port })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// AuthenticationOk and everything up to ReadyForQuery.
pub fn honest_login() -> Vec<u8> {
    [message('R', &[0; 4]), greeting()].concat()
}

/// What follows AuthenticationOk.
pub fn greeting() -> Vec<u8> {
    let status = |name: &str, value: &str| message('S', &[text(name), text(value)].concat());
    [
        status("server_version", "15.0"),
        status("client_encoding", "UTF8"),
        status("server_encoding", "UTF8"),
        status("standard_conforming_strings", "on"),
        status("integer_datetimes", "on"),
        message('K', &[0, 0, 0, 7, 1, 2, 3, 4]),
        message('Z', b"I"),
    ]
    .concat()
}

/// RowDescription of text columns with these names.
pub fn description(names: &[&str]) -> Vec<u8> {
    let mut body = u16::try_from(names.len())
        .expect("few columns")
        .to_be_bytes()
        .to_vec();
    for name in names {
        body.extend(text(name));
        // No table, no attribute, type text, variable length, no modifier, text format.
        body.extend([
            0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
        ]);
    }
    message('T', &body)
}

/// DataRow.
pub fn row(values: &[&str]) -> Vec<u8> {
    let mut body = u16::try_from(values.len())
        .expect("few values")
        .to_be_bytes()
        .to_vec();
    for value in values {
        body.extend(u32::try_from(value.len()).expect("short").to_be_bytes());
        body.extend(value.as_bytes());
    }
    message('D', &body)
}

/// CommandComplete and ReadyForQuery.
pub fn done(tag: &str) -> Vec<u8> {
    [message('C', &text(tag)), message('Z', b"I")].concat()
}

fn serve(mut stream: TcpStream, behaviour: &dyn Behaviour) -> Option<()> {
    let database = loop {
        let body = untagged(&mut stream)?;
        match i32::from_be_bytes(body.get(..4)?.try_into().ok()?) {
            80_877_103 | 80_877_104 => stream.write_all(b"N").ok()?,
            80_877_102 => return None,
            _ => break parameter(&body, "database"),
        }
    };
    stream
        .write_all(&behaviour.login(&database).unwrap_or_else(honest_login))
        .ok()?;
    loop {
        let mut tag = [0];
        stream.read_exact(&mut tag).ok()?;
        let body = untagged(&mut stream)?;
        let answer = match tag[0] {
            b'p' => behaviour.password(&database, &body),
            b'Q' => {
                let sql = String::from_utf8_lossy(body.strip_suffix(b"\0")?).into_owned();
                behaviour.query(&sql)?
            }
            b'P' => message('1', &[]),
            b'B' => message('2', &[]),
            b'C' => message('3', &[]),
            b'D' => message('n', &[]),
            b'E' => message('C', &text("SELECT 0")),
            b'S' => message('Z', b"I"),
            b'X' => return None,
            _ => Vec::new(),
        };
        stream.write_all(&answer).ok()?;
    }
}

fn untagged(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![
        0;
        usize::try_from(u32::from_be_bytes(length))
            .ok()?
            .checked_sub(4)?
    ];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn parameter(body: &[u8], name: &str) -> String {
    let mut parts = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    while let Some(found) = parts.next() {
        let value = parts.next().unwrap_or_default();
        if found == name.as_bytes() {
            return String::from_utf8_lossy(value).into_owned();
        }
    }
    String::new()
}
