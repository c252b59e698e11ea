//! Which values are sensitive, and what to put in their place.
//!
//! In: labels, detectors and strategies as policy resolved them, and bytes. Out: the same bytes with
//! the sensitive parts replaced. Deliberately absent: who is asking (see `ostiary-policy`).
//!
//! A column that is labelled is masked whole with [`Strategy::apply`]; any other text goes through
//! [`Rewriter::rewrite`], which replaces what the detectors find and leaves every other byte alone.
//! Bodies of HTTP responses stream through a [`BodyMasker`].

pub mod body;
pub mod detect;
mod field;
mod rewrite;
mod strategy;

pub use body::BodyMasker;
pub use field::{FieldPath, InvalidPath};
pub use rewrite::{Rewriter, Rewritten};
pub use strategy::{HashKey, Masked, Strategy};
