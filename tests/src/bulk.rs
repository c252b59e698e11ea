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
    /// DataRow messages.
    pub rows: u64,
    /// Bytes of all messages.
    pub bytes: u64,
    /// From sending the query to ReadyForQuery.
    pub time: Duration,
}

/// Logs in and runs one simple query.
pub fn read(port: u16, user: &str, database: &str, password: &str, sql: &str) -> Result<Bulk> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut scanner = Scanner::default();
    stream.write_all(&startup(user, database))?;
    scanner.until_ready(&mut stream, Some(password))?;
    scanner.rows = 0;
    scanner.bytes = 0;
    let start = Instant::now();
    stream.write_all(&message('Q', &text(sql)))?;
    scanner.until_ready(&mut stream, None)?;
    Ok(Bulk {
        rows: scanner.rows,
        bytes: scanner.bytes,
        time: start.elapsed(),
    })
}

#[derive(Default)]
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
                    b'D' => self.rows += 1,
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
