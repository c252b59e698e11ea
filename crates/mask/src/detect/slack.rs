//! Slack tokens by their `x`, webhook addresses by the `:` of `https:`.
//!
//! `xoxa-`, `xoxb-`, `xoxe-`, `xoxo-`, `xoxp-`, `xoxr-`, `xoxs-`, `xoxc-`, `xoxd-` and `xapp-`, with
//! 10 characters or more after it, one of them a digit; `https://hooks.slack.com/services/...`, of
//! which the three parts of the path are the secret and are taken alone.
//! Neighbours: none asked for.

use std::ops::Range;

use super::Look;
use super::bytes::{byte, run_end, starts};

const MIN_BODY: usize = 10;
const HOOK: &[u8] = b"://hooks.slack.com/services/";

pub(super) fn find(text: &[u8], start: usize) -> Look {
    let known = match byte(text, start + 1) {
        b'o' => {
            byte(text, start + 2) == b'x'
                && matches!(
                    byte(text, start + 3),
                    b'a'..=b'e' | b'o' | b'p' | b'r' | b's'
                )
        }
        b'a' => starts(text, start + 2, b"pp"),
        _ => false,
    };
    if !known || byte(text, start + 4) != b'-' {
        return Look::Nothing;
    }
    let body = start + 5;
    let end = run_end(text, body, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'%' | b'/' | b'+' | b'=')
    });
    let body = text.get(body..end).unwrap_or_default();
    if !body.iter().any(u8::is_ascii_digit) {
        return Look::NothingBefore(end);
    }
    (body.len() >= MIN_BODY).then_some(start..end).into()
}

/// The path of the webhook whose `:` is at `colon`.
pub(super) fn find_hook(text: &[u8], colon: usize) -> Option<Range<usize>> {
    if !starts(text, colon, HOOK) {
        return None;
    }
    let start = colon + HOOK.len();
    let end = run_end(text, start, |b| b.is_ascii_alphanumeric() || b == b'/');
    (byte(text, start) == b'T' && end - start >= MIN_BODY).then_some(start..end)
}
