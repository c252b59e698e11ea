//! COPY with the connection at its other end.
//!
//! The server says nothing of the columns a COPY sends, so the session asks before it lets the COPY go
//! (`look`), and rewrites the data row by row (`stream`; `text`, `csv` and `binary` know the formats).

mod binary;
mod csv;
mod encoding;
mod look;
mod out;
mod stream;
#[cfg(test)]
mod tests;
mod text;

pub(super) use look::{Deferred, Look, Planned};
pub(super) use out::Copying;
pub(super) use stream::Change;
