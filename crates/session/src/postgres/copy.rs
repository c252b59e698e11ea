//! COPY with the connection at its other end.
//!
//! The server says nothing of the columns a COPY sends, so the session asks before it lets the COPY go
//! (`look`), and rewrites the data row by row (`stream`; `text`, `csv` and `binary` know the formats).
//! What a COPY takes from the client passes as it is (`take`).

mod binary;
mod csv;
mod encoding;
mod look;
mod out;
mod stream;
mod take;
#[cfg(test)]
mod tests;
mod text;

pub(super) use look::{Deferred, Look, Planned};
pub(super) use out::Copying;
pub(super) use stream::Change;
pub(super) use take::Taking;
