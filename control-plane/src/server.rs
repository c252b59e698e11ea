//! A running control plane.

use std::net::SocketAddr;

use crate::config::Config;

/// A running control plane; stops when dropped, cleanly with [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    gateway_token: String,
}

/// Why a control plane did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Not there yet.
    #[error("not built yet")]
    NotBuilt,
}

impl Server {
    /// Opens the store, loads the bundle, binds and serves until [`Server::shutdown`].
    pub async fn start(_config: &Config) -> Result<Self, StartError> {
        Err(StartError::NotBuilt)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What filters present in `authorization: Bearer`.
    pub fn gateway_token(&self) -> &str {
        &self.gateway_token
    }

    /// Filters that watch a resource now: one for each worker of its Envoy.
    pub fn filters(&self, _resource: &str) -> u32 {
        0
    }

    /// Stops taking calls, ends those that are open, and closes the store.
    pub async fn shutdown(self) {}
}
