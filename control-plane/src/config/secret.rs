//! A secret that configuration names but does not hold.

use std::{fmt, path::PathBuf};

/// Longest secret read, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// Where a secret is; its value never prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line break is not part of the secret.
    File(PathBuf),
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable is unset or not UTF-8.
    #[error("environment variable `{0}` is not set")]
    Env(String),
    /// The file could not be read.
    #[error("cannot read `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// More than a secret can be.
    #[error("`{0}` is longer than 64 KiB")]
    TooLong(PathBuf),
}

impl Secret {
    /// The value as it is now: a file is read again each time, so that it can be rotated.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone())),
            Self::File(path) => {
                let text = read_bounded(path).map_err(|source| SecretError::File {
                    path: path.clone(),
                    source,
                })?;
                let text = text.ok_or_else(|| SecretError::TooLong(path.clone()))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
        }
    }
}

/// `None` when the file is too long.
fn read_bounded(path: &std::path::Path) -> std::io::Result<Option<String>> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(MAX_SECRET + 1)
        .read_to_string(&mut text)?;
    Ok((text.len() as u64 <= MAX_SECRET).then_some(text))
}
