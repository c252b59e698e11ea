//! The harness of the end-to-end tests, the demo and the benchmark: real servers and clients as child
//! processes, each wait for a condition with a deadline, nothing left behind.

pub mod api;
pub mod bulk;
pub mod clients;
pub mod fake;
pub mod http;
pub mod issuer;
pub mod kubernetes;
pub mod narrate;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod shared;
pub mod stack;
pub mod stats;
pub mod tools;
pub mod wait;
pub mod wire;

pub use anyhow::{Context, Result, anyhow, bail, ensure};
