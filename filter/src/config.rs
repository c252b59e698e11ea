//! The plugin configuration. What is missing or unknown is an error, and Envoy then refuses every
//! connection of the listener.

use ostiary_session::{Limits, http::Api};
use serde::Deserialize;

use crate::service;

/// What one listener guards and whom it asks.
pub(crate) struct Config {
    pub(crate) resource: String,
    pub(crate) kind: ResourceKind,
    /// The role used upstream; empty for HTTP.
    pub(crate) role: String,
    /// The control plane, as the host calls name it.
    pub(crate) service: String,
    /// The `authorization` metadata of every call.
    pub(crate) authorization: String,
    pub(crate) limits: Limits,
    /// What the gateway's own requests to the target go to.
    pub(crate) target: Option<Target>,
    /// Policy that could not be refreshed for this long denies everything.
    pub(crate) policy_stale_us: u64,
    /// Overrides the level of Envoy's own `wasm` logger.
    pub(crate) log_level: Option<Level>,
}

/// What is guarded.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResourceKind {
    #[default]
    Postgres,
    Http,
    Kubernetes,
}

impl ResourceKind {
    /// Which API it is, if it is one.
    pub(crate) fn api(self) -> Option<Api> {
        match self {
            Self::Postgres => None,
            Self::Http => Some(Api::Http),
            Self::Kubernetes => Some(Api::Kubernetes),
        }
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// A cluster of Envoy's, and what it is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) cluster: String,
    pub(crate) host: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    resource: String,
    #[serde(default)]
    kind: ResourceKind,
    #[serde(default)]
    role: String,
    cluster: String,
    gateway_token: String,
    #[serde(default)]
    limits: Overrides,
    #[serde(default = "five_minutes")]
    policy_stale_us: u64,
    log_level: Option<Level>,
    target: Option<Target>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Overrides {
    message: Option<usize>,
    row: Option<usize>,
    ahead: Option<usize>,
    names: Option<usize>,
    login_us: Option<u64>,
    ask_us: Option<u64>,
    record_us: Option<u64>,
    record_statement: Option<usize>,
    record_rows: Option<usize>,
    record_bytes: Option<usize>,
}

fn five_minutes() -> u64 {
    300_000_000
}

impl Config {
    /// Parses and validates.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        // Only where it went wrong: serde's own message can quote the token.
        let file: File = serde_json::from_slice(json).map_err(|error| {
            format!(
                "{:?} error at line {} column {}",
                error.classify(),
                error.line(),
                error.column()
            )
        })?;
        for (name, value) in [
            ("resource", &file.resource),
            ("role", &file.role),
            ("cluster", &file.cluster),
            ("gateway_token", &file.gateway_token),
        ] {
            let needed = name != "role" || file.kind == ResourceKind::Postgres;
            if value.is_empty() && needed {
                return Err(format!("`{name}` is empty"));
            }
        }
        if file.gateway_token.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err("`gateway_token` holds a character other than visible ASCII".to_owned());
        }
        let Some(service) = service::behind(&file.cluster) else {
            return Err("`cluster` is longer than 116 bytes".to_owned());
        };
        Ok(Self {
            authorization: format!("Bearer {}", file.gateway_token),
            resource: file.resource,
            role: file.role,
            service,
            limits: file.limits.over(match file.kind {
                ResourceKind::Postgres => Limits::default(),
                // A request is held whole by Envoy too, which has a bound of its own.
                ResourceKind::Http | ResourceKind::Kubernetes => Limits {
                    message: 1 << 20,
                    ..Limits::default()
                },
            }),
            kind: file.kind,
            target: file.target,
            policy_stale_us: file.policy_stale_us,
            log_level: file.log_level,
        })
    }
}

impl Overrides {
    fn over(self, default: Limits) -> Limits {
        Limits {
            message: self.message.unwrap_or(default.message),
            row: self.row.unwrap_or(default.row),
            ahead: self.ahead.unwrap_or(default.ahead),
            names: self.names.unwrap_or(default.names),
            login_us: self.login_us.unwrap_or(default.login_us),
            ask_us: self.ask_us.unwrap_or(default.ask_us),
            record_us: self.record_us.unwrap_or(default.record_us),
            record_statement: self.record_statement.unwrap_or(default.record_statement),
            record_rows: self.record_rows.unwrap_or(default.record_rows),
            record_bytes: self.record_bytes.unwrap_or(default.record_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Result<(usize, &str), &str>) {
        let parsed = Config::parse(json.as_bytes());
        let got = parsed
            .as_ref()
            .map(|c| (c.limits.message, c.authorization.as_str()));
        assert_eq!(got, expected.map_err(str::to_owned).as_ref().copied());
    }

    #[test]
    fn reads_what_ostiary_writes_and_keeps_the_default_limits() {
        check(
            r#"{"resource":"shop","role":"shop_app","cluster":"cp","gateway_token":"t"}"#,
            Ok((16 << 20, "Bearer t")),
        );
        check(
            r#"{"resource":"shop","role":"r","cluster":"cp","gateway_token":"t","limits":{"message":9}}"#,
            Ok((9, "Bearer t")),
        );
    }

    #[test]
    fn refuses_what_is_missing_unknown_or_empty_without_quoting_it() {
        check("", Err("Eof error at line 1 column 0"));
        check(
            r#"{"resource":"shop","role":"r","cluster":"cp"}"#,
            Err("Data error at line 1 column 45"),
        );
        check(
            r#"{"resource":"shop","role":"r","cluster":"cp","gateway_token":"t","x":1}"#,
            Err("Data error at line 1 column 68"),
        );
        check(
            r#"{"resource":"","role":"r","cluster":"cp","gateway_token":"t"}"#,
            Err("`resource` is empty"),
        );
        check(
            "{\"resource\":\"a\",\"role\":\"r\",\"cluster\":\"cp\",\"gateway_token\":\"t\\r\\n\"}",
            Err("`gateway_token` holds a character other than visible ASCII"),
        );
    }
}
