//! Envoy's admin interface, as much of it as is needed.

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longest answer read.
const MAX_ANSWER: u64 = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(2);

/// An admin listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin(pub(crate) SocketAddr);

impl Admin {
    /// Whether every listener and cluster has been initialised.
    pub(crate) async fn is_ready(self) -> bool {
        matches!(self.call("GET", "/ready").await, Ok((200, _)))
    }

    /// Names of the listeners and where they are.
    pub(crate) async fn listeners(self) -> io::Result<BTreeMap<String, SocketAddr>> {
        let (_, body) = self.call("GET", "/listeners?format=json").await?;
        let document: Value = serde_json::from_str(&body)?;
        let statuses = document.get("listener_statuses").and_then(Value::as_array);
        let found = statuses.into_iter().flatten().filter_map(|status| {
            let name = status.get("name")?.as_str()?.to_owned();
            let address = status.get("local_address")?.get("socket_address")?;
            let ip = address.get("address")?.as_str()?.parse().ok()?;
            let port = u16::try_from(address.get("port_value")?.as_u64()?).ok()?;
            Some((name, SocketAddr::new(ip, port)))
        });
        Ok(found.collect())
    }

    /// The address Envoy wrote into a file, once it has.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        text.trim().parse().ok().map(Self)
    }

    /// Stops listening, and waits for `grace` until the open connections have ended.
    pub(crate) async fn drain(self, grace: Duration) {
        let drained = async {
            if self.call("POST", "/drain_listeners").await.is_err() {
                return;
            }
            while self.connections().await.is_ok_and(|open| open > 0) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        // Whether they ended or not, Envoy is stopped next.
        let _ = timeout(grace, drained).await;
    }

    /// Client connections open now on the listeners of resources.
    async fn connections(self) -> io::Result<u64> {
        let path = "/stats?format=json&filter=^server\\.total_connections$";
        let (_, body) = self.call("GET", path).await?;
        let document: Value = serde_json::from_str(&body)?;
        let stats = document.get("stats").and_then(Value::as_array);
        let values = stats.into_iter().flatten();
        Ok(values
            .filter_map(|stat| stat.get("value").and_then(Value::as_u64))
            .sum())
    }

    /// One request on a connection of its own: status and body.
    async fn call(self, method: &str, path: &str) -> io::Result<(u16, String)> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.0).await?;
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
                 content-length: 0\r\n\r\n",
                self.0
            );
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
            parse(&answer)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
        };
        timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Status and body of an HTTP/1.1 answer, chunked or not.
fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = match is_chunked {
        true => unchunk(body)?,
        false => body.to_owned(),
    };
    Some((status, body))
}

fn unchunk(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_is_read_chunked_or_not() {
        let cases = [
            ("HTTP/1.1 200 OK\r\n\r\nLIVE", Some((200, "LIVE"))),
            ("HTTP/1.1 503 No\r\nx: y\r\n\r\n", Some((503, ""))),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
                Some((200, "abc0123456789")),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc",
                None,
            ),
            ("nonsense", None),
            ("", None),
        ];
        for (answer, expected) in cases {
            let expected = expected.map(|(status, body)| (status, body.to_owned()));
            assert_eq!(parse(answer.as_bytes()), expected, "{answer}");
        }
    }
}
