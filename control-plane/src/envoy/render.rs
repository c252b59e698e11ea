//! The bootstrap: one listener with the filter for each resource, one cluster behind each, one for
//! the control plane.

mod http;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use ostiary_control_plane::config::{HostPort, Kind};
use serde_json::{Value, json};

pub(crate) use http::HttpTarget;

/// The cluster the filter calls.
const CONTROL_PLANE: &str = "ostiary_control_plane";
/// Bytes Envoy reads ahead on a connection before it pushes back.
const BUFFER_BYTES: u32 = 1 << 20;
/// Client connections of all listeners together.
const MAX_CONNECTIONS: u32 = 10_000;
/// Calls of the filter at a time: each waiting approval is one.
const MAX_CALLS: u32 = 100_000;
const CONNECT_TIMEOUT: &str = "10s";

/// What a bootstrap is made from.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Envoy's admin listener.
    pub(crate) admin: SocketAddr,
    /// What the filter calls.
    pub(crate) control_plane: ControlPlane,
    /// What it presents there.
    pub(crate) gateway_token: String,
    /// `ostiary_filter.wasm`.
    pub(crate) filter: PathBuf,
    /// What is guarded.
    pub(crate) resources: Vec<Guarded>,
}

/// The control plane, as Envoy reaches it.
#[derive(Clone, Debug)]
pub(crate) struct ControlPlane {
    /// Where.
    pub(crate) address: HostPort,
    /// How it proves to be the one that is meant; plaintext if absent.
    pub(crate) tls: Option<Peer>,
}

/// A TLS peer known by its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// SHA-256 of the certificate, lower-case hex.
    pub(crate) certificate_sha256: String,
}

/// One resource.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    /// Its name.
    pub(crate) name: String,
    /// Where agents connect.
    pub(crate) listen: SocketAddr,
    /// The role used upstream.
    pub(crate) role: String,
    /// Where Envoy connects.
    pub(crate) upstream: Upstream,
    /// How, if it is an HTTP API.
    pub(crate) http: Option<HttpTarget>,
}

/// Where Envoy connects.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// To the server itself, in plaintext.
    Direct(HostPort),
    /// To the relay's socket.
    Socket(PathBuf),
}

/// The bootstrap as JSON, which Envoy reads as it reads YAML.
pub(crate) fn render(plan: &Plan) -> Value {
    let listeners: Vec<Value> = plan.resources.iter().map(|it| listener(plan, it)).collect();
    let mut clusters: Vec<Value> = plan.resources.iter().map(target_cluster).collect();
    clusters.push(control_plane_cluster(&plan.control_plane));
    json!({
        "node": {"id": "ostiary", "cluster": "ostiary"},
        "admin": {"address": socket_address(plan.admin)},
        "static_resources": {"listeners": listeners, "clusters": clusters},
        "overload_manager": {"resource_monitors": [{
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.resource_monitors.\
                          downstream_connections.v3.DownstreamConnectionsConfig",
                "max_active_downstream_connections": MAX_CONNECTIONS,
            },
        }]},
    })
}

fn listener(plan: &Plan, it: &Guarded) -> Value {
    let (filters, held) = match &it.http {
        None => (json!([network_wasm(plan, it), tcp_proxy(it)]), BUFFER_BYTES),
        Some(target) => {
            let manager = http::manager(it, target, &wasm(plan, it));
            (json!([manager]), http::HELD_BYTES)
        }
    };
    let mut chain = json!({"filters": filters});
    let shown = it.http.as_ref().and_then(|target| target.server.as_ref());
    if let (Some(certificate), Some(fields)) = (shown, chain.as_object_mut()) {
        fields.insert("transport_socket".to_owned(), http::entrance(certificate));
    }
    json!({
        "name": listener_name(&it.name),
        "address": socket_address(it.listen),
        "per_connection_buffer_limit_bytes": held,
        // A client that vanished without a word is noticed, and what it waits for is cancelled.
        "tcp_keepalive": keepalive(),
        "filter_chains": [chain],
    })
}

/// The name of a resource's listener.
pub(crate) fn listener_name(resource: &str) -> String {
    format!("ostiary-{resource}")
}

fn network_wasm(plan: &Plan, it: &Guarded) -> Value {
    json!({
        "name": "envoy.filters.network.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm",
            "config": wasm(plan, it),
        },
    })
}

/// The filter's plugin.
fn wasm(plan: &Plan, it: &Guarded) -> Value {
    let (key, value) = match &it.http {
        None => ("role", it.role.as_str()),
        Some(target) => ("kind", target.kind.as_str()),
    };
    let mut configuration = json!({
        "resource": it.name,
        key: value,
        "cluster": CONTROL_PLANE,
        "gateway_token": plan.gateway_token,
    });
    if let (Some(target), Some(fields)) = (&it.http, configuration.as_object_mut())
        && target.kind == Kind::Kubernetes
    {
        // For what the filter itself asks of the server.
        let target = json!({"cluster": listener_name(&it.name), "host": target.host});
        fields.insert("target".to_owned(), target);
    }
    let mut plugin = json!({
        "name": listener_name(&it.name),
        "root_id": "ostiary",
        // After a trap every session of that VM is closed, and the next gets a fresh one.
        "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "vm_id": listener_name(&it.name),
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": plan.filter}},
        },
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": configuration.to_string(),
        },
    });
    if let (Some(_), Some(fields)) = (&it.http, plugin.as_object_mut()) {
        // The body comes while the head waits, and nothing goes on before both are judged.
        fields.insert("allow_on_headers_stop_iteration".to_owned(), true.into());
    }
    plugin
}

fn tcp_proxy(it: &Guarded) -> Value {
    json!({
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": listener_name(&it.name),
            "cluster": listener_name(&it.name),
            // Sessions may be idle for as long as the server lets them, or wait for a person.
            "idle_timeout": "0s",
            // A connection that could not be made is the client's to try again.
            "max_connect_attempts": 1,
        },
    })
}

fn target_cluster(it: &Guarded) -> Value {
    let (discovery, address) = match &it.upstream {
        Upstream::Direct(address) => endpoint(address),
        Upstream::Socket(path) => ("STATIC", json!({"pipe": {"path": path}})),
    };
    let mut cluster = cluster(
        &listener_name(&it.name),
        discovery,
        &address,
        MAX_CONNECTIONS,
    );
    if let (Upstream::Direct(address), Some(target)) = (&it.upstream, &it.http) {
        http::complete(&mut cluster, address, target);
    }
    if let Some(fields) = cluster.as_object_mut() {
        fields.insert(
            "upstream_connection_options".to_owned(),
            json!({"tcp_keepalive": keepalive()}),
        );
    }
    cluster
}

fn control_plane_cluster(it: &ControlPlane) -> Value {
    let (discovery, address) = endpoint(&it.address);
    let mut cluster = cluster(CONTROL_PLANE, discovery, &address, MAX_CALLS);
    let Some(fields) = cluster.as_object_mut() else {
        return cluster;
    };
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    fields.insert(
        "typed_extension_protocol_options".to_owned(),
        json!({options: {
            "@type": format!("type.googleapis.com/{options}"),
            "explicit_http_config": {"http2_protocol_options": {
                // A control plane that vanished is noticed, and what waits for it is denied.
                "connection_keepalive": {"interval": "5s", "timeout": "5s"},
            }},
        }}),
    );
    if let Some(peer) = &it.tls {
        fields.insert("transport_socket".to_owned(), tls(&it.address.host, peer));
    }
    cluster
}

/// The certificate is pinned: it is the very file this control plane serves.
fn tls(host: &str, peer: &Peer) -> Value {
    let mut context = json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["h2"],
            "validation_context": {
                "trust_chain_verification": "ACCEPT_UNTRUSTED",
                "verify_certificate_hash": [peer.certificate_sha256],
            },
        },
    });
    if let (Err(_), Some(fields)) = (host.parse::<IpAddr>(), context.as_object_mut()) {
        fields.insert("sni".to_owned(), host.into());
    }
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}

fn cluster(name: &str, discovery: &str, address: &Value, limit: u32) -> Value {
    json!({
        "name": name,
        "type": discovery,
        "connect_timeout": CONNECT_TIMEOUT,
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "circuit_breakers": {"thresholds": [{
            "max_connections": limit,
            "max_pending_requests": limit,
            "max_requests": limit,
        }]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    })
}

fn endpoint(address: &HostPort) -> (&'static str, Value) {
    let discovery = match address.host.parse::<IpAddr>() {
        Ok(_) => "STATIC",
        Err(_) => "STRICT_DNS",
    };
    let address = json!({"socket_address": {
        "address": address.host,
        "port_value": address.port,
    }});
    (discovery, address)
}

fn socket_address(address: SocketAddr) -> Value {
    json!({"socket_address": {
        "address": address.ip(),
        "port_value": address.port(),
    }})
}

fn keepalive() -> Value {
    json!({"keepalive_time": 30, "keepalive_interval": 10, "keepalive_probes": 3})
}

/// Where a process on this machine reaches a listener: one that takes every address is on loopback
/// too.
pub(crate) fn reachable(listen: SocketAddr) -> HostPort {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    HostPort {
        host: ip.to_string(),
        port: listen.port(),
    }
}

#[cfg(test)]
mod tests;
