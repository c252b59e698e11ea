//! One column of RowDescription.

use super::Format;
use crate::{Malformed, Reader, writer};

/// Bytes of a column with an empty name.
const SMALLEST: usize = 19;

/// One column of RowDescription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// The name, as the statement gave it.
    pub name: &'a [u8],
    /// The OID of the table it comes from; 0 for a computed column.
    pub table: u32,
    /// Its attribute number in that table; 0 for a computed column, negative for a system column.
    pub attribute: i16,
    /// The OID of its type; see [`crate::postgres::types`].
    pub type_id: u32,
    /// The type's size; negative for one of variable width.
    pub type_size: i16,
    /// The type's modifier; -1 for none.
    pub type_modifier: i32,
    /// How values are written. Text when a statement is described, whatever comes of it.
    pub format: Format,
}

impl<'a> Column<'a> {
    pub(super) fn read_list(reader: &mut Reader<'a>) -> Result<Vec<Self>, Malformed> {
        let count = reader.count(SMALLEST, "RowDescription.columns")?;
        let mut columns = Vec::with_capacity(count);
        for _ in 0..count {
            columns.push(Self::read(reader)?);
        }
        Ok(columns)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            name: reader.string("RowDescription.name")?,
            table: reader.u32("RowDescription.table")?,
            attribute: reader.i16("RowDescription.attribute")?,
            type_id: reader.u32("RowDescription.type_id")?,
            type_size: reader.i16("RowDescription.type_size")?,
            type_modifier: reader.i32("RowDescription.type_modifier")?,
            format: Format::read(reader, "RowDescription.format")?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        writer::string(out, self.name, "RowDescription.name")?;
        out.extend_from_slice(&self.table.to_be_bytes());
        out.extend_from_slice(&self.attribute.to_be_bytes());
        out.extend_from_slice(&self.type_id.to_be_bytes());
        out.extend_from_slice(&self.type_size.to_be_bytes());
        out.extend_from_slice(&self.type_modifier.to_be_bytes());
        out.extend_from_slice(&self.format.code().to_be_bytes());
        Ok(())
    }
}
