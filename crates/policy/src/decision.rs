//! What policy says of an operation.

/// The answer to "may this pass?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// The `@id` of every policy that determined the verdict, sorted.
    pub rules: Vec<String>,
}

/// What to do with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Forward it.
    Allow,
    /// Hold it until every named approval is given.
    Approve(ApprovalDemand),
    /// Refuse it.
    Deny(Denial),
}

/// The approvals an operation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalDemand {
    /// Names defined in `approvals.yaml`, sorted, at least one.
    pub approvals: Vec<String>,
    /// The `@reason` of the rule that asks, for the reviewer; may be empty.
    pub reason: String,
}

/// A refusal: data, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The rule that refused: a policy `@id`, or a built-in rule such as `default-deny`.
    pub rule: String,
    /// Why, for people: the policy's `@reason`, or a plain sentence.
    pub reason: String,
    /// The labelled column it is about, if it is about one.
    pub labelled: Option<LabelledUse>,
}

/// A use of a labelled column that its label does not permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledUse {
    /// `schema.table.column`.
    pub column: String,
    /// Its label.
    pub label: String,
    /// What it would be used for, in one word.
    pub used: &'static str,
    /// What the author of the statement, or of the policy, can do.
    pub cure: &'static str,
}

impl Decision {
    /// A denial by one rule.
    pub fn deny(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        let rule = rule.into();
        Self {
            rules: vec![rule.clone()],
            verdict: Verdict::Deny(Denial {
                rule,
                reason: reason.into(),
                labelled: None,
            }),
        }
    }
}
