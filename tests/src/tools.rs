//! Where the programs are that tests start.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::{Result, bail};

/// The clone these sources stand in: as cargo says when it runs this, since two clones may share a
/// folder of built programs.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let mut root = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        root.pop();
        root
    });
    &ROOT
}

/// `dist/ostiary`.
pub fn ostiary() -> Result<PathBuf> {
    built("OSTIARY_BIN", "dist/ostiary")
}

/// `dist/ostiary_filter.wasm`.
pub fn filter() -> Result<PathBuf> {
    built("OSTIARY_FILTER", "dist/ostiary_filter.wasm")
}

/// Envoy: `ENVOY_BIN`, or what `bootstrap` installed.
pub fn envoy() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ENVOY_BIN")
        .map(PathBuf::from)
        .filter(|it| it.is_file())
    {
        return Ok(path);
    }
    existing(
        root().join(".cache/bin/envoy"),
        "./bootstrap e2e installs Envoy",
    )
}

/// One of PostgreSQL's programs: from `PG_BIN`, else the newest of the system, else from `PATH`.
pub fn postgres(program: &str) -> Result<PathBuf> {
    let mut directories: Vec<PathBuf> = std::env::var_os("PG_BIN")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    installed.sort_by_key(|path| {
        let version = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse().ok());
        std::cmp::Reverse(version.unwrap_or(0_u32))
    });
    directories.extend(installed.into_iter().map(|path| path.join("bin")));
    directories.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    for directory in directories {
        let path = directory.join(program);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!("no `{program}`: ./bootstrap e2e installs PostgreSQL, or PG_BIN names its programs")
}

/// The Python that has psycopg.
pub fn python() -> Result<PathBuf> {
    existing(
        root().join(".cache/venv/bin/python"),
        "./bootstrap e2e installs psycopg",
    )
}

/// Where node-postgres is, for `NODE_PATH`.
pub fn node_modules() -> Result<PathBuf> {
    existing(
        root().join(".cache/node/node_modules"),
        "./bootstrap e2e installs node-postgres",
    )
}

/// kube-apiserver: `KUBE_APISERVER`, or what `bootstrap` built.
pub fn apiserver() -> Result<PathBuf> {
    let named = std::env::var_os("KUBE_APISERVER").map(PathBuf::from);
    existing(
        named.unwrap_or_else(|| root().join(".cache/kubernetes/kube-apiserver")),
        "./bootstrap e2e builds kube-apiserver; KUBE_APISERVER names another",
    )
}

/// The streaming end of a kubelet: `KUBELET`, or what `bootstrap` built.
pub fn kubelet() -> Result<PathBuf> {
    let named = std::env::var_os("KUBELET").map(PathBuf::from);
    existing(
        named.unwrap_or_else(|| root().join(".cache/kubernetes/kubelet")),
        "./bootstrap e2e builds it from tests/kubernetes/kubelet; KUBELET names another",
    )
}

/// etcd, from `PATH` or what `bootstrap` installed.
pub fn etcd() -> Result<PathBuf> {
    on_path("etcd")
}

/// kubectl: `KUBECTL`, else the same way.
pub fn kubectl() -> Result<PathBuf> {
    match std::env::var_os("KUBECTL") {
        Some(path) => existing(path.into(), "named by KUBECTL"),
        None => on_path("kubectl"),
    }
}

fn on_path(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = root().join(".cache/bin");
    let all = std::env::split_paths(&path).chain([own]);
    match all
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
    {
        Some(path) => Ok(path),
        None => bail!("no `{program}` on PATH: ./bootstrap e2e installs it"),
    }
}

/// pgjdbc: `PGJDBC_JAR`, or that of the system's packages.
pub fn pgjdbc() -> Result<PathBuf> {
    let named = std::env::var_os("PGJDBC_JAR").map(PathBuf::from);
    existing(
        named.unwrap_or_else(|| "/usr/share/java/postgresql.jar".into()),
        "./bootstrap e2e installs libpostgresql-jdbc-java; PGJDBC_JAR names another",
    )
}

fn built(variable: &str, default: &str) -> Result<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => existing(path.into(), "named by the environment"),
        None => existing(root().join(default), "`just build` makes it"),
    }
}

fn existing(path: PathBuf, cure: &str) -> Result<PathBuf> {
    if !path.exists() {
        bail!("`{}` is missing: {cure}", path.display());
    }
    Ok(path)
}
