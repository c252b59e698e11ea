//! Each part of `ostiary.yaml`, from its YAML.

mod identity;
mod resources;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    Config, EnvoyConfig, Listen, ListenTls, Roles,
    reader::{Fields, Reader},
    yaml::Node,
};
use identity::identity;
use resources::resources;

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
