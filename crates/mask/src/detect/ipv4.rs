//! IPv4 addresses, found by their first digit.
//!
//! Four decimal octets without leading zeros, the first of them not 0.
//! Neighbours: no letter, digit or further dotted number on either side, and no `name-` in front
//! (`pkg-1.2.3.4` is a version). A prefix length or port after it stays.
//! Taken although it may be something else: a version or a section number of four small parts.

use std::ops::Range;

use super::bytes::{before, byte, digits_end};

/// The address whose first octet starts at `start`.
pub(super) fn find(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = parse(text, start)?;
    let joined = match before(text, start) {
        b'.' => before(text, start - 1).is_ascii_alphanumeric(),
        b'-' => before(text, start - 1).is_ascii_alphabetic(),
        b => b.is_ascii_alphanumeric(),
    };
    (!joined && byte(text, start) != b'0').then_some(start..end)
}

/// Where the address that starts at `start` ends.
pub(super) fn parse(text: &[u8], start: usize) -> Option<usize> {
    let mut end = octet_end(text, start)?;
    for _ in 0..3 {
        if byte(text, end) != b'.' {
            return None;
        }
        end = octet_end(text, end + 1)?;
    }
    let joined = match byte(text, end) {
        b'.' => byte(text, end + 1).is_ascii_digit(),
        b => b.is_ascii_alphanumeric(),
    };
    (!joined).then_some(end)
}

fn octet_end(text: &[u8], start: usize) -> Option<usize> {
    let end = digits_end(text, start);
    let octet = text.get(start..end)?;
    let two = matches!(octet, [b'1'..=b'9', _]);
    let three = matches!(
        octet,
        [b'1', _, _] | [b'2', b'0'..=b'4', _] | [b'2', b'5', b'0'..=b'5']
    );
    (octet.len() == 1 || two || three).then_some(end)
}
