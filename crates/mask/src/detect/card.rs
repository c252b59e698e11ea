//! Payment cards, found by their first digit.
//!
//! 14 to 19 digits in one run, or in the groups that are printed on cards with one kind of separator
//! (space, `-` or `.`): 4-4-4-4, 4-4-4-4-3, 4-4-4-3, 4-4-4-2, 4-6-5, 4-6-4. The issuer range must
//! be known at that length and the Luhn digit right.
//! Neighbours: no letter or digit on either side, nor a digit beyond `-` or `.` (a decimal fraction
//! is no card).
//! Not taken: 13-digit Visa numbers (withdrawn; article numbers look like them), other groupings.

use std::ops::Range;

use super::bytes::{byte, digits_end, joined_after, joined_before};

const MAX_DIGITS: usize = 19;

/// The card in the run of digits from `start` on.
pub(super) fn find_run(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = digits_end(text, start);
    let mut number = Number::default();
    number.take(text.get(start..end)?);
    (number.is_card() && !joined_before(text, start) && !joined_after(text, end))
        .then_some(start..end)
}

/// The card in groups, the first of which is the four digits from `start` on.
pub(super) fn find_grouped(text: &[u8], start: usize) -> Option<Range<usize>> {
    let mut end = start + 4;
    let separator = byte(text, end);
    // Dates and years are frequent and end here.
    if !matches!(digits_end(text, end + 1) - end, 5 | 7) {
        return None;
    }
    let mut number = Number::default();
    number.take(text.get(start..end)?);
    let mut sizes = [4, 0, 0, 0, 0];
    let mut best = None;
    for n in 1..sizes.len() {
        let from = end + 1;
        let to = digits_end(text, from);
        if byte(text, end) != separator || !matches!(to - from, 2..=6) {
            break;
        }
        number.take(text.get(from..to)?);
        *sizes.get_mut(n)? = to - from;
        end = to;
        if is_printed(sizes) && number.is_card() && !joined_after(text, end) {
            best = Some(start..end);
        }
    }
    best.filter(|_| !joined_before(text, start))
}

fn is_printed(sizes: [usize; 5]) -> bool {
    matches!(
        sizes,
        [4, 4, 4, 2..=4, 0] | [4, 4, 4, 4, 3] | [4, 6, 4..=5, 0, 0]
    )
}

#[derive(Default)]
struct Number {
    digits: [u8; MAX_DIGITS],
    len: usize,
}

impl Number {
    /// Adds digits; what is too many only counts.
    fn take(&mut self, digits: &[u8]) {
        for digit in digits {
            if let Some(slot) = self.digits.get_mut(self.len) {
                *slot = digit - b'0';
            }
            self.len += 1;
        }
    }

    fn is_card(&self) -> bool {
        let Some(digits) = self.digits.get(..self.len) else {
            return false;
        };
        is_issued(digits) && is_luhn(digits)
    }
}

fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, &digit)| match (n % 2, digit) {
            (0, digit) => u32::from(digit),
            (_, digit @ 5..) => u32::from(digit) * 2 - 9,
            (_, digit) => u32::from(digit) * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Issuer ranges (ISO/IEC 7812) with the lengths each network issues.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits
        .iter()
        .take(6)
        .fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    match (prefix, digits.len()) {
        // Visa
        (400_000..=499_999, 16 | 19) => true,
        // Mastercard
        (510_000..=559_999 | 222_100..=272_099, 16) => true,
        // American Express
        (340_000..=349_999 | 370_000..=379_999, 15) => true,
        // Diners Club
        (
            300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999,
            14..=19,
        ) => true,
        // Discover
        (601_100..=601_199 | 644_000..=659_999, 16..=19) => true,
        // UnionPay
        (620_000..=629_999, 16..=19) => true,
        // JCB
        (352_800..=358_999, 16..=19) => true,
        // Mir
        (220_000..=220_499, 16..=19) => true,
        // RuPay
        (508_000..=508_999 | 606_000..=608_999 | 817_200..=820_199, 16) => true,
        // Maestro
        (
            501_800..=501_899 | 502_000..=502_099 | 503_800..=503_899 | 589_300..=589_399,
            16..=19,
        ) => true,
        (630_400..=630_499 | 675_900..=675_999 | 676_100..=676_399, 16..=19) => true,
        _ => false,
    }
}
