//! The server's bytes: cut into frames, of which rows that need no mask pass without being held.

use ostiary_wire::postgres::{frame, tag};

use super::answers::{Outcome, count, malformed};
use super::core::{Core, Fatal};
use super::expect::Expect;
use super::open::Open;
use super::{Next, reply};

/// Bytes of the server that are not a whole frame yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    carry: Vec<u8>,
    /// Bytes of the current row that still pass.
    pub(super) passing: usize,
}

impl Open {
    pub(super) fn on_server(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        let mut at = self.pass_rest_of_row(core, bytes);
        let limit = core.config.limits.row;
        while at < bytes.len() {
            if !self.incoming.carry.is_empty() {
                at = self.complete_carry(core, bytes, at)?;
                continue;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(header) = frame::header(rest).map_err(|error| malformed(&error))? else {
                self.incoming.carry.extend_from_slice(rest);
                break;
            };
            let end = at.saturating_add(header.length);
            if self.row_passes(core, header) {
                self.count_passing(header);
                core.client.pass(bytes, at, end.min(bytes.len()));
                self.incoming.passing = end.saturating_sub(bytes.len());
                at = end.min(bytes.len());
                continue;
            }
            if header.length > limit {
                return Err(too_long(header, limit));
            }
            let Some(frame) = frame::take(rest, limit).map_err(|error| malformed(&error))? else {
                self.incoming.carry.extend_from_slice(rest);
                break;
            };
            if let Outcome::Pass = self.on_frame(core, &frame, bytes)? {
                core.client.pass(bytes, at, end);
            }
            at = end;
        }
        self.pump_and_flush(core)
    }

    /// Goes on with bytes that came behind the end of the login, in the same call.
    pub(super) fn resume(
        &mut self,
        core: &mut Core,
        behind: &[u8],
        input: &[u8],
    ) -> Result<Next, Fatal> {
        let mut rest = behind;
        let limit = core.config.limits.row;
        while let Some(frame) = frame::take(rest, limit).map_err(|error| malformed(&error))? {
            if let Outcome::Pass = self.on_frame(core, &frame, input)? {
                core.client.write(input).extend_from_slice(frame.bytes);
            }
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
        }
        self.incoming.carry.extend_from_slice(rest);
        self.pump_and_flush(core)
    }

    /// The rest of a row that began in an earlier call and passes.
    fn pass_rest_of_row(&mut self, core: &mut Core, bytes: &[u8]) -> usize {
        let at = self.incoming.passing.min(bytes.len());
        if at > 0 {
            core.client.pass(bytes, 0, at);
            self.incoming.passing = self.incoming.passing.saturating_sub(at);
        }
        at
    }

    /// Completes the header of a frame that began in an earlier call, then the frame; takes no more
    /// of `bytes` than it needs.
    fn complete_carry(&mut self, core: &mut Core, bytes: &[u8], at: usize) -> Result<usize, Fatal> {
        let limit = core.config.limits.row;
        let held = self.incoming.carry.len();
        let header = frame::header(&self.incoming.carry).map_err(|error| malformed(&error))?;
        let needed = match header {
            None => frame::HEADER.saturating_sub(held),
            Some(header) => header.length.saturating_sub(held),
        };
        let end = at.saturating_add(needed).min(bytes.len());
        if let Some(more) = bytes.get(at..end) {
            self.incoming.carry.extend_from_slice(more);
        }
        let carry = std::mem::take(&mut self.incoming.carry);
        let Some(header) = frame::header(&carry).map_err(|error| malformed(&error))? else {
            self.incoming.carry = carry;
            return Ok(end);
        };
        if carry.len() == frame::HEADER && self.row_passes(core, header) {
            self.count_passing(header);
            core.client.write(bytes).extend_from_slice(&carry);
            self.incoming.passing = header.length.saturating_sub(carry.len());
            let to = end.saturating_add(self.incoming.passing).min(bytes.len());
            core.client.pass(bytes, end, to);
            self.incoming.passing = self.incoming.passing.saturating_sub(to.saturating_sub(end));
            return Ok(to);
        }
        if header.length > limit {
            return Err(too_long(header, limit));
        }
        match frame::take(&carry, limit).map_err(|error| malformed(&error))? {
            None => self.incoming.carry = carry,
            Some(frame) => {
                if let Outcome::Pass = self.on_frame(core, &frame, bytes)? {
                    core.client.write(bytes).extend_from_slice(frame.bytes);
                }
            }
        }
        // What passes next starts behind the bytes that went into the carry.
        core.client.pass(bytes, end, end);
        Ok(end)
    }

    /// Whether a frame is a row that passes without being read.
    fn row_passes(&mut self, core: &Core, header: frame::Header) -> bool {
        if self.greeting.is_some() {
            return false;
        }
        if header.tag == tag::backend::COPY_DATA {
            return match self.expects.front() {
                Some(Expect::Query(running) | Expect::Execute { running, .. }) => {
                    self.copy_passes(running, &core.config.limits, header.length)
                }
                _ => false,
            };
        }
        if header.tag != tag::backend::DATA_ROW || self.copying.is_some() {
            return false;
        }
        if self.plan.is_none() {
            self.plan_execute();
        }
        let limits = &core.config.limits;
        match self.expects.front() {
            Some(Expect::Query(running)) => {
                self.plan.as_ref().is_some_and(|plan| plan.passes())
                    && !running.wants_plain_sample(limits, header.length)
            }
            Some(Expect::Execute { running, .. }) => {
                !running.wants_plain_sample(limits, header.length)
                    && match &self.plan {
                        Some(plan) => plan.passes(),
                        None => !running.masked && !self.masks_anything(),
                    }
            }
            _ => false,
        }
    }

    fn count_passing(&mut self, header: frame::Header) {
        if header.tag == tag::backend::COPY_DATA {
            return self.count_copy(header.length.saturating_sub(frame::HEADER));
        }
        if let Some(Expect::Query(running) | Expect::Execute { running, .. }) =
            self.expects.front_mut()
        {
            count(running, header.length);
        }
    }
}

pub(super) fn too_long(header: frame::Header, limit: usize) -> Fatal {
    let rows = [tag::backend::DATA_ROW, tag::backend::COPY_DATA];
    let what = if rows.contains(&header.tag) {
        "a row"
    } else {
        "a message of the server"
    };
    Fatal::new(
        reply::PROTOCOL,
        "limit",
        format!(
            "{what} of {} bytes has to be read whole and is longer than {limit} bytes",
            header.length
        ),
    )
}
