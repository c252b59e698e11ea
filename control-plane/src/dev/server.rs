//! Discovery document and keys over HTTP, on loopback.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{DevError, Keys};

/// A running issuer; stops when dropped.
pub(crate) struct Issuer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Issuer {
    /// Serves `keys`; `path` is what the URL of the issuer has after the port.
    pub(crate) fn serve(listener: Bound, path: &str, keys: &Keys) -> Self {
        let Bound { listener, address } = listener;
        let app = router(path, keys);
        let task = tokio::spawn(async move {
            // Ends with the process; the error of one connection ends that connection alone.
            let _ = axum::serve(listener, app).await;
        });
        Self { address, task }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A loopback socket.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Binds a loopback address; refuses any other.
pub(crate) async fn bind(listen: SocketAddr) -> Result<Bound, DevError> {
    if !listen.ip().is_loopback() {
        return Err(DevError::NotLoopback(listen.to_string()));
    }
    let failed = |source| DevError::Listen {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address })
}

/// The loopback address and path of an issuer's URL.
pub(crate) fn issuer_address(issuer: &str) -> Result<(SocketAddr, String), DevError> {
    let invalid = || DevError::Issuer(issuer.to_owned());
    let uri: axum::http::Uri = issuer.parse().map_err(|_| invalid())?;
    let host = uri.host().unwrap_or_default();
    let ip = match host.trim_start_matches('[').trim_end_matches(']') {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        host => host
            .parse()
            .map_err(|_| DevError::NotLoopback(issuer.to_owned()))?,
    };
    if !ip.is_loopback() {
        return Err(DevError::NotLoopback(issuer.to_owned()));
    }
    let path = uri.path().trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    if uri.scheme_str() != Some("http") || uri.query().is_some() || !path.chars().all(plain) {
        return Err(invalid());
    }
    let port = uri.port_u16().unwrap_or(80);
    Ok((SocketAddr::new(ip, port), path.to_owned()))
}

fn router(path: &str, keys: &Keys) -> Router {
    let issuer = keys.issuer();
    let discovery = Arc::new(json!({
        "issuer": issuer,
        "jwks_uri": format!("{}/jwks.json", issuer.trim_end_matches('/')),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }));
    let jwks = Arc::new(keys.jwks());
    Router::new()
        .route(
            &format!("{path}/.well-known/openid-configuration"),
            get(move || answer(discovery.clone())),
        )
        .route(
            &format!("{path}/jwks.json"),
            get(move || answer(jwks.clone())),
        )
}

async fn answer(document: Arc<Value>) -> Json<Value> {
    Json(Value::clone(&document))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::{Issuer, bind, issuer_address};
    use crate::dev::{DevError, Keys};

    #[tokio::test]
    async fn serves_loopback_alone() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:80"] {
            let refused = bind(address.parse().unwrap()).await;
            assert!(
                matches!(refused, Err(DevError::NotLoopback(_))),
                "{address}"
            );
        }
        bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    }

    #[test]
    fn an_issuer_url_is_loopback_and_plain() {
        let cases = [
            ("http://127.0.0.1:7701", Some(("127.0.0.1:7701", ""))),
            ("http://localhost:7701/", Some(("127.0.0.1:7701", ""))),
            ("http://[::1]:7701/dev", Some(("[::1]:7701", "/dev"))),
            ("https://127.0.0.1:7701", None),
            ("http://id.example.com", None),
            ("http://0.0.0.0:7701", None),
            ("http://127.0.0.1:7701/{*all}", None),
            ("http://127.0.0.1:7701?x", None),
            ("7701", None),
            ("", None),
        ];
        for (issuer, expected) in cases {
            let found = issuer_address(issuer).ok();
            let expected =
                expected.map(|(address, path)| (address.parse().unwrap(), path.to_owned()));
            assert_eq!(found, expected, "{issuer}");
        }
    }

    #[tokio::test]
    async fn publishes_what_discovery_needs() {
        let dir = tempfile::tempdir().unwrap();
        let bound = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/dev", bound.address());
        let keys = Keys::open(dir.path(), &url).unwrap();
        let issuer = Issuer::serve(bound, "/dev", &keys);
        let document = fetch(&issuer, "/dev/.well-known/openid-configuration").await;
        assert!(
            document.contains(&format!("\"issuer\":\"{url}\"")),
            "{document}"
        );
        assert!(document.contains(&format!("\"jwks_uri\":\"{url}/jwks.json\"")));
        let jwks = fetch(&issuer, "/dev/jwks.json").await;
        assert!(jwks.contains("\"kty\":\"EC\""), "{jwks}");
        assert!(fetch(&issuer, "/key.p8").await.starts_with("HTTP/1.1 404"));
    }

    async fn fetch(issuer: &Issuer, path: &str) -> String {
        let mut stream = TcpStream::connect(issuer.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}
