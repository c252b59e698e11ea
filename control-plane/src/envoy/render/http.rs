//! Listener and cluster of an HTTP API.
//!
//! What decides and what is sent must be one thing: paths are normalised before the filter reads
//! them, and what two readers could take for two things is refused by Envoy already.

use std::{net::IpAddr, path::PathBuf};

use ostiary_control_plane::config::{self, Certificate, HostPort, Kind};
use serde_json::{Value, json};

use super::{BUFFER_BYTES, Guarded, listener_name};

/// How Envoy reaches an HTTP target.
#[derive(Clone, Debug)]
pub(crate) struct HttpTarget {
    /// Which API it is.
    pub(crate) kind: Kind,
    /// What agents are shown; plaintext if absent.
    pub(crate) server: Option<Certificate>,
    /// TLS towards it; plaintext if absent.
    pub(crate) tls: Option<UpstreamTls>,
    /// Whether it is spoken to in HTTP/2.
    pub(crate) http2: bool,
    /// What the target is called, in `Host` and for its certificate.
    pub(crate) host: String,
}

/// TLS towards a target.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamTls {
    /// Certificate and name are verified.
    pub(crate) verify: bool,
    /// Authorities, PEM; the system's if absent.
    pub(crate) ca: Option<PathBuf>,
    /// What Envoy presents.
    pub(crate) client: Option<Certificate>,
}

impl HttpTarget {
    /// The target of a configured resource.
    pub(crate) fn of(resource: &config::Resource) -> Self {
        use config::UpstreamTls::{Disable, Prefer, Require, VerifyFull};
        let verify = match resource.tls {
            Disable | Prefer => None,
            Require => Some(false),
            VerifyFull => Some(true),
        };
        Self {
            http2: resource.http2,
            kind: resource.kind,
            server: resource.server.clone(),
            host: host_of(&resource.address, verify.is_some()),
            tls: verify.map(|verify| UpstreamTls {
                verify,
                ca: resource.ca.clone(),
                client: resource.client.clone(),
            }),
        }
    }
}

/// Bytes of a request's body that Envoy holds: more than the filter takes (1 MiB), so that it is the
/// filter that refuses, and records it.
pub(super) const HELD_BYTES: u32 = 2 * BUFFER_BYTES;
const CONNECTION_WINDOW: u32 = 1 << 20;
const STREAM_WINDOW: u32 = 256 << 10;
const STREAMS: u32 = 100;
/// Protocols that a client may ask to change to. The filter lets only WebSocket pass, where policy permits it.
const UPGRADES: [&str; 3] = ["websocket", "SPDY/3.1", "TLS/1.0"];

/// The name of the target as `Host` carries it.
fn host_of(address: &HostPort, is_tls: bool) -> String {
    match (address.port, is_tls) {
        (443, true) | (80, false) => match address.host.contains(':') {
            true => format!("[{}]", address.host),
            false => address.host.clone(),
        },
        _ => address.to_string(),
    }
}

/// TLS towards agents.
pub(super) fn entrance(certificate: &Certificate) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificates": [{
                "certificate_chain": {"filename": certificate.cert},
                "private_key": {"filename": certificate.key},
            }],
        },
    }})
}

/// The filter chain, with the filter's own configuration in it.
pub(super) fn manager(it: &Guarded, http: &HttpTarget, wasm: &Value) -> Value {
    let mut manager = plain_manager(it, http, wasm);
    if http.kind == Kind::Kubernetes {
        // Envoy itself would refuse an upgrade; the filter does so as well, after it has judged and
        // recorded what it was for.
        let upgrades = json!([{"upgrade_type": "SPDY/3.1"}, {"upgrade_type": "websocket"}]);
        let config = manager.get_mut("typed_config");
        if let Some(config) = config.and_then(Value::as_object_mut) {
            config.insert("upgrade_configs".to_owned(), upgrades);
        }
    }
    manager
}

fn plain_manager(it: &Guarded, http: &HttpTarget, wasm: &Value) -> Value {
    json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": listener_name(&it.name),
            "codec_type": "AUTO",
            "normalize_path": true,
            "merge_slashes": true,
            "path_with_escaped_slashes_action": "REJECT_REQUEST",
            "strip_trailing_host_dot": true,
            "use_remote_address": true,
            "skip_xff_append": true,
            "generate_request_id": false,
            "http_protocol_options": {"accept_http_10": false, "allow_chunked_length": false},
            "http2_protocol_options": {
                "max_concurrent_streams": STREAMS,
                "initial_stream_window_size": STREAM_WINDOW,
                "initial_connection_window_size": CONNECTION_WINDOW,
                "allow_connect": false,
            },
            "common_http_protocol_options": {
                "headers_with_underscores_action": "REJECT_REQUEST",
                "idle_timeout": "3600s",
            },
            // A request may wait for a person, or its answer be a stream of events, for long.
            "stream_idle_timeout": "0s",
            "request_timeout": "0s",
            "request_headers_timeout": "10s",
            "route_config": {
                "name": listener_name(&it.name),
                "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{
                        "match": {"prefix": "/"},
                        "route": {
                            "cluster": listener_name(&it.name),
                            // Whatever the client calls it, the target is the one that is configured.
                            "host_rewrite_literal": http.host,
                            "timeout": "0s",
                        },
                    }],
                }],
            },
            "http_filters": filters(wasm),
            // So that the filter refuses them, and records it: without this Envoy does, in silence.
            "upgrade_configs": UPGRADES.map(|it| json!({"upgrade_type": it})),
        },
    })
}

/// The filter reads requests first; answers come the other way, decoded before it sees them.
fn filters(wasm: &Value) -> Vec<Value> {
    let decoders = [
        ("gzip", "gzip.decompressor.v3.Gzip"),
        ("brotli", "brotli.decompressor.v3.Brotli"),
        ("zstd", "zstd.decompressor.v3.Zstd"),
    ];
    let mut filters = vec![json!({
        "name": "envoy.filters.http.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": wasm,
        },
    })];
    filters.extend(decoders.map(|(name, kind)| json!({
        "name": format!("decode-{name}"),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor",
            "decompressor_library": {
                "name": name,
                "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.compression.{kind}")},
            },
            // A body that comes encoded is not read: the filter refuses it.
            "request_direction_config": {
                "advertise_accept_encoding": false,
                "common_config": {"enabled": {"default_value": false, "runtime_key": "ostiary.decode_requests"}},
            },
            "response_direction_config": {"common_config": {"ignore_no_transform_header": true}},
        },
    })));
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": true,
        },
    }));
    filters
}

/// Where Linux distributions keep the system's authorities.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The system's authorities: as `SSL_CERT_FILE` says, else the first place that exists.
fn system_authorities() -> PathBuf {
    if let Some(named) = std::env::var_os("SSL_CERT_FILE") {
        return named.into();
    }
    let exists = |path: &&&str| std::path::Path::new(path).exists();
    let [first, ..] = SYSTEM_AUTHORITIES;
    let found = SYSTEM_AUTHORITIES.iter().find(exists);
    found.map_or(first, |path| path).into()
}

/// Of a target's cluster.
pub(super) fn complete(cluster: &mut Value, address: &HostPort, http: &HttpTarget) {
    let Some(fields) = cluster.as_object_mut() else {
        return;
    };
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    fields.insert(
        "typed_extension_protocol_options".to_owned(),
        json!({options: {
            "@type": format!("type.googleapis.com/{options}"),
            "explicit_http_config": match http.http2 {
                true => json!({"http2_protocol_options": {}}),
                false => json!({"http_protocol_options": {}}),
            },
        }}),
    );
    if let Some(tls) = &http.tls {
        let transport = transport(address, tls, http.http2);
        fields.insert("transport_socket".to_owned(), transport);
    }
}

fn transport(address: &HostPort, tls: &UpstreamTls, http2: bool) -> Value {
    let mut common = json!({
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "alpn_protocols": [if http2 { "h2" } else { "http/1.1" }],
    });
    let is_name = address.host.parse::<IpAddr>().is_err();
    let validation = match (&tls.ca, tls.verify) {
        (None, false) => json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"}),
        (Some(path), false) => json!({"trusted_ca": {"filename": path}}),
        (ca, true) => {
            let kind = if is_name { "DNS" } else { "IP_ADDRESS" };
            json!({
                "trusted_ca": {"filename": ca.clone().unwrap_or_else(system_authorities)},
                "match_typed_subject_alt_names": [
                    {"san_type": kind, "matcher": {"exact": address.host}},
                ],
            })
        }
    };
    if let Some(fields) = common.as_object_mut() {
        fields.insert("validation_context".to_owned(), validation);
        if let Some(client) = &tls.client {
            let certificate = json!([{
                "certificate_chain": {"filename": client.cert},
                "private_key": {"filename": client.key},
            }]);
            fields.insert("tls_certificates".to_owned(), certificate);
        }
    }
    let mut context = json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": common,
    });
    if let (true, Some(fields)) = (is_name, context.as_object_mut()) {
        fields.insert("sni".to_owned(), address.host.clone().into());
    }
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}
