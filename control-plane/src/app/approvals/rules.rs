//! Who may give which approval, and when it is given: pure functions of the running bundle.

use ostiary_operation::Principal;
use ostiary_policy::Bundle;
use ostiary_proto::Approval;

use crate::store::{ApprovalRow, Voter};

/// Those of the named approvals that this person may give.
pub(super) fn given_by(bundle: &Bundle, names: &[String], who: &Principal) -> Vec<String> {
    let may_give = |name: &&String| {
        bundle
            .approval(name)
            .is_some_and(|rule| !rule.reviewers.is_disjoint(&who.groups))
    };
    names.iter().filter(may_give).cloned().collect()
}

/// Everybody needed has agreed: each named approval has its own number of people. A name that the
/// running bundle no longer defines cannot be given.
pub(super) fn is_given(bundle: &Bundle, row: &ApprovalRow) -> bool {
    let names = &row.approval.approvals;
    !names.is_empty()
        && names.iter().all(|name| {
            let voters = row
                .voters
                .iter()
                .filter(|voter| voter.approvals.contains(name));
            bundle
                .approval(name)
                .is_some_and(|rule| voters.count() >= rule.people as usize)
        })
}

/// The requester, in any of the forms a token can show: the subject itself, the human behind it, or
/// another agent of either.
pub(super) fn is_requester(row: &ApprovalRow, who: &Principal) -> bool {
    let Approval {
        issuer, subject, ..
    } = &row.approval;
    let named = |name: &str| {
        (name == subject && who.issuer == *issuer)
            || (!row.on_behalf_of.is_empty() && name == row.on_behalf_of)
    };
    named(&who.subject) || who.on_behalf_of.as_deref().is_some_and(named)
}

/// This person has decided before.
pub(super) fn has_voted(voters: &[Voter], who: &Principal) -> bool {
    voters
        .iter()
        .any(|voter| voter.issuer == who.issuer && voter.subject == who.subject)
}

/// Who can approve: "one of dba and 2 of security".
pub(super) fn who(bundle: &Bundle, names: &[String]) -> String {
    let rules = names.iter().filter_map(|name| bundle.approval(name));
    rules
        .map(|rule| rule.who())
        .collect::<Vec<_>>()
        .join(" and ")
}
