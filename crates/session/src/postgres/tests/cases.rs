//! The shared case files, run by the engine alone. Which columns are masked takes a real server's word
//! for their origin, so that part is left to the end-to-end runner.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ostiary_policy::{Bundle, Files};
use ostiary_record::{Verdict, event::Kind};
use serde::Deserialize;

use super::answer::Answer;
use super::client::{Client, copy_data, copy_done, extended, query};
use super::rig::{Rig, config, principal};
use super::server::Auth;
use crate::State;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    groups: Vec<String>,
    #[serde(default)]
    policy: Files,
    #[serde(rename = "setup", default)]
    _setup: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    first: Vec<String>,
    sql: String,
    verdict: String,
    rule: Option<String>,
    #[serde(rename = "masked")]
    _masked: Option<BTreeSet<String>>,
    #[serde(rename = "hidden", default)]
    _hidden: BTreeSet<String>,
    #[serde(default)]
    server: bool,
    sends: Option<String>,
    #[serde(rename = "gets")]
    _gets: Option<String>,
    #[serde(rename = "tag")]
    _tag: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn example_policy() -> Files {
    let folder = root().join("docs/examples/policy");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Each character is a byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|it| u8::try_from(it).unwrap()).collect()
}

fn run(name: &str) {
    let path = root().join(format!("tests/cases/postgres/{name}.yaml"));
    let table: Table = serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut policy = example_policy();
    for (file, text) in table.policy {
        if text.is_empty() {
            policy.remove(&file);
        } else {
            policy.insert(file, text);
        }
    }
    let state = State {
        bundle: Rc::new(Bundle::parse(&policy).unwrap()),
        hash_key: Rc::new(vec![7; 32]),
    };
    let groups: Vec<&str> = table.groups.iter().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for case in table.cases.iter().filter(|case| !case.server) {
        // A Parse holds one statement; the real server says no to more.
        for mut message in [query(&case.sql), extended(&case.sql)] {
            let mut rig = Rig::with(state.clone(), Auth::Trust, config());
            rig.principal = principal(&groups);
            rig.server.whole = true;
            let mut rig = rig.logged_in();
            if !case.first.is_empty() {
                rig.send(&query("BEGIN"));
            }
            for sql in &case.first {
                rig.send(&query(sql));
            }
            let before = (rig.server.ran.len(), rig.events.len());
            if let Some(data) = &case.sends {
                let taking = Answer {
                    takes: Some(1),
                    ..Answer::default()
                };
                rig.server.on(&case.sql, taking);
                message.extend(copy_data(&bytes(data)));
                message.extend(copy_done());
                message.extend(Client::default().sync());
            }
            rig.send(&message);
            if let Err(error) = check(&mut rig, before, case) {
                wrong.push(format!("{}\n    {error}", case.sql));
            }
        }
    }
    let of = table.cases.len();
    assert!(
        wrong.is_empty(),
        "{} of {of} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn check(rig: &mut Rig, before: (usize, usize), case: &Case) -> Result<(), String> {
    let (ran_before, events_before) = before;
    // By its place: constants of the text may be masked on record.
    let events = rig.events.iter().skip(events_before);
    let recorded = events.into_iter().find_map(|event| match &event.kind {
        Some(Kind::Operated(operated)) => Some(operated.clone()),
        _ => None,
    });
    let recorded = recorded.ok_or("not on record")?;
    let verdict = match Verdict::try_from(recorded.verdict) {
        Ok(Verdict::Allow) => "allow",
        Ok(Verdict::Approve) => "approve",
        _ => "deny",
    };
    if verdict != case.verdict {
        return Err(format!(
            "{verdict}: {} ({:?})",
            recorded.reason, recorded.rules
        ));
    }
    if let Some(rule) = &case.rule
        && !recorded.rules.contains(rule)
    {
        return Err(format!("by {:?}", recorded.rules));
    }
    let (ran, asked) = (rig.server.ran.len(), rig.asked.len());
    if (ran > ran_before, asked > 0) != (verdict == "allow", verdict == "approve") {
        return Err(format!("{ran} statements ran, {asked} were asked for"));
    }
    let sent = case.sends.as_deref().filter(|_| verdict == "allow");
    if rig.server.taken != bytes(sent.unwrap_or_default()) {
        return Err(format!("the server was sent {:?}", rig.server.taken));
    }
    if verdict == "approve" {
        rig.approve(crate::Outcome::Expired);
    }
    if !case.first.is_empty() {
        rig.send(&query("ROLLBACK"));
    }
    rig.works();
    Ok(())
}

#[test]
fn verdicts() {
    run("verdicts");
}

#[test]
fn copies() {
    run("copies");
}

#[test]
fn masks() {
    run("masks");
}

#[test]
fn rows() {
    run("rows");
}

#[test]
fn texts() {
    run("texts");
}

#[test]
fn reach() {
    run("reach");
}

#[test]
fn leaks() {
    run("leaks");
}

#[test]
fn detours() {
    run("detours");
}
