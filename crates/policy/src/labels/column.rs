//! Columns as authors write them.

use ostiary_operation::Target;

/// A column that carries a label. `schema` and `table` are exact, as the server stores them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelledColumn {
    /// Schema name.
    pub schema: String,
    /// Table name.
    pub table: String,
    /// Column name.
    pub column: String,
    /// The label.
    pub label: String,
}

/// A labelled column and where it is.
#[derive(Debug)]
pub(crate) struct ColumnRule {
    /// Every resource if `None`.
    pub(crate) resource: Option<String>,
    /// Every database if `None`.
    pub(crate) database: Option<String>,
    pub(crate) column: LabelledColumn,
}

impl ColumnRule {
    pub(crate) fn is_in(&self, target: &Target) -> bool {
        let at = |place: &Option<String>, here: &str| place.as_deref().is_none_or(|at| at == here);
        at(&self.resource, &target.resource) && at(&self.database, &target.database)
    }

    /// Whether some target has this column by both rules.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let meet = |left: &Option<String>, right: &Option<String>| {
            left.is_none() || right.is_none() || left == right
        };
        meet(&self.resource, &other.resource)
            && meet(&self.database, &other.database)
            && self.column.schema == other.column.schema
            && self.column.table == other.column.table
            && self.column.column == other.column.column
    }
}

/// `schema.table.column` or `database.schema.table.column`; a part that holds a dot is written in
/// double quotes, as in SQL. Unlike in SQL nothing is folded: names are as the server stores them.
pub(crate) fn parse_column(written: &str) -> Result<(Option<String>, [String; 3]), String> {
    let parts = split(written)
        .filter(|parts| parts.iter().all(|part| !part.is_empty()))
        .unwrap_or_default();
    let wrong = || format!("`{written}` is no column; write `schema.table.column`");
    let [schema, table, column] = match parts.as_slice() {
        [schema, table, column] => return Ok((None, [schema, table, column].map(String::clone))),
        [_, schema, table, column] => [schema, table, column].map(String::clone),
        _ => return Err(wrong()),
    };
    let database = parts.first().cloned();
    Ok((database, [schema, table, column]))
}

/// The parts between dots outside quotes; `None` if a quote is not closed or not at the edge.
fn split(written: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    let mut chars = written.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '"' if quoted && chars.peek() == Some(&'"') => part.extend(chars.next()),
            '"' if quoted => {
                quoted = false;
                if !matches!(chars.peek(), None | Some('.')) {
                    return None;
                }
            }
            '"' if part.is_empty() => quoted = true,
            '"' => return None,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    (!quoted).then_some(parts)
}
