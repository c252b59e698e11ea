//! `Gateway.OpenSession`: a token in, a principal and the upstream credential out.

use std::time::Duration;

use ostiary_operation::Principal;
use ostiary_proto::{OpenSessionRequest, OpenSessionResponse, open_session_response::Outcome};
use ostiary_session::{Login, Now, OpenSession, Opened};
use prost::Message;

use super::Kind;
use crate::{
    clock,
    sessions::{Connection, Phase},
    shell::Shell,
};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn ask(shell: &Shell, connection: &mut Connection, login: OpenSession) {
    if connection.phase != Phase::Open {
        return;
    }
    let request = OpenSessionRequest {
        session_id: connection.id.clone(),
        resource: shell.config.resource.clone(),
        database: login.database,
        requested_role: login.requested_role,
        peer: connection.peer.clone(),
        token: login.token,
        application_name: login.application_name,
        cancel_key_sha256: Vec::new(),
    };
    let asked = shell.call("OpenSession", &request.encode_to_vec(), TIMEOUT);
    let waits = asked.is_ok_and(|token| shell.calls.insert(token, connection.context, Kind::Login));
    if !waits {
        log::warn!(
            "session {}: cannot ask for the login: {asked:?}",
            connection.id
        );
        shell.metrics.logins_lost.add(1);
        connection.session.on_login(Login::Lost, clock::now());
    }
}

/// `None` is a call that failed.
pub(crate) fn answer(shell: &Shell, connection: &mut Connection, bytes: Option<&[u8]>, now: Now) {
    let login = read(bytes, &shell.config.role);
    match &login {
        Login::Opened(_) => log::info!("session {}: login verified", connection.id),
        Login::Rejected(message) => {
            shell.metrics.logins_rejected.add(1);
            log::info!("session {}: login rejected: {message}", connection.id);
        }
        Login::Lost => {
            shell.metrics.logins_lost.add(1);
            log::warn!("session {}: login lost", connection.id);
        }
    }
    connection.session.on_login(login, now);
}

fn read(bytes: Option<&[u8]>, role: &str) -> Login {
    let Some(Ok(response)) = bytes.map(OpenSessionResponse::decode) else {
        return Login::Lost;
    };
    match response.outcome {
        // The role is already on its way: it is part of the first message to the server.
        Some(Outcome::Opened(opened)) if opened.role != role => Login::Rejected(format!(
            "the gateway uses role `{role}`, the control plane `{}`",
            opened.role
        )),
        Some(Outcome::Opened(opened)) => Login::Opened(Opened {
            principal: Principal {
                issuer: opened.issuer,
                subject: opened.subject,
                groups: opened.groups.into_iter().collect(),
                on_behalf_of: Some(opened.on_behalf_of).filter(|who| !who.is_empty()),
            },
            expires_us: opened.expires_us,
            password: opened.password,
        }),
        Some(Outcome::Rejected(rejected)) => Login::Rejected(rejected.message),
        None => Login::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(outcome: Option<Outcome>, expected: &str) {
        let bytes = OpenSessionResponse { outcome }.encode_to_vec();
        assert_eq!(format!("{:?}", read(Some(&bytes), "app")), expected);
    }

    #[test]
    fn opens_only_on_a_whole_answer_for_its_own_role() {
        let opened = ostiary_proto::Opened {
            issuer: "i".into(),
            subject: "s".into(),
            role: "app".into(),
            password: "secret".into(),
            ..Default::default()
        };
        let other = ostiary_proto::Opened {
            role: "root".into(),
            ..opened.clone()
        };
        check(
            Some(Outcome::Opened(opened)),
            r#"Opened(Opened { principal: Principal { issuer: "i", subject: "s", groups: {}, on_behalf_of: None }, .. })"#,
        );
        check(
            Some(Outcome::Opened(other)),
            r#"Rejected("the gateway uses role `app`, the control plane `root`")"#,
        );
        check(
            Some(Outcome::Rejected(ostiary_proto::Rejected {
                message: "no".into(),
            })),
            r#"Rejected("no")"#,
        );
        check(None, "Lost");
        assert!(matches!(read(None, "app"), Login::Lost));
        assert!(matches!(read(Some(&[0xff]), "app"), Login::Lost));
    }
}
