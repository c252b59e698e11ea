//! A replication connection: what an agent gets of a walsender, once policy permits `sql:replicate`.
//!
//! What the WAL shows no label can hold: such a session masks nothing, and there is none where anything would have to be
//! masked. In: frames of both sides. Out: replication commands one at a time, each judged and on record
//! before it goes, and data as it comes, only while a command has opened the way for it. SQL, the extended protocol and
//! FunctionCall are refused.

mod client;
mod command;
mod exchange;
mod feed;
mod gate;
mod mode;
mod scan;
mod server;
mod session;

pub(super) use self::gate::{Gate, labelled_replication};
pub(super) use self::mode::Mode;
pub(super) use self::session::Replication;
