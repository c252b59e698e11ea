//! A session told step by step, as `replay` and `tail` print it.

use std::{fmt::Write as _, time::Duration};

use ostiary_proto::Session;
use ostiary_record::{
    ApprovalState, Channel, Event, Operated, Replied, Streamed, Verdict, event::Kind,
};

use crate::output::{self, Paint, Printer, block, clock, count, one_line, span};

/// Under the time and number of a step.
const MARGIN: &str = "              ";

/// How long to wait between two events.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Not at all.
    Instant,
    /// As long as it was, over `speed`, up to `max_pause`.
    Own {
        speed: f64,
        max_pause: Option<Duration>,
    },
}

impl Pace {
    /// The wait between an event and the one before it.
    pub(crate) fn pause(self, before_us: Option<u64>, time_us: u64) -> Option<Duration> {
        let Self::Own { speed, max_pause } = self else {
            return None;
        };
        let passed = Duration::from_micros(time_us.saturating_sub(before_us?));
        let scaled = passed.as_secs_f64() / speed;
        // A factor of next to nothing gives more than a duration holds.
        let pause = Duration::try_from_secs_f64(scaled).unwrap_or(Duration::MAX);
        Some(max_pause.map_or(pause, |max| pause.min(max)))
    }
}

/// Who and where, before the steps.
pub(crate) fn heading(it: &Session) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<10}{}", one_line(value));
        }
    };
    field("session", &it.id);
    if !it.subject.is_empty() {
        field("agent", &format!("{} of {}", it.subject, it.issuer));
    }
    field("for", &it.on_behalf_of);
    field("groups", &it.groups.join(", "));
    field(
        "resource",
        &output::target(&it.resource, &it.database, &it.role),
    );
    field("from", &it.peer);
    field("client", &it.application_name);
    field("opened", &output::local(it.opened_us));
    let closed = match it.closed_us {
        0 => "still open".to_owned(),
        closed => format!(
            "{} after {} ({})",
            output::local(closed),
            span(closed.saturating_sub(it.opened_us)),
            it.close_reason
        ),
    };
    field("closed", &closed);
    field(
        "totals",
        &format!(
            "{}, {} denied, {} held, {} masked",
            count(it.operations, "operation"),
            it.denied,
            it.held,
            count(it.masked, "value")
        ),
    );
    text
}

/// A statement that was found.
pub(crate) fn hit(session: &Session, event: &Event, printer: Printer) -> String {
    let id: String = session.id.chars().take(12).collect();
    let place = format!(
        "{id}  {} on {}/{}",
        session.subject, session.resource, session.database
    );
    let time = output::local(event.time_us);
    let place = printer.paint(Paint::Dim, &one_line(&place));
    match &event.kind {
        Some(Kind::Operated(it)) => format!(
            "{time}  {place}\n{}\n{}",
            block(&it.statement, "    "),
            indent(&judged(it, printer), "    ")
        ),
        _ => format!("{time}  {place}"),
    }
}

/// One event, in as many lines as it needs.
pub(crate) fn step(event: &Event, printer: Printer) -> String {
    let time = printer.paint(Paint::Dim, &clock(event.time_us));
    let text = match &event.kind {
        Some(Kind::ConnectionOpened(it)) => {
            let mut text = format!("connected from {} to {}", it.peer, it.resource);
            // HTTP has neither.
            for (what, name) in [("database", &it.database), ("as", &it.requested_role)] {
                if !name.is_empty() {
                    text = format!("{text}, {what} {name}");
                }
            }
            if !it.application_name.is_empty() {
                text = format!("{text}, with {}", it.application_name);
            }
            one_line(&text)
        }
        Some(Kind::LoggedIn(it)) => {
            let mut text = format!("logged in: {} of {}", it.subject, it.issuer);
            if !it.on_behalf_of.is_empty() {
                text = format!("{text}, for {}", it.on_behalf_of);
            }
            if !it.role.is_empty() {
                text = format!("{text}, as {} on server {}", it.role, it.server_version);
            }
            one_line(&text)
        }
        Some(Kind::Operated(it)) => operated(it, printer),
        Some(Kind::ApprovalAsked(it)) => {
            let text = format!(
                "#{} waits: approval {} of {}",
                it.operation,
                it.approval_id,
                it.approvals.join(" and ")
            );
            printer.paint(Paint::Wait, &one_line(&text))
        }
        Some(Kind::ApprovalResolved(it)) => {
            let state = it.state();
            let mut text = format!("#{} {}", it.operation, output::state(state));
            if !it.reviewers.is_empty() {
                text = format!("{text} by {}", it.reviewers.join(" and "));
            }
            if !it.comment.is_empty() {
                text = format!("{text}: {}", it.comment);
            }
            let paint = match state {
                ApprovalState::Approved => Paint::Good,
                _ => Paint::Bad,
            };
            printer.paint(paint, &one_line(&text))
        }
        Some(Kind::Replied(it)) => replied(it, printer),
        Some(Kind::Streamed(it)) => streamed(it, printer),
        Some(Kind::Refused(it)) => {
            let text = format!("refused ({}): {}", it.stage, it.reason);
            printer.paint(Paint::Bad, &one_line(&text))
        }
        Some(Kind::Closed(it)) => one_line(&format!(
            "closed by {} after {}",
            it.reason,
            count(it.operations, "operation")
        )),
        None => "an event this version does not know".to_owned(),
    };
    format!("{time}  {text}")
}

fn operated(it: &Operated, printer: Printer) -> String {
    let number = format!("#{} ", it.operation);
    let mut text = format!("{number}{}", block(&it.statement, MARGIN).trim_start());
    let kept = u64::try_from(it.statement.len()).unwrap_or(u64::MAX);
    if it.statement_size > kept {
        let _ = write!(text, "\n{MARGIN}… {} bytes in all", it.statement_size);
    }
    for (number, parameter) in it.parameters.iter().enumerate() {
        let value = match &parameter.value {
            Some(value) => format!("`{}`", one_line(value)),
            None => "NULL".to_owned(),
        };
        let _ = write!(text, "\n{MARGIN}${} = {value}", number + 1);
    }
    let _ = write!(text, "\n{}", indent(&judged(it, printer), MARGIN));
    text
}

/// The verdict, its rule and what the statement touches.
fn judged(it: &Operated, printer: Printer) -> String {
    let (paint, verdict) = match it.verdict() {
        Verdict::Allow => (Paint::Good, "allowed"),
        Verdict::Approve => (Paint::Wait, "held"),
        Verdict::Deny => (Paint::Bad, "denied"),
        Verdict::Unspecified => (Paint::Bad, "no verdict"),
    };
    let mut text = String::new();
    if !it.rules.is_empty() {
        let rules: Vec<String> = it.rules.iter().map(|rule| format!("`{rule}`")).collect();
        let _ = write!(text, " by {}", rules.join(", "));
    }
    if !it.reason.is_empty() {
        let _ = write!(text, ": {}", it.reason);
    }
    if it.observed {
        text.push_str(" (observed only: it passed)");
    }
    let touches = match it.accesses.is_empty() {
        true => it.verb.clone(),
        false => it.accesses.join(", "),
    };
    format!(
        "{}{}\n{}",
        printer.paint(paint, verdict),
        one_line(&text),
        printer.paint(Paint::Dim, &one_line(&touches))
    )
}

fn replied(it: &Replied, printer: Printer) -> String {
    let took = span(it.duration_us);
    if !it.sqlstate.is_empty() || !it.error.is_empty() {
        // HTTP has a status in place of an SQLSTATE.
        let code = match it.sqlstate.is_empty() {
            true => &it.command_tag,
            false => &it.sqlstate,
        };
        let text = one_line(&format!("ERROR {code}: {}", it.error));
        return format!(
            "#{} {} ({took})",
            it.operation,
            printer.paint(Paint::Bad, &text)
        );
    }
    let mut text = format!("#{} {} ({took}", it.operation, one_line(&it.command_tag));
    if it.masked > 0 {
        let _ = write!(text, ", {} masked", count(it.masked, "value"));
    }
    if let Some(code) = it.exit_code {
        let _ = write!(text, ", exit code {code}");
    }
    text.push(')');
    if !it.body.is_empty() {
        let _ = write!(text, "\n{}", indent(&block(&it.body, ""), MARGIN));
        let kept = u64::try_from(it.body.len()).unwrap_or(u64::MAX);
        if it.bytes > kept {
            let _ = write!(text, "\n{MARGIN}… {} bytes in all", it.bytes);
        }
    }
    if !it.columns.is_empty() {
        let rows: Vec<Vec<Option<String>>> = it
            .sample
            .iter()
            .map(|row| row.values.iter().map(|value| value.value.clone()).collect())
            .collect();
        let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let _ = write!(text, "\n{}", output::result(&it.columns, &rows, MARGIN));
        let rest = match it.rows.saturating_sub(shown) {
            0 => String::new(),
            more => format!(", {more} not recorded"),
        };
        let rows = count(it.rows, "row");
        let _ = write!(text, "\n{MARGIN}({rows}{rest})");
    }
    text
}

fn streamed(it: &Streamed, printer: Printer) -> String {
    let channel = output::channel(it.channel());
    if it.channel() == Channel::Resize {
        let size = format!("#{} terminal of {}x{}", it.operation, it.columns, it.lines);
        return printer.paint(Paint::Dim, &size);
    }
    if matches!(it.channel(), Channel::ToPort | Channel::FromPort) {
        let size = match it.size {
            0 => String::new(),
            size => format!(": {size} bytes"),
        };
        let text = format!("#{} {channel} {}{size}", it.operation, it.port);
        return printer.paint(Paint::Dim, &text);
    }
    let mut text = printer.paint(Paint::Dim, &format!("#{} {channel}", it.operation));
    let said = String::from_utf8_lossy(&it.data);
    if !said.is_empty() {
        let lines = said.strip_suffix('\n').unwrap_or(&said);
        let _ = write!(text, "\n{}", block(lines, &format!("{MARGIN}| ")));
    }
    let kept = u64::try_from(it.data.len()).unwrap_or(u64::MAX);
    if it.size > kept {
        let more = it.size.saturating_sub(kept);
        let _ = write!(text, "\n{MARGIN}… {more} bytes were not kept");
    }
    text
}

fn indent(text: &str, margin: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
