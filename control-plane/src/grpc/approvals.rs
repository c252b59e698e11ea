//! `Approvals`: what reviewers see and decide.

use std::sync::Arc;

use ostiary_proto::{
    Approval, DecideRequest, GetApprovalRequest, ListApprovalsRequest, ListApprovalsResponse,
    WatchApprovalsRequest, approvals_server,
};
use tokio::sync::{broadcast, mpsc};
use tonic::{Request, Response, Status};

use super::{
    auth::operator,
    stream::{Answers, serve_operator},
};
use crate::{
    app::{
        App,
        access::{Action, Operator},
        approvals::Ballot,
    },
    store::ApprovalRow,
};

pub(super) struct Approvals {
    app: Arc<App>,
}

impl Approvals {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    async fn decide(
        &self,
        request: Request<DecideRequest>,
        approve: bool,
    ) -> Result<Response<Approval>, Status> {
        let who = operator(&self.app, &request, Action::DecideApproval).await?;
        let request = request.into_inner();
        let ballot = Ballot {
            id: request.id,
            approve,
            comment: request.comment,
            digest: request.digest,
        };
        Ok(Response::new(
            self.app.approvals.decide(&who, ballot).await?,
        ))
    }
}

#[tonic::async_trait]
impl approvals_server::Approvals for Approvals {
    type WatchStream = Answers<Approval>;

    async fn list(
        &self,
        request: Request<ListApprovalsRequest>,
    ) -> Result<Response<ListApprovalsResponse>, Status> {
        let who = operator(&self.app, &request, Action::ReadApprovals).await?;
        let request = request.into_inner();
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let approvals = self
            .app
            .approvals
            .list(&who, request.all, &request.resource, limit)
            .await?;
        Ok(Response::new(ListApprovalsResponse { approvals }))
    }

    async fn get(
        &self,
        request: Request<GetApprovalRequest>,
    ) -> Result<Response<Approval>, Status> {
        let who = operator(&self.app, &request, Action::ReadApprovals).await?;
        let id = request.into_inner().id;
        Ok(Response::new(self.app.approvals.get(&who, &id).await?))
    }

    async fn watch(
        &self,
        request: Request<WatchApprovalsRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let who = operator(&self.app, &request, Action::ReadApprovals).await?;
        // Subscribed before what is pending is read, so that nothing falls between.
        let changes = self.app.approvals.changes();
        let app = self.app.clone();
        let watcher = who.clone();
        Ok(serve_operator(&self.app, &who, |to| async move {
            if let Err(error) = watch(&app, &watcher, changes, &to).await {
                let _ = to.send(Err(error)).await;
            }
        }))
    }

    async fn approve(&self, request: Request<DecideRequest>) -> Result<Response<Approval>, Status> {
        self.decide(request, true).await
    }

    async fn deny(&self, request: Request<DecideRequest>) -> Result<Response<Approval>, Status> {
        self.decide(request, false).await
    }
}

async fn watch(
    app: &App,
    who: &Operator,
    mut changes: broadcast::Receiver<ApprovalRow>,
    to: &mpsc::Sender<Result<Approval, Status>>,
) -> Result<(), Status> {
    let mut news = app.approvals.pending(who).await?;
    loop {
        for approval in news {
            if to.send(Ok(approval)).await.is_err() {
                return Ok(());
            }
        }
        let changed = tokio::select! {
            changed = changes.recv() => changed,
            () = to.closed() => return Ok(()),
        };
        news = match changed {
            Ok(row) if app.approvals.may_see(who, &row) => vec![row.approval],
            Ok(_) => Vec::new(),
            Err(broadcast::error::RecvError::Lagged(_)) => app.approvals.pending(who).await?,
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        };
    }
}
