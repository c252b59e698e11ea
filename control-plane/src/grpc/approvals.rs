//! `Approvals`: what reviewers see and decide.

use std::{collections::BTreeMap, sync::Arc};

use ostiary_proto::{
    Approval, DecideRequest, GetApprovalRequest, ListApprovalsRequest, ListApprovalsResponse,
    WatchApprovalsRequest, approvals_server,
};
use ostiary_record::ApprovalState;
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
            only_this: request.only_this,
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
    let mut told = Told::default();
    let mut news = app.approvals.pending(who).await?;
    loop {
        for row in news {
            if told.is_new(&row) && to.send(Ok(row.approval)).await.is_err() {
                return Ok(());
            }
        }
        let changed = tokio::select! {
            changed = changes.recv() => changed,
            () = to.closed() => return Ok(()),
        };
        news = match changed {
            Ok(row) if app.approvals.may_see(who, &row) => vec![row],
            Ok(_) => Vec::new(),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                told = Told::default();
                app.approvals.pending(who).await?
            }
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        };
    }
}

/// Revisions of what is pending, as the watcher was told: a change that came while the list was read is
/// in both.
#[derive(Default)]
struct Told(BTreeMap<String, u64>);

impl Told {
    fn is_new(&mut self, row: &ApprovalRow) -> bool {
        let id = &row.approval.id;
        if self.0.get(id).is_some_and(|told| *told >= row.revision) {
            return false;
        }
        if row.approval.state() == ApprovalState::Pending {
            self.0.insert(id.clone(), row.revision);
        } else {
            self.0.remove(id);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_is_told_each_change_once() {
        let row = |revision, state| {
            let mut row = ApprovalRow {
                revision,
                ..ApprovalRow::default()
            };
            row.approval.id = "a".to_owned();
            row.approval.set_state(state);
            row
        };
        let mut told = Told::default();
        let mut is_new = |revision, state| told.is_new(&row(revision, state));
        // Read as of its second revision, then all changes come.
        assert!(is_new(2, ApprovalState::Pending));
        assert!(!is_new(1, ApprovalState::Pending));
        assert!(!is_new(2, ApprovalState::Pending));
        assert!(is_new(3, ApprovalState::Pending));
        assert!(is_new(4, ApprovalState::Denied));
        assert!(told.0.is_empty());
    }
}
