//! The one function that decides.
//!
//! Each access is judged by two sets. The first holds every `permit` and every plain `forbid`; it
//! must allow. The second holds the annotated `forbid`s beside a permit of everything; each that
//! matches asks for its approval. An operation passes only if all its accesses do.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    ActionConstraint, Authorizer, Effect, EntityUid, Policy, PolicyId, PolicySet, Request, Response,
};
use ostiary_operation::{Access, Object, Operation, Principal, Protocol, Target, Verb};

use crate::{
    ApprovalDemand, Decision, Denial, Verdict,
    entities::{Case, Question, Untold, Vocabulary},
    keys::Keys,
    mentions::Mentions,
    names::shown,
    policies::{AMBIGUOUS, DEFAULT_DENY, POLICY_ERROR, Rule},
    schema::REVEAL,
};

/// The rules of a bundle, sorted into the sets that are asked.
#[derive(Debug)]
pub(crate) struct Judge {
    vocabulary: Vocabulary,
    mentions: Mentions,
    keys: Keys,
    /// Permits and plain forbids.
    rules: PolicySet,
    /// The same, of permits only those that name the verb: for verbs that need it.
    named: BTreeMap<Verb, PolicySet>,
    /// The same, of permits only those that name `reveal`, and of forbids all.
    reveal: PolicySet,
    /// Annotated forbids and a permit of everything.
    asking: PolicySet,
    about: BTreeMap<String, About>,
}

/// What is shown of a rule, by its id.
#[derive(Debug)]
struct About {
    reason: String,
    approval: Option<String>,
}

/// What the sets said of all accesses so far.
#[derive(Default)]
struct Tally {
    errors: BTreeMap<String, String>,
    forbids: BTreeSet<String>,
    unpermitted: Option<Access>,
    asks: BTreeSet<String>,
    permits: BTreeSet<String>,
}

impl Judge {
    pub(crate) fn new(rules: &[Rule], mentions: Mentions, keys: Keys) -> Result<Self, String> {
        let vocabulary = Vocabulary::new()?;
        let reveal = vocabulary.action(REVEAL);
        let set = |which: &dyn Fn(&Rule) -> bool| {
            let policies = rules.iter().filter(|rule| which(rule));
            PolicySet::from_policies(policies.map(|rule| rule.policy.clone()))
                .map_err(|error| error.to_string())
        };
        let permits = |rule: &Rule| rule.policy.effect() == Effect::Permit;
        let asks = |rule: &Rule| rule.approval.is_some();
        let naming = |verb: Verb| {
            let action = vocabulary.action(verb.as_str());
            let rules =
                set(&|rule| !asks(rule) && (!permits(rule) || names(&rule.policy, &action)));
            rules.map(|rules| (verb, rules))
        };
        let named = Verb::ALL.into_iter().filter(|verb| verb.needs_naming());
        let named = named.map(naming).collect::<Result<_, _>>()?;
        let mut asking = set(&asks)?;
        // An id no author can choose.
        let id = Some(PolicyId::new("(everything)"));
        let blanket = Policy::parse(id, "permit (principal, action, resource);")
            .map_err(|error| error.to_string())?;
        asking.add(blanket).map_err(|error| error.to_string())?;
        Ok(Self {
            rules: set(&|rule| !asks(rule))?,
            named,
            reveal: set(&|rule| !permits(rule) || names(&rule.policy, &reveal))?,
            asking,
            about: rules
                .iter()
                .map(|rule| {
                    let about = About {
                        reason: rule.reason.clone(),
                        approval: rule.approval.clone(),
                    };
                    (rule.policy.id().to_string(), about)
                })
                .collect(),
            vocabulary,
            mentions,
            keys,
        })
    }

    /// The operation without what no rule asks of it: the verdict is the same.
    pub(crate) fn relevant(&self, operation: &Operation) -> Operation {
        self.keys.relevant(operation)
    }

    /// The verdict on one operation.
    pub(crate) fn decide(
        &self,
        who: &Principal,
        target: &Target,
        tags: &[String],
        operation: &Operation,
    ) -> Decision {
        let operation = self.relevant(operation);
        let request = operation.facts.request.as_deref();
        if let Some(key) = request.and_then(|request| self.keys.misspelt(request)) {
            let reason = format!(
                "`{}` is a field that policy asks for, in other letters",
                shown(key)
            );
            return Decision::deny(AMBIGUOUS, reason);
        }
        let operation = with_unreadable(operation);
        let case = self
            .vocabulary
            .case(who, target, tags, &operation, &self.mentions);
        match case.and_then(|case| self.tally(&case, &operation)) {
            Ok(tally) => self.verdict(tally, &operation),
            Err(error) => Decision::deny(POLICY_ERROR, error.to_string()),
        }
    }

    fn tally(&self, case: &Case, operation: &Operation) -> Result<Tally, Untold> {
        let accesses: Vec<&Access> = operation.accesses.iter().collect();
        let mut tally = Tally::default();
        for question in &case.questions {
            let Some(access) = accesses.get(question.access) else {
                continue;
            };
            let rules = self.named.get(&access.verb).unwrap_or(&self.rules);
            let answer = ask(case, question, rules)?;
            tally.add_errors(&answer);
            let determining = reasons(&answer);
            match answer.decision() {
                cedar_policy::Decision::Allow => tally.permits.extend(determining),
                cedar_policy::Decision::Deny if determining.is_empty() => {
                    tally.unpermitted.get_or_insert((*access).clone());
                }
                cedar_policy::Decision::Deny => tally.forbids.extend(determining),
            }
            let answer = ask(case, question, &self.asking)?;
            tally.add_errors(&answer);
            if answer.decision() == cedar_policy::Decision::Deny {
                tally.asks.extend(reasons(&answer));
            }
        }
        Ok(tally)
    }

    fn verdict(&self, tally: Tally, operation: &Operation) -> Decision {
        if let Some((rule, error)) = tally.errors.first_key_value() {
            let reason = format!("rule `{rule}` could not be evaluated: {}", shown(error));
            let rules = tally.errors.into_keys();
            return deny(POLICY_ERROR, reason, rules.collect());
        }
        if let Some(rule) = tally.forbids.first() {
            let reason = match self.about.get(rule) {
                Some(about) if !about.reason.is_empty() => about.reason.clone(),
                _ => "forbidden by policy".to_owned(),
            };
            return deny(rule, reason, tally.forbids.iter().cloned().collect());
        }
        if let Some(Access { verb, object }) = tally.unpermitted {
            let reason = match &operation.facts.unreadable {
                Some(why) if verb.is_unreadable() => {
                    format!("could not be read: {}", shown(why))
                }
                _ => format!("nothing permits `{verb}` on {}", shown(&object.to_string())),
            };
            return Decision::deny(DEFAULT_DENY, reason);
        }
        if tally.permits.is_empty() {
            return Decision::deny(DEFAULT_DENY, "the operation names nothing that it touches");
        }
        if tally.asks.is_empty() {
            return Decision {
                verdict: Verdict::Allow,
                rules: tally.permits.into_iter().collect(),
            };
        }
        let asking: Vec<&About> = tally
            .asks
            .iter()
            .filter_map(|rule| self.about.get(rule))
            .collect();
        let approvals = asking.iter().filter_map(|about| about.approval.clone());
        let approvals: BTreeSet<String> = approvals.collect();
        let reasons = asking.iter().map(|about| about.reason.as_str());
        let reasons: BTreeSet<&str> = reasons.filter(|reason| !reason.is_empty()).collect();
        let reasons: Vec<&str> = reasons.into_iter().collect();
        Decision {
            verdict: Verdict::Approve(ApprovalDemand {
                approvals: approvals.into_iter().collect(),
                reason: reasons.join("; "),
            }),
            rules: tally.asks.into_iter().collect(),
        }
    }

    /// Which of `labels` the principal may see as they are. What cannot be evaluated stays masked.
    pub(crate) fn revealed<'l>(
        &self,
        who: &Principal,
        target: &Target,
        tags: &[String],
        labels: impl Iterator<Item = &'l String> + Clone,
    ) -> BTreeSet<&'l str> {
        let case = self.vocabulary.reveal(who, target, tags, labels.clone());
        let Ok(case) = case else {
            return BTreeSet::new();
        };
        let may = |question| {
            ask(&case, question, &self.reveal).is_ok_and(|answer| {
                answer.decision() == cedar_policy::Decision::Allow
                    && answer.diagnostics().errors().next().is_none()
            })
        };
        let answers = case.questions.iter().zip(labels);
        answers
            .filter_map(|(question, label)| may(question).then_some(label.as_str()))
            .collect()
    }
}

impl Tally {
    fn add_errors(&mut self, answer: &Response) {
        for error in answer.diagnostics().errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            let why = error.inner().to_string();
            self.errors.insert(error.policy_id().to_string(), why);
        }
    }
}

/// Whether the policy's scope names the action itself: a blanket permit is not meant for what has to
/// be permitted by name.
fn names(policy: &Policy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => false,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.contains(action),
    }
}

/// An operation that could not be read is judged as such, whatever else it says of itself.
fn with_unreadable(mut operation: Operation) -> Operation {
    if operation.facts.unreadable.is_some() {
        let objects = || {
            let accesses = operation.accesses.iter();
            accesses.map(|access| access.object.clone()).collect()
        };
        let (verb, objects) = match operation.verb.protocol() {
            Protocol::Sql => (Verb::Unreadable, vec![Object::Database]),
            Protocol::Http => (Verb::HttpUnreadable, objects()),
            Protocol::Kubernetes => (Verb::K8sUnreadable, objects()),
        };
        let unread = objects.into_iter().map(|object| Access { verb, object });
        operation.accesses.extend(unread);
    }
    operation
}

fn ask(case: &Case, question: &Question, rules: &PolicySet) -> Result<Response, Untold> {
    let request = Request::new(
        case.principal.clone(),
        question.action.clone(),
        question.resource.clone(),
        case.context.clone(),
        None,
    )?;
    Ok(Authorizer::new().is_authorized(&request, rules, &case.entities))
}

fn reasons(answer: &Response) -> BTreeSet<String> {
    let reasons = answer.diagnostics().reason();
    reasons.map(ToString::to_string).collect()
}

fn deny(rule: &str, reason: String, rules: Vec<String>) -> Decision {
    Decision {
        verdict: Verdict::Deny(Denial {
            rule: rule.to_owned(),
            reason,
            labelled: None,
        }),
        rules,
    }
}
