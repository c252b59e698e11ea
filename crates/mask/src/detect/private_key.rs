//! PEM private keys, found by the `G` of `-----BEGIN`.
//!
//! Any label that ends in `PRIVATE KEY` or `PRIVATE KEY BLOCK` (PKCS#1, PKCS#8, SEC 1, OpenSSH, PGP),
//! through its `-----END ...-----`; line ends may be escaped as in JSON. A key cut short, without an
//! end, is taken up to the next five dashes or the end of the value, if key material follows.
//! Neighbours: none asked for.
//! Not taken: DER, JWK, PuTTY and age keys, base64 without its `BEGIN` line.

use std::ops::Range;

use super::bytes::{before, ends_before, run_end, starts};

const DASHES: &[u8] = b"-----";
const END: &[u8] = b"-----END ";
/// Longer than any label in use (`RSA ENCRYPTED PRIVATE KEY`).
const MAX_LABEL: usize = 48;
/// Material of a key cut short that is taken for one.
const MIN_MATERIAL: usize = 16;

pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !starts(text, at, b"GIN ") {
        return None;
    }
    let start = ends_before(text, at, b"-----BE")?;
    let label = at + 4;
    let label_end = run_end(text, label, |b| {
        b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' '
    });
    let name = text.get(label..label_end)?;
    let private = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    if !private || name.len() > MAX_LABEL || !starts(text, label_end, DASHES) {
        return None;
    }
    let body = label_end + DASHES.len();
    let body_end = dashes_from(text, body).unwrap_or(text.len());
    if starts(text, body_end, END) {
        return Some(start..end_line(text, body_end));
    }
    is_material(text.get(body..body_end)?).then_some(start..body_end)
}

/// The next five dashes, which no key has in its body.
fn dashes_from(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let next = rest.windows(DASHES.len()).position(|w| w == DASHES)?;
    Some(from + next)
}

/// Behind the `-----END ...-----` line at `start`.
fn end_line(text: &[u8], start: usize) -> usize {
    let label_end = run_end(text, start + END.len(), |b| {
        b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' '
    });
    label_end
        + if starts(text, label_end, DASHES) {
            DASHES.len()
        } else {
            0
        }
}

/// Whether what follows the first line is base64, or the headers of an encrypted key.
fn is_material(body: &[u8]) -> bool {
    let blank = run_end(body, 0, |b| {
        matches!(b, b'\r' | b'\n' | b' ' | b'\\' | b'\t')
    });
    // The letter of an escaped line end belongs to the escape, not to the material.
    let escaped = before(body, blank) == b'\\';
    let line = if escaped { blank + 1 } else { blank };
    let end = run_end(body, line, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')
    });
    end >= line + MIN_MATERIAL || starts(body, line, b"Proc-Type:")
}
