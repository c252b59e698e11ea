//! The token that filters present, made at first start.

use std::{
    fs::OpenOptions,
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::random;

/// Reads the token, or makes one that only this user can read.
pub(super) fn load(path: &Path) -> io::Result<String> {
    match std::fs::File::open(path) {
        Ok(file) => {
            if file.metadata()?.mode() & 0o077 != 0 {
                return Err(io::Error::other("others can read it; make its mode 0600"));
            }
            let mut token = String::new();
            file.take(4096).read_to_string(&mut token)?;
            let token = token.trim();
            if token.len() < 32 {
                return Err(io::Error::other("it holds fewer than 32 characters"));
            }
            Ok(token.to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = random::hex(&random::bytes::<32>().map_err(io::Error::other)?);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(token.as_bytes())?;
            file.sync_all()?;
            Ok(token)
        }
        Err(error) => Err(error),
    }
}
