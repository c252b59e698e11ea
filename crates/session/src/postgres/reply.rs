//! What a client is told when an operation is refused.

use ostiary_policy::{Denial, LabelledUse};
use ostiary_wire::postgres::backend::encode;
use serde_json::json;

/// A refusal on its way to the client, in place of the server's own error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) operation: u64,
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) sqlstate: &'static str,
    pub(super) verdict: &'static str,
    pub(super) approval_id: Option<String>,
    pub(super) hint: String,
    /// The labelled column it is about.
    pub(super) labelled: Option<LabelledUse>,
}

/// insufficient_privilege
pub(super) const DENIED: &str = "42501";
/// query_canceled
pub(super) const CANCELED: &str = "57014";
/// protocol_violation
pub(super) const PROTOCOL: &str = "08P01";
/// invalid_authorization_specification
pub(super) const LOGIN: &str = "28000";
/// cannot_connect_now
pub(super) const UNAVAILABLE: &str = "57P03";
/// admin_shutdown
pub(super) const KILLED: &str = "57P01";
/// connection_failure
pub(super) const CONNECTION_FAILURE: &str = "08006";
/// feature_not_supported
pub(super) const UNSUPPORTED: &str = "0A000";

impl Refusal {
    /// Policy said no.
    pub(super) fn denied(operation: u64, denial: &Denial) -> Self {
        let message = if denial.reason.is_empty() {
            format!("denied by rule `{}`", denial.rule)
        } else {
            format!("denied by rule `{}`: {}", denial.rule, denial.reason)
        };
        Self {
            operation,
            rule: denial.rule.clone(),
            message,
            sqlstate: DENIED,
            verdict: "deny",
            approval_id: None,
            hint: match &denial.labelled {
                Some(labelled) => format!("Nothing was run. {}", labelled.cure),
                None => "Nothing was run. The session goes on; this statement will be refused again until \
                         policy changes."
                    .to_owned(),
            },
            labelled: denial.labelled.clone(),
        }
    }

    /// What the server itself says of a name it does not know; names the session did not see made
    /// are not asked for.
    pub(super) fn missing(sqlstate: &'static str, what: &str, name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name);
        Self::native(sqlstate, format!("{what} \"{name}\" does not exist"))
    }

    /// An error that is no decision of policy.
    pub(super) fn native(sqlstate: &'static str, message: String) -> Self {
        Self {
            operation: 0,
            rule: String::new(),
            message,
            sqlstate,
            verdict: "native",
            approval_id: None,
            hint: String::new(),
            labelled: None,
        }
    }

    /// The wait for an approval ended without one.
    pub(super) fn unapproved(
        operation: u64,
        rule: &str,
        approval_id: Option<String>,
        (verdict, sqlstate): (&'static str, &'static str),
        message: String,
        hint: &str,
    ) -> Self {
        Self {
            operation,
            rule: rule.to_owned(),
            message,
            sqlstate,
            verdict,
            approval_id,
            hint: hint.to_owned(),
            labelled: None,
        }
    }

    /// Appends the ErrorResponse.
    pub(super) fn encode(&self, session_id: &str, out: &mut Vec<u8>) {
        if self.operation == 0 {
            error(out, "ERROR", self.sqlstate, &self.message, None, None);
            return;
        }
        let mut detail = json!({
            "decision": format!("{session_id}/{}", self.operation),
            "verdict": self.verdict,
            "rule": self.rule,
            "approval": self.approval_id,
            "ran": false,
            "next": self.next(),
        });
        if let (Some(labelled), Some(detail)) = (&self.labelled, detail.as_object_mut()) {
            detail.insert("column".to_owned(), json!(labelled.column));
            detail.insert("label".to_owned(), json!(labelled.label));
            detail.insert("use".to_owned(), json!(labelled.used));
            detail.insert("cure".to_owned(), json!(labelled.cure));
        }
        let detail = detail.to_string();
        error(
            out,
            "ERROR",
            self.sqlstate,
            &self.message,
            Some(&detail),
            Some(&self.hint),
        );
    }

    /// What a program can do about it.
    fn next(&self) -> &'static str {
        match self.verdict {
            "expired" | "cancelled" | "lost" => "retry",
            "rejected" => "do-not-retry",
            _ => "change-statement",
        }
    }
}

/// Appends an ErrorResponse. A text too long for a frame cannot come from here: every part is bounded.
pub(super) fn error(
    out: &mut Vec<u8>,
    severity: &str,
    sqlstate: &str,
    message: &str,
    detail: Option<&str>,
    hint: Option<&str>,
) {
    let before = out.len();
    if encode::error(out, severity, sqlstate, message, detail, hint).is_err() {
        out.truncate(before);
    }
}
