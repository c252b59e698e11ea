//! Bytes on their way to the server, behind the records they wait for.
//!
//! Promise 3 of the design: a write is forwarded only after its record is durable. Order is kept, so
//! whatever comes after a waiting write waits with it.

use std::collections::VecDeque;

/// A queue of bytes, each part released once an event is durable.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Bytes that wait, with the event number each waits for; numbers never fall.
    waiting: VecDeque<(u64, Vec<u8>)>,
    /// Bytes that may go now.
    ready: Vec<u8>,
    /// Every event up to this one is durable.
    durable: u64,
    /// What the next bytes have to wait for.
    barrier: u64,
}

impl Outbox {
    /// The bytes pushed from now on wait until event `seq` is durable.
    pub(super) fn wait_for(&mut self, seq: u64) {
        self.barrier = self.barrier.max(seq);
    }

    /// Where to append the next bytes.
    pub(super) fn tail(&mut self) -> &mut Vec<u8> {
        if self.barrier <= self.durable && self.waiting.is_empty() {
            return &mut self.ready;
        }
        if self
            .waiting
            .back()
            .is_none_or(|(seq, _)| *seq < self.barrier)
        {
            self.waiting.push_back((self.barrier, Vec::new()));
        }
        match self.waiting.back_mut() {
            Some((_, bytes)) => bytes,
            None => &mut self.ready,
        }
    }

    /// Every event up to `seq` is durable.
    pub(super) fn recorded(&mut self, seq: u64) {
        self.durable = self.durable.max(seq);
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(seq, _)| *seq <= self.durable) {
            self.ready.extend(bytes);
        }
    }

    /// What may go to the server now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Bytes that wait for a record.
    pub(super) fn held(&self) -> usize {
        self.waiting.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether anything waits for a record.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Forgets everything that has not gone.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_behind_a_record() {
        let mut outbox = Outbox::default();
        outbox.tail().extend(b"a");
        outbox.wait_for(2);
        outbox.tail().extend(b"b");
        outbox.wait_for(5);
        outbox.tail().extend(b"c");
        assert_eq!(outbox.take(), b"a");
        outbox.recorded(1);
        assert_eq!(outbox.take(), b"");
        outbox.recorded(4);
        assert_eq!(outbox.take(), b"b");
        assert!(outbox.waits());
        outbox.recorded(9);
        outbox.tail().extend(b"d");
        assert_eq!(outbox.take(), b"cd");
        assert!(!outbox.waits());
    }
}
