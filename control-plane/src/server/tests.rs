//! Every service in-process, over loopback, with real clients and real signatures.

mod access;
mod approvals;
mod batch;
mod gateway;
mod kept;
mod lifecycle;
mod policy;
mod sessions;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ostiary_policy::Files;
use ostiary_proto::{
    AppendRequest, AppendResponse, OpenSessionRequest, OpenSessionResponse, Opened,
    RequestApprovalRequest, RequestApprovalResponse, WatchRequest, WatchResponse,
    approvals_client::ApprovalsClient, gateway_client::GatewayClient,
    open_session_response::Outcome, policy_client::PolicyClient, resources_client::ResourcesClient,
    sessions_client::SessionsClient,
};
use ostiary_record::{Closed, ConnectionOpened, Event, Operated, Verdict, event::Kind};
use tonic::{Code, Request, Status, Streaming, transport::Channel};

use super::Server;
use crate::{
    clock::Clock,
    config::{
        Config, EnvoyConfig, HostPort, Identity, Kind as ResourceKind, Listen, Resource, Roles,
        Secret, UpstreamTls,
    },
    identity::testing,
    store::{SledStore, Store},
};

const NOW: u64 = 1_800_000_000;
const POLICY: &str = r#"
@id("all") permit (principal, action, resource);
@id("ask") @approval("dba") @reason("rows go")
forbid (principal, action == Action::"sql:delete", resource);
"#;
const APPROVALS: &str = "
approvals:
  dba: {reviewers: [dba], people: 1, hold: 5m}
  duo: {reviewers: [dba, security], people: 2, hold: 5m}
  security: {reviewers: [security], people: 1, hold: 1m}
  later: {reviewers: [dba], people: 1, hold: 5m, grant: 10m}
  many: {reviewers: [dba], batch: {requests: 5, within: 1m}}
  any: {reviewers: [dba], batch: {requests: 9, within: 2m, kinds: any}}
";

fn bundle() -> Files {
    Files::from([
        ("a.cedar".to_owned(), POLICY.to_owned()),
        ("approvals.yaml".to_owned(), APPROVALS.to_owned()),
    ])
}

/// A control plane with a clock of its own.
struct Plane {
    server: Option<Server>,
    dir: tempfile::TempDir,
    now: Arc<AtomicU64>,
    channel: Channel,
    gateway_token: String,
}

/// Names of groups: every role has its own, and there are two more reviewers' groups.
const ADMIN: &[&str] = &["platform"];
const AUDITOR: &[&str] = &["auditors"];
const DBA: &[&str] = &["dba"];
const SECURITY: &[&str] = &["security"];

impl Plane {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::start(dir, Arc::new(AtomicU64::new(NOW * 1_000_000))).await
    }

    async fn start(dir: tempfile::TempDir, now: Arc<AtomicU64>) -> Self {
        let store = SledStore::open(&dir.path().join("store")).unwrap();
        Self::start_with(dir, now, Arc::new(store)).await
    }

    async fn start_with(
        dir: tempfile::TempDir,
        now: Arc<AtomicU64>,
        store: Arc<dyn Store>,
    ) -> Self {
        let config = config(dir.path());
        let server = Server::start_with(&config, store, Clock::Manual(now.clone()))
            .await
            .unwrap();
        let channel = Channel::from_shared(format!("http://{}", server.address()))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            gateway_token: server.gateway_token().to_owned(),
            server: Some(server),
            dir,
            now,
            channel,
        }
    }

    /// Stops it and starts it again on the same state.
    async fn restart(mut self) -> Self {
        self.server.take().unwrap().shutdown().await;
        Self::start(self.dir, self.now).await
    }

    fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    fn token(&self, subject: &str, groups: &[&str]) -> String {
        testing::token(self.now.load(Ordering::SeqCst) / 1_000_000, subject, groups)
    }

    /// A call by an operator of these groups.
    fn by<T>(&self, subject: &str, groups: &[&str], message: T) -> Request<T> {
        with_token(&self.token(subject, groups), message)
    }

    /// A call by a filter.
    fn filter<T>(&self, message: T) -> Request<T> {
        with_token(&self.gateway_token, message)
    }

    fn gateway(&self) -> GatewayClient<Channel> {
        GatewayClient::new(self.channel.clone())
    }

    fn policy(&self) -> PolicyClient<Channel> {
        PolicyClient::new(self.channel.clone())
    }

    fn resources(&self) -> ResourcesClient<Channel> {
        ResourcesClient::new(self.channel.clone())
    }

    fn approvals(&self) -> ApprovalsClient<Channel> {
        ApprovalsClient::new(self.channel.clone())
    }

    fn sessions(&self) -> SessionsClient<Channel> {
        SessionsClient::new(self.channel.clone())
    }

    async fn open(&self, session: &str, subject: &str) -> Opened {
        let token = self.token(subject, &["agents"]);
        match self.open_with(session, &token).await.unwrap().outcome {
            Some(Outcome::Opened(opened)) => opened,
            other => panic!("{other:?}"),
        }
    }

    async fn open_with(&self, session: &str, token: &str) -> Result<OpenSessionResponse, Status> {
        let request = OpenSessionRequest {
            session_id: session.to_owned(),
            resource: "shop".to_owned(),
            database: "main".to_owned(),
            token: token.to_owned(),
            peer: "10.0.0.7:4711".to_owned(),
            application_name: "psql".to_owned(),
            ..OpenSessionRequest::default()
        };
        let response = self.gateway().open_session(self.filter(request)).await?;
        Ok(response.into_inner())
    }

    async fn ask(&self, session: &str, names: &[&str]) -> Streaming<RequestApprovalResponse> {
        self.try_ask(question(session, names)).await.unwrap()
    }

    async fn try_ask(
        &self,
        request: RequestApprovalRequest,
    ) -> Result<Streaming<RequestApprovalResponse>, Status> {
        let request = self.filter(request);
        Ok(self.gateway().request_approval(request).await?.into_inner())
    }

    async fn watch(&self) -> Streaming<WatchResponse> {
        let request = WatchRequest {
            resource: "shop".to_owned(),
            filter_id: "f1".to_owned(),
        };
        let answer = self.gateway().watch(self.filter(request)).await.unwrap();
        answer.into_inner()
    }

    /// A stream of batches, by a filter that names itself unless `filter` is empty.
    async fn append(&self, filter: &str) -> Appending {
        let (batches, queue) = tokio::sync::mpsc::channel(64);
        let queue = tokio_stream::wrappers::ReceiverStream::new(queue);
        let mut request = self.filter(queue);
        if !filter.is_empty() {
            let name = filter.parse().unwrap();
            request.metadata_mut().insert("ostiary-filter-id", name);
        }
        let acks = self.gateway().append(request).await.unwrap().into_inner();
        Appending {
            batches,
            acks,
            sent: 0,
        }
    }
}

struct Appending {
    batches: tokio::sync::mpsc::Sender<AppendRequest>,
    acks: Streaming<AppendResponse>,
    sent: u64,
}

impl Appending {
    async fn queue(&mut self, events: Vec<Event>) {
        self.sent += 1;
        let batch = self.sent;
        self.batches
            .send(AppendRequest { batch, events })
            .await
            .unwrap();
    }

    /// Sends a batch and waits until it is on disk.
    async fn store(&mut self, events: Vec<Event>) {
        self.queue(events).await;
        while self.acks.message().await.unwrap().unwrap().batch < self.sent {}
    }
}

fn config(dir: &Path) -> Config {
    let jwks = dir.join("jwks.json");
    std::fs::write(&jwks, testing::jwks()).unwrap();
    let password = dir.join("password");
    std::fs::write(&password, "hunter2\n").unwrap();
    let policy = dir.join("policy");
    std::fs::create_dir_all(&policy).unwrap();
    for (name, text) in bundle() {
        std::fs::write(policy.join(name), text).unwrap();
    }
    let groups = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect();
    Config {
        state_dir: dir.to_owned(),
        control_plane: Listen {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
        },
        identity: Identity {
            issuers: vec![testing::issuer(&jwks)],
        },
        roles: Roles {
            admin: groups(ADMIN),
            reviewer: groups(&["dba", "security"]),
            auditor: groups(AUDITOR),
        },
        policy: Some(policy),
        envoy: EnvoyConfig {
            admin: "127.0.0.1:0".parse().unwrap(),
            binary: None,
            filter: None,
            concurrency: None,
            log_level: None,
        },
        resources: vec![Resource {
            name: "shop".to_owned(),
            kind: ResourceKind::Postgres,
            listen: "127.0.0.1:6432".parse().unwrap(),
            address: HostPort {
                host: "db".to_owned(),
                port: 5432,
            },
            role: "shop_app".to_owned(),
            password: Some(Secret::File(password)),
            credential: None,
            impersonation: None,
            tls: UpstreamTls::Prefer,
            ca: None,
            client: None,
            http2: false,
            server: None,
        }],
    }
}

fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// A session id that begins with these digits.
fn id(prefix: &str) -> String {
    format!("{prefix:0<32}")
}

fn question(session: &str, names: &[&str]) -> RequestApprovalRequest {
    RequestApprovalRequest {
        session_id: session.to_owned(),
        operation: 1,
        resource: "shop".to_owned(),
        database: "main".to_owned(),
        role: "shop_app".to_owned(),
        approvals: names.iter().map(|name| (*name).to_owned()).collect(),
        statement: "DELETE FROM users WHERE id = 7".to_owned(),
        verb: "sql:delete".to_owned(),
        digest: vec![9; 32],
        cancel_key_sha256: vec![5; 32],
        ..RequestApprovalRequest::default()
    }
}

fn event(session: &str, seq: u64, kind: Kind) -> Event {
    Event {
        session_id: session.to_owned(),
        seq,
        time_us: NOW * 1_000_000 + seq,
        kind: Some(kind),
    }
}

fn connected(session: &str, seq: u64) -> Event {
    let kind = Kind::ConnectionOpened(ConnectionOpened {
        resource: "shop".to_owned(),
        peer: "10.0.0.7:4711".to_owned(),
        ..ConnectionOpened::default()
    });
    event(session, seq, kind)
}

fn operated(session: &str, seq: u64, statement: &str, verdict: Verdict) -> Event {
    let kind = Kind::Operated(Operated {
        statement: statement.to_owned(),
        verb: "sql:select".to_owned(),
        verdict: verdict.into(),
        ..Operated::default()
    });
    event(session, seq, kind)
}

fn closed(session: &str, seq: u64) -> Event {
    let kind = Kind::Closed(Closed {
        reason: "client".to_owned(),
        ..Closed::default()
    });
    event(session, seq, kind)
}

/// Looks again until it holds: for what another task does in its own time.
async fn eventually<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to hold within 5 seconds");
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, message: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, message));
}
