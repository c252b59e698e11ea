//! Frames of WebSocket (RFC 6455, section 5), without extensions.
//!
//! In: bytes of one side, cut anywhere. Out: whole messages and control frames, in the one form
//! [`write`] gives them again: a message in several frames comes as one. Refused are reserved bits and
//! opcodes, lengths that are not written as short as they can be, masks on the wrong side, control
//! frames that are long or in parts, and whatever follows a close.

#[cfg(test)]
mod tests;

use crate::{Inbox, Malformed, Reader, limits::MAX_STREAM_MESSAGE};

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
/// Bytes of a control frame.
const MAX_CONTROL: u64 = 125;

/// Whose bytes are read: a client masks, a server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The one that asked for the upgrade.
    Client,
    /// The one that agreed to it.
    Server,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole message of text. Whether it is UTF-8 is for its reader.
    Text,
    /// A whole message of bytes.
    Binary,
    /// The end of this side.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// A whole message or a control frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// What the sender masked it with, first frame first.
    pub mask: Option<[u8; 4]>,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// Reads the frames of one side.
#[derive(Debug)]
pub struct Decoder {
    sender: Sender,
    inbox: Inbox,
    /// A message whose last frame has not come.
    message: Option<Frame>,
    closed: bool,
}

impl Decoder {
    /// A decoder at the first byte after the upgrade.
    pub const fn new(sender: Sender) -> Self {
        Self {
            sender,
            inbox: Inbox::new(),
            message: None,
            closed: false,
        }
    }

    /// More bytes. To be followed by [`Self::next_frame`] until it gives none.
    pub fn push(&mut self, bytes: &[u8]) {
        self.inbox.push(bytes);
    }

    /// Whether nothing is begun and not ended.
    pub const fn is_idle(&self) -> bool {
        self.inbox.is_empty() && self.message.is_none()
    }

    /// The next message or control frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        loop {
            if self.closed && !self.inbox.is_empty() {
                return Err(Malformed::Trailing {
                    message: "Close",
                    extra: self.inbox.len(),
                });
            }
            let Some((frame, is_last, length)) = self.read()? else {
                return Ok(None);
            };
            self.inbox.consume(length);
            if let Some(whole) = self.join(frame, is_last)? {
                self.closed = whole.kind == Kind::Close;
                return Ok(Some(whole));
            }
        }
    }

    /// The frame at the front, its kind `None` for a continuation, with the bytes it took.
    #[expect(clippy::type_complexity, reason = "read once, above")]
    fn read(&self) -> Result<Option<((Option<Kind>, Frame), bool, usize)>, Malformed> {
        let mut reader = Reader::new(self.inbox.rest());
        let (Ok(first), Ok(second)) = (reader.u8("opcode"), reader.u8("length")) else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(unknown("frame.rsv", first & RESERVED));
        }
        let is_last = first & FIN != 0;
        let kind = match first & 0x0f {
            CONTINUATION => None,
            TEXT => Some(Kind::Text),
            BINARY => Some(Kind::Binary),
            CLOSE => Some(Kind::Close),
            PING => Some(Kind::Ping),
            PONG => Some(Kind::Pong),
            other => return Err(unknown("frame.opcode", other)),
        };
        if (second & MASKED != 0) != (self.sender == Sender::Client) {
            return Err(unknown("frame.mask", second >> 7));
        }
        let (length, shortest) = match second & 0x7f {
            126 => match reader.u16("length") {
                Ok(length) => (u64::from(length), 126),
                Err(_) => return Ok(None),
            },
            127 => match reader.take_array("length") {
                Ok(length) => (u64::from_be_bytes(length), 1 << 16),
                Err(_) => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let is_control = matches!(kind, Some(Kind::Close | Kind::Ping | Kind::Pong));
        let limit = match is_control {
            true => MAX_CONTROL,
            false => u64::try_from(MAX_STREAM_MESSAGE).unwrap_or(u64::MAX),
        };
        if length < shortest || length > limit || (is_control && !is_last) {
            return Err(Malformed::Length {
                field: "frame.length",
                length: i64::try_from(length).unwrap_or(i64::MAX),
            });
        }
        let mut mask = None;
        if self.sender == Sender::Client {
            match reader.take_array("mask") {
                Ok(key) => mask = Some(key),
                Err(_) => return Ok(None),
            }
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Ok(bytes) = reader.take(length, "payload") else {
            return Ok(None);
        };
        let mut payload = bytes.to_vec();
        apply(mask, &mut payload);
        let taken = self.inbox.len().saturating_sub(reader.remaining());
        let frame = Frame {
            kind: kind.unwrap_or(Kind::Binary),
            mask,
            payload,
        };
        Ok(Some(((kind, frame), is_last, taken)))
    }

    /// Puts a message in several frames together.
    fn join(
        &mut self,
        (kind, frame): (Option<Kind>, Frame),
        is_last: bool,
    ) -> Result<Option<Frame>, Malformed> {
        match (kind, self.message.take()) {
            (Some(Kind::Close | Kind::Ping | Kind::Pong), message) => {
                self.message = message;
                if frame.kind == Kind::Close && frame.payload.len() == 1 {
                    return Err(Malformed::Truncated {
                        field: "Close.code",
                    });
                }
                Ok(Some(frame))
            }
            (Some(_), None) if is_last => Ok(Some(frame)),
            (Some(_), None) => {
                self.message = Some(frame);
                Ok(None)
            }
            (None, Some(mut message)) => {
                let length = message.payload.len().saturating_add(frame.payload.len());
                if length > MAX_STREAM_MESSAGE {
                    return Err(Malformed::TooMany {
                        field: "message.bytes",
                        count: length,
                        limit: MAX_STREAM_MESSAGE,
                    });
                }
                message.payload.extend_from_slice(&frame.payload);
                if is_last {
                    return Ok(Some(message));
                }
                self.message = Some(message);
                Ok(None)
            }
            (None, None) => Err(unknown("frame.opcode", CONTINUATION)),
            // A message may not begin within another.
            (Some(_), Some(_)) => Err(unknown("frame.fin", 0)),
        }
    }
}

/// Appends a frame that is whole.
pub fn write(kind: Kind, mask: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    let opcode = match kind {
        Kind::Text => TEXT,
        Kind::Binary => BINARY,
        Kind::Close => CLOSE,
        Kind::Ping => PING,
        Kind::Pong => PONG,
    };
    out.push(FIN | opcode);
    let flag = if mask.is_some() { MASKED } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => out.push(flag | length),
        (_, Ok(length)) => {
            out.push(flag | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(flag | 127);
            let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend(mask.iter().flatten());
    let from = out.len();
    out.extend_from_slice(payload);
    apply(mask, out.get_mut(from..).unwrap_or_default());
}

/// Masks, and unmasks.
fn apply(mask: Option<[u8; 4]>, payload: &mut [u8]) {
    if let Some(mask) = mask {
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

fn unknown(field: &'static str, value: u8) -> Malformed {
    Malformed::UnknownValue {
        field,
        value: i64::from(value),
    }
}
