//! What the connections of one listener share within one VM.

use std::{cell::RefCell, rc::Rc, time::Duration};

use ostiary_policy::Bundle;
use ostiary_session::{Now, State, http::Api, postgres::Shared};
use proxy_wasm::{hostcalls, types::Status};

use crate::{
    apply::{self, During},
    clock,
    config::Config,
    control::{Calls, recording::Recording},
    http::{self, Runs},
    metrics::{MemoryReport, Metrics},
    schema::Schema,
    sessions::{Connection, Phase, Sessions},
};

/// The gRPC service every call goes to.
pub(crate) const SERVICE: &str = "ostiary.v1.Gateway";

/// How long a connection that ends is left open for its last bytes.
const LINGER_US: u64 = 20_000;

/// Shared by the root context and its connections.
pub(crate) struct Shell {
    /// The context id of the root.
    pub(crate) root: u32,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) memory: MemoryReport,
    pub(crate) sessions: Sessions,
    pub(crate) runs: Runs,
    pub(crate) calls: Calls,
    pub(crate) recording: Recording,
    pub(crate) shared: Rc<Shared>,
    pub(crate) schema: Schema,
    state: RefCell<State>,
    ending: RefCell<Vec<(u32, Now)>>,
}

impl Shell {
    pub(crate) fn new(root: u32, config: Config) -> Self {
        Self {
            root,
            metrics: Metrics::define(&config.resource),
            memory: MemoryReport::default(),
            config,
            sessions: Sessions::default(),
            runs: Runs::default(),
            calls: Calls::default(),
            recording: Recording::new(),
            shared: Rc::default(),
            schema: Schema::default(),
            state: RefCell::new(deny_all("policy not received")),
            ending: RefCell::default(),
        }
    }

    /// Which API its requests are for.
    pub(crate) fn api(&self) -> Api {
        self.config.kind.api().unwrap_or(Api::Http)
    }

    /// The running policy.
    pub(crate) fn state(&self) -> State {
        self.state
            .try_borrow()
            .map_or_else(|_| deny_all("policy in use"), |state| state.clone())
    }

    /// Replaces the running policy, for open connections too. Called from the root.
    pub(crate) fn set_state(&self, state: State) {
        if let Ok(mut running) = self.state.try_borrow_mut() {
            *running = state.clone();
        }
        http::on_state(self, &state);
        for context in self.sessions.pick(|_| true) {
            self.with(self.root, context, |connection, now| {
                connection.session.on_state(state.clone(), now);
            });
        }
    }

    /// Gives a connection some input from a callback of the context `caller`, which may be another
    /// one, and carries out what follows.
    pub(crate) fn with(&self, caller: u32, context: u32, input: impl FnOnce(&mut Connection, Now)) {
        let Some(connection) = self.sessions.get(context) else {
            return;
        };
        let Ok(mut connection) = connection.try_borrow_mut() else {
            // Cannot happen while the host is not reentrant; if it is, no verdict is lost silently.
            log::error!("connection {context} is in use; it ends");
            self.end_later(context);
            return;
        };
        if connection.phase != Phase::Open || !enter(context) {
            return;
        }
        input(&mut connection, clock::now());
        apply::apply(self, &mut connection, During::Other);
        enter(caller);
    }

    /// Gives sessions the client's bytes that waited for the record. Called from the root.
    pub(crate) fn resume_stalled(&self) {
        for context in self
            .sessions
            .pick(|connection| connection.stalled.is_some())
        {
            if self.recording.is_congested() {
                return;
            }
            self.with(self.root, context, |connection, now| {
                if let Some(stalled) = connection.stalled.take() {
                    apply::feed(self, connection, &stalled.bytes, now);
                }
            });
        }
    }

    /// Ends the connections whose bytes have waited for the record too long. Called from the root.
    pub(crate) fn end_stalled(&self, now: Now) {
        let limit = self.config.limits.record_us;
        let due = self.sessions.pick(|connection| {
            connection
                .stalled
                .as_ref()
                .is_some_and(|stalled| now.0.saturating_sub(stalled.since.0) > limit)
        });
        for context in due {
            self.with(self.root, context, |connection, _| {
                log::warn!(
                    "session {}: the record does not catch up; it ends",
                    connection.id
                );
                self.metrics.record_overflows.add(1);
                connection.stalled = None;
                self.end(connection);
            });
        }
    }

    /// Closes a connection soon: see [`Phase::Ending`].
    pub(crate) fn end(&self, connection: &mut Connection) {
        if connection.phase == Phase::Open {
            connection.phase = Phase::Ending;
            self.end_later(connection.context);
        }
    }

    pub(crate) fn end_later(&self, context: u32) {
        if let Ok(mut ending) = self.ending.try_borrow_mut() {
            ending.push((context, clock::now()));
        }
    }

    /// Closes the connections whose time has come. Called from the root.
    pub(crate) fn close_ended(&self, now: Now) {
        let due: Vec<u32> = {
            let Ok(mut ending) = self.ending.try_borrow_mut() else {
                return;
            };
            let is_due = |since: &Now| now.0 < since.0 || now.0 - since.0 >= LINGER_US;
            let due = ending
                .iter()
                .filter(|(_, since)| is_due(since))
                .map(|(context, _)| *context)
                .collect();
            ending.retain(|(_, since)| !is_due(since));
            due
        };
        for context in due {
            // The registry knows whether the host still has it.
            if self.sessions.get(context).is_some() && enter(context) {
                let _ = hostcalls::close_downstream();
                enter(self.root);
            }
        }
    }

    /// A unary call of the effective context.
    pub(crate) fn call(
        &self,
        method: &str,
        message: &[u8],
        timeout: Duration,
    ) -> Result<u32, Status> {
        hostcalls::dispatch_grpc_call(
            &self.config.service,
            SERVICE,
            method,
            self.metadata(),
            Some(message),
            timeout,
        )
    }

    /// A stream of the effective context.
    pub(crate) fn open(&self, method: &str) -> Result<u32, Status> {
        hostcalls::open_grpc_stream(&self.config.service, SERVICE, method, self.metadata())
    }

    fn metadata(&self) -> Vec<(&str, &[u8])> {
        vec![("authorization", self.config.authorization.as_bytes())]
    }
}

/// Makes `context` the one that host calls act on; false if the host no longer knows it.
pub(crate) fn enter(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// A policy that denies everything and says why.
pub(crate) fn deny_all(reason: &str) -> State {
    State {
        bundle: Rc::new(Bundle::deny_all(reason)),
        hash_key: Rc::new(Vec::new()),
    }
}
