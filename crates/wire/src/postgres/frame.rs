//! Tag and length: how every message after the startup packets is framed, section 53.1.2 "Message
//! Overview" <https://www.postgresql.org/docs/current/protocol-overview.html>.

use crate::Malformed;
use crate::limits::MAX_FRAME_LENGTH;

#[cfg(test)]
mod tests;

/// Bytes of the tag and the length field.
pub const HEADER: usize = 5;

/// What the first five bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which message; see [`super::tag`].
    pub tag: u8,
    /// Bytes of the whole frame, tag and length field included; at least [`HEADER`].
    pub length: usize,
}

/// One whole message, not yet decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Which message; see [`super::tag`].
    pub tag: u8,
    /// What follows the length field.
    pub body: &'a [u8],
    /// The frame as it came, to be forwarded unchanged.
    pub bytes: &'a [u8],
}

/// Reads the header at the front of `bytes`; none if fewer than five bytes have come.
#[inline]
pub fn header(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let Some(&[tag, a, b, c, d]) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    let wrong = Malformed::FrameLength { tag, length };
    if !(4..=MAX_FRAME_LENGTH).contains(&length) {
        return Err(wrong);
    }
    let whole = usize::try_from(length).ok().and_then(|n| n.checked_add(1));
    match whole {
        Some(length) => Ok(Some(Header { tag, length })),
        None => Err(wrong),
    }
}

/// Takes the frame at the front of `bytes`; none if it has not come whole.
///
/// A frame of more than `limit` bytes, tag and length field included, is refused on its header
/// alone, before anybody holds its body.
#[inline]
pub fn take(bytes: &[u8], limit: usize) -> Result<Option<Frame<'_>>, Malformed> {
    let Some(Header { tag, length }) = header(bytes)? else {
        return Ok(None);
    };
    if length > limit {
        return Err(Malformed::TooLong { tag, length, limit });
    }
    let Some(bytes) = bytes.get(..length) else {
        return Ok(None);
    };
    let body = bytes.get(HEADER..).unwrap_or_default();
    Ok(Some(Frame { tag, body, bytes }))
}

/// Fuzz entry: the header and the frame agree with each other and with the bytes.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    match (header(bytes), take(bytes, usize::MAX)) {
        (Err(a), Err(b)) if a == b => Ok(()),
        (Ok(None), Ok(None)) if bytes.len() < HEADER => Ok(()),
        (Ok(Some(header)), Ok(None)) if bytes.len() < header.length => Ok(()),
        (Ok(Some(header)), Ok(Some(frame))) => {
            let whole = frame.bytes.len() == header.length && bytes.starts_with(frame.bytes);
            let body = frame.bytes.get(HEADER..) == Some(frame.body);
            let short = header.length.saturating_sub(1);
            let limited = matches!(take(bytes, short), Err(Malformed::TooLong { .. }));
            let allowed = take(bytes, header.length) == Ok(Some(frame));
            if whole && body && limited && allowed && frame.tag == header.tag {
                Ok(())
            } else {
                Err("a frame differs from its header")
            }
        }
        _ => Err("header and take disagree"),
    }
}
