//! Statements in, operations out.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{Analysis, Named, Outputs, Reading, Statement, analyze};

const USUAL: Reading = Reading {
    standard_conforming_strings: true,
    utf8: true,
};

fn render(analysis: &Analysis) -> String {
    let mut text = String::new();
    for statement in &analysis.statements {
        render_statement(&mut text, statement);
    }
    text
}

fn render_statement(text: &mut String, statement: &Statement) {
    let operation = &statement.operation;
    let facts = &operation.facts;
    if let Some(reason) = &facts.unreadable {
        writeln!(text, "unreadable: {reason}").unwrap();
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
        Some(Named::Forget { name }) => write!(text, " | forget {name:?}").unwrap(),
    }
    text.push('\n');
}

#[track_caller]
fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&render(&analyze(sql, USUAL)));
}

#[test]
fn reads_queries() {
    check("select a, b from s.t where c = 1 limit 5", expect![]);
}
