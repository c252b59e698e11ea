//! Messages of the client, section 53.7:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
//!
//! Names and statements are bytes: their encoding is `client_encoding`, which the session knows. A
//! NUL inside one is malformed, since the server would stop reading there.

mod debug;
pub mod encode;
#[cfg(test)]
mod tests;

use super::{Format, tag};
use crate::{Malformed, Reader};

/// A message of the client. `Debug` shows statements and values but no password.
#[derive(Clone, PartialEq, Eq)]
pub enum Frontend<'a> {
    /// Runs statements of the simple protocol.
    Query {
        /// The statements.
        sql: &'a [u8],
    },
    /// Prepares a statement.
    Parse {
        /// The statement's name; empty is the unnamed one.
        name: &'a [u8],
        /// The statement.
        sql: &'a [u8],
        /// Types of the first parameters; 0 leaves one to the server.
        parameter_types: Vec<u32>,
    },
    /// Makes a portal of a prepared statement and values.
    Bind {
        /// The portal's name; empty is the unnamed one.
        portal: &'a [u8],
        /// The statement's name; empty is the unnamed one.
        statement: &'a [u8],
        /// None, one for all, or one for each parameter; see [`Format::of`].
        parameter_formats: Vec<Format>,
        /// The values; `None` is NULL.
        parameters: Vec<Option<&'a [u8]>>,
        /// None, one for all, or one for each column; only the server knows how many there are.
        result_formats: Vec<Format>,
    },
    /// Asks for a description.
    Describe {
        /// Of what.
        kind: Target,
        /// Its name; empty is the unnamed one.
        name: &'a [u8],
    },
    /// Runs a portal.
    Execute {
        /// The portal's name; empty is the unnamed one.
        portal: &'a [u8],
        /// Rows to stop after; zero and below mean no limit.
        max_rows: i32,
    },
    /// Drops a statement or a portal.
    Close {
        /// What.
        kind: Target,
        /// Its name; empty is the unnamed one.
        name: &'a [u8],
    },
    /// Ends a round of the extended protocol; after an error the server skips up to it.
    Sync,
    /// Asks for the answers so far.
    Flush,
    /// Ends the session.
    Terminate,
    /// PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse, not decoded: only the
    /// moment tells which. See [`password`] and [`super::sasl`].
    Password(&'a [u8]),
    /// Data of a COPY.
    CopyData(&'a [u8]),
    /// The end of a COPY.
    CopyDone,
    /// The client gives a COPY up, for this reason.
    CopyFail(&'a [u8]),
    /// A call of the fast-path interface, not decoded.
    FunctionCall(&'a [u8]),
}

/// What Describe and Close are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `S`: a prepared statement.
    Statement,
    /// `P`: a portal.
    Portal,
}

impl Target {
    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Statement => b'S',
            Self::Portal => b'P',
        }
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, Malformed> {
        match reader.u8(field)? {
            b'S' => Ok(Self::Statement),
            b'P' => Ok(Self::Portal),
            other => Err(Malformed::UnknownValue {
                field,
                value: i64::from(other),
            }),
        }
    }
}

impl<'a> Frontend<'a> {
    /// Decodes the body of a frame.
    pub fn parse(tag: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let (message, name) = match tag {
            tag::frontend::QUERY => {
                let sql = reader.string("Query.sql")?;
                (Self::Query { sql }, "Query")
            }
            tag::frontend::PARSE => (parse(&mut reader)?, "Parse"),
            tag::frontend::BIND => (bind(&mut reader)?, "Bind"),
            tag::frontend::DESCRIBE => {
                let kind = Target::read(&mut reader, "Describe.kind")?;
                let name = reader.string("Describe.name")?;
                (Self::Describe { kind, name }, "Describe")
            }
            tag::frontend::EXECUTE => {
                let portal = reader.string("Execute.portal")?;
                let max_rows = reader.i32("Execute.max_rows")?;
                (Self::Execute { portal, max_rows }, "Execute")
            }
            tag::frontend::CLOSE => {
                let kind = Target::read(&mut reader, "Close.kind")?;
                let name = reader.string("Close.name")?;
                (Self::Close { kind, name }, "Close")
            }
            tag::frontend::SYNC => (Self::Sync, "Sync"),
            tag::frontend::FLUSH => (Self::Flush, "Flush"),
            tag::frontend::TERMINATE => (Self::Terminate, "Terminate"),
            tag::frontend::PASSWORD => (Self::Password(reader.rest()), "PasswordMessage"),
            tag::frontend::COPY_DATA => (Self::CopyData(reader.rest()), "CopyData"),
            tag::frontend::COPY_DONE => (Self::CopyDone, "CopyDone"),
            tag::frontend::COPY_FAIL => (
                Self::CopyFail(reader.string("CopyFail.message")?),
                "CopyFail",
            ),
            tag::frontend::FUNCTION_CALL => (Self::FunctionCall(reader.rest()), "FunctionCall"),
            _ => return Err(Malformed::UnknownTag { tag }),
        };
        reader.finish(name)?;
        Ok(message)
    }
}

fn parse<'a>(reader: &mut Reader<'a>) -> Result<Frontend<'a>, Malformed> {
    let name = reader.string("Parse.name")?;
    let sql = reader.string("Parse.sql")?;
    let count = reader.count(4, "Parse.parameter_types")?;
    let mut parameter_types = Vec::with_capacity(count);
    for _ in 0..count {
        parameter_types.push(reader.u32("Parse.parameter_type")?);
    }
    Ok(Frontend::Parse {
        name,
        sql,
        parameter_types,
    })
}

fn bind<'a>(reader: &mut Reader<'a>) -> Result<Frontend<'a>, Malformed> {
    let portal = reader.string("Bind.portal")?;
    let statement = reader.string("Bind.statement")?;
    let parameter_formats = Format::read_list(reader, "Bind.parameter_formats")?;
    let count = reader.count(4, "Bind.parameters")?;
    let mut parameters = Vec::with_capacity(count);
    for _ in 0..count {
        parameters.push(reader.value("Bind.parameter")?);
    }
    let result_formats = Format::read_list(reader, "Bind.result_formats")?;
    formats_fit(&parameter_formats, count)?;
    Ok(Frontend::Bind {
        portal,
        statement,
        parameter_formats,
        parameters,
        result_formats,
    })
}

/// The server refuses such a Bind as well, yet it is read by us before, in order to be shown.
fn formats_fit(formats: &[Format], parameters: usize) -> Result<(), Malformed> {
    if formats.len() <= 1 || formats.len() == parameters {
        return Ok(());
    }
    Err(Malformed::Count {
        field: "Bind.parameter_formats",
        count: formats.len(),
        expected: parameters,
    })
}

/// The password in the body of a [`Frontend::Password`] that is a PasswordMessage, without its NUL.
pub fn password(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let password = reader.string("PasswordMessage.password")?;
    reader.finish("PasswordMessage")?;
    Ok(password)
}

/// Fuzz entry: a message that is read is written back to the same bytes, and nothing panics.
///
/// `bytes` are taken as a frame and, since few random frames have a right length, as a tag and body.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    if let Ok(Some(frame)) = super::frame::take(bytes, usize::MAX) {
        reads_back(frame.tag, frame.body)?;
    }
    match bytes.split_first() {
        Some((tag, body)) => reads_back(*tag, body),
        None => Ok(()),
    }
}

fn reads_back(tag: u8, body: &[u8]) -> Result<(), &'static str> {
    let Ok(message) = Frontend::parse(tag, body) else {
        return Ok(());
    };
    let mut again = Vec::new();
    if message.encode(&mut again).is_err() {
        return Err("a frontend message that was read cannot be written");
    }
    if again.first() != Some(&tag) || again.get(super::frame::HEADER..) != Some(body) {
        return Err("a frontend message is written differently from how it was read");
    }
    Ok(())
}
