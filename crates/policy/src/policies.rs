//! `*.cedar`: the rules, each parsed, checked against the schema and given the name its author chose.

use std::{collections::BTreeMap, mem::discriminant, str::FromStr as _};

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, ValidationMode, ValidationWarning, Validator,
};
use miette::Diagnostic;

use crate::{
    Approval, Files,
    error::{Problems, line_of},
    labels::Labels,
    literals,
    names::{PLAIN, is_hidden, is_plain, meant},
    resources::ResourceRules,
    statement::{MAX_DEPTH, Statement, statements},
};

/// Policies in a bundle; each is evaluated for everything an operation touches.
const MAX_POLICIES: usize = 500;
/// Words, strings and operators of all policies: each is checked for every pair of action and object.
const MAX_TOTAL_WEIGHT: usize = 20_000;
/// A reason is shown in one line of an error message.
const MAX_REASON: usize = 300;
const ANNOTATIONS: [&str; 3] = ["id", "reason", "approval"];
/// Rules that are not in any bundle.
pub(crate) const DEFAULT_DENY: &str = "default-deny";
pub(crate) const POLICY_ERROR: &str = "policy-error";
pub(crate) const NO_POLICY: &str = "no-policy";
pub(crate) const AMBIGUOUS: &str = "ambiguous-request";

/// One policy of the bundle.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Carries the author's `@id` as its Cedar id.
    pub(crate) policy: Policy,
    pub(crate) reason: String,
    pub(crate) approval: Option<String>,
}

/// What policies may refer to.
pub(crate) struct Known<'a> {
    pub(crate) validator: &'a Validator,
    pub(crate) approvals: &'a BTreeMap<String, Approval>,
    pub(crate) labels: &'a Labels,
    pub(crate) resources: &'a BTreeMap<String, ResourceRules>,
}

/// One policy's text and where it is.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
    statement: Statement<'a>,
}

impl Source<'_> {
    /// Reports a problem at a byte offset of the statement.
    fn problem(&self, problems: &mut Problems, offset: usize, message: impl AsRef<str>) {
        let offset = self.statement.start.saturating_add(offset);
        problems.push(self.file, || line_of(self.text, offset), message);
    }

    /// Where `what` stands in the statement; its start if it does not.
    fn find(&self, what: &str) -> usize {
        self.statement.text.find(what).unwrap_or_default()
    }
}

/// Reads every `*.cedar` file.
pub(crate) fn parse(files: &Files, known: &Known<'_>, problems: &mut Problems) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let (mut count, mut weight) = (0_usize, 0_usize);
    for (file, text) in files.iter().filter(|(name, _)| name.ends_with(".cedar")) {
        for statement in statements(text) {
            let source = Source {
                file,
                text,
                statement,
            };
            count = count.saturating_add(1);
            if count > MAX_POLICIES {
                let message = format!("a bundle holds at most {MAX_POLICIES} policies");
                source.problem(problems, 0, message);
                return rules;
            }
            weight = weight.saturating_add(statement.weight);
            if weight > MAX_TOTAL_WEIGHT {
                let message = format!(
                    "the policies are too large together: more than {MAX_TOTAL_WEIGHT} words, \
                     strings and operators"
                );
                source.problem(problems, 0, message);
                return rules;
            }
            let Some(policy) = parse_one(&source, problems) else {
                continue;
            };
            let rule = annotated(&policy, &source, known, problems);
            let id = rule.policy.id().to_string();
            let at = format!("{file}:{}", line_of(text, statement.start));
            match ids.get(&id) {
                Some(first) => {
                    let message = format!("`@id(\"{id}\")` is taken by the policy at {first}");
                    source.problem(problems, source.find("@id"), message);
                }
                None if is_plain(&id) => {
                    ids.insert(id, at);
                }
                None => {}
            }
            check(&rule.policy, &source, known, problems);
            rules.push(rule);
        }
    }
    rules
}

fn parse_one(source: &Source<'_>, problems: &mut Problems) -> Option<Policy> {
    let depth = source.statement.depth;
    if depth > MAX_DEPTH {
        let message = format!(
            "the policy is {depth} levels deep, of at most {MAX_DEPTH}; join terms with `contains` \
             or split the policy"
        );
        source.problem(problems, 0, message);
        return None;
    }
    let set = match PolicySet::from_str(source.statement.text) {
        Ok(set) => set,
        Err(errors) => {
            for error in errors.iter() {
                diagnose(error, "", source, problems);
            }
            return None;
        }
    };
    let policy = set.policies().next().cloned();
    if policy.is_none() {
        let message = "templates are not supported: write the principal or resource itself";
        source.problem(problems, source.find("?"), message);
    }
    policy
}

/// The rule with its annotations checked; its id is `?` where the author gave none that will do.
fn annotated(
    policy: &Policy,
    source: &Source<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Rule {
    for (name, _) in policy.annotations() {
        if !ANNOTATIONS.contains(&name) {
            let message = format!("unknown annotation `@{name}`{}", meant(name, ANNOTATIONS));
            source.problem(problems, source.find(&format!("@{name}")), message);
        }
    }
    let id = match policy.annotation("id") {
        None => {
            let message = "the policy lacks `@id(\"…\")`, the name a refused client is shown";
            source.problem(problems, 0, message);
            "?"
        }
        Some(id) if !is_plain(id) => {
            let message = format!(
                "`@id(\"{}\")` is no name: a name is {PLAIN}",
                id.escape_debug()
            );
            source.problem(problems, source.find("@id"), message);
            "?"
        }
        Some(id) if [DEFAULT_DENY, POLICY_ERROR, NO_POLICY, AMBIGUOUS].contains(&id) => {
            let message = format!("`@id(\"{id}\")` is the name of a built-in rule");
            source.problem(problems, source.find("@id"), message);
            "?"
        }
        Some(id) => id,
    };
    let reason = policy.annotation("reason").unwrap_or_default();
    if reason.len() > MAX_REASON || reason.chars().any(is_hidden) {
        let message =
            format!("`@reason` must be one line of visible text, at most {MAX_REASON} bytes");
        source.problem(problems, source.find("@reason"), message);
    }
    let approval = policy.annotation("approval");
    if let Some(name) = approval {
        let at = source.find("@approval");
        if policy.effect() == Effect::Permit {
            let message = "`@approval` belongs on a `forbid`: it is what an approval lifts";
            source.problem(problems, at, message);
        }
        if !known.approvals.contains_key(name) {
            let meant = meant(name, known.approvals.keys().map(String::as_str));
            let message = format!("approval `{name}` is not defined in approvals.yaml{meant}");
            source.problem(problems, at, message);
        }
    }
    Rule {
        policy: policy.new_id(PolicyId::new(id)),
        reason: reason.to_owned(),
        approval: approval.map(str::to_owned),
    }
}

/// Checks a policy against the schema, and the entities it names against what can exist.
fn check(policy: &Policy, source: &Source<'_>, known: &Known<'_>, problems: &mut Problems) {
    for (literal, message) in literals::wrong(policy, known.labels, known.resources) {
        source.problem(problems, source.find(&literal), message);
    }
    let prefix = format!("for policy `{}`, ", policy.id());
    let Ok(set) = PolicySet::from_policies([policy.clone()]) else {
        return source.problem(problems, 0, "the policy is no static policy");
    };
    let result = known.validator.validate(&set, ValidationMode::Strict);
    // Cedar checks a policy once for each pair of action and resource it can meet and repeats itself.
    let mut errors: Vec<_> = result.validation_errors().collect();
    errors.sort_by_cached_key(|error| (offset(*error), error.to_string()));
    let mut seen = Vec::new();
    for error in errors {
        let what = (offset(error), discriminant(error));
        if !seen.contains(&what) {
            seen.push(what);
            diagnose(error, &prefix, source, problems);
        }
    }
    let sound = seen.is_empty();
    let inapplicable = result
        .validation_warnings()
        .any(|warning| matches!(warning, ValidationWarning::InvalidActionApplication(_)));
    for warning in result.validation_warnings() {
        match warning {
            // A policy that never applies protects nothing, and its author thinks it does. One that
            // has errors, or cannot even meet an action, is reported as that.
            ValidationWarning::ImpossiblePolicy(_) if !sound || inapplicable => {}
            ValidationWarning::InvalidActionApplication(_) if !sound => {}
            ValidationWarning::ImpossiblePolicy(_)
            | ValidationWarning::InvalidActionApplication(_)
            // A reviewer of the bundle must see what the machine reads.
            | ValidationWarning::BidiCharsInString(_)
            | ValidationWarning::BidiCharsInIdentifier(_)
            | ValidationWarning::MixedScriptString(_)
            | ValidationWarning::MixedScriptIdentifier(_)
            | ValidationWarning::ConfusableIdentifier(_) => {
                diagnose(warning, &prefix, source, problems);
            }
            _ => {}
        }
    }
}

/// Cedar's own finding in our form: its place, its words, and its help.
fn diagnose(found: &dyn Diagnostic, prefix: &str, source: &Source<'_>, problems: &mut Problems) {
    let label = found.labels().and_then(|mut labels| labels.next());
    let label = label.and_then(|label| label.label().map(str::to_owned));
    let help = found.help().map(|help| help.to_string());
    let parts = [Some(found.to_string()), label, help];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|part| part.replace(prefix, ""))
        .collect();
    source.problem(problems, offset(found), parts.join("; "));
}

/// Where a finding points to, in the text Cedar was given.
fn offset(found: &dyn Diagnostic) -> usize {
    let label = found.labels().and_then(|mut labels| labels.next());
    label.as_ref().map_or(0, miette::LabeledSpan::offset)
}
