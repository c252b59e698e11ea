//! AWS keys: access key ids by their third letter, secrets by what stands in front of them.
//!
//! Id: `AKIA`, `ASIA`, `ABIA` or `ACCA` and 16 capitals or digits. Secret: 40 characters of base64
//! with a capital, a small letter and a digit, either right after an id (as in a credentials file
//! with two columns) or as the value of a name that ends in `secret_access_key`, `SecretAccessKey`
//! or `aws_secret_key` in any case.
//! Neighbours: no letter or digit beside an id; no base64 character beside a secret.
//! Not taken: a secret with nothing to tell it, session tokens.

use std::ops::Range;

use super::bytes::{before, byte, run_end, starts, starts_in_any_case};

const ID_LENGTH: usize = 20;
const SECRET_LENGTH: usize = 40;
/// Between a name or an id and its secret: `": "`, ` = `, `,`, an escaped quote.
const MAX_SEPARATORS: usize = 12;

/// The id whose third letter is at `at`.
pub(super) fn find_id(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(2)?;
    let known = matches!(
        text.get(start..start + 4)?,
        b"AKIA" | b"ASIA" | b"ABIA" | b"ACCA"
    );
    if !known {
        return None;
    }
    let end = start + ID_LENGTH;
    let shaped = text
        .get(start..end)?
        .iter()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let bounded =
        !before(text, start).is_ascii_alphanumeric() && !byte(text, end).is_ascii_alphanumeric();
    (shaped && bounded).then_some(start..end)
}

/// The secret of the name whose `_access_key` or `_key` starts at `at`.
pub(super) fn find_named_secret(text: &[u8], at: usize) -> Option<Range<usize>> {
    let secret = at.checked_sub(6)?;
    if !starts_in_any_case(text, secret, b"secret") {
        return None;
    }
    if starts_in_any_case(text, at, b"_access_key") {
        return secret_after(text, at + 11);
    }
    let aws = secret.checked_sub(4)?;
    (starts_in_any_case(text, at, b"_key") && starts_in_any_case(text, aws, b"aws_"))
        .then(|| secret_after(text, at + 4))?
}

/// The secret of `SecretAccessKey`, whose `K` is at `at`.
pub(super) fn find_camel_secret(text: &[u8], at: usize) -> Option<Range<usize>> {
    let name = at.checked_sub(12)?;
    (starts(text, at, b"Key") && starts_in_any_case(text, name, b"secretaccess"))
        .then(|| secret_after(text, at + 3))?
}

/// The secret that stands behind separators after `from`.
pub(super) fn secret_after(text: &[u8], from: usize) -> Option<Range<usize>> {
    let start = run_end(text, from, |b| {
        b.is_ascii_whitespace()
            || matches!(b, b'"' | b'\'' | b':' | b'=' | b'>' | b',' | b'\\' | b'|')
    });
    let end = run_end(text, start, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')
    });
    let secret = text.get(start..end)?;
    let mixed = secret.iter().any(u8::is_ascii_uppercase)
        && secret.iter().any(u8::is_ascii_lowercase)
        && secret.iter().any(u8::is_ascii_digit);
    let separated = (1..=MAX_SEPARATORS).contains(&(start - from));
    (separated && mixed && secret.len() == SECRET_LENGTH && byte(text, end) != b'=')
        .then_some(start..end)
}
