//! One operation on the server: what its record will say.

use ostiary_operation::sql::Outputs;
use ostiary_record::{Parameter, Replied, Row};
use ostiary_wire::postgres::{DataRow, Format};

use super::reply::Refusal;
use super::rows::Columns;
use crate::{Limits, Now};

/// Characters of one value kept in a record.
const MAX_VALUE: usize = 256;

/// An operation that was forwarded, or refused in a way the server answers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) since: Now,
    /// Set if the server was sent a statement that is sure to fail in this one's place.
    pub(super) refusal: Option<Refusal>,
    /// The statement can reach a labelled relation.
    pub(super) tainted: bool,
    /// What its text proves about its columns; [`Outputs::Unknown`] for several statements.
    pub(super) outputs: Outputs,
    /// What it does to names at the SQL level, to settle once it is answered.
    pub(super) changes: Vec<Change>,
    /// Whether it is one statement, whose error means that none of `changes` came to be.
    pub(super) single: bool,
    /// Whether samples may be kept.
    pub(super) samples: bool,
    pub(super) replied: Replied,
    sample_bytes: usize,
    formats: Vec<Format>,
}

/// What a statement does to a name.
#[derive(Debug)]
pub(super) enum Change {
    Prepare(Vec<u8>),
    Declare(Vec<u8>),
    /// DEALLOCATE or CLOSE; `None` is ALL.
    Forget(Option<Vec<u8>>),
}

impl Running {
    pub(super) fn new(operation: u64, since: Now) -> Self {
        Self {
            since,
            refusal: None,
            tainted: false,
            outputs: Outputs::Unknown,
            changes: Vec::new(),
            single: false,
            samples: true,
            replied: Replied {
                operation,
                ..Replied::default()
            },
            sample_bytes: 0,
            formats: Vec::new(),
        }
    }

    /// Rows of these columns follow.
    pub(super) fn described(&mut self, columns: &Columns) {
        if self.replied.columns.is_empty() {
            self.replied.columns = columns.0.iter().map(|column| column.name.clone()).collect();
            self.formats = columns.0.iter().map(|column| column.format).collect();
        }
    }

    /// Whether the record wants to see the next row.
    pub(super) fn wants_sample(&self, limits: &Limits) -> bool {
        self.samples
            && self.replied.sample.len() < limits.record_rows
            && self.sample_bytes < limits.record_bytes
    }

    /// Keeps a row as the client gets it.
    pub(super) fn sample(&mut self, body: &[u8]) {
        let Ok(row) = DataRow::parse(body) else {
            return;
        };
        let mut kept = Row::default();
        for (index, value) in row.values().enumerate() {
            let format = self.formats.get(index).copied().unwrap_or(Format::Binary);
            let value = value.map(|value| readable(value, format, MAX_VALUE));
            let size = value.as_ref().map_or(0, String::len);
            self.sample_bytes = self.sample_bytes.saturating_add(size);
            kept.values.push(Parameter { value });
        }
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
