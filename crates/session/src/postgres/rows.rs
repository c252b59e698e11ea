//! Result columns and the masks that hold for them.

use std::rc::Rc;

use ostiary_mask::{HashKey, Masked, Rewriter, Rewritten, Strategy};
use ostiary_operation::sql::Outputs;
use ostiary_policy::Masks;
use ostiary_wire::postgres::row::{DataRow, RowWriter};
use ostiary_wire::postgres::{Format, types};
use ostiary_wire::{Malformed, shrink};

use super::catalogue::{Catalogue, Origin};
use super::copy::Change;
use super::taint::Taint;

/// A RowDescription, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns(pub(super) Vec<Column>);

/// One column of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) table: u32,
    pub(super) attribute: i16,
    pub(super) type_id: u32,
    pub(super) format: Format,
}

/// What happens to the values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    /// They pass.
    Pass,
    /// They are masked; NULL where the type cannot carry a text.
    Mask { strategy: Rc<Strategy>, text: bool },
    /// They are redacted, and NULL with them.
    Hide { text: bool },
    /// The detectors look at them; a finding makes NULL where the type cannot carry a text.
    Scan { text: bool },
}

/// What happens to the rows of one result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowPlan {
    cells: Vec<Cell>,
    passes: bool,
    unknown: Option<u32>,
}

/// What is known when a plan is made.
pub(super) struct Known<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// Whether any column of this database carries a label that holds.
    pub(super) labels: bool,
    /// Whether a label may not be asked about. Which values of `nullif(ssn, '…')` are NULL is an answer.
    pub(super) secretive: bool,
    /// Whether a detector runs.
    pub(super) detectors: bool,
    /// The catalogue may be older than the schema.
    pub(super) stale: bool,
    /// What the rows may carry.
    pub(super) taint: Taint,
    /// What the text proves about the columns.
    pub(super) outputs: &'a Outputs,
}

impl RowPlan {
    /// Plans for rows described by `columns`.
    pub(super) fn new(columns: &Columns, known: &Known<'_>) -> Self {
        let redact = Rc::new(Strategy::Redact);
        let mut cells: Vec<Cell> = Vec::with_capacity(columns.0.len());
        let mut unknown = None;
        for (index, column) in columns.0.iter().enumerate() {
            let text = types::carries_text(column.type_id);
            let mask = |strategy: &Rc<Strategy>| Cell::Mask {
                strategy: Rc::clone(strategy),
                text,
            };
            let scan = || {
                if known.detectors && may_hold_text(column.type_id) {
                    Cell::Scan { text }
                } else {
                    Cell::Pass
                }
            };
            let cell = if !known.labels {
                scan()
            } else if known.taint == Taint::All {
                mask(&redact)
            } else if column.table == 0 {
                let clean = match known.outputs {
                    Outputs::Unknown => false,
                    Outputs::Clean(clean) => clean.get(index).copied().unwrap_or(false),
                };
                if known.taint > Taint::None && !clean {
                    if known.secretive {
                        Cell::Hide { text }
                    } else {
                        mask(&redact)
                    }
                } else {
                    scan()
                }
            } else {
                match known.catalogue.origin(column.table, column.attribute) {
                    Origin::Labelled(strategy) => mask(&strategy),
                    Origin::WholeRow => mask(&redact),
                    Origin::Unknown => {
                        unknown = Some(column.table);
                        mask(&redact)
                    }
                    Origin::Clean if known.stale => mask(&redact),
                    Origin::Clean => scan(),
                }
            };
            cells.push(cell);
        }
        // Rows that were described as empty are held against that.
        let empty = cells.is_empty() && (known.labels || known.detectors);
        let passes = !empty && cells.iter().all(|cell| *cell == Cell::Pass);
        Self {
            cells,
            passes,
            unknown,
        }
    }

    /// A relation the catalogue does not know.
    pub(super) fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// Whether rows may pass as they are.
    pub(super) fn passes(&self) -> bool {
        self.passes
    }
}

/// Whether a value can hold a text that a detector knows. Numbers, times and the like are left to
/// column labels: a detector that looks at every number cries wolf.
fn may_hold_text(type_id: u32) -> bool {
    use types::*;
    !matches!(
        type_id,
        BOOL | INT2
            | INT4
            | INT8
            | OID
            | FLOAT4
            | FLOAT8
            | NUMERIC
            | MONEY
            | DATE
            | TIME
            | TIMETZ
            | TIMESTAMP
            | TIMESTAMPTZ
            | INTERVAL
            | UUID
            | MACADDR
            | BIT
            | VARBIT
    )
}

/// Why a row cannot be sent on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRow {
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("a row has {found} values and its description has {described} columns")]
    Count { found: usize, described: usize },
}

/// Rewrites rows.
pub(super) struct Masker {
    key: HashKey,
    detectors: Rewriter,
    /// Holds one masked value at a time.
    scratch: Vec<u8>,
}

impl Masker {
    pub(super) fn new(key: HashKey, detectors: Rewriter) -> Self {
        Self {
            key,
            detectors,
            scratch: Vec::new(),
        }
    }

    /// What masks by the detectors of `masks`.
    pub(super) fn of(masks: &Masks, key: &[u8]) -> Self {
        let detectors = masks.detectors.iter();
        let detectors: Vec<(ostiary_mask::detect::Detector, Strategy)> = detectors
            .map(|(detector, (_, strategy))| (*detector, strategy.clone()))
            .collect();
        let key = HashKey::new(key.to_vec());
        Self::new(key.clone(), Rewriter::new(detectors, key))
    }

    /// Appends the DataRow `body` to `out` with its sensitive values masked; returns how many were.
    pub(super) fn row(
        &mut self,
        body: &[u8],
        plan: &RowPlan,
        out: &mut Vec<u8>,
    ) -> Result<u64, BadRow> {
        let row = DataRow::parse(body)?;
        let (found, described) = (row.column_count(), plan.cells.len());
        if found != described {
            return Err(BadRow::Count { found, described });
        }
        let mut masked: u64 = 0;
        let mut writer = RowWriter::start(out);
        let mut scratch = std::mem::take(&mut self.scratch);
        for (value, cell) in row.values().zip(&plan.cells) {
            scratch.clear();
            let change = self.change(cell, value, &mut scratch);
            masked = masked.saturating_add(u64::from(change != Change::Keep));
            match change {
                Change::Keep => writer.value(value),
                Change::Text => writer.value(Some(&scratch)),
                Change::Null => writer.value(None),
            }
        }
        self.scratch = scratch;
        writer.finish()?;
        self.scratch.clear();
        shrink(&mut self.scratch);
        Ok(masked)
    }

    /// A value by a strategy; `None` if nothing is left of it.
    pub(super) fn masked(&self, strategy: &Strategy, value: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        (strategy.apply(value, &self.key, &mut out) == Masked::Text).then_some(out)
    }

    /// What becomes of the value of column `index`; a replacement is appended to `out`.
    pub(super) fn value(
        &mut self,
        plan: &RowPlan,
        index: usize,
        value: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Change {
        match plan.cells.get(index) {
            Some(cell) => self.change(cell, value, out),
            None => Change::Null,
        }
    }

    fn change(&mut self, cell: &Cell, value: Option<&[u8]>, out: &mut Vec<u8>) -> Change {
        if let Cell::Hide { text: true } = cell {
            Strategy::Redact.apply(&[], &self.key, out);
            return Change::Text;
        }
        let Some(value) = value else {
            return Change::Keep;
        };
        match cell {
            Cell::Hide { .. } => Change::Null,
            Cell::Pass => Change::Keep,
            Cell::Mask { strategy, text } => {
                if *text && strategy.apply(value, &self.key, out) == Masked::Text {
                    Change::Text
                } else {
                    Change::Null
                }
            }
            Cell::Scan { text } => match self.detectors.rewrite(value, out) {
                Rewritten::Unchanged => Change::Keep,
                Rewritten::Changed { .. } if *text => Change::Text,
                Rewritten::Changed { .. } | Rewritten::Null { .. } => Change::Null,
            },
        }
    }

    /// `text` with what the detectors find masked.
    pub(super) fn text(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match self.detectors.rewrite(text, &mut out) {
            Rewritten::Unchanged => text.to_vec(),
            Rewritten::Changed { .. } => out,
            Rewritten::Null { .. } => Vec::new(),
        }
    }
}
