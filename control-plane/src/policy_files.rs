//! A bundle directory read into memory, within bounds.

use std::path::{Path, PathBuf};

use ostiary_policy::Files;

/// Files a bundle may have.
pub(crate) const MAX_FILES: usize = 256;
/// Bytes of all of a bundle's files together.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// A bundle directory that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFilesError {
    /// The file system said no.
    #[error("cannot read `{path}`")]
    Read {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A name or a text that is not UTF-8.
    #[error("`{0}` is not UTF-8 text")]
    NotText(PathBuf),
    /// Nothing there that belongs to a bundle.
    #[error("`{0}` holds no bundle: no `*.cedar` file in it")]
    Empty(PathBuf),
    /// More files than [`MAX_FILES`] or more bytes than [`MAX_BYTES`].
    #[error("`{0}` is too large for a bundle: at most 256 files and 1 MiB")]
    TooLarge(PathBuf),
}

/// Reads `*.cedar`, `*.yaml` and `*.yml` of a directory; other files and folders are not part of a
/// bundle. A misspelt YAML name is kept, so that validation can refuse it.
pub fn policy_files(dir: &Path) -> Result<Files, PolicyFilesError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| PolicyFilesError::Read { path, source }
    };
    let mut files = Files::new();
    let mut bytes = 0_u64;
    for entry in std::fs::read_dir(dir).map_err(unreadable(dir))? {
        let path = entry.map_err(unreadable(dir))?.path();
        let Some(extension) = path.extension().and_then(|e| e.to_str()) else {
            continue;
        };
        if !matches!(extension, "cedar" | "yaml" | "yml") || path.is_dir() {
            continue;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(PolicyFilesError::NotText(path));
        };
        if name.starts_with('.') {
            continue;
        }
        let text = read(&path, MAX_BYTES.saturating_sub(bytes)).map_err(unreadable(&path))?;
        let Some(text) = text else {
            return Err(PolicyFilesError::TooLarge(dir.to_owned()));
        };
        bytes = bytes.saturating_add(text.len() as u64);
        let text = String::from_utf8(text).map_err(|_| PolicyFilesError::NotText(path.clone()))?;
        files.insert(name.to_owned(), text);
        if files.len() > MAX_FILES {
            return Err(PolicyFilesError::TooLarge(dir.to_owned()));
        }
    }
    if !files.keys().any(|name| name.ends_with(".cedar")) {
        return Err(PolicyFilesError::Empty(dir.to_owned()));
    }
    Ok(files)
}

/// `None` when the file is longer than `limit`.
fn read(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    std::fs::File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut text)?;
    Ok((text.len() as u64 <= limit).then_some(text))
}
