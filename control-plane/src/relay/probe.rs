//! Asks a server once whether it speaks TLS.

use std::{io, time::Duration};

use ostiary_control_plane::config::HostPort;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::request::SSL_REQUEST;

/// A server's answer to `SSLRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// `S`
    Tls,
    /// `N`
    Plaintext,
}

/// Connects, asks and hangs up.
pub(crate) async fn probe(address: &HostPort, patience: Duration) -> io::Result<Offer> {
    let asked = async { ask(&mut connect(address).await?).await };
    timeout(patience, asked)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

pub(super) async fn connect(address: &HostPort) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
    Ok(stream)
}

/// Reads exactly one byte: what follows an `S` has to be the server's part of the handshake, and
/// bytes that someone slipped in before it must not pass for the server's.
pub(super) async fn ask(stream: &mut TcpStream) -> io::Result<Offer> {
    stream.write_all(&SSL_REQUEST).await?;
    match stream.read_u8().await? {
        b'S' => Ok(Offer::Tls),
        b'N' => Ok(Offer::Plaintext),
        other => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("answered SSLRequest with 0x{other:02x}: not a PostgreSQL server?"),
        )),
    }
}
