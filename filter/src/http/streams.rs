//! Both directions of a request that has changed its protocol.
//!
//! The host takes bytes for the client only in `on_http_response_body`, or while it keeps some there under
//! `Pause`. So when the exchange holds the beginning of a line, what comes before it waits in the host's
//! buffer, and a tick adds the rest.

use ostiary_session::http::{Body, Upgraded};
use proxy_wasm::{
    hostcalls,
    types::{Action, BufferType},
};

use super::{
    apply,
    runs::{Live, Stage},
};
use crate::shell::{Shell, enter};

/// Bytes that wait so. With more than these what the exchange holds goes with what comes next, so that a
/// command that prints much between two ticks does not fill the host's buffer.
const MAX_WAITING: usize = 256 << 10;

const REQUEST: BufferType = BufferType::HttpRequestBody;
const RESPONSE: BufferType = BufferType::HttpResponseBody;

/// All `size` bytes that the host has of a body.
pub(super) fn read(buffer: BufferType, size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    let bytes = hostcalls::get_buffer(buffer, 0, size).ok().flatten();
    bytes.filter(|it| it.len() == size)
}

/// Bytes of the client.
pub(super) fn on_request_body(shell: &Shell, live: &mut Live, size: usize) -> Action {
    let bytes = read(REQUEST, size);
    let mut verdict = None;
    apply::feed(shell, live, |exchange, agent, now| {
        if exchange.on_upgraded(agent, now) {
            verdict = Some(match &bytes {
                Some(bytes) => exchange.on_stream(agent, bytes, now),
                None => Upgraded::Reset,
            });
        }
    });
    match verdict {
        Some(Upgraded::AsIs) => Action::Continue,
        Some(Upgraded::Send(out))
            if live.stage == Stage::Sent
                && hostcalls::set_buffer(REQUEST, 0, size, &out).is_ok() =>
        {
            Action::Continue
        }
        // Whatever was wrong has been told already.
        None => Action::Pause,
        Some(Upgraded::Send(_) | Upgraded::Reset) => {
            let _ = hostcalls::set_buffer(REQUEST, 0, size, &[]);
            end(live);
            Action::Pause
        }
    }
}

/// Bytes of the target, behind those that wait.
pub(super) fn on_response_body(shell: &Shell, live: &mut Live, size: usize, ends: bool) -> Action {
    let bytes = read(RESPONSE, size);
    let waiting = live.waiting.take().unwrap_or_default();
    let mut verdict = Body::Reset;
    apply::feed(shell, live, |exchange, agent, now| {
        let new = bytes.as_ref().and_then(|it| it.get(waiting..));
        if let Some(new) = new {
            verdict = exchange.on_response_body(agent, new, ends, now);
        }
    });
    if let Body::Send(out) = verdict
        && live.stage == Stage::Sent
    {
        let mut whole = bytes.unwrap_or_default();
        whole.truncate(waiting);
        whole.extend(out);
        if hostcalls::set_buffer(RESPONSE, 0, size, &whole).is_ok() {
            if live.exchange.holds_output() && whole.len() < MAX_WAITING {
                live.waiting = Some(whole.len());
                return Action::Pause;
            }
            return Action::Continue;
        }
    }
    let _ = hostcalls::set_buffer(RESPONSE, 0, size, &[]);
    end(live);
    Action::Pause
}

/// A tick: what has waited long enough goes to the client; false if the request has no streams. Called
/// from the root.
pub(super) fn release(shell: &Shell, context: u32) -> bool {
    let Some(live) = shell.runs.get(context) else {
        return false;
    };
    let Ok(mut live) = live.try_borrow_mut() else {
        return false;
    };
    if !live.exchange.is_streaming() || live.stage != Stage::Sent || !enter(context) {
        return false;
    }
    // Without `Pause` the host has no buffer that bytes could go into.
    let can_send = live.waiting.is_some();
    let mut out = Vec::new();
    apply::feed(shell, &mut live, |exchange, agent, now| {
        out = exchange.release(agent, can_send, now);
    });
    let is_done = !live.exchange.holds_output() && live.stage == Stage::Sent;
    if let Some(waiting) = live.waiting.filter(|_| is_done) {
        live.waiting = None;
        // Behind what waits, nothing of which is replaced.
        match hostcalls::set_buffer(RESPONSE, waiting, 0, &out) {
            Ok(()) => {
                let _ = hostcalls::resume_http_response();
            }
            Err(status) => {
                log::error!("what waited for a client is lost: {status:?}");
                end(&mut live);
            }
        }
    }
    enter(shell.root);
    true
}

fn end(live: &mut Live) {
    if live.stage != Stage::Over {
        live.stage = Stage::Over;
        let _ = hostcalls::reset_http_response();
    }
}
