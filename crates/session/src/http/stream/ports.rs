//! Forwarded ports over SPDY/3.1 (`portforward.k8s.io`): for each connection the client opens two
//! streams, `data` and `error`, whose headers name the port.
//!
//! What goes to and from a port is counted, not read. Control frames go on as they came, data frames are
//! written anew. A stream may be reset while the other side still speaks: what comes of it then goes no
//! further.

use std::collections::{BTreeMap, BTreeSet};

use ostiary_wire::spdy::{Control, Decoder, Frame, write_data};

use super::{Broken, Voices, carrier::broken};
use crate::Now;

/// Streams that are open at a time.
const MAX_LEGS: usize = 2048;
/// Ports that one request may ask for, one after the other.
const MAX_PORTS: usize = 256;
/// Bytes of the number that pairs two streams.
const MAX_PAIR: usize = 20;
/// Bytes of what the target says on one stream for errors.
const MAX_REMARK: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Data,
    Error,
}

#[derive(Debug)]
struct Leg {
    role: Role,
    port: u16,
    pair: String,
    client_done: bool,
    target_done: bool,
    replied: bool,
    to: u64,
    from: u64,
}

#[derive(Debug, Default)]
pub(super) struct Ports {
    client: Decoder,
    target: Decoder,
    legs: BTreeMap<u32, Leg>,
    last: u32,
    ports: BTreeSet<u16>,
    /// Of them, those nobody has judged yet.
    unjudged: BTreeSet<u16>,
}

impl Ports {
    /// Ports that were asked for since the last call. Nothing of what brought them may go on before they
    /// are judged.
    pub(super) fn asked(&mut self) -> BTreeSet<u16> {
        std::mem::take(&mut self.unjudged)
    }

    /// Every port that was asked for.
    pub(super) fn all(&self) -> &BTreeSet<u16> {
        &self.ports
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
            match frame {
                Frame::Control(control, raw) => {
                    if self.controlled(voices, &control, now)? {
                        out.extend_from_slice(&raw);
                    }
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

    /// Whether it goes on.
    fn controlled(
        &mut self,
        voices: &mut Voices,
        control: &Control,
        now: Now,
    ) -> Result<bool, Broken> {
        match control {
            Control::SynStream {
                stream,
                fin,
                headers,
            } => {
                self.open(voices, (*stream, *fin), headers, now)?;
                Ok(true)
            }
            Control::RstStream { stream } => self.reset("client", voices, *stream, now),
            Control::Ping { .. } | Control::GoAway => Ok(true),
            Control::SynReply { .. } => Err(broken("client", "it answers a stream of its own")),
        }
    }

    fn open(
        &mut self,
        voices: &mut Voices,
        (stream, fin): (u32, bool),
        headers: &[(String, String)],
        now: Now,
    ) -> Result<(), Broken> {
        let Some((role, port, pair)) = asked_for(headers) else {
            return Err(broken(
                "client",
                "a stream is of no known type, or of no port",
            ));
        };
        if stream.is_multiple_of(2) || stream <= self.last {
            return Err(broken("client", "a stream comes twice or out of order"));
        }
        let fits = self
            .legs
            .values()
            .filter(|leg| leg.pair == pair)
            .all(|leg| leg.role != role && leg.port == port);
        if !fits {
            return Err(broken("client", "two streams of a connection do not agree"));
        }
        if self.ports.insert(port) {
            self.unjudged.insert(port);
        }
        if self.legs.len() >= MAX_LEGS || self.ports.len() > MAX_PORTS {
            return Err(broken("client", "it asks for too many streams or ports"));
        }
        self.last = stream;
        if role == Role::Data {
            voices.connect(port, now);
        }
        let leg = Leg {
            role,
            port,
            pair,
            client_done: fin,
            target_done: false,
            replied: false,
            to: 0,
            from: 0,
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
        let Some(leg) = self.leg("client", stream)? else {
            return Ok(());
        };
        if leg.client_done {
            return Err(broken("client", "a stream goes on behind its end"));
        }
        if leg.role == Role::Error && !payload.is_empty() {
            return Err(broken("client", "a stream goes the wrong way"));
        }
        leg.client_done = fin;
        leg.to = leg.to.saturating_add(size(payload));
        data(stream, fin, payload, out)?;
        self.forget(voices, stream, now);
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
            match frame {
                Frame::Control(control, raw) => {
                    if self.answered(voices, &control, now)? {
                        out.extend_from_slice(&raw);
                    }
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

    /// Whether it goes on.
    fn answered(
        &mut self,
        voices: &mut Voices,
        control: &Control,
        now: Now,
    ) -> Result<bool, Broken> {
        match control {
            Control::SynReply {
                stream,
                fin,
                headers,
            } => {
                let is_empty = headers.is_empty();
                let leg = self.leg("target", *stream)?;
                let fits = leg.as_ref().is_none_or(|it| !it.replied && !it.target_done);
                if !is_empty || !fits {
                    return Err(broken("target", "an answer to a stream is not one"));
                }
                // To a stream that is over as well: what follows is compressed after it.
                if let Some(leg) = leg {
                    (leg.replied, leg.target_done) = (true, *fin);
                }
                self.forget(voices, *stream, now);
                Ok(true)
            }
            Control::RstStream { stream } => self.reset("target", voices, *stream, now),
            Control::GoAway | Control::Ping { .. } => Ok(true),
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
        let Some(leg) = self.leg("target", stream)? else {
            return Ok(());
        };
        if leg.target_done {
            return Err(broken("target", "a stream goes on behind its end"));
        }
        leg.target_done = fin;
        leg.from = leg.from.saturating_add(size(payload));
        match leg.role {
            Role::Data => {
                voices.count(payload);
                data(stream, fin, payload, out)?;
            }
            Role::Error if leg.from > MAX_REMARK => {
                return Err(broken("target", "what it says of an error is too long"));
            }
            Role::Error => data(stream, fin, &voices.remark(payload), out)?,
        }
        self.forget(voices, stream, now);
        Ok(())
    }

    /// A stream is over, both ways; whether that is news.
    fn reset(
        &mut self,
        side: &str,
        voices: &mut Voices,
        stream: u32,
        now: Now,
    ) -> Result<bool, Broken> {
        let Some(leg) = self.leg(side, stream)? else {
            return Ok(false);
        };
        (leg.client_done, leg.target_done) = (true, true);
        self.forget(voices, stream, now);
        Ok(true)
    }

    /// Forgets a stream in which nobody has more to say.
    fn forget(&mut self, voices: &mut Voices, stream: u32, now: Now) {
        let is_over = |leg: &Leg| leg.client_done && leg.target_done;
        if self.legs.get(&stream).is_some_and(is_over)
            && let Some(leg) = self.legs.remove(&stream)
            && leg.role == Role::Data
        {
            voices.disconnect(leg.port, (leg.to, leg.from), now);
        }
    }

    /// No more comes: how much went over what is still open.
    pub(super) fn end(&mut self, voices: &mut Voices, now: Now) {
        for leg in std::mem::take(&mut self.legs).into_values() {
            if leg.role == Role::Data {
                voices.disconnect(leg.port, (leg.to, leg.from), now);
            }
        }
    }

    /// `None` if it is over already.
    fn leg(&mut self, side: &str, stream: u32) -> Result<Option<&mut Leg>, Broken> {
        if stream.is_multiple_of(2) || stream > self.last {
            return Err(broken(side, "a frame is of no stream"));
        }
        Ok(self.legs.get_mut(&stream))
    }
}

/// What a stream is, its port, and what pairs it with its other.
fn asked_for(headers: &[(String, String)]) -> Option<(Role, u16, String)> {
    let one = |name: &str| {
        let mut values = headers.iter().filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.as_str())
    };
    let role = match one("streamtype")? {
        "data" => Role::Data,
        "error" => Role::Error,
        _ => return None,
    };
    let text = one("port")?;
    let port: u16 = text.parse().ok()?;
    let pair = one("requestid")?;
    let is_number = !pair.is_empty() && pair.bytes().all(|it| it.is_ascii_digit());
    // As every reader reads it: no sign, no zero before it, and nothing beside these three.
    let is_plain = port != 0 && port.to_string() == text && headers.len() == 3;
    (is_plain && is_number && pair.len() <= MAX_PAIR).then(|| (role, port, pair.to_owned()))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn data(stream: u32, fin: bool, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    write_data(stream, fin, payload, out).map_err(|it| broken("gateway", it))
}
