//! Rows of COPY's text format: values parted by a delimiter, special bytes behind a backslash.

use std::borrow::Cow;

/// How the rows of one COPY are written.
#[derive(Debug)]
pub(super) struct Text {
    delimiter: u8,
    null: Vec<u8>,
    /// A value can look like NULL: a backslash in a value is never on its own.
    ambiguous: bool,
}

impl Text {
    pub(super) fn new(delimiter: u8, null: &str) -> Self {
        Self {
            delimiter,
            null: null.as_bytes().to_vec(),
            ambiguous: null != "\\N",
        }
    }

    /// Whether `byte` ends a row; remembers an open backslash.
    pub(super) fn ends(escaped: &mut bool, byte: u8) -> bool {
        let special = !*escaped;
        *escaped = special && byte == b'\\';
        special && byte == b'\n'
    }

    /// The length of the first value in `row`, as it is written.
    pub(super) fn length(&self, row: &[u8]) -> usize {
        let mut escaped = false;
        let end = row.iter().position(|byte| {
            let special = !escaped;
            escaped = special && *byte == b'\\';
            special && *byte == self.delimiter
        });
        end.unwrap_or(row.len())
    }

    /// What is written as `raw`; `None` is NULL. What may be NULL or a value is a value.
    pub(super) fn read<'r>(&self, raw: &'r [u8]) -> Option<Cow<'r, [u8]>> {
        if !self.ambiguous && raw == self.null {
            return None;
        }
        if !raw.contains(&b'\\') {
            return Some(Cow::Borrowed(raw));
        }
        let mut value = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(&byte) = bytes.next() {
            if byte != b'\\' {
                value.push(byte);
                continue;
            }
            match bytes.next().copied() {
                None => value.push(b'\\'),
                Some(letter @ b'0'..=b'7') => value.push(code(letter, &mut bytes, 8, 2)),
                Some(b'x') => {
                    let rest = bytes.as_slice();
                    if rest.first().is_some_and(u8::is_ascii_hexdigit) {
                        value.push(code(b'0', &mut bytes, 16, 2));
                    } else {
                        value.push(b'x');
                    }
                }
                Some(b'b') => value.push(0x08),
                Some(b'f') => value.push(0x0c),
                Some(b'n') => value.push(b'\n'),
                Some(b'r') => value.push(b'\r'),
                Some(b't') => value.push(b'\t'),
                Some(b'v') => value.push(0x0b),
                Some(other) => value.push(other),
            }
        }
        Some(Cow::Owned(value))
    }

    /// Writes a value as the server does; `None` is NULL.
    pub(super) fn write(&self, value: Option<&[u8]>, out: &mut Vec<u8>) {
        let Some(value) = value else {
            return out.extend_from_slice(&self.null);
        };
        for byte in value {
            match byte {
                0x08 => out.extend_from_slice(b"\\b"),
                0x0c => out.extend_from_slice(b"\\f"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0x0b => out.extend_from_slice(b"\\v"),
                byte if *byte == b'\\' || *byte == self.delimiter => {
                    out.extend_from_slice(&[b'\\', *byte]);
                }
                byte => out.push(*byte),
            }
        }
    }
}

/// A byte by its number: `first`, and up to `more` digits that follow.
fn code(first: u8, bytes: &mut std::slice::Iter<'_, u8>, radix: u32, more: usize) -> u8 {
    let mut code = u32::from(first.saturating_sub(b'0'));
    for _ in 0..more {
        let digit = bytes.as_slice().first().copied().map(char::from);
        let Some(digit) = digit.and_then(|digit| digit.to_digit(radix)) else {
            break;
        };
        code = code.saturating_mul(radix).saturating_add(digit);
        bytes.next();
    }
    u8::try_from(code & 0xff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn reads_what_copy_from_reads() {
        let text = Text::new(b'\t', "\\N");
        for (raw, value) in [
            (&b"plain"[..], Some(&b"plain"[..])),
            (b"", Some(b"")),
            (b"\\N", None),
            (b"a\\tb\\\\c\\nd", Some(b"a\tb\\c\nd")),
            (b"\\101\\x42\\7\\xg\\q", Some(b"AB\x07xgq")),
            (b"\\\\N", Some(b"\\N")),
            (b"end\\", Some(b"end\\")),
        ] {
            assert_eq!(text.read(raw).as_deref(), value, "{raw:?}");
        }
        // A value may be written so as well.
        assert_eq!(Text::new(b'\t', "x").read(b"x").as_deref(), Some(&b"x"[..]));
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(value: Vec<u8>, delimiter in any::<u8>()) {
            // The server takes no other one.
            let delimiter = if delimiter.is_ascii_punctuation() && !b"\\.".contains(&delimiter) {
                delimiter
            } else {
                b'\t'
            };
            let text = Text::new(delimiter, "\\N");
            let mut raw = Vec::new();
            text.write(Some(&value), &mut raw);
            prop_assert_eq!(text.length(&raw), raw.len());
            prop_assert_eq!(text.read(&raw).map(Cow::into_owned), Some(value));
            let mut escaped = false;
            prop_assert_eq!(raw.iter().any(|byte| Text::ends(&mut escaped, *byte)), false);
        }
    }
}
