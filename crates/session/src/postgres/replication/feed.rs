//! The server's bytes: cut into frames, of which data passes without being held.

use ostiary_wire::postgres::{frame, tag};

use super::session::{Replication, Turn};
use crate::postgres::Next;
use crate::postgres::answers::{Outcome, count, malformed, out_of_turn};
use crate::postgres::core::{Core, Fatal};
use crate::postgres::incoming::too_long;

/// Bytes of the server that are not a whole frame yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    carry: Vec<u8>,
    /// Bytes of the current message that still pass.
    pub(super) passing: usize,
}

impl Replication {
    pub(in crate::postgres) fn on_server(
        &mut self,
        core: &mut Core,
        bytes: &[u8],
    ) -> Result<Next, Fatal> {
        let mut at = self.incoming.passing.min(bytes.len());
        core.client.pass(bytes, 0, at);
        self.incoming.passing = self.incoming.passing.saturating_sub(at);
        while at < bytes.len() {
            at = self.take(core, bytes, at)?;
        }
        self.pump_and_flush(core)
    }

    /// Goes on with bytes that came behind the end of the login, in the same call.
    pub(in crate::postgres) fn resume(
        &mut self,
        core: &mut Core,
        behind: &[u8],
        input: &[u8],
    ) -> Result<Next, Fatal> {
        let limit = core.config.limits.row;
        let mut rest = behind;
        while let Some(frame) = frame::take(rest, limit).map_err(|error| malformed(&error))? {
            if let Outcome::Pass = self.on_frame(core, &frame, input)? {
                core.client.write(input).extend_from_slice(frame.bytes);
            }
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
        }
        self.incoming.carry.extend_from_slice(rest);
        self.pump_and_flush(core)
    }

    /// Takes one frame, or what there is of it; says how far `bytes` were read.
    fn take(&mut self, core: &mut Core, bytes: &[u8], at: usize) -> Result<usize, Fatal> {
        let mut carry = std::mem::take(&mut self.incoming.carry);
        let carried = carry.len();
        let rest = bytes.get(at..).unwrap_or_default();
        let missing = frame::HEADER.saturating_sub(carried).min(rest.len());
        carry.extend_from_slice(rest.get(..missing).unwrap_or_default());
        let begun = at.saturating_add(missing);
        let Some(header) = frame::header(&carry).map_err(|error| malformed(&error))? else {
            self.incoming.carry = carry;
            return Ok(begun);
        };
        let end = at.saturating_add(header.length.saturating_sub(carried));
        let stop = end.min(bytes.len());
        // A frame that passes did so from its header on: what is carried of one is never more than that.
        if carried < frame::HEADER && self.passes(core, header)? {
            if carried == 0 {
                core.client.pass(bytes, at, stop);
            } else {
                core.client.write(bytes).extend_from_slice(&carry);
                core.client.pass(bytes, begun, stop);
            }
            self.incoming.passing = end.saturating_sub(stop);
            return Ok(stop);
        }
        let limit = core.config.limits.row;
        if header.length > limit {
            return Err(too_long(header, limit));
        }
        carry.extend_from_slice(bytes.get(begun..stop).unwrap_or_default());
        match frame::take(&carry, limit).map_err(|error| malformed(&error))? {
            None => self.incoming.carry = carry,
            Some(frame) => {
                if let Outcome::Pass = self.on_frame(core, &frame, bytes)? {
                    core.client.write(bytes).extend_from_slice(frame.bytes);
                }
                // What passes next starts behind it.
                core.client.pass(bytes, stop, stop);
            }
        }
        Ok(stop)
    }

    /// Whether a frame is data, or a row nobody keeps, that passes without being read; it is counted.
    fn passes(&mut self, core: &Core, header: frame::Header) -> Result<bool, Fatal> {
        let data = header.tag == tag::backend::COPY_DATA;
        if !data && header.tag != tag::backend::DATA_ROW {
            return Ok(false);
        }
        match &mut self.turn {
            Turn::Runs(exchange) if data && exchange.sends_data() => {
                exchange.count(header.length.saturating_sub(frame::HEADER));
                Ok(true)
            }
            Turn::Runs(exchange) if !data && exchange.sends_rows() => {
                let running = &mut exchange.running;
                let kept = running.wants_plain_sample(&core.config.limits, header.length);
                if !kept {
                    count(running, header.length);
                }
                Ok(!kept)
            }
            _ => Err(out_of_turn("data")),
        }
    }
}
