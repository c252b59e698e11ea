//! Events on their way to durable storage: bounded, in order, kept until acknowledged.
//!
//! An event is encoded when it comes, into the message it will be sent in: what is kept are bytes.

use std::collections::{BTreeMap, VecDeque};

use ostiary_record::Event;
use prost::encoding::{message, uint64};

/// Bytes of all events held. Bounds what a control plane that is away costs in memory.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// Events held, for the same reason: small events cost more than their bytes.
pub(crate) const MAX_EVENTS: usize = 20_000;
/// Queued bytes that are worth a message of their own before the next tick.
pub(crate) const EAGER_BYTES: usize = 256 << 10;
/// Messages sent and not yet acknowledged. What comes meanwhile goes together in the next, so that many
/// connections that wait for their records share one write to disk.
const MAX_IN_FLIGHT: usize = 2;
/// Bytes of one message, well below the 4 MiB a gRPC server accepts; one larger event goes alone.
const BATCH_BYTES: usize = 256 << 10;

/// The fields of `ostiary_proto::AppendRequest`.
mod field {
    pub(super) const BATCH: u32 = 1;
    pub(super) const EVENTS: u32 = 2;
}

/// Events of all sessions of one listener.
#[derive(Debug)]
pub(crate) struct Queue {
    /// What was not sent; more events go into the last one.
    waiting: VecDeque<Batch>,
    sent: VecDeque<Batch>,
    next_batch: u64,
    /// Something that waits should have gone, and goes with the next acknowledgement. Other events wait
    /// for company: each message costs the control plane a write to disk.
    owed: bool,
    // INVARIANT: the sums over `waiting`, and over `waiting` and `sent`.
    waiting_bytes: usize,
    bytes: usize,
    events: usize,
}

/// One message.
#[derive(Debug, Default)]
struct Batch {
    number: u64,
    /// The events, encoded; once it is sent its number comes behind them.
    message: Vec<u8>,
    /// Bytes of the events.
    size: usize,
    /// The connection, whose context id outlives its context here, and the number of each event.
    events: Vec<(u32, u64)>,
}

/// The bound is reached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Batch {
    /// Takes an event in; bytes it took.
    fn add(&mut self, connection: u32, event: &Event) -> usize {
        message::encode(field::EVENTS, event, &mut self.message);
        let size = self.message.len().saturating_sub(self.size);
        self.size = self.message.len();
        self.events.push((connection, event.seq));
        size
    }

    /// Takes the last event out again, with its `size` bytes.
    fn split_last(&mut self, size: usize) -> Self {
        self.size = self.size.saturating_sub(size);
        Self {
            number: 0,
            message: self.message.split_off(self.size),
            size,
            events: self.events.pop().into_iter().collect(),
        }
    }
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            next_batch: 1,
            owed: false,
            waiting_bytes: 0,
            bytes: 0,
            events: 0,
        }
    }

    /// Events held: waiting and not yet acknowledged.
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Whether anything waits to be sent.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether enough waits to send it now.
    pub(crate) fn is_eager(&self) -> bool {
        self.waiting_bytes >= EAGER_BYTES
    }

    /// Whether an acknowledgement should be followed by the next message.
    pub(crate) fn is_due(&self) -> bool {
        self.owed || self.is_eager()
    }

    /// Whether so much is held that connections should wait before they cause more.
    pub(crate) fn is_congested(&self) -> bool {
        self.events > MAX_EVENTS / 2 || self.bytes > MAX_BYTES / 2
    }

    /// Keeps an event of a connection. [`Full`] means that the connection must end: this event is
    /// still kept, so that its record has no gap, and so is what it says of its end; beyond twice the
    /// bound nothing is.
    pub(crate) fn push(&mut self, connection: u32, event: &Event) -> Result<(), Full> {
        if self.events >= 2 * MAX_EVENTS {
            return Err(Full);
        }
        let mut batch = self.waiting.pop_back().unwrap_or_default();
        let size = batch.add(connection, event);
        let bytes = self.bytes.saturating_add(size);
        let fits = bytes <= 2 * MAX_BYTES;
        if batch.events.len() > 1 && (!fits || batch.size > BATCH_BYTES) {
            let alone = batch.split_last(size);
            self.waiting.push_back(batch);
            batch = alone;
        }
        if !fits {
            return Err(Full);
        }
        self.waiting.push_back(batch);
        self.bytes = bytes;
        self.waiting_bytes = self.waiting_bytes.saturating_add(size);
        self.events = self.events.saturating_add(1);
        if self.events > MAX_EVENTS || bytes > MAX_BYTES {
            return Err(Full);
        }
        Ok(())
    }

    /// The next message to send now; `None` if nothing waits, or if it has to wait for an acknowledgement.
    pub(crate) fn next_in_turn(&mut self) -> Option<&[u8]> {
        self.owed = self.sent.len() >= MAX_IN_FLIGHT && self.has_waiting();
        if self.owed { None } else { self.next_message() }
    }

    /// The next message, or `None` if nothing waits.
    fn next_message(&mut self) -> Option<&[u8]> {
        let mut batch = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.size);
        batch.number = self.next_batch;
        self.next_batch = batch.number.saturating_add(1);
        uint64::encode(field::BATCH, &batch.number, &mut batch.message);
        self.sent.push_back(batch);
        self.sent.back().map(|batch| batch.message.as_slice())
    }

    /// Every batch up to and with `batch` is durable. Answers the highest sequence number that is
    /// durable for each connection concerned. A batch that was never sent acknowledges nothing.
    pub(crate) fn acknowledge(&mut self, batch: u64) -> BTreeMap<u32, u64> {
        let mut durable = BTreeMap::new();
        if batch >= self.next_batch {
            return durable;
        }
        while self.sent.front().is_some_and(|sent| sent.number <= batch) {
            let Some(sent) = self.sent.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(sent.size);
            self.events = self.events.saturating_sub(sent.events.len());
            for (connection, seq) in sent.events {
                durable
                    .entry(connection)
                    .and_modify(|last: &mut u64| *last = (*last).max(seq))
                    .or_insert(seq);
            }
        }
        durable
    }

    /// The stream is lost: what was not acknowledged goes again, in order, on the next one, where
    /// batches count from 1.
    pub(crate) fn rewind(&mut self) {
        while let Some(mut batch) = self.sent.pop_back() {
            batch.message.truncate(batch.size);
            self.waiting_bytes = self.waiting_bytes.saturating_add(batch.size);
            self.waiting.push_front(batch);
        }
        self.next_batch = 1;
    }
}

#[cfg(test)]
mod tests;
