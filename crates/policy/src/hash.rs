//! One name for the exact text of a bundle.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Files;

/// SHA-256, lower-case hex, over every name and content in the order of names, each after its
/// length in bytes (64-bit, big-endian), so that no two different bundles are the same bytes.
pub fn hash(files: &Files) -> String {
    let mut digest = Sha256::new();
    for text in files.iter().flat_map(|(name, content)| [name, content]) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        digest.update(length.to_be_bytes());
        digest.update(text.as_bytes());
    }
    digest
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
