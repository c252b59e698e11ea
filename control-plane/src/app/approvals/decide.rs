//! The reviewers' side: a vote, and what it makes of the question.

use ostiary_proto::{Approval, ReviewerDecision};
use ostiary_record::ApprovalState;

use super::{Approvals, Error, Operator, batch, missing, rules};
use crate::store::{ApprovalRow, Voter};

/// Longest comment, in bytes.
const MAX_COMMENT: usize = 1000;

/// One person's decision.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// The approval's id, or a prefix that only one has.
    pub id: String,
    /// Yes or no.
    pub approve: bool,
    /// For the requester and the record.
    pub comment: String,
    /// What the reviewer saw; empty if they do not say.
    pub digest: Vec<u8>,
    /// It is for this request alone, whatever else was asked for.
    pub only_this: bool,
}

impl Approvals {
    /// Counts a vote. The first no ends the question; it is given when each approval it names has
    /// as many different people as its rule wants.
    pub async fn decide(&self, who: &Operator, ballot: Ballot) -> Result<Approval, Error> {
        if ballot.comment.len() > MAX_COMMENT || ballot.comment.chars().any(char::is_control) {
            let message = "a comment has at most 1000 bytes and no control characters";
            return Err(Error::Invalid(message.to_owned()));
        }
        if who.principal.on_behalf_of.is_some() {
            let message = "an agent's token cannot decide: use your own";
            return Err(Error::NotAllowed(message.to_owned()));
        }
        let _changing = self.changing.lock().await;
        let mut row = self.find(&ballot.id).await?;
        if !self.may_see(who, &row) {
            return Err(missing(&ballot.id));
        }
        let running = self.policies.running();
        let running = running.ok_or_else(|| Error::TooLate("no policy is running".to_owned()))?;
        let given = rules::given_by(&running.bundle, &row.approval.approvals, &who.principal);
        if given.is_empty() {
            let message = format!("this needs {}", row.approval.who);
            return Err(Error::NotAllowed(message));
        }
        if rules::is_requester(&row, &who.principal) {
            let message = "the requester cannot decide their own request";
            return Err(Error::NotAllowed(message.to_owned()));
        }
        refuse_late(&row, who)?;
        let now = self.clock.now_us();
        if now >= row.approval.expires_us {
            row.approval.set_state(ApprovalState::Expired);
            "nobody decided in time".clone_into(&mut row.ended);
            self.put(&mut row).await?;
            return Err(Error::TooLate("already expired".to_owned()));
        }
        if !ballot.digest.is_empty() && ballot.digest != row.approval.digest {
            let message = "the digest is not that of this approval: look at it again";
            return Err(Error::TooLate(message.to_owned()));
        }
        row.approval.decisions.push(ReviewerDecision {
            reviewer: who.name().to_owned(),
            approve: ballot.approve,
            comment: ballot.comment,
            time_us: now,
        });
        row.voters.push(Voter {
            issuer: who.principal.issuer.clone(),
            subject: who.principal.subject.clone(),
            approvals: given,
        });
        if ballot.only_this {
            batch::narrow(&mut row);
        }
        if !ballot.approve {
            row.approval.set_state(ApprovalState::Denied);
        } else if rules::is_given(&running.bundle, &row) {
            row.approval.set_state(ApprovalState::Approved);
            batch::give(&mut row, now);
        }
        self.put(&mut row).await?;
        let (approval, reviewer, approve) = (&row.approval.id, who.name(), ballot.approve);
        tracing::info!(%approval, reviewer, approve, "approval decided");
        Ok(row.approval)
    }
}

fn refuse_late(row: &ApprovalRow, who: &Operator) -> Result<(), Error> {
    let by = row.approval.decisions.last();
    let by = by.map_or("", |decision| &decision.reviewer);
    let message = match row.approval.state() {
        ApprovalState::Pending if rules::has_voted(&row.voters, &who.principal) => {
            "already approved by you; it needs other people too".to_owned()
        }
        ApprovalState::Pending => return Ok(()),
        ApprovalState::Approved => format!("already approved by {by}"),
        ApprovalState::Denied => format!("already denied by {by}"),
        ApprovalState::Expired => "already expired".to_owned(),
        ApprovalState::Cancelled => format!("already cancelled: {}", row.ended),
        ApprovalState::Lost | ApprovalState::Unspecified => format!("already lost: {}", row.ended),
    };
    Err(Error::TooLate(message))
}
