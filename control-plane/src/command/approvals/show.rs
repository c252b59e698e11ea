//! Approvals as people read them. What is shown is all of it, and nothing in it can hide.

use std::fmt::Write as _;

use ostiary_proto::{Approval, Difference};
use ostiary_record::ApprovalState;

use super::formatted::formatted;
use crate::output::{self, Paint, Printer, Table, block, one_line, span, unusual};

/// Characters of a statement shown in a list.
const CLIPPED: usize = 60;

/// A table.
pub(super) fn list(approvals: &[Approval]) -> String {
    let mut table = Table::new([
        "ID",
        "STATE",
        "ASKED",
        "EXPIRES",
        "AGENT",
        "RESOURCE",
        "WAITS FOR",
        "STATEMENT",
    ]);
    for it in approvals {
        table.row([
            it.id.clone(),
            output::state(it.state()).to_owned(),
            output::local(it.requested_us),
            output::local(it.expires_us),
            it.subject.clone(),
            format!("{}/{}", it.resource, it.database),
            it.who.clone(),
            clip(it),
        ]);
    }
    table.render()
}

/// One line for a change.
pub(super) fn change(it: &Approval, printer: Printer) -> String {
    let time = match it.decisions.last() {
        Some(decision) if it.state() != ApprovalState::Pending => decision.time_us,
        _ => it.requested_us,
    };
    format!(
        "{}  {}  {}  {} on {}/{} (waits for {}): {}",
        output::local(time),
        one_line(&it.id),
        state(it, printer),
        one_line(&it.subject),
        one_line(&it.resource),
        one_line(&it.database),
        one_line(&it.who),
        one_line(&clip(it)),
    )
}

/// Everything the approval covers.
pub(super) fn whole(it: &Approval, printer: Printer, now_us: u64) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<11}{value}");
        }
    };
    field("approval", &one_line(&it.id));
    field("state", &state(it, printer));
    let agent = match it.groups.is_empty() {
        true => format!("{} of {}", it.subject, it.issuer),
        false => format!(
            "{} of {} (groups {})",
            it.subject,
            it.issuer,
            it.groups.join(", ")
        ),
    };
    field("agent", &one_line(&agent));
    field("session", &one_line(&it.session_id));
    let target = output::target(&it.resource, &it.database, &it.role);
    field("resource", &one_line(&target));
    field("verb", &one_line(&it.verb));
    field("touches", &one_line(&it.accesses.join(", ")));
    let rule = match it.reason.is_empty() {
        true => it.rule.clone(),
        false => format!("{}: {}", it.rule, it.reason),
    };
    field("rule", &one_line(&rule));
    if let Some(batch) = &it.batch {
        field("covers", &one_line(&batch.covers));
        if batch.until_us > 0 {
            let until = output::local(batch.until_us);
            let used = format!("{} of {}, until {until}", batch.used, batch.requests);
            field("used", &used);
        }
    }
    field("waits for", &one_line(&it.who));
    field("asked", &output::local(it.requested_us));
    let left = it.expires_us.saturating_sub(now_us);
    let expires = match it.state() {
        ApprovalState::Pending if left > 0 => {
            format!("{} (in {})", output::local(it.expires_us), span(left))
        }
        _ => output::local(it.expires_us),
    };
    field("expires", &expires);
    field("digest", &output::hex(&it.digest));
    for decision in &it.decisions {
        let what = match decision.approve {
            true => "approved",
            false => "denied",
        };
        let mut line = format!(
            "{} by {}",
            output::local(decision.time_us),
            decision.reviewer
        );
        if !decision.comment.is_empty() {
            line = format!("{line}: {}", decision.comment);
        }
        field(what, &one_line(&line));
    }
    let _ = write!(
        text,
        "statement  {} bytes\n{}",
        it.statement.len(),
        block(&it.statement, "  | ")
    );
    if let Some(difference) = &it.difference {
        text.push_str(&changes(difference));
    }
    let is_sql = it.verb.starts_with("sql:");
    match is_sql.then(|| formatted(&it.statement, &it.accesses)) {
        Some(Some(formatted)) => {
            let _ = write!(
                text,
                "\nlaid out by a second reader\n{}",
                block(&formatted.text, "  | ")
            );
            if !formatted.unmentioned.is_empty() {
                let names = one_line(&formatted.unmentioned.join(", "));
                let note = printer.paint(Paint::Wait, "note:");
                let _ = write!(text, "\n{note} the second reader also sees {names}");
            }
        }
        Some(None) => {
            let _ = write!(text, "\nthe second reader cannot lay it out");
        }
        None => {}
    }
    for (number, parameter) in it.parameters.iter().enumerate() {
        let value = match &parameter.value {
            Some(value) => format!("`{}`", one_line(value)),
            None => "NULL".to_owned(),
        };
        let _ = write!(text, "\n  ${} = {value}", number + 1);
    }
    if let Some(note) = note(it) {
        let _ = write!(text, "\n{} {note}", printer.paint(Paint::Wait, "note:"));
    }
    text
}

/// What a dry run said the change would make of its object.
fn changes(difference: &Difference) -> String {
    if !difference.missing.is_empty() {
        return format!("\ndifference not known: {}", one_line(&difference.missing));
    }
    let mut text = "\ndifference".to_owned();
    if difference.changes.is_empty() {
        text.push_str(" none");
    }
    for it in &difference.changes {
        let value = |value: &Option<String>| {
            value
                .as_deref()
                .map_or_else(|| "(none)".to_owned(), one_line)
        };
        let (before, after) = (value(&it.before), value(&it.after));
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {}: {before} -> {after}", one_line(&it.path));
    }
    if difference.more > 0 {
        let _ = write!(text, "\n  and {} fields more", difference.more);
    }
    text
}

/// How a decision ended.
pub(super) fn outcome(it: &Approval, printer: Printer) -> String {
    match it.state() {
        ApprovalState::Pending => {
            format!(
                "{}: still waits for {}",
                one_line(&it.id),
                one_line(&it.who)
            )
        }
        _ => format!("{}: {}", one_line(&it.id), state(it, printer)),
    }
}

/// Letters of other scripts can pass for those of an identifier.
fn note(it: &Approval) -> Option<String> {
    let mut text = it.statement.clone();
    for value in it.parameters.iter().filter_map(|it| it.value.as_deref()) {
        text.push_str(value);
    }
    let named: Vec<String> = unusual(&text, 8)
        .into_iter()
        .map(|letter| {
            format!(
                "U+{:04X} `{}`",
                u32::from(letter),
                one_line(&letter.to_string())
            )
        })
        .collect();
    match named.is_empty() {
        true => None,
        false => Some(format!(
            "not everything here is ASCII: {}",
            named.join(", ")
        )),
    }
}

fn state(it: &Approval, printer: Printer) -> String {
    let paint = match it.state() {
        ApprovalState::Approved => Paint::Good,
        ApprovalState::Pending => Paint::Wait,
        ApprovalState::Denied | ApprovalState::Expired | ApprovalState::Lost => Paint::Bad,
        ApprovalState::Cancelled | ApprovalState::Unspecified => Paint::Dim,
    };
    printer.paint(paint, output::state(it.state()))
}

fn clip(it: &Approval) -> String {
    let mut characters = it.statement.chars();
    let mut text = match &it.batch {
        Some(batch) if batch.requests > 1 => format!("[up to {} alike] ", batch.requests),
        _ => String::new(),
    };
    text.extend(characters.by_ref().take(CLIPPED));
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use ostiary_proto::Approval;
    use ostiary_record::{ApprovalState, Parameter};

    use super::whole;
    use crate::output::Printer;

    #[test]
    fn what_is_shown_is_everything_and_cannot_hide() {
        let approval = Approval {
            id: "4f2a".into(),
            state: ApprovalState::Pending.into(),
            session_id: "9c81".into(),
            issuer: "http://127.0.0.1:7701".into(),
            subject: "agent\u{1b}[2J".into(),
            groups: vec!["agents".into()],
            resource: "shop".into(),
            database: "shop".into(),
            role: "shop_app".into(),
            verb: "sql:delete".into(),
            accesses: vec!["sql:delete public.orders".into()],
            statement: "DELETE FROM orders\nWHERE id = $1\r-- \u{202e}approved\u{202c}\n\
                        approval   harmless us\u{435}rs"
                .into(),
            parameters: vec![
                Parameter {
                    value: Some("7\u{1b}]52;c;eA==\u{7}".into()),
                },
                Parameter { value: None },
            ],
            rule: "deletes".into(),
            reason: "a person looks first".into(),
            digest: vec![0xab, 0xcd],
            who: "one of dba".into(),
            expires_us: 90_000_000,
            ..Approval::default()
        };
        let shown: Vec<String> = whole(&approval, Printer::plain(), 30_000_000)
            .lines()
            .filter(|line| !line.starts_with("asked") && !line.starts_with("expires"))
            .map(str::to_owned)
            .collect();
        expect![[r#"
            approval   4f2a
            state      pending
            agent      agent\x1b[2J of http://127.0.0.1:7701 (groups agents)
            session    9c81
            resource   shop, database shop, role shop_app
            verb       sql:delete
            touches    sql:delete public.orders
            rule       deletes: a person looks first
            waits for  one of dba
            digest     abcd
            statement  77 bytes
              | DELETE FROM orders
              | WHERE id = $1\r-- \u{202e}approved\u{202c}
              | approval   harmless usеrs
            the second reader cannot lay it out
              $1 = `7\x1b]52;c;eA==\x07`
              $2 = NULL
            note: not everything here is ASCII: U+202E `\u{202e}`, U+202C `\u{202c}`, U+0435 `е`"#]]
        .assert_eq(&shown.join("\n"));
        let request = Approval {
            verb: "http:POST".into(),
            statement: "POST /refunds".into(),
            ..Approval::default()
        };
        let shown = whole(&request, Printer::plain(), 30_000_000);
        assert!(!shown.contains("second reader"), "{shown}");
    }
}
