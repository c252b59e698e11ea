//! `just bench`: what the gateway costs, beside the server alone and beside Envoy alone, measured in one
//! run on one machine. Rounds alternate between the ways, so that what else the machine does falls on all
//! of them. Writes docs/benchmarks.md and docs/benchmarks-http.md; `--postgres` and `--http` choose one.

mod envoy;
mod http;
mod machine;
mod measure;
mod numbers;
mod pgbench;
mod report;
mod targets;
mod ways;
mod work;

use std::process::ExitCode;

use ostiary_tests::Result;

use numbers::Numbers;
use ways::Ways;
use work::Work;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    rounds: usize,
    seconds: u32,
    rows: u64,
    /// Idle sessions.
    idle: u32,
    /// Whether the outcome may stand in docs/benchmarks.md.
    counts: bool,
}

/// Ends within a quarter of an hour on two cores.
const FULL: Scale = Scale {
    rounds: 5,
    seconds: 1,
    rows: 1_000_000,
    idle: 500,
    counts: true,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut chosen = |half| {
        let before = arguments.len();
        arguments.retain(|it| *it != half);
        arguments.len() < before
    };
    let (postgres, http) = match (chosen("--postgres"), chosen("--http")) {
        (false, false) => (true, true),
        chosen => chosen,
    };
    let scale = match arguments.as_slice() {
        [] => FULL,
        ["--quick"] => Scale {
            rounds: 1,
            seconds: 1,
            rows: 20_000,
            idle: 50,
            counts: false,
        },
        ["--rounds", n] if n.parse::<usize>().is_ok_and(|n| n > 0) => {
            let rounds = n.parse().unwrap_or(5);
            Scale {
                rounds,
                counts: rounds >= 5,
                ..FULL
            }
        }
        _ => {
            eprintln!("usage: ./bootstrap bench [--postgres] [--http] [--quick | --rounds N]");
            return ExitCode::from(2);
        }
    };
    let ran = || -> Result<()> {
        if postgres {
            run(scale)?;
        }
        if http {
            http::run(scale)?;
        }
        Ok(())
    };
    match ran() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(scale: Scale) -> Result<()> {
    eprintln!("bench: starting PostgreSQL, Envoy and three gateways");
    let ways = Ways::start(scale.rows)?;
    let mut numbers = Numbers::default();
    // First of all: later the processes have memory to spare.
    for way in &ways.all {
        if let Some(bytes) = measure::idle(way, scale.idle)? {
            eprintln!(
                "bench: {} idle sessions: {:<22} {bytes:>8.0} bytes each",
                scale.idle, way.name
            );
            numbers.idle.push((way.name, bytes));
        }
    }
    for round in 1..=scale.rounds {
        for work in Work::all() {
            // Each round begins with another way.
            for index in 0..ways.all.len() {
                let way = &ways.all[(index + round) % ways.all.len()];
                let sample = measure::take(&ways, way, work, scale.seconds)?;
                eprintln!(
                    "bench: round {round}/{}: {:<28} {:<22} {sample}",
                    scale.rounds,
                    work.name(),
                    way.name
                );
                numbers.samples.push(sample);
            }
        }
    }
    let text = report::write(&ways, &numbers, scale)?;
    println!("{text}");
    Ok(())
}
