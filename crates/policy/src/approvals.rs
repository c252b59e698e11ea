//! `approvals.yaml`: who may lift a `forbid`, and for how long.

mod batch;

use std::collections::{BTreeMap, BTreeSet};

pub use batch::Batch;

use crate::{
    Files,
    error::Problems,
    yaml::{Document, Node},
};

pub(crate) const FILE: &str = "approvals.yaml";

const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;
/// A statement holds a connection and its transaction's locks while it waits.
const MAX_HOLD: u64 = DAY;
const MAX_GRANT: u64 = 7 * DAY;
const MAX_PEOPLE: u64 = 16;

/// An approval that a rule can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Groups whose members may decide; never empty.
    pub reviewers: BTreeSet<String>,
    /// How many distinct people must agree; at least 1.
    pub people: u32,
    /// How long an operation waits, in microseconds; not 0.
    pub hold_us: u64,
    /// How long an approval outlives the operation it was given for, in microseconds; 0 for not at
    /// all.
    pub grant_us: u64,
    /// What else one approval may cover; `None` for nothing.
    pub batch: Option<Batch>,
    /// Whether reviewers are to see what a change would make of its object.
    pub difference: bool,
}

impl Approval {
    /// Who can approve, for people: "one of dba", "2 of dba or security".
    pub fn who(&self) -> String {
        let groups: Vec<&str> = self.reviewers.iter().map(String::as_str).collect();
        let groups = groups.join(" or ");
        match self.people {
            1 => format!("one of {groups}"),
            people => format!("{people} of {groups}"),
        }
    }
}

/// Reads the file; an approval with a problem is still defined, so that its uses are no further ones.
pub(crate) fn parse(files: &Files, problems: &mut Problems) -> BTreeMap<String, Approval> {
    let Some(document) = files
        .get(FILE)
        .and_then(|text| Document::parse(FILE, text, problems))
    else {
        return BTreeMap::new();
    };
    let top = document.root().fields(&["approvals"], problems);
    let Some(approvals) = top.get("approvals") else {
        return BTreeMap::new();
    };
    let named = approvals.named(problems);
    named
        .into_iter()
        .map(|(name, node)| (name, parse_one(&node, problems)))
        .collect()
}

fn parse_one(node: &Node<'_>, problems: &mut Problems) -> Approval {
    let fields = node.fields(
        &[
            "reviewers",
            "people",
            "hold",
            "grant",
            "batch",
            "difference",
        ],
        problems,
    );
    let mut reviewers = BTreeSet::new();
    if let Some(list) = fields.need("reviewers", problems) {
        let groups = list.items(problems);
        if groups.is_empty() {
            list.problem(problems, "`reviewers` is empty: nobody could approve");
        }
        for group in groups {
            reviewers.extend(group.text(problems).map(str::to_owned));
        }
    }
    let mut people = 1;
    if let Some(field) = fields.get("people") {
        match field.number(problems) {
            Some(0) => field.problem(problems, "`people` must be at least 1"),
            Some(count @ 1..=MAX_PEOPLE) => people = u32::try_from(count).unwrap_or(1),
            Some(_) => field.problem(problems, format!("`people` must be at most {MAX_PEOPLE}")),
            None => {}
        }
    }
    let mut hold_us = 300 * SECOND;
    if let Some(field) = fields.get("hold") {
        match duration(field, problems) {
            Some(0) => field.problem(problems, "`hold` must be longer than 0s"),
            Some(hold) if hold > MAX_HOLD => {
                field.problem(problems, "`hold` must be at most 24h");
            }
            hold => hold_us = hold.unwrap_or(hold_us),
        }
    }
    let mut grant_us = 0;
    if let Some(field) = fields.get("grant") {
        match duration(field, problems) {
            Some(grant) if grant > MAX_GRANT => {
                field.problem(problems, "`grant` must be at most 7d");
            }
            grant => grant_us = grant.unwrap_or(grant_us),
        }
    }
    Approval {
        reviewers,
        people,
        hold_us,
        grant_us,
        batch: fields
            .get("batch")
            .map(|field| batch::parse(field, problems)),
        difference: fields
            .get("difference")
            .is_some_and(|field| field.truth(problems)),
    }
}

/// A number and a unit, in microseconds.
fn duration(node: &Node<'_>, problems: &mut Problems) -> Option<u64> {
    let parsed = node.as_text().and_then(|text| {
        let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..)? {
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            "d" => DAY,
            _ => return None,
        };
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = all_digits.then(|| digits.parse().ok())??;
        number.checked_mul(unit)
    });
    if parsed.is_none() {
        node.problem(
            problems,
            "no duration: write a whole number and a unit (s, m, h, d), such as `5m`",
        );
    }
    parsed
}
