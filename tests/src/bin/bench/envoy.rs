//! What a process of Envoy takes, as the kernel counts it.

use ostiary_tests::{Context as _, Result};

/// Which number of memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory {
    /// Resident now.
    Now,
    /// The most since [`forget_peak`].
    Peak,
}

/// Bytes resident; V8's are among them.
pub(crate) fn memory(pid: u32, which: Memory) -> Result<u64> {
    let field = match which {
        Memory::Now => "VmRSS:",
        Memory::Peak => "VmHWM:",
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.context(field)?.trim().trim_end_matches(" kB").trim();
    Ok(kib.parse::<u64>()? * 1024)
}

/// From now on the peak counts anew.
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// Seconds of processor time, of all threads, in steps of 10 ms.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold anything.
    let after = stat.rsplit_once(')').context("stat")?.1;
    let ticks = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|it| it.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / 100.0)
}
