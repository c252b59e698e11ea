//! COPY's binary format: a header, tuples, a trailer.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html>, section "Binary Format". A tuple is
//! written as the body of a DataRow is.

use super::stream::Bad;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of the extension.
const FIXED: usize = 19;

/// What comes next in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Header(usize),
    Tuple(usize),
    Trailer(usize),
}

impl Part {
    pub(super) fn length(self) -> usize {
        match self {
            Self::Header(length) | Self::Tuple(length) | Self::Trailer(length) => length,
        }
    }
}

/// The part at the front of `bytes`; none if it has not come whole.
pub(super) fn part(bytes: &[u8], begun: bool) -> Result<Option<Part>, Bad> {
    if !begun {
        return header(bytes);
    }
    let Some(count) = int16(bytes, 0) else {
        return Ok(None);
    };
    if count == -1 {
        return Ok(Some(Part::Trailer(2)));
    }
    let count =
        usize::try_from(count).map_err(|_| Bad::Binary("a tuple of less than no values"))?;
    let mut at = 2_usize;
    for _ in 0..count {
        let Some(length) = int32(bytes, at) else {
            return Ok(None);
        };
        at = after(at, length)?;
    }
    Ok((at <= bytes.len()).then_some(Part::Tuple(at)))
}

fn header(bytes: &[u8]) -> Result<Option<Part>, Bad> {
    let same = bytes.iter().zip(SIGNATURE).all(|(a, b)| a == b);
    if !same {
        return Err(Bad::Binary("the signature is another one"));
    }
    let (Some(flags), Some(extension)) = (int32(bytes, SIGNATURE.len()), int32(bytes, 15)) else {
        return Ok(None);
    };
    // Bit 16, OIDs, is not written by any server that is supported; the others mean nothing yet.
    if flags & !0xffff != 0 {
        return Err(Bad::Binary("a critical flag that is not known"));
    }
    let extension =
        usize::try_from(extension).map_err(|_| Bad::Binary("an extension of negative length"))?;
    let length = FIXED.saturating_add(extension);
    Ok((length <= bytes.len()).then_some(Part::Header(length)))
}

/// Where a value begins, and its bytes; `None` is NULL.
pub(super) type Value<'a> = (usize, Option<&'a [u8]>);

/// The values of a tuple.
pub(super) fn values(tuple: &[u8]) -> Result<Vec<Value<'_>>, Bad> {
    let mut values = Vec::new();
    let mut at = 2_usize;
    while at < tuple.len() {
        let length = int32(tuple, at).ok_or(Bad::Cut)?;
        let next = after(at, length)?;
        let from = at.saturating_add(4);
        let value = if length == -1 {
            None
        } else {
            Some(tuple.get(from..next).ok_or(Bad::Cut)?)
        };
        values.push((at, value));
        at = next;
    }
    Ok(values)
}

/// Writes a value; `None` is NULL.
pub(super) fn write(value: Option<&[u8]>, out: &mut Vec<u8>) {
    // A replacement is short.
    match value.and_then(|value| Some((i32::try_from(value.len()).ok()?, value))) {
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Some((length, value)) => {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(value);
        }
    }
}

/// Where the value of this length, whose length field is at `at`, ends.
fn after(at: usize, length: i32) -> Result<usize, Bad> {
    let length = match length {
        -1 => 0,
        length => usize::try_from(length).map_err(|_| Bad::Binary("a value of negative length"))?,
    };
    Ok(at.saturating_add(4).saturating_add(length))
}

fn int16(bytes: &[u8], at: usize) -> Option<i16> {
    let rest = bytes.get(at..)?;
    rest.first_chunk().map(|bytes| i16::from_be_bytes(*bytes))
}

fn int32(bytes: &[u8], at: usize) -> Option<i32> {
    let rest = bytes.get(at..)?;
    rest.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
}
