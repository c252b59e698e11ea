//! What to put in place of a sensitive value.

/// How a labelled value leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// A fixed text that shows neither length nor content.
    Redact,
    /// Keeps the last `keep` characters; never more than half of the value.
    Partial {
        /// Characters kept.
        keep: usize,
    },
    /// A keyed digest: equal values stay equal, nothing else is learnt.
    Hash,
    /// NULL.
    Null,
}

/// The key of [`Strategy::Hash`].
#[derive(Clone)]
pub struct HashKey(Vec<u8>);

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masked {
    /// The replacement was appended to the output.
    Text,
    /// The value is NULL now; nothing was appended.
    Null,
}

impl HashKey {
    /// Wraps key bytes (32 from the control plane).
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Strategy {
    /// Appends what stands for `value` (UTF-8 text, or bytes that are masked whole) to `out`.
    pub fn apply(&self, _value: &[u8], _key: &HashKey, _out: &mut Vec<u8>) -> Masked {
        Masked::Null
    }
}
