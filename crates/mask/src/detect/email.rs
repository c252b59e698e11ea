//! E-mail addresses, found by their `@`.
//!
//! Local part: ASCII letters, digits and ``.!#$%&'*+^_~-``, and two-byte UTF-8 letters (Latin,
//! Greek, Cyrillic, Arabic, ...), from a letter, digit or `_` on, the last 64 characters of it.
//! Domain: at least two labels, the last one two characters or more and starting with a letter.
//! Neighbours: whatever cannot belong to the address ends it; no word boundary is asked for.
//! Not taken: quoted local parts, address literals, `user@host`, `%40`, and what looks alike:
//! `name@2x.png`, `package@1.2.3-rc.one`, `git@host:path`.

use std::ops::Range;

use super::bytes::{before, byte, run_end, starts};

/// RFC 5321, 4.5.3.1.1. A longer one is cut, not passed over: padding must not hide an address.
const MAX_LOCAL_PART: usize = 64;

pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let end = domain_end(text, at + 1)?;
    let start = local_start(text, at)?;
    let scp_like = text.get(start..at) == Some(b"git") && byte(text, end) == b':';
    (!scp_like).then_some(start..end)
}

fn local_start(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    for _ in 0..MAX_LOCAL_PART {
        let b = before(text, start);
        if is_local(b) {
            start -= 1;
        } else if is_letter_end(b) && is_letter_lead(before(text, start - 1)) {
            start -= 2;
        } else {
            break;
        }
    }
    let local = text.get(start..at)?;
    let first = local
        .iter()
        .position(|&b| b.is_ascii_alphanumeric() || b == b'_' || is_letter_lead(b))?;
    Some(start + first)
}

fn domain_end(text: &[u8], from: usize) -> Option<usize> {
    let mut best = None;
    let mut label = from;
    for n in 0.. {
        let end = label_end(text, label);
        let first = byte(text, label);
        if end == label || first == b'-' {
            break;
        }
        let name = text.get(label..end)?;
        let hyphens = name.iter().rev().take_while(|&&b| b == b'-').count();
        if n == 0 && is_scale(text, label, end) {
            return None;
        }
        if n == 1 && first.is_ascii_digit() && is_number(text.get(from..label - 1)?) {
            return None;
        }
        if n > 0 && name.len() - hyphens > 1 && !first.is_ascii_digit() {
            best = Some(end - hyphens);
        }
        if hyphens > 0 || byte(text, end) != b'.' {
            break;
        }
        label = end + 1;
    }
    best
}

fn label_end(text: &[u8], from: usize) -> usize {
    let mut end = from;
    loop {
        end = run_end(text, end, |b| b.is_ascii_alphanumeric() || b == b'-');
        if is_letter_lead(byte(text, end)) && is_letter_end(byte(text, end + 1)) {
            end += 2;
        } else {
            return end;
        }
    }
}

/// `@2x.` in the names of images for dense screens.
fn is_scale(text: &[u8], label: usize, end: usize) -> bool {
    end - label == 2 && byte(text, label).is_ascii_digit() && starts(text, label + 1, b"x.")
}

fn is_number(label: &[u8]) -> bool {
    label.iter().all(u8::is_ascii_digit)
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'.' | b'_'
                | b'-'
                | b'+'
                | b'%'
                | b'\''
                | b'&'
                | b'~'
                | b'!'
                | b'#'
                | b'$'
                | b'*'
                | b'^'
        )
}

/// The first byte of a letter in two bytes; 0xC2 leads punctuation.
fn is_letter_lead(b: u8) -> bool {
    (0xC3..=0xDF).contains(&b)
}

fn is_letter_end(b: u8) -> bool {
    (0x80..=0xBF).contains(&b)
}
