//! Google keys: API keys by the `z` of `AIza`, client secrets by the `X` of `GOCSPX`.
//!
//! `AIza` and 35 characters of URL-safe base64; `GOCSPX-` and 28.
//! Neighbours: no letter, digit, `_` or `-` on either side.
//! Not taken: access tokens (`ya29.`), which live for an hour. The private key of a service account
//! is found by `private_key`.

use std::ops::Range;

use super::bytes::{before, byte, ends_before, is_base64url, run_end};

const API_KEY_LENGTH: usize = 39;
const CLIENT_SECRET_LENGTH: usize = 35;

/// The API key whose `z` is at `at`.
pub(super) fn find_api_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    if byte(text, at + 1) != b'a' {
        return None;
    }
    let start = ends_before(text, at, b"AI")?;
    key(text, start, API_KEY_LENGTH)
}

/// The client secret whose `X` is at `at`.
pub(super) fn find_client_secret(text: &[u8], at: usize) -> Option<Range<usize>> {
    if byte(text, at + 1) != b'-' {
        return None;
    }
    let start = ends_before(text, at, b"GOCSP")?;
    key(text, start, CLIENT_SECRET_LENGTH)
}

fn key(text: &[u8], start: usize, length: usize) -> Option<Range<usize>> {
    if is_base64url(before(text, start)) {
        return None;
    }
    let end = run_end(text, start, is_base64url);
    (end - start == length).then_some(start..end)
}
