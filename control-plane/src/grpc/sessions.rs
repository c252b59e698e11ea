//! `Sessions`: what happened, and the end of one that is open.

use std::sync::Arc;

use ostiary_proto::{
    EventsRequest, GetSessionRequest, KillRequest, KillResponse, ListSessionsRequest,
    ListSessionsResponse, SearchHit, SearchRequest, Session, sessions_server,
};
use ostiary_record::{Event, Verdict};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::{
    auth::operator,
    stream::{Answers, pass_on, serve_operator},
};
use crate::app::{
    App,
    access::Action,
    sessions::{Found, ListQuery, SearchQuery},
};

pub(super) struct Sessions {
    app: Arc<App>,
}

impl Sessions {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl sessions_server::Sessions for Sessions {
    type SearchStream = Answers<SearchHit>;
    type EventsStream = Answers<Event>;

    async fn list(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        operator(&self.app, &request, Action::ReadSessions).await?;
        let request = request.into_inner();
        let query = ListQuery {
            resource: request.resource,
            subject: request.subject,
            open: request.open,
            limit: usize::try_from(request.limit).unwrap_or(usize::MAX),
        };
        let sessions = self.app.sessions.list(&query).await?;
        Ok(Response::new(ListSessionsResponse { sessions }))
    }

    async fn get(&self, request: Request<GetSessionRequest>) -> Result<Response<Session>, Status> {
        operator(&self.app, &request, Action::ReadSessions).await?;
        let row = self.app.sessions.get(&request.into_inner().id).await?;
        Ok(Response::new(row.session))
    }

    async fn search(
        &self,
        request: Request<SearchRequest>,
    ) -> Result<Response<Self::SearchStream>, Status> {
        let who = operator(&self.app, &request, Action::ReadSessions).await?;
        let request = request.into_inner();
        let verdict = Some(request.verdict()).filter(|one| *one != Verdict::Unspecified);
        let query = SearchQuery {
            verdict,
            text: request.text,
            resource: request.resource,
            subject: request.subject,
            verb: request.verb,
            since_us: request.since_us,
            until_us: request.until_us,
            limit: usize::try_from(request.limit).unwrap_or(usize::MAX),
        };
        let sessions = self.app.sessions.clone();
        Ok(serve_operator(&self.app, &who, |to| async move {
            let (found, hits) = mpsc::channel(1);
            let hit = |found: Found| SearchHit {
                session: Some(found.session),
                event: Some(found.event),
            };
            tokio::join!(sessions.search(query, found), pass_on(hits, &to, hit));
        }))
    }

    async fn events(
        &self,
        request: Request<EventsRequest>,
    ) -> Result<Response<Self::EventsStream>, Status> {
        let who = operator(&self.app, &request, Action::ReadSessions).await?;
        let request = request.into_inner();
        let row = self.app.sessions.get(&request.session_id).await?;
        let sessions = self.app.sessions.clone();
        let (from, follow) = (request.from_seq, request.follow);
        Ok(serve_operator(&self.app, &who, |to| async move {
            let (sent, events) = mpsc::channel(1);
            // Dropping `events` when the reader is gone ends the sending too.
            let pass = async {
                tokio::select! {
                    () = pass_on(events, &to, |event| event) => {}
                    () = to.closed() => {}
                }
            };
            tokio::join!(sessions.events(row, from, follow, sent), pass);
        }))
    }

    async fn kill(&self, request: Request<KillRequest>) -> Result<Response<KillResponse>, Status> {
        let who = operator(&self.app, &request, Action::KillSession).await?;
        let request = request.into_inner();
        let reason = match request.reason.is_empty() {
            true => format!("ended by {}", who.name()),
            false => request.reason,
        };
        self.app.kill(&request.session_id, &reason).await?;
        Ok(Response::new(KillResponse {}))
    }
}
