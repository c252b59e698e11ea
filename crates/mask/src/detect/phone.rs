//! Phone numbers, found by their first digit.
//!
//! E.164: `+`, an assigned country code, nine to fifteen digits in one run, or eight to fifteen in
//! groups with spaces, brackets and either `-` or `.` between. North America: `(AAA) EEE-NNNN`,
//! `AAA-EEE-NNNN` with `-`, `.` or space, a `1` in front or not; area and exchange start with 2 to 9
//! and do not end in 11.
//! Neighbours: no letter or digit on either side, nor one beyond `-` or `.`; with spaces alone as
//! separators also no number beyond a space. `x12` after it stays.
//! Not taken: ten digits in one run (they could be anything), other countries' national forms,
//! `00` for `+`, seven digits.

use std::ops::Range;

use super::bytes::{before, byte, digits_end, joined_after, joined_before};

/// ITU-T E.164: country code and subscriber number together.
const MAX_DIGITS: usize = 15;
const MIN_DIGITS: usize = 8;
/// A run this long is a number of its own; what follows a space is not part of it.
const MIN_RUN: usize = 9;
/// Between two groups: `) `, ` (`, `-`.
const MAX_SEPARATORS: usize = 2;

/// The number whose first digit is at `first`, behind its `+`.
pub(super) fn find_international(text: &[u8], first: usize) -> Option<Range<usize>> {
    let plus = first.checked_sub(1)?;
    let b = before(text, plus);
    if b.is_ascii_alphanumeric() || b == b'+' {
        return None;
    }
    let mut digits = [0; MAX_DIGITS];
    let mut len = 0;
    let mut end = plus + 1;
    let mut from = end;
    loop {
        let to = digits_end(text, from);
        let group = text.get(from..to)?;
        let Some(slots) = digits.get_mut(len..len + group.len()) else {
            break;
        };
        slots.copy_from_slice(group);
        len += group.len();
        end = to;
        let full = if digits.first() == Some(&b'1') {
            11
        } else {
            MAX_DIGITS
        };
        if group.len() >= MIN_RUN || len >= full {
            break;
        }
        let Some(next) = next_group(text, to) else {
            break;
        };
        from = next;
    }
    let number = text.get(plus..end)?;
    // `+37.7749-122.4194` is a place.
    if number.contains(&b'.') && number.contains(&b'-') {
        return None;
    }
    let grouped = number.len() > len + 1;
    let long_enough = len >= if grouped { MIN_DIGITS } else { MIN_RUN };
    let ended = !is_joined_after(text, end) && !byte(text, end).is_ascii_digit();
    (long_enough && ended && is_assigned(digits.get(..len)?)).then_some(plus..end)
}

fn next_group(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let separators = rest
        .iter()
        .take(MAX_SEPARATORS)
        .take_while(|b| matches!(b, b' ' | b'-' | b'.' | b'(' | b')'))
        .count();
    (separators > 0 && byte(text, from + separators).is_ascii_digit()).then_some(from + separators)
}

/// The number whose first digit is at `area`, behind its `(`.
pub(super) fn find_bracketed(text: &[u8], area: usize) -> Option<Range<usize>> {
    let open = area.checked_sub(1)?;
    if digits_end(text, area) != area + 3 || byte(text, area + 3) != b')' {
        return None;
    }
    let gap = usize::from(matches!(byte(text, area + 4), b' ' | b'-' | b'.'));
    let end = subscriber_end(text, area, area + 4 + gap, |b| {
        matches!(b, b'-' | b'.' | b' ')
    })?;
    (!before(text, open).is_ascii_alphanumeric()).then_some(open..end)
}

/// The number whose first digit is at `start`, in a run of one or three digits.
pub(super) fn find_national(text: &[u8], start: usize) -> Option<Range<usize>> {
    if joined_before(text, start) {
        return None;
    }
    let trunk = digits_end(text, start) == start + 1;
    if !trunk {
        return find_plain(text, start, start);
    }
    let separator = byte(text, start + 1);
    if byte(text, start) != b'1' || !matches!(separator, b'-' | b'.' | b' ' | b'(') {
        return None;
    }
    let from = start + 2;
    match (separator, byte(text, from)) {
        (b'(', _) => find_bracketed_after(text, start, start + 1),
        (_, b'(') => find_bracketed_after(text, start, from),
        _ => find_plain(text, start, from),
    }
}

fn find_bracketed_after(text: &[u8], start: usize, open: usize) -> Option<Range<usize>> {
    let area = open + 1;
    let shaped = digits_end(text, area) == area + 3 && byte(text, area + 3) == b')';
    let gap = usize::from(matches!(byte(text, area + 4), b' ' | b'-' | b'.'));
    let end = subscriber_end(text, area, area + 4 + gap, |b| {
        matches!(b, b'-' | b'.' | b' ')
    })?;
    shaped.then_some(start..end)
}

fn find_plain(text: &[u8], start: usize, area: usize) -> Option<Range<usize>> {
    let separator = byte(text, area + 3);
    if digits_end(text, area) != area + 3 || !matches!(separator, b'-' | b'.' | b' ') {
        return None;
    }
    let end = subscriber_end(text, area, area + 4, |b| {
        b == separator || (separator == b' ' && b == b'-')
    })?;
    let spaced = separator == b' ' && byte(text, area + 7) == b' ';
    let listed = (before(text, start) == b' ' && before(text, start - 1).is_ascii_digit())
        || (byte(text, end) == b' ' && byte(text, end + 1).is_ascii_digit());
    (!(spaced && listed)).then_some(start..end)
}

/// Where `EEE-NNNN` from `exchange` on ends, if it and the area code may be a number.
fn subscriber_end(
    text: &[u8],
    area: usize,
    exchange: usize,
    separates: impl Fn(u8) -> bool,
) -> Option<usize> {
    let line = exchange + 4;
    let end = line + 4;
    let shaped = digits_end(text, exchange) == exchange + 3
        && separates(byte(text, exchange + 3))
        && digits_end(text, line) == end;
    let numbered = is_area_or_exchange(text.get(area..area + 3)?)
        && is_area_or_exchange(text.get(exchange..exchange + 3)?);
    (shaped && numbered && !is_joined_after(text, end)).then_some(end)
}

/// As for any number, but an extension may follow.
fn is_joined_after(text: &[u8], end: usize) -> bool {
    let extension = matches!(byte(text, end), b'x' | b'X') && byte(text, end + 1).is_ascii_digit();
    joined_after(text, end) && !extension
}

fn is_area_or_exchange(code: &[u8]) -> bool {
    matches!(code, [b'2'..=b'9', a, b] if (*a, *b) != (b'1', b'1'))
}

/// Whether the country code is assigned and, where that is simple to say, the length right.
fn is_assigned(digits: &[u8]) -> bool {
    match digits {
        [b'1', a, b, c, d, e, f, ..] => {
            digits.len() == 11
                && is_area_or_exchange(&[*a, *b, *c])
                && is_area_or_exchange(&[*d, *e, *f])
        }
        [b'7', ..] => digits.len() == 11,
        [a, b, c, ..] => is_country([*a, *b, *c]),
        _ => false,
    }
}

/// ITU-T E.164 country codes of two and three digits.
fn is_country(code: [u8; 3]) -> bool {
    match code {
        [b'2', b'0' | b'7', _] => true,
        [b'2', b'1', c] => matches!(c, b'1'..=b'3' | b'6' | b'8'),
        [b'2', b'2'..=b'4' | b'6', _] => true,
        [b'2', b'5', c] => c != b'9',
        [b'2', b'9', c] => matches!(c, b'0' | b'1' | b'7'..=b'9'),
        [b'3', b'5' | b'7', _] => true,
        [b'3', b'8', c] => matches!(c, b'0'..=b'3' | b'5'..=b'7' | b'9'),
        [b'3', b, _] => matches!(b, b'0'..=b'4' | b'6' | b'9'),
        [b'4', b'2', c] => matches!(c, b'0' | b'1' | b'3'),
        [b'4', _, _] => true,
        [b'5', _, _] => true,
        [b'6', b'7', c] => c != b'1',
        [b'6', b'8', c] => c != b'4',
        [b'6', b'9', c] => c <= b'2',
        [b'6', _, _] => true,
        [b'8', b'0', c] => matches!(c, b'0' | b'8'),
        [b'8', b'5', c] => matches!(c, b'0' | b'2' | b'3' | b'5' | b'6'),
        [b'8', b'7', c] => matches!(c, b'0' | b'8'),
        [b'8', b'8', c] => matches!(c, b'0'..=b'3' | b'6' | b'8'),
        [b'8', b, _] => matches!(b, b'1' | b'2' | b'4' | b'6'),
        [b'9', b'6', c] => c <= b'8',
        [b'9', b'7', c] => c != b'8',
        [b'9', b'9', c] => matches!(c, b'2'..=b'6' | b'8'),
        [b'9', b, _] => matches!(b, b'0'..=b'5' | b'8'),
        _ => false,
    }
}
