//! Streams of exec, attach and port-forward, behind a change of protocol.
//!
//! In: bytes of either side after the 101. Out: bytes for the other side, frame by frame: what was
//! read, and nothing else; and what was said, for the record. Two carriers feed one state: WebSocket,
//! whose frames are written anew, and SPDY, whose control frames go on as they came.
//!
//! Of forwarded ports the streams are followed, and what goes over them is counted.
//!
//! What a command prints is masked line by line. The beginning of a line waits for its end, but not for
//! long: see [`Voices`].

mod carrier;
mod exchange;
mod exercise;
mod ports;
mod resize;
mod spdy;
mod tape;
mod tunnel;
mod voices;
mod websocket;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ostiary_operation::kubernetes::{Carrier as Kind, Purpose, Streams};
use ostiary_record::{Channel, event};

use self::{carrier::Carrier, tape::Tape, voices::Voices};
use super::masking::Masking;
use crate::Now;

pub use exchange::Upgraded;
pub use exercise::exercise;

/// What stands in a closed connection's record.
pub(super) type Broken = String;

/// The streams of one request.
#[derive(Debug)]
pub(super) struct Stream {
    carrier: Carrier,
    voices: Voices,
}

impl Stream {
    /// The target has agreed to change to the protocol, with these headers.
    pub(super) fn begin(
        streams: &Streams,
        headers: &[(String, String)],
        masking: &Masking,
        operation: u64,
    ) -> Result<Self, &'static str> {
        let all = |name: &str| {
            let values = headers.iter().filter(|(key, _)| key == name);
            values.map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        let [version] = all(streams.carrier.version_header())[..] else {
            return Err("the target names no version of the channels, or several");
        };
        if !streams.offers.contains(&version) {
            return Err("the target names a version of the channels that was not offered");
        }
        let protocol = match streams.carrier {
            Kind::WebSocket => "websocket",
            Kind::Spdy => "SPDY/3.1",
        };
        let carrier = match (streams.purpose, streams.carrier) {
            (Purpose::Command, Kind::WebSocket) => {
                Carrier::web_socket(version == "v5.channel.k8s.io")
            }
            (Purpose::Command, Kind::Spdy) => Carrier::spdy(),
            (Purpose::Ports, Kind::WebSocket) => Carrier::tunnel(),
            (Purpose::Ports, Kind::Spdy) => Carrier::ports(),
        };
        let is_agreed = matches!(all("upgrade")[..], [one] if one.eq_ignore_ascii_case(protocol));
        if !is_agreed || !all("sec-websocket-extensions").is_empty() {
            return Err("the target changes to another protocol");
        }
        Ok(Self {
            carrier,
            voices: Voices::new(
                masking,
                Tape::new(operation, !masking.observes),
                streams.tty,
            ),
        })
    }

    /// Bytes of the client; what goes to the target.
    pub(super) fn on_client(&mut self, bytes: &[u8], now: Now) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        self.voices.hurry(now);
        self.carrier
            .on_client(&mut self.voices, bytes, now, &mut out)?;
        Ok(out)
    }

    /// Bytes of the target; what goes to the client by now.
    pub(super) fn on_target(&mut self, bytes: &[u8], now: Now) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        self.carrier
            .on_target(&mut self.voices, bytes, now, &mut out)?;
        Ok(out)
    }

    /// Time passed: what has waited long enough goes to the client.
    pub(super) fn on_time(&mut self, now: Now) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        if self.voices.is_due(now) {
            // All at once: the host may have no place for a second part before more comes.
            self.voices.hurry(now);
            self.carrier
                .release(&mut self.voices, Some(now), &mut out)?;
        }
        Ok(out)
    }

    /// The target sends no more: the rest for the client.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        self.carrier.release(&mut self.voices, None, &mut out)?;
        Ok(out)
    }

    /// Whether it may end at any time: it forwards ports until the client has had enough.
    pub(super) fn is_open_ended(&self) -> bool {
        self.carrier.as_ports().is_some()
    }

    /// Ports that the client has asked for since the last call: see [`ports::Ports::asked`].
    pub(super) fn asked_ports(&mut self) -> BTreeSet<u16> {
        let ports = self.carrier.as_ports_mut();
        ports.map(ports::Ports::asked).unwrap_or_default()
    }

    /// Every port the client has asked for.
    pub(super) fn all_ports(&self) -> BTreeSet<u16> {
        let ports = self.carrier.as_ports();
        ports.map(|it| it.all().clone()).unwrap_or_default()
    }

    /// Nothing more comes or goes.
    pub(super) fn close(&mut self, now: Now) {
        if let Some(ports) = self.carrier.as_ports_mut() {
            ports.end(&mut self.voices, now);
        }
    }

    /// Whether something waits for [`Self::on_time`].
    pub(super) fn holds(&self) -> bool {
        self.voices.holds()
    }

    /// When it wants to know the time.
    pub(super) fn deadline(&self) -> Option<Now> {
        self.voices.deadline()
    }

    /// What is to be recorded by now, or to the last, with the time of each.
    pub(super) fn recorded(&mut self, now: Option<Now>) -> Vec<(Now, event::Kind)> {
        self.voices.recorded(now)
    }

    /// Bytes the client got, how many values were masked, and the exit code if the target told it.
    pub(super) fn totals(&self) -> (u64, u64, Option<i32>) {
        self.voices.totals()
    }
}

/// What stands on a channel's label in the record.
fn is_output(channel: Channel) -> bool {
    matches!(channel, Channel::Stdout | Channel::Stderr)
}
