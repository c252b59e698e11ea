//! The PostgreSQL frontend/backend protocol, version 3.
//!
//! After the manual's chapter "Frontend/Backend Protocol", section 53.7 "Message Formats":
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>. Messages and fields keep
//! the manual's names. Read first [`frame`], then [`startup`], then a direction.

pub mod backend;
pub mod error_response;
pub mod frame;
pub mod frontend;
pub mod row;
pub mod sasl;
pub mod startup;
pub mod tag;
pub mod types;

#[cfg(test)]
mod tests;

pub use backend::{Authentication, Backend, Column, CopyFormat};
pub use error_response::Fields;
pub use frame::{Frame, Header};
pub use frontend::{Frontend, Target};
pub use row::{DataRow, RowWriter};
pub use startup::{Startup, StartupMessage};

use crate::{Malformed, Reader, writer};

/// How a value is written: a format code of Bind, RowDescription and the COPY responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 0: the type's text form.
    Text,
    /// 1: the type's binary form.
    Binary,
}

impl Format {
    /// The format of the value at `index` under a list of Bind: an empty list means text for all, a
    /// list of one holds for all. None when the list is longer than one and too short.
    pub fn of(formats: &[Self], index: usize) -> Option<Self> {
        match formats {
            [] => Some(Self::Text),
            [one] => Some(*one),
            many => many.get(index).copied(),
        }
    }

    const fn code(self) -> u16 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
        }
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, Malformed> {
        match reader.i16(field)? {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            other => Err(Malformed::UnknownValue {
                field,
                value: i64::from(other),
            }),
        }
    }

    fn read_list(reader: &mut Reader<'_>, field: &'static str) -> Result<Vec<Self>, Malformed> {
        let count = reader.count(2, field)?;
        let mut formats = Vec::with_capacity(count);
        for _ in 0..count {
            formats.push(Self::read(reader, field)?);
        }
        Ok(formats)
    }

    fn write_list(
        out: &mut Vec<u8>,
        formats: &[Self],
        message: &'static str,
    ) -> Result<(), Malformed> {
        writer::count(out, formats.len(), message)?;
        for format in formats {
            out.extend_from_slice(&format.code().to_be_bytes());
        }
        Ok(())
    }
}

/// The status of ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `I`: not in a transaction block.
    Idle,
    /// `T`: in a transaction block.
    InTransaction,
    /// `E`: in a failed transaction block; statements are refused until it ends.
    Failed,
}

impl TransactionStatus {
    /// The status byte.
    pub const fn code(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
        }
    }
}

/// Fuzz entry: every codec on the same bytes. No input panics or breaks an invariant.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    frame::exercise(bytes)?;
    startup::exercise(bytes)?;
    frontend::exercise(bytes)?;
    backend::exercise(bytes)?;
    row::exercise(bytes)?;
    error_response::exercise(bytes)?;
    sasl::exercise(bytes)
}

/// Bytes as people read them, for `Debug`.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
