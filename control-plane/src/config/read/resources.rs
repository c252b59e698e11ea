//! `resources`: what is guarded.

use std::collections::BTreeSet;

use super::{
    super::{
        Certificate, Credential, HostPort, Impersonation, Kind, Resource, Secret, UpstreamTls,
        reader::{Fields, Reader},
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
        "name",
        "kind",
        "listen",
        "address",
        "role",
        "password",
        "credential",
        "tls",
        "ca",
        "client_cert",
        "client_key",
        "protocol",
        "listen_cert",
        "listen_key",
        "impersonate",
    ];
    let fields = r.fields(node, "a resource", &known)?;
    let name = r.required(&fields, "name").and_then(|node| {
        let expected = "1 to 63 lower-case letters, digits, `-` and `_`";
        r.parsed(node, "name", expected, resource_name)
    });
    let kind = r.required(&fields, "kind").and_then(|node| {
        r.parsed(node, "kind", "postgres, http or kubernetes", |text| {
            let all = [Kind::Postgres, Kind::Http, Kind::Kubernetes];
            all.into_iter().find(|kind| kind.as_str() == text)
        })
    });
    let listen = r
        .required(&fields, "listen")
        .and_then(|node| socket(r, node, "listen"));
    let address = r.required(&fields, "address").and_then(|node| {
        let expected = "a host and a port, such as db.internal:5432";
        r.parsed(node, "address", expected, host_port)
    });
    let is_http = kind.is_some_and(Kind::is_http);
    only_of_its_kind(r, &fields, is_http);
    let impersonation = optional(&fields, "impersonate", |node| impersonation(r, node, kind?));
    let role = match is_http {
        true => Some(""),
        false => r
            .required(&fields, "role")
            .and_then(|node| r.text(node, "role")),
    };
    let password = optional(&fields, "password", |node| secret(r, node, "password"));
    let credential = optional(&fields, "credential", |node| credential(r, node));
    let tls = tls(r, &fields, is_http);
    let ca = r.optional_path(&fields, "ca");
    let client = certificate(r, &fields, "client_cert", "client_key");
    let server = certificate(r, &fields, "listen_cert", "listen_key");
    let http2 = optional(&fields, "protocol", |node| {
        r.parsed(node, "protocol", "http1 or http2", |text| match text {
            "http1" => Some(false),
            "http2" => Some(true),
            _ => None,
        })
    });
    Some(Resource {
        name: name?,
        kind: kind?,
        listen: listen?,
        address: address?,
        role: role?.to_owned(),
        password: password?,
        credential: credential?,
        impersonation: impersonation?,
        tls: tls?,
        ca: ca?,
        client: client?,
        http2: http2?.unwrap_or_default(),
        server: server?,
    })
}

/// A key that another kind of resource would heed is a mistake, not a wish.
fn only_of_its_kind(r: &mut Reader, fields: &Fields<'_>, is_http: bool) {
    let (others, kind) = match is_http {
        true => (&["role", "password"][..], "postgres"),
        false => (
            &[
                "credential",
                "client_cert",
                "client_key",
                "protocol",
                "listen_cert",
                "listen_key",
            ][..],
            "http or kubernetes",
        ),
    };
    for key in others {
        if let Some(node) = fields.get(key) {
            r.problem(
                node.line,
                format!("`{key}` is for resources of kind {kind}"),
            );
        }
    }
}

fn tls(r: &mut Reader, fields: &Fields<'_>, is_http: bool) -> Option<UpstreamTls> {
    let Some(node) = fields.get("tls") else {
        // To ask whether a server speaks TLS is PostgreSQL's way.
        return Some(match is_http {
            true => UpstreamTls::VerifyFull,
            false => UpstreamTls::default(),
        });
    };
    let expected = match is_http {
        true => "require, verify-full or disable",
        false => "prefer, require, verify-full or disable",
    };
    r.parsed(node, "tls", expected, |text| {
        Some(match text {
            "prefer" if !is_http => UpstreamTls::Prefer,
            "require" => UpstreamTls::Require,
            "verify-full" => UpstreamTls::VerifyFull,
            "disable" => UpstreamTls::Disable,
            _ => return None,
        })
    })
}

/// A certificate and its key, which come together.
fn certificate(
    r: &mut Reader,
    fields: &Fields<'_>,
    cert_key: &str,
    key_key: &str,
) -> Option<Option<Certificate>> {
    let cert = r.optional_path(fields, cert_key)?;
    let key = r.optional_path(fields, key_key)?;
    match (cert, key) {
        (None, None) => Some(None),
        (Some(cert), Some(key)) => Some(Some(Certificate { cert, key })),
        _ => {
            let node = fields.get(cert_key).or(fields.get(key_key));
            let line = node.map_or(0, |node| node.line);
            r.problem(line, format!("`{cert_key}` and `{key_key}` come together"));
            None
        }
    }
}

fn credential(r: &mut Reader, node: &Node) -> Option<Credential> {
    let fields = r.fields(
        node,
        "credential",
        &["bearer", "basic", "header", "command"],
    )?;
    let forms = [
        fields.get("bearer"),
        fields.get("basic"),
        fields.get("header"),
        fields.get("command"),
    ];
    match forms {
        [Some(node), None, None, None] => secret(r, node, "bearer").map(Credential::Bearer),
        [None, Some(node), None, None] => {
            let fields = r.fields(node, "basic", &["user", "password"])?;
            let user = r
                .required(&fields, "user")
                .and_then(|node| r.text(node, "user"));
            let password = r
                .required(&fields, "password")
                .and_then(|node| secret(r, node, "password"));
            Some(Credential::Basic {
                user: user?.to_owned(),
                password: password?,
            })
        }
        [None, None, Some(node), None] => {
            let fields = r.fields(node, "header", &["name", "value"])?;
            let name = r.required(&fields, "name").and_then(|node| {
                let expected = "the name of a header, such as x-api-key";
                r.parsed(node, "name", expected, header_name)
            });
            let value = r
                .required(&fields, "value")
                .and_then(|node| secret(r, node, "value"));
            Some(Credential::Header {
                name: name?,
                value: value?,
            })
        }
        [None, None, None, Some(node)] => {
            let words = r.texts(node, "command")?;
            if words.is_empty() {
                r.problem(node.line, "`command` names a program and its arguments");
                return None;
            }
            Some(Credential::Command(words))
        }
        _ => {
            let message =
                "credential needs exactly one of `bearer`, `basic`, `header` and `command`";
            r.problem(node.line, message);
            None
        }
    }
}

fn impersonation(r: &mut Reader, node: &Node, kind: Kind) -> Option<Impersonation> {
    if kind != Kind::Kubernetes {
        let message = "`impersonate` is for resources of kind kubernetes";
        r.problem(node.line, message);
        return None;
    }
    let fields = r.fields(node, "impersonate", &["user_prefix", "groups_prefix"])?;
    let by_default = Impersonation::default();
    let mut prefix = |key, by_default: String| match fields.get(key) {
        None => Some(by_default),
        Some(node) => {
            let expected = "at most 64 letters, digits and signs, without a space";
            r.parsed(node, key, expected, |text| {
                let fits = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic());
                fits.then(|| text.to_owned())
            })
        }
    };
    let user_prefix = prefix("user_prefix", by_default.user_prefix);
    let groups_prefix = prefix("groups_prefix", by_default.groups_prefix);
    Some(Impersonation {
        user_prefix: user_prefix?,
        groups_prefix: groups_prefix?,
    })
}

/// Lower case. Headers that Envoy or the filter set themselves cannot carry a credential.
fn header_name(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let taken = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
    ];
    let name = text.to_ascii_lowercase();
    let fits = (1..=64).contains(&name.len()) && name.chars().all(allowed);
    (fits && !taken.contains(&name.as_str())).then_some(name)
}

fn secret(r: &mut Reader, node: &Node, what: &str) -> Option<Secret> {
    if matches!(node.value, Value::Scalar(_)) {
        let message = format!(
            "`{what}` must be {{env: NAME}} or {{file: path}}: a secret is not written here"
        );
        r.problem(node.line, message);
        return None;
    }
    let fields = r.fields(node, what, &["env", "file"])?;
    match (fields.get("env"), fields.get("file")) {
        (Some(node), None) => r.text(node, "env").map(|name| Secret::Env(name.to_owned())),
        (None, Some(node)) => r.path(node, "file").map(Secret::File),
        _ => {
            r.problem(
                node.line,
                format!("{what} needs exactly one of `env` and `file`"),
            );
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
