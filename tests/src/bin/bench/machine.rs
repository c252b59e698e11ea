//! Which machine and which versions a number belongs to.

use std::process::Command;

use ostiary_tests::{Result, process::must, tools};

/// A line for each.
pub(crate) fn describe() -> Result<Vec<(&'static str, String)>> {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(
            line.split_once([':', '='])?
                .1
                .trim()
                .trim_matches('"')
                .to_owned(),
        )
    };
    let cpu = file("/proc/cpuinfo");
    let first_line = |program: std::path::PathBuf, argument: &str| -> Result<String> {
        let mut command = Command::new(program);
        command.arg(argument);
        let out = String::from_utf8_lossy(&must(command)?.stdout).into_owned();
        Ok(out
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim()
            .to_owned())
    };
    let envoy = first_line(tools::envoy()?, "--version")?;
    let envoy = envoy
        .split("version:")
        .nth(1)
        .unwrap_or(&envoy)
        .trim()
        .to_owned();
    let memory = field(&file("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let gib = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / (1 << 20);
    Ok(vec![
        ("CPU", field(&cpu, "model name").unwrap_or_default()),
        ("Cores", std::thread::available_parallelism()?.to_string()),
        ("Memory", format!("{gib} GiB")),
        (
            "Kernel",
            file("/proc/sys/kernel/osrelease").trim().to_owned(),
        ),
        (
            "System",
            field(&file("/etc/os-release"), "PRETTY_NAME").unwrap_or_default(),
        ),
        (
            "PostgreSQL",
            first_line(tools::postgres("postgres")?, "--version")?,
        ),
        ("Envoy", envoy),
        ("Ostiary", first_line(tools::ostiary()?, "--version")?),
    ])
}
