//! One measurement of one kind of work on one way.

use std::{fmt, process::Command, time::Duration};

use ostiary_tests::{Context as _, Result, bulk, ensure, process::run, tools};

use crate::ways::{Way, Ways};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// `pgbench -S`.
    Transactions { prepared: bool, clients: u32 },
    /// The large result.
    Bulk,
}

impl Work {
    pub(crate) fn all() -> [Self; 5] {
        let transactions = |prepared, clients| Self::Transactions { prepared, clients };
        [
            transactions(false, 1),
            transactions(true, 1),
            transactions(false, 50),
            transactions(true, 50),
            Self::Bulk,
        ]
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Transactions { prepared, clients } => {
                let mode = if prepared { "prepared" } else { "simple" };
                let clients = if clients == 1 {
                    "1 client".into()
                } else {
                    format!("{clients} clients")
                };
                format!("pgbench -S {mode}, {clients}")
            }
            Self::Bulk => "large result".into(),
        }
    }
}

/// What it came to.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) way: &'static str,
    pub(crate) work: Work,
    /// Transactions or rows a second.
    pub(crate) rate: f64,
    /// Microseconds; of transactions alone.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Bytes resident in the Envoy process: before, and the most meanwhile.
    pub(crate) memory: Option<(u64, u64)>,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work {
            Work::Bulk => write!(f, "{:>10.0} rows/s", self.rate),
            Work::Transactions { .. } => {
                write!(
                    f,
                    "{:>10.0} tps  p50 {:>6.0} us  p99 {:>6.0} us",
                    self.rate, self.p50, self.p99
                )
            }
        }
    }
}

pub(crate) fn take(ways: &Ways, way: &Way, work: Work, seconds: u32) -> Result<Sample> {
    forget_peak(way)?;
    let before = memory(way, "VmRSS:")?;
    let (rate, p50, p99) = match work {
        Work::Bulk => {
            let bulk = bulk::read(way.port, &way.user, "shop", &way.password, &ways.bulk)?;
            ensure!(bulk.rows > 0, "an empty result");
            (bulk.rows as f64 / bulk.time.as_secs_f64(), 0.0, 0.0)
        }
        Work::Transactions { prepared, clients } => {
            transactions(ways, way, prepared, clients, seconds)?
        }
    };
    let memory = match (before, memory(way, "VmHWM:")?) {
        (Some(before), Some(most)) => Some((before, most)),
        _ => None,
    };
    Ok(Sample {
        way: way.name,
        work,
        rate,
        p50,
        p99,
        memory,
    })
}

fn transactions(
    ways: &Ways,
    way: &Way,
    prepared: bool,
    clients: u32,
    seconds: u32,
) -> Result<(f64, f64, f64)> {
    let prefix = ways.folder.path().join("latency");
    let mut pgbench = Command::new(tools::postgres("pgbench")?);
    pgbench
        .args([
            "-n",
            "-S",
            "-M",
            if prepared { "prepared" } else { "simple" },
        ])
        .args([
            "-c",
            &clients.to_string(),
            "-j",
            if clients == 1 { "1" } else { "2" },
        ])
        .args([
            "-T",
            &seconds.to_string(),
            "-l",
            "--sampling-rate",
            "1",
            "--log-prefix",
        ])
        .arg(&prefix)
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &way.port.to_string(),
            "-U",
            &way.user,
            "shop",
        ])
        .env("PGPASSWORD", &way.password)
        .env("PGSSLMODE", "disable")
        .current_dir(ways.folder.path());
    let ran = run(pgbench, "", Duration::from_secs(u64::from(seconds) + 60))?.ok()?;
    ensure!(
        !ran.err.contains("ERROR"),
        "pgbench met errors:\n{}",
        ran.err
    );
    let rate = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    let rate: f64 = rate.with_context(|| format!("no tps in:\n{}", ran.out))?;
    let mut latencies = Vec::new();
    for entry in std::fs::read_dir(ways.folder.path())? {
        let path = entry?.path();
        if path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("latency."))
        {
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
    let at = |share: f64| f64::from(latencies[((latencies.len() - 1) as f64 * share) as usize]);
    Ok((rate, at(0.50), at(0.99)))
}

/// Resident memory of the gateway's Envoy, which has V8's in it: now, or the most since [`forget_peak`].
fn memory(way: &Way, field: &str) -> Result<Option<u64>> {
    let Some(pid) = way.envoy else {
        return Ok(None);
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .with_context(|| field.to_owned())?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(Some(kib * 1024))
}

fn forget_peak(way: &Way) -> Result<()> {
    if let Some(pid) = way.envoy {
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?;
    }
    Ok(())
}
