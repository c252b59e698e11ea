//! The data of one COPY TO: put together from messages, cut into rows, rewritten.
//!
//! In: the data as it comes, cut anywhere. Out: one CopyData for each row, whatever the cuts. Absent:
//! what is to be masked; see [`Cells`].

use ostiary_operation::sql::{CopyFormat, Layout};
use ostiary_wire::postgres::Backend;
use ostiary_wire::shrink;

use super::binary::{self, Part};
use super::csv::{Csv, Place};
use super::text::Text;

/// What becomes of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Change {
    Keep,
    /// The replacement was appended.
    Text,
    Null,
}

/// Decides over values.
pub(in crate::postgres) trait Cells {
    /// What becomes of the value of column `index`; a replacement is appended to `out`. NULL stays.
    fn cell(&mut self, index: usize, value: Option<&[u8]>, out: &mut Vec<u8>) -> Change;
    /// The row is over.
    fn row(&mut self);
}

/// Why data cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::postgres) enum Bad {
    #[error("a row of a COPY has other columns than were described")]
    Columns,
    #[error("a row of more than {0} bytes has to be read whole")]
    Long(usize),
    #[error("binary COPY data is malformed: {0}")]
    Binary(&'static str),
    #[error("the data of a COPY ends inside a row")]
    Cut,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Took {
    /// It is one row that stays as it is, and passes.
    AsItCame,
    /// What is to be sent was appended.
    Written,
}

#[derive(Debug)]
enum Rows {
    Text(Text, bool),
    Csv(Csv, Place),
    Binary { begun: bool, ended: bool },
}

/// The data of one COPY on its way.
#[derive(Debug)]
pub(in crate::postgres) struct Stream {
    rows: Rows,
    /// Names of the columns; a header line holds them.
    names: Vec<Vec<u8>>,
    header: bool,
    /// A header line is not compared with `names`, which are not known.
    trusting: bool,
    /// The start of a row, and how much of it was looked at.
    held: Vec<u8>,
    looked: usize,
    /// The header of a binary stream, which goes with what follows.
    prefix: Vec<u8>,
    scratch: Vec<u8>,
    value: Vec<u8>,
}

impl Stream {
    pub(in crate::postgres) fn new(layout: &Layout, names: Vec<Vec<u8>>) -> Self {
        let rows = match layout.format {
            CopyFormat::Text => Rows::Text(Text::new(layout.delimiter, &layout.null), false),
            CopyFormat::Csv => {
                let csv = Csv::new(layout.delimiter, &layout.null, layout.quote, layout.escape);
                Rows::Csv(csv, Place::default())
            }
            CopyFormat::Binary => Rows::Binary {
                begun: false,
                ended: false,
            },
        };
        Self {
            rows,
            names,
            header: layout.header && layout.format != CopyFormat::Binary,
            trusting: false,
            held: Vec::new(),
            looked: 0,
            prefix: Vec::new(),
            scratch: Vec::new(),
            value: Vec::new(),
        }
    }

    /// For data that passes as it is, of so many columns.
    pub(in crate::postgres) fn sampler(layout: &Layout, columns: usize) -> Self {
        let mut stream = Self::new(layout, vec![Vec::new(); columns]);
        stream.trusting = true;
        stream
    }

    /// Takes the data of one message; holds at most `limit` bytes of a row. What leaves is appended to
    /// `out` as CopyData messages.
    pub(in crate::postgres) fn take(
        &mut self,
        data: &[u8],
        limit: usize,
        cells: &mut impl Cells,
        out: &mut Vec<u8>,
    ) -> Result<Took, Bad> {
        let apart = !matches!(self.rows, Rows::Binary { begun: false, .. });
        if apart
            && self.held.is_empty()
            && self.prefix.is_empty()
            && self.end(data)? == Some(data.len())
        {
            if !self.rewrite(data, cells)? {
                return Ok(Took::AsItCame);
            }
            self.send(data, out);
            return Ok(Took::Written);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(data);
        let mut at = 0_usize;
        while let Some(rest) = held.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = self.end(rest)? else {
                break;
            };
            let unit = rest.get(..length).unwrap_or_default();
            self.rewrite(unit, cells)?;
            self.send(unit, out);
            at = at.saturating_add(length);
        }
        held.drain(..at);
        if held.len() > limit {
            return Err(Bad::Long(limit));
        }
        shrink(&mut held);
        self.held = held;
        Ok(Took::Written)
    }

    /// No more data comes.
    pub(in crate::postgres) fn finish(&self) -> Result<(), Bad> {
        let open = matches!(self.rows, Rows::Binary { ended: false, .. });
        if self.held.is_empty() && !open {
            Ok(())
        } else {
            Err(Bad::Cut)
        }
    }

    /// The length of the row, header or trailer at the front of `bytes`. Asked again once more has
    /// come, it goes on where it stopped.
    fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Bad> {
        let new = bytes.get(self.looked..).unwrap_or_default();
        let found = match &mut self.rows {
            Rows::Text(_, escaped) => new.iter().position(|byte| Text::ends(escaped, *byte)),
            Rows::Csv(csv, place) => new.iter().position(|byte| csv.ends(place, *byte)),
            Rows::Binary { ended: true, .. } if bytes.is_empty() => return Ok(None),
            Rows::Binary { ended: true, .. } => return Err(Bad::Binary("data behind its end")),
            Rows::Binary { begun, .. } => {
                return Ok(binary::part(bytes, *begun)?.map(Part::length));
            }
        };
        match found {
            None => {
                self.looked = bytes.len();
                Ok(None)
            }
            Some(end) => {
                let end = self.looked.saturating_add(end).saturating_add(1);
                self.looked = 0;
                Ok(Some(end))
            }
        }
    }

    /// Writes `unit`, or what it was rewritten to, as one message.
    fn send(&mut self, unit: &[u8], out: &mut Vec<u8>) {
        if let Rows::Binary { begun, ended } = &mut self.rows
            && !*ended
            && !*begun
        {
            *begun = true;
            self.prefix = unit.to_vec();
            return;
        }
        let rewritten = std::mem::take(&mut self.scratch);
        let unit = if rewritten.is_empty() {
            unit
        } else {
            &rewritten
        };
        let mut prefix = std::mem::take(&mut self.prefix);
        // No row grows beyond what a message holds: it came in one or more of at most `limit` bytes.
        let _ = if prefix.is_empty() {
            Backend::CopyData(unit).encode(out)
        } else {
            prefix.extend_from_slice(unit);
            Backend::CopyData(&prefix).encode(out)
        };
        self.scratch = rewritten;
        self.scratch.clear();
        shrink(&mut self.scratch);
    }

    /// Rewrites one row into `scratch`, which stays empty if the row stays as it is; answers whether
    /// it does not.
    fn rewrite(&mut self, unit: &[u8], cells: &mut impl Cells) -> Result<bool, Bad> {
        self.scratch.clear();
        if let Rows::Binary { begun, ended } = &mut self.rows {
            match binary::part(unit, *begun)? {
                Some(Part::Tuple(_)) => {}
                Some(Part::Trailer(_)) => {
                    *ended = true;
                    return Ok(false);
                }
                Some(Part::Header(_)) | None => return Ok(false),
            }
            return self.rewrite_tuple(unit, cells);
        }
        let row = unit.strip_suffix(b"\n").unwrap_or(unit);
        if std::mem::take(&mut self.header) && (self.trusting || self.is_header(row)) {
            return Ok(false);
        }
        self.rewrite_line(row, unit, cells)
    }

    fn rewrite_line(
        &mut self,
        row: &[u8],
        unit: &[u8],
        cells: &mut impl Cells,
    ) -> Result<bool, Bad> {
        let columns = self.names.len();
        let mut copied = 0_usize;
        let mut at = 0_usize;
        let mut index = 0_usize;
        if columns == 0 && !row.is_empty() {
            return Err(Bad::Columns);
        }
        while index < columns {
            let rest = row.get(at..).ok_or(Bad::Columns)?;
            let (length, value) = match &self.rows {
                Rows::Text(text, _) => {
                    let length = text.length(rest);
                    (length, text.read(rest.get(..length).unwrap_or_default()))
                }
                Rows::Csv(csv, _) => {
                    let length = csv.length(rest);
                    (length, csv.read(rest.get(..length).unwrap_or_default()))
                }
                Rows::Binary { .. } => return Err(Bad::Columns),
            };
            let end = at.saturating_add(length);
            self.value.clear();
            let change = cells.cell(index, value.as_deref(), &mut self.value);
            if change != Change::Keep {
                let before = row.get(copied..at).unwrap_or_default();
                self.scratch.extend_from_slice(before);
                let value = (change == Change::Text).then_some(self.value.as_slice());
                match &self.rows {
                    Rows::Text(text, _) => text.write(value, &mut self.scratch),
                    Rows::Csv(csv, _) => {
                        let raw = row.get(at..end).unwrap_or_default();
                        csv.write(value, raw, columns == 1, &mut self.scratch);
                    }
                    Rows::Binary { .. } => {}
                }
                copied = end;
            }
            at = end.saturating_add(1);
            index = index.saturating_add(1);
        }
        // The delimiter behind the last value would begin another one.
        if index != columns || columns > 0 && at != row.len().saturating_add(1) {
            return Err(Bad::Columns);
        }
        cells.row();
        let changed = copied > 0 || !self.scratch.is_empty();
        if changed {
            let rest = unit.get(copied..).unwrap_or_default();
            self.scratch.extend_from_slice(rest);
        }
        Ok(changed)
    }

    fn rewrite_tuple(&mut self, tuple: &[u8], cells: &mut impl Cells) -> Result<bool, Bad> {
        let values = binary::values(tuple)?;
        if values.len() != self.names.len() {
            return Err(Bad::Columns);
        }
        let mut copied = 0_usize;
        for (index, (at, value)) in values.into_iter().enumerate() {
            self.value.clear();
            let change = cells.cell(index, value, &mut self.value);
            if change == Change::Keep {
                continue;
            }
            let before = tuple.get(copied..at).unwrap_or_default();
            self.scratch.extend_from_slice(before);
            let replaced = (change == Change::Text).then_some(self.value.as_slice());
            binary::write(replaced, &mut self.scratch);
            copied = at
                .saturating_add(4)
                .saturating_add(value.map_or(0, <[u8]>::len));
        }
        cells.row();
        if copied > 0 {
            let rest = tuple.get(copied..).unwrap_or_default();
            self.scratch.extend_from_slice(rest);
        }
        Ok(copied > 0)
    }

    /// Whether a first line holds the names of the columns, as it should.
    fn is_header(&self, row: &[u8]) -> bool {
        let mut at = 0_usize;
        for name in &self.names {
            let Some(rest) = row.get(at..) else {
                return false;
            };
            let length = match &self.rows {
                Rows::Text(text, _) => text.length(rest),
                Rows::Csv(csv, _) => csv.length(rest),
                Rows::Binary { .. } => return false,
            };
            let raw = rest.get(..length).unwrap_or_default();
            let read = match &self.rows {
                Rows::Text(text, _) => text.read(raw),
                Rows::Csv(csv, _) => csv.read(raw),
                Rows::Binary { .. } => None,
            };
            // A column may be called as NULL is written.
            if read.as_deref().unwrap_or(raw) != name {
                return false;
            }
            at = at.saturating_add(length).saturating_add(1);
        }
        at == row.len().saturating_add(1) || self.names.is_empty() && row.is_empty()
    }
}
