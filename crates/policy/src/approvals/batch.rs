//! `batch` of an approval: how many requests of one run of a client one approval may cover.

use super::{SECOND, duration};
use crate::{error::Problems, yaml::Node};

/// More, and nobody knows what they approve.
const MAX_REQUESTS: u64 = 1000;
const MAX_WITHIN: u64 = 3_600 * SECOND;

/// What one approval covers beside the request it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Requests in all, the first included.
    pub requests: u32,
    /// How long after the decision, in microseconds.
    pub within_us: u64,
    /// The others may be about objects of other kinds.
    pub any_kind: bool,
}

impl Batch {
    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests.min(other.requests),
            within_us: self.within_us.min(other.within_us),
            any_kind: self.any_kind && other.any_kind,
        }
    }
}

/// What has a problem covers the one request.
pub(super) fn parse(node: &Node<'_>, problems: &mut Problems) -> Batch {
    let fields = node.fields(&["requests", "within", "kinds"], problems);
    let mut batch = Batch {
        requests: 1,
        within_us: 300 * SECOND,
        any_kind: false,
    };
    if let Some(field) = fields.need("requests", problems) {
        match field.number(problems) {
            Some(requests @ 2..=MAX_REQUESTS) => {
                batch.requests = u32::try_from(requests).unwrap_or(1);
            }
            Some(_) => {
                let message = format!("`requests` must be between 2 and {MAX_REQUESTS}");
                field.problem(problems, message);
            }
            None => {}
        }
    }
    if let Some(field) = fields.get("within") {
        match duration(field, problems) {
            Some(0) => field.problem(problems, "`within` must be longer than 0s"),
            Some(within) if within > MAX_WITHIN => {
                field.problem(problems, "`within` must be at most 1h");
            }
            within => batch.within_us = within.unwrap_or(batch.within_us),
        }
    }
    if let Some(field) = fields.get("kinds") {
        match field.as_text() {
            Some("same") => {}
            Some("any") => batch.any_kind = true,
            _ => field.problem(problems, "`kinds` must be `same` or `any`"),
        }
    }
    batch
}
