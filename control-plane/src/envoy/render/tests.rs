//! The bootstrap as a golden file, and as Envoy itself reads it where there is one.

use std::path::Path;

use ostiary_control_plane::config::{Certificate, HostPort, Kind};
use serde_json::Value;

use super::{
    ControlPlane, Guarded, HttpTarget, Peer, Plan, Upstream, http::UpstreamTls, reachable, render,
};

fn host(host: &str, port: u16) -> HostPort {
    HostPort {
        host: host.to_owned(),
        port,
    }
}

fn plan(tls: Option<Peer>) -> Plan {
    let guarded = |name: &str, port: u16, upstream| Guarded {
        name: name.to_owned(),
        listen: ([127, 0, 0, 1], port).into(),
        role: format!("{name}_app"),
        upstream,
        http: None,
    };
    Plan {
        admin: "[::1]:9901".parse().unwrap(),
        control_plane: ControlPlane {
            address: host("127.0.0.1", 7700),
            tls,
        },
        gateway_token: "not-a-secret".to_owned(),
        filter: "/opt/ostiary/ostiary_filter.wasm".into(),
        resources: vec![
            guarded("address", 6432, Upstream::Direct(host("127.0.0.1", 5432))),
            guarded("name", 6433, Upstream::Direct(host("db.internal", 5432))),
            Guarded {
                role: String::new(),
                http: Some(HttpTarget {
                    http2: false,
                    kind: Kind::Http,
                    server: None,
                    host: "api.internal".to_owned(),
                    tls: Some(UpstreamTls {
                        verify: true,
                        ca: Some("/etc/ca.pem".into()),
                        client: None,
                    }),
                }),
                ..guarded("api", 6480, Upstream::Direct(host("api.internal", 443)))
            },
            Guarded {
                role: String::new(),
                http: Some(HttpTarget {
                    kind: Kind::Kubernetes,
                    server: Some(Certificate {
                        cert: "/etc/gateway.crt".into(),
                        key: "/etc/gateway.key".into(),
                    }),
                    http2: false,
                    host: "k8s.internal:6443".to_owned(),
                    tls: Some(UpstreamTls {
                        verify: true,
                        ca: Some("/etc/ca.pem".into()),
                        client: None,
                    }),
                }),
                ..guarded("k8s", 6444, Upstream::Direct(host("k8s.internal", 6443)))
            },
            guarded(
                "relay",
                6434,
                Upstream::Socket("/state/relay/relay.sock".into()),
            ),
        ],
    }
}

#[test]
fn renders_the_golden_file() {
    let peer = Peer {
        certificate_sha256: "ab".repeat(32),
    };
    let text = format!("{:#}\n", render(&plan(Some(peer))));
    expect_test::expect_file!["golden.json"].assert_eq(&text);
}

/// envoy/postgres.yaml, with the plugin's configuration as the JSON it is.
fn reference(text: &str) -> Value {
    let mut found: Value = serde_yaml_ng::from_str(text).unwrap();
    read_configuration(&mut found);
    found
}

fn read_configuration(bootstrap: &mut Value) {
    let filter = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let value = &mut filter[0]["typed_config"]["config"]["configuration"]["value"];
    *value = serde_json::from_str(value.as_str().unwrap()).unwrap();
}

const REFERENCE: &str = include_str!("../../../../envoy/postgres.yaml");

#[test]
fn the_reference_configuration_says_what_is_rendered() {
    let mut plan = plan(None);
    plan.admin = "127.0.0.1:9901".parse().unwrap();
    plan.gateway_token = "GATEWAY_TOKEN".to_owned();
    plan.resources.truncate(1);
    let shop = &mut plan.resources[0];
    shop.name = "shop".to_owned();
    shop.role = "shop_app".to_owned();
    let mut rendered = render(&plan);
    read_configuration(&mut rendered);
    rendered.as_object_mut().unwrap().remove("node");
    // The reference takes names and addresses alike.
    for cluster in rendered["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap()
    {
        cluster["type"] = "STRICT_DNS".into();
    }
    assert_eq!(reference(REFERENCE), rendered);
}

const HTTP_REFERENCE: &str = include_str!("../../../../envoy/http.yaml");

/// envoy/http.yaml, with the plugin's configuration as the JSON it is.
fn read_http_configuration(bootstrap: &mut Value) {
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let wasm = &mut manager[0]["typed_config"]["http_filters"][0]["typed_config"]["config"];
    let value = &mut wasm["configuration"]["value"];
    *value = serde_json::from_str(value.as_str().unwrap()).unwrap();
}

#[test]
fn the_http_reference_says_what_is_rendered() {
    let mut plan = plan(None);
    plan.admin = "127.0.0.1:9901".parse().unwrap();
    plan.gateway_token = "GATEWAY_TOKEN".to_owned();
    let is_http = |target: &HttpTarget| target.kind == Kind::Http;
    plan.resources
        .retain(|it| it.http.as_ref().is_some_and(is_http));
    let crm = &mut plan.resources[0];
    crm.name = "crm".to_owned();
    crm.upstream = Upstream::Direct(host("api.internal", 80));
    crm.http.as_mut().unwrap().tls = None;
    let mut rendered = render(&plan);
    read_http_configuration(&mut rendered);
    rendered.as_object_mut().unwrap().remove("node");
    rendered["static_resources"]["clusters"][1]["type"] = "STRICT_DNS".into();
    let mut reference: Value = serde_yaml_ng::from_str(HTTP_REFERENCE).unwrap();
    read_http_configuration(&mut reference);
    assert_eq!(reference, rendered);
}

#[test]
fn envoy_accepts_what_is_rendered_and_the_reference() {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/bin/envoy");
    let envoy = std::env::var_os("ENVOY_BIN").unwrap_or_else(|| installed.into());
    let dir = tempfile::tempdir().unwrap();
    let module = dir.path().join("empty.wasm");
    std::fs::write(&module, empty_module()).unwrap();
    let mut plan = plan(Some(Peer {
        certificate_sha256: "ab".repeat(32),
    }));
    let named = plan.filter.display().to_string();
    plan.filter = module.clone();
    for http in plan.resources.iter_mut().filter_map(|it| it.http.as_mut()) {
        // Envoy reads the files that are named.
        http.tls = Some(UpstreamTls::default());
        if let Some(server) = &mut http.server {
            *server = certificate(dir.path());
        }
    }
    let rendered = render(&plan).to_string();
    let reference = REFERENCE.replace(&named, &module.display().to_string());
    let http = HTTP_REFERENCE.replace(&named, &module.display().to_string());
    for (name, text) in [
        ("rendered.json", rendered),
        ("reference.yaml", reference),
        ("http.yaml", http),
    ] {
        let config = dir.path().join(name);
        std::fs::write(&config, text).unwrap();
        let output = std::process::Command::new(&envoy)
            .args(["--mode", "validate", "--log-level", "warning", "-c"])
            .arg(config)
            .output()
            .expect("Envoy, which ENVOY_BIN names or ./bootstrap build installs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        assert!(!said.contains("deprecated"), "{name}: {said}");
    }
}

/// A certificate for a listener, and its key, in files below `dir`.
fn certificate(dir: &Path) -> Certificate {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.join("gateway.crt"), dir.join("gateway.key"));
    std::fs::write(&cert, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    Certificate { cert, key }
}

/// A module with a memory, an allocator that always gives the same place, the mark of the ABI, and
/// nothing else: as much as Envoy wants to see.
fn empty_module() -> Vec<u8> {
    let export = |name: &str, kind: u8, index: u8| {
        let length = name.len().try_into().unwrap();
        [&[length], name.as_bytes(), &[kind, index]].concat()
    };
    let exports = [
        vec![3],
        export("memory", 2, 0),
        export("proxy_abi_version_0_2_1", 0, 0),
        export("malloc", 0, 1),
    ]
    .concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let sections: [(u8, &[u8]); 5] = [
        (1, &[2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f]),
        (3, &[2, 0, 1]),
        (5, &[1, 0, 1]),
        (7, &exports),
        (10, &[2, 2, 0, 0x0b, 5, 0, 0x41, 0x80, 8, 0x0b]),
    ];
    for (id, section) in sections {
        module.extend_from_slice(&[id, section.len().try_into().unwrap()]);
        module.extend_from_slice(section);
    }
    module
}

#[test]
fn a_listener_of_every_address_is_reached_over_loopback() {
    let cases = [
        ("0.0.0.0:7700", "127.0.0.1:7700"),
        ("[::]:7700", "[::1]:7700"),
        ("192.0.2.7:7700", "192.0.2.7:7700"),
    ];
    for (listen, expected) in cases {
        let listen = listen.parse().unwrap();
        assert_eq!(reachable(listen).to_string(), expected);
    }
}
