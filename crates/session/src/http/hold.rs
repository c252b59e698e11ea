//! A request that waits for people.

use ostiary_policy::ApprovalDemand;
use ostiary_record::{ApprovalAsked, ApprovalResolved, ApprovalState, event::Kind};

use super::{
    Agent, Difference, Effect, Exchange, Reply, batch, digest::wont_wait, exchange::Phase, record,
    reply::Problem,
};
use crate::{AskApproval, Now, Outcome};

/// Seconds after which a client that does not wait should ask again.
const ASK_AGAIN: u64 = 5;

/// The wait.
#[derive(Debug)]
pub(super) struct Hold {
    operation: u64,
    demand: ApprovalDemand,
    rule: String,
    /// The rules that asked, where the answer may have been given to another request.
    shared: Option<Vec<String>>,
    approval_id: Option<String>,
    /// Until when the control plane has to say that the approval is pending.
    ask_deadline: Option<Now>,
}

impl Hold {
    pub(super) fn deadline(&self) -> Option<Now> {
        self.ask_deadline
    }

    /// Whether what was asked for is all that is needed now.
    pub(super) fn covers(&self, again: &ApprovalDemand, rules: &[String]) -> bool {
        let names = &self.demand.approvals;
        let is_same = self.shared.as_ref().is_none_or(|it| it == rules);
        is_same && again.approvals.iter().all(|name| names.contains(name))
    }

    pub(super) fn changed(&self, decision: &str) -> Reply {
        self.problem(
            "policy-changed",
            "policy changed while the request waited",
            decision,
        )
        .with(
            "retry",
            "Nothing was sent. Send the request again to ask anew.",
        )
        .reply()
    }

    /// The client asks again instead of waiting.
    fn later(&self, who: &str, decision: &str) -> Reply {
        let detail = format!("waits for approval by {who}");
        self.problem("approval-pending", &detail, decision)
            .with(
                "retry",
                "Nothing was sent. Send the very same request again: once it is approved it runs, once.",
            )
            .retry_after(ASK_AGAIN)
            .reply()
    }

    pub(super) fn cancelled(&self, why: &str) -> Kind {
        self.resolved(ApprovalState::Cancelled, Vec::new(), why.to_owned())
    }

    fn resolved(&self, state: ApprovalState, reviewers: Vec<String>, comment: String) -> Kind {
        Kind::ApprovalResolved(ApprovalResolved {
            operation: self.operation,
            approval_id: self.approval_id.clone().unwrap_or_default(),
            state: state.into(),
            reviewers,
            comment,
        })
    }

    fn problem(&self, kind: &str, detail: &str, decision: &str) -> Problem {
        let title = format!("not approved (rule `{}`)", self.rule);
        Problem::new(403, kind, &title, detail)
            .with("decision", decision)
            .with("rule", &self.rule)
            .with("approval", self.approval_id.as_deref().unwrap_or_default())
    }

    /// How the wait ended: for the record, and for the client unless the request may go on.
    fn end(&self, outcome: &Outcome, decision: &str) -> (Kind, Option<Reply>) {
        let anew = "Nothing was sent. Send the request again to ask anew.";
        let (state, kind, detail, retry) = match outcome {
            Outcome::Approved { reviewers, comment } => {
                let kind =
                    self.resolved(ApprovalState::Approved, reviewers.clone(), comment.clone());
                return (kind, None);
            }
            Outcome::Denied { reviewers, comment } => {
                let by = reviewers.join(", ");
                let detail = match comment.is_empty() {
                    true => format!("denied by {by}"),
                    false => format!("denied by {by}: {comment}"),
                };
                let reply = self
                    .problem("rejected", &detail, decision)
                    .with(
                        "retry",
                        "Nothing was sent. A reviewer refused this request.",
                    )
                    .reply();
                let kind = self.resolved(ApprovalState::Denied, reviewers.clone(), comment.clone());
                return (kind, Some(reply));
            }
            // The control plane says Pending once; a second one changes nothing.
            Outcome::Pending { .. } | Outcome::Expired => (
                ApprovalState::Expired,
                "expired",
                "nobody answered in time",
                anew,
            ),
            Outcome::Cancelled => (
                ApprovalState::Cancelled,
                "cancelled",
                "the wait was cancelled",
                anew,
            ),
            Outcome::Lost => (
                ApprovalState::Lost,
                "lost",
                "the control plane was lost",
                "Nothing was sent. Send the request again once the control plane is back.",
            ),
        };
        let reply = self
            .problem(kind, detail, decision)
            .with("retry", retry)
            .reply();
        (self.resolved(state, Vec::new(), String::new()), Some(reply))
    }
}

impl Exchange {
    pub(super) fn ask(
        &mut self,
        agent: &mut Agent,
        demand: ApprovalDemand,
        rules: Vec<String>,
        difference: Option<Difference>,
        now: Now,
    ) {
        let rule = rules.first().cloned().unwrap_or_default();
        let run = batch::run(agent, self, &rules);
        let shared = run.is_some().then_some(rules);
        let body = self.body.as_deref().unwrap_or_default();
        let accesses = self.judged.iter().flat_map(|it| &it.accesses);
        let ask = AskApproval {
            operation: self.operation,
            approvals: demand.approvals.clone(),
            statement: record::question(agent, self, body),
            parameters: Vec::new(),
            verb: self
                .judged
                .as_ref()
                .map_or_else(String::new, |it| it.verb.as_str().to_owned()),
            accesses: accesses
                .map(|it| format!("{} {}", it.verb, it.object))
                .collect(),
            rule: rule.clone(),
            reason: demand.reason.clone(),
            digest: self.digest(agent),
            cancel_key_sha256: [0; 32],
            database: String::new(),
            role: String::new(),
            outlives_call: self
                .request
                .headers
                .iter()
                .any(|(name, value)| wont_wait(name, value)),
            comes_again: self.asks_for_streams(),
            run: run.map(Box::new),
            difference: difference.map(Box::new),
        };
        self.phase = Phase::Waiting(Box::new(Hold {
            operation: self.operation,
            demand,
            rule,
            shared,
            approval_id: None,
            ask_deadline: Some(now.after(agent.config.limits.ask_us)),
        }));
        self.push(Effect::AskApproval(Box::new(ask)));
    }

    /// News of the approval.
    pub fn on_approval(&mut self, agent: &mut Agent, outcome: &Outcome, now: Now) {
        let decision = self.decision_id(agent);
        let Phase::Waiting(hold) = &mut self.phase else {
            return;
        };
        if let Outcome::Pending {
            approval_id,
            who,
            outlives_call,
        } = outcome
        {
            hold.ask_deadline = None;
            if hold.approval_id.is_none() {
                hold.approval_id = Some(approval_id.clone());
                let asked = ApprovalAsked {
                    operation: hold.operation,
                    approval_id: approval_id.clone(),
                    approvals: hold.demand.approvals.clone(),
                };
                agent.record(Kind::ApprovalAsked(asked), now);
            }
            if *outlives_call {
                let reply = hold.later(who, &decision);
                self.push(Effect::CancelApproval);
                self.reply(reply);
            }
            return;
        }
        let (resolved, reply) = hold.end(outcome, &decision);
        let seq = agent.record(resolved, now);
        match (reply, std::mem::replace(&mut self.phase, Phase::Done)) {
            (Some(reply), _) => self.reply(reply),
            (None, Phase::Waiting(hold)) => self.run_approved(agent, &hold, seq, now),
            (None, _) => {}
        }
    }

    pub(super) fn on_ask_timeout(&mut self, agent: &mut Agent, now: Now) {
        self.push(Effect::CancelApproval);
        self.on_approval(agent, &Outcome::Lost, now);
    }
}
