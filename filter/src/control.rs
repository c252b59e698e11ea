//! Calls to the control plane.
//!
//! Unary calls and approvals belong to a connection's context, so that the host ends them with it.
//! Their answers may be delivered to the root or to the connection's context (whichever ran when the
//! call was opened), so both come here and the table of calls says whose they are.

pub(crate) mod approval;
pub(crate) mod cancel;
pub(crate) mod login;
pub(crate) mod policy;
pub(crate) mod recording;

use std::{cell::RefCell, collections::BTreeMap};

use ostiary_session::{Outcome, http::Which};
use proxy_wasm::{hostcalls, types::BufferType};

use crate::{
    http,
    shell::{Shell, enter},
};

/// Calls of connections, by the host's token.
#[derive(Default)]
pub(crate) struct Calls(RefCell<BTreeMap<u32, Call>>);

/// One call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The connection it belongs to.
    pub(crate) context: u32,
    pub(crate) kind: Kind,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Login,
    Approval,
    Cancel,
    /// Of an agent's run of requests; belongs to the root.
    HttpLogin,
    /// Of one request.
    HttpApproval,
    /// To the target, of one request.
    HttpTarget(Which),
}

impl Calls {
    /// False if the table is in use, which a caller must take for a lost call.
    pub(crate) fn insert(&self, token: u32, context: u32, kind: Kind) -> bool {
        let Ok(mut calls) = self.0.try_borrow_mut() else {
            return false;
        };
        calls.insert(token, Call { context, kind });
        true
    }

    pub(crate) fn remove(&self, token: u32) -> Option<Call> {
        self.0.try_borrow_mut().ok()?.remove(&token)
    }

    fn get(&self, token: u32) -> Option<Call> {
        self.0.try_borrow().ok()?.get(&token).copied()
    }

    /// The connection is gone; the host ends its calls without a word.
    pub(crate) fn forget(&self, context: u32) {
        if let Ok(mut calls) = self.0.try_borrow_mut() {
            calls.retain(|_, call| call.context != context);
        }
    }
}

/// A unary call was answered, delivered to the context `caller`.
pub(crate) fn on_answer(shell: &Shell, caller: u32, token: u32, status: u32, size: usize) {
    let Some(call) = shell.calls.remove(token) else {
        return;
    };
    let answer = if status == 0 {
        message_of(caller, call.context, size)
    } else {
        log::warn!(
            "{:?} of connection {}: gRPC status {status}",
            call.kind,
            call.context
        );
        None
    };
    if call.kind == Kind::HttpLogin {
        return http::on_login(shell, token, answer.as_deref());
    }
    shell.with(caller, call.context, |connection, now| match call.kind {
        Kind::Login => login::answer(shell, connection, answer.as_deref(), now),
        Kind::Cancel => cancel::answer(connection, answer.as_deref(), now),
        Kind::Approval | Kind::HttpLogin | Kind::HttpApproval | Kind::HttpTarget(_) => {}
    });
}

/// The target answered a request of the gateway's own, delivered to the context `caller`.
pub(crate) fn on_target(shell: &Shell, caller: u32, token: u32, headers: usize, size: usize) {
    let Some(call) = shell.calls.remove(token) else {
        return;
    };
    let Kind::HttpTarget(which) = call.kind else {
        return;
    };
    let mut answer = None;
    // Without headers nothing came.
    if headers > 0 && enter(call.context) {
        answer = http::target::read(size);
        enter(caller);
    }
    http::target::answered(shell, caller, call.context, which, answer);
}

/// A message came on a connection's stream.
pub(crate) fn on_message(shell: &Shell, caller: u32, token: u32, size: usize) {
    let Some(call) = shell.calls.get(token) else {
        return;
    };
    let message = message_of(caller, call.context, size);
    if call.kind == Kind::HttpApproval {
        let outcome = approval::read(message.as_deref());
        return http::on_approval(shell, caller, call.context, token, &outcome);
    }
    shell.with(caller, call.context, |connection, now| match call.kind {
        Kind::Approval => approval::answer(shell, connection, token, message.as_deref(), now),
        Kind::Login | Kind::Cancel | Kind::HttpLogin | Kind::HttpApproval | Kind::HttpTarget(_) => {
        }
    });
}

/// A connection's stream ended.
pub(crate) fn on_close(shell: &Shell, caller: u32, token: u32, status: u32) {
    let Some(call) = shell.calls.remove(token) else {
        return;
    };
    // The host keeps a stream that only the other side closed until it is told to drop it; when its
    // context goes first, it would reset a stream that no longer exists.
    if enter(call.context) {
        let _ = hostcalls::cancel_grpc_stream(token);
        enter(caller);
    }
    if call.kind == Kind::HttpApproval {
        return http::on_approval(shell, caller, call.context, token, &Outcome::Lost);
    }
    shell.with(caller, call.context, |connection, now| match call.kind {
        Kind::Approval => approval::ended(connection, token, status, now),
        Kind::Login | Kind::Cancel | Kind::HttpLogin | Kind::HttpApproval | Kind::HttpTarget(_) => {
        }
    });
}

/// The message of the current callback, which the host keeps with the context that owns the call.
fn message_of(caller: u32, owner: u32, size: usize) -> Option<Vec<u8>> {
    if !enter(owner) {
        return None;
    }
    let message = receive(size);
    enter(caller);
    message
}

/// The message of the current callback, from the effective context.
pub(crate) fn receive(size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        // A message whose fields are all default has no bytes, and the host no buffer.
        return Some(Vec::new());
    }
    hostcalls::get_buffer(BufferType::GrpcReceiveBuffer, 0, size)
        .ok()
        .flatten()
}
