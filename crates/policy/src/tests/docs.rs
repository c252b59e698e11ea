//! What the documentation shows works.

use std::{fs, path::PathBuf};

use super::{bundle, notation, shop, show, who};
use crate::{Bundle, Files};

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn example_files() -> Files {
    fs::read_dir(docs().join("examples/policy"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// The bundle of `docs/examples/policy`.
#[track_caller]
pub(super) fn example() -> Bundle {
    bundle(&example_files())
}

/// Code blocks of one language in `docs/policy.md`.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(docs().join("policy.md")).unwrap();
    let opening = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == opening) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn the_example_bundle_parses() {
    let bundle = example();
    let approval = bundle.approval("dba").unwrap();
    assert_eq!(approval.who(), "one of dba");
    assert_eq!(bundle.masks(&who("analysts"), &shop()).columns.len(), 3);
    assert_eq!(bundle.masks(&who("support"), &shop()).columns.len(), 2);
}

#[test]
fn every_policy_in_the_guide_is_valid() {
    let blocks = blocks("cedar");
    assert!(blocks.len() > 3);
    for block in blocks {
        let mut files = example_files();
        files.retain(|name, _| !name.ends_with(".cedar"));
        files.insert("guide.cedar".to_owned(), block);
        bundle(&files);
    }
}

#[test]
fn every_file_in_the_guide_is_valid() {
    let blocks = blocks("yaml");
    assert!(blocks.len() > 2);
    for block in blocks {
        let mut files = example_files();
        let name = block.lines().next().unwrap().trim_start_matches("# ");
        assert!(files.contains_key(name), "{name}");
        files.insert(name.to_owned(), block.clone());
        files.retain(|name, _| name.ends_with(".yaml"));
        let open = "@id(\"p\") permit (principal, action, resource);";
        files.insert("p.cedar".to_owned(), open.to_owned());
        bundle(&files);
    }
}

/// Blocks of `text decisions`: lines of `groups: operation -> decision`, for the example bundle.
#[test]
fn every_decision_in_the_guide_is_true() {
    let bundle = example();
    let mut count = 0;
    for line in blocks("text decisions")
        .iter()
        .flat_map(|block| block.lines())
    {
        let (question, expected) = line.split_once(" -> ").unwrap();
        let (groups, operation) = question.split_once(": ").unwrap();
        let operation = notation::operation(operation.trim());
        let decision = bundle.decide(&who(groups), &shop(), &operation);
        let shown = show(&decision);
        let (shown, _) = shown.rsplit_once(" [").unwrap();
        assert_eq!(shown, expected.trim(), "{line}");
        count += 1;
    }
    assert!(count > 5);
}
