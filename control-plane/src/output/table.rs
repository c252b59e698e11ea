//! Aligned columns. Cells are escaped here, so that no caller can forget it.

use unicode_width::UnicodeWidthStr as _;

use super::one_line;

/// A list with headings.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Only headings so far.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![headings.map(str::to_owned).to_vec()],
        }
    }

    /// One more line.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| one_line(&cell)).to_vec());
    }

    /// The lines, without a line break at the end.
    pub(crate) fn render(&self) -> String {
        let widths = widths(&self.rows);
        let lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let cells: Vec<String> = row
                    .iter()
                    .zip(&widths)
                    .map(|(cell, width)| pad(cell, *width))
                    .collect();
                cells.join("  ").trim_end().to_owned()
            })
            .collect();
        lines.join("\n")
    }
}

/// A result as psql shows it; `None` is NULL. Numbers stand to the right.
pub(crate) fn result(columns: &[String], rows: &[Vec<Option<String>>], margin: &str) -> String {
    let mut cells = vec![
        columns
            .iter()
            .map(|name| one_line(name))
            .collect::<Vec<_>>(),
    ];
    for row in rows {
        let values = row
            .iter()
            .map(|value| value.as_deref().map_or_else(|| "∅".to_owned(), one_line));
        cells.push(values.collect());
    }
    let widths = widths(&cells);
    let mut lines = Vec::new();
    for (number, row) in cells.iter().enumerate() {
        let shown: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| match number > 0 && is_number(cell) {
                true => format!(" {}{cell} ", " ".repeat(width.saturating_sub(cell.width()))),
                false => format!(" {} ", pad(cell, *width)),
            })
            .collect();
        lines.push(format!("{margin}{}", shown.join("|")).trim_end().to_owned());
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
            lines.push(format!("{margin}{}", rules.join("+")));
        }
    }
    lines.join("\n")
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect()
}

fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty()
        && cell
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::{Table, result};

    #[test]
    fn columns_are_aligned_and_cells_escaped() {
        let mut table = Table::new(["ID", "STATEMENT", "STATE"]);
        table.row(["1", "DELETE\u{1b}[2K\nFROM x", "pending"].map(str::to_owned));
        table.row(["223", "漢字", "denied"].map(str::to_owned));
        let lines = [
            "ID   STATEMENT              STATE",
            "1    DELETE\\x1b[2K\\nFROM x  pending",
            "223  漢字                   denied",
        ];
        assert_eq!(table.render(), lines.join("\n"));
    }

    #[test]
    fn a_result_looks_like_psql() {
        let columns = ["id".to_owned(), "email".to_owned()];
        let rows = [
            vec![Some("7".to_owned()), Some("…@example.com".to_owned())],
            vec![Some("12".to_owned()), None],
        ];
        let lines = [
            "  id | email",
            " ----+---------------",
            "   7 | …@example.com",
            "  12 | ∅",
        ];
        assert_eq!(result(&columns, &rows, " "), lines.join("\n"));
    }
}
