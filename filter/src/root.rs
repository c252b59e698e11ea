//! The root context: one for each listener and VM. It owns the streams to the control plane and the
//! clock's tick.

use std::{rc::Rc, time::Duration};

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext, StreamContext},
    types::{ContextType, LogLevel},
};

use crate::{
    clock,
    config::{Config, Level, ResourceKind},
    control::{self, policy::Watch},
    http::{self, Http},
    sessions::Phase,
    shell::Shell,
    tcp::Tcp,
};

/// Bounds how late a timeout fires, a record of a read is sent and an ended connection closes.
const TICK: Duration = Duration::from_millis(50);

pub(crate) struct Root {
    context: u32,
    // `None` until the configuration was read; every connection is closed then.
    shell: Option<Rc<Shell>>,
    watch: Watch,
}

impl Root {
    pub(crate) fn new(context: u32) -> Self {
        Self {
            context,
            shell: None,
            watch: Watch::new(),
        }
    }
}

impl Context for Root {
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
        let Some(shell) = &self.shell else {
            return;
        };
        if self.watch.owns(token) {
            self.watch.on_message(shell, size);
        } else if shell.recording.owns(token) {
            shell.recording.on_message(shell, size);
        } else {
            control::on_message(shell, self.context, token, size);
        }
    }

    fn on_grpc_stream_close(&mut self, token: u32, status: u32) {
        let Some(shell) = &self.shell else {
            return;
        };
        let now = clock::now();
        if self.watch.owns(token) {
            self.watch.on_close(status, now);
        } else if shell.recording.owns(token) {
            shell.recording.on_close(status, now);
        } else {
            return control::on_close(shell, self.context, token, status);
        }
        // See `control::on_close`.
        let _ = hostcalls::cancel_grpc_stream(token);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let config = match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => config,
            Err(problem) => {
                log::error!("the plugin configuration is invalid: {problem}");
                return false;
            }
        };
        let level = match config.log_level {
            Some(Level::Trace) => LogLevel::Trace,
            Some(Level::Debug) => LogLevel::Debug,
            Some(Level::Info) => LogLevel::Info,
            Some(Level::Warn) => LogLevel::Warn,
            Some(Level::Error) => LogLevel::Error,
            None => hostcalls::get_log_level().unwrap_or(LogLevel::Info),
        };
        proxy_wasm::set_log_level(level);
        self.set_tick_period(TICK);
        log::debug!("guards `{}`", config.resource);
        self.shell = Some(Rc::new(Shell::new(self.context, config)));
        true
    }

    fn on_tick(&mut self) {
        let Some(shell) = &self.shell else {
            return;
        };
        let now = clock::now();
        shell.close_ended(now);
        self.watch.on_tick(shell, now);
        let due = shell.sessions.pick(|connection| {
            connection.phase == Phase::Open
                && connection
                    .session
                    .poll_timeout()
                    .is_some_and(|at| at <= now)
        });
        for context in due {
            shell.with(self.context, context, |connection, now| {
                connection.session.on_timeout(now);
            });
        }
        http::on_tick(shell, now);
        shell.end_stalled(now);
        shell.shared.forget_old(now);
        shell.schema.on_tick(&shell.config.resource, &shell.shared);
        shell.recording.on_tick(shell, now);
        shell.memory.update(shell.metrics.memory);
    }

    fn create_stream_context(&self, context: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Tcp::new(context, self.shell.clone())))
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(context, self.shell.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        match self.shell.as_ref().map(|shell| shell.config.kind) {
            Some(ResourceKind::Http | ResourceKind::Kubernetes) => Some(ContextType::HttpContext),
            Some(ResourceKind::Postgres) | None => Some(ContextType::StreamContext),
        }
    }
}
