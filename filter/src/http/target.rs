//! Requests of the gateway's own to the target.

use std::time::Duration;

use ostiary_session::http::{Answer, Call, MAX_ANSWER, Which};
use proxy_wasm::{
    hostcalls,
    types::{BufferType, MapType},
};

use crate::{control::Kind, shell::Shell};

/// The session waits no longer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Sends one; false if it could not be. The request's context must be the effective one.
pub(super) fn ask(shell: &Shell, context: u32, call: &Call) -> bool {
    let Some(target) = &shell.config.target else {
        return false;
    };
    let mut headers = vec![
        (":method", call.method.as_str()),
        (":path", call.path.as_str()),
        (":authority", target.host.as_str()),
    ];
    let more = call.headers.iter();
    headers.extend(more.map(|(name, value)| (name.as_str(), value.as_str())));
    let body = (!call.body.is_empty()).then_some(call.body.as_slice());
    match hostcalls::dispatch_http_call(&target.cluster, headers, body, Vec::new(), TIMEOUT) {
        Ok(token) => shell
            .calls
            .insert(token, context, Kind::HttpTarget(call.which)),
        Err(status) => {
            log::warn!("the target cannot be asked: {status:?}");
            false
        }
    }
}

/// An answer, or that there is none. Called from a callback of `caller`.
pub(crate) fn answered(
    shell: &Shell,
    caller: u32,
    context: u32,
    which: Which,
    answer: Option<Answer>,
) {
    super::news::with(shell, caller, context, |exchange, agent, now| {
        exchange.on_target(agent, which, answer, now);
    });
}

/// The answer of the current callback, from the effective context.
pub(crate) fn read(size: usize) -> Option<Answer> {
    let status = hostcalls::get_map_value(MapType::HttpCallResponseHeaders, ":status");
    let status = status.ok().flatten()?.parse().ok()?;
    let body = match size {
        0 => Some(Vec::new()),
        1..=MAX_ANSWER => {
            let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size);
            body.ok().flatten().filter(|body| body.len() == size)
        }
        _ => None,
    };
    Some(Answer { status, body })
}
