//! `just bench`: what the gateway costs, beside the server alone and beside Envoy alone, measured in one
//! run on one machine. Rounds alternate between the ways, so that what else the machine does falls on all
//! of them. Writes docs/benchmarks.md.

mod machine;
mod measure;
mod report;
mod ways;

use std::process::ExitCode;

use ostiary_tests::Result;

use measure::{Sample, Work};
use ways::Ways;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    rounds: usize,
    seconds: u32,
    rows: u64,
    /// Whether the outcome may stand in docs/benchmarks.md.
    counts: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let scale = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Scale {
            rounds: 5,
            seconds: 5,
            rows: 1_000_000,
            counts: true,
        },
        ["--quick"] => Scale {
            rounds: 1,
            seconds: 3,
            rows: 20_000,
            counts: false,
        },
        ["--rounds", n] if n.parse::<usize>().is_ok_and(|n| n > 0) => {
            let rounds = n.parse().unwrap_or(5);
            Scale {
                rounds,
                seconds: 5,
                rows: 1_000_000,
                counts: rounds >= 5,
            }
        }
        _ => {
            eprintln!("usage: ./bootstrap bench [--quick | --rounds N]");
            return ExitCode::from(2);
        }
    };
    match run(scale) {
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
    let mut samples: Vec<Sample> = Vec::new();
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
                samples.push(sample);
            }
        }
    }
    let text = report::write(&ways, &samples, scale)?;
    println!("{text}");
    Ok(())
}
