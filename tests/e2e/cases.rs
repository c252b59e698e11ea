//! The tables of `tests/cases`, end to end.

use std::collections::BTreeSet;

use ostiary_tests::{
    Context as _, Result,
    clients::Agent,
    ensure,
    postgres::Postgres,
    stack::{Policy, Stack, example_policy},
    tools,
    wire::{self, Message, Raw},
};
use serde::Deserialize;

use crate::{of_kind, with_policy};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(skip)]
    name: String,
    groups: Vec<String>,
    #[serde(default)]
    policy: Policy,
    /// Run once past the gateway, before the first case.
    #[serde(default)]
    setup: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Run in the same transaction before.
    #[serde(default)]
    first: Vec<String>,
    sql: String,
    verdict: String,
    rule: Option<String>,
    masked: Option<BTreeSet<String>>,
    /// As `masked`, and NULL is not told from a value.
    #[serde(default)]
    hidden: BTreeSet<String>,
    /// The engine alone cannot tell: it takes the catalogue of a real server.
    #[serde(rename = "server", default)]
    _server: bool,
    /// Data for COPY FROM STDIN; each character is a byte, as in `gets`.
    sends: Option<String>,
    /// The data of COPY TO STDOUT.
    gets: Option<String>,
    /// What the server says of it.
    tag: Option<String>,
}

#[test]
fn verdicts() -> Result<()> {
    run("verdicts")
}

#[test]
fn copies() -> Result<()> {
    run("copies")
}

#[test]
fn masks() -> Result<()> {
    run("masks")
}

#[test]
fn rows() -> Result<()> {
    run("rows")
}

#[test]
fn texts() -> Result<()> {
    run("texts")
}

#[test]
fn reach() -> Result<()> {
    run("reach")
}

#[test]
fn leaks() -> Result<()> {
    run("leaks")
}

#[test]
fn detours() -> Result<()> {
    run("detours")
}

fn run(name: &str) -> Result<()> {
    let path = tools::root().join(format!("tests/cases/postgres/{name}.yaml"));
    let mut table: Table = serde_yaml_ng::from_str(&std::fs::read_to_string(&path)?)
        .with_context(|| path.display().to_string())?;
    table.name = name.to_owned();
    let mut policy = example_policy()?;
    for (file, text) in &table.policy {
        match text.is_empty() {
            true => policy.remove(file),
            false => policy.insert(file.clone(), text.clone()),
        };
    }
    with_policy(&policy, |stack, postgres| {
        postgres
            .admin("shop")?
            .batch_execute(&table.setup.join(";\n"))
            .context("the setup")?;
        let wrong = try_all(stack, postgres, &table)?;
        ensure!(
            wrong.is_empty(),
            "{} of {} cases of {name} differ:\n{}",
            wrong.len(),
            table.cases.len(),
            wrong.join("\n")
        );
        Ok(())
    })
}

/// What is wrong, case by case. One session plays them all, but for those that wait.
fn try_all(stack: &Stack, postgres: &Postgres, table: &Table) -> Result<Vec<String>> {
    let groups: Vec<&str> = table.groups.iter().map(String::as_str).collect();
    let subject = format!("cases-{}", table.name);
    let agent = stack.agent_in(&subject, &groups)?;
    let mut wrong = Vec::new();
    let mut raw = agent.raw()?;
    for case in &table.cases {
        let outcome = if case.verdict == "approve" {
            waits(stack, &agent, table, case)
        } else {
            answers(&mut raw, postgres, table, case)
        };
        if let Err(error) = outcome {
            wrong.push(format!("{}\n    {error:#}", case.sql));
            raw = agent.raw()?;
        }
    }
    drop(raw);
    let auditor = stack.auditor()?;
    auditor.recorded(&subject)?;
    let events = auditor.events_of(&subject)?;
    let operated = of_kind(&events, "operated");
    for case in &table.cases {
        if let Err(error) = on_record(&operated, table, case) {
            wrong.push(format!("{}\n    {error:#}", case.sql));
        }
    }
    Ok(wrong)
}

/// The text as it is sent: told apart from every other statement of every other test.
fn text(table: &Table, case: &Case) -> String {
    format!("{} {}", case.sql, mark(table, case))
}

/// What stays of it on record whatever is masked. Two cases can differ in what comes first alone.
fn mark(table: &Table, case: &Case) -> String {
    let number = table.cases.iter().position(|it| std::ptr::eq(it, case));
    format!("/* {} {} */", table.name, number.unwrap_or_default())
}

fn begin(raw: &mut Raw, case: &Case) -> Result<()> {
    raw.query("BEGIN")?;
    for before in &case.first {
        let answer = raw.query(before)?;
        ensure!(
            answer.iter().all(|it| it.tag != 'E'),
            "`{before}` is refused: {answer:?}"
        );
    }
    Ok(())
}

/// The statement, and what data it takes: nobody waits for the server to ask for it.
fn asking(case: &Case, sql: &str) -> Vec<u8> {
    let mut messages = wire::message('Q', &wire::text(sql));
    if let Some(data) = &case.sends {
        messages.extend(wire::message('d', &bytes(data)));
        messages.extend(wire::message('c', b""));
    }
    messages
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|it| u8::try_from(it).unwrap()).collect()
}

/// Whether COPY gave what it should.
fn copied(answer: &[Message], case: &Case) -> Result<()> {
    if let Some(expected) = &case.gets {
        let data = answer.iter().filter(|it| it.tag == 'd');
        let data: Vec<u8> = data.flat_map(|it| it.body.clone()).collect();
        ensure!(
            data == bytes(expected),
            "it gets {:?}",
            data.escape_ascii().to_string()
        );
    }
    if let Some(expected) = &case.tag {
        let tag = answer.iter().find(|it| it.tag == 'C');
        let tag = tag.map(|it| it.body.trim_ascii_end().to_vec());
        let tag = tag.map(|it| String::from_utf8_lossy(&it).replace('\0', ""));
        ensure!(tag.as_ref() == Some(expected), "it says {tag:?}");
    }
    Ok(())
}

/// A session of its own waits until it is dropped.
fn waits(stack: &Stack, agent: &Agent, table: &Table, case: &Case) -> Result<()> {
    let sql = text(table, case);
    let mut raw = agent.raw()?;
    begin(&mut raw, case)?;
    raw.send(&asking(case, &sql))?;
    stack
        .reviewer("rita")?
        .pending(&sql)
        .context("it does not wait")?;
    Ok(())
}

fn answers(raw: &mut Raw, postgres: &Postgres, table: &Table, case: &Case) -> Result<()> {
    let sql = text(table, case);
    begin(raw, case)?;
    raw.send(&asking(case, &sql))?;
    let answer = raw.until('Z')?;
    let error = answer
        .iter()
        .find(|it| it.tag == 'E')
        .and_then(|it| it.field('M'));
    if case.verdict == "deny" {
        let error = error
            .as_deref()
            .with_context(|| format!("not refused: {answer:?}"))?;
        ensure!(
            error.starts_with("denied by rule"),
            "refused otherwise: {error}"
        );
        ensure!(!postgres.was_sent(&sql), "the server was sent it");
    } else {
        ensure!(error.is_none(), "refused: {error:?}");
        copied(&answer, case)?;
    }
    // What comes next would wait for its locks.
    raw.query("ROLLBACK")?;
    let masked = case
        .masked
        .as_ref()
        .or(Some(&case.hidden).filter(|it| !it.is_empty()));
    if let (None, Some(masked)) = (&error, masked) {
        compare(&answer, postgres, case, masked)?;
    }
    // Prepared statements and settings stay otherwise.
    let reset = raw.query("DISCARD ALL")?;
    ensure!(
        reset.iter().any(|it| it.tag == 'C'),
        "the session is not usable: {reset:?}"
    );
    Ok(())
}

/// The record holds the case, with its verdict and rule.
fn on_record(operated: &[&serde_json::Value], table: &Table, case: &Case) -> Result<()> {
    let mark = mark(table, case);
    let recorded: Vec<_> = operated
        .iter()
        .filter(|it| {
            it["statement"]
                .as_str()
                .is_some_and(|it| it.ends_with(&mark))
        })
        .collect();
    ensure!(!recorded.is_empty(), "it is not on record");
    // Several statements in one query may each be on record; the strictest counts.
    let strictness = |verdict: &str| {
        ["allow", "approve", "deny"]
            .iter()
            .position(|it| *it == verdict)
    };
    let verdict = recorded
        .iter()
        .filter_map(|it| it["verdict"].as_str())
        .max_by_key(|it| strictness(it));
    ensure!(
        verdict == Some(&case.verdict),
        "recorded as {verdict:?}, not {}",
        case.verdict
    );
    if let Some(rule) = &case.rule {
        let named = recorded.iter().any(|it| {
            it["rules"]
                .as_array()
                .is_some_and(|it| it.iter().any(|it| it == rule))
        });
        ensure!(
            named,
            "the rules are {:?}, not {rule}",
            recorded.iter().map(|it| &it["rules"]).collect::<Vec<_>>()
        );
    }
    Ok(())
}

/// Beside what the server answers without a gateway: a masked column differs wherever it holds a value,
/// every other one is equal.
fn compare(
    answer: &[Message],
    postgres: &Postgres,
    case: &Case,
    masked: &BTreeSet<String>,
) -> Result<()> {
    let mut admin = postgres.admin("shop")?;
    admin.batch_execute("BEGIN")?;
    for before in &case.first {
        admin.batch_execute(before)?;
    }
    let direct = admin.simple_query(&case.sql)?;
    let rows: Vec<_> = direct
        .iter()
        .filter_map(|it| match it {
            postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .collect();
    let found: Vec<Vec<Option<String>>> = answer
        .iter()
        .filter(|it| it.tag == 'D')
        .map(|it| {
            it.values()
                .into_iter()
                .map(|it| it.map(|it| String::from_utf8_lossy(&it).into_owned()))
                .collect()
        })
        .collect();
    ensure!(
        found.len() == rows.len(),
        "{} rows instead of {}",
        found.len(),
        rows.len()
    );
    let mut names = masked.clone();
    for (row, found) in rows.iter().zip(&found) {
        for (index, column) in row.columns().iter().enumerate() {
            let (bare, seen) = (row.get(index), found[index].as_deref());
            names.remove(column.name());
            if case.hidden.contains(column.name()) {
                ensure!(
                    seen == Some("[redacted]"),
                    "`{}` arrives as {seen:?} and is {bare:?}",
                    column.name()
                );
            } else if bare.is_some() && masked.contains(column.name()) {
                ensure!(bare != seen, "`{}` arrives bare: {bare:?}", column.name());
            } else {
                ensure!(
                    bare == seen,
                    "`{}` arrives as {seen:?} and is {bare:?}",
                    column.name()
                );
            }
        }
    }
    ensure!(names.is_empty(), "no column {names:?} in the result");
    Ok(())
}
