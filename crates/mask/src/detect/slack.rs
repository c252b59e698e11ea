//! Slack tokens by the second `x` of `xox`, app tokens by a digit, webhooks by the `T` of a team.
//!
//! `xoxa-`, `xoxb-`, `xoxc-`, `xoxd-`, `xoxe-`, `xoxo-`, `xoxp-`, `xoxr-`, `xoxs-` and `xapp-`, with
//! 10 characters or more after it, one of them a digit; `https://hooks.slack.com/services/...`, of
//! which the three parts of the path are the secret and are taken alone.
//! Neighbours: none asked for.

use std::ops::Range;

use super::Look;
use super::bytes::{byte, ends_before, run_end};

const MIN_BODY: usize = 10;

/// The token whose second `x` is at `at`.
pub(super) fn find(text: &[u8], at: usize) -> Look {
    let kind = byte(text, at + 1);
    if !matches!(kind, b'a'..=b'e' | b'o' | b'p' | b'r' | b's') || byte(text, at + 2) != b'-' {
        return Look::Nothing;
    }
    match ends_before(text, at, b"xo") {
        Some(start) => token(text, start, at + 3),
        None => Look::Nothing,
    }
}

/// The app token whose first digit is at `body`, behind its `xapp-`.
pub(super) fn find_app(text: &[u8], body: usize) -> Look {
    match ends_before(text, body, b"xapp-") {
        Some(start) => token(text, start, body),
        None => Look::Nothing,
    }
}

fn token(text: &[u8], start: usize, body: usize) -> Look {
    let end = run_end(text, body, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'%' | b'/' | b'+' | b'=')
    });
    let body = text.get(body..end).unwrap_or_default();
    if !body.iter().any(u8::is_ascii_digit) {
        return Look::NothingBefore(end);
    }
    (body.len() >= MIN_BODY).then_some(start..end).into()
}

/// The path of the webhook whose team starts at `team`.
pub(super) fn find_hook(text: &[u8], team: usize) -> Option<Range<usize>> {
    ends_before(text, team, b"hooks.slack.com/services/")?;
    let end = run_end(text, team, |b| b.is_ascii_alphanumeric() || b == b'/');
    (end - team >= MIN_BODY).then_some(team..end)
}
