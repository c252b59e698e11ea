//! Requests to go on in streams: exec, attach and port-forward, in the forms that clients of Kubernetes
//! ask for them.
//!
//! What is asked for must have one reading for the gateway and for the server: one protocol, a version of
//! the channels that both know, and nothing behind the head.

use super::{Head, Verb};
use crate::http::{Parameters, Refused};

/// Channels over WebSocket that can be read, the newest first. Those in base64 are old and are not.
const WEBSOCKET_CHANNELS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// Channels over SPDY that can be read.
const SPDY_CHANNELS: [&str; 1] = ["v4.channel.k8s.io"];
/// Forwarded ports: over SPDY, and over SPDY inside WebSocket.
const SPDY_PORTS: [&str; 1] = ["portforward.k8s.io"];
const WEBSOCKET_PORTS: [&str; 1] = ["SPDY/3.1+portforward.k8s.io"];

/// What carries the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// WebSocket: the first byte of a message is its channel; of ports, what it holds is SPDY.
    WebSocket,
    /// SPDY/3.1: each channel is a stream.
    Spdy,
}

/// What the streams are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A command's channels.
    Command,
    /// Connections to ports.
    Ports,
}

impl Purpose {
    /// Of a verb that goes on in streams.
    pub(super) fn of(verb: Verb) -> Option<Self> {
        match verb {
            Verb::K8sExec | Verb::K8sAttach => Some(Self::Command),
            Verb::K8sPortForward => Some(Self::Ports),
            _ => None,
        }
    }
}

/// A request for streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    /// What they are for.
    pub purpose: Purpose,
    /// What is to carry them.
    pub carrier: Carrier,
    /// Of the versions the client offers, those that can be read; at least one.
    pub offers: Vec<&'static str>,
    /// Whether the command gets a terminal.
    pub tty: bool,
}

impl Carrier {
    /// The header in which both sides name the version of the channels.
    pub const fn version_header(self) -> &'static str {
        match self {
            Self::WebSocket => "sec-websocket-protocol",
            Self::Spdy => "x-stream-protocol-version",
        }
    }
}

impl Streams {
    /// Reads a request; the error says what form of it cannot be followed.
    pub(super) fn read(
        purpose: Purpose,
        method: &str,
        headers: &[(String, String)],
        query: &Parameters,
    ) -> Result<Self, &'static str> {
        let all = |name: &str| {
            let values = headers.iter().filter(|(key, _)| key == name);
            values.map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        let carrier = match all("upgrade").as_slice() {
            [] => {
                return Err("it is no request for WebSocket or SPDY/3.1, which carry the streams");
            }
            [one] if one.eq_ignore_ascii_case("websocket") => Carrier::WebSocket,
            [one] if one.eq_ignore_ascii_case("SPDY/3.1") => Carrier::Spdy,
            _ => return Err("of protocols the gateway changes to WebSocket and SPDY/3.1 alone"),
        };
        let connection = all("connection").join(",");
        let mut tokens = connection.split(',').map(str::trim);
        if !tokens.any(|it| it.eq_ignore_ascii_case("upgrade")) {
            return Err("`Upgrade` and `Connection` do not agree");
        }
        let has_body = !all("content-length").iter().all(|it| *it == "0")
            || !all("transfer-encoding").is_empty();
        if has_body {
            return Err("a request for streams has no body");
        }
        let is_whole = match carrier {
            Carrier::WebSocket => {
                method == "GET"
                    && all("sec-websocket-version") == ["13"]
                    && all("sec-websocket-key").len() == 1
            }
            Carrier::Spdy => matches!(method, "GET" | "POST"),
        };
        if !is_whole {
            return Err("the request for streams is not a whole one");
        }
        let known: &'static [&'static str] = match (purpose, carrier) {
            (Purpose::Command, Carrier::WebSocket) => &WEBSOCKET_CHANNELS,
            (Purpose::Command, Carrier::Spdy) => &SPDY_CHANNELS,
            (Purpose::Ports, Carrier::WebSocket) => &WEBSOCKET_PORTS,
            (Purpose::Ports, Carrier::Spdy) => &SPDY_PORTS,
        };
        let offered = all(carrier.version_header()).join(",");
        let offered: Vec<&str> = offered.split(',').map(str::trim).collect();
        let offers: Vec<&'static str> = known
            .iter()
            .copied()
            .filter(|it| offered.contains(it))
            .collect();
        if offers.is_empty() {
            return Err("it offers no version of the channels that the gateway reads");
        }
        let tty = query.one("tty").map_err(|_| "`tty` has two values")?;
        Ok(Self {
            purpose,
            carrier,
            offers,
            tty: tty.is_some_and(|it| it == "1" || it.eq_ignore_ascii_case("true")),
        })
    }
}

impl Head {
    /// What exec, attach and port-forward ask for, if that can be followed.
    pub fn streams(&self) -> Option<&Streams> {
        self.streams.as_ref()?.as_ref().ok()
    }
}

/// The command of a query as a shell would take it; `None` if there is none.
pub(super) fn command(query: &str) -> Result<Option<String>, Refused> {
    let words = Parameters::in_order(query, "command", "query")?;
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Ok((!words.is_empty()).then(|| words.join(" ")))
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
