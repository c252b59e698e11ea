//! What the scripted server says to a statement.

use ostiary_wire::postgres::{Column, Format, types};

/// A table of the scripted database.
pub(super) const USERS: u32 = 16_400;
/// Another, without a label.
pub(super) const ORDERS: u32 = 16_410;
/// A view over `users`.
pub(super) const CONTACTS: u32 = 16_420;
/// A table the catalogue does not show.
pub(super) const NEWER: u32 = 99_999;

/// A column of an answer.
#[derive(Clone, Debug)]
pub(super) struct Col {
    pub(super) name: &'static str,
    pub(super) table: u32,
    pub(super) attribute: i16,
    pub(super) type_id: u32,
}

/// A column that comes from a table.
pub(super) fn from(name: &'static str, table: u32, attribute: i16) -> Col {
    Col {
        name,
        table,
        attribute,
        type_id: types::TEXT,
    }
}

/// A computed column.
pub(super) fn computed(name: &'static str) -> Col {
    from(name, 0, 0)
}

impl Col {
    pub(super) fn of_type(mut self, type_id: u32) -> Self {
        self.type_id = type_id;
        self
    }

    pub(super) fn wire(&self, format: Format) -> Column<'_> {
        Column {
            name: self.name.as_bytes(),
            table: self.table,
            attribute: self.attribute,
            type_id: self.type_id,
            type_size: -1,
            type_modifier: -1,
            format,
        }
    }
}

/// An error or notice.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) fields: Vec<(u8, &'static str)>,
}

/// Data of a COPY TO.
#[derive(Clone, Debug)]
pub(super) struct CopyOut {
    pub(super) format: Format,
    pub(super) columns: usize,
    pub(super) data: Vec<Vec<u8>>,
}

/// What a statement gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) columns: Vec<Col>,
    pub(super) rows: Vec<Vec<Option<Vec<u8>>>>,
    pub(super) tag: String,
    pub(super) notices: Vec<Said>,
    /// Comes instead of the tag.
    pub(super) error: Option<Said>,
    /// Data of COPY TO, message by message.
    pub(super) copy: Option<CopyOut>,
    /// It is COPY FROM of so many columns.
    pub(super) takes: Option<usize>,
    /// Parse fails already.
    pub(super) unparsable: bool,
    /// A setting that changes and is reported.
    pub(super) reports: Option<(&'static str, &'static str)>,
    /// The error comes when the transaction ends, as with a deferred constraint.
    pub(super) deferred: Option<Said>,
}

impl Answer {
    /// No rows.
    pub(super) fn done(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn rows(columns: &[Col], rows: &[&[&str]]) -> Self {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|value| (*value != "NULL").then(|| value.as_bytes().to_vec()))
                    .collect()
            })
            .collect();
        Self {
            columns: columns.to_vec(),
            tag: format!("SELECT {}", rows.len()),
            rows,
            ..Self::default()
        }
    }

    /// COPY TO of so many columns.
    pub(super) fn copy(format: Format, columns: usize, data: &[&[u8]]) -> Self {
        let data: Vec<Vec<u8>> = data.iter().map(|data| data.to_vec()).collect();
        Self {
            tag: format!("COPY {}", data.len()),
            copy: Some(CopyOut {
                format,
                columns,
                data,
            }),
            ..Self::default()
        }
    }

    pub(super) fn error(sqlstate: &'static str, message: &'static str) -> Self {
        Self {
            error: Some(said(sqlstate, message)),
            ..Self::default()
        }
    }

    pub(super) fn noticing(mut self, said: Said) -> Self {
        self.notices.push(said);
        self
    }

    pub(super) fn reporting(mut self, name: &'static str, value: &'static str) -> Self {
        self.reports = Some((name, value));
        self
    }
}

pub(super) fn said(sqlstate: &'static str, message: &'static str) -> Said {
    Said {
        fields: vec![(b'C', sqlstate), (b'M', message)],
    }
}

impl Said {
    pub(super) fn with(mut self, code: u8, text: &'static str) -> Self {
        self.fields.push((code, text));
        self
    }

    pub(super) fn body(&self, severity: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (code, text) in [(b'S', severity), (b'V', severity)]
            .into_iter()
            .chain(self.fields.iter().copied())
        {
            body.push(code);
            body.extend(text.bytes());
            body.push(0);
        }
        body.push(0);
        body
    }
}
