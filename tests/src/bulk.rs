//! A client that reads a result as fast as it comes and keeps nothing: what it measures is the path, not
//! itself.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    Context as _, Result, bail, ensure,
    wire::{message, startup, text},
};

/// What a read result was.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// DataRow and CopyData messages.
    pub rows: u64,
    /// Bytes of all messages.
    pub bytes: u64,
    /// From sending the request to ReadyForQuery.
    pub time: Duration,
}

/// A session.
#[derive(Debug)]
pub struct Reader {
    stream: TcpStream,
    scanner: Scanner,
}

impl Reader {
    /// Logs in, with no password or a cleartext one.
    pub fn login(port: u16, user: &str, database: &str, password: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.write_all(&startup(user, database))?;
        let mut scanner = Scanner::default();
        scanner.until_ready(&mut stream, Some(password))?;
        Ok(Self { stream, scanner })
    }

    /// Sends messages that end in one ReadyForQuery and reads up to that.
    pub fn run(&mut self, messages: &[u8]) -> Result<Bulk> {
        self.scanner.rows = 0;
        self.scanner.bytes = 0;
        let start = Instant::now();
        self.stream.write_all(messages)?;
        self.scanner.until_ready(&mut self.stream, None)?;
        Ok(Bulk {
            rows: self.scanner.rows,
            bytes: self.scanner.bytes,
            time: start.elapsed(),
        })
    }

    /// Runs one simple query.
    pub fn query(&mut self, sql: &str) -> Result<Bulk> {
        self.run(&message('Q', &text(sql)))
    }
}

#[derive(Debug, Default)]
struct Scanner {
    buffer: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl Scanner {
    /// Reads messages up to ReadyForQuery, looking at their heads alone.
    fn until_ready(&mut self, stream: &mut TcpStream, password: Option<&str>) -> Result<()> {
        let mut chunk = vec![0; 256 << 10];
        loop {
            let mut at = 0;
            while let Some(head) = self.buffer.get(at..at + 5) {
                let length = usize::try_from(u32::from_be_bytes(head[1..5].try_into()?))?;
                ensure!(length >= 4, "a length of {length}");
                let end = at + 1 + length;
                let Some(body) = self.buffer.get(at + 5..end) else {
                    break;
                };
                self.bytes += 1 + u64::try_from(length)?;
                match head[0] {
                    b'D' | b'd' => self.rows += 1,
                    b'R' if body.starts_with(&[0, 0, 0, 3]) => {
                        let password = password.context("asked for a password twice")?;
                        stream.write_all(&message('p', &text(password)))?;
                    }
                    b'R' => ensure!(
                        body.starts_with(&[0; 4]),
                        "a login this client lacks: {body:?}"
                    ),
                    b'E' => bail!("{}", String::from_utf8_lossy(body)),
                    b'Z' => {
                        self.buffer.drain(..end);
                        return Ok(());
                    }
                    _ => {}
                }
                at = end;
            }
            self.buffer.drain(..at);
            let read = stream.read(&mut chunk)?;
            ensure!(read > 0, "closed in the middle of a result");
            self.buffer.extend_from_slice(&chunk[..read]);
        }
    }
}
