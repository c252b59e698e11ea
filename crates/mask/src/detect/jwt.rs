//! JSON Web Tokens, found by the `J` of `eyJ`, which is `{"` in base64.
//!
//! Signed: header, `.`, a payload that is a JSON object too, and a signature, which may be missing.
//! Encrypted: header and four more parts.
//! Neighbours: none asked for; three parts that start so are nothing else.
//! Not taken: a header that starts with white space, a signed payload that is not a JSON object.

use super::Look;
use super::bytes::{byte, ends_before, is_base64url, run_end, starts};

const MIN_HEADER: usize = 8;

pub(super) fn find(text: &[u8], at: usize) -> Look {
    let Some(start) = ends_before(text, at, b"ey") else {
        return Look::Nothing;
    };
    let header = run_end(text, at, is_base64url);
    if header - start < MIN_HEADER || byte(text, header) != b'.' {
        return Look::NothingBefore(header);
    }
    let payload = run_end(text, header + 1, is_base64url);
    let end = if is_object(text, header + 1) {
        signature_end(text, payload)
    } else {
        encrypted_end(text, payload)
    };
    // Any other token in this run would have ended as this one does.
    end.map_or(Look::NothingBefore(header), |end| Look::Found(start..end))
}

/// Base64 of `{` and what may follow: `"`, white space or `}`.
fn is_object(text: &[u8], at: usize) -> bool {
    [&b"eyJ"[..], b"eyA", b"ewo", b"ew0", b"ewk", b"e30"]
        .iter()
        .any(|open| starts(text, at, open))
}

fn signature_end(text: &[u8], payload: usize) -> Option<usize> {
    match byte(text, payload) {
        b'.' => Some(run_end(text, payload + 1, is_base64url)),
        _ => Some(payload),
    }
}

/// Initialization vector, ciphertext and tag follow the encrypted key, which may be empty.
fn encrypted_end(text: &[u8], key: usize) -> Option<usize> {
    let mut end = key;
    for _ in 0..3 {
        let from = end + 1;
        let part = run_end(text, from, is_base64url);
        if byte(text, end) != b'.' || part == from {
            return None;
        }
        end = part;
    }
    Some(end)
}
