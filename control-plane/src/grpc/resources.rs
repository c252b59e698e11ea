//! `Resources`: what is guarded.

use std::sync::Arc;

use ostiary_proto::{ListResourcesRequest, ListResourcesResponse, resources_server};
use tonic::{Request, Response, Status};

use super::auth::operator;
use crate::app::{App, access::Action};

pub(super) struct Resources {
    app: Arc<App>,
}

impl Resources {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl resources_server::Resources for Resources {
    async fn list(
        &self,
        request: Request<ListResourcesRequest>,
    ) -> Result<Response<ListResourcesResponse>, Status> {
        operator(&self.app, &request, Action::ListResources).await?;
        let resources = self.app.resources.list().await?;
        Ok(Response::new(ListResourcesResponse { resources }))
    }
}
