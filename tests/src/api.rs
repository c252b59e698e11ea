//! A small HTTP API over HTTP/1.1, and everything that reached it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use crate::{Result, bail, ports};

/// One request as the API saw it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `GET /users HTTP/1.1`
    pub line: String,
    /// Lower-case names with values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Seen {
    /// The only value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// What the API answers: the bytes of head and body, in pieces that are sent one by one; after the
/// last the connection is closed if the flag says so.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Pieces of the answer.
    pub pieces: Vec<Vec<u8>>,
    /// Whether it ends with the connection.
    pub closes: bool,
}

impl Answer {
    /// A body of known length.
    pub fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status} As-It-Is\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        Self {
            pieces: vec![[head.as_bytes(), body].concat()],
            closes: false,
        }
    }

    /// JSON.
    pub fn json(body: &str) -> Self {
        Self::new(
            200,
            &[("content-type", "application/json"), ("etag", "\"v1\"")],
            body.as_bytes(),
        )
    }

    /// A body of chunks, sent one by one.
    pub fn chunked(content_type: &str, chunks: &[&str]) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let mut pieces = vec![head.into_bytes()];
        for chunk in chunks {
            pieces.push(format!("{:x}\r\n{chunk}\r\n", chunk.len()).into_bytes());
        }
        pieces.push(b"0\r\n\r\n".to_vec());
        Self {
            pieces,
            closes: false,
        }
    }

    /// Bytes as they are, and the end of the connection.
    pub fn raw(bytes: &[u8]) -> Self {
        Self {
            pieces: vec![bytes.to_vec()],
            closes: true,
        }
    }
}

type Handler = dyn Fn(&Seen) -> Answer + Send + Sync;

/// The running API; its threads end with the process.
#[derive(Debug, Clone)]
pub struct Api {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Api {
    /// Starts one on a free port.
    pub fn start(handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let port = ports::free();
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let kept = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, kept) = (handler.clone(), kept.clone());
                // The other side is the gateway: whatever it does to the connection ends it.
                thread::spawn(move || serve(&stream, &*handler, &kept));
            }
        });
        Ok(Self { port, seen })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Requests whose line or body holds this text.
    pub fn seen(&self, text: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let holds =
            |it: &&Seen| it.line.contains(text) || String::from_utf8_lossy(&it.body).contains(text);
        seen.iter().filter(holds).cloned().collect()
    }
}

fn serve(stream: &TcpStream, handler: &Handler, kept: &Mutex<Vec<Seen>>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(seen) = read(&mut reader)? {
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen.clone());
        let answer = handler(&seen);
        for piece in &answer.pieces {
            writer.write_all(piece)?;
            writer.flush()?;
        }
        if answer.closes {
            return Ok(());
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<&TcpStream>) -> Result<Option<Seen>> {
    let mut seen = Seen::default();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ").filter(|_| !seen.line.is_empty()) {
            Some((name, value)) => seen
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned())),
            None => line.clone_into(&mut seen.line),
        }
    }
    if let Some(length) = seen.header("content-length") {
        seen.body = vec![0; length.parse()?];
        reader.read_exact(&mut seen.body)?;
    } else if seen.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Ok(length) = usize::from_str_radix(line.trim(), 16) else {
                bail!("a chunk of `{line}`");
            };
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk)?;
            if length == 0 {
                break;
            }
            seen.body.extend_from_slice(&chunk[..length]);
        }
    }
    Ok(Some(seen))
}
