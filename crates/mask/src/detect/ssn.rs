//! US social security numbers, found by their first digit.
//!
//! `AAA-GG-SSSS` with hyphens, less what is never issued: areas 000, 666 and 900 to 999, group 00,
//! serial 0000.
//! Neighbours: no letter or digit on either side, nor one beyond `-` or `.`.
//! Not taken: nine digits without hyphens or with spaces (they could be anything), taxpayer numbers
//! of the 900 range.

use std::ops::Range;

use super::bytes::{byte, digits_end, joined_after, joined_before, starts};

/// The number whose area, three digits, starts at `start`; a `-` follows it.
pub(super) fn find(text: &[u8], start: usize) -> Option<Range<usize>> {
    let (group, serial, end) = (start + 4, start + 7, start + 11);
    let shaped = digits_end(text, group) == group + 2
        && byte(text, group + 2) == b'-'
        && digits_end(text, serial) == end;
    let issued = !(starts(text, start, b"000")
        || starts(text, start, b"666")
        || starts(text, start, b"9")
        || starts(text, group, b"00")
        || starts(text, serial, b"0000"));
    (shaped && issued && !joined_before(text, start) && !joined_after(text, end))
        .then_some(start..end)
}
