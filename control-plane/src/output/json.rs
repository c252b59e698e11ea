//! Messages of the API as JSON: field names of `ostiary.v1`, times in RFC 3339, bytes in hex.

use ostiary_proto as proto;
use ostiary_record::{ApprovalState, Channel, Event, Parameter, Verdict, event::Kind};
use serde_json::{Value, json};

use super::instant;

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A guarded target.
pub(crate) fn resource(resource: &proto::Resource) -> Value {
    json!({
        "name": resource.name,
        "kind": resource.kind,
        "listen": resource.listen,
        "address": resource.address,
        "role": resource.role,
        "mode": resource.mode,
        "filters": resource.filters,
        "sessions": resource.sessions,
    })
}

/// A session without its events.
pub(crate) fn session(session: &proto::Session) -> Value {
    json!({
        "id": session.id,
        "resource": session.resource,
        "database": session.database,
        "role": session.role,
        "issuer": session.issuer,
        "subject": session.subject,
        "groups": session.groups,
        "on_behalf_of": session.on_behalf_of,
        "peer": session.peer,
        "application_name": session.application_name,
        "opened": instant(session.opened_us),
        "closed": instant(session.closed_us),
        "close_reason": session.close_reason,
        "operations": session.operations,
        "denied": session.denied,
        "held": session.held,
        "masked": session.masked,
        "events": session.events,
    })
}

/// An approval with what it covers.
pub(crate) fn approval(approval: &proto::Approval) -> Value {
    let decisions: Vec<Value> = approval
        .decisions
        .iter()
        .map(|decision| {
            json!({
                "reviewer": decision.reviewer,
                "approve": decision.approve,
                "comment": decision.comment,
                "time": instant(decision.time_us),
            })
        })
        .collect();
    json!({
        "id": approval.id,
        "state": state(approval.state()),
        "session_id": approval.session_id,
        "issuer": approval.issuer,
        "subject": approval.subject,
        "groups": approval.groups,
        "resource": approval.resource,
        "database": approval.database,
        "role": approval.role,
        "approvals": approval.approvals,
        "statement": approval.statement,
        "parameters": parameters(&approval.parameters),
        "verb": approval.verb,
        "accesses": approval.accesses,
        "rule": approval.rule,
        "reason": approval.reason,
        "digest": hex(&approval.digest),
        "requested": instant(approval.requested_us),
        "expires": instant(approval.expires_us),
        "decisions": decisions,
        "who": approval.who,
        "batch": approval.batch.as_ref().map(batch),
        "difference": approval.difference.as_ref().map(difference),
    })
}

/// What a change would make of its object.
fn difference(difference: &proto::Difference) -> Value {
    let changes: Vec<Value> = difference
        .changes
        .iter()
        .map(|it| json!({"path": it.path, "before": it.before, "after": it.after}))
        .collect();
    json!({
        "changes": changes,
        "more": difference.more,
        "missing": difference.missing,
    })
}

/// What an approval covers beside one request.
fn batch(batch: &proto::Batch) -> Value {
    json!({
        "covers": batch.covers,
        "requests": batch.requests,
        "within_us": batch.within_us,
        "used": batch.used,
        "until": instant(batch.until_us),
        "verb": batch.verb,
        "namespace": batch.namespace,
        "kind": batch.kind,
        "rules": batch.rules,
        "bundle": batch.bundle,
        "run": batch.run,
        "command": batch.command,
    })
}

/// One step of a session; `kind` names it and its fields stand beside it.
pub(crate) fn event(event: &Event) -> Value {
    let (kind, mut value) = match &event.kind {
        Some(Kind::ConnectionOpened(it)) => (
            "connection_opened",
            json!({
                "resource": it.resource,
                "peer": it.peer,
                "database": it.database,
                "requested_role": it.requested_role,
                "application_name": it.application_name,
            }),
        ),
        Some(Kind::LoggedIn(it)) => (
            "logged_in",
            json!({
                "issuer": it.issuer,
                "subject": it.subject,
                "groups": it.groups,
                "on_behalf_of": it.on_behalf_of,
                "role": it.role,
                "server_version": it.server_version,
            }),
        ),
        Some(Kind::Operated(it)) => (
            "operated",
            json!({
                "operation": it.operation,
                "statement": it.statement,
                "statement_size": it.statement_size,
                "statement_sha256": hex(&it.statement_sha256),
                "verb": it.verb,
                "accesses": it.accesses,
                "verdict": verdict(it.verdict()),
                "rules": it.rules,
                "reason": it.reason,
                "bundle": it.bundle,
                "parameters": parameters(&it.parameters),
                "observed": it.observed,
            }),
        ),
        Some(Kind::ApprovalAsked(it)) => (
            "approval_asked",
            json!({
                "operation": it.operation,
                "approval_id": it.approval_id,
                "approvals": it.approvals,
            }),
        ),
        Some(Kind::ApprovalResolved(it)) => (
            "approval_resolved",
            json!({
                "operation": it.operation,
                "approval_id": it.approval_id,
                "state": state(it.state()),
                "reviewers": it.reviewers,
                "comment": it.comment,
            }),
        ),
        Some(Kind::Replied(it)) => (
            "replied",
            json!({
                "operation": it.operation,
                "command_tag": it.command_tag,
                "sqlstate": it.sqlstate,
                "error": it.error,
                "rows": it.rows,
                "bytes": it.bytes,
                "masked": it.masked,
                "body": it.body,
                "columns": it.columns,
                "sample": it.sample.iter().map(|row| parameters(&row.values)).collect::<Vec<_>>(),
                "duration_us": it.duration_us,
                "exit_code": it.exit_code,
            }),
        ),
        Some(Kind::Streamed(it)) => (
            "streamed",
            json!({
                "operation": it.operation,
                "channel": channel(it.channel()),
                "text": String::from_utf8_lossy(&it.data),
                "size": it.size,
                "columns": it.columns,
                "lines": it.lines,
                "port": it.port,
            }),
        ),
        Some(Kind::Refused(it)) => ("refused", json!({"stage": it.stage, "reason": it.reason})),
        Some(Kind::Closed(it)) => (
            "closed",
            json!({"reason": it.reason, "operations": it.operations}),
        ),
        None => ("unknown", json!({})),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("session_id".into(), event.session_id.clone().into());
        fields.insert("seq".into(), event.seq.into());
        fields.insert("time".into(), instant(event.time_us));
        fields.insert("kind".into(), kind.into());
    }
    value
}

/// The name of a state, as the table and JSON show it.
pub(crate) fn state(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Unspecified => "unknown",
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Denied => "denied",
        ApprovalState::Expired => "expired",
        ApprovalState::Cancelled => "cancelled",
        ApprovalState::Lost => "lost",
    }
}

/// The name of a channel.
pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Unspecified => "unknown",
        Channel::Stdin => "stdin",
        Channel::Stdout => "stdout",
        Channel::Stderr => "stderr",
        Channel::Resize => "resize",
        Channel::ToPort => "to port",
        Channel::FromPort => "from port",
    }
}

/// The name of a verdict.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "unknown",
        Verdict::Allow => "allow",
        Verdict::Approve => "approve",
        Verdict::Deny => "deny",
    }
}

fn parameters(parameters: &[Parameter]) -> Vec<Option<&str>> {
    parameters.iter().map(|it| it.value.as_deref()).collect()
}
