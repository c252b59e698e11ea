//! Counters of the filter, in Envoy's stats as `wasmcustom.ostiary.<resource>.<name>`.

use std::cell::Cell;

use proxy_wasm::{hostcalls, types::MetricType};

/// The ids the host gave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Metrics {
    /// Connections accepted.
    pub(crate) sessions: Metric,
    /// Connections open now.
    pub(crate) sessions_active: Metric,
    /// Logins the control plane refused.
    pub(crate) logins_rejected: Metric,
    /// Logins for which the control plane could not be asked.
    pub(crate) logins_lost: Metric,
    /// Events not yet acknowledged.
    pub(crate) record_backlog: Metric,
    /// Connections closed because the backlog was full.
    pub(crate) record_overflows: Metric,
    /// Bundles put in force, counted in each worker.
    pub(crate) policy_applied: Metric,
    /// Bundles refused.
    pub(crate) policy_refused: Metric,
    /// Bytes of memory that the module's VMs have; it grows and never shrinks.
    pub(crate) memory: Metric,
}

/// One of them; silent if the host did not define it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Metric(Option<u32>);

impl Metrics {
    pub(crate) fn define(resource: &str) -> Self {
        let define = |kind, name: &str| {
            Metric(hostcalls::define_metric(kind, &format!("ostiary.{resource}.{name}")).ok())
        };
        Self {
            sessions: define(MetricType::Counter, "sessions"),
            sessions_active: define(MetricType::Gauge, "sessions_active"),
            logins_rejected: define(MetricType::Counter, "logins_rejected"),
            logins_lost: define(MetricType::Counter, "logins_lost"),
            record_backlog: define(MetricType::Gauge, "record_backlog"),
            record_overflows: define(MetricType::Counter, "record_overflows"),
            policy_applied: define(MetricType::Counter, "policy_applied"),
            policy_refused: define(MetricType::Counter, "policy_refused"),
            memory: define(MetricType::Gauge, "memory_bytes"),
        }
    }
}

impl Metric {
    /// Adds to a counter, or to a gauge, which every worker shares.
    pub(crate) fn add(self, offset: i64) {
        if let Some(id) = self.0
            && offset != 0
        {
            // A metric that cannot be counted is no reason to fail.
            let _ = hostcalls::increment_metric(id, offset);
        }
    }
}

/// What the gauge of memory was told of this VM.
#[derive(Debug, Default)]
pub(crate) struct MemoryReport(Cell<i64>);

impl MemoryReport {
    pub(crate) fn update(&self, gauge: Metric) {
        let bytes = memory_bytes();
        gauge.add(bytes.saturating_sub(self.0.replace(bytes)));
    }
}

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> i64 {
    /// Bytes of a page (WebAssembly Core Specification, section 4.2.8).
    const PAGE: i64 = 64 << 10;
    let pages = core::arch::wasm32::memory_size::<0>();
    i64::try_from(pages).unwrap_or(0).saturating_mul(PAGE)
}

/// Outside a VM there is nothing to tell.
#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> i64 {
    0
}
