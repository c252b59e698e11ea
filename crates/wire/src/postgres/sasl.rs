//! The framing of SASL in the login, sections 53.3 and 53.7; what mechanisms say is not read here:
//! <https://www.postgresql.org/docs/current/sasl-authentication.html>.
//!
//! The server's side is in [`super::Authentication`], the writing in [`super::frontend::encode`]. A
//! SASLResponse is its data and has nothing to decode.

use crate::{Malformed, Reader};

#[cfg(test)]
mod tests;

/// SASLInitialResponse: the body of a [`super::Frontend::Password`] that answers AuthenticationSASL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialResponse<'a> {
    /// The mechanism the client chose.
    pub mechanism: &'a str,
    /// Its first message; `None` if it has none, which differs from an empty one.
    pub data: Option<&'a [u8]>,
}

impl<'a> InitialResponse<'a> {
    /// Decodes the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let mechanism = reader.utf8("SASLInitialResponse.mechanism")?;
        let data = reader.value("SASLInitialResponse.data")?;
        reader.finish("SASLInitialResponse")?;
        Ok(Self { mechanism, data })
    }
}

/// Fuzz entry: a response that is read is written back to the same bytes.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    let Ok(response) = InitialResponse::parse(bytes) else {
        return Ok(());
    };
    let mut again = Vec::new();
    let (mechanism, data) = (response.mechanism, response.data);
    if super::frontend::encode::sasl_initial_response(&mut again, mechanism, data).is_err() {
        return Err("a SASLInitialResponse that was read cannot be written");
    }
    if again.get(super::frame::HEADER..) != Some(bytes) {
        return Err("a SASLInitialResponse is written differently from how it was read");
    }
    Ok(())
}
