//! Forwarded ports over WebSocket (`SPDY/3.1+portforward.k8s.io`): the messages of each side are one
//! stream of bytes, and that is SPDY.

use ostiary_wire::websocket::{Decoder, Kind, Sender, write};

use super::{Broken, Voices, carrier::broken, ports::Ports, websocket::close};
use crate::Now;

#[derive(Debug)]
pub(super) struct Tunnel {
    client: Decoder,
    target: Decoder,
    pub(super) ports: Ports,
}

impl Tunnel {
    pub(super) fn new() -> Self {
        Self {
            client: Decoder::new(Sender::Client),
            target: Decoder::new(Sender::Server),
            ports: Ports::default(),
        }
    }

    pub(super) fn on_client(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        self.client.push(bytes);
        while let Some(frame) = self
            .client
            .next_frame()
            .map_err(|it| broken("client", it))?
        {
            match frame.kind {
                Kind::Ping | Kind::Pong => write(frame.kind, frame.mask, &frame.payload, out),
                Kind::Close => close(&frame, out),
                Kind::Binary => {
                    let mut inner = Vec::new();
                    self.ports
                        .on_client(voices, &frame.payload, now, &mut inner)?;
                    if !inner.is_empty() {
                        write(frame.kind, frame.mask, &inner, out);
                    }
                }
                Kind::Text => return Err(broken("client", "a message is text")),
            }
        }
        Ok(())
    }

    pub(super) fn on_target(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        self.target.push(bytes);
        while let Some(frame) = self
            .target
            .next_frame()
            .map_err(|it| broken("target", it))?
        {
            match frame.kind {
                Kind::Ping | Kind::Pong if voices.is_plain(&frame.payload) => {
                    write(frame.kind, None, &frame.payload, out);
                }
                Kind::Close => close(&frame, out),
                Kind::Binary => {
                    let mut inner = Vec::new();
                    self.ports
                        .on_target(voices, &frame.payload, now, &mut inner)?;
                    if !inner.is_empty() {
                        write(frame.kind, None, &inner, out);
                    }
                }
                _ => return Err(broken("target", "a frame is not one of a tunnel")),
            }
        }
        Ok(())
    }
}
