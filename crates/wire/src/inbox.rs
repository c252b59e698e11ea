//! Bytes of a peer that were not read yet.

/// What is kept of a buffer that was large once.
const KEEP: usize = 16 << 10;

/// Bytes in the order they came.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How many at the front were read.
    at: usize,
}

impl Inbox {
    /// None.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
        }
    }

    /// These came behind the others.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What was not read yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rest().len()
    }

    /// Whether all was read.
    pub const fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next `count` bytes were read. The rest is moved only once it is the smaller part, so that
    /// reading costs no more than the bytes there are.
    pub fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
        if self.at < self.bytes.len() / 2 {
            return;
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        shrink(&mut self.bytes);
    }
}

/// Gives memory back that an unusual message took.
pub fn shrink(buffer: &mut Vec<u8>) {
    if buffer.len() <= KEEP && buffer.capacity() > KEEP {
        buffer.shrink_to(KEEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_bytes_in_order_and_memory_back() {
        let mut inbox = Inbox::default();
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        inbox.push(&bytes);
        let mut read = Vec::new();
        while !inbox.is_empty() {
            let count = inbox.len().min(777);
            read.extend_from_slice(&inbox.rest()[..count]);
            inbox.consume(count);
        }
        assert_eq!(read, bytes);
        assert!(inbox.bytes.capacity() <= KEEP);
    }
}
