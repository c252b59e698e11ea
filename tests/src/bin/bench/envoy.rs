//! An Envoy to compare with, and what a process of Envoy takes, as the kernel counts it.

use std::process::Command;

use ostiary_tests::{
    Context as _, Result, bail,
    process::{Folder, Running, Signal},
    tools,
};

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

/// Starts an Envoy with two workers and this configuration, and waits until it listens.
pub(crate) fn start(
    folder: &Folder,
    name: &str,
    config: &serde_json::Value,
    listen: u16,
) -> Result<Running> {
    let file = folder.path().join(format!("{name}.json"));
    std::fs::write(&file, config.to_string())?;
    let mut command = Command::new(tools::envoy()?);
    command
        .args([
            "--concurrency",
            "2",
            "-l",
            "warning",
            "--disable-hot-restart",
            "-c",
        ])
        .arg(&file);
    let log = folder.path().join(format!("{name}.log"));
    let mut envoy = Running::start("Envoy", command, &log, Signal::TERM)?;
    envoy.until("Envoy to listen", || {
        Ok(std::net::TcpStream::connect(("127.0.0.1", listen)).is_ok())
    })?;
    if envoy.log().contains("critical") {
        bail!("{}", envoy.log());
    }
    Ok(envoy)
}
