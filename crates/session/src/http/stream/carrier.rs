//! Which protocol carries the channels.

use super::{Broken, Voices, ports::Ports, spdy::Spdy, tunnel::Tunnel, websocket::WebSocket};
use crate::Now;

#[derive(Debug)]
pub(super) enum Carrier {
    WebSocket(Box<WebSocket>),
    Spdy(Box<Spdy>),
    Ports(Box<Ports>),
    Tunnel(Box<Tunnel>),
}

impl Carrier {
    pub(super) fn web_socket(can_close: bool) -> Self {
        Self::WebSocket(Box::new(WebSocket::new(can_close)))
    }

    pub(super) fn spdy() -> Self {
        Self::Spdy(Box::default())
    }

    pub(super) fn ports() -> Self {
        Self::Ports(Box::default())
    }

    pub(super) fn tunnel() -> Self {
        Self::Tunnel(Box::new(Tunnel::new()))
    }

    /// The ports it forwards.
    pub(super) fn as_ports(&self) -> Option<&Ports> {
        match self {
            Self::WebSocket(_) | Self::Spdy(_) => None,
            Self::Ports(it) => Some(it),
            Self::Tunnel(it) => Some(&it.ports),
        }
    }

    pub(super) fn as_ports_mut(&mut self) -> Option<&mut Ports> {
        match self {
            Self::WebSocket(_) | Self::Spdy(_) => None,
            Self::Ports(it) => Some(it),
            Self::Tunnel(it) => Some(&mut it.ports),
        }
    }

    pub(super) fn on_client(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        match self {
            Self::WebSocket(it) => it.on_client(voices, bytes, now, out),
            Self::Spdy(it) => it.on_client(voices, bytes, now, out),
            Self::Ports(it) => it.on_client(voices, bytes, now, out),
            Self::Tunnel(it) => it.on_client(voices, bytes, now, out),
        }
    }

    pub(super) fn on_target(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        match self {
            Self::WebSocket(it) => it.on_target(voices, bytes, now, out),
            Self::Spdy(it) => it.on_target(voices, bytes, now, out),
            Self::Ports(it) => it.on_target(voices, bytes, now, out),
            Self::Tunnel(it) => it.on_target(voices, bytes, now, out),
        }
    }

    /// Sends what has waited long enough by now, or all that waits at the end.
    pub(super) fn release(
        &mut self,
        voices: &mut Voices,
        now: Option<Now>,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        match self {
            Self::WebSocket(it) => it.release(voices, now, out),
            Self::Spdy(it) if now.is_none() => it.end(voices, out)?,
            Self::Spdy(it) => it.release(voices, now, out)?,
            // Nothing of them waits.
            Self::Ports(_) | Self::Tunnel(_) => {}
        }
        Ok(())
    }
}

/// What is wrong with bytes of a side.
pub(super) fn broken(side: &str, why: impl std::fmt::Display) -> Broken {
    format!("the stream of the {side} cannot be followed: {why}")
}
