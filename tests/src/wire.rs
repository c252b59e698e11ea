//! PostgreSQL's protocol by hand, for what no driver would send.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::{Context as _, Result, bail, ensure};

/// A connection that sends what it is told to.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
}

/// One message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type, `E` for ErrorResponse.
    pub tag: char,
    /// What follows the length.
    pub body: Vec<u8>,
}

impl Message {
    /// A field of an ErrorResponse or NoticeResponse: `C` SQLSTATE, `M` message, `S` severity.
    pub fn field(&self, code: char) -> Option<String> {
        let field = self
            .body
            .split(|byte| *byte == 0)
            .find(|field| field.first() == Some(&(code as u8)))?;
        Some(String::from_utf8_lossy(&field[1..]).into_owned())
    }

    /// The values of a DataRow.
    pub fn values(&self) -> Vec<Option<Vec<u8>>> {
        let count = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let mut rest = &self.body[2..];
        let mut values = Vec::new();
        for _ in 0..count {
            let length = i32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]);
            rest = &rest[4..];
            values.push(usize::try_from(length).ok().map(|length| {
                let (value, after) = rest.split_at(length);
                rest = after;
                value.to_vec()
            }));
        }
        values
    }
}

impl Raw {
    /// A TCP connection, nothing sent.
    pub fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Logs in with a token and waits for ReadyForQuery.
    pub fn login(port: u16, user: &str, database: &str, token: &str) -> Result<Self> {
        let mut raw = Self::connect(port)?;
        raw.send(&startup(user, database))?;
        let asked = raw.message()?;
        ensure!(
            asked.tag == 'R' && asked.body == [0, 0, 0, 3],
            "asked for no password: {asked:?}"
        );
        raw.send(&message('p', &text(token)))?;
        let answers = raw.until('Z')?;
        ensure!(
            answers.iter().all(|it| it.tag != 'E'),
            "login failed: {answers:?}"
        );
        Ok(raw)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)?;
        Ok(())
    }

    /// Closes the sending side alone.
    pub fn half_close(&mut self) -> Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)?;
        Ok(())
    }

    /// One byte that is no message, as the answer to SSLRequest.
    pub fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// The next message.
    pub fn message(&mut self) -> Result<Message> {
        self.maybe()?.context("the server closed the connection")
    }

    /// The next message; `None` if the connection was closed instead.
    pub fn maybe(&mut self) -> Result<Option<Message>> {
        let mut head = [0; 5];
        match self.stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error).context("waiting for a message"),
        }
        let length = usize::try_from(i32::from_be_bytes([head[1], head[2], head[3], head[4]]))?;
        ensure!((4..64 << 20).contains(&length), "a length of {length}");
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body)?;
        Ok(Some(Message {
            tag: char::from(head[0]),
            body,
        }))
    }

    /// Every message up to one of this type.
    pub fn until(&mut self, tag: char) -> Result<Vec<Message>> {
        let mut all = Vec::new();
        loop {
            match self.maybe()? {
                Some(message) => {
                    let last = message.tag == tag;
                    all.push(message);
                    if last {
                        return Ok(all);
                    }
                }
                None => bail!("closed before `{tag}`, after {all:?}"),
            }
        }
    }

    /// Every message up to the end of the connection.
    pub fn until_closed(&mut self) -> Result<Vec<Message>> {
        let mut all = Vec::new();
        while let Some(message) = self.maybe()? {
            all.push(message);
        }
        Ok(all)
    }

    /// The same where the end may also be a reset, as after bytes nobody read.
    pub fn until_closed_or_reset(&mut self) -> Result<Vec<Message>> {
        let mut all = Vec::new();
        loop {
            match self.maybe() {
                Ok(Some(message)) => all.push(message),
                Ok(None) => return Ok(all),
                Err(error) => match error.downcast_ref::<std::io::Error>() {
                    Some(io) if io.kind() != ErrorKind::WouldBlock => return Ok(all),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Sends a simple query and collects the answer.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Message>> {
        self.send(&message('Q', &text(sql)))?;
        self.until('Z')
    }
}

/// A tagged message with a true length.
pub fn message(tag: char, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag as u8];
    bytes.extend(
        i32::try_from(body.len() + 4)
            .expect("a short body")
            .to_be_bytes(),
    );
    bytes.extend(body);
    bytes
}

/// A text with its terminating zero.
pub fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

/// A StartupMessage of protocol 3.0.
pub fn startup(user: &str, database: &str) -> Vec<u8> {
    startup_with(&[("user", user), ("database", database)])
}

/// A StartupMessage with these parameters.
pub fn startup_with(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 196_608_i32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(text(name));
        body.extend(text(value));
    }
    body.push(0);
    untagged(&body)
}

/// A message without a tag: its length and its body.
pub fn untagged(body: &[u8]) -> Vec<u8> {
    let mut bytes = i32::try_from(body.len() + 4)
        .expect("a short body")
        .to_be_bytes()
        .to_vec();
    bytes.extend(body);
    bytes
}

/// Parse of a statement without parameter types.
pub fn parse(name: &str, sql: &str) -> Vec<u8> {
    message('P', &[text(name), text(sql), vec![0, 0]].concat())
}

/// Bind of text parameters; the result comes in `format` (0 text, 1 binary).
pub fn bind(portal: &str, statement: &str, parameters: &[&str], format: u8) -> Vec<u8> {
    let mut body = [text(portal), text(statement), vec![0, 0]].concat();
    body.extend(
        u16::try_from(parameters.len())
            .expect("few parameters")
            .to_be_bytes(),
    );
    for parameter in parameters {
        body.extend(i32::try_from(parameter.len()).expect("short").to_be_bytes());
        body.extend(parameter.as_bytes());
    }
    body.extend([0, 1, 0, format]);
    message('B', &body)
}

/// Execute of a portal; 0 rows for all.
pub fn execute(portal: &str, rows: u32) -> Vec<u8> {
    message('E', &[text(portal), rows.to_be_bytes().to_vec()].concat())
}

/// Sync.
pub fn sync() -> Vec<u8> {
    message('S', &[])
}
