//! The bundle as its author writes it, and the one function that decides.
//!
//! In: a directory's files, then principal, target and operation. Out: a [`Decision`] and the masks
//! that hold. Total: what fails to evaluate is denied. Deliberately absent: I/O and clocks.

mod decision;

pub use decision::{ApprovalDemand, Decision, Denial, Verdict};

use std::collections::BTreeMap;

use ostiary_mask::{Strategy, detect::Detector};
use ostiary_operation::{Operation, Principal, Target};

/// A bundle's files: name relative to its directory (`reads.cedar`, `labels.yaml`) to text.
pub type Files = BTreeMap<String, String>;

/// A validated, compiled bundle.
#[derive(Debug)]
pub struct Bundle {
    hash: String,
}

/// One problem in a bundle, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct InvalidPolicy {
    /// The file, as named in [`Files`].
    pub file: String,
    /// 1-based line; 0 when the problem is the file as a whole.
    pub line: usize,
    /// What is wrong and what was probably meant.
    pub message: String,
}

/// A column that carries a label. `schema` and `table` are exact, as the server stores them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelledColumn {
    /// Schema name.
    pub schema: String,
    /// Table name.
    pub table: String,
    /// Column name.
    pub column: String,
    /// The label.
    pub label: String,
}

/// What is masked for one principal on one target; labels the principal may reveal are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Labelled columns with their strategies.
    pub columns: Vec<(LabelledColumn, Strategy)>,
    /// Detectors that run over every text value, with their label and strategy.
    pub detectors: BTreeMap<Detector, (String, Strategy)>,
}

/// How decisions on a resource are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Decisions hold.
    Enforce,
    /// Decisions are recorded and everything passes.
    Observe,
}

impl Bundle {
    /// Parses and validates; every problem is listed.
    pub fn parse(_files: &Files) -> Result<Self, Vec<InvalidPolicy>> {
        Err(Vec::new())
    }

    /// A bundle that denies everything and says why; the value before any snapshot has come.
    pub fn deny_all(reason: &str) -> Self {
        Self {
            hash: reason.to_owned(),
        }
    }

    /// SHA-256 over the canonical form of the files, lower-case hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The verdict on one operation.
    pub fn decide(&self, _who: &Principal, _target: &Target, _operation: &Operation) -> Decision {
        Decision::deny("policy", "not built")
    }

    /// What must be masked for this principal on this target.
    pub fn masks(&self, _who: &Principal, _target: &Target) -> Masks {
        Masks::default()
    }

    /// The mode of a resource; [`Mode::Enforce`] unless `resources.yaml` says otherwise.
    pub fn mode(&self, _resource: &str) -> Mode {
        Mode::Enforce
    }
}
