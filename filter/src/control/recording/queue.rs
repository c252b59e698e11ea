//! Events on their way to durable storage: bounded, in order, kept until acknowledged.

use std::collections::{BTreeMap, VecDeque};

use ostiary_proto::AppendRequest;
use ostiary_record::Event;
use prost::Message;

/// Bytes of all events held. Bounds what a control plane that is away costs in memory.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// Events held, for the same reason: small events cost more than their bytes.
pub(crate) const MAX_EVENTS: usize = 20_000;
/// Queued bytes that are worth a message of their own before the next tick.
pub(crate) const EAGER_BYTES: usize = 32 << 10;
/// Bytes of one message, well below the 4 MiB a gRPC server accepts; one larger event goes alone.
const BATCH_BYTES: usize = 256 << 10;

/// Events of all sessions of one listener.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<Item>,
    waiting_bytes: usize,
    sent: VecDeque<Batch>,
    next_batch: u64,
    // INVARIANT: the sums over `waiting` and `sent`.
    bytes: usize,
    events: usize,
}

#[derive(Debug)]
struct Item {
    /// The context id of the connection, which outlives its context here.
    connection: u32,
    event: Event,
    size: usize,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    items: Vec<Item>,
}

/// The bound is reached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            sent: VecDeque::new(),
            next_batch: 1,
            bytes: 0,
            events: 0,
        }
    }

    /// Events held: waiting and not yet acknowledged.
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Messages sent and not yet acknowledged.
    pub(crate) fn in_flight(&self) -> usize {
        self.sent.len()
    }

    /// Whether anything waits to be sent.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether enough waits to send it now.
    pub(crate) fn is_eager(&self) -> bool {
        self.waiting_bytes >= EAGER_BYTES
    }

    /// Whether so much is held that connections should wait before they cause more.
    pub(crate) fn is_congested(&self) -> bool {
        self.events > MAX_EVENTS / 2 || self.bytes > MAX_BYTES / 2
    }

    /// Keeps an event of a connection. [`Full`] means that the connection must end: this event is
    /// still kept, so that its record has no gap, and so is what it says of its end; beyond twice the
    /// bound nothing is.
    pub(crate) fn push(&mut self, connection: u32, event: Event) -> Result<(), Full> {
        let size = event.encoded_len();
        let bytes = self.bytes.saturating_add(size);
        if self.events >= 2 * MAX_EVENTS || bytes > 2 * MAX_BYTES {
            return Err(Full);
        }
        self.bytes = bytes;
        self.waiting_bytes = self.waiting_bytes.saturating_add(size);
        self.events = self.events.saturating_add(1);
        self.waiting.push_back(Item {
            connection,
            event,
            size,
        });
        if self.events > MAX_EVENTS || bytes > MAX_BYTES {
            return Err(Full);
        }
        Ok(())
    }

    /// The next message to send, or `None` if nothing waits.
    pub(crate) fn next_message(&mut self) -> Option<Vec<u8>> {
        let mut items = Vec::new();
        let mut size = 0_usize;
        while let Some(item) = self.waiting.front() {
            let with = size.saturating_add(item.size);
            if with > BATCH_BYTES && !items.is_empty() {
                break;
            }
            size = with;
            items.extend(self.waiting.pop_front());
        }
        if items.is_empty() {
            return None;
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(size);
        let number = self.next_batch;
        self.next_batch = number.saturating_add(1);
        let message = AppendRequest {
            batch: number,
            events: items.iter().map(|item| item.event.clone()).collect(),
        };
        self.sent.push_back(Batch { number, items });
        Some(message.encode_to_vec())
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
            for item in sent.items {
                self.bytes = self.bytes.saturating_sub(item.size);
                self.events = self.events.saturating_sub(1);
                durable
                    .entry(item.connection)
                    .and_modify(|seq: &mut u64| *seq = (*seq).max(item.event.seq))
                    .or_insert(item.event.seq);
            }
        }
        durable
    }

    /// The stream is lost: what was not acknowledged goes again, in order, on the next one, where
    /// batches count from 1.
    pub(crate) fn rewind(&mut self) {
        while let Some(batch) = self.sent.pop_back() {
            for item in batch.items.into_iter().rev() {
                self.waiting_bytes = self.waiting_bytes.saturating_add(item.size);
                self.waiting.push_front(item);
            }
        }
        self.next_batch = 1;
    }
}

#[cfg(test)]
mod tests;
