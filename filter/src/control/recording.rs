//! `Gateway.Append`: events out, durable acknowledgements in. One stream for each VM, owned by the root.
//!
//! When the control plane is away, events are kept up to a bound and sent again, in order, on the next
//! stream. At half the bound the bytes of clients wait; at the bound every connection that has something to record is closed: nothing goes unrecorded.

mod queue;

use std::cell::RefCell;

use ostiary_proto::AppendResponse;
use ostiary_record::Event;
use ostiary_session::Now;
use prost::Message;
use proxy_wasm::hostcalls;

use self::queue::Queue;
use super::receive;
use crate::{
    backoff::Backoff,
    http,
    shell::{Shell, enter},
};

/// The way to the archive.
pub(crate) struct Recording(RefCell<State>);

struct State {
    queue: Queue,
    stream: Option<u32>,
    backoff: Backoff,
    /// What the backlog metric was told.
    reported: usize,
}

impl Recording {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(State {
            queue: Queue::new(),
            stream: None,
            backoff: Backoff::new(),
            reported: 0,
        }))
    }

    /// Keeps an event of a connection; false if the connection must end: see [`Queue::push`].
    pub(crate) fn push(&self, connection: u32, event: &Event) -> bool {
        self.0
            .try_borrow_mut()
            .is_ok_and(|mut state| state.queue.push(connection, event).is_ok())
    }

    /// Whether enough waits to send it before the next tick.
    pub(crate) fn is_eager(&self) -> bool {
        self.0
            .try_borrow()
            .is_ok_and(|state| state.queue.is_eager())
    }

    /// Whether clients should wait for the record to catch up.
    pub(crate) fn is_congested(&self) -> bool {
        self.0
            .try_borrow()
            .map_or(true, |state| state.queue.is_congested())
    }

    /// Sends what waits, now or with the next acknowledgement, if there is a stream; from a callback in
    /// which `effective` is the effective context.
    pub(crate) fn flush(&self, shell: &Shell, effective: u32) {
        let Ok(mut state) = self.0.try_borrow_mut() else {
            return;
        };
        let Some(token) = state.stream else {
            return;
        };
        if !state.queue.has_waiting() || !enter(shell.root) {
            return;
        }
        while let Some(message) = state.queue.next_in_turn() {
            if let Err(status) = hostcalls::send_grpc_stream_message(token, Some(message), false) {
                // The host has dropped the stream; its close is on the way.
                log::warn!("cannot send events: {status:?}");
                break;
            }
        }
        if effective != shell.root {
            enter(effective);
        }
    }

    /// Opens the stream when there is something to send, and sends what waits. Called from the root.
    pub(crate) fn on_tick(&self, shell: &Shell, now: Now) {
        if let Ok(mut state) = self.0.try_borrow_mut() {
            let wanted = state.stream.is_none() && state.queue.len() > 0;
            if wanted && state.backoff.ready(now) {
                match shell.open("Append") {
                    Ok(token) => state.stream = Some(token),
                    Err(status) => {
                        log::warn!("cannot open the stream of events: {status:?}");
                        state.backoff.failed(now);
                    }
                }
            }
        }
        self.flush(shell, shell.root);
        self.report(shell);
    }

    /// Whether a stream of the root is this one.
    pub(crate) fn owns(&self, token: u32) -> bool {
        self.0
            .try_borrow()
            .is_ok_and(|state| state.stream == Some(token))
    }

    /// An acknowledgement came. Called from the root.
    pub(crate) fn on_message(&self, shell: &Shell, size: usize) {
        let Some(Ok(answer)) = receive(size).map(|bytes| AppendResponse::decode(bytes.as_slice()))
        else {
            log::error!("an acknowledgement of events could not be read");
            return;
        };
        let durable = {
            let Ok(mut state) = self.0.try_borrow_mut() else {
                return;
            };
            state.backoff.succeeded();
            state.queue.acknowledge(answer.batch)
        };
        for (context, seq) in durable {
            if http::on_recorded(shell, context, seq) {
                continue;
            }
            shell.with(shell.root, context, |connection, now| {
                connection.session.on_recorded(seq, now);
            });
        }
        if !self.is_congested() {
            shell.resume_stalled();
            http::resume(shell);
        }
        if self.0.try_borrow().is_ok_and(|state| state.queue.is_due()) {
            self.flush(shell, shell.root);
        }
    }

    /// The stream ended: everything that was not acknowledged goes again. Called from the root.
    pub(crate) fn on_close(&self, status: u32, now: Now) {
        let Ok(mut state) = self.0.try_borrow_mut() else {
            return;
        };
        log::warn!(
            "the stream of events ended: gRPC status {status}, {} not acknowledged",
            state.queue.len()
        );
        state.stream = None;
        state.queue.rewind();
        state.backoff.failed(now);
    }

    fn report(&self, shell: &Shell) {
        if let Ok(mut state) = self.0.try_borrow_mut() {
            let held = state.queue.len();
            let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            shell
                .metrics
                .record_backlog
                .add(signed(held) - signed(state.reported));
            state.reported = held;
        }
    }
}
