//! What the issues ask for, and whether it is reached.

use std::fmt::Write as _;

use crate::{
    numbers::Numbers,
    work::{SELECTS, Shape, Work},
};

pub(crate) const POLICY: &str = "Ostiary, policy only";
pub(crate) const COLUMN: &str = "Ostiary, one column";
pub(crate) const DETECTORS: &str = "Ostiary, all detectors";

const TEXT: Work = Work::Rows(Shape::Text);
const MIB: f64 = 1048576.0;

/// One target.
struct Target {
    what: &'static str,
    unit: &'static str,
    wanted: f64,
    /// Whether more is better.
    least: bool,
    reached: f64,
}

impl Target {
    fn at_least(what: &'static str, wanted: f64, unit: &'static str, reached: f64) -> Self {
        Self {
            what,
            unit,
            wanted,
            least: true,
            reached,
        }
    }

    fn at_most(what: &'static str, wanted: f64, unit: &'static str, reached: f64) -> Self {
        Self {
            least: false,
            ..Self::at_least(what, wanted, unit, reached)
        }
    }

    fn is_reached(&self) -> bool {
        match self.least {
            true => self.reached >= self.wanted,
            false => self.reached <= self.wanted,
        }
    }
}

fn all(numbers: &Numbers) -> Vec<Target> {
    let worst = SELECTS
        .iter()
        .map(|work| numbers.ratio(POLICY, *work))
        .fold(f64::INFINITY, f64::min);
    let one_client = [SELECTS[0], SELECTS[1]].map(|work| numbers.added(POLICY, work));
    let p50 = one_client.iter().map(|it| it.0).fold(f64::MIN, f64::max);
    let p99 = one_client.iter().map(|it| it.1).fold(f64::MIN, f64::max);
    let growth = [POLICY, COLUMN, DETECTORS]
        .iter()
        .flat_map(|way| Work::ROWS.map(|work| numbers.growth(way, work)))
        .fold(0.0, f64::max);
    let idle = [POLICY, COLUMN, DETECTORS]
        .iter()
        .map(|way| numbers.idle(way))
        .fold(f64::MIN, f64::max);
    vec![
        Target::at_least(
            "policy only: `-S`, the worst of the four",
            0.85,
            " of tcp_proxy",
            worst,
        ),
        Target::at_least(
            "policy only: large result in text",
            0.90,
            " of tcp_proxy",
            numbers.ratio(POLICY, TEXT),
        ),
        Target::at_least(
            "one masked column: large result in text",
            0.75,
            " of tcp_proxy",
            numbers.ratio(COLUMN, TEXT),
        ),
        Target::at_most(
            "policy only: added p50 at 1 client, the worse protocol",
            60.0,
            " us",
            p50,
        ),
        Target::at_most(
            "policy only: added p99 at 1 client, the worse protocol",
            250.0,
            " us",
            p99,
        ),
        Target::at_least(
            "one masked column: text through the filter, per core",
            200.0,
            " MB/s",
            numbers.filtered(COLUMN, TEXT),
        ),
        Target::at_least(
            "all detectors: text through the filter, per core",
            100.0,
            " MB/s",
            numbers.filtered(DETECTORS, TEXT),
        ),
        Target::at_most(
            "growth of Envoy during any large result",
            16.0,
            " MiB",
            growth / MIB,
        ),
        Target::at_most(
            "filter memory for each idle session",
            64.0,
            " KiB",
            idle / 1024.0,
        ),
    ]
}

/// The table.
pub(crate) fn table(numbers: &Numbers) -> String {
    let mut text = String::from("## Targets\n\n| What | target | reached |\n|---|--:|--:|\n");
    for target in all(numbers) {
        let digits = if target.unit.contains("tcp_proxy") {
            2
        } else {
            0
        };
        let bound = if target.least { "at least" } else { "at most" };
        let missed = if target.is_reached() {
            ""
        } else {
            ": **missed**"
        };
        let _ = writeln!(
            text,
            "| {} | {bound} {:.digits$}{} | {:.digits$}{}{missed} |",
            target.what, target.wanted, target.unit, target.reached, target.unit,
        );
    }
    text.push('\n');
    text
}
