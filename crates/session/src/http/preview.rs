//! What a change that waits for people would do, asked of the target before they are asked: the object as
//! it is, and what the same request would make of it as a dry run.
//!
//! It is a help for reviewers and never a verdict: whatever comes of it, people are asked, in bounded time.
//! A dry run is sent only where Kubernetes itself heeds it; where that is not known nothing is sent. A
//! deletion is not tried at all: what goes is the object as it is.

use std::collections::BTreeSet;

use ostiary_mask::body::Form;
use ostiary_operation::{Object, Operation, Verb, kubernetes};
use ostiary_policy::ApprovalDemand;
use serde_json::Value;

use super::{
    Agent, Api, Difference, Effect, Exchange, Identity, difference::Shown, exchange::Phase,
};
use crate::Now;

/// How long reviewers wait for it, microseconds.
const PATIENCE_US: u64 = 2_000_000;
/// Bytes of a request that is tried, and of an object that is compared.
const MAX_BODY: usize = 256 << 10;

/// Groups that are Kubernetes' own. What others serve may be behind the server, and take a dry run for
/// the change itself.
const OWN_GROUPS: [&str; 12] = [
    "",
    "admissionregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The object as it is.
    Before,
    /// As it would be.
    After,
}

/// A request of the gateway's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// Of which the answer is the answer.
    pub which: Which,
    /// `GET`
    pub method: String,
    /// With its query.
    pub path: String,
    /// The credential among them.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The whole of its body; `None` if it is longer than is read.
    pub body: Option<Vec<u8>>,
}

/// Bytes of an answer's body that are read.
pub const MAX_ANSWER: usize = MAX_BODY;

/// The wait.
#[derive(Debug)]
pub(super) struct Preview {
    demand: ApprovalDemand,
    rules: Vec<String>,
    before: Part,
    after: Part,
}

#[derive(Debug)]
enum Part {
    Waits,
    Absent,
    Object { whole: Value, masked: Value },
    Missing(String),
}

impl Part {
    fn shown(&self) -> Option<Shown<'_>> {
        match self {
            Self::Object { whole, masked } => Some(Shown { whole, masked }),
            Self::Waits | Self::Absent | Self::Missing(_) => None,
        }
    }

    fn missing(&self) -> Option<&str> {
        match self {
            Self::Waits => Some("the server did not answer in time"),
            Self::Missing(why) => Some(why),
            Self::Absent | Self::Object { .. } => None,
        }
    }
}

impl Exchange {
    /// Asks people, after the target if they are to see the difference.
    pub(super) fn ask_with_difference(
        &mut self,
        agent: &mut Agent,
        demand: ApprovalDemand,
        rules: Vec<String>,
        now: Now,
    ) {
        let calls = match &self.judged {
            Some(operation) if wants(agent, &demand, operation) => self.calls(agent, operation),
            _ => return self.ask(agent, demand, rules, None, now),
        };
        let calls = match calls {
            Ok(calls) => calls,
            Err(why) => {
                let difference = Difference::missing(why);
                return self.ask(agent, demand, rules, Some(difference), now);
            }
        };
        let part = |which| match calls.iter().any(|call| call.which == which) {
            true => Part::Waits,
            false => Part::Absent,
        };
        self.phase = Phase::Comparing(Box::new(Preview {
            demand,
            rules,
            before: part(Which::Before),
            after: part(Which::After),
        }));
        self.wait_until(now.after(PATIENCE_US));
        for call in calls {
            self.push(Effect::AskTarget(Box::new(call)));
        }
    }

    /// The target's answer to one of [`Effect::AskTarget`]; `None` if there is none.
    pub fn on_target(&mut self, agent: &mut Agent, which: Which, answer: Option<Answer>, now: Now) {
        if !matches!(self.phase, Phase::Comparing(_)) {
            return;
        }
        let part = self.part(which, answer);
        let Phase::Comparing(preview) = &mut self.phase else {
            return;
        };
        match which {
            Which::Before => preview.before = part,
            Which::After => preview.after = part,
        }
        let waits = |part: &Part| matches!(part, Part::Waits);
        if !waits(&preview.before) && !waits(&preview.after) {
            self.end_preview(agent, now);
        }
    }

    /// All has come, or time is up.
    pub(super) fn end_preview(&mut self, agent: &mut Agent, now: Now) {
        let Phase::Comparing(preview) = std::mem::replace(&mut self.phase, Phase::Done) else {
            return;
        };
        let Preview {
            demand,
            rules,
            before,
            after,
        } = *preview;
        let difference = match before.missing().or(after.missing()) {
            Some(why) => Difference::missing(why),
            None => Difference::between(before.shown(), after.shown()),
        };
        self.ask(agent, demand, rules, Some(difference), now);
    }

    /// An answer, with what is masked in it masked.
    fn part(&self, which: Which, answer: Option<Answer>) -> Part {
        let missing = |why: &str| Part::Missing(why.to_owned());
        let Some(answer) = answer else {
            return missing("the server could not be asked");
        };
        match (which, answer.status) {
            (_, 200) | (Which::After, 201) => {}
            // Applying may create it.
            (Which::Before, 404) => return Part::Absent,
            (Which::Before, status) => {
                return Part::Missing(format!("the server did not show the object ({status})"));
            }
            (Which::After, status) => {
                return Part::Missing(format!("the server refused the dry run ({status})"));
            }
        }
        let Some(body) = answer.body.filter(|body| body.len() <= MAX_BODY) else {
            return missing("the object is too large");
        };
        let mut masker = self.masking.masker(Form::Json);
        let mut masked = Vec::new();
        let outcome = masker
            .push(&body, &mut masked)
            .and_then(|()| masker.finish(&mut masked));
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
        match (outcome, read(&body), read(&masked)) {
            (Ok(()), Some(whole @ Value::Object(_)), Some(masked)) => {
                Part::Object { whole, masked }
            }
            _ => missing("the server's answer could not be read"),
        }
    }

    /// What the target is asked, or why it is not.
    fn calls(&self, agent: &Agent, operation: &Operation) -> Result<Vec<Call>, &'static str> {
        if operation.facts.unreadable.is_some() {
            return Err("the body of the request could not be read");
        }
        let mut objects = operation.accesses.iter().map(|it| &it.object);
        let (
            Some(Object::Kind {
                group,
                subresource,
                name,
                ..
            }),
            None,
        ) = (objects.next(), objects.next())
        else {
            return Err("it is not about one object");
        };
        let creates = operation.verb == Verb::K8sCreate;
        if name.is_none() && !creates {
            return Err("it is not about one object");
        }
        let body = self.body.as_deref().unwrap_or_default();
        let target = self.request.target.as_str();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut calls = Vec::new();
        if !creates {
            calls.push(self.call(agent, Which::Before, "GET", path, &[]));
        }
        if operation.verb == Verb::K8sDelete {
            return match subresource.is_empty() {
                true => Ok(calls),
                false => Err("it is not known what the deletion of this subresource does"),
            };
        }
        let heeds = OWN_GROUPS.contains(&group.as_str())
            && matches!(subresource.as_str(), "" | "status" | "scale");
        if !heeds {
            return Err("it is not known whether the server heeds a dry run of this kind");
        }
        if body.len() > MAX_BODY {
            return Err("the request is too large");
        }
        // Before all that the client wrote: nothing in that can take it back.
        let mut dry = format!("{path}?dryRun=All");
        if !query.is_empty() {
            dry.push('&');
            dry.push_str(query);
        }
        let method = &self.request.method;
        let call = self.call(agent, Which::After, method, &dry, body);
        // What reads every request has the last word on whether this one changes nothing.
        let headers = &self.request.headers;
        let read = kubernetes::Head::read(method, &dry, headers).and_then(|it| it.operation(body));
        let is_dry = read.is_ok_and(|it| {
            it.accesses == operation.accesses && it.facts.objects.is_some_and(|it| it.dry_run)
        });
        if !is_dry {
            return Err("the request has no dry run");
        }
        calls.push(call);
        Ok(calls)
    }

    fn call(&self, agent: &Agent, which: Which, method: &str, path: &str, body: &[u8]) -> Call {
        // The manager of fields is named after the user agent.
        let kept = BTreeSet::from(["content-type", "user-agent"]);
        let own = self.request.headers.iter();
        let own = own.filter(|(name, _)| {
            kept.contains(name.as_str()) && (name != "content-type" || !body.is_empty())
        });
        let mut headers: Vec<(String, String)> = own.cloned().collect();
        for (name, value) in [
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        if let Identity::Known(it) = agent.identity() {
            let own = it.headers.iter();
            headers.extend(own.map(|it| (it.name.clone(), it.value.clone())));
        }
        Call {
            which,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: body.to_vec(),
        }
    }
}

/// Whether reviewers are to see what a request would change.
fn wants(agent: &Agent, demand: &ApprovalDemand, operation: &Operation) -> bool {
    let bundle = &agent.state.bundle;
    let mut rules = demand.approvals.iter().filter_map(|it| bundle.approval(it));
    let is_dry = operation
        .facts
        .objects
        .as_ref()
        .is_some_and(|it| it.dry_run);
    let changes = matches!(
        operation.verb,
        Verb::K8sCreate
            | Verb::K8sUpdate
            | Verb::K8sPatch
            | Verb::K8sDelete
            | Verb::K8sDeleteCollection
    );
    agent.api == Api::Kubernetes && changes && !is_dry && rules.any(|it| it.difference)
}
