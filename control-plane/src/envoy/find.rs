//! Where Envoy and the filter are.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

const FILTER: &str = "ostiary_filter.wasm";

/// The Envoy binary: as configured, `ENVOY_BIN`, on `PATH`, or beside this executable.
pub(crate) fn find_binary(configured: Option<&Path>) -> Result<PathBuf, String> {
    let named = [
        ("envoy.binary", configured.map(Path::to_owned)),
        ("ENVOY_BIN", variable("ENVOY_BIN").map(named_binary)),
    ];
    if let Some(found) = first_named(named)? {
        return Ok(found);
    }
    on_path("envoy")
        .or_else(|| beside("envoy").filter(|found| is_executable(found)))
        .ok_or_else(|| {
            "cannot find Envoy: set `envoy.binary` in the configuration or ENVOY_BIN, or put \
             `envoy` on PATH"
                .to_owned()
        })
}

/// The filter: as configured, `OSTIARY_FILTER`, or beside this executable. Absolute, since Envoy
/// reads it.
pub(crate) fn find_filter(configured: Option<&Path>) -> Result<PathBuf, String> {
    let named = [
        ("envoy.filter", configured.map(Path::to_owned)),
        (
            "OSTIARY_FILTER",
            variable("OSTIARY_FILTER").map(PathBuf::from),
        ),
    ];
    if let Some(found) = first_named(named)? {
        return std::path::absolute(&found).map_err(|error| error.to_string());
    }
    beside(FILTER).filter(|path| path.is_file()).ok_or_else(|| {
        format!(
            "cannot find the filter: set `envoy.filter` in the configuration or OSTIARY_FILTER, \
             or put `{FILTER}` beside `ostiary`"
        )
    })
}

/// A name that was given counts, also when it is wrong: nothing else is taken in its place.
fn first_named(named: [(&str, Option<PathBuf>); 2]) -> Result<Option<PathBuf>, String> {
    let first = named
        .into_iter()
        .find_map(|(origin, path)| path.map(|path| (origin, path)));
    match first {
        None => Ok(None),
        Some((_, path)) if path.is_file() => Ok(Some(path)),
        Some((origin, path)) => {
            let path = path.display();
            Err(format!("`{origin}` names `{path}`, which is no file"))
        }
    }
}

/// A bare name is looked up on `PATH`, as a shell does.
fn named_binary(name: OsString) -> PathBuf {
    let path = PathBuf::from(name);
    match path.components().count() {
        1 => on_path(&path).unwrap_or(path),
        _ => path,
    }
}

fn on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(&name))
        .find(|candidate| is_executable(candidate))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn beside(name: &str) -> Option<PathBuf> {
    let executable = std::env::current_exe().ok()?;
    Some(executable.parent()?.join(name))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{find_binary, find_filter};

    #[test]
    fn a_name_that_was_given_is_not_replaced_by_another() {
        let missing = Path::new("/nonexistent/envoy");
        let error = find_binary(Some(missing)).unwrap_err();
        assert_eq!(
            error,
            "`envoy.binary` names `/nonexistent/envoy`, which is no file"
        );
        assert!(find_filter(Some(missing)).is_err());
    }
}
