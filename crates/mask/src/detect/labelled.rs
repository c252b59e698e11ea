//! How well the detectors do on `testdata/labelled.tsv`: figures per detector, held to those in
//! `docs/detectors.md`. `cargo test -p ostiary-mask labelled -- --nocapture` prints them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::{Detector, Finding, Scanner};

const LABELLED: &str = include_str!("../../testdata/labelled.tsv");
const DOCUMENT: &str = include_str!("../../../../docs/detectors.md");

type Marks = BTreeSet<(Detector, usize, usize)>;

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Score {
    fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong) as f64
    }

    fn recall(&self) -> f64 {
        self.right as f64 / (self.right + self.missed) as f64
    }
}

#[test]
fn figures_are_those_of_the_document() {
    let mut scores: BTreeMap<Detector, Score> = BTreeMap::new();
    let mut differences = String::new();
    for (line, text, expected) in labelled() {
        let found = scan(&text);
        for mark in found.union(&expected) {
            let score = scores.entry(mark.0).or_default();
            let what = match (found.contains(mark), expected.contains(mark)) {
                (true, true) => {
                    score.right += 1;
                    continue;
                }
                (true, false) => {
                    score.wrong += 1;
                    "found by mistake"
                }
                _ => {
                    score.missed += 1;
                    "missed"
                }
            };
            let value = String::from_utf8_lossy(&text[mark.1..mark.2]).into_owned();
            writeln!(differences, "line {line}: {} {what}: {value:?}", mark.0).unwrap();
        }
    }
    let table = table(&scores);
    println!("{table}\n{differences}");
    assert!(
        DOCUMENT.contains(&table),
        "docs/detectors.md has other figures than\n{table}"
    );
}

#[test]
fn set_is_large_and_has_both_kinds() {
    let rows: Vec<_> = labelled().collect();
    let positive = rows.iter().filter(|(_, _, expected)| !expected.is_empty());
    let positive = positive.count();
    let (all, negative) = (rows.len(), rows.len() - positive);
    assert!(positive >= 150 && negative >= 150);
    let sizes = format!("holds {all} texts, {negative} of them with nothing to find");
    assert!(
        DOCUMENT.contains(&sizes),
        "docs/detectors.md does not say: {sizes}"
    );
    for detector in Detector::ALL {
        let marked = |marks: &Marks| marks.iter().any(|mark| mark.0 == detector);
        assert!(
            rows.iter().filter(|row| marked(&row.2)).count() >= 5,
            "{detector}"
        );
    }
}

fn table(scores: &BTreeMap<Detector, Score>) -> String {
    let mut table = String::from(
        "| detector | right | by mistake | missed | precision | recall |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for (detector, score) in scores {
        let Score {
            right,
            wrong,
            missed,
        } = score;
        let (precision, recall) = (score.precision(), score.recall());
        writeln!(
            table,
            "| `{detector}` | {right} | {wrong} | {missed} | {precision:.3} | {recall:.3} |"
        )
        .unwrap();
    }
    table
}

fn scan(text: &[u8]) -> Marks {
    let mut findings = Vec::new();
    Scanner::new(Detector::ALL).scan(text, &mut findings);
    findings
        .into_iter()
        .map(|Finding { detector, range }| (detector, range.start, range.end))
        .collect()
}

/// Line number, text, and where what stands in it does.
fn labelled() -> impl Iterator<Item = (usize, Vec<u8>, Marks)> {
    let rows = LABELLED.lines().enumerate();
    rows.filter(|(_, row)| !row.starts_with('#'))
        .map(|(n, row)| {
            let mut fields = row.split('\t');
            let text = unescape(fields.next().unwrap());
            let mut from = 0;
            let mut expected = Marks::new();
            for field in fields {
                let (detector, value) = field.split_once(':').unwrap();
                let detector = detector.parse().unwrap();
                let range = place(&text, from, &unescape(value))
                    .unwrap_or_else(|| panic!("line {}: no {field:?}", n + 1));
                from = range.end;
                expected.insert((detector, range.start, range.end));
            }
            (n + 1, text, expected)
        })
}

fn place(text: &[u8], from: usize, value: &[u8]) -> Option<Range<usize>> {
    let windows = text[from..].windows(value.len());
    let start = from + windows.into_iter().position(|window| window == value)?;
    Some(start..start + value.len())
}

fn unescape(field: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field.bytes();
    while let Some(b) = rest.next() {
        if b != b'\\' {
            bytes.push(b);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            Some(other) => other,
            None => panic!("`\\` at the end of {field:?}"),
        });
    }
    bytes
}
