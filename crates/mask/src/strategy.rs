//! What to put in place of a sensitive value.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What stands in place of a redacted value.
const REDACTED: &[u8] = b"[redacted]";
/// What stands in place of the part that [`Strategy::Partial`] hides, however long it was.
const HIDDEN: &[u8] = b"****";
/// Marks a digest, so that it is not taken for a value.
const DIGEST_PREFIX: &[u8] = b"h:";
/// Bytes of the digest that are shown: 128 bits.
const DIGEST_BYTES: usize = 16;
/// Below this a key could be guessed, and with it every value that was hashed.
const MIN_KEY_BYTES: usize = 16;
/// Block size of SHA-256, to which HMAC pads its key.
const BLOCK_BYTES: usize = 64;

/// How a labelled value leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `[redacted]`: shows neither length nor content.
    Redact,
    /// `****` and the last `keep` characters; never more than half of the value. The hidden part
    /// is four asterisks wide whatever its length. A value that is not UTF-8 is redacted.
    Partial {
        /// Characters kept.
        keep: usize,
    },
    /// `h:` and 32 hex digits of a keyed digest (HMAC-SHA-256): equal values stay equal, nothing
    /// else is learnt.
    Hash,
    /// NULL.
    Null,
    /// The value is Base64: what is in it is masked so, and encoded again, so that who decodes it still
    /// can.
    Base64(Box<Self>),
    /// This text, whatever the value.
    Fixed(&'static str),
}

/// The key of [`Strategy::Hash`]. It is never shown.
#[derive(Clone)]
pub struct HashKey(Option<Hmac<Sha256>>);

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masked {
    /// The replacement was appended to the output.
    Text,
    /// The value is NULL now; nothing was appended.
    Null,
}

impl HashKey {
    /// Wraps key bytes (32 from the control plane). With fewer than 16 bytes, as before a key has
    /// come, what would be hashed is redacted.
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.len() < MIN_KEY_BYTES {
            return Self(None);
        }
        let key = if bytes.len() > BLOCK_BYTES {
            Sha256::digest(&bytes).to_vec()
        } else {
            bytes
        };
        let mut block = [0; BLOCK_BYTES];
        for (slot, byte) in block.iter_mut().zip(key) {
            *slot = byte;
        }
        Self(Some(Hmac::new(&block.into())))
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HashKey").finish_non_exhaustive()
    }
}

impl Strategy {
    /// Appends what stands for `value` (UTF-8 text, or bytes that are masked whole) to `out`.
    pub fn apply(&self, value: &[u8], key: &HashKey, out: &mut Vec<u8>) -> Masked {
        match self {
            Self::Redact => out.extend_from_slice(REDACTED),
            Self::Partial { keep } => partial(value, *keep, out),
            Self::Hash => hash(value, key, out),
            Self::Null => return Masked::Null,
            Self::Base64(inner) => {
                // What is no Base64 is masked as it stands.
                let decoded = STANDARD.decode(value).unwrap_or_else(|_| value.to_vec());
                let mut masked = Vec::new();
                match inner.apply(&decoded, key, &mut masked) {
                    Masked::Text => out.extend_from_slice(STANDARD.encode(masked).as_bytes()),
                    Masked::Null => return Masked::Null,
                }
            }
            Self::Fixed(text) => out.extend_from_slice(text.as_bytes()),
        }
        Masked::Text
    }
}

fn partial(value: &[u8], keep: usize, out: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(value) else {
        out.extend_from_slice(REDACTED);
        return;
    };
    out.extend_from_slice(HIDDEN);
    let kept = keep.min(text.chars().count() / 2);
    let Some(last) = kept.checked_sub(1) else {
        return;
    };
    let tail = text
        .char_indices()
        .rev()
        .nth(last)
        .and_then(|(from, _)| text.get(from..));
    out.extend_from_slice(tail.unwrap_or_default().as_bytes());
}

fn hash(value: &[u8], key: &HashKey, out: &mut Vec<u8>) {
    let Some(keyed) = &key.0 else {
        out.extend_from_slice(REDACTED);
        return;
    };
    let digest = keyed.clone().chain_update(value).finalize().into_bytes();
    out.extend_from_slice(DIGEST_PREFIX);
    for byte in digest.iter().take(DIGEST_BYTES) {
        out.extend([byte >> 4, byte & 0x0f].map(hex_digit));
    }
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[track_caller]
    fn check(strategy: Strategy, value: &[u8], expected: &str) {
        let mut out = b"kept ".to_vec();
        let masked = strategy.apply(value, &HashKey::new(KEY.to_vec()), &mut out);
        assert_eq!(masked, Masked::Text);
        assert_eq!(String::from_utf8(out).unwrap(), format!("kept {expected}"));
    }

    #[test]
    fn redacts_to_one_text_whatever_the_value() {
        for value in [&b""[..], b"x", b"a long value", b"\xff\xfe"] {
            check(Strategy::Redact, value, "[redacted]");
        }
    }

    #[test]
    fn what_is_in_base64_is_masked_and_stays_base64() {
        let inside = |strategy| Strategy::Base64(Box::new(strategy));
        let partial = Strategy::Partial { keep: 2 };
        check(inside(Strategy::Redact), b"cEBzcw==", "W3JlZGFjdGVkXQ==");
        check(inside(partial.clone()), b"cEBzcw==", "KioqKnNz");
        check(inside(partial), b"no base64!", "KioqKjQh");
        check(Strategy::Fixed("{}"), b"{\"a\":1}", "{}");
        let mut out = Vec::new();
        let masked = inside(Strategy::Null).apply(b"cA==", &HashKey::new(Vec::new()), &mut out);
        assert_eq!((masked, out.len()), (Masked::Null, 0));
    }

    #[test]
    fn keeps_the_last_characters_and_at_most_half() {
        for (keep, value, expected) in [
            (4, "4111111111111111", "****1111"),
            (4, "abcdefgh", "****efgh"),
            (4, "abcdefg", "****efg"),
            (4, "ab", "****b"),
            (4, "a", "****"),
            (4, "", "****"),
            (0, "abcdef", "****"),
            (usize::MAX, "abcdef", "****def"),
            (2, "Jörg Müllër", "****ër"),
            (3, "日本語テキスト", "****キスト"),
            (1, "🦀🦀", "****🦀"),
        ] {
            check(Strategy::Partial { keep }, value.as_bytes(), expected);
        }
    }

    #[test]
    fn redacts_whole_what_is_not_utf8() {
        check(Strategy::Partial { keep: 4 }, b"abcdefgh\xff", "[redacted]");
    }

    #[test]
    fn hashes_with_the_key() {
        // printf %s alice@example.com | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        check(Strategy::Hash, b"alice@example.com", HASHED_ALICE);
        let mut long = Vec::new();
        let key = HashKey::new([7; 100].to_vec());
        Strategy::Hash.apply(b"alice@example.com", &key, &mut long);
        assert_eq!(String::from_utf8(long).unwrap(), HASHED_ALICE_LONG_KEY);
    }

    const HASHED_ALICE: &str = "h:841240d2a5b6654b3ae21fc4499db7b7";
    const HASHED_ALICE_LONG_KEY: &str = "h:559ff4f5facbce7271a8d04d03a79302";

    #[test]
    fn redacts_instead_of_hashing_without_a_key() {
        let mut out = Vec::new();
        Strategy::Hash.apply(b"alice", &HashKey::new(b"short".to_vec()), &mut out);
        assert_eq!(out, REDACTED);
    }

    #[test]
    fn null_appends_nothing() {
        let mut out = Vec::new();
        let masked = Strategy::Null.apply(b"alice", &HashKey::new(KEY.to_vec()), &mut out);
        assert_eq!((masked, out.len()), (Masked::Null, 0));
    }

    #[test]
    fn never_shows_the_key() {
        assert_eq!(format!("{:?}", HashKey::new(KEY.to_vec())), "HashKey(..)");
    }
}
