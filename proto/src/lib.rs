//! `ostiary.v1`: the contract between filter, control plane and operators.
//!
//! Messages build for wasm32; tonic clients and servers come with the feature `grpc`.

#[allow(
    missing_docs,
    reason = "generated; documented in proto/ostiary/v1/*.proto"
)]
#[allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/ostiary.v1.rs"));
}

pub use generated::*;
pub use ostiary_record as record;

/// The encoded `FileDescriptorSet`, for server reflection.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
