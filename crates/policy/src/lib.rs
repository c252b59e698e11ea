//! The bundle as its author writes it, and the one function that decides.
//!
//! In: a directory's files, then principal, target and operation. Out: a [`Decision`] and the masks
//! that hold. Total: what fails to evaluate is denied. Deliberately absent: I/O and clocks.

// What authors write, in the order it is read.
mod approvals;
mod bundle;
mod labels;
mod literals;
mod openapi;
mod policies;
mod resources;
mod schema;
mod statement;
mod yaml;
// What is asked of it.
mod decide;
mod decision;
mod entities;
mod keys;
mod mentions;
// What both use.
mod error;
mod hash;
mod names;

pub use approvals::{Approval, Batch};
pub use bundle::{Bundle, Files, Masks};
pub use decision::{ApprovalDemand, Decision, Denial, LabelledUse, Verdict};
pub use error::InvalidPolicy;
pub use hash::hash;
pub use labels::{LabelledColumn, LabelledField};
pub use resources::Mode;
pub use schema::schema_text;

#[cfg(test)]
mod tests;
