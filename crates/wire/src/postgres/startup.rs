//! The untagged packets a connection starts with, sections 53.2.1 and 53.7:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
//!
//! What comes after the packet in the same bytes is the caller's to judge: bytes behind an
//! SSLRequest that was not answered yet are an attack (CVE-2021-23214).

use crate::limits::{MAX_SECRET_KEY, MAX_STARTUP, MAX_STARTUP_PARAMETERS, MIN_SECRET_KEY};
use crate::{Malformed, Reader, writer};

#[cfg(test)]
mod tests;

/// The code of CancelRequest, 1234.5678.
pub const CANCEL_REQUEST_CODE: u32 = 0x04d2_162e;
/// The code of SSLRequest, 1234.5679.
pub const SSL_REQUEST_CODE: u32 = 0x04d2_162f;
/// The code of GSSENCRequest, 1234.5680.
pub const GSSENC_REQUEST_CODE: u32 = 0x04d2_1630;
/// The major number under which requests that are no protocol version come.
const REQUEST_MAJOR: u16 = 1234;

/// SSLRequest, whole.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// GSSENCRequest, whole.
pub const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

/// The first packet of a connection. `Debug` shows no secret key.
#[derive(Clone, PartialEq, Eq)]
pub enum Startup<'a> {
    /// SSLRequest: the client waits for one byte, `S` or `N`.
    Ssl,
    /// GSSENCRequest: the client waits for one byte, `G` or `N`.
    GssEnc,
    /// CancelRequest; the connection carries nothing else.
    Cancel {
        /// The process id of BackendKeyData.
        process_id: i32,
        /// The secret key of BackendKeyData: 4 bytes up to protocol 3.0, 4 to 256 since 3.2.
        secret: &'a [u8],
    },
    /// StartupMessage.
    Startup(StartupMessage<'a>),
}

/// StartupMessage of protocol 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartupMessage<'a> {
    /// Always 3.
    pub major: u16,
    /// The highest minor version the client speaks.
    pub minor: u16,
    /// Names and values in the order sent. Each name comes once; `user` is there and not empty.
    pub parameters: Vec<(&'a str, &'a str)>,
}

/// Takes the packet at the front of `bytes` and says how long it is; none if it has not come whole.
///
/// A packet of more than [`MAX_STARTUP`] bytes after its length field is refused on that field alone.
pub fn take(bytes: &[u8]) -> Result<Option<(Startup<'_>, usize)>, Malformed> {
    let Some(length) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    let consumed = usize::try_from(length)
        .ok()
        .filter(|length| (8..=MAX_STARTUP.saturating_add(4)).contains(length))
        .ok_or(Malformed::Length {
            field: "StartupMessage.length",
            length: i64::from(length),
        })?;
    match bytes.get(4..consumed) {
        None => Ok(None),
        Some(body) => Ok(Some((parse(body)?, consumed))),
    }
}

fn parse(body: &[u8]) -> Result<Startup<'_>, Malformed> {
    let mut reader = Reader::new(body);
    match reader.u32("StartupMessage.version")? {
        SSL_REQUEST_CODE => reader.finish("SSLRequest").map(|()| Startup::Ssl),
        GSSENC_REQUEST_CODE => reader.finish("GSSENCRequest").map(|()| Startup::GssEnc),
        CANCEL_REQUEST_CODE => {
            let process_id = reader.i32("CancelRequest.process_id")?;
            let secret = secret_key(reader.rest(), "CancelRequest.secret_key")?;
            Ok(Startup::Cancel { process_id, secret })
        }
        version => {
            let [a, b, c, d] = version.to_be_bytes();
            let (major, minor) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            match major {
                3 => StartupMessage::read(reader, minor).map(Startup::Startup),
                REQUEST_MAJOR => Err(Malformed::UnknownValue {
                    field: "StartupMessage.request_code",
                    value: i64::from(version),
                }),
                _ => Err(Malformed::Protocol { major, minor }),
            }
        }
    }
}

/// A secret key of a length the protocol allows.
pub(super) fn secret_key<'a>(key: &'a [u8], field: &'static str) -> Result<&'a [u8], Malformed> {
    if (MIN_SECRET_KEY..=MAX_SECRET_KEY).contains(&key.len()) {
        return Ok(key);
    }
    Err(Malformed::Length {
        field,
        length: i64::try_from(key.len()).unwrap_or(i64::MAX),
    })
}

impl<'a> StartupMessage<'a> {
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(other, _)| *other == name)
            .map(|(_, value)| *value)
    }

    /// The role asked for.
    pub fn user(&self) -> Option<&'a str> {
        self.parameter("user")
    }

    fn read(mut reader: Reader<'a>, minor: u16) -> Result<Self, Malformed> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        loop {
            let name = reader.utf8("StartupMessage.parameter_name")?;
            if name.is_empty() {
                break;
            }
            let value = reader.utf8("StartupMessage.parameter_value")?;
            parameters.push((name, value));
            // Inside the loop, so that no more than the limit is ever held.
            bounded(&parameters)?;
        }
        reader.finish("StartupMessage")?;
        let message = Self {
            major: 3,
            minor,
            parameters,
        };
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), Malformed> {
        if self.major != 3 {
            let (major, minor) = (self.major, self.minor);
            return Err(Malformed::Protocol { major, minor });
        }
        bounded(&self.parameters)?;
        let mut names: Vec<&str> = self.parameters.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != self.parameters.len() {
            return Err(Malformed::Duplicate {
                field: "StartupMessage.parameter_name",
            });
        }
        match self.user() {
            Some(user) if !user.is_empty() => Ok(()),
            _ => Err(Malformed::Missing {
                field: "StartupMessage.user",
            }),
        }
    }

    /// Appends the packet. What [`take`] would refuse is refused here too.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.check()?;
        writer::untagged(out, "StartupMessage", |out| {
            let start = out.len();
            out.extend_from_slice(&self.major.to_be_bytes());
            out.extend_from_slice(&self.minor.to_be_bytes());
            for (name, value) in &self.parameters {
                if name.is_empty() {
                    return Err(Malformed::Missing {
                        field: "StartupMessage.parameter_name",
                    });
                }
                writer::string(out, name.as_bytes(), "StartupMessage.parameter_name")?;
                writer::string(out, value.as_bytes(), "StartupMessage.parameter_value")?;
            }
            out.push(0);
            match out.len().saturating_sub(start) {
                ..=MAX_STARTUP => Ok(()),
                _ => Err(Malformed::TooLarge {
                    message: "StartupMessage",
                }),
            }
        })
    }
}

fn bounded(parameters: &[(&str, &str)]) -> Result<(), Malformed> {
    if parameters.len() <= MAX_STARTUP_PARAMETERS {
        return Ok(());
    }
    Err(Malformed::TooMany {
        field: "StartupMessage.parameters",
        count: parameters.len(),
        limit: MAX_STARTUP_PARAMETERS,
    })
}

impl std::fmt::Debug for Startup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssl => f.write_str("Ssl"),
            Self::GssEnc => f.write_str("GssEnc"),
            Self::Cancel { process_id, .. } => f
                .debug_struct("Cancel")
                .field("process_id", process_id)
                .finish_non_exhaustive(),
            Self::Startup(message) => f.debug_tuple("Startup").field(message).finish(),
        }
    }
}

impl Startup<'_> {
    /// Appends the packet.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Ssl => out.extend_from_slice(&SSL_REQUEST),
            Self::GssEnc => out.extend_from_slice(&GSSENC_REQUEST),
            Self::Cancel { process_id, secret } => cancel(out, *process_id, secret)?,
            Self::Startup(message) => message.encode(out)?,
        }
        Ok(())
    }
}

/// Appends a CancelRequest.
pub fn cancel(out: &mut Vec<u8>, process_id: i32, secret: &[u8]) -> Result<(), Malformed> {
    secret_key(secret, "CancelRequest.secret_key")?;
    writer::untagged(out, "CancelRequest", |out| {
        out.extend_from_slice(&CANCEL_REQUEST_CODE.to_be_bytes());
        out.extend_from_slice(&process_id.to_be_bytes());
        out.extend_from_slice(secret);
        Ok(())
    })
}

/// Fuzz entry: a packet that is read is written back to the same bytes.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    let Ok(Some((startup, consumed))) = take(bytes) else {
        return Ok(());
    };
    let mut again = Vec::new();
    if startup.encode(&mut again).is_err() {
        return Err("a startup packet that was read cannot be written");
    }
    if bytes.get(..consumed) != Some(again.as_slice()) {
        return Err("a startup packet is written differently from how it was read");
    }
    Ok(())
}
