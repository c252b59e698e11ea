//! HTTP requests: host callbacks to the inputs of an exchange.

mod apply;
mod door;
mod heads;
mod login;
mod news;
mod runs;
mod streams;
pub(crate) mod target;

use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use ostiary_session::http::{
    Api, Body, Exchange, Reply, ResponseHead, Stranger, bearer, token_key,
};
use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext},
    types::{Action, BufferType, MapType},
};

use self::runs::{Live, Stage};
pub(crate) use self::{
    news::{on_approval, on_login, on_recorded, on_revoked, on_state, on_tick, resume},
    runs::Runs,
};
use crate::{clock, control, shell::Shell};

/// Bytes of a body that are compared with what comes of them: WebAssembly takes them one by one.
const COMPARED: usize = 1024;

/// One stream.
pub(crate) struct Http {
    context: u32,
    shell: Option<Rc<Shell>>,
    live: Option<Rc<RefCell<Live>>>,
}

impl Http {
    pub(crate) fn new(context: u32, shell: Option<Rc<Shell>>) -> Self {
        Self {
            context,
            shell,
            live: None,
        }
    }

    /// The exchange of this stream, if it has one.
    fn live(&self) -> Option<(&Shell, RefMut<'_, Live>)> {
        let shell = self.shell.as_deref()?;
        let live = self.live.as_ref()?.try_borrow_mut().ok()?;
        Some((shell, live))
    }

    /// A request whose head has come, as an exchange; `None` if it was answered already.
    fn open(&mut self, ends: bool) -> Option<bool> {
        let shell = self.shell.clone()?;
        let Some(head) = heads::request() else {
            apply::fail(shell.api(), "a header of the request is not text");
            return Some(false);
        };
        let now = clock::now();
        let peer = || {
            self.get_property(vec!["source", "address"])
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default()
        };
        let turn_away = |reply: &Reply| {
            if let Some(stranger) = Stranger::new(&head.request, &peer(), &head.client, reply) {
                door::turn_away(&shell, &stranger, now);
            }
            apply::reply(&reply.clone().fitting(shell.api(), &head.request));
        };
        let token = match bearer(&head.request.headers) {
            Ok(token) => token.to_owned(),
            Err(reply) => {
                turn_away(&reply);
                return Some(false);
            }
        };
        let key = (token_key(&token), head.task.clone());
        let run = match runs::run_for(&shell, self.context, key, token, &head, peer, now) {
            Ok(run) => run,
            Err(reply) => {
                turn_away(&reply);
                return Some(false);
            }
        };
        let exchange = Exchange::new(&run.try_borrow().ok()?.agent, head.request, now);
        let live = Rc::new(RefCell::new(Live {
            context: self.context,
            exchange,
            run,
            approval: None,
            stage: Stage::Held,
            waiting: None,
        }));
        shell.runs.insert(self.context, Rc::clone(&live));
        self.live = Some(Rc::clone(&live));
        let mut live = live.try_borrow_mut().ok()?;
        Some(apply::feed_at(
            &shell,
            &mut live,
            now,
            |exchange, agent, now| {
                if let Some(reason) = head.refused {
                    exchange.on_refused(agent, reason, now);
                } else if ends || exchange.is_upgrade() {
                    exchange.on_body(agent, Vec::new(), now);
                } else {
                    exchange.on_identity(agent, now);
                }
            },
        ))
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        let Some((shell, mut live)) = self.live() else {
            return;
        };
        live.stage = Stage::Over;
        if !live.exchange.is_over() {
            apply::feed(shell, &mut live, |exchange, agent, now| {
                exchange.on_closed(agent, now);
            });
        }
        shell.runs.remove(self.context);
        shell.calls.forget(self.context);
    }
}

impl Context for Http {
    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        if let Some(shell) = &self.shell {
            control::on_answer(shell, self.context, token, status, size);
        }
    }

    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        if let Some(shell) = &self.shell {
            control::on_target(shell, self.context, token, headers, size);
        }
    }

    fn on_grpc_stream_message(&mut self, token: u32, size: usize) {
        if let Some(shell) = &self.shell {
            control::on_message(shell, self.context, token, size);
        }
    }

    fn on_grpc_stream_close(&mut self, token: u32, status: u32) {
        if let Some(shell) = &self.shell {
            control::on_close(shell, self.context, token, status);
        }
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _count: usize, ends: bool) -> Action {
        match self.open(ends) {
            Some(true) => Action::Continue,
            Some(false) => Action::Pause,
            None => {
                log::error!("request {} cannot have an exchange", self.context);
                apply::fail(Api::Http, "the filter has no configuration");
                Action::Pause
            }
        }
    }

    /// While the request is held the host gathers its body, and gives all that has come each time.
    fn on_http_request_body(&mut self, size: usize, ends: bool) -> Action {
        let Some((shell, mut live)) = self.live() else {
            return Action::Pause;
        };
        if live.exchange.is_upgrade() && size > 0 {
            return streams::on_request_body(shell, &mut live, size);
        }
        match live.stage {
            Stage::Sent => return Action::Continue,
            Stage::Replied | Stage::Over => return Action::Pause,
            Stage::Held => {}
        }
        let too_large = size > shell.config.limits.message;
        if !ends && !too_large {
            return Action::Pause;
        }
        let body = match too_large {
            true => None,
            false => streams::read(BufferType::HttpRequestBody, size),
        };
        let goes_on = apply::feed(shell, &mut live, |exchange, agent, now| match body {
            Some(body) => exchange.on_body(agent, body, now),
            None if too_large => exchange.on_too_large(agent, now),
            None => exchange.on_refused(agent, "its body could not be read", now),
        });
        match goes_on {
            true => Action::Continue,
            false => Action::Pause,
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        let Some((shell, mut live)) = self.live() else {
            return Action::Pause;
        };
        if live.stage == Stage::Held {
            apply::feed(shell, &mut live, |exchange, agent, now| {
                exchange.on_refused(agent, "the request has trailers", now);
            });
        }
        match live.stage {
            Stage::Sent => Action::Continue,
            Stage::Held | Stage::Replied | Stage::Over => Action::Pause,
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, ends: bool) -> Action {
        // Without an exchange nothing went upstream: the answer is the gateway's or Envoy's.
        let Some((shell, mut live)) = self.live() else {
            return Action::Continue;
        };
        let is_own = live.stage != Stage::Sent;
        let Some((status, headers)) = heads::response() else {
            if is_own {
                return Action::Continue;
            }
            apply::fail(shell.api(), "a header of the answer is not text");
            live.stage = Stage::Replied;
            return Action::Pause;
        };
        let mut verdict = ResponseHead::Pass;
        apply::feed(shell, &mut live, |exchange, agent, now| {
            if !is_own {
                verdict = exchange.on_response(agent, status, &headers, ends, now);
            }
        });
        match verdict {
            ResponseHead::Pass => Action::Continue,
            ResponseHead::Send(edits) => {
                apply::edit(MapType::HttpResponseHeaders, &edits);
                Action::Continue
            }
            ResponseHead::Hold(edits) => {
                apply::edit(MapType::HttpResponseHeaders, &edits);
                Action::Pause
            }
            ResponseHead::Replace(reply) => {
                live.stage = Stage::Replied;
                apply::reply(&reply);
                Action::Pause
            }
            ResponseHead::Reset => {
                live.stage = Stage::Over;
                let _ = hostcalls::reset_http_response();
                Action::Pause
            }
        }
    }

    /// The buffer is always drained: what waits is kept by the exchange.
    fn on_http_response_body(&mut self, size: usize, ends: bool) -> Action {
        let Some((shell, mut live)) = self.live() else {
            return Action::Continue;
        };
        match live.stage {
            Stage::Sent => {}
            Stage::Held | Stage::Replied => return Action::Continue,
            Stage::Over => return Action::Pause,
        }
        if live.exchange.is_streaming() {
            return streams::on_response_body(shell, &mut live, size, ends);
        }
        let bytes = streams::read(BufferType::HttpResponseBody, size);
        // What goes on as it came is there already; to compare more costs more than to write it.
        let is_there = |out: &[u8]| out.len() <= COMPARED && bytes.as_deref() == Some(out);
        let set = |out: &[u8]| match is_there(out) {
            true => Ok(()),
            false => hostcalls::set_buffer(BufferType::HttpResponseBody, 0, size, out),
        };
        let mut verdict = Body::Reset;
        apply::feed(shell, &mut live, |exchange, agent, now| {
            if let Some(bytes) = &bytes {
                verdict = exchange.on_response_body(agent, bytes, ends, now);
            }
        });
        match verdict {
            Body::Send(bytes) if set(&bytes).is_ok() => Action::Continue,
            Body::Keep if set(&[]).is_ok() => Action::Pause,
            Body::Replace(reply) => {
                let _ = set(&[]);
                live.stage = Stage::Replied;
                apply::reply(&reply);
                Action::Pause
            }
            Body::Reset | Body::Send(_) | Body::Keep => {
                let _ = set(&[]);
                live.stage = Stage::Over;
                let _ = hostcalls::reset_http_response();
                Action::Pause
            }
        }
    }

    /// Nothing can be added to a body any more, and of trailers only those of gRPC are read.
    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        let Some((shell, mut live)) = self.live() else {
            return Action::Continue;
        };
        if live.stage != Stage::Sent {
            return Action::Continue;
        }
        let mut left = Body::Reset;
        let mut kept = Vec::new();
        let trailers = heads::trailers();
        apply::feed(shell, &mut live, |exchange, agent, now| {
            kept = exchange.trailers(&trailers);
            left = exchange.on_response_body(agent, &[], true, now);
        });
        let kept = kept
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let trailers = hostcalls::set_map(MapType::HttpResponseTrailers, kept.collect());
        match (left, trailers) {
            (Body::Send(rest), Ok(())) if rest.is_empty() => Action::Continue,
            _ => {
                live.stage = Stage::Over;
                let _ = hostcalls::reset_http_response();
                Action::Pause
            }
        }
    }
}
