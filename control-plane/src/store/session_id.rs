//! Ids of sessions.

use std::{fmt, str::FromStr};

/// 32 lower-case hex digits, chosen by the filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

/// A text that is no session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 32 lower-case hex digits")]
pub struct InvalidSessionId;

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 16 || !rest.is_empty() {
            return Err(InvalidSessionId);
        }
        let mut id = [0; 16];
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(id))
    }
}

fn digit(character: u8) -> Result<u8, InvalidSessionId> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidSessionId),
    }
}

impl SessionId {
    /// The first and last id that start with these hex digits.
    pub fn range_of(prefix: &str) -> Result<(Self, Self), InvalidSessionId> {
        let padded = |with: &str| {
            let missing = 32_usize.saturating_sub(prefix.len());
            format!("{prefix}{}", with.repeat(missing)).parse()
        };
        Ok((padded("0")?, padded("f")?))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::random::hex(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
