//! The Envoy filter: host callbacks become session inputs, effects become host calls.
//!
//! In: Envoy's callbacks. Out: host calls and gRPC messages to the control plane. Deliberately absent:
//! decisions and protocol knowledge; those are the session's.
//!
//! Facts of the host that shape this crate, seen on Envoy 1.40.0:
//! - Bytes reach the server whenever the downstream buffer was drained under `Pause`, from any callback;
//!   bytes reach the client only while `on_upstream_data` runs.
//! - Bytes set at position 0 of a buffer go before those an earlier call of the same callback wrote there;
//!   at any position past the end they are appended.
//! - A callback of one context may act on another by `set_effective_context`.
//! - The SDK delivers a gRPC answer to the context whose callback opened the call, whatever context was
//!   effective; the host ties the call to the effective one. Hence one table of calls, by token.
//! - Closing a connection inside `on_upstream_data` drops the bytes written there: see `sessions`.
//! - A request is let go on by `Continue` from its own callback and by `resume_http_request` from any
//!   other; inside its own callback the latter would run before the host has stopped.
//! - A client's `close` is seen as the end of its stream only; if that is not passed on to the server,
//!   the connection stays for ever.

mod apply;
mod backoff;
mod clock;
mod config;
mod control;
mod http;
mod id;
mod metrics;
mod root;
mod schema;
mod service;
mod sessions;
mod shell;
mod tcp;

/// What the host calls first.
mod entry {
    use proxy_wasm::types::LogLevel;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|id| Box::new(crate::root::Root::new(id)));
    }}
}
