//! The control plane: tonic services, use cases and stores.
//!
//! In: calls of filters and of operators. Out: verdicts of people, bundles, durable records.
//! Deliberately absent: protocol codecs; statements are text here, judged by the filter.

pub mod app;
pub mod clock;
pub mod config;
mod grpc;
pub mod identity;
mod policy_files;
mod random;
pub mod server;
pub mod store;
pub mod telemetry;

pub use policy_files::{PolicyFilesError, policy_files};
