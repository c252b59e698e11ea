//! Accepts Envoy's connections and pairs each with one of its own to the server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ostiary_control_plane::config::UpstreamTls;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream, UnixListener},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use super::{
    CONNECT_TIMEOUT, Target,
    probe::{Offer, ask, connect},
    request::refuse_encryption,
    tls::Tls,
};

/// Longest path a Unix socket can have on Linux, with its end mark.
const MAX_SOCKET_PATH: usize = 107;
/// Bytes read at once in either direction.
const BUFFER: usize = 64 << 10;

/// Where Envoy finds the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// A Unix socket.
    Socket(PathBuf),
    /// A loopback port: for state directories whose path is too long for a socket.
    Port(SocketAddr),
}

/// A running relay; ends, with every connection through it, when dropped.
pub(crate) struct Relay {
    entrance: Entrance,
    task: JoinHandle<()>,
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("cannot listen on `{path}`")]
    Listen {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("resource `{resource}`: {reason}")]
    Tls { resource: String, reason: String },
}

impl Relay {
    /// Listens on `socket`, or on a loopback port if its path is too long.
    pub(crate) async fn start(target: Target, socket: &Path) -> Result<Self, RelayError> {
        let tls = Tls::new(&target).map_err(|reason| RelayError::Tls {
            resource: target.resource.clone(),
            reason,
        })?;
        let way = Arc::new(Way { target, tls });
        let failed = |source| RelayError::Listen {
            path: socket.to_owned(),
            source,
        };
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .map_err(failed)?;
            let entrance = Entrance::Port(listener.local_addr().map_err(failed)?);
            let accept = async move || {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            };
            let task = tokio::spawn(serve(accept, way));
            return Ok(Self { entrance, task });
        }
        // Left by a process that could not tidy up; the state directory is ours alone by now.
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(socket).map_err(failed)?;
        let accept = async move || Ok(listener.accept().await?.0);
        Ok(Self {
            entrance: Entrance::Socket(socket.to_owned()),
            task: tokio::spawn(serve(accept, way)),
        })
    }

    /// Where Envoy connects to.
    pub(crate) fn entrance(&self) -> &Entrance {
        &self.entrance
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        if let Entrance::Socket(path) = &self.entrance {
            let _ = std::fs::remove_file(path);
        }
    }
}

struct Way {
    target: Target,
    tls: Tls,
}

/// Until aborted; the connections end with the set they are in.
async fn serve<S>(accept: impl AsyncFn() -> io::Result<S>, way: Arc<Way>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok(client) => {
                    let way = way.clone();
                    open.spawn(async move { way.carry(client).await });
                }
                // Out of descriptors, or the client has gone already.
                Err(error) => {
                    tracing::warn!(resource = %way.target.resource, %error, "relay cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = open.join_next() => {}
        }
    }
}

impl Way {
    async fn carry(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(first) = refuse_encryption(&mut client).await else {
            return;
        };
        if first.is_empty() {
            return;
        }
        let opened = timeout(CONNECT_TIMEOUT, self.open()).await;
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let ended = match opened {
            Ok(Server::Tls(server)) => pass(client, *server, &first).await,
            Ok(Server::Plaintext(server)) => pass(client, server, &first).await,
            Err(error) => {
                let (resource, address) = (&self.target.resource, &self.target.address);
                tracing::warn!(%resource, %address, %error, "cannot reach the server");
                // Agents see the reason's kind; addresses and certificates are for operators.
                client.write_all(&unreachable_server()).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(resource = %self.target.resource, %error, "relayed connection broke");
        }
    }

    async fn open(&self) -> io::Result<Server> {
        let mut stream = connect(&self.target.address).await?;
        if self.target.tls == UpstreamTls::Disable {
            return Ok(Server::Plaintext(stream));
        }
        match (ask(&mut stream).await?, self.target.tls) {
            (Offer::Tls, _) => {
                let stream = self.tls.handshake(stream).await?;
                Ok(Server::Tls(Box::new(stream)))
            }
            (Offer::Plaintext, UpstreamTls::Prefer | UpstreamTls::Disable) => {
                Ok(Server::Plaintext(stream))
            }
            (Offer::Plaintext, UpstreamTls::Require | UpstreamTls::VerifyFull) => Err(
                io::Error::other("the server offers no TLS, which this resource requires"),
            ),
        }
    }
}

enum Server {
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
    Plaintext(TcpStream),
}

/// Both ways, each until its own end.
async fn pass(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    first: &[u8],
) -> io::Result<()> {
    server.write_all(first).await?;
    server.flush().await?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await?;
    Ok(())
}

/// What a PostgreSQL client understands: FATAL 08001.
fn unreachable_server() -> Vec<u8> {
    let fields: &[u8] =
        b"SFATAL\0VFATAL\0C08001\0Mthe server behind this gateway cannot be reached\0\0";
    let length = u32::try_from(fields.len()).unwrap_or(0).saturating_add(4);
    let mut message = vec![b'E'];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(fields);
    message
}
