//! One measurement of one kind of work on one way.

use std::fmt;

use ostiary_tests::{
    Context as _, Result,
    bulk::{Bulk, Reader},
    ensure, stats,
    wait::{SOON, until},
    wire::{bind, execute, message, parse, sync, text},
};

use crate::{
    envoy::{Memory, cpu, forget_peak, memory},
    pgbench,
    ways::{Way, Ways},
    work::{Shape, Work},
};

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
    /// Bytes of the result; of results alone.
    pub(crate) bytes: u64,
    pub(crate) envoy: Option<Cost>,
}

/// What Envoy took for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Seconds of processor time.
    pub(crate) cpu: f64,
    /// Bytes resident: before, and the most meanwhile.
    pub(crate) before: u64,
    pub(crate) most: u64,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work {
            Work::Rows(_) => write!(f, "{:>10.0} rows/s", self.rate),
            Work::Transactions(..) | Work::Logins => write!(
                f,
                "{:>10.0} tps  p50 {:>6.0} us  p99 {:>6.0} us",
                self.rate, self.p50, self.p99
            ),
        }
    }
}

pub(crate) fn take(ways: &Ways, way: &Way, work: Work, seconds: u32) -> Result<Sample> {
    let start = match way.envoy {
        Some(pid) => {
            forget_peak(pid)?;
            Some((pid, memory(pid, Memory::Now)?, cpu(pid)?))
        }
        None => None,
    };
    let mut sample = Sample {
        way: way.name,
        work,
        rate: 0.0,
        p50: 0.0,
        p99: 0.0,
        bytes: 0,
        envoy: None,
    };
    match work {
        Work::Rows(shape) => {
            let bulk = rows(way, shape)?;
            sample.rate = bulk.rows as f64 / bulk.time.as_secs_f64();
            sample.bytes = bulk.bytes;
        }
        Work::Transactions(..) | Work::Logins => {
            let ran = pgbench::run(ways, way, work, seconds)?;
            (sample.rate, sample.p50, sample.p99) = (ran.tps, ran.p50, ran.p99);
        }
    }
    if let Some((pid, before, began)) = start {
        sample.envoy = Some(Cost {
            cpu: cpu(pid)? - began,
            before,
            most: memory(pid, Memory::Peak)?,
        });
    }
    Ok(sample)
}

fn rows(way: &Way, shape: Shape) -> Result<Bulk> {
    const PEOPLE: &str = "SELECT id, name, email, note FROM people";
    let query = |sql: &str| message('Q', &text(sql));
    let request = match shape {
        Shape::Text => query(PEOPLE),
        Shape::Copy => query("COPY people (id, name, email, note) TO STDOUT"),
        Shape::Wide => query("SELECT * FROM wide"),
        Shape::Binary => [
            parse("", PEOPLE),
            bind("", "", &[], 1),
            message('D', b"P\0"),
            execute("", 0),
            sync(),
        ]
        .concat(),
    };
    let bulk = Reader::login(way.port, &way.user, "shop", &way.password)?.run(&request)?;
    ensure!(bulk.rows > 0, "an empty result");
    Ok(bulk)
}

/// Bytes by which the memory of the filter's VMs grows for each of `count` sessions that have run statements
/// and wait for the next.
pub(crate) fn idle(way: &Way, count: u32) -> Result<Option<f64>> {
    let Some(admin) = way.admin else {
        return Ok(None);
    };
    let open = || -> Result<Reader> {
        let mut session = Reader::login(way.port, &way.user, "shop", &way.password)?;
        session.query("SELECT abalance FROM pgbench_accounts WHERE aid = 1")?;
        session.run(
            &[
                parse("s", "SELECT filler FROM pgbench_accounts WHERE aid = $1"),
                bind("", "s", &["7"], 0),
                message('D', b"P\0"),
                execute("", 0),
                sync(),
            ]
            .concat(),
        )?;
        Ok(session)
    };
    // The first sessions fill what all share, and what the heap had to spare.
    let first = (0..FIRST).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let before = filter_memory(admin)?;
    let sessions = (0..count).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let after = filter_memory(admin)?;
    drop((first, sessions));
    Ok(Some((after - before) / f64::from(count)))
}

/// Sessions before the first measurement of memory.
const FIRST: usize = 50;
/// How often in a row the gauge has to say the same, so that every VM has had a tick to tell.
const STEADY: usize = 10;

/// Bytes of memory of all VMs of the filter, by Envoy's stats.
fn filter_memory(admin: u16) -> Result<f64> {
    let mut said = Vec::new();
    until("a steady gauge of memory", SOON, || {
        let stats = stats::of_resource(admin, "shop")?;
        let bytes = *stats.get("memory_bytes").context("no memory_bytes")?;
        said.retain(|one| *one == bytes);
        said.push(bytes);
        Ok((said.len() >= STEADY).then_some(bytes as f64))
    })
}
