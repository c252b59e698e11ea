//! Heads as the host has them, to heads as the session reads them.

use ostiary_session::http::Request;
use proxy_wasm::{hostcalls, types::MapType};

/// Bytes of the name of a task.
const MAX_TASK: usize = 128;
const MAX_CLIENT: usize = 256;

/// The head of a request.
pub(super) struct Head {
    pub(super) request: Request,
    /// What is wrong with it that the session does not see.
    pub(super) refused: Option<&'static str>,
    /// `ostiary-task`: what the agent says it is working on.
    pub(super) task: String,
    /// For the record: the task and the user agent.
    pub(super) client: String,
}

/// Every header as text; `None` if one is not.
fn all(map: MapType) -> Option<Vec<(String, String)>> {
    let headers = hostcalls::get_map_bytes(map).ok()?;
    headers
        .into_iter()
        .map(|(mut name, value)| {
            name.make_ascii_lowercase();
            Some((name, String::from_utf8(value).ok()?))
        })
        .collect()
}

pub(super) fn request() -> Option<Head> {
    let mut request = Request::default();
    let mut refused = None;
    let upgrade = Some("the gateway does not change protocols");
    for (name, value) in all(MapType::HttpRequestHeaders)? {
        match name.as_str() {
            ":method" => {
                if value == "CONNECT" {
                    refused = upgrade;
                }
                request.method = value;
            }
            ":path" => request.target = value,
            ":protocol" => refused = upgrade,
            // Envoy joins several.
            ":authority" if value.contains(',') => refused = Some("`host` comes more than once"),
            _ if name.starts_with(':') => {}
            _ => request.headers.push((name, value)),
        }
    }
    let one = |name: &str, limit: usize| {
        let value = request.headers.iter().find(|(key, _)| key == name);
        let value = value.map(|(_, value)| value.as_str()).unwrap_or_default();
        let shown = value.chars().filter(|c| !c.is_control());
        shown.take(limit).collect::<String>()
    };
    let task = one("ostiary-task", MAX_TASK);
    let agent = one("user-agent", MAX_CLIENT);
    let client = match (task.is_empty(), agent.is_empty()) {
        (true, _) => agent,
        (false, true) => task.clone(),
        (false, false) => format!("{task} ({agent})"),
    };
    Some(Head {
        request,
        refused,
        task,
        client,
    })
}

/// Trailers of a response that are text.
pub(super) fn trailers() -> Vec<(String, String)> {
    let trailers = hostcalls::get_map_bytes(MapType::HttpResponseTrailers).unwrap_or_default();
    let text = trailers.into_iter();
    text.filter_map(|(name, value)| {
        Some((name.to_ascii_lowercase(), String::from_utf8(value).ok()?))
    })
    .collect()
}

/// Status and headers of a response.
pub(super) fn response() -> Option<(u16, Vec<(String, String)>)> {
    let mut status = None;
    let mut headers = Vec::new();
    for (name, value) in all(MapType::HttpResponseHeaders)? {
        match name.as_str() {
            ":status" => status = value.parse().ok(),
            _ if name.starts_with(':') => {}
            _ => headers.push((name, value)),
        }
    }
    Some((status?, headers))
}
