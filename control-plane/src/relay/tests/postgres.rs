//! A PostgreSQL of one test's own.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use tempfile::TempDir;

/// A running server; stopped when dropped.
pub(super) struct Postgres {
    dir: TempDir,
    port: u16,
}

impl Postgres {
    /// On a free loopback port, trusting whoever connects.
    pub(super) fn start(ssl: bool) -> Self {
        Self::start_with(Self::certificates(), ssl)
    }

    /// The same with the certificate of PostgreSQL's manual: it signs itself, and may sign others.
    pub(super) fn start_with_its_own_authority(not_after: i32) -> Self {
        let mut params = server_params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(not_after, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let dir = directory(&certificate, &certificate, &key);
        Self::start_with(dir, true)
    }

    fn start_with(dir: TempDir, ssl: bool) -> Self {
        let port = free_port();
        let this = Self { dir, port };
        let data = this.dir.path().join("data");
        let data = data.to_str().unwrap();
        let initdb = ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync"];
        this.run(
            "initdb",
            &[&initdb[..], &["-E", "UTF8", "--locale=C"]].concat(),
        );
        let dir = this.dir.path().display();
        let settings = format!(
            "listen_addresses='*'\nport={port}\nunix_socket_directories='{dir}'\nfsync=off\n\
             shared_buffers=8MB\nmax_connections=10\nssl={}\nssl_cert_file='{dir}/server.crt'\n\
             ssl_key_file='{dir}/server.key'\n",
            if ssl { "on" } else { "off" },
        );
        let file = this.dir.path().join("data/postgresql.conf");
        fs::write(file, settings).unwrap();
        let log = format!("{dir}/log");
        this.run("pg_ctl", &["-D", data, "-w", "-l", &log, "start"]);
        this
    }

    /// A directory with ca.crt, server.crt and server.key, for 127.0.0.1.
    pub(super) fn certificates() -> TempDir {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "test authority");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = server_params().signed_by(&key, &ca).unwrap();
        directory(&ca.pem(), &certificate.pem(), &key)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn ca(&self) -> &'static Path {
        let path = self.dir.path().join("ca.crt");
        Box::leak(path.into_boxed_path())
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = bin(program);
        let mut command = match is_root() {
            // The server refuses to run as root.
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "nobody", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        let status = command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}: {status}");
    }
}

fn server_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    params
}

fn directory(ca: &str, certificate: &str, key: &KeyPair) -> TempDir {
    let dir = tempfile::Builder::new()
        .prefix("ostiary-pg")
        .tempdir_in("/tmp")
        .unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        give_away(&path);
    };
    write("ca.crt", ca, 0o644);
    write("server.crt", certificate, 0o644);
    write("server.key", &key.serialize_pem(), 0o600);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    give_away(dir.path());
    dir
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        let data = data.to_str().unwrap();
        self.run("pg_ctl", &["-D", data, "-m", "immediate", "stop"]);
    }
}

/// Runs a query as an agent would, with libpq's default `sslmode=prefer`.
pub(super) async fn psql(port: u16, query: &str) -> Result<String, String> {
    let mut command = client(port, query);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    answer(&output.await.unwrap())
}

/// The same, interrupted after half a second.
pub(super) async fn psql_interrupted(port: u16, query: &str) -> String {
    let child = client(port, query)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    let runs = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE query = '{query}' AND state = 'active'"
    );
    let running = async { while psql(port, &runs).await.as_deref() != Ok("1") {} };
    tokio::time::timeout(Duration::from_secs(30), running)
        .await
        .unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    answer(&output.await.unwrap()).unwrap_err()
}

fn client(port: u16, query: &str) -> Command {
    let mut command = Command::new(bin("psql"));
    command
        .args([
            "-X",
            "-A",
            "-t",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            "postgres",
        ])
        .args(["-p", &port.to_string(), "-c", query])
        .env("PGCONNECT_TIMEOUT", "10");
    command
}

fn answer(output: &Output) -> Result<String, String> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// `PG_BIN`, where Debian has it, or `PATH`.
fn bin(program: &str) -> PathBuf {
    let named = std::env::var_os("PG_BIN").map(PathBuf::from);
    let debian = (13..=20)
        .rev()
        .map(|version| format!("/usr/lib/postgresql/{version}/bin").into());
    named
        .into_iter()
        .chain(debian)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| program.into())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// To nobody, as whom the server runs.
fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
