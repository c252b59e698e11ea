//! The fields of ErrorResponse and NoticeResponse, section 53.8 "Error and Notice Message Fields":
//! <https://www.postgresql.org/docs/current/protocol-error-fields.html>.

use super::Shown;
use crate::{Malformed, Reader};

#[cfg(test)]
mod tests;

/// Field codes.
pub mod field {
    /// Severity in the server's language.
    pub const SEVERITY_LOCALIZED: u8 = b'S';
    /// Severity, never translated; since 9.6.
    pub const SEVERITY: u8 = b'V';
    /// SQLSTATE.
    pub const SQLSTATE: u8 = b'C';
    /// The message.
    pub const MESSAGE: u8 = b'M';
    /// More about the problem; may quote values of rows.
    pub const DETAIL: u8 = b'D';
    /// What to do about it.
    pub const HINT: u8 = b'H';
    /// Where in the statement, in characters from 1.
    pub const POSITION: u8 = b'P';
    /// Where in the internal statement.
    pub const INTERNAL_POSITION: u8 = b'p';
    /// The internal statement, as of a function.
    pub const INTERNAL_QUERY: u8 = b'q';
    /// The call stack; may quote statements and values.
    pub const WHERE: u8 = b'W';
    /// The schema concerned.
    pub const SCHEMA: u8 = b's';
    /// The table concerned.
    pub const TABLE: u8 = b't';
    /// The column concerned.
    pub const COLUMN: u8 = b'c';
    /// The type concerned.
    pub const DATA_TYPE: u8 = b'd';
    /// The constraint concerned.
    pub const CONSTRAINT: u8 = b'n';
    /// The server's source file.
    pub const FILE: u8 = b'F';
    /// The line there.
    pub const LINE: u8 = b'L';
    /// The routine there.
    pub const ROUTINE: u8 = b'R';
}

/// The fields of an error or notice. A hostile server may omit any, repeat any and invent codes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    // INVARIANT: pairs of a code that is not 0 and a string with its NUL, then one 0.
    body: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Decodes the body of an ErrorResponse or NoticeResponse.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let fields = Self::read(&mut reader, "ErrorResponse.field")?;
        reader.finish("ErrorResponse")?;
        Ok(fields)
    }

    pub(super) fn read(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, Malformed> {
        let mut ahead = reader.clone();
        while ahead.u8(field)? != 0 {
            ahead.string(field)?;
        }
        let length = reader.remaining().saturating_sub(ahead.remaining());
        let body = reader.take(length, field)?;
        Ok(Self { body })
    }

    /// Codes and texts in the order sent.
    pub fn iter(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut reader = Reader::new(self.body);
        std::iter::from_fn(move || {
            let code = reader.u8("ErrorResponse.field").ok()?;
            let text = reader.string("ErrorResponse.field").ok()?;
            Some((code, text))
        })
    }

    /// The first text under a code; see [`field`].
    pub fn get(self, code: u8) -> Option<&'a [u8]> {
        self.iter()
            .find(|(other, _)| *other == code)
            .map(|(_, text)| text)
    }

    /// The SQLSTATE.
    pub fn sqlstate(self) -> Option<&'a [u8]> {
        self.get(field::SQLSTATE)
    }

    /// The message.
    pub fn message(self) -> Option<&'a [u8]> {
        self.get(field::MESSAGE)
    }

    /// The severity: the untranslated one, else the translated one.
    pub fn severity(self) -> Option<&'a [u8]> {
        self.get(field::SEVERITY)
            .or_else(|| self.get(field::SEVERITY_LOCALIZED))
    }

    /// The fields as they came.
    pub const fn body(self) -> &'a [u8] {
        self.body
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields = self
            .iter()
            .map(|(code, text)| (char::from(code), Shown(text)));
        f.debug_map().entries(fields).finish()
    }
}

/// Fuzz entry: fields that are read are all there again when iterated over.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    let Ok(fields) = Fields::parse(bytes) else {
        return Ok(());
    };
    let mut again = Vec::new();
    for (code, text) in fields.iter() {
        again.push(code);
        again.extend_from_slice(text);
        again.push(0);
    }
    again.push(0);
    if again == bytes && fields.body() == bytes {
        Ok(())
    } else {
        Err("the fields of an error differ from its bytes")
    }
}
