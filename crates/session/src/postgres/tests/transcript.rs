//! Bytes and events as lines that people can compare.

use ostiary_record::{ApprovalState, Event, Parameter, Verdict, event::Kind};
use ostiary_wire::postgres::{
    Backend, DataRow, Frontend, Startup, Target, error_response::field, frame, startup,
};

fn text(bytes: &[u8]) -> String {
    bytes
        .escape_ascii()
        .to_string()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}

fn kind(target: Target) -> &'static str {
    match target {
        Target::Statement => "statement",
        Target::Portal => "portal",
    }
}

/// Frames for the server.
pub(super) fn to_server(bytes: &[u8], started: &mut bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if !*started {
            let Ok(Some((message, used))) = startup::take(rest) else {
                lines.push(format!("(broken) {}", text(rest)));
                break;
            };
            lines.push(match message {
                Startup::Ssl => "SSLRequest".to_owned(),
                Startup::GssEnc => "GSSENCRequest".to_owned(),
                Startup::Cancel { process_id, .. } => format!("CancelRequest {process_id}"),
                Startup::Startup(message) => {
                    *started = true;
                    let parameters: Vec<String> = message
                        .parameters
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect();
                    format!("Startup 3.{} {}", message.minor, parameters.join(" "))
                }
            });
            rest = &rest[used..];
            continue;
        }
        let frame = frame::take(rest, usize::MAX).unwrap().unwrap();
        lines.push(frontend(&Frontend::parse(frame.tag, frame.body).unwrap()));
        rest = &rest[frame.bytes.len()..];
    }
    lines
}

fn frontend(message: &Frontend<'_>) -> String {
    match message {
        Frontend::Query { sql } if sql.starts_with(b"WITH RECURSIVE l(") => {
            "Query (catalogue)".to_owned()
        }
        Frontend::Query { sql } => format!("Query {}", text(sql)),
        Frontend::Parse { name, sql, .. } => format!("Parse '{}' {}", text(name), text(sql)),
        Frontend::Bind {
            portal,
            statement,
            parameters,
            ..
        } => {
            let parameters: Vec<String> = parameters
                .iter()
                .map(|value| value.map_or("NULL".to_owned(), text))
                .collect();
            format!(
                "Bind '{}' <- '{}' [{}]",
                text(portal),
                text(statement),
                parameters.join(", ")
            )
        }
        Frontend::Describe { kind: target, name } => {
            format!("Describe {} '{}'", kind(*target), text(name))
        }
        Frontend::Execute { portal, max_rows } => format!("Execute '{}' {max_rows}", text(portal)),
        Frontend::Close { kind: target, name } => {
            format!("Close {} '{}'", kind(*target), text(name))
        }
        Frontend::Sync => "Sync".to_owned(),
        Frontend::Flush => "Flush".to_owned(),
        Frontend::Terminate => "Terminate".to_owned(),
        Frontend::Password(body) if body.starts_with(b"SCRAM") => {
            "Password (SCRAM first)".to_owned()
        }
        Frontend::Password(body) if body.starts_with(b"c=biws") => {
            "Password (SCRAM last)".to_owned()
        }
        Frontend::Password(body) => format!("Password {}", text(body)),
        other => format!("{other:?}"),
    }
}

/// Frames for the client; what is not a whole frame is shown as it is.
pub(super) fn to_client(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest.starts_with(b"N") && rest.get(1).is_none_or(|next| *next != 0) {
            lines.push("N".to_owned());
            rest = &rest[1..];
            continue;
        }
        let Ok(Some(frame)) = frame::take(rest, usize::MAX) else {
            lines.push(format!("(broken) {}", text(rest)));
            break;
        };
        lines.push(match Backend::parse(frame.tag, frame.body) {
            Ok(message) => backend(&message),
            Err(error) => format!("(malformed) {error}"),
        });
        rest = &rest[frame.bytes.len()..];
    }
    lines
}

fn backend(message: &Backend<'_>) -> String {
    match message {
        Backend::ParameterStatus { name, value } => {
            format!("ParameterStatus {}={}", text(name), text(value))
        }
        Backend::BackendKeyData { process_id, .. } => format!("BackendKeyData {process_id}"),
        Backend::ReadyForQuery { status } => format!("ReadyForQuery {}", char::from(status.code())),
        Backend::CommandComplete { tag } => format!("CommandComplete {}", text(tag)),
        Backend::RowDescription(columns) => {
            let names: Vec<String> = columns.iter().map(|column| text(column.name)).collect();
            format!("RowDescription {}", names.join(", "))
        }
        Backend::DataRow(body) => {
            let values: Vec<String> = DataRow::parse(body)
                .unwrap()
                .values()
                .map(|value| value.map_or("NULL".to_owned(), text))
                .collect();
            format!("DataRow {}", values.join(" | "))
        }
        Backend::ErrorResponse(fields) => format!("Error {}", said(*fields)),
        Backend::NoticeResponse(fields) => format!("Notice {}", said(*fields)),
        Backend::Authentication(step) => format!("Authentication {step:?}"),
        other => format!("{other:?}"),
    }
}

fn said(fields: ostiary_wire::postgres::Fields<'_>) -> String {
    let mut out = String::new();
    for (code, value) in fields.iter() {
        match code {
            field::SEVERITY_LOCALIZED => {}
            field::SEVERITY => out.push_str(&text(value)),
            field::SQLSTATE => out.push_str(&format!(" {}", text(value))),
            field::MESSAGE => out.push_str(&format!(": {}", text(value))),
            other => out.push_str(&format!(" [{}: {}]", char::from(other), text(value))),
        }
    }
    out
}

fn values(parameters: &[Parameter]) -> String {
    let values: Vec<&str> = parameters
        .iter()
        .map(|parameter| parameter.value.as_deref().unwrap_or("NULL"))
        .collect();
    values.join(" | ")
}

/// An event without its time.
pub(super) fn event(event: &Event) -> String {
    let what = match event.kind.as_ref().unwrap() {
        Kind::ConnectionOpened(e) => format!(
            "ConnectionOpened {} as {} [{}]",
            e.database, e.requested_role, e.application_name
        ),
        Kind::LoggedIn(e) => format!(
            "LoggedIn {} as {} on {}",
            e.subject, e.role, e.server_version
        ),
        Kind::Operated(e) => {
            let verdict = Verdict::try_from(e.verdict).unwrap().as_str_name();
            let verdict = verdict.trim_start_matches("VERDICT_").to_ascii_lowercase();
            let parameters = if e.parameters.is_empty() {
                String::new()
            } else {
                format!(" ({})", values(&e.parameters))
            };
            let observed = if e.observed { " (observed)" } else { "" };
            format!(
                "Operated {} {verdict}{observed} by {} {} [{}]: {}{parameters}",
                e.operation,
                e.rules.join("+"),
                e.verb,
                e.accesses.join(", "),
                e.statement
            )
        }
        Kind::ApprovalAsked(e) => format!(
            "ApprovalAsked {} {} {}",
            e.operation,
            e.approval_id,
            e.approvals.join("+")
        ),
        Kind::ApprovalResolved(e) => format!(
            "ApprovalResolved {} {} {} [{}] {}",
            e.operation,
            e.approval_id,
            ApprovalState::try_from(e.state)
                .unwrap()
                .as_str_name()
                .trim_start_matches("APPROVAL_STATE_")
                .to_ascii_lowercase(),
            e.reviewers.join(", "),
            e.comment
        ),
        Kind::Replied(e) => {
            let mut line = format!("Replied {}", e.operation);
            for part in [&e.command_tag, &e.sqlstate, &e.error] {
                if !part.is_empty() {
                    line.push_str(&format!(" {part}"));
                }
            }
            if e.rows > 0 {
                line.push_str(&format!(
                    " rows={} masked={} [{}]",
                    e.rows,
                    e.masked,
                    e.columns.join(", ")
                ));
                for row in &e.sample {
                    line.push_str(&format!(" ({})", values(&row.values)));
                }
            }
            line
        }
        Kind::Refused(e) => format!("Refused {}: {}", e.stage, e.reason),
        // Of Kubernetes alone.
        Kind::Streamed(_) => "Streamed".to_owned(),
        Kind::Closed(e) => format!("Closed {} {}", e.reason, e.operations),
    };
    format!("{} {what}", event.seq)
}
