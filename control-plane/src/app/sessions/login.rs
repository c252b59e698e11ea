//! A token in; a principal and the upstream credential out.

use ostiary_operation::Principal;
use ostiary_proto::Session;

use super::{Error, Sessions};
use crate::store::SessionId;

/// Longest text a filter reports of a client, in bytes.
const MAX_TEXT: usize = 1024;

/// What a filter knows of a client that logs in.
#[derive(Clone)]
pub struct LoginRequest {
    /// The session.
    pub session_id: String,
    /// The resource it guards.
    pub resource: String,
    /// The database asked for.
    pub database: String,
    /// Where the client came from.
    pub peer: String,
    /// What the client calls itself.
    pub application_name: String,
    /// The client's password.
    pub token: String,
}

/// What came of it.
#[derive(Clone)]
pub enum Login {
    /// The session is open, on disk.
    Opened {
        /// Who.
        principal: Principal,
        /// When the token ends, microseconds since the Unix epoch.
        expires_us: u64,
        /// The upstream role.
        role: String,
        /// Its password; empty for trust.
        password: String,
        /// For an HTTP target: the headers it knows the gateway by, and the agent if it is to.
        headers: Vec<(String, String)>,
    },
    /// The client is told this.
    Rejected(String),
}

impl Sessions {
    /// Verifies the token and opens the session.
    pub async fn open(&self, request: LoginRequest) -> Result<Login, Error> {
        let id: SessionId = request
            .session_id
            .parse()
            .map_err(|_| Error::Invalid("a session id is 32 lower-case hex digits".to_owned()))?;
        let resource = self
            .resources
            .get(&request.resource)
            .ok_or_else(|| Error::NotFound(format!("no resource `{}`", request.resource)))?;
        let texts = [&request.database, &request.peer, &request.application_name];
        if texts.iter().any(|text| text.len() > MAX_TEXT) {
            return Err(Error::Invalid("a name is longer than 1 KiB".to_owned()));
        }
        if self.lock().is_revoked(id) {
            return Ok(Login::Rejected("the session was ended".to_owned()));
        }
        let verified = match self.verifier.verify(&request.token).await {
            Ok(verified) => verified,
            Err(error) => {
                tracing::info!(session = %id, resource = %resource.name, %error, "login rejected");
                return Ok(Login::Rejected(error.to_string()));
            }
        };
        let unreadable = |error: &dyn std::error::Error| {
            let cause = crate::telemetry::chain(error);
            tracing::error!(resource = %resource.name, cause, "upstream credential cannot be had");
            let name = &resource.name;
            Login::Rejected(format!(
                "the credential of resource `{name}` cannot be read"
            ))
        };
        let password = match resource.password.as_ref().map(|secret| secret.read()) {
            None => String::new(),
            Some(Ok(password)) => password,
            Some(Err(error)) => return Ok(unreadable(&error)),
        };
        let mut headers = Vec::new();
        if let Some(credential) = &resource.credential {
            match credential.header().await {
                Ok(header) => headers.push(header),
                Err(error) => return Ok(unreadable(&error)),
            }
        }
        let principal = verified.principal;
        if let Some(impersonation) = &resource.impersonation {
            match impersonation.headers(&principal) {
                Ok(more) => headers.extend(more),
                Err(error) => return Ok(Login::Rejected(error)),
            }
        }
        self.ingest
            .open(Session {
                id: id.to_string(),
                resource: resource.name.clone(),
                database: request.database,
                role: resource.role.clone(),
                issuer: principal.issuer.clone(),
                subject: principal.subject.clone(),
                groups: principal.groups.iter().cloned().collect(),
                on_behalf_of: principal.on_behalf_of.clone().unwrap_or_default(),
                peer: request.peer,
                application_name: request.application_name,
                ..Session::default()
            })
            .await?;
        tracing::info!(session = %id, resource = %resource.name, subject = %principal.subject, "session opened");
        Ok(Login::Opened {
            principal,
            expires_us: verified.expires_us,
            role: resource.role.clone(),
            password,
            headers,
        })
    }
}
