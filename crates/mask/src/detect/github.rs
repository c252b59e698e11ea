//! GitHub tokens, found by their `_`.
//!
//! `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_` and 36 letters or digits or more; `github_pat_` and 40 or
//! more. A `ghs_` token may go on with the parts of a JWT.
//! Neighbours: none asked for.
//! Not taken: tokens of before 2021, which are 40 hex digits like a commit.

use std::ops::Range;

use super::bytes::{byte, ends_before, run_end};

const MIN_BODY: usize = 36;
const MIN_FINE_GRAINED_BODY: usize = 40;

pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let kind = at.checked_sub(1).map(|at| byte(text, at))?;
    let (start, min) = match kind {
        b't' => (ends_before(text, at, b"github_pat")?, MIN_FINE_GRAINED_BODY),
        b'p' | b'o' | b'u' | b's' | b'r' => (ends_before(text, at - 1, b"gh")?, MIN_BODY),
        _ => return None,
    };
    let body = at + 1;
    let mut end = run_end(text, body, |b| {
        b.is_ascii_alphanumeric() || b == b'_' || (kind == b's' && matches!(b, b'.' | b'-'))
    });
    while end > body && byte(text, end - 1) == b'.' {
        end -= 1;
    }
    (end - body >= min).then_some(start..end)
}
