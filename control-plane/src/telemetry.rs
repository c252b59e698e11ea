//! Logs people can read: one line per thing that happened, never a token, password or row.

use std::{error::Error, io::IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `OSTIARY_LOG` picks what is logged (`info` by default),
/// `OSTIARY_LOG_FORMAT=json` makes each line a JSON object. A second call does nothing.
pub fn init() {
    let filter = EnvFilter::try_from_env("OSTIARY_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,h2=warn,hyper=warn,tower=warn,sled=warn"));
    let json = std::env::var("OSTIARY_LOG_FORMAT").is_ok_and(|format| format == "json");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(std::io::stderr);
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
