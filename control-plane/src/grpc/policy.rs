//! `Policy`: bundles checked, applied, read.

use std::sync::Arc;

use ostiary_policy::{Files, InvalidPolicy};
use ostiary_proto::{
    ApplyRequest, ApplyResponse, CheckRequest, CheckResponse, GetPolicyRequest, GetPolicyResponse,
    Problem, policy_server,
};
use tonic::{Request, Response, Status};

use super::auth::operator;
use crate::app::{App, access::Action, policies::Applied};

pub(super) struct Policy {
    app: Arc<App>,
}

impl Policy {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl policy_server::Policy for Policy {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        operator(&self.app, &request, Action::CheckPolicy).await?;
        let files: Files = request.into_inner().files.into_iter().collect();
        let response = match self.app.policies.check(files).await? {
            Ok(bundle) => CheckResponse {
                problems: Vec::new(),
                hash: bundle.hash().to_owned(),
            },
            Err(problems) => CheckResponse {
                problems: listed(problems),
                hash: String::new(),
            },
        };
        Ok(Response::new(response))
    }

    async fn apply(
        &self,
        request: Request<ApplyRequest>,
    ) -> Result<Response<ApplyResponse>, Status> {
        let who = operator(&self.app, &request, Action::ApplyPolicy).await?;
        let files: Files = request.into_inner().files.into_iter().collect();
        let applied = self.app.policies.apply(files, who.name()).await?;
        let changed = matches!(applied, Applied::Changed(_));
        let response = match applied {
            Applied::Invalid(problems) => ApplyResponse {
                problems: listed(problems),
                ..ApplyResponse::default()
            },
            Applied::Same(running) | Applied::Changed(running) => ApplyResponse {
                problems: Vec::new(),
                version: running.row.version,
                hash: running.row.hash.clone(),
                changed,
            },
        };
        Ok(Response::new(response))
    }

    async fn get(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<GetPolicyResponse>, Status> {
        operator(&self.app, &request, Action::ReadPolicy).await?;
        let row = self.app.policies.get(request.into_inner().version).await?;
        Ok(Response::new(GetPolicyResponse {
            version: row.version,
            hash: row.hash,
            files: row.files.into_iter().collect(),
            applied_us: row.applied_us,
            applied_by: row.applied_by,
        }))
    }
}

fn listed(problems: Vec<InvalidPolicy>) -> Vec<Problem> {
    let problem = |problem: InvalidPolicy| Problem {
        file: problem.file,
        line: u32::try_from(problem.line).unwrap_or(u32::MAX),
        message: problem.message,
    };
    problems.into_iter().map(problem).collect()
}
