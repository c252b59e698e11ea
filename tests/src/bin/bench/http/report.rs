//! Numbers to docs/benchmarks-http.md.

use std::{fmt::Write as _, process::Command};

use ostiary_tests::{Result, tools};

use super::{
    BASE, Sample, Work, servers,
    ways::{AUTHZ, LUA, MASKING, POLICY, Ways},
};
use crate::{Scale, machine};

const INTRO: &str = "\
# Benchmarks: HTTP

<!-- Written by `just bench`; edit tests/src/bin/bench/http instead. -->

What the gateway costs in front of an HTTP API, beside Envoy alone, Envoy with a Lua filter and Envoy with `ext_authz`. All of it ran on one machine in one \
run: load, Envoy, API, authorization server and control plane share its cores, so a part of every difference is theirs. Numbers are medians; the ratio is to \
Envoy alone. To make this page again: `./bootstrap bench --http`. PostgreSQL: [benchmarks.md](benchmarks.md).

";

const METHOD: &str = "\
## How it is measured

`wrk` with one thread asks over kept connections as fast as it is answered, with a token of 8 hours. The small answer is SMALL bytes of JSON; the large one is a list of such objects. \
API and authorization server are hyper, one thread each. Every Envoy has two workers. The order of the ways changes from round to round.

*Lua* checks method, path and that there is a token, puts another credential on, and replaces `email` and what looks like an address in the whole body. *ext_authz* asks a gRPC \
server that says yes to everything at once: it neither verifies a token nor masks nor records. *Ostiary, policy* is the example policy without labels: each request is judged and \
recorded, with its answer. *Ostiary, masking* is the example with its labels: `$..email`, `$..ssn` and ten detectors over every string, name and number.

*Through the filter* is the size of the answers over the processor time of the whole Envoy less that of Envoy alone for the same bytes. Memory is by how much the resident \
memory of the whole Envoy process grows at most.
";

/// The median over the rounds.
fn median(samples: &[Sample], way: &str, work: Work, pick: impl Fn(&Sample) -> f64) -> f64 {
    let of = samples.iter().filter(|it| it.way == way && it.work == work);
    let mut values: Vec<f64> = of.map(pick).collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Writes the page, if the numbers are worth it, and returns its text.
pub(super) fn write(ways: &Ways, samples: &[Sample], scale: Scale) -> Result<String> {
    let mut text = String::from(INTRO);
    let _ = writeln!(text, "| Machine | |\n|---|---|");
    for (name, value) in machine::describe()? {
        if name != "PostgreSQL" {
            let _ = writeln!(text, "| {name} | {value} |");
        }
    }
    let _ = writeln!(text, "| wrk | {} |", version());
    let _ = writeln!(
        text,
        "| Rounds | {}, alternating; {} s each, {} s of the large answer |\n",
        scale.rounds,
        scale.seconds,
        scale.seconds * 4
    );
    text.push_str(&targets(samples));
    let names: Vec<&str> = ways.all.iter().map(|way| way.name).collect();
    let small = [Work::Small(1), Work::Small(64)];
    let rate = |way: &str, work| median(samples, way, work, |it| it.rate);
    text.push_str("## Requests a second\n\n");
    text.push_str(&table(&names, &small, |way, work| {
        let ratio = rate(way, work) / rate(BASE, work);
        format!("{:.0} ({ratio:.2})", rate(way, work))
    }));
    text.push_str("## Latency\n\np50 / p99 in microseconds.\n\n");
    text.push_str(&table(&names, &small, |way, work| {
        let of = |pick: fn(&Sample) -> f64| median(samples, way, work, pick);
        format!("{:.0} / {:.0}", of(|it| it.p50), of(|it| it.p99))
    }));
    let _ = writeln!(
        text,
        "## A large answer\n\n{} bytes, one after another.\n",
        ways.large
    );
    text.push_str(&table(&names, &[Work::Large], |way, work| {
        format!(
            "{:.0} MB/s",
            median(samples, way, work, |it| it.bytes) / 1e6
        )
    }));
    text.push_str("Through the filter: MB for each second of processor time of it.\n\n");
    let filters = [LUA, POLICY, MASKING];
    text.push_str(&table(&filters, &[Work::Large], |way, work| {
        let cpu = |way: &str| median(samples, way, work, |it| it.cpu);
        let own = cpu(way) - cpu(BASE);
        // Less than the noise of the machine.
        match own > 0.0 {
            true => format!("{:.0}", 1e-6 / own),
            false => "–".to_owned(),
        }
    }));
    text.push_str("## Memory\n\nMiB by which Envoy grows at most.\n\n");
    text.push_str(&table(&names[1..], &Work::ALL, |way, work| {
        format!(
            "{:.1}",
            median(samples, way, work, |it| it.growth) / f64::from(1 << 20)
        )
    }));
    text.push_str(&METHOD.replace("SMALL", &servers::SMALL.len().to_string()));
    if scale.counts {
        std::fs::write(tools::root().join("docs/benchmarks-http.md"), &text)?;
    } else {
        text.push_str("\n(Too few rounds: docs/benchmarks-http.md is left as it was.)\n");
    }
    Ok(text)
}

fn targets(samples: &[Sample]) -> String {
    let rate = |way: &str, work| median(samples, way, work, |it| it.rate);
    let worst = |way: &str, than: &str| {
        let works = [Work::Small(1), Work::Small(64)];
        works
            .map(|work| rate(way, work) / rate(than, work))
            .into_iter()
            .fold(f64::INFINITY, f64::min)
    };
    let mut text = String::from("## Targets\n\n| What | target | reached |\n|---|--:|--:|\n");
    for (what, wanted, of, reached) in [
        (
            "policy: requests a second, the worse of the two",
            0.80,
            "Envoy",
            worst(POLICY, BASE),
        ),
        (
            "policy: requests a second, the worse of the two",
            1.00,
            "ext_authz",
            worst(POLICY, AUTHZ),
        ),
    ] {
        let missed = match reached >= wanted {
            true => "",
            false => ": **missed**",
        };
        let _ = writeln!(
            text,
            "| {what} | at least {wanted:.2} of {of} | {reached:.2} of {of}{missed} |"
        );
    }
    let masking = median(samples, MASKING, Work::Large, |it| it.bytes);
    let lua = median(samples, LUA, Work::Large, |it| it.bytes);
    let _ = writeln!(
        text,
        "\nMasking a large answer runs at {:.2} of what Lua reaches with two patterns.\n",
        masking / lua
    );
    text
}

fn table(heads: &[&str], works: &[Work], cell: impl Fn(&str, Work) -> String) -> String {
    let mut text = format!("|  | {} |\n|---|", heads.join(" | "));
    text.push_str(&"--:|".repeat(heads.len()));
    text.push('\n');
    for work in works {
        let cells: Vec<String> = heads.iter().map(|way| cell(way, *work)).collect();
        let _ = writeln!(text, "| {} | {} |", work.name(), cells.join(" | "));
    }
    text.push('\n');
    text
}

/// wrk ends with an error after it has said its version.
fn version() -> String {
    let said = Command::new("wrk").arg("-v").output();
    let said = said.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let line = said.unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().take(3).collect();
    words.join(" ")
}
