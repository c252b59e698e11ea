//! Frames of SPDY/3.1, as Kubernetes uses it for exec, attach and port-forward.
//!
//! In: bytes of one side, cut anywhere. Out: frames; a control frame keeps its bytes, which go on as
//! they came, so that headers need never be compressed again. Read are the frames that clients and
//! kubelets of Kubernetes send: SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY and data. Any other is
//! refused, and so is a header block that is not spelled out to its last byte.
//!
//! <https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/>

mod headers;

#[cfg(test)]
mod tests;

use crate::{
    Inbox, Malformed, Reader,
    limits::{MAX_SPDY_CONTROL, MAX_STREAM_MESSAGE},
};
use headers::Headers;

const VERSION: u16 = 0x8003;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;

const FLAG_FIN: u8 = 1;
/// Bytes before what a frame holds.
const HEAD: usize = 8;
/// A stream id, and the id of the last good stream, have 31 bits.
const RESERVED_BIT: u32 = 1 << 31;
/// The highest status of RST_STREAM (FRAME_TOO_LARGE) and of GOAWAY (INTERNAL_ERROR).
const MAX_RST_STATUS: u32 = 11;
const MAX_GOAWAY_STATUS: u32 = 2;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A frame about a stream or the connection, and its bytes.
    Control(Control, Vec<u8>),
    /// Bytes of a stream.
    Data {
        /// Whose.
        stream: u32,
        /// Whether they are the last of this side.
        fin: bool,
        /// The bytes.
        payload: Vec<u8>,
    },
}

/// What a control frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// A stream begins.
    SynStream {
        /// Its number.
        stream: u32,
        /// Whether this side sends nothing on it.
        fin: bool,
        /// Names, in lower case, and values.
        headers: Vec<(String, String)>,
    },
    /// The other side has taken the stream.
    SynReply {
        /// Its number.
        stream: u32,
        /// Whether this side sends nothing on it.
        fin: bool,
        /// Names, in lower case, and values.
        headers: Vec<(String, String)>,
    },
    /// A stream is over, both ways.
    RstStream {
        /// Its number.
        stream: u32,
    },
    /// Are you there? Answered with its like.
    Ping {
        /// Which it is.
        id: u32,
    },
    /// No more streams.
    GoAway,
}

/// Reads the frames of one side.
#[derive(Debug, Default)]
pub struct Decoder {
    inbox: Inbox,
    headers: Headers,
}

impl Decoder {
    /// A decoder at the first byte after the upgrade.
    pub fn new() -> Self {
        Self::default()
    }

    /// More bytes. To be followed by [`Self::next_frame`] until it gives none.
    pub fn push(&mut self, bytes: &[u8]) {
        self.inbox.push(bytes);
    }

    /// Whether no frame is begun and not ended.
    pub const fn is_idle(&self) -> bool {
        self.inbox.is_empty()
    }

    /// The next frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let mut reader = Reader::new(self.inbox.rest());
        let (Ok(first), Ok(second)) = (reader.u32("frame"), reader.u32("length")) else {
            return Ok(None);
        };
        let [flags, a, b, c] = second.to_be_bytes();
        let length = u32::from_be_bytes([0, a, b, c]);
        let is_control = first & RESERVED_BIT != 0;
        let limit = match is_control {
            true => MAX_SPDY_CONTROL,
            false => MAX_STREAM_MESSAGE,
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limit {
            return Err(Malformed::Length {
                field: "frame.length",
                length: i64::try_from(length).unwrap_or(i64::MAX),
            });
        }
        let Ok(body) = reader.take(length, "frame") else {
            return Ok(None);
        };
        let frame = match is_control {
            true => {
                let control = control(first, flags, body, &mut self.headers)?;
                let whole = self.inbox.rest().get(..length.saturating_add(HEAD));
                Frame::Control(control, whole.unwrap_or_default().to_vec())
            }
            false => Frame::Data {
                stream: first,
                fin: fin(flags, "DATA.flags")?,
                payload: body.to_vec(),
            },
        };
        self.inbox.consume(length.saturating_add(HEAD));
        Ok(Some(frame))
    }
}

fn control(
    first: u32,
    flags: u8,
    body: &[u8],
    headers: &mut Headers,
) -> Result<Control, Malformed> {
    let [a, b, c, d] = first.to_be_bytes();
    let (version, kind) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    if version != VERSION {
        return Err(unknown("frame.version", u32::from(version)));
    }
    let mut reader = Reader::new(body);
    let control = match kind {
        SYN_STREAM => {
            let stream = id(&mut reader, "SYN_STREAM.stream")?;
            let associated = reader.u32("SYN_STREAM.associated")?;
            let _priority = reader.u8("SYN_STREAM.priority")?;
            let slot = reader.u8("SYN_STREAM.slot")?;
            if associated != 0 || slot != 0 {
                return Err(unknown("SYN_STREAM.associated", associated));
            }
            Control::SynStream {
                stream,
                fin: fin(flags, "SYN_STREAM.flags")?,
                headers: headers.read(reader.rest())?,
            }
        }
        SYN_REPLY => Control::SynReply {
            stream: id(&mut reader, "SYN_REPLY.stream")?,
            fin: fin(flags, "SYN_REPLY.flags")?,
            headers: headers.read(reader.rest())?,
        },
        RST_STREAM => {
            let stream = id(&mut reader, "RST_STREAM.stream")?;
            let status = reader.u32("RST_STREAM.status")?;
            if status == 0 || status > MAX_RST_STATUS {
                return Err(unknown("RST_STREAM.status", status));
            }
            none(flags, "RST_STREAM.flags")?;
            Control::RstStream { stream }
        }
        PING => {
            none(flags, "PING.flags")?;
            Control::Ping {
                id: reader.u32("PING.id")?,
            }
        }
        GOAWAY => {
            none(flags, "GOAWAY.flags")?;
            let last = reader.u32("GOAWAY.last")?;
            let status = reader.u32("GOAWAY.status")?;
            if last & RESERVED_BIT != 0 || status > MAX_GOAWAY_STATUS {
                return Err(unknown("GOAWAY.status", status));
            }
            Control::GoAway
        }
        other => return Err(unknown("frame.type", u32::from(other))),
    };
    if !matches!(kind, SYN_STREAM | SYN_REPLY) {
        reader.finish("frame")?;
    }
    Ok(control)
}

/// Appends a data frame.
pub fn write_data(
    stream: u32,
    fin: bool,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let too_large = Malformed::TooLarge { message: "DATA" };
    let length = u32::try_from(payload.len()).map_err(|_| too_large)?;
    let [0, a, b, c] = length.to_be_bytes() else {
        return Err(too_large);
    };
    if stream == 0 || stream & RESERVED_BIT != 0 {
        return Err(unknown("DATA.stream", stream));
    }
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(&[u8::from(fin), a, b, c]);
    out.extend_from_slice(payload);
    Ok(())
}

fn id(reader: &mut Reader<'_>, field: &'static str) -> Result<u32, Malformed> {
    match reader.u32(field)? {
        id if id == 0 || id & RESERVED_BIT != 0 => Err(unknown(field, id)),
        id => Ok(id),
    }
}

fn fin(flags: u8, field: &'static str) -> Result<bool, Malformed> {
    match flags {
        0 => Ok(false),
        FLAG_FIN => Ok(true),
        other => Err(unknown(field, u32::from(other))),
    }
}

fn none(flags: u8, field: &'static str) -> Result<(), Malformed> {
    match flags {
        0 => Ok(()),
        other => Err(unknown(field, u32::from(other))),
    }
}

fn unknown(field: &'static str, value: u32) -> Malformed {
    Malformed::UnknownValue {
        field,
        value: i64::from(value),
    }
}
