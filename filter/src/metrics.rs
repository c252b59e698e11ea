//! Counters of the filter, in Envoy's stats as `wasmcustom.ostiary.<resource>.<name>`.

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
    /// Bundles refused.
    pub(crate) policy_refused: Metric,
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
            policy_refused: define(MetricType::Counter, "policy_refused"),
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
