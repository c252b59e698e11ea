//! What holds of the sources as text: which crate may know which, that docs name what exists, and that
//! files stay readable.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use ostiary_tests::{Result, ensure, process::must, tools::root};
use serde_json::Value;

/// Which of this workspace's crates each one may name. A new arrow is an argued change of this table.
const ARROWS: [(&str, &[&str]); 9] = [
    ("wire", &[]),
    ("operation", &[]),
    ("mask", &[]),
    ("record", &[]),
    ("policy", &["operation", "mask"]),
    (
        "session",
        &["wire", "operation", "mask", "policy", "record"],
    ),
    ("proto", &["record"]),
    (
        "filter",
        &["session", "proto", "policy", "operation", "record"],
    ),
    ("control-plane", &["policy", "operation", "record", "proto"]),
];

/// Crates that must never be in the tree of the filter: they need threads or sockets of their own.
const NOT_IN_THE_FILTER: [&str; 4] = ["tokio", "tonic", "hyper", "mio"];

const LONGEST: usize = 500;

/// Tests are tables: longer, and read in pieces.
const LONGEST_TABLE: usize = 1500;

#[test]
fn crates_depend_on_each_other_as_the_design_draws_it() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root());
    let metadata: Value = serde_json::from_slice(&must(cargo)?.stdout)?;
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"]
            .as_str()
            .unwrap_or_default()
            .trim_start_matches("ostiary-");
        if name == "tests" {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the table of arrows"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(to) = dependency["name"]
                .as_str()
                .and_then(|it| it.strip_prefix("ostiary-"))
            else {
                continue;
            };
            // Tests may look further.
            if dependency["kind"].is_null() && !allowed.contains(&to) {
                wrong.push(format!("{name} -> {to}"));
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "arrows that the design does not draw: {wrong:?}"
    );
    Ok(())
}

#[test]
fn the_filter_holds_nothing_that_wasm_cannot_run() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "ostiary-filter",
            "--target",
            "wasm32-wasip1",
        ])
        .args(["-e", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(root());
    let tree = String::from_utf8(must(cargo)?.stdout)?;
    let found: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| NOT_IN_THE_FILTER.contains(name))
        .collect();
    ensure!(found.is_empty(), "in the filter's tree: {found:?}");
    Ok(())
}

#[test]
fn paths_named_in_documents_exist() -> Result<()> {
    let mut missing = Vec::new();
    for document in files("md")? {
        let text = std::fs::read_to_string(&document)?;
        let folder = document.parent().unwrap_or(root());
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !elsewhere && !folder.join(path).exists() {
                missing.push(format!("{}: link to {link}", shown(&document)));
            }
        }
        for name in code_spans(&text).filter(|name| is_path(name)) {
            if !root().join(name).exists() && !folder.join(name).exists() {
                missing.push(format!("{}: `{name}`", shown(&document)));
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "documents name what is not there:\n{}",
        missing.join("\n")
    );
    Ok(())
}

#[test]
fn source_files_stay_short() -> Result<()> {
    let mut long = Vec::new();
    for file in files("rs")? {
        let lines = std::fs::read_to_string(&file)?.lines().count();
        let is_table = file.components().any(|part| part.as_os_str() == "tests")
            && !file.starts_with(root().join("tests/src"));
        let most = if is_table { LONGEST_TABLE } else { LONGEST };
        if lines > most {
            long.push(format!("{} has {lines} lines", shown(&file)));
        }
    }
    ensure!(
        long.is_empty(),
        "more than one idea each?\n{}",
        long.join("\n")
    );
    Ok(())
}

#[test]
fn text_files_are_clean() -> Result<()> {
    let mut wrong = Vec::new();
    for extension in [
        "rs", "md", "toml", "proto", "yaml", "yml", "cedar", "py", "js",
    ] {
        for file in files(extension)? {
            let text = std::fs::read_to_string(&file)?;
            let name = shown(&file);
            let mut say = |what: &str| wrong.push(format!("{name}: {what}"));
            if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
                say("does not end with one newline");
            }
            if text.contains('\r') {
                say("has carriage returns");
            }
            // Tests hold texts as someone would send them.
            let is_test = name.contains("tests/");
            let spaced = text.lines().position(|line| line.ends_with([' ', '\t']));
            if let (Some(line), false) = (spaced, is_test) {
                say(&format!("line {} ends with a space", line + 1));
            }
            if extension == "rs" && text.lines().any(|line| line.starts_with('\t')) {
                say("has tabs");
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_crate_says_what_it_is_for() -> Result<()> {
    let silent: Vec<String> = files("rs")?
        .iter()
        .filter(|file| file.ends_with("src/lib.rs") || file.ends_with("src/main.rs"))
        .filter(|file| {
            !std::fs::read_to_string(file)
                .is_ok_and(|text| text.starts_with("//! ") && !text.contains("(skeleton)"))
        })
        .map(|file| shown(file))
        .collect();
    ensure!(silent.is_empty(), "no `//!` at the top: {silent:?}");
    Ok(())
}

/// Every file with this extension that git would commit.
fn files(extension: &str) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        &format!("*.{extension}"),
    ])
    .current_dir(root());
    let listed = String::from_utf8(must(git)?.stdout)?;
    let mut all: Vec<PathBuf> = listed
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| root().join(name))
        .filter(|path| path.is_file())
        .collect();
    all.dedup();
    Ok(all)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// What stands between single backticks outside of code blocks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| {
        part.lines()
            .flat_map(|line| line.split('`').skip(1).step_by(2))
    })
}

/// A path of this repository, and not a route, a group of files or an example of someone else's.
fn is_path(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let Some((first, rest)) = name.split_once('/') else {
        return false;
    };
    name.chars().all(plain)
        && !rest.is_empty()
        && !first.is_empty()
        && first != "."
        && first != ".."
        && !matches!(first, "dist" | "target")
        && root().join(first).is_dir()
}
