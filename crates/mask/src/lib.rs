//! Which values are sensitive, and what to put in their place.
//!
//! In: labels, detectors and strategies as policy resolved them, and bytes. Out: the same bytes with
//! the sensitive parts replaced. Deliberately absent: who is asking (see `ostiary-policy`).

pub mod detect;
mod strategy;

pub use strategy::{HashKey, Masked, Strategy};
