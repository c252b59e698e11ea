//! pgbench and what it says.

use std::{path::Path, process::Command, time::Duration};

use ostiary_tests::{Context as _, Result, ensure, process::run as run_program, tools};

use crate::{
    ways::{SCALE, Way, Ways},
    work::{LOGIN_CLIENTS, Script, Work},
};

/// Ten selects that go out together.
const PIPELINE: &str = "\\set aid random(1, 100000 * :scale)\n\\startpipeline\n";
const SELECT: &str = "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n";

/// What a run came to: transactions a second, and microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    pub(crate) tps: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

pub(crate) fn run(ways: &Ways, way: &Way, work: Work, seconds: u32) -> Result<Ran> {
    let folder = ways.folder.path();
    let (clients, password, user) = match work {
        Work::Transactions(_, clients) => (clients, &way.password, &way.user),
        // As in production: the server wants SCRAM of whoever connects to it.
        _ => (LOGIN_CLIENTS, &way.scram.1, &way.scram.0),
    };
    let mut pgbench = Command::new(tools::postgres("pgbench")?);
    pgbench
        .args(["-n", "-s", SCALE])
        .args(script(work, folder)?);
    pgbench
        .args(["-c", &clients.to_string()])
        .args(["-j", if clients == 1 { "1" } else { "2" }])
        .args(["-T", &seconds.to_string(), "-l", "--log-prefix"])
        .arg(folder.join("latency"))
        .args(["-h", "127.0.0.1", "-p", &way.port.to_string()])
        .args(["-U", user, "shop"])
        .env("PGPASSWORD", password)
        .env("PGSSLMODE", "disable")
        .current_dir(folder);
    let deadline = Duration::from_secs(u64::from(seconds) + 60);
    let ran = run_program(pgbench, "", deadline)?.ok()?;
    ensure!(
        !ran.err.contains("ERROR"),
        "pgbench met errors:\n{}",
        ran.err
    );
    let tps = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    let tps = tps.with_context(|| format!("no tps in:\n{}", ran.out))?;
    let latencies = latencies(folder)?;
    let at = |share: f64| f64::from(latencies[((latencies.len() - 1) as f64 * share) as usize]);
    Ok(Ran {
        tps,
        p50: at(0.50),
        p99: at(0.99),
    })
}

fn script(work: Work, folder: &Path) -> Result<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    Ok(match work {
        Work::Transactions(Script::Simple, _) => words(&["-S", "-M", "simple"]),
        Work::Transactions(Script::Prepared, _) => words(&["-S", "-M", "prepared"]),
        Work::Transactions(Script::Writes, _) => words(&["-N", "-M", "simple"]),
        Work::Transactions(Script::Pipeline, _) => {
            let file = folder.join("pipeline.sql");
            let text = format!("{PIPELINE}{}\\endpipeline\n", SELECT.repeat(10));
            std::fs::write(&file, text)?;
            let file = file.display().to_string();
            words(&["-M", "prepared", "-f", &file])
        }
        Work::Logins => words(&["-S", "-M", "simple", "-C"]),
        Work::Rows(_) => Vec::new(),
    })
}

/// What `-l` wrote, sorted, in microseconds.
fn latencies(folder: &Path) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("latency.")) {
            // client, transaction, latency in microseconds, ...
            let text = std::fs::read_to_string(&path)?;
            latencies.extend(
                text.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<u32>().ok()),
            );
            std::fs::remove_file(path)?;
        }
    }
    ensure!(!latencies.is_empty(), "pgbench logged no transaction");
    latencies.sort_unstable();
    Ok(latencies)
}
