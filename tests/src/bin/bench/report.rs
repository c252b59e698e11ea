//! Samples to tables.

use std::fmt::Write as _;

use ostiary_tests::{Result, tools};

use crate::{
    Scale, machine,
    measure::{Sample, Work},
    ways::Ways,
};

/// The ways the issue sets a target for, and what share of `tcp_proxy` they should reach: policy only in
/// transactions, policy only in bulk, one masked column in bulk.
const TARGETS: [(&str, bool, f64); 3] = [
    ("Ostiary, policy only", false, 0.85),
    ("Ostiary, policy only", true, 0.90),
    ("Ostiary, one column", true, 0.75),
];

/// Writes docs/benchmarks.md, if the numbers are worth it, and returns its text.
pub(crate) fn write(ways: &Ways, samples: &[Sample], scale: Scale) -> Result<String> {
    let mut text = String::from(
        "# Benchmarks\n\n<!-- Written by `just bench`; edit tests/src/bin/bench instead. -->\n\n\
         What the gateway costs, beside PostgreSQL alone and beside Envoy's `tcp_proxy` alone. All of it ran on one machine \
         in one run: client, Envoy, server and control plane share its cores, so a part of every difference is the client's and \
         the server's own work. Numbers are medians; the ratio is to `tcp_proxy`.\n\n",
    );
    let _ = writeln!(text, "| Machine | |\n|---|---|");
    for (name, value) in machine::describe()? {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let _ = writeln!(
        text,
        "| Rounds | {}, alternating; {} s of pgbench each |\n",
        scale.rounds, scale.seconds
    );
    text.push_str(&transactions(ways, samples));
    text.push_str(&bulk(ways, samples, scale));
    text.push_str(&targets(samples));
    text.push_str(METHOD);
    if scale.counts {
        std::fs::write(tools::root().join("docs/benchmarks.md"), &text)?;
    } else {
        text.push_str("\n(Too few rounds: docs/benchmarks.md is left as it was.)\n");
    }
    Ok(text)
}

const METHOD: &str = "\
## How it is measured

`pgbench -S` at scale 10 reads one row by its key and keeps every latency (`-l`). The large result goes to a client that \
looks at the heads of messages and keeps nothing. `tcp_proxy` and the gateways have two workers each and are up all the time; \
the order of the ways changes from round to round. *Policy only* is the example policy without labels: each statement is read, \
judged and recorded. *One column* masks one column of the four in the large result; pgbench's tables have no labelled \
column. *All detectors* looks for every kind of sensitive value in every text value. Memory is the resident memory of the whole \
Envoy process: before the result, and the most while it passes.
";

fn transactions(ways: &Ways, samples: &[Sample]) -> String {
    let mut text = String::from("## Transactions\n\n");
    for work in Work::all().into_iter().filter(|work| *work != Work::Bulk) {
        let _ = writeln!(text, "**{}**\n", work.name());
        let _ = writeln!(
            text,
            "| Way | tps | ratio | p50 | p99 | added p50 | added p99 |\n|---|--:|--:|--:|--:|--:|--:|"
        );
        let base = stats(samples, "Envoy tcp_proxy", work);
        for way in &ways.all {
            let of = stats(samples, way.name, work);
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.2} | {:.0} us | {:.0} us | {} | {} |",
                way.name,
                of.rate,
                of.rate / base.rate,
                of.p50,
                of.p99,
                added(way.name, of.p50 - base.p50),
                added(way.name, of.p99 - base.p99),
            );
        }
        text.push('\n');
    }
    text.push_str("Added latency is to `tcp_proxy`.\n\n");
    text
}

fn added(way: &str, microseconds: f64) -> String {
    if way.starts_with("Ostiary") {
        format!("{microseconds:+.0} us")
    } else {
        String::new()
    }
}

fn bulk(ways: &Ways, samples: &[Sample], scale: Scale) -> String {
    let mut text = format!("## A result of {} rows\n\n", grouped(scale.rows));
    let _ = writeln!(
        text,
        "| Way | rows/s | ratio | memory before | most memory |\n|---|--:|--:|--:|--:|"
    );
    let base = stats(samples, "Envoy tcp_proxy", Work::Bulk);
    for way in &ways.all {
        let of = stats(samples, way.name, Work::Bulk);
        let memory = |pick: fn(&(u64, u64)) -> u64| {
            let mut all: Vec<f64> = of_work(samples, way.name, Work::Bulk)
                .filter_map(|it| it.memory.as_ref().map(pick))
                .map(|it| it as f64)
                .collect();
            if all.is_empty() {
                String::new()
            } else {
                format!("{:.0} MiB", median(&mut all) / f64::from(1 << 20))
            }
        };
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.2} | {} | {} |",
            way.name,
            of.rate,
            of.rate / base.rate,
            memory(|it| it.0),
            memory(|it| it.1),
        );
    }
    text.push('\n');
    text
}

fn targets(samples: &[Sample]) -> String {
    let mut text = String::from("## Targets\n\n| What | target | reached |\n|---|--:|--:|\n");
    for (way, is_bulk, target) in TARGETS {
        let works = Work::all()
            .into_iter()
            .filter(|work| (*work == Work::Bulk) == is_bulk);
        let worst = works
            .map(|work| {
                stats(samples, way, work).rate / stats(samples, "Envoy tcp_proxy", work).rate
            })
            .fold(f64::INFINITY, f64::min);
        let what = if is_bulk {
            "large result"
        } else {
            "transactions, the worst of the four"
        };
        let verdict = if worst >= target { "" } else { ": **missed**" };
        let _ = writeln!(
            text,
            "| {way}: {what} | {target:.2} | {worst:.2}{verdict} |"
        );
    }
    text.push('\n');
    text
}

struct Stats {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn of_work<'a>(
    samples: &'a [Sample],
    way: &'a str,
    work: Work,
) -> impl Iterator<Item = &'a Sample> {
    samples
        .iter()
        .filter(move |it| it.way == way && it.work == work)
}

fn stats(samples: &[Sample], way: &str, work: Work) -> Stats {
    let median_of = |pick: fn(&Sample) -> f64| {
        median(&mut of_work(samples, way, work).map(pick).collect::<Vec<_>>())
    };
    Stats {
        rate: median_of(|it| it.rate),
        p50: median_of(|it| it.p50),
        p99: median_of(|it| it.p99),
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
