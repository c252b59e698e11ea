//! The way to a PostgreSQL server that wants TLS.
//!
//! In: what Envoy sends, plaintext, on a socket of ours. Out: the same bytes to the server, over
//! TLS that this side has negotiated. A client's `SSLRequest` that comes through the filter is
//! answered `N` here, since the server would answer `S` and the filter could read no more.
//! Deliberately absent: reading anything past those requests.

mod probe;
mod request;
mod server;
mod tls;

pub(crate) use probe::{Offer, probe};
pub(crate) use server::{Entrance, Relay, RelayError};

use std::{path::PathBuf, time::Duration};

use ostiary_control_plane::config::{HostPort, Resource, UpstreamTls};

/// From the first bytes of a client to the end of the handshake with the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server and how to talk to it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// For logs.
    pub(crate) resource: String,
    /// Where it is.
    pub(crate) address: HostPort,
    /// When TLS is used, and what is verified.
    pub(crate) tls: UpstreamTls,
    /// Authorities of its certificate.
    pub(crate) ca: Option<PathBuf>,
}

impl Target {
    /// The server of a configured resource.
    pub(crate) fn of(resource: &Resource) -> Self {
        Self {
            resource: resource.name.clone(),
            address: resource.address.clone(),
            tls: resource.tls,
            ca: resource.ca.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
