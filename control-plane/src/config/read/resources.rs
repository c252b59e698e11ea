//! `resources`: what is guarded.

use std::collections::BTreeSet;

use super::{
    super::{
        HostPort, Kind, Resource, Secret, UpstreamTls,
        reader::Reader,
        yaml::{Node, Value},
    },
    optional, socket,
};

pub(super) fn resources(r: &mut Reader, node: &Node) -> Option<Vec<Resource>> {
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
    if matches!(node.value, Value::Scalar(_)) {
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
