//! What was said on the channels, and when, for the record.
//!
//! What is said within a moment becomes one event. So much is kept of what was typed and of what came
//! out; of what is beyond, the sizes are.

use std::collections::VecDeque;

use ostiary_record::{Channel, Streamed, event::Kind};

use super::is_output;
use crate::Now;

/// Bytes kept of what a client types into one exec or attach, and of what comes out of it. Both are well
/// below what the gateway holds of events that are not durable yet.
const MAX_TYPED: usize = 256 << 10;
const MAX_OUTPUT: usize = 1 << 20;
/// Bytes of one event.
const MAX_EVENT: usize = 16 << 10;
/// New sizes of the terminal that are kept one by one.
const MAX_RESIZES: u32 = 10_000;
/// What is said within this time is one event, microseconds; the second is for what is not kept.
const MOMENT_US: u64 = 100_000;
const LONG_US: u64 = 60_000_000;

#[derive(Debug)]
pub(super) struct Tape {
    operation: u64,
    keeps: bool,
    typed: usize,
    output: usize,
    resizes: u32,
    parts: VecDeque<(Now, Streamed)>,
}

impl Tape {
    /// For the streams of an operation; one that `keeps` nothing counts.
    pub(super) fn new(operation: u64, keeps: bool) -> Self {
        Self {
            operation,
            keeps,
            typed: 0,
            output: 0,
            resizes: 0,
            parts: VecDeque::new(),
        }
    }

    /// Something was said.
    pub(super) fn say(&mut self, channel: Channel, bytes: &[u8], now: Now) {
        let (kept, most) = match is_output(channel) {
            true => (&mut self.output, MAX_OUTPUT),
            false => (&mut self.typed, MAX_TYPED),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now_kept, later) = rest.split_at_checked(MAX_EVENT).unwrap_or((rest, &[]));
            rest = later;
            let room = match self.keeps {
                true => most.saturating_sub(*kept),
                false => 0,
            };
            let data = now_kept.get(..room).unwrap_or(now_kept);
            *kept = kept.saturating_add(data.len());
            let size = u64::try_from(now_kept.len()).unwrap_or(u64::MAX);
            if let Some((at, last)) = self.parts.back_mut()
                && last.channel() == channel
                && now.since(*at) < moment(last)
                && last.data.len().saturating_add(data.len()) <= MAX_EVENT
                && (last.data.is_empty() || !data.is_empty())
            {
                last.data.extend_from_slice(data);
                last.size = last.size.saturating_add(size);
                continue;
            }
            let part = Streamed {
                operation: self.operation,
                channel: channel.into(),
                data: data.to_vec(),
                size,
                ..Streamed::default()
            };
            self.parts.push_back((now, part));
        }
    }

    /// The terminal has a new size. The last one of a moment counts.
    pub(super) fn resize(&mut self, columns: u16, lines: u16, now: Now) {
        if let Some((at, last)) = self.parts.back_mut()
            && last.channel() == Channel::Resize
            && now.since(*at) < moment(last)
        {
            (last.columns, last.lines) = (columns.into(), lines.into());
            return;
        }
        if self.resizes >= MAX_RESIZES {
            return;
        }
        self.resizes = self.resizes.saturating_add(1);
        let part = Streamed {
            operation: self.operation,
            channel: Channel::Resize.into(),
            columns: columns.into(),
            lines: lines.into(),
            ..Streamed::default()
        };
        self.parts.push_back((now, part));
    }

    /// A connection to a port, and how much went this way; nothing of it is kept.
    pub(super) fn port(&mut self, channel: Channel, port: u16, size: u64, now: Now) {
        let part = Streamed {
            operation: self.operation,
            channel: channel.into(),
            size,
            port: port.into(),
            ..Streamed::default()
        };
        self.parts.push_back((now, part));
    }

    /// What is complete by now, or everything.
    pub(super) fn take(&mut self, now: Option<Now>) -> Vec<(Now, Kind)> {
        let mut taken = Vec::new();
        while let Some((at, part)) = self.parts.pop_front() {
            let is_open = self.parts.is_empty()
                && part.data.len() < MAX_EVENT
                && now.is_some_and(|now| now.since(at) < moment(&part));
            if is_open {
                self.parts.push_front((at, part));
                break;
            }
            taken.push((at, Kind::Streamed(part)));
        }
        taken
    }

    /// When the last part is complete.
    pub(super) fn deadline(&self) -> Option<Now> {
        self.parts.back().map(|(at, part)| at.after(moment(part)))
    }
}

fn moment(part: &Streamed) -> u64 {
    match part.channel() {
        Channel::ToPort | Channel::FromPort => 0,
        Channel::Resize => MOMENT_US,
        _ if part.data.is_empty() => LONG_US,
        _ => MOMENT_US,
    }
}
