//! Numbers to tables.

use std::fmt::Write as _;

use ostiary_tests::{Result, tools};

use crate::{
    Scale, machine,
    numbers::{BASE, Numbers},
    targets,
    ways::Ways,
    work::{SELECTS, Script, Work},
};

const INTRO: &str = "\
# Benchmarks

<!-- Written by `just bench`; edit tests/src/bin/bench instead. -->

What the gateway costs, beside PostgreSQL alone and beside Envoy's `tcp_proxy` alone. All of it ran on one machine in one run: \
client, Envoy, server and control plane share its cores, so a part of every difference is the client's and the server's own \
work. Numbers are medians; the ratio is to `tcp_proxy`. To make this page again: `./bootstrap bench`.

";

const METHOD: &str = "\
## How it is measured

pgbench at scale 10 runs for a second at a time and keeps every latency (`-l`). `-S` reads one row by its key; a pipeline is ten such selects in one transaction; \
`-N` updates, reads and inserts: each of the two writes waits until the control plane has its record on disk; `-C` connects for each \
transaction, with SCRAM to the server. A large result goes to a client that looks at the heads of messages and keeps nothing. \
`tcp_proxy` and the gateways have two workers each and are up all the time; the order of the ways changes from round to round.

*Policy only* is the example policy without labels: each statement is read, judged and recorded. *One column* masks one column of \
each large result; pgbench's tables have no labelled column. *All detectors* looks for every kind of sensitive value in every text \
value as well.

*Through the filter* is the size of the result over the processor time of the whole Envoy less that of the `tcp_proxy` Envoy for \
the same bytes: what is left is the module in V8 and what it asks of the host. Memory is the resident memory of the whole Envoy \
process. Of idle sessions it is what the module's own memory, all workers together, grows by for 500 of them, beyond 50 that were there \
(`memory_bytes` of Envoy's stats); each has run a simple and a prepared statement. Ratios above 1 of a gateway that does more than `tcp_proxy` are the noise of the machine.

What a short transaction costs, part by part, and what was tried: [ADR 8](adr/0008-what-a-short-transaction-costs.md).
";

/// Writes docs/benchmarks.md, if the numbers are worth it, and returns its text.
pub(crate) fn write(ways: &Ways, numbers: &Numbers, scale: Scale) -> Result<String> {
    let mut text = String::from(INTRO);
    let _ = writeln!(text, "| Machine | |\n|---|---|");
    for (name, value) in machine::describe()? {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let _ = writeln!(
        text,
        "| Rounds | {}, alternating; {} s of pgbench each |\n",
        scale.rounds, scale.seconds
    );
    let names: Vec<&str> = ways.all.iter().map(|way| way.name).collect();
    text.push_str(&targets::table(numbers));
    text.push_str("## Transactions a second\n\n");
    text.push_str(&rates(&names, numbers, &Work::PGBENCH));
    text.push_str(&latencies(&names, numbers));
    let _ = writeln!(
        text,
        "## Rows a second\n\n{} rows of four columns; {} of 200.\n",
        grouped(scale.rows),
        grouped(scale.rows / 50)
    );
    text.push_str(&rates(&names, numbers, &Work::ROWS));
    text.push_str("## Through the filter\n\nMB of the result for each second of processor time of the filter.\n\n");
    text.push_str(&table("", &names[2..], Work::ROWS.iter(), |work| {
        (
            work.name(),
            cells(
                |way| format!("{:.0}", numbers.filtered(way, *work)),
                &names[2..],
            ),
        )
    }));
    text.push_str("## Memory\n\nMiB by which Envoy grows at most during a result.\n\n");
    text.push_str(&table("", &names[1..], Work::ROWS.iter(), |work| {
        let growth = |way: &str| format!("{:.1}", numbers.growth(way, *work) / f64::from(1 << 20));
        (work.name(), cells(growth, &names[1..]))
    }));
    text.push_str("KiB of the filter for each idle session.\n\n");
    text.push_str(&table("", &names[2..], [()].iter(), |()| {
        let idle = |way: &str| format!("{:.1}", numbers.idle(way) / 1024.0);
        (format!("{} sessions", scale.idle), cells(idle, &names[2..]))
    }));
    text.push_str(METHOD);
    if scale.counts {
        std::fs::write(tools::root().join("docs/benchmarks.md"), &text)?;
    } else {
        text.push_str("\n(Too few rounds: docs/benchmarks.md is left as it was.)\n");
    }
    Ok(text)
}

fn rates(names: &[&str], numbers: &Numbers, works: &[Work]) -> String {
    table("", names, works.iter(), |work| {
        let cell = |way: &str| {
            let rate = numbers.rate(way, *work);
            match way {
                BASE | "PostgreSQL" => grouped(rate.round() as u64),
                _ => format!(
                    "{} ({:.2})",
                    grouped(rate.round() as u64),
                    numbers.ratio(way, *work)
                ),
            }
        };
        (work.name(), cells(cell, names))
    })
}

/// At one client, where nothing queues.
fn latencies(names: &[&str], numbers: &Numbers) -> String {
    let works = [
        SELECTS[0],
        SELECTS[1],
        Work::Transactions(Script::Pipeline, 1),
        Work::Transactions(Script::Writes, 1),
    ];
    let mut text = String::from(
        "## Latency\n\np50 / p99 in microseconds; of the gateways, what they add to `tcp_proxy`.\n\n",
    );
    text.push_str(&table("", names, works.iter(), |work| {
        let cell = |way: &str| match way {
            BASE | "PostgreSQL" => format!(
                "{:.0} / {:.0}",
                numbers.median(way, *work, |it| Some(it.p50)),
                numbers.median(way, *work, |it| Some(it.p99))
            ),
            _ => {
                let (p50, p99) = numbers.added(way, *work);
                format!("{p50:+.0} / {p99:+.0}")
            }
        };
        (work.name(), cells(cell, names))
    }));
    text
}

fn cells(cell: impl Fn(&str) -> String, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| cell(name)).collect()
}

fn table<'a, T: 'a>(
    corner: &str,
    heads: &[&str],
    rows: impl Iterator<Item = &'a T>,
    row: impl Fn(&T) -> (String, Vec<String>),
) -> String {
    let mut text = format!("| {corner} | {} |\n|---|", heads.join(" | "));
    text.push_str(&"--:|".repeat(heads.len()));
    text.push('\n');
    for item in rows {
        let (name, cells) = row(item);
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text.push('\n');
    text
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
