//! A byte string as a list of acts.

use ostiary_wire::postgres::{StartupMessage, Target, frontend::encode};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act<'a> {
    Hello,
    Password,
    /// The client puts a message together.
    Say([u8; 3]),
    /// The client sends a message, ends its round, and sends all.
    Round([u8; 3]),
    /// The client puts these bytes together.
    Raw(&'a [u8]),
    /// So many bytes of that go out.
    Send(usize),
    SendAll,
    /// The server answers the next message, or fails.
    Answer(u8),
    AnswerAll,
    /// The server says this.
    Hostile(&'a [u8]),
    Login(u8),
    Approval(u8),
    /// All but so many events are durable.
    Recorded(u64),
    Policy(u8),
    Wait(u64),
    Cancel(bool),
    Revoke,
    ClientGone,
    ServerGone,
}

/// Texts and what they do; see [`super::model::does`].
pub(super) const TEXTS: [&str; 22] = [
    "SELECT 1",
    "SELECT 1/0",
    "TRUNCATE users",
    "DELETE FROM users",
    "INSERT INTO t VALUES (1)",
    "PREPARE a AS SELECT 1",
    "PREPARE a AS DELETE FROM users",
    "PREPARE b AS INSERT INTO t VALUES (1)",
    "EXECUTE a",
    "EXECUTE b",
    "DEALLOCATE a",
    "DEALLOCATE ALL",
    "BEGIN",
    "COMMIT",
    "DECLARE a CURSOR FOR SELECT 1",
    "FETCH 1 FROM a",
    "CLOSE a",
    "",
    "COPY t FROM STDIN",
    "COPY t TO STDOUT",
    "COPY users TO STDOUT",
    "COPY (SELECT email FROM users) TO STDOUT",
];

/// Names of statements and portals; the server takes the last two for the same.
const NAMES: [&str; 4] = [
    "",
    "a",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnx",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnny",
];

pub(super) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *first
    }

    fn bytes(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte() % 32).min(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        taken
    }

    pub(super) fn next_act(&mut self) -> Option<Act<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        // Most acts are messages and their answers; what ends a session is rare.
        Some(match self.byte() {
            0..=63 => Act::Say([self.byte(), self.byte(), self.byte()]),
            64..=127 => Act::Round([self.byte(), self.byte(), self.byte()]),
            128..=143 => Act::Send(usize::from(self.byte())),
            144..=155 => Act::SendAll,
            156..=175 => Act::Answer(self.byte()),
            176..=207 => Act::AnswerAll,
            208..=223 => Act::Approval(self.byte()),
            224..=235 => Act::Recorded(u64::from(self.byte() % 4)),
            236..=239 => Act::Policy(self.byte()),
            240 => Act::Raw(self.bytes()),
            241 => Act::Hostile(self.bytes()),
            242 => Act::Wait(u64::from(self.byte()).saturating_mul(100_000)),
            243 => Act::Login(self.byte()),
            244 => Act::Hello,
            245 => Act::Password,
            246 => Act::Cancel(self.byte().is_multiple_of(2)),
            247 => match self.byte() % 16 {
                0 => Act::Revoke,
                1 => Act::ClientGone,
                2 => Act::ServerGone,
                _ => Act::SendAll,
            },
            _ => Act::AnswerAll,
        })
    }
}

pub(super) fn hello(out: &mut Vec<u8>) {
    let parameters = vec![("user", "u"), ("database", "d")];
    let hello = StartupMessage {
        major: 3,
        minor: 0,
        parameters,
    };
    let _ = hello.encode(out);
}

pub(super) fn password(out: &mut Vec<u8>) {
    let _ = encode::password(out, b"token");
}

fn pick<T: Copy + Default>(from: &[T], choice: u8) -> T {
    let index = usize::from(choice).checked_rem(from.len());
    index
        .and_then(|index| from.get(index))
        .copied()
        .unwrap_or_default()
}

/// Ends a round of the extended protocol.
pub(super) fn sync(out: &mut Vec<u8>) {
    let _ = encode::sync(out);
}

/// Whether a message is a Query, which is a round of its own.
pub(super) fn is_round([kind, ..]: [u8; 3]) -> bool {
    kind % 16 < 4
}

fn tagged(tag: u8, body: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(body.len()).unwrap_or_default();
    out.push(tag);
    out.extend(length.saturating_add(4).to_be_bytes());
    out.extend(body);
}

/// Appends a message of the client.
pub(super) fn message([kind, first, second]: [u8; 3], out: &mut Vec<u8>) {
    let name = pick(&NAMES, first).as_bytes();
    let other = pick(&NAMES, second).as_bytes();
    let text = pick(&TEXTS, second).as_bytes();
    let target = if second.is_multiple_of(2) {
        Target::Statement
    } else {
        Target::Portal
    };
    // A message that does not fit is not said.
    let _ = match kind % 16 {
        0..=3 => encode::query(out, text),
        4 | 5 => encode::parse(out, name, text, &[]),
        6 | 7 => encode::bind(out, name, other, &[], &[], &[]),
        8 => encode::describe(out, target, name),
        9 | 10 => encode::execute(out, name, i32::from(second % 3)),
        11 => encode::close(out, target, name),
        12 => encode::flush(out),
        13 => {
            // Parse, Bind and Execute in one go.
            let _ = encode::parse(out, name, text, &[]);
            let _ = encode::bind(out, b"", name, &[], &[], &[]);
            let _ = encode::execute(out, b"", 0);
            encode::sync(out)
        }
        14 => {
            let (tag, body): (u8, &[u8]) = match first % 8 {
                0..=3 => (b'd', b"1\tbob@example.com\n"),
                4 | 5 => (b'c', b""),
                6 => (b'f', b"no\0"),
                // FunctionCall: a function without arguments.
                _ => (b'F', &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            };
            tagged(tag, body, out);
            Ok(())
        }
        _ => encode::sync(out),
    };
}
