//! `Gateway.OpenSession` for a run of requests. The root asks, since a request that asked could be
//! gone before the answer, which would then reach nobody.

use std::time::Duration;

use ostiary_operation::Principal;
use ostiary_proto::{
    HttpHeader, OpenSessionRequest, OpenSessionResponse, open_session_response::Outcome,
};
use ostiary_session::{
    Now,
    http::{Login, Opened, UpstreamHeader},
};
use prost::Message as _;

use super::{apply, runs::Run};
use crate::{clock, control::Kind, shell::Shell};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks about every run that has not been asked about. Called from the root.
pub(super) fn send(shell: &Shell) {
    let mut lost = Vec::new();
    for run in shell.runs.runs() {
        let Ok(mut run) = run.try_borrow_mut() else {
            continue;
        };
        let Some(token) = run.token.take() else {
            continue;
        };
        let request = run.agent.login(&shell.config.resource, token);
        let message = OpenSessionRequest {
            session_id: request.session_id,
            resource: request.resource,
            peer: request.peer,
            token: request.token,
            application_name: request.client,
            ..OpenSessionRequest::default()
        };
        let asked = shell.call("OpenSession", &message.encode_to_vec(), TIMEOUT);
        match asked {
            Ok(token) if shell.calls.insert(token, shell.root, Kind::HttpLogin) => {
                run.login = Some(token);
            }
            _ => {
                answer(shell, &mut run, None, clock::now());
                lost.push(run.key);
            }
        }
    }
    for key in lost {
        super::news::wake(shell, key, |exchange, agent, now| {
            exchange.on_identity(agent, now);
        });
    }
}

/// `None` is a call that failed.
pub(super) fn answer(shell: &Shell, run: &mut Run, bytes: Option<&[u8]>, now: Now) {
    run.login = None;
    let login = read(bytes);
    let id = run.agent.session_id().to_owned();
    match &login {
        Login::Opened(_) => log::info!("session {id}: login verified"),
        Login::Rejected(message) => {
            log::info!("session {id}: login rejected: {message}");
        }
        Login::Lost => {
            shell.metrics.logins_lost.add(1);
            log::warn!("session {id}: login lost");
        }
    }
    run.agent.on_login(login, now);
    apply::keep_events(shell, run);
}

fn read(bytes: Option<&[u8]>) -> Login {
    let Some(Ok(response)) = bytes.map(OpenSessionResponse::decode) else {
        return Login::Lost;
    };
    match response.outcome {
        Some(Outcome::Opened(opened)) => Login::Opened(Opened {
            principal: Principal {
                issuer: opened.issuer,
                subject: opened.subject,
                groups: opened.groups.into_iter().collect(),
                on_behalf_of: Some(opened.on_behalf_of).filter(|who| !who.is_empty()),
            },
            expires_us: opened.expires_us,
            headers: opened
                .http_headers
                .into_iter()
                .map(|HttpHeader { name, value }| UpstreamHeader { name, value })
                .collect(),
        }),
        Some(Outcome::Rejected(rejected)) => Login::Rejected(rejected.message),
        None => Login::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_on_a_whole_answer() {
        let answer = |outcome| OpenSessionResponse { outcome }.encode_to_vec();
        let opened = answer(Some(Outcome::Opened(ostiary_proto::Opened {
            subject: "s".into(),
            ..Default::default()
        })));
        assert!(matches!(read(Some(&opened)), Login::Opened(it) if it.principal.subject == "s"));
        let rejected = answer(Some(Outcome::Rejected(ostiary_proto::Rejected {
            message: "no".into(),
        })));
        assert!(matches!(read(Some(&rejected)), Login::Rejected(it) if it == "no"));
        assert!(matches!(read(Some(&answer(None))), Login::Lost));
        assert!(matches!(read(Some(&[0xff])), Login::Lost));
        assert!(matches!(read(None), Login::Lost));
    }
}
