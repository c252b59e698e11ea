//! `Gateway.Watch`: bundles and revocations in.

use std::rc::Rc;

use ostiary_policy::{Bundle, Files};
use ostiary_proto::{Revocation, Snapshot, WatchRequest, WatchResponse, watch_response};
use ostiary_session::{Now, State};
use prost::Message;
use proxy_wasm::hostcalls;

use super::receive;
use crate::{
    backoff::Backoff,
    http, id,
    shell::{Shell, deny_all},
};

/// The stream, re-opened when it is lost. A bundle that is refused leaves the running one in force; a
/// stream that stays lost for the configured time leaves none.
pub(crate) struct Watch {
    stream: Option<u32>,
    backoff: Backoff,
    filter_id: String,
    /// Since when nothing was heard; `None` while the stream is up.
    lost_since: Option<Now>,
    stale: bool,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            stream: None,
            backoff: Backoff::new(),
            filter_id: id::random().unwrap_or_default(),
            lost_since: None,
            stale: false,
        }
    }

    /// Opens the stream if there is none, and ends policy that is too old.
    pub(crate) fn on_tick(&mut self, shell: &Shell, now: Now) {
        if self.stream.is_none() && self.backoff.ready(now) {
            self.open(shell, now);
        }
        let Some(since) = self.lost_since else {
            return;
        };
        if !self.stale && now.0.saturating_sub(since.0) > shell.config.policy_stale_us {
            log::error!("policy is too old: the control plane is lost; everything is denied");
            self.stale = true;
            shell.set_state(deny_all(
                "policy is too old: the control plane cannot be reached",
            ));
        }
    }

    fn open(&mut self, shell: &Shell, now: Now) {
        let request = WatchRequest {
            resource: shell.config.resource.clone(),
            filter_id: self.filter_id.clone(),
        };
        let opened = shell.open("Watch").and_then(|token| {
            hostcalls::send_grpc_stream_message(token, Some(&request.encode_to_vec()), true)?;
            Ok(token)
        });
        match opened {
            Ok(token) => self.stream = Some(token),
            Err(status) => {
                log::warn!("cannot watch policy: {status:?}");
                self.failed(now);
            }
        }
    }

    fn failed(&mut self, now: Now) {
        self.stream = None;
        self.lost_since.get_or_insert(now);
        self.backoff.failed(now);
    }

    /// Whether a stream of the root is this one.
    pub(crate) fn owns(&self, token: u32) -> bool {
        self.stream == Some(token)
    }

    pub(crate) fn on_close(&mut self, status: u32, now: Now) {
        log::warn!("the stream of policy ended: gRPC status {status}");
        self.failed(now);
    }

    pub(crate) fn on_message(&mut self, shell: &Shell, size: usize) {
        let Some(Ok(news)) = receive(size).map(|bytes| WatchResponse::decode(bytes.as_slice()))
        else {
            log::error!("a message about policy could not be read; it is ignored");
            return;
        };
        self.backoff.succeeded();
        match news.message {
            Some(watch_response::Message::Snapshot(snapshot)) => self.replace(shell, snapshot),
            Some(watch_response::Message::Revocation(revocation)) => revoke(shell, &revocation),
            None => {}
        }
    }

    fn replace(&mut self, shell: &Shell, snapshot: Snapshot) {
        self.lost_since = None;
        let version = snapshot.version;
        let running = shell.state();
        if !self.stale
            && running.bundle.hash() == snapshot.hash
            && *running.hash_key == snapshot.hash_key
        {
            return;
        }
        match compile(snapshot) {
            Ok(state) => {
                log::info!("policy {version} is in force: {}", state.bundle.hash());
                self.stale = false;
                shell.metrics.policy_applied.add(1);
                shell.set_state(state);
            }
            Err(problems) => {
                shell.metrics.policy_refused.add(1);
                log::error!("policy {version} is refused, the running one stays: {problems}");
            }
        }
    }
}

/// The files must be what their hash says, and valid.
fn compile(snapshot: Snapshot) -> Result<State, String> {
    let files: Files = snapshot.files.into_iter().collect();
    let bundle = Bundle::parse(&files).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("; ")
    })?;
    if bundle.hash() != snapshot.hash {
        return Err(format!(
            "its files hash to {}, not to {}",
            bundle.hash(),
            snapshot.hash
        ));
    }
    Ok(State {
        bundle: Rc::new(bundle),
        hash_key: Rc::new(snapshot.hash_key),
    })
}

fn revoke(shell: &Shell, revocation: &Revocation) {
    http::on_revoked(shell, &revocation.session_id, &revocation.reason);
    let named = shell
        .sessions
        .pick(|connection| connection.id == revocation.session_id);
    for context in named {
        log::info!("session {}: revoked", revocation.session_id);
        shell.with(shell.root, context, |connection, now| {
            connection.session.on_revoked(&revocation.reason, now);
        });
    }
}
