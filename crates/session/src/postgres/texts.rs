//! Texts as they were read, for all sessions of a VM: what a text does hangs on nothing but the text and
//! how it is read.

use std::collections::BTreeMap;
use std::rc::Rc;

use ostiary_operation::sql::Reading;
use sha2::{Digest as _, Sha256};

use super::judge::Read;

/// Texts kept; all are dropped when there are more, so that sessions which never repeat themselves do
/// not take ever more memory. What is kept of a text is some 2 KiB.
const MAX_TEXTS: usize = 1024;
/// Bytes of all texts together that are kept.
const MAX_BYTES: usize = 256 << 10;
/// Bytes of a text that is worth keeping.
const MAX_TEXT: usize = 4096;
/// How many texts are remembered as seen once. Most texts with literals in them never come again.
const SEEN: usize = 256;

/// Texts that came more than once.
#[derive(Debug)]
pub(super) struct Texts {
    /// By a hash of the text; of two with the same hash the later is kept.
    kept: BTreeMap<u64, Entry>,
    bytes: usize,
    seen: Box<[u64; SEEN]>,
}

#[derive(Debug)]
struct Entry {
    text: Box<str>,
    digest: [u8; 32],
    reading: Reading,
    read: Rc<Read>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            kept: BTreeMap::new(),
            bytes: 0,
            seen: Box::new([0; SEEN]),
        }
    }
}

impl Texts {
    /// What `text` does, if that is known.
    pub(super) fn get(&self, text: &str, reading: Reading) -> Option<Rc<Read>> {
        let entry = self.find(text)?;
        (entry.reading == reading).then(|| Rc::clone(&entry.read))
    }

    /// SHA-256 of `text`.
    pub(super) fn digest(&self, text: &str) -> [u8; 32] {
        match self.find(text) {
            Some(entry) => entry.digest,
            None => Sha256::digest(text).into(),
        }
    }

    fn find(&self, text: &str) -> Option<&Entry> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let entry = self.kept.get(&hash(text))?;
        (*entry.text == *text).then_some(entry)
    }

    /// Keeps what `text` does if it came before.
    pub(super) fn keep(&mut self, text: &str, reading: Reading, read: &Rc<Read>) {
        if text.len() > MAX_TEXT {
            return;
        }
        let hash = hash(text);
        if !self.seen_before(hash) {
            return;
        }
        let bytes = self.bytes.saturating_add(text.len());
        if self.kept.len() >= MAX_TEXTS || bytes > MAX_BYTES {
            self.kept.clear();
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        let entry = Entry {
            text: text.into(),
            digest: Sha256::digest(text).into(),
            reading,
            read: Rc::clone(read),
        };
        if let Some(before) = self.kept.insert(hash, entry) {
            self.bytes = self.bytes.saturating_sub(before.text.len());
        }
    }

    /// Whether a text of this hash came lately; remembers it.
    fn seen_before(&mut self, hash: u64) -> bool {
        let slots = u64::try_from(SEEN).unwrap_or(1);
        let slot = usize::try_from(hash % slots).unwrap_or(0);
        match self.seen.get_mut(slot) {
            Some(seen) => std::mem::replace(seen, hash) == hash,
            None => false,
        }
    }
}

/// FNV-1a. Who finds two texts of the same hash gains nothing: texts are compared.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading {
        standard_conforming_strings: true,
        utf8: true,
        server_utf8: true,
    };

    fn keep(texts: &mut Texts, text: &str) {
        let read = Rc::new(Read::unreadable(text));
        texts.keep(text, READING, &read);
    }

    #[test]
    fn keeps_what_comes_again_and_only_for_its_reading() {
        let mut texts = Texts::default();
        keep(&mut texts, "SELECT 1");
        assert!(texts.get("SELECT 1", READING).is_none());
        keep(&mut texts, "SELECT 1");
        assert!(texts.get("SELECT 1", READING).is_some());
        let other = Reading {
            utf8: false,
            ..READING
        };
        assert!(texts.get("SELECT 1", other).is_none());
        assert!(texts.get("SELECT 2", READING).is_none());
        for text in ["SELECT 1", "SELECT 2"] {
            let digest: [u8; 32] = Sha256::digest(text).into();
            assert_eq!(texts.digest(text), digest);
        }
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut texts = Texts::default();
        for number in 0..2 * MAX_TEXTS {
            let text = format!("{number:>1000}");
            keep(&mut texts, &text);
            keep(&mut texts, &text);
            assert!(texts.get(&text, READING).is_some());
            assert!(texts.kept.len() <= MAX_TEXTS && texts.bytes <= MAX_BYTES);
            let sum: usize = texts.kept.values().map(|entry| entry.text.len()).sum();
            assert_eq!(sum, texts.bytes);
        }
        let long = " ".repeat(MAX_TEXT + 1);
        keep(&mut texts, &long);
        keep(&mut texts, &long);
        assert!(texts.get(&long, READING).is_none());
    }
}
