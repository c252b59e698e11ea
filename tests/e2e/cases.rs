//! The tables of `tests/cases`, end to end.

use std::collections::BTreeSet;

use ostiary_tests::{
    Context as _, Result, ensure,
    postgres::Postgres,
    stack::{Policy, Stack, example_policy},
    tools,
    wire::Message,
};
use serde::Deserialize;

use crate::{of_kind, with_own};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(skip)]
    name: String,
    groups: Vec<String>,
    #[serde(default)]
    policy: Policy,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    sql: String,
    verdict: String,
    rule: Option<String>,
    masked: Option<BTreeSet<String>>,
}

#[test]
fn verdicts() -> Result<()> {
    run("verdicts")
}

#[test]
fn masks() -> Result<()> {
    run("masks")
}

#[test]
fn rows() -> Result<()> {
    run("rows")
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
    with_own(&policy, |stack, postgres| {
        let mut wrong = Vec::new();
        for (number, case) in table.cases.iter().enumerate() {
            if let Err(error) = check(stack, postgres, &table, number, case) {
                wrong.push(format!("{}\n    {error:#}", case.sql));
            }
        }
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

fn check(
    stack: &Stack,
    postgres: &Postgres,
    table: &Table,
    number: usize,
    case: &Case,
) -> Result<()> {
    let groups: Vec<&str> = table.groups.iter().map(String::as_str).collect();
    let subject = format!("case-{number}");
    // So that it can be told from every other statement of every other test.
    let sql = format!("{} /* {subject} of {} */", case.sql, table.name);
    let agent = stack.agent_in(&subject, &groups)?;
    let mut raw = agent.raw()?;
    raw.query("BEGIN")?;
    if case.verdict == "approve" {
        raw.send(&ostiary_tests::wire::message(
            'Q',
            &ostiary_tests::wire::text(&sql),
        ))?;
        stack
            .reviewer("rita")?
            .pending(&sql)
            .context("it does not wait")?;
        drop(raw);
    } else {
        let answer = raw.query(&sql)?;
        let error = answer
            .iter()
            .find(|it| it.tag == 'E')
            .and_then(|it| it.field('M'));
        if case.verdict == "deny" {
            let error = error.with_context(|| format!("not refused: {answer:?}"))?;
            ensure!(
                error.starts_with("denied by rule"),
                "refused otherwise: {error}"
            );
            ensure!(!postgres.was_sent(&sql), "the server was sent it");
        } else {
            ensure!(error.is_none(), "refused: {error:?}");
            if let Some(masked) = &case.masked {
                compare(&answer, postgres, &sql, masked)?;
            }
        }
        raw.query("ROLLBACK")?;
        let usable = raw.query("SELECT 1")?;
        ensure!(
            usable.iter().any(|it| it.tag == 'D'),
            "the session is not usable: {usable:?}"
        );
        drop(raw);
    }
    let events = stack.auditor()?.recorded(&subject)?;
    let operated = of_kind(&events, "operated");
    let recorded: Vec<_> = operated
        .iter()
        .filter(|it| it["statement"].as_str().is_some_and(|it| it == sql))
        .collect();
    ensure!(!recorded.is_empty(), "it is not on record: {operated:?}");
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
    sql: &str,
    masked: &BTreeSet<String>,
) -> Result<()> {
    let direct = postgres.admin("shop")?.simple_query(sql)?;
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
            if bare.is_some() && masked.contains(column.name()) {
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
