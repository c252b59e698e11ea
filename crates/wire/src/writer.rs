//! Length-prefixed writing that fails rather than truncates, and then leaves nothing behind.

use crate::Malformed;
use crate::limits::MAX_FRAME_LENGTH;

/// Appends a frame with a tag: `fill` writes the body, the length is set afterwards.
pub(crate) fn message(
    out: &mut Vec<u8>,
    tag: u8,
    name: &'static str,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let start = out.len();
    out.push(tag);
    let done = untagged(out, name, fill);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Appends a frame without a tag, as the startup packets are.
pub(crate) fn untagged(
    out: &mut Vec<u8>,
    name: &'static str,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let done = fill(out).and_then(|()| {
        let length = u32::try_from(out.len().saturating_sub(start))
            .ok()
            .filter(|length| *length <= MAX_FRAME_LENGTH);
        set(out, start, length.map(u32::to_be_bytes)).ok_or(Malformed::TooLarge { message: name })
    });
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Overwrites the bytes at `at`; none if there is no value or no such place.
#[inline]
pub(crate) fn set<const N: usize>(out: &mut [u8], at: usize, value: Option<[u8; N]>) -> Option<()> {
    *out.get_mut(at..)?.first_chunk_mut::<N>()? = value?;
    Some(())
}

/// Appends a string and its NUL.
pub(crate) fn string(
    out: &mut Vec<u8>,
    string: &[u8],
    field: &'static str,
) -> Result<(), Malformed> {
    if string.contains(&0) {
        return Err(Malformed::InteriorNul { field });
    }
    out.extend_from_slice(string);
    out.push(0);
    Ok(())
}

/// Appends an Int16 count, written without sign as it is read.
pub(crate) fn count(
    out: &mut Vec<u8>,
    count: usize,
    message: &'static str,
) -> Result<(), Malformed> {
    let count = u16::try_from(count).map_err(|_| Malformed::TooLarge { message })?;
    out.extend_from_slice(&count.to_be_bytes());
    Ok(())
}

/// Appends an Int32 length and the bytes, or -1.
pub(crate) fn value(
    out: &mut Vec<u8>,
    value: Option<&[u8]>,
    message: &'static str,
) -> Result<(), Malformed> {
    let length = match value {
        Some(value) => i32::try_from(value.len()).map_err(|_| Malformed::TooLarge { message })?,
        None => -1,
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value.unwrap_or_default());
    Ok(())
}
