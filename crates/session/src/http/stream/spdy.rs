//! Channels over SPDY/3.1: the client opens a stream for each, named by the header `streamtype`.
//!
//! Control frames go on as they came; data frames are written anew.

use std::collections::BTreeMap;

use ostiary_record::Channel;
use ostiary_wire::spdy::{Control, Decoder, Frame, write_data};

use super::{
    Broken, Voices,
    carrier::broken,
    resize::{self, Sizes},
};
use crate::Now;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Stdin,
    Stdout,
    Stderr,
    Status,
    Resize,
}

/// A stream.
#[derive(Debug)]
struct Leg {
    role: Role,
    client_done: bool,
    target_done: bool,
    replied: bool,
}

#[derive(Debug, Default)]
pub(super) struct Spdy {
    client: Decoder,
    target: Decoder,
    /// At most one of each role.
    legs: BTreeMap<u32, Leg>,
    sizes: Sizes,
}

impl Spdy {
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
            match frame {
                Frame::Control(control, raw) => {
                    self.controlled(&control)?;
                    out.extend_from_slice(&raw);
                }
                Frame::Data {
                    stream,
                    fin,
                    payload,
                } => self.heard(voices, (stream, fin), &payload, now, out)?,
            }
        }
        Ok(())
    }

    fn controlled(&mut self, control: &Control) -> Result<(), Broken> {
        match control {
            Control::SynStream {
                stream,
                fin,
                headers,
            } => self.open(*stream, *fin, headers),
            Control::RstStream { stream } => {
                let leg = self.leg("client", *stream)?;
                (leg.client_done, leg.target_done) = (true, true);
                Ok(())
            }
            Control::Ping { .. } | Control::GoAway => Ok(()),
            Control::SynReply { .. } => Err(broken("client", "it answers a stream of its own")),
        }
    }

    fn open(&mut self, stream: u32, fin: bool, headers: &[(String, String)]) -> Result<(), Broken> {
        let role = match headers {
            [(name, value)] if name == "streamtype" => match value.as_str() {
                "stdin" => Some(Role::Stdin),
                "stdout" => Some(Role::Stdout),
                "stderr" => Some(Role::Stderr),
                "error" => Some(Role::Status),
                "resize" => Some(Role::Resize),
                _ => None,
            },
            _ => None,
        };
        let Some(role) = role else {
            return Err(broken("client", "a stream is of no known type"));
        };
        let is_next = self
            .legs
            .keys()
            .next_back()
            .is_none_or(|last| stream > *last);
        let is_new = self.legs.values().all(|leg| leg.role != role);
        if stream.is_multiple_of(2) || !is_next || !is_new {
            return Err(broken("client", "a stream comes twice or out of order"));
        }
        let leg = Leg {
            role,
            client_done: fin,
            target_done: false,
            replied: false,
        };
        self.legs.insert(stream, leg);
        Ok(())
    }

    fn heard(
        &mut self,
        voices: &mut Voices,
        (stream, fin): (u32, bool),
        payload: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let leg = self.leg("client", stream)?;
        if leg.client_done {
            return Err(broken("client", "a stream goes on behind its end"));
        }
        leg.client_done = fin;
        match leg.role {
            Role::Stdin => {
                voices.typed(payload, now);
                data(stream, fin, payload, out)
            }
            Role::Resize => {
                let sizes = self.sizes.read(payload);
                let sizes = sizes.filter(|_| !fin || self.sizes.is_idle());
                let Some(sizes) = sizes else {
                    return Err(broken("client", "a size of the terminal is not one"));
                };
                let mut text = String::new();
                for size in sizes {
                    voices.resize(size.0, size.1, now);
                    text.push_str(&resize::write(size));
                }
                data(stream, fin, text.as_bytes(), out)
            }
            // Says that nothing will come.
            _ if payload.is_empty() => data(stream, fin, &[], out),
            _ => Err(broken("client", "a stream goes the wrong way")),
        }
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
            match frame {
                Frame::Control(control, raw) => {
                    self.answered(voices, &control, out)?;
                    out.extend_from_slice(&raw);
                }
                Frame::Data {
                    stream,
                    fin,
                    payload,
                } => self.said(voices, (stream, fin), &payload, now, out)?,
            }
        }
        Ok(())
    }

    fn answered(
        &mut self,
        voices: &mut Voices,
        control: &Control,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        match control {
            Control::SynReply {
                stream,
                fin,
                headers,
            } => {
                let leg = self.leg("target", *stream)?;
                if leg.replied || leg.target_done || !headers.is_empty() {
                    return Err(broken("target", "an answer to a stream is not one"));
                }
                leg.replied = true;
                leg.target_done = *fin;
                Ok(())
            }
            Control::RstStream { stream } => {
                self.end(voices, out)?;
                let leg = self.leg("target", *stream)?;
                (leg.client_done, leg.target_done) = (true, true);
                Ok(())
            }
            Control::GoAway => self.end(voices, out),
            Control::Ping { .. } => Ok(()),
            Control::SynStream { .. } => Err(broken("target", "it opens a stream")),
        }
    }

    fn said(
        &mut self,
        voices: &mut Voices,
        (stream, fin): (u32, bool),
        payload: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let leg = self.leg("target", stream)?;
        if leg.target_done {
            return Err(broken("target", "a stream goes on behind its end"));
        }
        let role = leg.role;
        let shown = match (role.output(), role) {
            (Some(channel), _) => {
                let mut shown = voices.print(channel, payload, now);
                if fin {
                    shown.extend(voices.release(channel, None));
                }
                shown
            }
            (None, Role::Status) => {
                self.release(voices, None, out)?;
                voices.status(payload, fin)?
            }
            (None, _) if payload.is_empty() => Vec::new(),
            (None, _) => return Err(broken("target", "a stream goes the wrong way")),
        };
        self.leg("target", stream)?.target_done = fin;
        match shown.is_empty() && !fin {
            true => Ok(()),
            false => data(stream, fin, &shown, out),
        }
    }

    pub(super) fn release(
        &mut self,
        voices: &mut Voices,
        now: Option<Now>,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        for (stream, leg) in &self.legs {
            if let Some(channel) = leg.role.output().filter(|_| !leg.target_done) {
                let shown = voices.release(channel, now);
                if !shown.is_empty() {
                    data(*stream, false, &shown, out)?;
                }
            }
        }
        Ok(())
    }

    /// Sends all that waits: no more comes.
    pub(super) fn end(&mut self, voices: &mut Voices, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.release(voices, None, out)?;
        let status = self
            .legs
            .iter()
            .find(|(_, leg)| leg.role == Role::Status && !leg.target_done);
        if let Some((stream, _)) = status {
            let shown = voices.status(&[], true)?;
            if !shown.is_empty() {
                data(*stream, false, &shown, out)?;
            }
        }
        Ok(())
    }

    fn leg(&mut self, side: &str, stream: u32) -> Result<&mut Leg, Broken> {
        let leg = self.legs.get_mut(&stream);
        leg.ok_or_else(|| broken(side, "a frame is of no stream"))
    }
}

impl Role {
    fn output(self) -> Option<Channel> {
        match self {
            Self::Stdout => Some(Channel::Stdout),
            Self::Stderr => Some(Channel::Stderr),
            Self::Stdin | Self::Status | Self::Resize => None,
        }
    }
}

fn data(stream: u32, fin: bool, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    write_data(stream, fin, payload, out).map_err(|it| broken("gateway", it))
}
