//! Named maxima, each with the attack it bounds.
//!
//! The size of an ordinary frame is not here: the caller of [`crate::postgres::frame::take`] passes
//! it, since it differs between login, statements and rows.

/// Bytes of a startup packet after its length field, as in the server
/// (`MAX_STARTUP_PACKET_LENGTH`). Bounds what a peer who has not said anything about itself yet can
/// make us hold.
pub const MAX_STARTUP: usize = 10_000;

/// Parameters of a StartupMessage. 10,000 bytes hold 5,000 of them, and each is compared with those
/// before it; clients send about ten.
pub const MAX_STARTUP_PARAMETERS: usize = 128;

/// Bytes of an authentication message of a client, as in the server (`PG_MAX_AUTH_TOKEN_LENGTH`),
/// frame included. To be passed to [`crate::postgres::frame::take`] until login is over: bounds what
/// somebody who is not authenticated can make us hold.
pub const MAX_LOGIN_MESSAGE: usize = 65_535;

/// The shortest secret key of BackendKeyData and CancelRequest; protocol 3.0 has only this size. A
/// hostile server must not make cancel keys guessable by sending shorter ones.
pub const MIN_SECRET_KEY: usize = 4;

/// The longest secret key, by protocol 3.2. Keys are kept for as long as a session lives.
pub const MAX_SECRET_KEY: usize = 256;

/// SASL mechanisms a server may offer. An offer of a megabyte would otherwise become half a million
/// entries eight times as large; servers offer two or three.
pub const MAX_SASL_MECHANISMS: usize = 16;

/// Protocol options a server may refuse in NegotiateProtocolVersion: it cannot refuse more than a
/// StartupMessage can ask for.
pub const MAX_PROTOCOL_OPTIONS: usize = MAX_STARTUP_PARAMETERS;

/// The largest value of a frame's length field: the protocol's Int32. A length above it is negative
/// to one peer and four gigabytes to another, which is how statements were smuggled elsewhere.
pub const MAX_FRAME_LENGTH: u32 = i32::MAX.unsigned_abs();

/// Bytes of one WebSocket message, and of one SPDY data frame. Each is held whole before any of it goes
/// on; clients of Kubernetes write 32 KiB at a time.
pub const MAX_STREAM_MESSAGE: usize = 1 << 20;

/// Bytes of a SPDY control frame, and of its header block once inflated: a few kilobytes of zlib hold
/// megabytes. Clients of Kubernetes send one header of a few bytes.
pub const MAX_SPDY_CONTROL: usize = 16 << 10;

/// Headers of a SPDY stream.
pub const MAX_SPDY_HEADERS: usize = 16;
