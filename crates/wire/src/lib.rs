//! Bytes to protocol messages and back: bounded and total.
//!
//! In: bytes from a peer who may be hostile, cut anywhere. Out: messages that borrow from those
//! bytes, or [`Malformed`], which names the message and the field. Deliberately absent: I/O, clocks,
//! policy, and any idea of which message may come when.
//!
//! The contract of every decoder of a stream: `Ok(None)` asks for more bytes, `Ok(Some(..))` is a
//! whole message, `Err(..)` is a stream that can never be read again. No input panics, and none
//! makes a decoder reserve more than a small multiple of the bytes that have really come; the
//! maxima are in [`limits`].
//!
//! Encoders append to a `Vec<u8>`. One that fails leaves the vector as it was.

mod inbox;
pub mod limits;
mod malformed;
mod reader;
mod writer;

pub mod postgres;
pub mod spdy;
pub mod websocket;

pub use inbox::{Inbox, shrink};
pub use malformed::Malformed;
pub use reader::Reader;
