//! Statements in, operations out.

mod attacks;
mod columns;
mod copies;
mod derived;
mod everyday;
mod fields;
mod limits;
mod shapes;
mod statements;

use std::fmt::Write as _;

use expect_test::Expect;

use super::{Analysis, Named, Outputs, Reading, Statement, analyze};

const USUAL: Reading = Reading {
    standard_conforming_strings: true,
    utf8: true,
    server_utf8: true,
};

/// One line for each statement: verb, accesses, then the facts that are not as usual.
fn render(analysis: &Analysis) -> String {
    let mut text = String::new();
    for statement in &analysis.statements {
        render_statement(&mut text, statement);
        text.push('\n');
    }
    text
}

fn render_statement(text: &mut String, statement: &Statement) {
    let operation = &statement.operation;
    let facts = &operation.facts;
    if let Some(reason) = &facts.unreadable {
        write!(text, "unreadable: {reason}").unwrap();
        return;
    }
    let name = |verb: crate::Verb| verb.as_str().trim_start_matches("sql:");
    let accesses: Vec<String> = operation
        .accesses
        .iter()
        .map(|access| format!("{} {}", name(access.verb), access.object))
        .collect();
    write!(text, "{}: {}", name(operation.verb), accesses.join(", ")).unwrap();
    if !facts.functions.is_empty() {
        let functions: Vec<&str> = facts.functions.iter().map(String::as_str).collect();
        write!(text, " | calls {}", functions.join(" ")).unwrap();
    }
    if !facts.has_where {
        text.push_str(" | no where");
    }
    if facts.dynamic {
        text.push_str(" | dynamic");
    }
    if let Some(limit) = facts.row_limit {
        write!(text, " | limit {limit}").unwrap();
    }
    if let Outputs::Clean(clean) = &statement.outputs
        && clean.contains(&true)
    {
        write!(text, " | clean {clean:?}").unwrap();
    }
    match &statement.named {
        None => {}
        Some(Named::Prepare { name, .. }) => write!(text, " | prepare {name}").unwrap(),
        Some(Named::Execute { name }) => write!(text, " | execute {name}").unwrap(),
        Some(Named::Declare { name, .. }) => write!(text, " | declare {name}").unwrap(),
        Some(Named::Fetch { name }) => write!(text, " | fetch {name}").unwrap(),
        Some(Named::Forget { name, .. }) => write!(text, " | forget {name:?}").unwrap(),
    }
}

#[track_caller]
fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&render(&analyze(sql, USUAL)));
}

/// Each text in its own lines, so that a table of cases is one expectation.
#[track_caller]
fn check_all(texts: &[&str], expected: Expect) {
    let mut all = String::new();
    for text in texts {
        writeln!(all, "{}", visible(text)).unwrap();
        for line in render(&analyze(text, USUAL)).lines() {
            writeln!(all, "  {line}").unwrap();
        }
    }
    expected.assert_eq(&all);
}

/// The text with every character that cannot be seen spelled out.
fn visible(text: &str) -> String {
    let mut visible = String::new();
    for character in text.chars() {
        if character.is_control() || !character.is_ascii() && !character.is_alphanumeric() {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    visible
}

/// Every statement of the text must be read.
#[track_caller]
fn readable(text: &str) {
    let analysis = analyze(text, USUAL);
    assert!(!analysis.statements.is_empty(), "{text}");
    for statement in &analysis.statements {
        assert_eq!(statement.operation.facts.unreadable, None, "{text}");
    }
}
