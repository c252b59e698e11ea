//! `ostiary up`: control plane, Envoy and filter in front of a server.

mod operator;

pub use operator::Operator;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    Context as _, Result, bail,
    clients::Agent,
    issuer::{AUDIENCE, Issuer},
    ports,
    postgres::{PASSWORD, Postgres},
    process::{Folder, Running, Signal, descendants, tail},
    stats, tools, wait,
};

/// What HTTP targets know the gateway by.
pub const CREDENTIAL: &str = "the-gateways-own";

/// A policy bundle: name of a file to its text.
pub type Policy = BTreeMap<String, String>;

/// The shipped example bundle, which the README shows.
pub fn example_policy() -> Result<Policy> {
    read_policy(&tools::root().join("docs/examples/policy"))
}

/// The files of a bundle's directory.
pub fn read_policy(directory: &Path) -> Result<Policy> {
    let mut policy = Policy::new();
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("a file name")?;
        policy.insert(name.to_owned(), std::fs::read_to_string(&path)?);
    }
    Ok(policy)
}

/// One guarded server.
#[derive(Debug, Clone)]
pub struct Target {
    /// The resource's name.
    pub name: String,
    /// The server's port on 127.0.0.1.
    pub port: u16,
    /// `postgres`, `http` or `kubernetes`.
    pub kind: &'static str,
    /// The role used upstream, of [`crate::postgres::ROLES`]; empty for the others.
    pub role: String,
    /// More keys of the resource: `tls`, `ca`.
    pub more: BTreeMap<String, Value>,
}

impl Target {
    /// `shop`, logging in with SCRAM.
    pub fn shop(port: u16) -> Self {
        Self {
            name: "shop".into(),
            port,
            kind: "postgres",
            role: "shop_scram".into(),
            more: BTreeMap::new(),
        }
    }

    /// The same under another name and role.
    pub fn named(name: &str, role: &str, port: u16) -> Self {
        Self {
            name: name.into(),
            role: role.into(),
            ..Self::shop(port)
        }
    }

    /// `crm`, an HTTP API in plaintext that knows the gateway by [`CREDENTIAL`].
    pub fn crm(port: u16) -> Self {
        Self {
            name: "crm".into(),
            port,
            kind: "http",
            role: String::new(),
            more: BTreeMap::from([("tls".to_owned(), "disable".into())]),
        }
    }

    /// The same with one more key.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.into(), value.into());
        self
    }
}

/// A running gateway.
#[derive(Debug)]
pub struct Stack {
    folder: Folder,
    running: Running,
    address: String,
    parts: Parts,
    issuer: IssuerRef,
}

impl AsRef<Self> for Stack {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The ports a configuration names.
#[derive(Debug)]
pub struct Parts {
    /// Of the control plane.
    pub control_plane: u16,
    /// Of Envoy's admin interface.
    pub admin: u16,
    /// Of each resource.
    pub listeners: BTreeMap<String, u16>,
}

/// What tokens are made with.
pub type IssuerRef = &'static Issuer;

impl Stack {
    /// Starts `ostiary up` and waits until it is ready.
    pub fn start(issuer: IssuerRef, targets: &[Target], policy: &Policy) -> Result<Self> {
        let folder = Folder::new("stack")?;
        let parts = write_configuration(folder.path(), issuer, targets, policy)?;
        let running = Self::spawn(&folder)?;
        let address = format!("http://127.0.0.1:{}", parts.control_plane);
        let mut this = Self {
            folder,
            running,
            address,
            parts,
            issuer,
        };
        this.wait_ready()?;
        Ok(this)
    }

    fn spawn(folder: &Folder) -> Result<Running> {
        let ready = folder.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = Command::new(tools::ostiary()?);
        command
            .arg("up")
            .arg("-f")
            .arg(folder.path().join("ostiary.yaml"))
            .arg("--ready-file")
            .arg(ready)
            .args(["--grace", "0"])
            .current_dir(folder.path());
        Running::start(
            "ostiary up",
            command,
            &folder.path().join("log"),
            Signal::INT,
        )
    }

    fn wait_ready(&mut self) -> Result<()> {
        let ready = self.folder.path().join("ready");
        self.running
            .until("ostiary up to be ready", || Ok(ready.exists()))
    }

    /// The port of a resource.
    pub fn port(&self, resource: &str) -> Result<u16> {
        self.parts
            .listeners
            .get(resource)
            .copied()
            .with_context(|| format!("no resource {resource}"))
    }

    /// Where the control plane listens, as a URL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Port of the control plane.
    pub fn control_plane_port(&self) -> u16 {
        self.parts.control_plane
    }

    /// Port of Envoy's admin listener.
    pub fn admin_port(&self) -> u16 {
        self.parts.admin
    }

    /// Its folder: `ostiary.yaml`, `policy`, `state`, `log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whose tokens it believes.
    pub fn issuer(&self) -> &'static Issuer {
        self.issuer
    }

    /// An agent of the group `analysts` on `shop`, with a name nobody else has.
    pub fn agent(&self, name: &str) -> Result<Agent> {
        self.agent_in(name, &["analysts"])
    }

    /// An agent of these groups on `shop`.
    pub fn agent_in(&self, name: &str, groups: &[&str]) -> Result<Agent> {
        self.agent_on("shop", name, groups)
    }

    /// An agent on a resource.
    pub fn agent_on(&self, resource: &str, name: &str, groups: &[&str]) -> Result<Agent> {
        Ok(Agent {
            port: self.port(resource)?,
            user: "agent".into(),
            database: "shop".into(),
            token: self.issuer.token(name, groups)?,
        })
    }

    /// Someone who runs the CLI.
    pub fn operator(&self, name: &str, groups: &[&str]) -> Result<Operator> {
        Ok(Operator {
            address: self.address.clone(),
            token: self.issuer.token(name, groups)?,
        })
    }

    /// Who may decide approvals of the example policy.
    pub fn reviewer(&self, name: &str) -> Result<Operator> {
        self.operator(name, &["dba"])
    }

    /// Who may read the archive.
    pub fn auditor(&self) -> Result<Operator> {
        self.operator("sam", &["security"])
    }

    /// Who may apply policy.
    pub fn administrator(&self) -> Result<Operator> {
        self.operator("pat", &["platform", "security"])
    }

    /// Makes this the running policy; false if it was already.
    pub fn apply(&self, policy: &Policy) -> Result<bool> {
        let folder = Folder::new("policy")?;
        write_policy(folder.path(), policy)?;
        let path = folder.path().display().to_string();
        let said = self.administrator()?.json(&["policy", "apply", &path])?;
        std::fs::remove_dir_all(folder.path())?;
        said["changed"].as_bool().context("whether it changed")
    }

    /// The same, and waits until it is in force in every worker of Envoy.
    pub fn switch(&self, policy: &Policy) -> Result<()> {
        let before = self.applied()?;
        if !self.apply(policy)? {
            return Ok(());
        }
        let resources = self.administrator()?.json(&["resources", "list"])?;
        let resources = resources["resources"].as_array().context("resources")?;
        let filters: u64 = resources
            .iter()
            .filter_map(|it| it["filters"].as_u64())
            .sum();
        wait::until_true("the policy to be in force", wait::SOON, || {
            Ok(self.applied()? >= before.saturating_add(filters))
        })
    }

    /// How often a filter has put a policy in force.
    fn applied(&self) -> Result<u64> {
        let mut all = 0;
        for resource in self.parts.listeners.keys() {
            let stats = stats::of_resource(self.parts.admin, resource)?;
            all += stats.get("policy_applied").context("policy_applied")?;
        }
        Ok(all)
    }

    /// The process of `ostiary up`.
    pub fn process(&mut self) -> &mut Running {
        &mut self.running
    }

    /// The process of its Envoy.
    pub fn envoy(&self) -> Result<u32> {
        match descendants(self.running.pid(), "envoy").as_slice() {
            [one] => Ok(*one),
            all => bail!("{} Envoys below ostiary up", all.len()),
        }
    }

    /// Starts `ostiary up` again, in the same folder.
    pub fn restart(&mut self) -> Result<()> {
        self.running = Self::spawn(&self.folder)?;
        self.wait_ready()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// Runs a test's body; a failure comes with the end of the logs, and they stay.
    pub fn explain(&self, outcome: Result<()>) -> Result<()> {
        outcome.with_context(|| {
            self.folder.keep();
            let path = self.folder.path().display();
            format!(
                "logs are kept in {path}; the last of them:\n{}",
                tail(&self.log(), 40)
            )
        })
    }
}

/// Writes `ostiary.yaml`, the policy it names and the password into a folder.
pub fn write_configuration(
    folder: &Path,
    issuer: &Issuer,
    targets: &[Target],
    policy: &Policy,
) -> Result<Parts> {
    write_policy(&folder.join("policy"), policy)?;
    write_private(&folder.join("password"), PASSWORD)?;
    write_private(&folder.join("credential"), CREDENTIAL)?;
    let (port, admin) = (ports::free(), ports::free());
    let mut listeners = BTreeMap::new();
    let mut resources = Vec::new();
    for target in targets {
        let listen = ports::free();
        listeners.insert(target.name.clone(), listen);
        let mut resource = json!({
            "name": target.name, "kind": target.kind,
            "listen": format!("127.0.0.1:{listen}"),
            "address": format!("127.0.0.1:{}", target.port),
        });
        if target.kind != "postgres" {
            resource["credential"] = json!({"bearer": {"file": "credential"}});
        } else {
            resource["role"] = json!(target.role);
            if target.role != "shop_trust" {
                resource["password"] = json!({"file": "password"});
            }
        }
        for (key, value) in &target.more {
            resource[key] = json!(value);
        }
        resources.push(resource);
    }
    let config = json!({
        "state_dir": "state",
        "control_plane": {"listen": format!("127.0.0.1:{port}")},
        "identity": {"issuers": [{"issuer": issuer.url(), "audience": AUDIENCE}]},
        "roles": {"admin": ["platform"], "reviewer": ["dba"], "auditor": ["security"]},
        "policy": "policy",
        "envoy": {
            "admin": format!("127.0.0.1:{admin}"),
            "binary": tools::envoy()?,
            "filter": tools::filter()?,
            "concurrency": 2,
        },
        "resources": resources,
    });
    std::fs::write(
        folder.join("ostiary.yaml"),
        serde_yaml_ng::to_string(&config)?,
    )?;
    Ok(Parts {
        control_plane: port,
        admin,
        listeners,
    })
}

/// A gateway with the example policy in front of this server gives `shop`.
pub fn shop(issuer: IssuerRef, postgres: &Postgres) -> Result<Stack> {
    Stack::start(issuer, &[Target::shop(postgres.port())], &example_policy()?)
}

fn write_policy(directory: &Path, policy: &Policy) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    for (name, text) in policy {
        std::fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn write_private(path: &PathBuf, text: &str) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
