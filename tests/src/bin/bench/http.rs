//! HTTP: requests a second and latency of small answers, and the throughput of a large one, beside Envoy
//! alone, Envoy with Lua and Envoy with `ext_authz`. Writes docs/benchmarks-http.md.

mod envoys;
mod report;
mod servers;
mod ways;
mod wrk;

use std::fmt;

use ostiary_tests::{Result, ensure};

use crate::{
    Scale,
    envoy::{Memory, cpu, forget_peak, memory},
};
use ways::{Way, Ways};

/// What everything is compared with.
const BASE: &str = "Envoy";

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Small answers over so many connections.
    Small(u32),
    /// One large answer after another.
    Large,
}

impl Work {
    const ALL: [Self; 3] = [Self::Small(1), Self::Small(64), Self::Large];

    fn name(self) -> &'static str {
        match self {
            Self::Small(1) => "1 connection",
            Self::Small(_) => "64 connections",
            Self::Large => "large answer",
        }
    }
}

/// What one measurement came to.
#[derive(Debug, Clone)]
struct Sample {
    way: &'static str,
    work: Work,
    /// Requests a second.
    rate: f64,
    /// Microseconds.
    p50: f64,
    p99: f64,
    /// Bytes of bodies a second, as the API sent them.
    bytes: f64,
    /// Seconds of Envoy's processor time for each such byte.
    cpu: f64,
    /// Bytes by which Envoy grew at most.
    growth: f64,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work {
            Work::Large => write!(f, "{:>8.0} MB/s", self.bytes / 1e6),
            Work::Small(_) => write!(
                f,
                "{:>8.0} requests/s  p50 {:>6.0} us  p99 {:>6.0} us",
                self.rate, self.p50, self.p99
            ),
        }
    }
}

pub(crate) fn run(scale: Scale) -> Result<()> {
    eprintln!("bench: starting an API, three Envoys and two gateways");
    let large = match scale.counts {
        true => 4 << 20,
        false => 1 << 20,
    };
    let ways = Ways::start(large)?;
    let mut samples = Vec::new();
    for round in 1..=scale.rounds {
        for work in Work::ALL {
            // Each round begins with another way.
            for index in 0..ways.all.len() {
                let way = &ways.all[(index + round) % ways.all.len()];
                let sample = take(&ways, way, work, scale.seconds)?;
                eprintln!(
                    "bench: round {round}/{}: {:<16} {:<24} {sample}",
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

fn take(ways: &Ways, way: &Way, work: Work, seconds: u32) -> Result<Sample> {
    let start = match way.envoy {
        Some(pid) => {
            forget_peak(pid)?;
            Some((pid, memory(pid, Memory::Now)?, cpu(pid)?))
        }
        None => None,
    };
    let (path, connections, seconds) = match work {
        Work::Small(connections) => ("/users/7", connections, seconds),
        // The slowest takes a good part of a second for each.
        Work::Large => ("/large", 1, seconds.saturating_mul(4)),
    };
    let ran = wrk::run(way, path, connections, seconds)?;
    ensure!(
        ran.failed == 0,
        "{}: {} answers were errors: {ran:?}",
        way.name,
        ran.failed
    );
    let size = match work {
        Work::Small(_) => servers::SMALL.len(),
        Work::Large => ways.large,
    };
    let bytes = ran.requests as f64 * size as f64;
    let mut sample = Sample {
        way: way.name,
        work,
        rate: ran.rate,
        p50: ran.p50,
        p99: ran.p99,
        bytes: ran.rate * size as f64,
        cpu: f64::NAN,
        growth: f64::NAN,
    };
    if let Some((pid, before, began)) = start {
        sample.cpu = (cpu(pid)? - began) / bytes;
        sample.growth = memory(pid, Memory::Peak)?.saturating_sub(before) as f64;
    }
    Ok(sample)
}
