//! A real Kubernetes API server on a real etcd, and kubectl.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Context as _, Result, ports, postgres,
    process::{Folder, Ran, Running, Signal, Started, must},
    stack::{CREDENTIAL, Target},
    tools,
};

/// Longest run of one kubectl.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the tests' own kubectl shows the server, past the gateway.
const ADMIN: &str = "the-administrators-own";

/// The password in the Secret of [`WEB`].
pub const PASSWORD: &str = "correct-horse-battery";

/// A namespace with a Secret and a Deployment.
pub const WEB: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: web}
stringData: {password: correct-horse-battery}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "example/api:1", env: [{name: TOKEN, value: env-of-the-api}]}]}
"#;

/// A running API server. No controllers run: nothing but requests changes anything.
#[derive(Debug)]
pub struct Cluster {
    folder: Folder,
    port: u16,
    _server: Running,
    _kubelet: Running,
    _etcd: Running,
}

/// A kubectl with one identity, on one server.
#[derive(Debug, Clone)]
pub struct Kubectl {
    home: PathBuf,
}

impl Cluster {
    /// Starts one on free ports and waits until it is ready.
    pub fn start() -> Result<Self> {
        let folder = Folder::new("cluster")?;
        let path = folder.path();
        postgres::certificate(path)?;
        let mut openssl = Command::new("openssl");
        openssl.args(["genrsa", "-out", "sa.key", "2048"]);
        must(within(openssl, path))?;
        // The gateway's account may do everything: what is refused, the gateway refused.
        let tokens = format!(
            "{CREDENTIAL},the-gateway,1,\"system:masters\"\n{ADMIN},admin,2,\"system:masters\"\n"
        );
        std::fs::write(path.join("tokens.csv"), tokens)?;
        let (mut etcd, store) = start_etcd(path)?;
        etcd.until("etcd to listen", || {
            Ok(TcpStream::connect(("127.0.0.1", store)).is_ok())
        })?;
        let port = ports::free();
        let server = start_server(path, store, port)?;
        let (kubelet, node) = start_kubelet(path)?;
        let mut this = Self {
            port,
            _server: server,
            _kubelet: kubelet,
            _etcd: etcd,
            folder,
        };
        this.wait_ready()?;
        this.join(node)?;
        Ok(this)
    }

    /// Makes the kubelet known as the node `node`.
    fn join(&self, port: u16) -> Result<()> {
        let admin = self.admin()?;
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            },
        });
        admin
            .feed(&["create", "-f", "-"], &node.to_string())?
            .ok()?;
        Ok(())
    }

    /// Puts a pod on the node, and says that it runs: exec and attach reach it then.
    pub fn run_pod(&self, namespace: &str, name: &str, container: &str) -> Result<()> {
        let admin = self.admin()?;
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"nodeName": "node", "containers": [{"name": container, "image": "example/api:1"}]},
        });
        admin.feed(&["apply", "-f", "-"], &pod.to_string())?.ok()?;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
        let mut pod = admin.json(&["get", "pod", name, "-n", namespace])?;
        pod["status"]["phase"] = "Running".into();
        let replaced = admin.feed(&["replace", "--raw", &path, "-f", "-"], &pod.to_string())?;
        replaced.ok()?;
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<()> {
        let admin = self.admin()?;
        self._server.until("the API server to be ready", || {
            let ran = admin.run(&["get", "--raw", "/readyz"])?;
            let ready = ran.code == 0 && admin.run(&["get", "namespace", "default"])?.code == 0;
            Ok(ready)
        })
    }

    /// The resource in front of it, which agents reach over TLS.
    pub fn target(&self) -> Target {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        Target {
            name: "prod".to_owned(),
            port: self.port,
            kind: "kubernetes",
            role: String::new(),
            more: std::collections::BTreeMap::new(),
        }
        .with("ca", file("ca.crt"))
        .with("listen_cert", file("server.crt"))
        .with("listen_key", file("server.key"))
    }

    /// The same under the name `own`, where the server knows each agent by its own name.
    pub fn impersonating(&self) -> Target {
        Target {
            name: "own".to_owned(),
            ..self.target()
        }
        .with("impersonate", json!({"user_prefix": "agent:"}))
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A kubectl past the gateway.
    pub fn admin(&self) -> Result<Kubectl> {
        self.kubectl("admin", self.port, ADMIN)
    }

    /// A kubectl with a token, on a port of 127.0.0.1.
    pub fn kubectl(&self, name: &str, port: u16, token: &str) -> Result<Kubectl> {
        let home = self.folder.path().join(format!("kubectl-{name}"));
        std::fs::create_dir_all(&home)?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority": self.folder.path().join("ca.crt"),
            }}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "web"}}],
        });
        std::fs::write(home.join("config"), config.to_string())?;
        Ok(Kubectl { home })
    }

    /// The authority of its certificate, and of the gateway's.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }
}

impl Kubectl {
    /// Its kubeconfig.
    pub fn config(&self) -> PathBuf {
        self.home.join("config")
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Ran> {
        self.feed(arguments, "")
    }

    /// The same with a manifest as its input.
    pub fn feed(&self, arguments: &[&str], input: &str) -> Result<Ran> {
        self.start(arguments, input)?.finish(PATIENCE)
    }

    /// The same, still running.
    pub fn start(&self, arguments: &[&str], input: &str) -> Result<Started> {
        self.start_with(&[], arguments, input)
    }

    /// The same with more of an environment.
    pub fn start_with(
        &self,
        environment: &[(&str, &str)],
        arguments: &[&str],
        input: &str,
    ) -> Result<Started> {
        let mut kubectl = Command::new(tools::kubectl()?);
        kubectl.envs(environment.iter().copied());
        kubectl
            .args(arguments)
            .env("KUBECONFIG", self.config())
            .env("HOME", &self.home)
            .current_dir(&self.home);
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"] {
            kubectl.env_remove(name);
        }
        Started::new(kubectl, input)
    }

    /// Runs a script of `tests/clients` in Python; its first argument is the kubeconfig.
    pub fn python(&self, script: &str) -> Result<Ran> {
        let mut python = Command::new(tools::python()?);
        python
            .arg("-B")
            .arg(tools::root().join("tests/clients").join(script))
            .arg(self.config())
            .env("HOME", &self.home)
            .current_dir(&self.home);
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"] {
            python.env_remove(name);
        }
        Started::new(python, "")?.finish(PATIENCE)
    }

    /// Runs a script of Python with a terminal of its own; its first argument is this kubectl.
    pub fn on_terminal(&self, script: &str, environment: &[(&str, &str)]) -> Result<Ran> {
        let mut python = Command::new("python3");
        python
            .args(["-c", script])
            .arg(tools::kubectl()?)
            .env("KUBECONFIG", self.home.join("config"))
            .env("HOME", &self.home)
            .envs(environment.iter().copied())
            .current_dir(&self.home);
        Started::new(python, "")?.finish(PATIENCE)
    }

    /// What it prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let ran = self.run(&[arguments, &["-o", "json"]].concat())?.ok()?;
        serde_json::from_str(&ran.out).with_context(|| format!("JSON: {}", ran.out))
    }
}

fn within(mut command: Command, path: &Path) -> Command {
    command.current_dir(path);
    command
}

fn start_etcd(path: &Path) -> Result<(Running, u16)> {
    let (clients, peers) = (ports::free(), ports::free());
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let mut etcd = Command::new(tools::etcd()?);
    etcd.arg("--data-dir").arg(path.join("etcd"));
    for (flag, value) in [
        ("--listen-client-urls", url(clients)),
        ("--advertise-client-urls", url(clients)),
        ("--listen-peer-urls", url(peers)),
        ("--initial-advertise-peer-urls", url(peers)),
        ("--initial-cluster", format!("default={}", url(peers))),
    ] {
        etcd.arg(flag).arg(value);
    }
    etcd.arg("--unsafe-no-fsync");
    let log = path.join("etcd.log");
    let etcd = Running::start("etcd", within(etcd, path), &log, Signal::TERM)?;
    Ok((etcd, clients))
}

/// The streaming end of a kubelet, and its port.
fn start_kubelet(path: &Path) -> Result<(Running, u16)> {
    let port = ports::free();
    let mut kubelet = Command::new(tools::kubelet()?);
    kubelet
        .arg(format!("127.0.0.1:{port}"))
        .args(["server.crt", "server.key"]);
    let log = path.join("kubelet.log");
    let kubelet = Running::start("kubelet", within(kubelet, path), &log, Signal::TERM)?;
    Ok((kubelet, port))
}

fn start_server(path: &Path, store: u16, port: u16) -> Result<Running> {
    let mut server = Command::new(tools::apiserver()?);
    server
        .arg(format!("--etcd-servers=http://127.0.0.1:{store}"))
        .arg(format!("--secure-port={port}"))
        .args([
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--cert-dir=certs",
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
            "--token-auth-file=tokens.csv",
            "--service-account-key-file=sa.key",
            "--service-account-signing-key-file=sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
        ]);
    let log = path.join("apiserver.log");
    Running::start("kube-apiserver", within(server, path), &log, Signal::TERM)
}
