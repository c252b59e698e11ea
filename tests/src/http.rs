//! HTTP clients, as an agent would run them: curl, Node's fetch, and bytes by hand.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Context as _, Result,
    process::{Ran, Started},
    tools,
};

/// Longest run of one client.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent in front of an HTTP resource.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Port of the gateway, on 127.0.0.1.
    pub port: u16,
    /// The bearer token.
    pub token: String,
}

/// What a client got.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Lower-case names with values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("JSON: {self:?}"))
    }

    /// Head and body, as curl or a server writes them.
    pub fn parse(text: &str) -> Result<Self> {
        let (mut head, mut body) = text.split_once("\r\n\r\n").context("a head")?;
        // An interim answer comes before the real one.
        while head.split(' ').nth(1).is_some_and(|it| it.starts_with('1')) {
            (head, body) = body.split_once("\r\n\r\n").context("a head")?;
        }
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(':'));
        Ok(Self {
            status: status.context("a status")?.parse()?,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: body.to_owned(),
        })
    }
}

impl Agent {
    /// Runs curl on a path, with more of its arguments.
    pub fn curl(&self, path: &str, arguments: &[&str]) -> Result<Response> {
        let ran = self.curl_started(path, arguments)?.finish(PATIENCE)?.ok()?;
        Response::parse(&ran.out)
    }

    /// The same, still running.
    pub fn curl_started(&self, path: &str, arguments: &[&str]) -> Result<Started> {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--path-as-is", "-m", "50", "-H"])
            .arg(format!("Authorization: Bearer {}", self.token))
            .args(arguments)
            .arg(format!("http://127.0.0.1:{}{path}", self.port));
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            curl.env_remove(name);
        }
        Started::new(curl, "")
    }

    /// A script of `tests/clients` in Node.js.
    pub fn node(&self, script: &str) -> Result<Ran> {
        let mut node = Command::new("node");
        node.arg(tools::root().join("tests/clients").join(script))
            .env("BASE", format!("http://127.0.0.1:{}", self.port))
            .env("TOKEN", &self.token);
        Started::new(node, "")?.finish(PATIENCE)
    }

    /// Sends bytes and reads until the other side closes or is silent for long. `TOKEN` in them
    /// becomes the token.
    pub fn send(&self, bytes: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(bytes.replace("TOKEN", &self.token).as_bytes())?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => return Err(error).context(String::from_utf8_lossy(&answer).into_owned()),
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}
