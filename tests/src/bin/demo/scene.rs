//! What runs during the demo: a server with data, the gateway, and the people.

use std::{path::PathBuf, time::Duration};

use ostiary_tests::{
    Context as _, Result,
    api::Api,
    clients::Agent,
    http,
    narrate::Narrator,
    ports,
    postgres::{PASSWORD, Postgres, Settings},
    process::{Folder, Running, Signal, Started, run},
    stack::{self, Operator, Policy},
    tools,
};

use crate::cluster::{self, Guarded};

/// Longest wait for a program that should answer soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// What runs during the demo.
pub(crate) struct Scene {
    pub(crate) folder: Folder,
    pub(crate) postgres: Postgres,
    pub(crate) up: Running,
    pub(crate) agent: Agent,
    /// The HTTP API, and the agent in front of it.
    pub(crate) api: Api,
    pub(crate) caller: http::Agent,
    /// The Kubernetes API server, if one is installed.
    pub(crate) cluster: Option<Guarded>,
    pub(crate) reviewer: Operator,
    pub(crate) auditor: Operator,
    administrator: Operator,
    policy: Policy,
}

impl Scene {
    pub(crate) fn build(tell: &Narrator) -> Result<Self> {
        let folder = Folder::new("demo")?;
        let postgres = Postgres::start(&Settings::default())?;
        let version = postgres.value("shop", "SHOW server_version")?;
        let version = version.split(' ').next().unwrap_or_default().to_owned();
        tell.say(&format!(
            "PostgreSQL {version} runs on 127.0.0.1:{} with the tables users and orders.",
            postgres.port()
        ));

        let api = Api::start(crate::api::answer)?;
        tell.say(&format!("An HTTP API runs on 127.0.0.1:{}.", api.port()));

        let cluster = cluster::start(tell)?;

        let policy = stack::example_policy()?;
        let directory = folder.path().join("policy");
        std::fs::create_dir(&directory)?;
        for (name, text) in &policy {
            std::fs::write(directory.join(name), text)?;
        }
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        std::fs::write(folder.path().join("credential"), stack::CREDENTIAL)?;
        let (listen, control, issuer, admin) =
            (ports::free(), ports::free(), ports::free(), ports::free());
        let crm = ports::free();
        let config = CONFIG
            .replace("LISTEN", &listen.to_string())
            .replace("CRM", &crm.to_string())
            .replace("API", &api.port().to_string())
            .replace("SERVER", &postgres.port().to_string())
            .replace("CONTROL", &control.to_string())
            .replace("ISSUER", &issuer.to_string())
            .replace("ADMIN", &admin.to_string());
        let guarded = cluster.as_ref().map(Guarded::resource);
        let config = config + &guarded.unwrap_or_default();
        let file = folder.path().join("ostiary.yaml");
        std::fs::write(&file, config)?;
        let ready = folder.path().join("ready");
        let mut command = std::process::Command::new(tools::ostiary()?);
        command
            .args(["up", "--dev", "-f"])
            .arg(&file)
            .arg("--ready-file")
            .arg(&ready)
            .env("ENVOY_BIN", tools::envoy()?)
            .env("NO_COLOR", "1");
        let mut up = Running::start(
            "ostiary up",
            command,
            &folder.path().join("log"),
            Signal::INT,
        )?;
        up.until("ostiary up to be ready", || Ok(ready.exists()))?;
        let said = up.log();
        let addresses: Vec<&str> = said
            .lines()
            .skip_while(|line| !line.starts_with("control plane"))
            .collect();
        tell.ran(
            "operator",
            "ostiary up --dev -f ostiary.yaml",
            &addresses.join("\n"),
        );

        let state = folder.path().join("state/dev");
        let token = |name: &str, groups: &str, more: &[&str]| -> Result<String> {
            let mut command = std::process::Command::new(tools::ostiary()?);
            command
                .args([
                    "dev", "token", "--sub", name, "--groups", groups, "--ttl", "8h", "--state",
                ])
                .arg(&state)
                .args(more);
            Ok(run(command, "", SOON)?.ok()?.out.trim().to_owned())
        };
        let address = format!("http://127.0.0.1:{control}");
        let operator = |name: &str, groups: &str| -> Result<Operator> {
            Ok(Operator {
                address: address.clone(),
                token: token(name, groups, &[])?,
            })
        };
        let agents = token("claude-17", "analysts", &["--act", "mara"])?;
        Ok(Self {
            api,
            caller: http::Agent {
                port: crm,
                token: agents.clone(),
            },
            agent: Agent {
                port: listen,
                user: "agent".into(),
                database: "shop".into(),
                token: agents,
            },
            cluster,
            reviewer: operator("rita", "dba")?,
            auditor: operator("sam", "security")?,
            administrator: operator("pat", "platform")?,
            folder,
            postgres,
            up,
            policy,
        })
    }

    /// psql as the agent runs it, with what it prints.
    pub(crate) fn psql(&self, statements: &[&str]) -> Result<Started> {
        let mut psql = self.agent.psql_command()?;
        for statement in statements {
            psql.args(["-c", statement]);
        }
        Started::new(psql, "")
    }

    pub(crate) fn orders(&self) -> Result<String> {
        self.postgres.value("shop", "SELECT count(*) FROM orders")
    }

    /// Changes how long a statement waits for people, in the running policy.
    pub(crate) fn hold(&self, time: &str) -> Result<String> {
        let folder = self.folder.path().join("policy");
        for (name, text) in &self.policy {
            std::fs::write(
                folder.join(name),
                text.replace("hold: 5m", &format!("hold: {time}")),
            )?;
        }
        let ran = self
            .administrator
            .run(&["policy", "apply", &folder.display().to_string()])?;
        Ok(ran.ok()?.all())
    }

    pub(crate) fn stay(mut self, tell: &Narrator) -> Result<()> {
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
            let path = self.folder.path().join(name);
            let mut file = std::fs::File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            Ok(path)
        };
        let agent = write("agent.token", &self.agent.token)?;
        let reviewer = write("reviewer.token", &self.reviewer.token)?;
        let auditor = write("auditor.token", &self.auditor.token)?;
        let ostiary = tools::ostiary()?;
        let (ostiary, address) = (ostiary.display(), &self.reviewer.address);
        tell.heading("It stays up until Ctrl-C. To try, as the agent:");
        tell.said(&format!(
            "PGPASSWORD=$(cat {}) psql -h 127.0.0.1 -p {} -U agent shop",
            agent.display(),
            self.agent.port
        ));
        tell.said(&format!(
            "curl -H \"Authorization: Bearer $(cat {})\" http://127.0.0.1:{}/users",
            agent.display(),
            self.caller.port
        ));
        if let Some(guarded) = &self.cluster {
            let config = guarded.agent(&self.caller.token)?.config();
            tell.said(&format!(
                "KUBECONFIG={} kubectl get secrets -o yaml",
                config.display()
            ));
        }
        tell.heading("as the reviewer, in another terminal:");
        tell.said(&format!(
            "export OSTIARY_ADDRESS={address} OSTIARY_TOKEN=$(cat {})\n\
             {ostiary} approvals watch\n{ostiary} approvals approve ID",
            reviewer.display()
        ));
        tell.heading("as the auditor:");
        tell.said(&format!(
            "export OSTIARY_ADDRESS={address} OSTIARY_TOKEN=$(cat {})\n\
             {ostiary} sessions list\n{ostiary} sessions replay ID",
            auditor.display()
        ));
        tell.heading("Configuration, policy and logs:");
        tell.said(&self.folder.path().display().to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    signal = tokio::signal::ctrl_c() => return signal.context("waiting for Ctrl-C"),
                    () = tokio::time::sleep(Duration::from_secs(1)) => self.up.check()?,
                }
            }
        })
    }
}

const CONFIG: &str = "\
state_dir: state
control_plane:
  listen: 127.0.0.1:CONTROL
identity:
  issuers:
    - issuer: http://127.0.0.1:ISSUER
      audience: ostiary
roles: {admin: [platform], reviewer: [dba], auditor: [security]}
policy: policy
envoy: {admin: 127.0.0.1:ADMIN}
resources:
  - name: shop
    kind: postgres
    listen: 127.0.0.1:LISTEN
    address: 127.0.0.1:SERVER
    role: shop_scram
    password: {file: password}
  - name: crm
    kind: http
    listen: 127.0.0.1:CRM
    address: 127.0.0.1:API
    tls: disable
    credential: {bearer: {file: credential}}
";
