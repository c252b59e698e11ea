//! `Gateway.RequestApproval`: a question out, news of it in until people have answered.

use ostiary_proto::{RequestApprovalRequest, RequestApprovalResponse};
use ostiary_record::{ApprovalState, Parameter};
use ostiary_session::{AskApproval, Now, Outcome};
use prost::Message;
use proxy_wasm::hostcalls;

use super::Kind;
use crate::{
    clock,
    sessions::{Connection, Phase},
    shell::Shell,
};

pub(crate) fn ask(shell: &Shell, connection: &mut Connection, question: AskApproval) {
    cancel(shell, connection);
    if connection.phase != Phase::Open {
        return;
    }
    let operation = question.operation;
    let message = request(&connection.id, &shell.config.resource, question).encode_to_vec();
    match shell.open("RequestApproval") {
        Ok(token) => {
            if shell
                .calls
                .insert(token, connection.context, Kind::Approval)
                && hostcalls::send_grpc_stream_message(token, Some(&message), true).is_ok()
            {
                log::info!("session {}: operation {operation} waits", connection.id);
                connection.approval = Some(token);
                return;
            }
            shell.calls.remove(token);
            let _ = hostcalls::cancel_grpc_stream(token);
        }
        Err(status) => {
            log::warn!(
                "session {}: cannot ask for approval: {status:?}",
                connection.id
            );
        }
    }
    connection.session.on_approval(Outcome::Lost, clock::now());
}

/// Ends the call, which cancels the approval. Its context must be the effective one.
pub(crate) fn cancel(shell: &Shell, connection: &mut Connection) {
    if let Some(token) = connection.approval.take() {
        shell.calls.remove(token);
        let _ = hostcalls::cancel_grpc_stream(token);
    }
}

/// News; `None` is a message that could not be read.
pub(crate) fn answer(
    shell: &Shell,
    connection: &mut Connection,
    token: u32,
    bytes: Option<&[u8]>,
    now: Now,
) {
    if connection.approval != Some(token) {
        return;
    }
    let outcome = read(bytes);
    match outcome {
        Outcome::Pending { .. } => {}
        // The other side ends the call.
        Outcome::Approved { .. }
        | Outcome::Denied { .. }
        | Outcome::Expired
        | Outcome::Cancelled => connection.approval = None,
        Outcome::Lost => cancel(shell, connection),
    }
    connection.session.on_approval(outcome, now);
}

/// The call ended; without an answer, it is lost.
pub(crate) fn ended(connection: &mut Connection, token: u32, status: u32, now: Now) {
    if connection.approval == Some(token) {
        connection.approval = None;
        log::warn!(
            "session {}: approval lost: gRPC status {status}",
            connection.id
        );
        connection.session.on_approval(Outcome::Lost, now);
    }
}

pub(crate) fn request(
    session_id: &str,
    resource: &str,
    question: AskApproval,
) -> RequestApprovalRequest {
    RequestApprovalRequest {
        session_id: session_id.to_owned(),
        operation: question.operation,
        resource: resource.to_owned(),
        database: question.database,
        role: question.role,
        approvals: question.approvals,
        statement: question.statement,
        parameters: question
            .parameters
            .into_iter()
            .map(|value| Parameter { value })
            .collect(),
        verb: question.verb,
        accesses: question.accesses,
        rule: question.rule,
        reason: question.reason,
        digest: question.digest.to_vec(),
        cancel_key_sha256: question.cancel_key_sha256.to_vec(),
        outlives_call: question.outlives_call,
        comes_again: question.comes_again,
        run: question.run.map(|it| run(*it)),
        difference: question.difference.map(|it| difference(*it)),
    }
}

fn difference(difference: ostiary_session::http::Difference) -> ostiary_proto::Difference {
    let changes = difference.changes.into_iter();
    ostiary_proto::Difference {
        changes: changes
            .map(|it| ostiary_proto::Change {
                path: it.path,
                before: it.before,
                after: it.after,
            })
            .collect(),
        more: difference.more,
        missing: difference.missing,
    }
}

fn run(run: ostiary_session::Run) -> ostiary_proto::Run {
    ostiary_proto::Run {
        id: run.id,
        command: run.command,
        rules: run.rules,
        namespace: run.namespace,
        kind: run.kind,
        bundle: run.bundle,
        likeness: run.likeness.to_vec(),
    }
}

pub(crate) fn read(bytes: Option<&[u8]>) -> Outcome {
    let Some(Ok(news)) = bytes.map(RequestApprovalResponse::decode) else {
        return Outcome::Lost;
    };
    match news.state() {
        ApprovalState::Pending => Outcome::Pending {
            approval_id: news.approval_id,
            who: news.who,
            outlives_call: news.outlives_call,
        },
        ApprovalState::Approved => Outcome::Approved {
            reviewers: news.reviewers,
            comment: news.comment,
        },
        ApprovalState::Denied => Outcome::Denied {
            reviewers: news.reviewers,
            comment: news.comment,
        },
        ApprovalState::Expired => Outcome::Expired,
        ApprovalState::Cancelled => Outcome::Cancelled,
        ApprovalState::Unspecified | ApprovalState::Lost => Outcome::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(state: i32, expected: &Outcome) {
        let news = RequestApprovalResponse {
            approval_id: "a1".into(),
            state,
            reviewers: vec!["ana".into()],
            comment: "ok".into(),
            who: "one of dba".into(),
            ..Default::default()
        };
        assert_eq!(read(Some(&news.encode_to_vec())), *expected, "{state}");
    }

    #[test]
    fn approves_on_nothing_but_the_state_approved() {
        let (reviewers, comment) = (vec!["ana".to_owned()], "ok".to_owned());
        check(0, &Outcome::Lost);
        check(
            1,
            &Outcome::Pending {
                approval_id: "a1".into(),
                who: "one of dba".into(),
                outlives_call: false,
            },
        );
        check(
            2,
            &Outcome::Approved {
                reviewers: reviewers.clone(),
                comment: comment.clone(),
            },
        );
        check(3, &Outcome::Denied { reviewers, comment });
        check(4, &Outcome::Expired);
        check(5, &Outcome::Cancelled);
        check(6, &Outcome::Lost);
        check(99, &Outcome::Lost);
        assert_eq!(read(None), Outcome::Lost);
        assert_eq!(read(Some(&[0xff])), Outcome::Lost);
    }
}
