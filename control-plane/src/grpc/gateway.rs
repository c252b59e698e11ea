//! `Gateway`: what filters ask.

use std::sync::Arc;

use ostiary_proto::{
    AppendRequest, AppendResponse, CancelWaitRequest, CancelWaitResponse, HttpHeader,
    OpenSessionRequest, OpenSessionResponse, Opened, Rejected, RequestApprovalRequest,
    RequestApprovalResponse, Revocation, Snapshot, WatchRequest, WatchResponse, gateway_server,
    open_session_response, watch_response::Message,
};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use super::{
    auth::GatewayAuth,
    stream::{Answers, serve},
};
use crate::{
    app::{
        App, Error,
        approvals::News,
        ingest::AppendStream,
        policies::Running,
        sessions::{FilterGuard, Login, LoginRequest, Revoked},
    },
    store::SessionId,
};

/// Metadata by which a filter names itself on `Append`, with the `filter_id` of its `Watch`.
const FILTER_ID: &str = "ostiary-filter-id";

pub(super) struct Gateway {
    app: Arc<App>,
    auth: GatewayAuth,
}

impl Gateway {
    pub(super) fn new(app: Arc<App>, auth: GatewayAuth) -> Self {
        Self { app, auth }
    }
}

#[tonic::async_trait]
impl gateway_server::Gateway for Gateway {
    type WatchStream = Answers<WatchResponse>;
    type RequestApprovalStream = Answers<RequestApprovalResponse>;
    type AppendStream = Answers<AppendResponse>;

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.auth.check(&request)?;
        let request = request.into_inner();
        let filter = self.app.sessions.watch(&request.resource)?;
        let policies = self.app.policies.watch();
        tracing::info!(resource = %request.resource, filter = %request.filter_id.escape_debug(), "filter connected");
        Ok(serve(&self.app, |to| watch(filter, policies, to)))
    }

    async fn open_session(
        &self,
        request: Request<OpenSessionRequest>,
    ) -> Result<Response<OpenSessionResponse>, Status> {
        self.auth.check(&request)?;
        let request = request.into_inner();
        let id = request.session_id.parse::<SessionId>();
        let (resource, key) = (request.resource.clone(), request.cancel_key_sha256);
        let login = self
            .app
            .sessions
            .open(LoginRequest {
                session_id: request.session_id,
                resource: request.resource,
                database: request.database,
                peer: request.peer,
                application_name: request.application_name,
                token: request.token,
            })
            .await?;
        let outcome = match login {
            Login::Rejected(message) => {
                open_session_response::Outcome::Rejected(Rejected { message })
            }
            Login::Opened {
                principal,
                expires_us,
                role,
                password,
                headers,
            } => {
                if let Ok(id) = id {
                    self.app.approvals.remember_key(&resource, &key, id);
                }
                open_session_response::Outcome::Opened(Opened {
                    issuer: principal.issuer,
                    subject: principal.subject,
                    groups: principal.groups.into_iter().collect(),
                    on_behalf_of: principal.on_behalf_of.unwrap_or_default(),
                    expires_us,
                    role,
                    password,
                    http_headers: headers
                        .into_iter()
                        .map(|(name, value)| HttpHeader { name, value })
                        .collect(),
                })
            }
        };
        Ok(Response::new(OpenSessionResponse {
            outcome: Some(outcome),
        }))
    }

    async fn request_approval(
        &self,
        request: Request<RequestApprovalRequest>,
    ) -> Result<Response<Self::RequestApprovalStream>, Status> {
        self.auth.check(&request)?;
        let mut question = self.app.approvals.ask(request.into_inner()).await?;
        // Not through `serve`: the question itself ends when the control plane stops.
        let (to, answers) = mpsc::channel(2);
        self.app.tasks.tracker.spawn(async move {
            loop {
                let said = tokio::select! {
                    said = question.recv() => said,
                    () = to.closed() => return,
                };
                let Some(said) = said else { return };
                if to.send(Ok(news(said))).await.is_err() {
                    return;
                }
            }
        });
        let answers = tokio_stream::wrappers::ReceiverStream::new(answers);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        self.auth.check(&request)?;
        let filter_id = match request.metadata().get(FILTER_ID) {
            Some(id) => id
                .to_str()
                .map_err(|_| Error::Invalid(format!("`{FILTER_ID}` is not plain text")))?,
            None => "",
        };
        let stream = self.app.ingest.stream(filter_id);
        let batches = request.into_inner();
        Ok(serve(&self.app, |to| append(stream, batches, to)))
    }

    async fn cancel_wait(
        &self,
        request: Request<CancelWaitRequest>,
    ) -> Result<Response<CancelWaitResponse>, Status> {
        self.auth.check(&request)?;
        let request = request.into_inner();
        let waited = self
            .app
            .approvals
            .cancel_wait(&request.resource, &request.cancel_key_sha256)
            .await?;
        Ok(Response::new(CancelWaitResponse {
            known: waited.known,
            waited: waited.waited,
        }))
    }
}

type Policies = tokio::sync::watch::Receiver<Option<Arc<Running>>>;

async fn watch(
    mut filter: FilterGuard,
    mut policies: Policies,
    to: mpsc::Sender<Result<WatchResponse, Status>>,
) {
    // The first message is a snapshot, even if it takes a while until there is one.
    let first = tokio::select! {
        first = policies.wait_for(Option::is_some) => first.ok().and_then(|running| running.clone()),
        () = to.closed() => return,
    };
    let Some(first) = first else { return };
    let standing = filter.standing().into_iter().map(revocation);
    for message in std::iter::once(snapshot(&first)).chain(standing) {
        if to.send(Ok(message)).await.is_err() {
            return;
        }
    }
    loop {
        let messages = tokio::select! {
            changed = policies.changed() => match changed {
                Ok(()) => {
                    let running = policies.borrow_and_update().clone();
                    running.iter().map(|running| snapshot(running)).collect()
                }
                Err(_) => return,
            },
            revoked = filter.next() => revoked.into_iter().map(revocation).collect::<Vec<_>>(),
            () = to.closed() => return,
        };
        for message in messages {
            if to.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }
}

fn snapshot(running: &Running) -> WatchResponse {
    WatchResponse {
        message: Some(Message::Snapshot(Snapshot {
            version: running.row.version,
            hash: running.row.hash.clone(),
            files: running.row.files.clone().into_iter().collect(),
            hash_key: running.hash_key.clone(),
        })),
    }
}

fn revocation(revoked: Revoked) -> WatchResponse {
    WatchResponse {
        message: Some(Message::Revocation(Revocation {
            session_id: revoked.session.to_string(),
            reason: revoked.reason,
        })),
    }
}

fn news(news: News) -> RequestApprovalResponse {
    let News { row, outlives_call } = news;
    let approval = row.approval;
    let comments: Vec<&str> = approval
        .decisions
        .iter()
        .map(|decision| decision.comment.as_str())
        .filter(|comment| !comment.is_empty())
        .collect();
    let comment = match comments.is_empty() {
        true => row.ended,
        false => comments.join("; "),
    };
    let reviewers = approval.decisions.into_iter();
    RequestApprovalResponse {
        approval_id: approval.id,
        state: approval.state,
        comment,
        reviewers: reviewers.map(|decision| decision.reviewer).collect(),
        expires_us: approval.expires_us,
        who: approval.who,
        outlives_call,
    }
}

async fn append(
    mut stream: AppendStream,
    mut batches: Streaming<AppendRequest>,
    to: mpsc::Sender<Result<AppendResponse, Status>>,
) {
    let mut progress = stream.progress();
    let mut reading = true;
    loop {
        tokio::select! {
            message = batches.message(), if reading => match message {
                Ok(Some(request)) => {
                    if let Err(error) = stream.append(request.batch, request.events).await {
                        let _ = to.send(Err(error.into())).await;
                        return;
                    }
                }
                Ok(None) => reading = false,
                Err(_) => return,
            },
            changed = progress.changed() => {
                let now = progress.borrow_and_update().clone();
                if changed.is_err() || now.failed {
                    let _ = to.send(Err(Error::Unstored.into())).await;
                    return;
                }
                let batch = now.durable;
                if to.send(Ok(AppendResponse { batch })).await.is_err() {
                    return;
                }
            }
            () = to.closed() => return,
        }
        if !reading && progress.borrow().durable == stream.last_batch() {
            let batch = stream.last_batch();
            if batch != 0 && progress.has_changed().unwrap_or(false) {
                let _ = to.send(Ok(AppendResponse { batch })).await;
            }
            return;
        }
    }
}
