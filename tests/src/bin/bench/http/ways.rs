//! The ways to the API that are compared.

use ostiary_tests::{
    Result,
    issuer::Issuer,
    process::{Folder, Running},
    stack::{Policy, Stack, Target, example_policy},
};

use super::{
    BASE,
    envoys::{self, Kind},
    servers,
};

pub(super) const LUA: &str = "Envoy, Lua";
pub(super) const AUTHZ: &str = "Envoy, ext_authz";
pub(super) const POLICY: &str = "Ostiary, policy";
pub(super) const MASKING: &str = "Ostiary, masking";

/// One way to the API.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) token: String,
    /// The process of its Envoy.
    pub(super) envoy: Option<u32>,
}

/// Everything that runs.
pub(super) struct Ways {
    pub(super) all: Vec<Way>,
    /// Bytes of the large answer.
    pub(super) large: usize,
    _envoys: Vec<Running>,
    _stacks: Vec<Stack>,
    _folder: Folder,
}

impl Ways {
    pub(super) fn start(large: usize) -> Result<Self> {
        let folder = Folder::new("bench-http")?;
        let body = servers::large(large);
        let large = body.len();
        let api = servers::api(body)?;
        let authz = servers::authz()?;
        let issuer: &'static Issuer = Box::leak(Box::new(Issuer::start()?));
        let mut ports = vec![("the API", api, None)];
        let mut running = Vec::new();
        for (name, file, kind) in [
            (BASE, "plain", Kind::Plain),
            (LUA, "lua", Kind::Lua),
            (AUTHZ, "authz", Kind::ExtAuthz(authz)),
        ] {
            let (envoy, port) = envoys::start(&folder, file, api, &kind)?;
            ports.push((name, port, Some(envoy.pid())));
            running.push(envoy);
        }
        let mut stacks = Vec::new();
        for (name, policy) in [(POLICY, without_labels()?), (MASKING, example_policy()?)] {
            let stack = Stack::start(issuer, &[Target::crm(api)], &policy)?;
            ports.push((name, stack.port("crm")?, Some(stack.envoy()?)));
            stacks.push(stack);
        }
        let token = issuer.token_with("bench", &["analysts"], &["--ttl", "8h"])?;
        let all = ports
            .into_iter()
            .map(|(name, port, envoy)| Way {
                name,
                port,
                token: token.clone(),
                envoy,
            })
            .collect();
        Ok(Self {
            all,
            large,
            _envoys: running,
            _stacks: stacks,
            _folder: folder,
        })
    }
}

fn without_labels() -> Result<Policy> {
    let mut policy = example_policy()?;
    let labels = "labels:\n  pii.email: {strategy: {partial: {keep: 4}}}\n";
    policy.insert("labels.yaml".into(), labels.into());
    Ok(policy)
}
