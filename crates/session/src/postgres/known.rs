//! A bounded memory for what was found out about keys that came more than once.

use std::collections::BTreeMap;

/// Entries kept; all are dropped when there are more, so that sessions which never repeat themselves do
/// not take ever more memory.
const MAX_ENTRIES: usize = 1024;
/// Bytes of all keys together that are kept.
const MAX_BYTES: usize = 256 << 10;
/// Bytes of a key that is worth keeping.
pub(super) const MAX_KEY: usize = 4096;
/// How many keys are remembered as seen once. Most texts with literals in them never come again.
const SEEN: usize = 256;

/// Values of keys that came more than once.
#[derive(Debug)]
pub(super) struct Known<V> {
    /// By a hash of the key; of two with the same hash the later is kept.
    kept: BTreeMap<u64, Entry<V>>,
    bytes: usize,
    seen: Box<[u64; SEEN]>,
}

#[derive(Debug)]
struct Entry<V> {
    key: Box<[u8]>,
    value: V,
}

impl<V> Default for Known<V> {
    fn default() -> Self {
        Self {
            kept: BTreeMap::new(),
            bytes: 0,
            seen: Box::new([0; SEEN]),
        }
    }
}

impl<V> Known<V> {
    /// What is known of `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        if key.len() > MAX_KEY {
            return None;
        }
        let entry = self.kept.get(&hash(key))?;
        (*entry.key == *key).then_some(&entry.value)
    }

    /// Keeps the value of `key` if it came before.
    pub(super) fn keep(&mut self, key: &[u8], value: impl FnOnce() -> V) {
        if key.len() > MAX_KEY {
            return;
        }
        let hash = hash(key);
        if !self.seen_before(hash) {
            return;
        }
        let bytes = self.bytes.saturating_add(key.len());
        if self.kept.len() >= MAX_ENTRIES || bytes > MAX_BYTES {
            self.kept.clear();
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(key.len());
        let entry = Entry {
            key: key.into(),
            value: value(),
        };
        if let Some(before) = self.kept.insert(hash, entry) {
            self.bytes = self.bytes.saturating_sub(before.key.len());
        }
    }

    /// Whether a key of this hash came lately; remembers it.
    fn seen_before(&mut self, hash: u64) -> bool {
        let slots = u64::try_from(SEEN).unwrap_or(1);
        let slot = usize::try_from(hash % slots).unwrap_or(0);
        match self.seen.get_mut(slot) {
            Some(seen) => std::mem::replace(seen, hash) == hash,
            None => false,
        }
    }
}

/// FNV-1a. Who finds two keys of the same hash gains nothing: keys are compared.
fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_comes_again() {
        let mut known = Known::default();
        known.keep(b"a", || 1);
        assert_eq!(known.get(b"a"), None);
        known.keep(b"a", || 2);
        assert_eq!(known.get(b"a"), Some(&2));
        assert_eq!(known.get(b"b"), None);
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut known = Known::default();
        for number in 0..2 * MAX_ENTRIES {
            let key = format!("{number:>1000}").into_bytes();
            known.keep(&key, || number);
            known.keep(&key, || number);
            assert_eq!(known.get(&key), Some(&number));
            assert!(known.kept.len() <= MAX_ENTRIES && known.bytes <= MAX_BYTES);
            let sum: usize = known.kept.values().map(|entry| entry.key.len()).sum();
            assert_eq!(sum, known.bytes);
        }
        let long = vec![b' '; MAX_KEY + 1];
        known.keep(&long, || 0);
        known.keep(&long, || 0);
        assert_eq!(known.get(&long), None);
    }
}
