//! Reading bytes around a place, total at both ends of the text.

/// The byte at `at`; NUL, which no detector takes, outside of the text.
#[inline]
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before `at`; NUL at the start of the text.
#[inline]
pub(super) fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| byte(text, at))
}

/// Where the run of `wanted` bytes that starts at `from` ends.
#[inline]
pub(super) fn run_end(text: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let run = rest.iter().position(|&b| !wanted(b));
    from + run.unwrap_or(rest.len())
}

/// Where the run of digits that starts at `from` ends.
#[inline]
pub(super) fn digits_end(text: &[u8], from: usize) -> usize {
    run_end(text, from, |b| b.is_ascii_digit())
}

/// Whether `prefix` stands at `at`.
#[inline]
pub(super) fn starts(text: &[u8], at: usize, prefix: &[u8]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(prefix))
}

/// Where `suffix` starts, if it ends right before `at`.
#[inline]
pub(super) fn ends_before(text: &[u8], at: usize, suffix: &[u8]) -> Option<usize> {
    let start = at.checked_sub(suffix.len())?;
    starts(text, start, suffix).then_some(start)
}

/// Whether `word`, given in lower case, stands at `at` in any case.
pub(super) fn starts_in_any_case(text: &[u8], at: usize, word: &[u8]) -> bool {
    at.checked_add(word.len())
        .and_then(|end| text.get(at..end))
        .is_some_and(|found| found.eq_ignore_ascii_case(word))
}

/// Whether a number that starts at `at` is the tail of something longer: `x12`, `4-12`, `4.12`.
#[inline]
pub(super) fn joined_before(text: &[u8], at: usize) -> bool {
    match before(text, at) {
        b'-' | b'.' => before(text, at - 1).is_ascii_alphanumeric(),
        b => b.is_ascii_alphanumeric(),
    }
}

/// Whether a number that ends before `at` goes on as something longer: `12x`, `12-4`, `12.4`.
#[inline]
pub(super) fn joined_after(text: &[u8], at: usize) -> bool {
    match byte(text, at) {
        b'-' | b'.' => byte(text, at + 1).is_ascii_digit(),
        b => b.is_ascii_alphanumeric(),
    }
}

/// A byte of the URL-safe base64 alphabet.
#[inline]
pub(super) fn is_base64url(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}
