//! How each resource's server is reached, and the bootstrap that says so.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use ostiary_control_plane::{
    config::{Config, UpstreamTls},
    server::Server,
};

use crate::{
    command::{Failure, envoy::peer, failure::chain},
    envoy::{ControlPlane, Guarded, HttpTarget, Plan, Upstream, reachable, render},
    private,
    relay::{Entrance, Offer, Relay, RelayError, Target, probe},
};

const PROBE_PATIENCE: Duration = Duration::from_secs(3);

/// How a resource's server is reached.
pub(super) enum Way {
    Direct,
    /// Envoy itself speaks TLS, or plaintext.
    Envoy(UpstreamTls),
    Relay(Relay, UpstreamTls),
}

impl Way {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Direct => "plaintext",
            Self::Envoy(tls) | Self::Relay(_, tls) => match tls {
                UpstreamTls::Disable => "plaintext",
                UpstreamTls::Prefer => "TLS if offered",
                UpstreamTls::Require => "TLS",
                UpstreamTls::VerifyFull => "TLS, verified",
            },
        }
    }
}

/// Asks each server whether it speaks TLS; unless it says no, a relay stands in between.
pub(super) async fn open_ways(config: &Config) -> Result<BTreeMap<String, Way>, Failure> {
    let sockets = config.state_dir.join("relay");
    private::make_dir(&sockets).map_err(|error| {
        Failure::failed(format!("cannot make `{}`: {error}", sockets.display()))
    })?;
    let sockets = std::path::absolute(&sockets)?;
    let mut ways = BTreeMap::new();
    for resource in &config.resources {
        let (name, address) = (&resource.name, &resource.address);
        if resource.ca.is_some()
            && matches!(resource.tls, UpstreamTls::Prefer | UpstreamTls::Disable)
        {
            tracing::warn!(resource = %name, "`ca` verifies nothing unless `tls` is `require` or `verify-full`");
        }
        if resource.kind.is_http() {
            ways.insert(name.clone(), Way::Envoy(resource.tls));
            continue;
        }
        let offer = probe(address, PROBE_PATIENCE).await;
        let is_direct = match (&offer, resource.tls) {
            (Ok(Offer::Plaintext), UpstreamTls::Prefer | UpstreamTls::Disable) => true,
            (Ok(Offer::Plaintext), UpstreamTls::Require | UpstreamTls::VerifyFull) => {
                tracing::warn!(resource = %name, %address, "the server offers no TLS, which this resource requires: logins will fail");
                false
            }
            (Ok(Offer::Tls), _) => false,
            (Err(error), _) => {
                tracing::warn!(resource = %name, %address, %error, "cannot reach the server yet");
                false
            }
        };
        let way = match is_direct {
            true => Way::Direct,
            false => {
                let socket = sockets.join(format!("{name}.sock"));
                let relay = Relay::start(Target::of(resource), &socket).await;
                Way::Relay(relay.map_err(relay_failure)?, resource.tls)
            }
        };
        ways.insert(name.clone(), way);
    }
    Ok(ways)
}

fn relay_failure(error: RelayError) -> Failure {
    match error {
        RelayError::Tls { .. } => Failure::input(chain(&error)),
        RelayError::Listen { .. } => Failure::failed(chain(&error)),
    }
}

pub(super) fn plan(
    config: &Config,
    server: &Server,
    filter: PathBuf,
    ways: &BTreeMap<String, Way>,
) -> Result<Plan, Failure> {
    let resources = config.resources.iter().map(|it| Guarded {
        name: it.name.clone(),
        listen: it.listen,
        role: it.role.clone(),
        http: it.kind.is_http().then(|| HttpTarget::of(it)),
        upstream: match ways.get(&it.name) {
            Some(Way::Relay(relay, _)) => match relay.entrance() {
                Entrance::Socket(path) => Upstream::Socket(path.clone()),
                Entrance::Port(address) => Upstream::Direct(reachable(*address)),
            },
            Some(Way::Direct | Way::Envoy(_)) | None => Upstream::Direct(it.address.clone()),
        },
    });
    Ok(Plan {
        admin: config.envoy.admin,
        control_plane: ControlPlane {
            address: reachable(server.address()),
            tls: peer(config)?,
        },
        gateway_token: server.gateway_token().to_owned(),
        filter,
        resources: resources.collect(),
    })
}

pub(super) fn write_bootstrap(state_dir: &Path, plan: &Plan) -> Result<PathBuf, Failure> {
    let path = state_dir.join("envoy.json");
    let text = format!("{:#}\n", render(plan));
    private::write(&path, text.as_bytes())
        .map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", path.display())))?;
    Ok(path)
}
