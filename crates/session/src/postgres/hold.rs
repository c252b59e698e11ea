//! An operation that waits for people.

use ostiary_policy::Verdict;
use ostiary_record::{ApprovalAsked, ApprovalResolved, ApprovalState, event::Kind};
use ostiary_wire::postgres::{Target, backend, frontend};
use sha2::{Digest as _, Sha256};

use super::Next;
use super::core::{Core, Fatal, encoded};
use super::extended::Execute;
use super::judge::Judgement;
use super::open::{Expect, Open};
use super::reply::{self, Refusal};
use super::simple::Query;
use crate::{AskApproval, Effect, Now, Outcome};

/// A portal that never exists: closing it changes nothing and makes the server speak.
const PING: &[u8] = b"\x01ostiary ping";

/// The one operation of a connection that waits; nothing behind it is read.
pub(super) struct Hold {
    pub(super) operation: u64,
    pub(super) approval_id: Option<String>,
    judgement: Judgement,
    held: Held,
    /// Until when the control plane has to say that the approval is pending.
    ask_deadline: Option<Now>,
}

/// What waits.
pub(super) enum Held {
    Query(Query),
    Execute(Execute),
}

impl Hold {
    pub(super) fn new(operation: u64, judgement: Judgement, held: Held, core: &Core) -> Self {
        let ask_deadline = Some(core.now.after(core.config.limits.ask_us));
        Self {
            operation,
            approval_id: None,
            judgement,
            held,
            ask_deadline,
        }
    }

    pub(super) fn deadline(&self) -> Option<Now> {
        self.ask_deadline
    }

    fn text(&self) -> &str {
        match &self.held {
            Held::Query(query) => &query.text,
            Held::Execute(execute) => &execute.text,
        }
    }

    fn rule(&self) -> &str {
        self.judgement.rules.first().map_or("", String::as_str)
    }
}

impl Open {
    /// Asks for the approvals the operation needs and waits.
    pub(super) fn ask(&mut self, core: &mut Core, hold: Hold, parameters: Vec<Option<String>>) {
        let Verdict::Approve(demand) = &hold.judgement.verdict else {
            return;
        };
        let target = self.judge.target();
        let ask = AskApproval {
            operation: hold.operation,
            approvals: demand.approvals.clone(),
            statement: hold.text().to_owned(),
            digest: self.digest(&hold, &parameters),
            parameters,
            verb: hold.judgement.verb.to_owned(),
            accesses: hold.judgement.accesses.clone(),
            rule: hold.rule().to_owned(),
            reason: demand.reason.clone(),
            cancel_key_sha256: self.server.cancel_key.unwrap_or_default(),
            database: target.database.clone(),
            role: target.role.clone(),
        };
        core.effects.push_back(Effect::AskApproval(ask));
        self.hold = Some(Box::new(hold));
    }

    /// Everything an approval covers: who, where, the statement and its parameters.
    fn digest(&self, hold: &Hold, parameters: &[Option<String>]) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(bytes);
        };
        let (principal, target) = (self.judge.principal(), self.judge.target());
        for text in [
            &principal.issuer,
            &principal.subject,
            &target.resource,
            &target.database,
            &target.role,
        ] {
            part(text.as_bytes());
        }
        part(hold.text().as_bytes());
        for parameter in parameters {
            match parameter {
                Some(value) => part(value.as_bytes()),
                None => part(b"\0NULL"),
            }
        }
        digest.finalize().into()
    }

    pub(super) fn on_approval(&mut self, core: &mut Core, outcome: Outcome) -> Result<Next, Fatal> {
        let Some(mut hold) = self.hold.take() else {
            return Ok(Next::Stay);
        };
        if let Outcome::Pending { approval_id, who } = outcome {
            self.on_pending(core, &mut hold, approval_id, &who);
            self.hold = Some(hold);
        } else {
            let resolution = Resolution::of(&outcome, hold.rule());
            let seq = core.record(Kind::ApprovalResolved(ApprovalResolved {
                operation: hold.operation,
                approval_id: hold.approval_id.clone().unwrap_or_default(),
                state: resolution.state.into(),
                reviewers: resolution.reviewers.clone(),
                comment: resolution.comment.clone(),
            }));
            match resolution.refusal {
                None => self.run_held(core, &hold, seq),
                Some((verdict, sqlstate, message, hint)) => {
                    let refusal = Refusal::unapproved(
                        hold.operation,
                        hold.rule(),
                        hold.approval_id.clone(),
                        (verdict, sqlstate),
                        message,
                        hint,
                    );
                    self.refuse_held(core, &hold.held, refusal);
                }
            }
        }
        let next = self.pump(core);
        self.flush(core);
        next
    }

    fn on_pending(&mut self, core: &mut Core, hold: &mut Hold, approval_id: String, who: &str) {
        let Verdict::Approve(demand) = &hold.judgement.verdict else {
            return;
        };
        hold.ask_deadline = None;
        if hold.approval_id.is_some() {
            return;
        }
        core.record(Kind::ApprovalAsked(ApprovalAsked {
            operation: hold.operation,
            approval_id: approval_id.clone(),
            approvals: demand.approvals.clone(),
        }));
        let message = format!("waiting for approval by {who} (approval {approval_id})");
        hold.approval_id = Some(approval_id);
        // The host can speak to the client only while the server does: close what does not exist.
        let ping = encoded(|out| {
            frontend::encode::close(out, Target::Portal, PING)?;
            frontend::encode::flush(out)
        });
        let notice = encoded(|out| {
            backend::encode::notice(
                out,
                "NOTICE",
                "00000",
                &message,
                None,
                Some("The statement runs once it is approved. Cancel it to stop waiting."),
            )
        });
        // Not `send`: what belongs to the waiting operation is kept back behind this.
        self.outbox.tail().extend(ping);
        self.expects.push_back(Expect::Ping(notice));
    }

    /// Judges the approved operation once more and sends it.
    fn run_held(&mut self, core: &mut Core, hold: &Hold, seq: u64) {
        let operations = match &hold.held {
            Held::Query(query) => &query.operations,
            Held::Execute(execute) => &execute.operations,
        };
        let again = self.judge(operations);
        let covered = match (&again.verdict, &hold.judgement.verdict) {
            (Verdict::Allow, _) => true,
            (Verdict::Approve(now), Verdict::Approve(then)) => now
                .approvals
                .iter()
                .all(|name| then.approvals.contains(name)),
            _ => false,
        };
        if !covered {
            let refusal = match &again.verdict {
                Verdict::Deny(denial) => Refusal::denied(hold.operation, denial),
                Verdict::Allow | Verdict::Approve(_) => Refusal::unapproved(
                    hold.operation,
                    hold.rule(),
                    hold.approval_id.clone(),
                    ("changed", reply::DENIED),
                    "policy changed while the statement waited; it needs another approval now"
                        .to_owned(),
                    "Nothing was run. Send the statement again to ask anew.",
                ),
            };
            self.refuse_held(core, &hold.held, refusal);
            return;
        }
        match &hold.held {
            Held::Query(query) => self.run_query(core, query, &again, hold.operation, seq),
            Held::Execute(execute) => {
                self.run_execute(core, execute, &again, hold.operation, seq);
            }
        }
    }

    fn refuse_held(&mut self, core: &Core, held: &Held, refusal: Refusal) {
        match held {
            Held::Query(_) => self.refuse_query(core, refusal),
            Held::Execute(_) => self.refuse(refusal),
        }
    }

    pub(super) fn on_hold_timeout(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let due = self.hold.as_ref().and_then(|hold| hold.ask_deadline);
        if due.is_some_and(|due| core.now >= due) {
            core.effects.push_back(Effect::CancelApproval);
            return self.on_approval(core, Outcome::Lost);
        }
        Ok(Next::Stay)
    }
}

/// How a wait ended.
struct Resolution {
    state: ApprovalState,
    reviewers: Vec<String>,
    comment: String,
    /// Verdict, SQLSTATE, message and hint; `None` if the operation may run.
    refusal: Option<(&'static str, &'static str, String, &'static str)>,
}

impl Resolution {
    fn of(outcome: &Outcome, rule: &str) -> Self {
        let (state, reviewers, comment, refusal) = match outcome {
            Outcome::Approved { reviewers, comment } => (
                ApprovalState::Approved,
                reviewers.clone(),
                comment.clone(),
                None,
            ),
            Outcome::Denied { reviewers, comment } => {
                let by = reviewers.join(", ");
                let why = if comment.is_empty() {
                    String::new()
                } else {
                    format!(": {comment}")
                };
                let message = format!("not approved (rule `{rule}`): denied by {by}{why}");
                let hint = "Nothing was run. A reviewer refused this statement.";
                let refusal = Some(("rejected", reply::DENIED, message, hint));
                (
                    ApprovalState::Denied,
                    reviewers.clone(),
                    comment.clone(),
                    refusal,
                )
            }
            // The control plane says Pending once; a second one changes nothing.
            Outcome::Pending { .. } | Outcome::Expired => {
                let message = format!("not approved (rule `{rule}`): nobody answered in time");
                let hint = "Nothing was run. Send the statement again to ask anew.";
                let refusal = Some(("expired", reply::DENIED, message, hint));
                (ApprovalState::Expired, Vec::new(), String::new(), refusal)
            }
            Outcome::Cancelled => {
                let message = "canceling statement due to user request".to_owned();
                let hint = "Nothing was run. The wait for an approval was cancelled.";
                let refusal = Some(("cancelled", reply::CANCELED, message, hint));
                (ApprovalState::Cancelled, Vec::new(), String::new(), refusal)
            }
            Outcome::Lost => {
                let message = format!("not approved (rule `{rule}`): the control plane was lost");
                let hint =
                    "Nothing was run. Send the statement again once the control plane is back.";
                let refusal = Some(("lost", reply::DENIED, message, hint));
                (ApprovalState::Lost, Vec::new(), String::new(), refusal)
            }
        };
        Self {
            state,
            reviewers,
            comment,
            refusal,
        }
    }
}
