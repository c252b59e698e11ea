//! What is kept of a request and its response.

use ostiary_mask::{BodyMasker, body::Form};
use ostiary_operation::Operation;
use ostiary_policy::Decision;
use ostiary_record::{Operated, Refused as RefusedEvent, Replied, Verdict, event::Kind};
use sha2::{Digest as _, Sha256};

use super::{Agent, Api, Exchange, Request, digest, kubernetes};

pub(super) fn operated(
    agent: &Agent,
    exchange: &Exchange,
    body: &[u8],
    operation: &Operation,
    decision: &Decision,
    observed: bool,
) -> Kind {
    use ostiary_policy::Verdict::{Allow, Approve, Deny};
    let (verdict, reason) = match &decision.verdict {
        Allow => (Verdict::Allow, String::new()),
        Approve(demand) => (Verdict::Approve, demand.reason.clone()),
        Deny(denial) => (Verdict::Deny, denial.reason.clone()),
    };
    let mut statement = digest::statement(&exchange.request, &[]);
    statement.push_str(&said(operation));
    if !body.is_empty() {
        statement.push_str("\n\n");
        statement.push_str(&shown_body(agent.api, exchange, operation, body));
    }
    let shown = cut(&statement, agent.config.limits.record_statement);
    let accesses = operation.accesses.iter();
    Kind::Operated(Operated {
        operation: exchange.operation,
        statement: shown.to_owned(),
        statement_size: u64::try_from(statement.len()).unwrap_or(u64::MAX),
        // Of a whole statement the control plane makes it, for less than it costs here. By that of the
        // text that came, few guesses would tell what was masked.
        statement_sha256: match shown.len() < statement.len() {
            true => Sha256::digest(&statement).to_vec(),
            false => Vec::new(),
        },
        verb: operation.verb.as_str().to_owned(),
        accesses: accesses
            .map(|it| format!("{} {}", it.verb, it.object))
            .collect(),
        verdict: verdict.into(),
        rules: decision.rules.clone(),
        reason,
        bundle: agent.state.bundle.hash().to_owned(),
        parameters: Vec::new(),
        observed,
    })
}

/// The command of exec, as it would be typed: in the query its words are apart, and escaped.
fn said(operation: &Operation) -> String {
    let Some(objects) = &operation.facts.objects else {
        return String::new();
    };
    match &objects.command {
        Some(command) => format!("\n\n{command}"),
        None => String::new(),
    }
}

/// The request as reviewers read it. What Kubernetes keeps secret is not for them either.
pub(super) fn question(agent: &Agent, exchange: &Exchange, body: &[u8]) -> String {
    let shown = match (agent.api, &exchange.judged) {
        (Api::Kubernetes, Some(operation)) if !body.is_empty() => {
            shown_body(agent.api, exchange, operation, body).into_bytes()
        }
        (_, operation) => {
            let mut statement = digest::statement(&exchange.request, body);
            statement.push_str(&operation.as_ref().map(said).unwrap_or_default());
            return statement;
        }
    };
    digest::statement(&exchange.request, &shown)
}

/// The body of a request as the record keeps it: masked as a response would be.
fn shown_body(api: Api, exchange: &Exchange, operation: &Operation, body: &[u8]) -> String {
    let facts = operation.facts.request.as_deref();
    // What Kubernetes calls YAML is read only if it is JSON.
    let is_json = facts.is_some_and(|it| {
        it.content_type.ends_with("json")
            || (api == Api::Kubernetes && operation.facts.unreadable.is_none())
    }) && facts.is_some_and(|it| !it.body.is_empty());
    let form = if is_json { Form::Json } else { Form::Text };
    if operation.facts.unreadable.is_some() && std::str::from_utf8(body).is_err() {
        return format!("({} bytes that are not text)", body.len());
    }
    let masking = &exchange.masking;
    let mut fields = masking.fields.clone();
    if api == Api::Kubernetes && !kubernetes::can_show(operation, &mut fields) {
        return format!("({} bytes that are not shown)", body.len());
    }
    let mut masker = BodyMasker::new(form, fields, masking.rewriter());
    let mut shown = Vec::new();
    match masker
        .push(body, &mut shown)
        .and_then(|()| masker.finish(&mut shown))
    {
        Ok(()) => String::from_utf8_lossy(&shown).into_owned(),
        Err(_) => format!("({} bytes that could not be masked)", body.len()),
    }
}

pub(super) fn refused(request: &Request, why: &str) -> Kind {
    let target = request.target.escape_default().to_string();
    let reason = format!(
        "{} {}: {}",
        cut(&request.method, 32).escape_default(),
        cut(&target, 512),
        why
    );
    Kind::Refused(RefusedEvent {
        stage: "protocol".to_owned(),
        reason,
    })
}

pub(super) fn cut_short(operation: u64, why: &str, duration_us: u64) -> Kind {
    Kind::Replied(Replied {
        operation,
        error: why.to_owned(),
        duration_us,
        ..Replied::default()
    })
}

/// The first bytes of a text, whole characters only.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}
