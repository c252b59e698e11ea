//! The control plane: tonic services, use cases and stores.
//!
//! In: calls of filters and of operators. Out: verdicts of people, bundles, durable records.
//! Deliberately absent: protocol codecs; statements are text here, judged by the filter.

pub mod config;
mod policy_files;
pub mod server;

pub use policy_files::{PolicyFilesError, policy_files};
