//! What happened, in a form that can be kept for years.
//!
//! In: steps of a session. Out: [`Event`]s and their canonical bytes. Deliberately absent: storage.

#[allow(
    missing_docs,
    reason = "generated; documented in proto/ostiary/v1/record.proto"
)]
#[allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod v1 {
    include!(concat!(env!("OUT_DIR"), "/ostiary.v1.rs"));
}

pub use v1::*;
