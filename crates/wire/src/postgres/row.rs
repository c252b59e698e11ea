//! DataRow, section 53.7, read and written without allocating for a row: this is the path of every
//! row of every result.

use super::tag;
use crate::limits::MAX_FRAME_LENGTH;
use crate::{Malformed, Reader, writer};

#[cfg(test)]
mod tests;

const VALUE: &str = "DataRow.value";

/// A row whose every length has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataRow<'a> {
    // INVARIANT: `values` is exactly `count` values, each an Int32 length >= -1 and its bytes.
    values: &'a [u8],
    count: u16,
}

impl<'a> DataRow<'a> {
    /// Decodes the body of a DataRow.
    ///
    /// All lengths are checked here, so that nothing of a row is written before all of it is sound.
    #[inline]
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let count = reader.u16("DataRow.columns")?;
        let row = Self {
            values: reader.clone().rest(),
            count,
        };
        for _ in 0..count {
            reader.value(VALUE)?;
        }
        reader.finish("DataRow")?;
        Ok(row)
    }

    /// How many values there are.
    #[inline]
    pub fn column_count(self) -> usize {
        usize::from(self.count)
    }

    /// The values in order; `None` is NULL.
    #[inline]
    pub const fn values(self) -> Values<'a> {
        Values {
            reader: Reader::new(self.values),
            left: self.count,
        }
    }
}

impl<'a> IntoIterator for DataRow<'a> {
    type Item = Option<&'a [u8]>;
    type IntoIter = Values<'a>;

    #[inline]
    fn into_iter(self) -> Values<'a> {
        self.values()
    }
}

/// The values of a [`DataRow`].
#[derive(Clone, Debug)]
pub struct Values<'a> {
    reader: Reader<'a>,
    left: u16,
}

impl<'a> Iterator for Values<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // Cannot fail by the invariant of DataRow.
        self.reader.value(VALUE).ok()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Values<'_> {}

/// Writes one DataRow at the end of a vector.
///
/// A writer that is dropped before [`RowWriter::finish`], or whose row does not fit the protocol,
/// leaves the vector as it was.
#[derive(Debug)]
pub struct RowWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    columns: u16,
    sound: bool,
    finished: bool,
}

impl<'a> RowWriter<'a> {
    /// Starts a row.
    #[inline]
    pub fn start(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[tag::backend::DATA_ROW, 0, 0, 0, 0, 0, 0]);
        Self {
            out,
            start,
            columns: 0,
            sound: true,
            finished: false,
        }
    }

    /// Writes the next value; `None` is NULL.
    #[inline]
    pub fn value(&mut self, value: Option<&[u8]>) {
        self.count();
        match value {
            None => self.out.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => match i32::try_from(value.len()) {
                Ok(length) => {
                    self.out.reserve(value.len().saturating_add(4));
                    self.out.extend_from_slice(&length.to_be_bytes());
                    self.out.extend_from_slice(value);
                }
                Err(_) => self.sound = false,
            },
        }
    }

    /// Writes the next value in place: `fill` appends its bytes to the vector, and must only append.
    #[inline]
    pub fn value_with<R>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.count();
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let result = fill(self.out);
        let length = self.out.len().checked_sub(at);
        let length = length
            .and_then(|length| length.checked_sub(4))
            .and_then(|length| i32::try_from(length).ok());
        let set = writer::set(self.out, at, length.map(i32::to_be_bytes));
        self.sound &= set.is_some();
        result
    }

    /// Ends the row: sets its length and number of columns.
    #[inline]
    pub fn finish(mut self) -> Result<(), Malformed> {
        let length = self.out.len().checked_sub(self.start);
        let length = length
            .and_then(|length| length.checked_sub(1))
            .and_then(|length| u32::try_from(length).ok())
            .filter(|length| self.sound && *length <= MAX_FRAME_LENGTH);
        let at = self.start.saturating_add(1);
        let set = writer::set(self.out, at, length.map(u32::to_be_bytes)).and_then(|()| {
            let at = at.saturating_add(4);
            writer::set(self.out, at, Some(self.columns.to_be_bytes()))
        });
        self.finished = set.is_some();
        set.ok_or(Malformed::TooLarge { message: "DataRow" })
    }

    #[inline]
    fn count(&mut self) {
        match self.columns.checked_add(1) {
            Some(columns) => self.columns = columns,
            None => self.sound = false,
        }
    }
}

impl Drop for RowWriter<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// Fuzz entry: a row that is read has as many values as it says and is written back to the same
/// bytes, by value and in place.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    let Ok(row) = DataRow::parse(bytes) else {
        return Ok(());
    };
    if row.values().count() != row.column_count() {
        return Err("a row has fewer values than columns");
    }
    let mut out = b"before".to_vec();
    let start = out.len();
    let mut writer = RowWriter::start(&mut out);
    for (index, value) in row.values().enumerate() {
        match value {
            Some(value) if index % 2 == 0 => {
                writer.value_with(|out| out.extend_from_slice(value));
            }
            value => writer.value(value),
        }
    }
    if writer.finish().is_err() {
        return Err("a row that was read cannot be written");
    }
    let written = out.get(start..).unwrap_or_default();
    if written.get(super::frame::HEADER..) != Some(bytes) {
        return Err("a row is written differently from how it was read");
    }
    if super::frame::header(written)
        .is_ok_and(|header| header.is_some_and(|header| header.length == written.len()))
    {
        Ok(())
    } else {
        Err("a row is written with a wrong length")
    }
}
