//! Each part of `ostiary.yaml`, from its YAML.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use jsonwebtoken::Algorithm;

use super::{
    Config, EnvoyConfig, HostPort, Identity, Issuer, Kind, Listen, ListenTls, Resource, Roles,
    Secret, UpstreamTls,
    reader::{Fields, Reader},
    yaml::Node,
};

/// Algorithms a token may be signed with: signatures by a key only the issuer holds, never a MAC.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];
const DEFAULT_ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);
const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);
const SOCKET: &str = "an IP address with a port, such as 127.0.0.1:7700";

pub(super) fn config(r: &mut Reader, root: &Node) -> Option<Config> {
    let known = [
        "state_dir",
        "control_plane",
        "identity",
        "roles",
        "policy",
        "envoy",
        "resources",
    ];
    let fields = r.fields(root, "ostiary.yaml", &known)?;
    let state_dir = match fields.get("state_dir") {
        Some(node) => r.path(node, "state_dir"),
        None => default_state_dir(r, root),
    };
    let control_plane = match fields.get("control_plane") {
        Some(node) => listen(r, node),
        None => Some(Listen {
            listen: DEFAULT_LISTEN,
            tls: None,
        }),
    };
    let identity = r
        .required(&fields, "identity")
        .and_then(|node| identity(r, node));
    let roles = match fields.get("roles") {
        Some(node) => roles(r, node),
        None => Some(Roles::default()),
    };
    let policy = r.optional_path(&fields, "policy");
    let envoy = envoy(r, fields.get("envoy"));
    let resources = r
        .required(&fields, "resources")
        .and_then(|node| resources(r, node));
    Some(Config {
        state_dir: state_dir?,
        control_plane: control_plane?,
        identity: identity?,
        roles: roles?,
        policy: policy?,
        envoy: envoy?,
        resources: resources?,
    })
}

fn default_state_dir(r: &mut Reader, root: &Node) -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path: &PathBuf| path.is_absolute())
    };
    let base = variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local").join("state")));
    if base.is_none() {
        let message = "`state_dir` is needed: neither XDG_STATE_HOME nor HOME is set";
        r.problem(root.line, message);
    }
    Some(base?.join("ostiary"))
}

fn listen(r: &mut Reader, node: &Node) -> Option<Listen> {
    let fields = r.fields(node, "control_plane", &["listen", "tls"])?;
    let listen = match fields.get("listen") {
        Some(node) => socket(r, node, "listen"),
        None => Some(DEFAULT_LISTEN),
    };
    let tls = match fields.get("tls") {
        Some(node) => listen_tls(r, node).map(Some),
        None => Some(None),
    };
    if let (Some(address), None) = (listen, fields.get("tls"))
        && !address.ip().is_loopback()
    {
        let line = fields.get("listen").map_or(node.line, |node| node.line);
        let message = format!(
            "control_plane listens on {address}, which is not loopback: tokens would pass in \
             plaintext; add `tls` with `cert` and `key`"
        );
        r.problem(line, message);
    }
    Some(Listen {
        listen: listen?,
        tls: tls?,
    })
}

fn listen_tls(r: &mut Reader, node: &Node) -> Option<ListenTls> {
    let fields = r.fields(node, "control_plane.tls", &["cert", "key", "client_ca"])?;
    let cert = r.required(&fields, "cert").and_then(|n| r.path(n, "cert"));
    let key = r.required(&fields, "key").and_then(|n| r.path(n, "key"));
    let client_ca = r.optional_path(&fields, "client_ca");
    Some(ListenTls {
        cert: cert?,
        key: key?,
        client_ca: client_ca?,
    })
}

fn identity(r: &mut Reader, node: &Node) -> Option<Identity> {
    let fields = r.fields(node, "identity", &["issuers"])?;
    let node = r.required(&fields, "issuers")?;
    let items = r.list(node, "issuers")?;
    if items.is_empty() {
        r.problem(node.line, "`issuers` must name at least one issuer");
    }
    let mut seen = BTreeSet::new();
    let mut issuers = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(issuer) = issuer(r, item) else {
            complete = false;
            continue;
        };
        if !seen.insert(issuer.issuer.clone()) {
            r.problem(item.line, format!("issuer `{}` comes twice", issuer.issuer));
        }
        issuers.push(issuer);
    }
    complete.then_some(Identity { issuers })
}

fn issuer(r: &mut Reader, node: &Node) -> Option<Issuer> {
    let known = [
        "issuer",
        "audience",
        "jwks_file",
        "ca",
        "algorithms",
        "groups_claim",
    ];
    let fields = r.fields(node, "an issuer", &known)?;
    let jwks_file = r.optional_path(&fields, "jwks_file");
    let name = r.required(&fields, "issuer").and_then(|node| {
        let name = r.text(node, "issuer")?.to_owned();
        issuer_name(r, node, &name, fields.get("jwks_file").is_some());
        Some(name)
    });
    let audience = r
        .required(&fields, "audience")
        .and_then(|node| r.text(node, "audience"));
    let ca = r.optional_path(&fields, "ca");
    let algorithms = match fields.get("algorithms") {
        Some(node) => algorithms(r, node),
        None => Some(DEFAULT_ALGORITHMS.to_vec()),
    };
    let groups_claim = match fields.get("groups_claim") {
        Some(node) => r.text(node, "groups_claim"),
        None => Some("groups"),
    };
    Some(Issuer {
        issuer: name?,
        audience: audience?.to_owned(),
        jwks_file: jwks_file?,
        ca: ca?,
        algorithms: algorithms?,
        groups_claim: groups_claim?.to_owned(),
    })
}

/// Keys come over this URL unless they come from a file, so it must be one nobody can listen in on.
fn issuer_name(r: &mut Reader, node: &Node, name: &str, has_file: bool) {
    if name.contains('|') || name.chars().any(char::is_control) {
        r.problem(
            node.line,
            "`issuer` must not contain `|` or control characters",
        );
    }
    if has_file {
        return;
    }
    let Ok(url) = reqwest::Url::parse(name) else {
        let message =
            format!("`issuer` must be a URL for discovery, not `{name}`; or add `jwks_file`");
        return r.problem(node.line, message);
    };
    if !crate::identity::is_private_channel(&url) {
        let message = format!("`issuer` must be https, or http on loopback, not `{name}`");
        r.problem(node.line, message);
    }
}

fn algorithms(r: &mut Reader, node: &Node) -> Option<Vec<Algorithm>> {
    let items = r.list(node, "algorithms")?;
    if items.is_empty() {
        r.problem(node.line, "`algorithms` must name at least one algorithm");
    }
    let expected = format!("one of {}", ALGORITHMS.map(|(name, _)| name).join(", "));
    r.each(items, |r, item| {
        r.parsed(item, "algorithms", &expected, |text| {
            let found = ALGORITHMS.iter().find(|(name, _)| *name == text);
            found.map(|(_, algorithm)| *algorithm)
        })
    })
}

fn roles(r: &mut Reader, node: &Node) -> Option<Roles> {
    let fields = r.fields(node, "roles", &["admin", "reviewer", "auditor"])?;
    let mut groups = |key| match fields.get(key) {
        Some(node) => r.texts(node, key),
        None => Some(Vec::new()),
    };
    let (admin, reviewer, auditor) = (groups("admin"), groups("reviewer"), groups("auditor"));
    Some(Roles {
        admin: admin?,
        reviewer: reviewer?,
        auditor: auditor?,
    })
}

fn envoy(r: &mut Reader, node: Option<&Node>) -> Option<EnvoyConfig> {
    let Some(node) = node else {
        return Some(EnvoyConfig {
            admin: DEFAULT_ADMIN,
            binary: None,
            filter: None,
            concurrency: None,
            log_level: None,
        });
    };
    let known = ["admin", "binary", "filter", "concurrency", "log_level"];
    let fields = r.fields(node, "envoy", &known)?;
    let admin = match fields.get("admin") {
        Some(node) => socket(r, node, "admin"),
        None => Some(DEFAULT_ADMIN),
    };
    if let Some(address) = admin
        && !address.ip().is_loopback()
    {
        let line = fields.get("admin").map_or(node.line, |node| node.line);
        r.problem(
            line,
            "`admin` must be a loopback address: it has no authentication",
        );
    }
    let binary = r.optional_path(&fields, "binary");
    let filter = r.optional_path(&fields, "filter");
    let concurrency = optional(&fields, "concurrency", |node| {
        r.parsed(node, "concurrency", "a number from 1 to 1024", |text| {
            text.parse().ok().filter(|n| (1..=1024).contains(n))
        })
    });
    let log_level = optional(&fields, "log_level", |node| {
        let levels = [
            "trace", "debug", "info", "warning", "error", "critical", "off",
        ];
        let expected = format!("one of {}", levels.join(", "));
        r.parsed(node, "log_level", &expected, |text| {
            levels.contains(&text).then(|| text.to_owned())
        })
    });
    Some(EnvoyConfig {
        admin: admin?,
        binary: binary?,
        filter: filter?,
        concurrency: concurrency?,
        log_level: log_level?,
    })
}

fn resources(r: &mut Reader, node: &Node) -> Option<Vec<Resource>> {
    let items = r.list(node, "resources")?;
    if items.is_empty() {
        r.problem(node.line, "`resources` must name at least one resource");
    }
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    let mut resources = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(resource) = resource(r, item) else {
            complete = false;
            continue;
        };
        if !names.insert(resource.name.clone()) {
            r.problem(
                item.line,
                format!("resource `{}` comes twice", resource.name),
            );
        }
        if resource.listen.port() != 0 && !addresses.insert(resource.listen) {
            let message = format!("two resources listen on {}", resource.listen);
            r.problem(item.line, message);
        }
        resources.push(resource);
    }
    complete.then_some(resources)
}

fn resource(r: &mut Reader, node: &Node) -> Option<Resource> {
    let known = [
        "name", "kind", "listen", "address", "role", "password", "tls", "ca",
    ];
    let fields = r.fields(node, "a resource", &known)?;
    let name = r.required(&fields, "name").and_then(|node| {
        let expected = "1 to 63 lower-case letters, digits, `-` and `_`";
        r.parsed(node, "name", expected, resource_name)
    });
    let kind = r.required(&fields, "kind").and_then(|node| {
        r.parsed(node, "kind", "postgres", |text| {
            (text == "postgres").then_some(Kind::Postgres)
        })
    });
    let listen = r
        .required(&fields, "listen")
        .and_then(|node| socket(r, node, "listen"));
    let address = r.required(&fields, "address").and_then(|node| {
        let expected = "a host and a port, such as db.internal:5432";
        r.parsed(node, "address", expected, host_port)
    });
    let role = r
        .required(&fields, "role")
        .and_then(|node| r.text(node, "role"));
    let password = optional(&fields, "password", |node| secret(r, node));
    let tls = match fields.get("tls") {
        Some(node) => r.parsed(
            node,
            "tls",
            "prefer, require, verify-full or disable",
            |text| {
                Some(match text {
                    "prefer" => UpstreamTls::Prefer,
                    "require" => UpstreamTls::Require,
                    "verify-full" => UpstreamTls::VerifyFull,
                    "disable" => UpstreamTls::Disable,
                    _ => return None,
                })
            },
        ),
        None => Some(UpstreamTls::default()),
    };
    let ca = r.optional_path(&fields, "ca");
    Some(Resource {
        name: name?,
        kind: kind?,
        listen: listen?,
        address: address?,
        role: role?.to_owned(),
        password: password?,
        tls: tls?,
        ca: ca?,
    })
}

fn secret(r: &mut Reader, node: &Node) -> Option<Secret> {
    if matches!(node.value, super::yaml::Value::Scalar(_)) {
        let message =
            "`password` must be {env: NAME} or {file: path}: a secret is not written here";
        r.problem(node.line, message);
        return None;
    }
    let fields = r.fields(node, "password", &["env", "file"])?;
    match (fields.get("env"), fields.get("file")) {
        (Some(node), None) => r.text(node, "env").map(|name| Secret::Env(name.to_owned())),
        (None, Some(node)) => r.path(node, "file").map(Secret::File),
        _ => {
            r.problem(node.line, "password needs exactly one of `env` and `file`");
            None
        }
    }
}

fn socket(r: &mut Reader, node: &Node, what: &str) -> Option<SocketAddr> {
    r.parsed(node, what, SOCKET, |text| text.parse().ok())
}

/// A value that may be absent: the outer `None` means a problem was added.
fn optional<T>(
    fields: &Fields<'_>,
    key: &str,
    read: impl FnOnce(&Node) -> Option<T>,
) -> Option<Option<T>> {
    match fields.get(key) {
        Some(node) => read(node).map(Some),
        None => Some(None),
    }
}

fn resource_name(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    (text.len() <= 63 && text.chars().all(allowed)).then(|| text.to_owned())
}

fn host_port(text: &str) -> Option<HostPort> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.strip_suffix(']')?;
            inner.parse::<std::net::Ipv6Addr>().ok()?;
            inner
        }
        None => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            (!host.is_empty() && host.len() <= 253 && host.chars().all(allowed)).then_some(host)?
        }
    };
    Some(HostPort {
        host: host.to_owned(),
        port,
    })
}
