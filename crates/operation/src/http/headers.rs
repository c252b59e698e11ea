//! Headers of a request that would change what it means, or who asks.

use super::Refused;

/// What becomes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Pass,
    /// It is left out: it speaks of the connection, of who asks or of a part of the answer.
    Drop,
    /// The request is refused: a server that heeds it would do something else.
    Refuse,
}

/// Whether the request asks to go on in WebSocket, in the one form of RFC 6455.
pub(super) fn wants_websocket(method: &str, headers: &[(String, String)]) -> Result<bool, Refused> {
    let all = |name: &str| {
        let values = headers.iter().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.trim()).collect::<Vec<_>>()
    };
    match all("upgrade").as_slice() {
        [] => return Ok(false),
        [one] if one.eq_ignore_ascii_case("websocket") => {}
        _ => {
            return Err(Refused::bad(
                "of protocols the gateway changes to WebSocket alone",
            ));
        }
    }
    let connection = all("connection").join(",");
    let is_whole = method == "GET"
        && connection
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case("upgrade"))
        && all("sec-websocket-version") == ["13"]
        && all("sec-websocket-key").len() == 1
        && all("content-length").iter().all(|it| *it == "0")
        && all("transfer-encoding").is_empty();
    match is_whole {
        true => Ok(true),
        false => Err(Refused::bad("the request for WebSocket is not a whole one")),
    }
}

/// Refused but for WebSocket: see [`wants_websocket`].
const UPGRADE: &str = "upgrade";

/// Make a server run another method or path than the one that is judged.
const REFUSED: [&str; 9] = [
    UPGRADE,
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-prefix",
    "x-override-url",
];

const DROPPED: [&str; 29] = [
    // Who asks: the gateway's to say.
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-remote-user",
    "x-remote-group",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "forwarded",
    "via",
    // The connection.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "http2-settings",
    // A part of the answer cannot be masked as the whole would be, nor an encoded one.
    "range",
    "if-range",
    "accept-encoding",
    // What the client expects of the gateway, which has the body already.
    "expect",
    // What kubectl says of itself, new for each command.
    "kubectl-command",
    "kubectl-session",
];

/// Envoy writes it over whatever the client said, and finds no route without it.
const FROM_ENVOY: &str = "x-forwarded-proto";

const DROPPED_PREFIXES: [&str; 6] = [
    "x-forwarded-",
    "x-envoy-",
    "x-remote-extra-",
    "impersonate-",
    "x-amzn-oidc-",
    "ostiary-",
];

/// What becomes of the header `name`, which is lower case.
pub fn fate(name: &str) -> Fate {
    if REFUSED.contains(&name) {
        Fate::Refuse
    } else if name == FROM_ENVOY {
        Fate::Pass
    } else if DROPPED.contains(&name) || DROPPED_PREFIXES.iter().any(|it| name.starts_with(it)) {
        Fate::Drop
    } else {
        Fate::Pass
    }
}

pub(crate) fn check(headers: &[(String, String)]) -> Result<(), Refused> {
    let mut lengths = 0_usize;
    for (name, value) in headers {
        if fate(name) == Fate::Refuse && name != UPGRADE {
            let reason = format!("the header `{name}` would change what the request does");
            return Err(Refused::bad(reason));
        }
        if name.contains('_') {
            // `x_original_url` is `x-original-url` to a CGI server.
            return Err(Refused::bad("the name of a header holds `_`"));
        }
        match name.as_str() {
            "content-length" => lengths = lengths.saturating_add(1),
            "transfer-encoding" if !value.eq_ignore_ascii_case("chunked") => {
                return Err(Refused::bad("the transfer encoding is not `chunked`"));
            }
            _ => {}
        }
    }
    match lengths {
        0 | 1 => Ok(()),
        _ => Err(Refused::bad("`content-length` comes more than once")),
    }
}
