//! Tables of bundles, operations and what is expected of them.

mod decisions;
mod docs;
mod encoding;
mod http;
mod kubernetes;
mod masks;
mod matrix;
mod notation;
mod problems;
mod reading;
mod relevant;
mod unqualified;

use expect_test::Expect;
use ostiary_operation::{Principal, Target};

use crate::{Bundle, Decision, Files, Verdict};

/// Approvals and labels that the bundles of most tests use.
const APPROVALS: &str = "approvals: {dba: {reviewers: [dba]}, security: {reviewers: [security]}}";
const LABELS: &str = "labels: {pii.email: {strategy: redact}, pii.ssn: {strategy: hash}}";

fn files(policies: &str) -> Files {
    [
        ("p.cedar", policies),
        ("approvals.yaml", APPROVALS),
        ("labels.yaml", LABELS),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

#[track_caller]
fn bundle(files: &Files) -> Bundle {
    Bundle::parse(files).unwrap_or_else(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", problems.join("\n"))
    })
}

/// A principal in the groups, which are separated by spaces.
fn who(groups: &str) -> Principal {
    Principal {
        issuer: "https://id.example".to_owned(),
        subject: "agent-7".to_owned(),
        groups: groups.split_whitespace().map(str::to_owned).collect(),
        on_behalf_of: None,
    }
}

fn shop() -> Target {
    Target {
        resource: "shop".to_owned(),
        database: "db".to_owned(),
        role: "shop_app".to_owned(),
    }
}

/// Decides `operation` (see [`notation`]) for a member of `groups`.
#[track_caller]
fn check(policies: &str, groups: &str, operation: &str, expected: Expect) {
    let decision =
        bundle(&files(policies)).decide(&who(groups), &shop(), &notation::operation(operation));
    expected.assert_eq(&show(&decision));
}

fn show(decision: &Decision) -> String {
    let rules = decision.rules.join(", ");
    match &decision.verdict {
        Verdict::Allow => format!("allow [{rules}]"),
        Verdict::Approve(demand) => {
            let approvals = demand.approvals.join(", ");
            format!("approve {approvals}: {} [{rules}]", demand.reason)
        }
        Verdict::Deny(denial) => format!("deny {}: {} [{rules}]", denial.rule, denial.reason),
    }
}
