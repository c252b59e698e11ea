//! wrk and what it says.

use std::{process::Command, time::Duration};

use ostiary_tests::{Context as _, Result, bail, process::run as run_program};

use super::ways::Way;

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Ran {
    pub(super) requests: u64,
    /// Requests a second.
    pub(super) rate: f64,
    /// Microseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Answers that were no success, and connections that broke.
    pub(super) failed: u64,
}

pub(super) fn run(way: &Way, path: &str, connections: u32, seconds: u32) -> Result<Ran> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--latency", "-t", "1", "-c", &connections.to_string()])
        .args(["-d", &format!("{seconds}s"), "--timeout", "20s", "-H"])
        .arg(format!("Authorization: Bearer {}", way.token))
        .arg(format!("http://127.0.0.1:{}{path}", way.port));
    let ran = run_program(wrk, "", Duration::from_secs(u64::from(seconds) + 60))?.ok()?;
    read(&ran.out).with_context(|| ran.out.clone())
}

fn read(said: &str) -> Result<Ran> {
    let mut ran = Ran::default();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["50%", time] => ran.p50 = micros(time)?,
            ["99%", time] => ran.p99 = micros(time)?,
            ["Requests/sec:", rate] => ran.rate = rate.parse()?,
            [count, "requests", "in", ..] => ran.requests = count.parse()?,
            ["Non-2xx", "or", "3xx", "responses:", count] => ran.failed += count.parse::<u64>()?,
            ["Socket", "errors:", rest @ ..] => {
                let counts = rest
                    .iter()
                    .filter_map(|it| it.trim_matches(',').parse::<u64>().ok());
                ran.failed += counts.sum::<u64>();
            }
            _ => {}
        }
    }
    match ran.requests {
        0 => bail!("no request was answered"),
        _ => Ok(ran),
    }
}

fn micros(text: &str) -> Result<f64> {
    let (number, unit) =
        text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()));
    let number: f64 = number.parse()?;
    Ok(match unit {
        "us" => number,
        "ms" => number * 1e3,
        "s" => number * 1e6,
        _ => bail!("a time of `{text}`"),
    })
}
