//! A control plane of one test's own, operators with tokens, and a filter as it sees one.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

use ostiary_proto::{
    AppendRequest, OpenSessionRequest, RequestApprovalRequest, RequestApprovalResponse,
    WatchRequest, WatchResponse,
    gateway_client::GatewayClient,
    open_session_response::Outcome,
    record::{ApprovalState, Event},
};
use serde_json::{Value, json};
use tonic::{Request, Streaming, metadata::AsciiMetadataValue, transport::Channel};

/// `ostiary dev issuer` and `ostiary serve`; both end when it is dropped.
pub(crate) struct Gate {
    dir: tempfile::TempDir,
    _issuer: Process,
    _serve: Process,
    address: String,
}

impl Gate {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("dev");
        let state = state.to_str().unwrap();
        let arguments = ["dev", "issuer", "--listen", "127.0.0.1:0", "--state", state];
        let mut issuer = Process::start(command(&arguments));
        let line = issuer.line();
        let url = line.split(' ').nth(1).unwrap().to_owned();
        copy_policy(&dir.path().join("policy"));
        let config = json!({
            "state_dir": "state",
            "control_plane": {"listen": "127.0.0.1:0"},
            "identity": {"issuers": [{"issuer": url, "audience": "ostiary"}]},
            "roles": {"admin": ["platform"], "reviewer": ["dba"], "auditor": ["security"]},
            "policy": "policy",
            "resources": [{
                "name": "shop", "kind": "postgres", "role": "shop_app",
                "listen": "127.0.0.1:6432", "address": "127.0.0.1:5432",
            }],
        });
        let file = dir.path().join("ostiary.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        let file = file.to_str().unwrap();
        let mut serve = Process::start(command(&["serve", "-f", file, "--output", "json"]));
        let ready: Value = serde_json::from_str(&serve.line()).unwrap();
        let address = ready["control_plane"].as_str().unwrap().to_owned();
        Self {
            dir,
            _issuer: issuer,
            _serve: serve,
            address,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A token of someone in these groups, separated by commas.
    pub(crate) fn token(&self, subject: &str, groups: &str) -> String {
        let state = self.dir.path().join("dev");
        let state = state.to_str().unwrap();
        let arguments = [
            "dev", "token", "--sub", subject, "--groups", groups, "--state", state,
        ];
        let output = command(&arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The command as the owner of this token.
    pub(crate) fn run(&self, token: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(token, arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// The answer of a command that succeeds.
    pub(crate) fn json(&self, token: &str, arguments: &[&str]) -> Value {
        let output = self.run(token, &[arguments, &["--output", "json"]].concat());
        assert_eq!(code(&output), 0, "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A command that goes on.
    pub(crate) fn follow(&self, token: &str, arguments: &[&str]) -> Process {
        Process::start(self.command(token, arguments))
    }

    fn command(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("OSTIARY_ADDRESS", &self.address)
            .env("OSTIARY_TOKEN", token);
        command
    }

    /// A filter of `shop`, with the token that `envoy render` puts into its configuration.
    pub(crate) async fn filter(&self) -> Filter {
        let file = self.dir.path().join("ostiary.yaml");
        let file = file.to_str().unwrap();
        let arguments = ["envoy", "render", "-f", file, "--filter", "/filter.wasm"];
        let output = command(&arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{output:?}");
        let bootstrap: Value = serde_json::from_slice(&output.stdout).unwrap();
        let listener = &bootstrap["static_resources"]["listeners"][0];
        let filter = &listener["filter_chains"][0]["filters"][0]["typed_config"]["config"];
        let text = filter["configuration"]["value"].as_str().unwrap();
        let configuration: Value = serde_json::from_str(text).unwrap();
        let token = configuration["gateway_token"].as_str().unwrap();
        let address = self.address.clone();
        Filter {
            client: GatewayClient::connect(address).await.unwrap(),
            bearer: format!("Bearer {token}").parse().unwrap(),
            session: String::new(),
            batch: None,
            watching: None,
        }
    }
}

/// The examples' bundle, as it stands.
fn copy_policy(to: &Path) {
    std::fs::create_dir(to).unwrap();
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/policy");
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostiary"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TZ", "UTC")
        .env("OSTIARY_LOG", "warn");
    command
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A child whose lines are read one by one.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// The next object.
    pub(crate) fn next(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Waits for its own end, which is a good one.
    pub(crate) fn end(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a filter says to the control plane.
pub(crate) struct Filter {
    client: GatewayClient<Channel>,
    bearer: AsciiMetadataValue,
    session: String,
    batch: Option<Batches>,
    watching: Option<Streaming<WatchResponse>>,
}

struct Batches {
    send: tokio::sync::mpsc::Sender<AppendRequest>,
    acknowledged: Streaming<ostiary_proto::AppendResponse>,
    last: u64,
}

impl Filter {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.bearer.clone());
        request
    }

    /// Logs an agent in.
    pub(crate) async fn open(&mut self, token: &str) -> String {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        self.session = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let request = self.request(OpenSessionRequest {
            session_id: self.session.clone(),
            resource: "shop".into(),
            database: "shop".into(),
            requested_role: "ann".into(),
            peer: "127.0.0.1:50000".into(),
            token: token.to_owned(),
            application_name: "psql".into(),
            ..OpenSessionRequest::default()
        });
        let answer = self.client.open_session(request).await.unwrap();
        match answer.into_inner().outcome {
            Some(Outcome::Opened(_)) => self.session.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for an approval and waits until people can see it.
    pub(crate) async fn ask(&mut self, statement: &str) -> Streaming<RequestApprovalResponse> {
        let request = self.request(RequestApprovalRequest {
            session_id: self.session.clone(),
            operation: 1,
            resource: "shop".into(),
            database: "shop".into(),
            role: "shop_app".into(),
            approvals: vec!["dba".into()],
            statement: statement.to_owned(),
            verb: "sql:delete".into(),
            accesses: vec!["sql:delete public.orders".into()],
            rule: "deletes-need-approval".into(),
            reason: "rows are about to be deleted".into(),
            digest: vec![7; 32],
            cancel_key_sha256: vec![9; 32],
            ..RequestApprovalRequest::default()
        });
        let mut answer = self
            .client
            .request_approval(request)
            .await
            .unwrap()
            .into_inner();
        let first = answer.message().await.unwrap().unwrap();
        assert_eq!(first.state(), ApprovalState::Pending);
        answer
    }

    /// What people said.
    pub(crate) async fn outcome(
        &self,
        answer: &mut Streaming<RequestApprovalResponse>,
    ) -> RequestApprovalResponse {
        let next = tokio::time::timeout(Duration::from_secs(10), answer.message());
        next.await.unwrap().unwrap().unwrap()
    }

    /// Records events and waits until they are kept.
    pub(crate) async fn append(&mut self, events: Vec<Event>) {
        if self.batch.is_none() {
            let (send, receive) = tokio::sync::mpsc::channel(1);
            let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
            let request = self.request(stream);
            let acknowledged = self.client.append(request).await.unwrap().into_inner();
            self.batch = Some(Batches {
                send,
                acknowledged,
                last: 0,
            });
        }
        let batches = self.batch.as_mut().unwrap();
        batches.last += 1;
        let batch = batches.last;
        batches
            .send
            .send(AppendRequest { batch, events })
            .await
            .unwrap();
        let mut kept = 0;
        while kept < batch {
            kept = batches.acknowledged.message().await.unwrap().unwrap().batch;
        }
    }

    /// Follows the policy.
    pub(crate) async fn watch(&mut self) {
        let request = self.request(WatchRequest {
            resource: "shop".into(),
            filter_id: "test".into(),
        });
        let mut stream = self.client.watch(request).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        self.watching = Some(stream);
    }
}
