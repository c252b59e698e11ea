//! IPv6 addresses, found by their first `:`.
//!
//! Eight groups, or fewer with one `::`, the last two perhaps as an IPv4 address. With `::` there
//! must be a decimal digit, and a group of three or four, or four groups, or `::1` exactly, so that
//! `std::add`, `1::2` and a cast `5::int` stay.
//! Neighbours: no letter, digit or `:` on either side; a name with one `:` may stand in front
//! (`addr:2001:db8::1`). Zone, prefix length and port after it stay.
//! Not taken: eight groups of two digits each, which is a hardware address.

use std::ops::Range;

use super::bytes::{before, byte, run_end};
use super::{Look, ipv4};

/// The address whose first `:`, or the second of `::`, is at `colon`.
pub(super) fn find(text: &[u8], colon: usize) -> Look {
    let colon = match before(text, colon) {
        b':' => colon - 1,
        _ => colon,
    };
    let next = byte(text, colon + 1);
    if next != b':' && !next.is_ascii_hexdigit() {
        return Look::Nothing;
    }
    let start = first_group(text, colon);
    let group = colon - start;
    let starts_here = match before(text, start) {
        b':' => group > 0 && before(text, start - 1) != b':',
        b => !b.is_ascii_alphanumeric() && (group > 0 || next == b':'),
    };
    if !starts_here || group > 4 {
        return Look::Nothing;
    }
    let address = Address::parse(text, start);
    if address.is_whole(text) && address.is_plausible(text) {
        Look::Found(address.range)
    } else {
        Look::NothingBefore(address.range.end)
    }
}

fn first_group(text: &[u8], colon: usize) -> usize {
    let mut start = colon;
    while colon - start < 5 && before(text, start).is_ascii_hexdigit() {
        start -= 1;
    }
    start
}

struct Address {
    range: Range<usize>,
    groups: usize,
    gaps: usize,
    /// A group of three or four digits.
    wide: bool,
    /// Every group has two digits.
    pairs: bool,
}

impl Address {
    /// Reads groups until they end or are too many; `range.end` is behind the last of them.
    fn parse(text: &[u8], start: usize) -> Self {
        let mut address = Self {
            range: start..start,
            groups: 0,
            gaps: 0,
            wide: false,
            pairs: true,
        };
        let mut at = start;
        while address.groups <= 8 && address.gaps <= 1 {
            let end = run_end(text, at, |b| b.is_ascii_hexdigit());
            if byte(text, end) == b'.'
                && let Some(end) = ipv4::parse(text, at)
            {
                address.groups += 2;
                address.wide = true;
                address.pairs = false;
                address.range.end = end;
                break;
            }
            if end > at {
                address.groups += if end - at > 4 { 9 } else { 1 };
                address.wide |= end - at > 2;
                address.pairs &= end - at == 2;
                address.range.end = end;
            }
            match (byte(text, end), byte(text, end + 1)) {
                (b':', b':') => {
                    address.gaps += 1;
                    address.range.end = end + 2;
                    at = end + 2;
                }
                (b':', b) if b.is_ascii_hexdigit() => at = end + 1,
                _ => break,
            }
        }
        address
    }

    fn is_whole(&self, text: &[u8]) -> bool {
        let counted = match self.gaps {
            0 => self.groups == 8,
            1 => self.groups <= 7,
            _ => false,
        };
        let (next, after) = (byte(text, self.range.end), byte(text, self.range.end + 1));
        counted
            && !next.is_ascii_alphanumeric()
            && !(next == b':' && (after == b':' || after.is_ascii_hexdigit()))
    }

    fn is_plausible(&self, text: &[u8]) -> bool {
        let text = text.get(self.range.clone()).unwrap_or_default();
        if self.gaps == 0 {
            return !self.pairs;
        }
        let digits = text.iter().any(u8::is_ascii_digit);
        digits && (self.wide || self.groups >= 4 || text == b"::1")
    }
}
