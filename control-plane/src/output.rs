//! What the command prints: tables, JSON and times.
//!
//! In: values, many of them chosen by agents. Out: text that cannot steer a terminal: every control,
//! bidirectional or invisible character is shown as an escape.

mod escape;
mod json;
mod table;
mod tame;
mod time;

pub(crate) use escape::{block, one_line, unusual};
pub(crate) use json::{approval, channel, event, hex, resource, session, state};
pub(crate) use table::{Table, result};
pub(crate) use tame::Tame;
pub(crate) use time::{clock, instant, local, now_us, span};

use std::io::{IsTerminal as _, Write as _};

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, local times
    #[default]
    Table,
    /// One JSON document; one object a line for streams
    Json,
}

/// `1 row`, `2 rows`.
pub(crate) fn count(number: impl TryInto<u64>, what: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// Where something happens; HTTP has neither database nor role.
pub(crate) fn target(resource: &str, database: &str, role: &str) -> String {
    match (database, role) {
        ("", "") => resource.to_owned(),
        _ => format!("{resource}, database {database}, role {role}"),
    }
}

/// A line on standard error. Nobody may be reading there, which is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A colour with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Good,
    Bad,
    Wait,
    Dim,
}

/// Standard output, and how to write to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    format: Format,
    color: bool,
}

impl Printer {
    /// Colours only a terminal, and only if nobody objects.
    pub(crate) fn new(format: Format, no_color: bool) -> Self {
        let objects = no_color
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            format,
            color: !objects && std::io::stdout().is_terminal(),
        }
    }

    /// The same for text that goes to standard error.
    pub(crate) fn for_errors(self) -> Self {
        Self {
            color: self.color && std::io::stderr().is_terminal(),
            ..self
        }
    }

    /// A printer for text that is compared.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            format: Format::Table,
            color: false,
        }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Text that is already safe to print, without a line break of its own at the end.
    pub(crate) fn line(self, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// One JSON document, indented.
    pub(crate) fn document(self, value: &serde_json::Value) -> std::io::Result<()> {
        self.line(&format!("{value:#}"))
    }

    /// One JSON object on a line of its own.
    pub(crate) fn object(self, value: &serde_json::Value) -> std::io::Result<()> {
        self.line(&value.to_string())
    }

    /// `text` in a colour.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Wait => "33",
            Paint::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
