//! JSON strings: what stands between the quotes, and the text it means.

use std::borrow::Cow;

use super::Broken;

const BROKEN: Broken = Broken {
    reason: "a JSON string holds a broken escape",
};

/// The bytes before the first that is a quote, a backslash or a control character, and the rest.
pub(super) fn split_plain(bytes: &[u8]) -> (&[u8], &[u8]) {
    let ends = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
    let mut plain = 0;
    let (strides, _) = bytes.as_chunks::<8>();
    for stride in strides {
        if has_special(u64::from_le_bytes(*stride)) {
            break;
        }
        plain += stride.len();
    }
    let (_, rest) = bytes.split_at_checked(plain).unwrap_or((bytes, &[]));
    let more = rest.iter().position(ends).unwrap_or(rest.len());
    let at = plain.saturating_add(more);
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

/// Whether one of eight bytes is a quote, a backslash or below 0x20. May be wrong where it says yes.
fn has_special(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte below `n`, for `n` up to 0x80, borrows from its highest bit.
    let below = |word: u64, n: u64| word.wrapping_sub(ONES.wrapping_mul(n)) & !word & HIGH;
    let is = |b: u8| below(word ^ ONES.wrapping_mul(u64::from(b)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) != 0
}

/// The text of the bytes between two quotes. A surrogate without its partner becomes U+FFFD.
pub(super) fn decode(raw: &[u8]) -> Result<Cow<'_, [u8]>, Broken> {
    if !raw.contains(&b'\\') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, from) = rest.split_at_checked(at).ok_or(BROKEN)?;
        text.extend_from_slice(before);
        let (kind, after) = match from {
            [_, kind, after @ ..] => (*kind, after),
            _ => return Err(BROKEN),
        };
        rest = after;
        text.push(match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (char, after) = unicode(after)?;
                rest = after;
                text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return Err(BROKEN),
        });
    }
    text.extend_from_slice(rest);
    Ok(Cow::Owned(text))
}

/// The character of the digits behind `\u`, and what follows it.
fn unicode(text: &[u8]) -> Result<(char, &[u8]), Broken> {
    let (high, rest) = unit(text)?;
    if !(0xD800..0xE000).contains(&high) {
        return Ok((char::from_u32(high).unwrap_or('\u{fffd}'), rest));
    }
    if high < 0xDC00
        && let [b'\\', b'u', behind @ ..] = rest
        && let Ok((low, after)) = unit(behind)
        && (0xDC00..0xE000).contains(&low)
    {
        let code = 0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff);
        return Ok((char::from_u32(code).unwrap_or('\u{fffd}'), after));
    }
    Ok(('\u{fffd}', rest))
}

fn unit(text: &[u8]) -> Result<(u32, &[u8]), Broken> {
    let (digits, rest) = text.split_at_checked(4).ok_or(BROKEN)?;
    let mut value = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16).ok_or(BROKEN)?;
        value = value << 4 | digit;
    }
    Ok((value, rest))
}

/// Appends `text` as a JSON string. Bytes that are not UTF-8 stay as they are.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn plain_text_ends_at_the_first_byte_that_is_not(
            plain in prop::collection::vec(prop::sample::select(vec![b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff]), 0..40),
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes = [plain, rest].concat();
            let special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
            let at = bytes.iter().position(special).unwrap_or(bytes.len());
            prop_assert_eq!(split_plain(&bytes), bytes.split_at(at));
        }
    }
}
