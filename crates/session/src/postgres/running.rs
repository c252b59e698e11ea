//! One operation on the server: what its record will say.

use ostiary_operation::sql::Outputs;
use ostiary_record::{Parameter, Replied, Row, event::Kind};
use ostiary_wire::postgres::{DataRow, Format};

use super::copy::{Planned, Taking};
use super::core::Core;
use super::reply::Refusal;
use super::rows::Columns;
use super::taint::Taint;
use crate::{Limits, Now};

/// Characters of one value kept in a record.
const MAX_VALUE: usize = 256;
/// Columns of a result kept in a record; a table has at most 1,600.
const MAX_COLUMNS: usize = 1600;
/// Bytes of a row that is worth reading for a record.
const MAX_SAMPLED_ROW: usize = 64 << 10;

/// An operation that was forwarded, or refused in a way the server answers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) since: Now,
    /// Set if the server was sent a statement that is sure to fail in this one's place.
    pub(super) refusal: Option<Refusal>,
    /// The segment it is in.
    pub(super) segment: u64,
    /// What its answer may carry.
    pub(super) taint: Taint,
    /// Whether anything was masked when it was sent: no row of it passes undescribed then.
    pub(super) masked: bool,
    /// What its text proves about its columns; [`Outputs::Unknown`] for several statements.
    pub(super) outputs: Outputs,
    /// What it does to names at the SQL level, to settle once it is answered.
    pub(super) changes: Vec<Change>,
    /// Whether it is one statement, whose error means that none of `changes` came to be.
    pub(super) single: bool,
    /// Whether it is a FunctionCall.
    pub(super) function_call: bool,
    /// What is known of the rows its COPYs will send, the last one first.
    pub(super) copies: Vec<Planned>,
    /// How many of its COPYs have yet to take data.
    pub(super) copies_in: usize,
    pub(super) taking: Taking,
    /// It has taken the data of a COPY.
    pub(super) copied_in: bool,
    /// It has sent or taken the data of a COPY.
    pub(super) copied: bool,
    /// Whether samples may be kept.
    pub(super) samples: bool,
    pub(super) replied: Replied,
    sample_bytes: usize,
    formats: Vec<Format>,
    /// The one format holds for all columns.
    uniform: bool,
}

/// What a statement does to a name, and the stamps of that.
#[derive(Debug)]
pub(super) enum Change {
    Prepare(Vec<u8>, u64),
    Declare(Vec<u8>, u64),
    /// DEALLOCATE, CLOSE or DISCARD; no name is ALL. A stamp for each namespace concerned.
    Forget {
        name: Option<Vec<u8>>,
        statements: Option<u64>,
        portals: Option<u64>,
    },
}

impl Running {
    pub(super) fn new(operation: u64, segment: u64, since: Now) -> Self {
        Self {
            since,
            segment,
            refusal: None,
            taint: Taint::None,
            masked: false,
            outputs: Outputs::Unknown,
            changes: Vec::new(),
            single: false,
            function_call: false,
            copies: Vec::new(),
            copies_in: 0,
            taking: Taking::Nothing,
            copied_in: false,
            copied: false,
            samples: true,
            replied: Replied {
                operation,
                ..Replied::default()
            },
            sample_bytes: 0,
            formats: Vec::new(),
            uniform: false,
        }
    }

    /// Whether the server may answer it as it answers a Query.
    pub(super) fn is_query(&self) -> bool {
        self.refusal.is_none() && !self.function_call
    }

    /// Rows of these columns follow.
    pub(super) fn described(&mut self, columns: &Columns) {
        if self.replied.columns.is_empty() {
            let columns = columns.0.iter().take(MAX_COLUMNS);
            self.replied.columns = columns.clone().map(|column| column.name.clone()).collect();
            self.formats = columns.map(|column| column.format).collect();
        }
    }

    /// Rows in these formats follow, of columns that are not known.
    pub(super) fn formatted(&mut self, formats: &[Format]) {
        if self.formats.is_empty() {
            self.formats = match formats {
                [] => vec![Format::Text],
                formats => formats.to_vec(),
            };
            self.uniform = self.formats.len() == 1;
        }
    }

    /// It is done; of a COPY the server says how many rows there were.
    pub(super) fn completed(&mut self, command: String) {
        if self.copied
            && let Some(rows) = command.strip_prefix("COPY ")
            && let Ok(rows) = rows.parse()
        {
            self.replied.rows = rows;
        }
        self.replied.command_tag = command;
    }

    /// Records its end; a refused one has said all in its verdict.
    pub(super) fn replied(mut self, core: &mut Core) {
        if self.refusal.is_none() {
            self.replied.duration_us = core.now.since(self.since);
            core.record(Kind::Replied(self.replied));
        }
    }

    /// Whether the record wants to see the next row.
    pub(super) fn wants_sample(&self, limits: &Limits) -> bool {
        self.samples
            && self.replied.sample.len() < limits.record_rows
            && self.sample_bytes < limits.record_bytes
    }

    /// Whether the record wants to see the next row, which has `length` bytes and needs no mask.
    pub(super) fn wants_plain_sample(&self, limits: &Limits, length: usize) -> bool {
        length <= MAX_SAMPLED_ROW.min(limits.row) && self.wants_sample(limits)
    }

    /// Keeps a row as the client gets it.
    pub(super) fn sample(&mut self, body: &[u8]) {
        let Ok(row) = DataRow::parse(body) else {
            return;
        };
        self.keep(row.values());
    }

    /// Keeps values as the client gets them.
    pub(super) fn keep<'v>(&mut self, values: impl Iterator<Item = Option<&'v [u8]>>) {
        let mut kept = Row::default();
        for (index, value) in values.take(MAX_COLUMNS).enumerate() {
            let index = if self.uniform { 0 } else { index };
            let format = self.formats.get(index).copied().unwrap_or(Format::Binary);
            let value = value.map(|value| readable(value, format, MAX_VALUE));
            let size = value.as_ref().map_or(0, String::len);
            self.sample_bytes = self.sample_bytes.saturating_add(size);
            kept.values.push(Parameter { value });
        }
        // A row of NULLs counts, too.
        self.sample_bytes = self.sample_bytes.saturating_add(kept.values.len());
        self.replied.sample.push(kept);
    }
}

/// A value for people: text as it is, other bytes in hex, cut at `limit` characters.
pub(super) fn readable(value: &[u8], format: Format, limit: usize) -> String {
    let text = match (format, std::str::from_utf8(value)) {
        (Format::Text, Ok(text)) => {
            return match text.char_indices().nth(limit) {
                None => text.to_owned(),
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            };
        }
        _ => value
            .iter()
            .take(limit / 2)
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    };
    let more = if value.len() > limit / 2 { "…" } else { "" };
    format!("\\x{text}{more}")
}
