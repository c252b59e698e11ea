//! What COPY with the connection at its other end says of its rows.

/// One COPY … TO STDOUT or FROM STDIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Whether rows go to the client.
    pub out: bool,
    /// Which rows.
    pub rows: Copied,
    /// How they are written; `None` where that is not certain.
    pub layout: Option<Layout>,
}

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// A table: the columns named, or all but the generated ones.
    Table {
        /// The schema, where the statement names it.
        schema: Option<String>,
        /// Its name.
        name: String,
        /// The columns named.
        columns: Vec<String>,
    },
    /// The rows of a query, which stands in these bytes of the text.
    Query {
        /// Where it starts.
        from: usize,
        /// Where it ends.
        to: usize,
    },
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The format.
    pub format: CopyFormat,
    /// What parts values.
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: String,
    /// CSV: what surrounds values.
    pub quote: u8,
    /// CSV: what stands before a quote that belongs to a value.
    pub escape: u8,
    /// Whether the names of the columns come first.
    pub header: bool,
    /// The encoding, where it is not that of the session.
    pub encoding: Option<String>,
}

/// The three formats of COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// Lines with backslashes.
    Text,
    /// Lines with quotes.
    Csv,
    /// The types' binary forms.
    Binary,
}

/// Options as they are written; what is left out has a default that depends on the format.
#[derive(Debug)]
pub(super) struct Options {
    format: CopyFormat,
    delimiter: Option<String>,
    null: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    header: bool,
    encoding: Option<String>,
    certain: bool,
}

impl Options {
    pub(super) fn new() -> Self {
        Self {
            format: CopyFormat::Text,
            delimiter: None,
            null: None,
            quote: None,
            escape: None,
            header: false,
            encoding: None,
            certain: true,
        }
    }

    /// Takes one option; a `value` of `None` is one that is not known, or none.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let text = value.map(str::to_owned);
        self.certain &= value.is_some();
        match name {
            "format" => match value {
                Some("text") => self.format = CopyFormat::Text,
                Some("csv") => self.format = CopyFormat::Csv,
                Some("binary") => self.format = CopyFormat::Binary,
                _ => self.certain = false,
            },
            "delimiter" => self.delimiter = text,
            "null" => self.null = text,
            "quote" => self.quote = text,
            "escape" => self.escape = text,
            "encoding" => self.encoding = text,
            "header" => match value.map(str::to_ascii_lowercase).as_deref() {
                Some("true" | "on" | "1") => self.header = true,
                Some("false" | "off" | "0") => self.header = false,
                _ => self.certain = false,
            },
            _ => self.certain = false,
        }
    }

    /// The layout, if all of it is certain. Nothing is said of options the server refuses.
    pub(super) fn layout(self) -> Option<Layout> {
        let csv = self.format == CopyFormat::Csv;
        let default = |text: &str| text.to_owned();
        let delimiter = self
            .delimiter
            .unwrap_or_else(|| default(if csv { "," } else { "\t" }));
        let null = self
            .null
            .unwrap_or_else(|| default(if csv { "" } else { "\\N" }));
        let quote = one_byte(&self.quote.unwrap_or_else(|| default("\"")))?;
        let escape = match self.escape {
            Some(escape) => one_byte(&escape)?,
            None => quote,
        };
        let layout = Layout {
            format: self.format,
            delimiter: one_byte(&delimiter)?,
            null,
            quote,
            escape,
            header: self.header,
            encoding: self.encoding,
        };
        let lines = layout.format != CopyFormat::Binary;
        let parts = ![b'\n', b'\r'].contains(&layout.delimiter)
            && !layout.null.contains(['\n', '\r'])
            && !layout.null.as_bytes().contains(&layout.delimiter)
            && (csv || layout.delimiter != b'\\');
        (self.certain && (parts || !lines)).then_some(layout)
    }
}

fn one_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    }
}
