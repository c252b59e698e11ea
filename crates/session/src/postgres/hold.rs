//! An operation that waits for people.

use std::rc::Rc;

use ostiary_operation::Operation;
use ostiary_policy::Verdict;
use ostiary_record::{ApprovalAsked, ApprovalResolved, ApprovalState, event::Kind};
use ostiary_wire::postgres::{Target, backend, frontend};
use sha2::{Digest as _, Sha256};

use super::Next;
use super::core::{Core, Fatal, encoded};
use super::expect::Expect;
use super::extended::Execute;
use super::judge::{Judgement, Read};
use super::names::Portal;
use super::open::Open;
use super::reply::{self, Refusal};
use super::simple::Query;
use crate::{AskApproval, Effect, Now, Outcome};

/// A portal that never exists: closing it changes nothing and makes the server speak.
const PING: &[u8] = b"\x01ostiary ping";

/// The one operation of a connection that waits; nothing behind it is read.
pub(super) struct Hold {
    operation: u64,
    approval_id: Option<String>,
    judgement: Rc<Judgement>,
    held: Held,
    /// Until when the control plane has to say that the approval is pending.
    ask_deadline: Option<Now>,
}

/// What waits.
pub(super) enum Held {
    Query {
        text: Rc<str>,
        read: Rc<Read>,
        operations: Rc<[Operation]>,
        bytes: Vec<u8>,
    },
    Call {
        text: Rc<str>,
        operations: Rc<[Operation]>,
        bytes: Vec<u8>,
    },
    Execute {
        name: Vec<u8>,
        text: Rc<str>,
        portal: Rc<Portal>,
        operations: Rc<[Operation]>,
        bytes: Vec<u8>,
    },
}

impl Held {
    fn text(&self) -> &str {
        match self {
            Self::Query { text, .. } | Self::Call { text, .. } | Self::Execute { text, .. } => text,
        }
    }

    fn operations(&self) -> &[Operation] {
        match self {
            Self::Query { operations, .. }
            | Self::Call { operations, .. }
            | Self::Execute { operations, .. } => operations,
        }
    }

    fn portal(&self) -> Option<&Portal> {
        match self {
            Self::Query { .. } | Self::Call { .. } => None,
            Self::Execute { portal, .. } => Some(portal),
        }
    }
}

impl Hold {
    pub(super) fn new(operation: u64, judgement: Rc<Judgement>, held: Held, core: &Core) -> Self {
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

    /// The record of its end.
    pub(super) fn resolved(
        &self,
        state: ApprovalState,
        reviewers: Vec<String>,
        comment: String,
    ) -> ApprovalResolved {
        ApprovalResolved {
            operation: self.operation,
            approval_id: self.approval_id.clone().unwrap_or_default(),
            state: state.into(),
            reviewers,
            comment,
        }
    }

    fn rule(&self) -> &str {
        self.judgement.rules.first().map_or("", String::as_str)
    }
}

impl Open {
    /// Asks for the approvals the operation needs and waits.
    pub(super) fn ask(&mut self, core: &mut Core, hold: Hold) {
        let Verdict::Approve(demand) = &hold.judgement.verdict else {
            return;
        };
        let target = self.judge.target();
        let ask = AskApproval {
            run: None,
            difference: None,
            operation: hold.operation,
            approvals: demand.approvals.clone(),
            statement: hold.held.text().to_owned(),
            digest: self.digest(&hold.held),
            parameters: hold
                .held
                .portal()
                .map_or_else(Vec::new, |portal| self.shown(portal).into_owned()),
            verb: hold.judgement.verb.to_owned(),
            accesses: hold.judgement.accesses.clone(),
            rule: hold.rule().to_owned(),
            reason: demand.reason.clone(),
            cancel_key_sha256: self.server.cancel_key.unwrap_or_default(),
            database: target.database.clone(),
            role: target.role.clone(),
            outlives_call: false,
            comes_again: false,
        };
        core.effects.push_back(Effect::AskApproval(ask));
        self.hold = Some(Box::new(hold));
    }

    /// Everything an approval covers: who, where, the statement and its parameters, each as it came.
    fn digest(&self, held: &Held) -> [u8; 32] {
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
        part(held.text().as_bytes());
        if let Held::Call { bytes, .. } = held {
            part(bytes);
        }
        if let Held::Execute { portal, .. } = held {
            part(&portal.fingerprint.digest());
            for prepared in &portal.prepared {
                for parameter_type in &prepared.parameter_types {
                    part(&parameter_type.to_be_bytes());
                }
            }
        }
        digest.finalize().into()
    }

    pub(super) fn on_approval(&mut self, core: &mut Core, outcome: Outcome) -> Result<Next, Fatal> {
        self.still_valid(core)?;
        let Some(mut hold) = self.hold.take() else {
            return Ok(Next::Stay);
        };
        if let Outcome::Pending {
            approval_id, who, ..
        } = outcome
        {
            self.on_pending(core, &mut hold, approval_id, &who);
            self.hold = Some(hold);
        } else {
            let resolution = Resolution::of(&outcome, hold.rule());
            let seq = core.record(Kind::ApprovalResolved(hold.resolved(
                resolution.state,
                resolution.reviewers.clone(),
                resolution.comment.clone(),
            )));
            match resolution.refusal {
                None => self.run_held(core, &hold, seq)?,
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
        self.pump_and_flush(core)
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
    fn run_held(&mut self, core: &mut Core, hold: &Hold, seq: u64) -> Result<(), Fatal> {
        let again = self.judge_all(hold.held.operations());
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
            return Ok(());
        }
        match &hold.held {
            Held::Query {
                text,
                read,
                operations,
                bytes,
            } => {
                let query = Query {
                    text,
                    read,
                    operations,
                    bytes,
                };
                self.run_query(core, &query, &again, hold.operation, seq);
                Ok(())
            }
            Held::Call {
                operations, bytes, ..
            } => {
                self.run_call(core, operations, bytes, &again, hold.operation, seq);
                Ok(())
            }
            Held::Execute {
                name,
                portal,
                operations,
                bytes,
                ..
            } => {
                let execute = Execute {
                    name,
                    portal,
                    operations,
                    bytes,
                };
                self.run_execute(core, &execute, &again, hold.operation, seq)
            }
        }
    }

    fn refuse_held(&mut self, core: &Core, held: &Held, refusal: Refusal) {
        match held {
            Held::Query { .. } | Held::Call { .. } => self.refuse_query(core, refusal),
            Held::Execute { .. } => self.refuse(refusal),
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
