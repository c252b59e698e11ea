//! Medians over the rounds.

use crate::{measure::Sample, work::Work};

/// The way everything is compared with.
pub(crate) const BASE: &str = "Envoy tcp_proxy";

/// All samples of a run, and the memory of idle sessions.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) samples: Vec<Sample>,
    /// Bytes of the filter's memory for each idle session, by way.
    pub(crate) idle: Vec<(&'static str, f64)>,
}

impl Numbers {
    fn of<'a>(&'a self, way: &'a str, work: Work) -> impl Iterator<Item = &'a Sample> {
        self.samples
            .iter()
            .filter(move |it| it.way == way && it.work == work)
    }

    /// The median of what `pick` takes of each sample that has it; NaN if none has.
    pub(crate) fn median(
        &self,
        way: &str,
        work: Work,
        pick: impl Fn(&Sample) -> Option<f64>,
    ) -> f64 {
        let mut values: Vec<f64> = self.of(way, work).filter_map(pick).collect();
        values.sort_unstable_by(f64::total_cmp);
        match values.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => values[n / 2],
            n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
        }
    }

    pub(crate) fn rate(&self, way: &str, work: Work) -> f64 {
        self.median(way, work, |it| Some(it.rate))
    }

    /// What share of [`BASE`] a way reaches.
    pub(crate) fn ratio(&self, way: &str, work: Work) -> f64 {
        self.rate(way, work) / self.rate(BASE, work)
    }

    /// Microseconds over [`BASE`], at the median and the 99th percentile.
    pub(crate) fn added(&self, way: &str, work: Work) -> (f64, f64) {
        let over = |pick: fn(&Sample) -> f64| {
            let of = |way| self.median(way, work, |it| Some(pick(it)));
            of(way) - of(BASE)
        };
        (over(|it| it.p50), over(|it| it.p99))
    }

    /// Megabytes of a result for each second of processor time that the filter takes: Envoy's whole time
    /// less that of an Envoy that only passes the same bytes on.
    pub(crate) fn filtered(&self, way: &str, work: Work) -> f64 {
        let cpu = |way| self.median(way, work, |it| it.envoy.map(|cost| cost.cpu));
        let bytes = self.median(way, work, |it| Some(it.bytes as f64));
        bytes / 1e6 / (cpu(way) - cpu(BASE)).max(0.0)
    }

    /// Bytes by which Envoy grows at most during a result.
    pub(crate) fn growth(&self, way: &str, work: Work) -> f64 {
        self.median(way, work, |it| {
            it.envoy
                .map(|cost| cost.most.saturating_sub(cost.before) as f64)
        })
    }

    /// Bytes of the filter's memory for each idle session.
    pub(crate) fn idle(&self, way: &str) -> f64 {
        let of = |way| self.idle.iter().find(|it| it.0 == way).map(|it| it.1);
        of(way).unwrap_or(f64::NAN)
    }
}
