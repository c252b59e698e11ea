//! Envoy's stats, by its admin interface.

use std::{collections::BTreeMap, process::Command};

use crate::{Context as _, Result, process::must};

/// The filter's counters and gauges of a resource, by name: `sessions`, `memory_bytes`.
pub fn of_resource(admin: u16, resource: &str) -> Result<BTreeMap<String, u64>> {
    let prefix = format!("wasmcustom.ostiary.{resource}.");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-f", "-m", "10", "--noproxy", "*"])
        .arg(format!("http://127.0.0.1:{admin}/stats?filter={prefix}"));
    let stats = String::from_utf8(must(curl)?.stdout)?;
    let mut found = BTreeMap::new();
    for line in stats.lines() {
        let Some((name, value)) = line
            .strip_prefix(&prefix)
            .and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let value = value.parse().with_context(|| format!("in `{line}`"))?;
        found.insert(name.to_owned(), value);
    }
    Ok(found)
}
