//! Queries and forms: `key=value` pairs. Every value of a key is kept, since servers differ in
//! which of two they take.

use std::collections::{BTreeMap, BTreeSet};

use super::Refused;

const MAX_PAIRS: usize = 512;

/// Keys with all their values, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, BTreeSet<String>>);

impl Parameters {
    /// Reads pairs; `what` names the place for messages.
    pub fn parse(raw: &str, what: &str) -> Result<Self, Refused> {
        let mut pairs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if raw.is_empty() {
            return Ok(Self(pairs));
        }
        for (count, pair) in raw.split('&').enumerate() {
            if count == MAX_PAIRS {
                let reason = format!("the {what} has more than {MAX_PAIRS} pairs");
                return Err(Refused::bad(reason));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key, what)?, decode(value, what)?);
            pairs.entry(key).or_default().insert(value);
        }
        Ok(Self(pairs))
    }

    /// The values of one key of a query, in the order they come in.
    pub(crate) fn in_order(raw: &str, key: &str, what: &str) -> Result<Vec<String>, Refused> {
        let mut values = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decode(name, what)? == key {
                values.push(decode(value, what)?);
            }
        }
        Ok(values)
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The one value of a key; refused if it comes with two, of which servers take either.
    pub fn one(&self, key: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.0.get(key).into_iter().flatten();
        match (values.next(), values.next()) {
            (first, None) => Ok(first.map(String::as_str)),
            _ => {
                let reason = format!("the query holds `{key}` with two values");
                Err(Refused::bad(reason))
            }
        }
    }

    /// Every key.
    pub fn all(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.0
    }
}

fn decode(raw: &str, what: &str) -> Result<String, Refused> {
    let refuse = |why: &str| Refused::bad(format!("the {what} {why}"));
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(hex);
                match (digit(), digit()) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err(refuse("holds a broken escape")),
                }
            }
            b';' => return Err(refuse("holds `;`, at which some servers cut")),
            b'#' => return Err(refuse("holds `#`")),
            b'!'..=b'~' => byte,
            _ => return Err(refuse("holds a byte that must be escaped")),
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 when decoded"))?;
    if text.contains('\0') {
        return Err(refuse("holds an escaped NUL"));
    }
    Ok(text)
}

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
