//! The startup parameter `replication`, read as the server reads it.

use crate::postgres::core::Fatal;

/// invalid_parameter_value
const INVALID: &str = "22023";

/// Which replication a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Mode {
    /// The WAL of the whole server; there is no database.
    Physical,
    /// Changes decoded in one database.
    Logical,
}

impl Mode {
    /// `None` if the value asks for an ordinary connection.
    pub(in crate::postgres) fn read(value: &str) -> Result<Option<Self>, Fatal> {
        if value == "database" {
            return Ok(Some(Self::Logical));
        }
        match truth(value) {
            Some(asked) => Ok(asked.then_some(Self::Physical)),
            None => Err(Fatal::new(
                INVALID,
                "login",
                "invalid value for parameter \"replication\"; valid are: false, 0, true, 1, database"
                    .to_owned(),
            )),
        }
    }

    /// The value that asks for it.
    pub(in crate::postgres) fn as_str(self) -> &'static str {
        match self {
            Self::Physical => "true",
            Self::Logical => "database",
        }
    }
}

/// A boolean as `parse_bool` reads it: any start of its words that is the start of one alone.
fn truth(value: &str) -> Option<bool> {
    let value = value.to_ascii_lowercase();
    let begins = |words: [&str; 3]| words.iter().any(|word| word.starts_with(&value));
    match value.as_str() {
        "" | "o" => None,
        "1" => Some(true),
        "0" => Some(false),
        _ if begins(["true", "yes", "on"]) => Some(true),
        _ if begins(["false", "no", "off"]) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_server_reads() {
        for value in ["t", "tr", "TRUE", "true", "y", "Yes", "on", "ON", "1"] {
            assert_eq!(Mode::read(value), Ok(Some(Mode::Physical)), "{value}");
        }
        for value in ["f", "fal", "FALSE", "n", "no", "of", "off", "Off", "0"] {
            assert_eq!(Mode::read(value), Ok(None), "{value}");
        }
        assert_eq!(Mode::read("database"), Ok(Some(Mode::Logical)));
        for value in [
            "", "o", "2", "10", "01", "Database", "datab", "truex", " true", "onn", "off ",
        ] {
            assert!(Mode::read(value).is_err(), "{value}");
        }
    }
}
