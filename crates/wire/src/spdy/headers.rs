//! Header blocks: one zlib stream for each direction, with a dictionary that both sides know.
//!
//! The inflater knows neither zlib's head nor dictionaries. Both are short: the head is read here, and the
//! dictionary goes in first as a block that is stored, which puts it where later blocks refer to it.

use std::fmt;

use miniz_oxide::{
    DataFormat, MZError, MZFlush, MZStatus,
    inflate::stream::{InflateState, inflate},
};

use crate::{
    Malformed, Reader,
    limits::{MAX_SPDY_CONTROL, MAX_SPDY_HEADERS},
};

const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");
/// Adler-32 of the dictionary.
const DICTIONARY_ID: u32 = 0xe3c6_a7c2;
/// Of zlib's first byte: deflate. Of its second: a dictionary is named.
const DEFLATE: u8 = 8;
const FDICT: u8 = 0x20;

/// Reads the header blocks of one direction, in order.
#[derive(Default)]
pub(super) struct Headers {
    /// `None` before the first block.
    state: Option<Box<InflateState>>,
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

impl Headers {
    /// Names and values of the next block, which must be whole and hold nothing else.
    pub(super) fn read(&mut self, block: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        let plain = self.inflate(block)?;
        let mut reader = Reader::new(&plain);
        let count = reader.u32("headers.count")?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > MAX_SPDY_HEADERS {
            return Err(Malformed::TooMany {
                field: "headers",
                count,
                limit: MAX_SPDY_HEADERS,
            });
        }
        let mut headers: Vec<(String, String)> = Vec::new();
        for _ in 0..count {
            let name = text(&mut reader, "headers.name")?;
            let value = text(&mut reader, "headers.value")?;
            if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(BROKEN);
            }
            if headers.iter().any(|(other, _)| *other == name) {
                return Err(Malformed::Duplicate { field: "headers" });
            }
            headers.push((name, value));
        }
        reader.finish("headers")?;
        Ok(headers)
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut input = block;
        let state = match &mut self.state {
            Some(state) => state,
            none => {
                input = begin(input)?;
                none.insert(primed()?)
            }
        };
        run(state, input, MAX_SPDY_CONTROL)
    }
}

const BROKEN: Malformed = Malformed::HeaderBlock;

fn text(reader: &mut Reader<'_>, field: &'static str) -> Result<String, Malformed> {
    let bytes = reader.value(field)?.ok_or(BROKEN)?;
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::Utf8 { field })?;
    match text.contains('\0') {
        // Several values of one name.
        true => Err(Malformed::InteriorNul { field }),
        false => Ok(text.to_owned()),
    }
}

/// Takes zlib's head off.
fn begin(block: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(block);
    let [method, flags] = reader.take_array("zlib.head")?;
    let is_zlib = u16::from_be_bytes([method, flags]) % 31 == 0 && method & 0x0f == DEFLATE;
    if !is_zlib || method >> 4 > 7 || flags & FDICT == 0 {
        return Err(unknown("zlib.head", u32::from(flags)));
    }
    match reader.u32("zlib.dictionary")? {
        DICTIONARY_ID => Ok(reader.rest()),
        other => Err(unknown("zlib.dictionary", other)),
    }
}

/// An inflater that has read the dictionary.
fn primed() -> Result<Box<InflateState>, Malformed> {
    let length = u16::try_from(DICTIONARY.len()).map_err(|_| BROKEN)?;
    let mut stored = vec![0];
    stored.extend_from_slice(&length.to_le_bytes());
    stored.extend_from_slice(&(!length).to_le_bytes());
    stored.extend_from_slice(DICTIONARY);
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    match run(&mut state, &stored, DICTIONARY.len())? == DICTIONARY {
        true => Ok(state),
        false => Err(BROKEN),
    }
}

/// Inflates `input` to its last byte; what it gives has at most `limit` bytes.
fn run(state: &mut InflateState, input: &[u8], limit: usize) -> Result<Vec<u8>, Malformed> {
    let mut out = vec![0; limit.saturating_add(1)];
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let rest = input.get(read..).unwrap_or_default();
        let room = out.get_mut(written..).unwrap_or_default();
        let step = inflate(state, rest, room, MZFlush::None);
        read = read.saturating_add(step.bytes_consumed);
        written = written.saturating_add(step.bytes_written);
        if written > limit {
            return Err(Malformed::TooMany {
                field: "headers.bytes",
                count: written,
                limit,
            });
        }
        match step.status {
            Ok(MZStatus::Ok) if step.bytes_consumed > 0 || step.bytes_written > 0 => {}
            // Nothing is left to read, nor to give.
            Ok(MZStatus::Ok) | Err(MZError::Buf) if read == input.len() => break,
            // The stream lasts as long as the connection.
            _ => return Err(BROKEN),
        }
    }
    out.truncate(written);
    Ok(out)
}

fn unknown(field: &'static str, value: u32) -> Malformed {
    Malformed::UnknownValue {
        field,
        value: i64::from(value),
    }
}
