//! `ostiary.yaml`: what an operator writes, read into types; every problem is listed at once.

mod credential;
mod impersonation;
mod read;
mod reader;
mod secret;
#[cfg(test)]
mod tests;
mod yaml;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use credential::{Credential, CredentialError};
pub use impersonation::Impersonation;
use reader::Reader;
pub use secret::{Secret, SecretError};

/// A whole `ostiary.yaml`. Paths are absolute or relative to the working directory: the reader has
/// joined them to the file's own directory.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the store and the gateway token live.
    pub state_dir: PathBuf,
    /// Where filters and operators reach the control plane.
    pub control_plane: Listen,
    /// Whose tokens count.
    pub identity: Identity,
    /// Groups that hold each operator role.
    pub roles: Roles,
    /// A bundle directory, applied at first start.
    pub policy: Option<PathBuf>,
    /// How `ostiary up` runs Envoy.
    pub envoy: EnvoyConfig,
    /// What is guarded.
    pub resources: Vec<Resource>,
}

/// A gRPC listener.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Required unless `listen` is a loopback address.
    pub tls: Option<ListenTls>,
}

/// Files of a TLS listener, PEM.
#[derive(Clone, Debug)]
pub struct ListenTls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Authorities of client certificates; a filter with such a certificate needs no gateway token.
    pub client_ca: Option<PathBuf>,
}

/// Whose tokens count.
#[derive(Clone, Debug)]
pub struct Identity {
    /// At least one.
    pub issuers: Vec<Issuer>,
}

/// One issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// `iss`, exact.
    pub issuer: String,
    /// `aud` must hold it.
    pub audience: String,
    /// Keys from a file in place of OIDC discovery.
    pub jwks_file: Option<PathBuf>,
    /// Authorities of the issuer's TLS certificate, PEM; the system's by default.
    pub ca: Option<PathBuf>,
    /// Algorithms a token may be signed with.
    pub algorithms: Vec<jsonwebtoken::Algorithm>,
    /// The claim that holds the groups.
    pub groups_claim: String,
}

/// Groups that hold each operator role.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// May apply policy and kill sessions.
    pub admin: Vec<String>,
    /// May decide approvals.
    pub reviewer: Vec<String>,
    /// May read everything.
    pub auditor: Vec<String>,
}

/// How `ostiary up` runs Envoy.
#[derive(Clone, Debug)]
pub struct EnvoyConfig {
    /// Envoy's admin listener, loopback.
    pub admin: SocketAddr,
    /// The Envoy binary; found by `ostiary up` if absent.
    pub binary: Option<PathBuf>,
    /// `ostiary_filter.wasm`; found by `ostiary up` if absent.
    pub filter: Option<PathBuf>,
    /// Worker threads; Envoy's own default if absent.
    pub concurrency: Option<u32>,
    /// Envoy's log level: trace, debug, info, warning, error, critical or off.
    pub log_level: Option<String>,
}

/// One guarded target.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Unique; lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// The protocol.
    pub kind: Kind,
    /// Where agents connect.
    pub listen: SocketAddr,
    /// The target.
    pub address: HostPort,
    /// The role used upstream; empty for HTTP.
    pub role: String,
    /// Its password; absent for trust.
    pub password: Option<Secret>,
    /// What an HTTP target knows the gateway by.
    pub credential: Option<Credential>,
    /// Who a Kubernetes target takes the agent for; the gateway itself if absent.
    pub impersonation: Option<Impersonation>,
    /// TLS towards the target.
    pub tls: UpstreamTls,
    /// Authorities of the target's certificate, PEM.
    pub ca: Option<PathBuf>,
    /// What Envoy presents to an HTTP target that wants a client certificate.
    pub client: Option<Certificate>,
    /// What Envoy shows agents of an HTTP target; plaintext if absent.
    pub server: Option<Certificate>,
    /// Whether an HTTP target is spoken to in HTTP/2, as gRPC needs.
    pub http2: bool,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// The protocol of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// HTTP with JSON, text or events.
    Http,
    /// A Kubernetes API server.
    Kubernetes,
}

impl Kind {
    /// The name as configuration and API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Http => "http",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// Whether Envoy speaks HTTP to it.
    pub fn is_http(self) -> bool {
        match self {
            Self::Postgres => false,
            Self::Http | Self::Kubernetes => true,
        }
    }
}

/// A host name or IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// TLS towards a target, as libpq's `sslmode` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamTls {
    /// If the server offers it.
    #[default]
    Prefer,
    /// Always; the certificate is not verified unless `ca` is given.
    Require,
    /// Always, with certificate and host name verified.
    VerifyFull,
    /// Never.
    Disable,
}

/// One thing wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file, as it was named.
    pub file: PathBuf,
    /// 1-based; 0 when the problem is the file as a whole.
    pub line: usize,
    /// What is wrong, and what was probably meant.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file.display(), self.message)
        } else {
            write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
        }
    }
}

impl Config {
    /// Reads and validates a file; every problem is listed.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(path);
        let config = read_text(path)
            .and_then(|text| yaml::parse(&text))
            .map_err(|(line, message)| reader.problem(line, message))
            .ok()
            .and_then(|root| read::config(&mut reader, &root));
        let mut problems = reader.problems;
        problems.sort_by_key(|problem| problem.line);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(problems),
        }
    }
}

/// Longest `ostiary.yaml` read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

fn read_text(path: &Path) -> Result<String, yaml::Invalid> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_CONFIG + 1).read_to_string(&mut text))
        .map_err(|error| (0, format!("cannot be read: {error}")))?;
    if text.len() as u64 > MAX_CONFIG {
        return Err((0, "is longer than 1 MiB".to_owned()));
    }
    Ok(text)
}
