//! Rows of COPY's CSV format: values parted by a delimiter, special ones in quotes.

use std::borrow::Cow;

/// How the rows of one COPY are written.
#[derive(Debug)]
pub(super) struct Csv {
    delimiter: u8,
    null: Vec<u8>,
    quote: u8,
    escape: u8,
}

/// Where in a row a byte stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    quoted: bool,
    escaped: bool,
}

impl Csv {
    pub(super) fn new(delimiter: u8, null: &str, quote: u8, escape: u8) -> Self {
        Self {
            delimiter,
            null: null.as_bytes().to_vec(),
            quote,
            escape,
        }
    }

    /// Whether `byte` stands outside quotes and is no quote itself; goes on to the next place. A
    /// quote that is its own escape ends the quotes and begins them again.
    fn is_bare(&self, place: &mut Place, byte: u8) -> bool {
        let escape = self.escape != self.quote && byte == self.escape;
        if place.quoted && escape && !place.escaped {
            place.escaped = true;
            return false;
        }
        let escaped = std::mem::take(&mut place.escaped);
        if byte == self.quote && !escaped {
            place.quoted = !place.quoted;
            return false;
        }
        !place.quoted
    }

    /// Whether `byte` ends a row.
    pub(super) fn ends(&self, place: &mut Place, byte: u8) -> bool {
        self.is_bare(place, byte) && byte == b'\n'
    }

    /// The length of the first value in `row`, as it is written.
    pub(super) fn length(&self, row: &[u8]) -> usize {
        let mut place = Place::default();
        let end = row
            .iter()
            .position(|byte| self.is_bare(&mut place, *byte) && *byte == self.delimiter);
        end.unwrap_or(row.len())
    }

    /// What is written as `raw`; `None` is NULL, which is never quoted.
    pub(super) fn read<'r>(&self, raw: &'r [u8]) -> Option<Cow<'r, [u8]>> {
        if raw == self.null {
            return None;
        }
        if !raw.contains(&self.quote) {
            return Some(Cow::Borrowed(raw));
        }
        let mut value = Vec::with_capacity(raw.len());
        let mut quoted = false;
        let mut bytes = raw.iter();
        while let Some(&byte) = bytes.next() {
            let next = bytes.as_slice().first().copied();
            let taken = next.filter(|next| *next == self.quote || *next == self.escape);
            if quoted
                && byte == self.escape
                && let Some(next) = taken
            {
                value.push(next);
                bytes.next();
            } else if byte == self.quote {
                quoted = !quoted;
            } else {
                value.push(byte);
            }
        }
        Some(Cow::Owned(value))
    }

    /// Writes a value in the place of what was written as `raw`, quoted if that was or if it has to
    /// be; `None` is NULL.
    pub(super) fn write(&self, value: Option<&[u8]>, raw: &[u8], alone: bool, out: &mut Vec<u8>) {
        let Some(value) = value else {
            return out.extend_from_slice(&self.null);
        };
        let special = [self.delimiter, self.quote, b'\n', b'\r'];
        let quoted = raw.contains(&self.quote)
            || value.iter().any(|byte| special.contains(byte))
            || value == self.null
            || alone && value == b"\\.";
        if !quoted {
            return out.extend_from_slice(value);
        }
        out.push(self.quote);
        for byte in value {
            if *byte == self.quote || *byte == self.escape {
                out.push(self.escape);
            }
            out.push(*byte);
        }
        out.push(self.quote);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn reads_what_copy_from_reads() {
        let csv = Csv::new(b',', "", b'"', b'"');
        for (raw, value) in [
            (&b"plain"[..], Some(&b"plain"[..])),
            (b"", None),
            (b"\"\"", Some(b"")),
            (b"\"a,b\"", Some(b"a,b")),
            (b"\"a\"\"b\"", Some(b"a\"b")),
            (b"\"a\nb\"", Some(b"a\nb")),
            (b"a\"b\"c", Some(b"abc")),
            (b"a\\b", Some(b"a\\b")),
        ] {
            assert_eq!(csv.read(raw).as_deref(), value, "{raw:?}");
        }
        let csv = Csv::new(b';', "nil", b'\'', b'\\');
        for (raw, value) in [
            (&b"nil"[..], None),
            (b"'nil'", Some(&b"nil"[..])),
            (b"'a\\'b\\\\c\\d'", Some(b"a'b\\c\\d")),
        ] {
            assert_eq!(csv.read(raw).as_deref(), value, "{raw:?}");
            assert_eq!(csv.length(raw), raw.len());
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(
            value: Vec<u8>, delimiter in any::<u8>(), quote in any::<u8>(), escape in any::<u8>()
        ) {
            let mark = |byte: u8, other| if byte.is_ascii_punctuation() { byte } else { other };
            let delimiter = mark(delimiter, b',');
            let quote = mark(quote, b'"');
            let escape = mark(escape, quote);
            if quote == delimiter {
                return Ok(());
            }
            let csv = Csv::new(delimiter, "\\N", quote, escape);
            let mut raw = Vec::new();
            csv.write(Some(&value), b"", false, &mut raw);
            prop_assert_eq!(csv.length(&raw), raw.len());
            prop_assert_eq!(csv.read(&raw).map(Cow::into_owned), Some(value));
            let mut place = Place::default();
            prop_assert!(!raw.iter().any(|byte| csv.ends(&mut place, *byte)));
        }
    }
}
