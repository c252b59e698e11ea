//! What an approval covers, and what people are shown of it.

use ostiary_operation::{
    Principal,
    http::{Fate, fate},
};
use sha2::{Digest as _, Sha256};

use super::Request;

/// Headers that say nothing about what is to be done, and may differ when a request is sent again.
const INCIDENTAL: [&str; 15] = [
    "accept",
    "accept-language",
    "baggage",
    "cache-control",
    "content-length",
    "date",
    "pragma",
    "priority",
    "sec-fetch-mode",
    "sec-websocket-key",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-forwarded-proto",
    "x-request-id",
];

/// `prefer: respond-async` (RFC 7240): the client will ask again instead of waiting for people. It is
/// for the gateway; every other preference is for the target.
pub(super) fn wont_wait(name: &str, value: &str) -> bool {
    name == "prefer" && value.trim().eq_ignore_ascii_case("respond-async")
}

/// Headers that go upstream and may change what the request does.
fn covered(request: &Request) -> Vec<(&str, &str)> {
    let mut covered: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, value)| {
            let passes = fate(name) == Fate::Pass || *name == "upgrade";
            let goes_on = passes && !wont_wait(name, value);
            goes_on && !INCIDENTAL.contains(name)
        })
        .collect();
    covered.sort_unstable();
    covered
}

/// SHA-256 over who, where, and the request as it came.
pub(super) fn digest(who: &Principal, resource: &str, request: &Request, body: &[u8]) -> [u8; 32] {
    let what = ["http", resource, &request.method, &request.target];
    over(who, &what, request, body)
}

/// SHA-256 over who, these texts, and of the request what goes on beside its path.
pub(super) fn over(who: &Principal, what: &[&str], request: &Request, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(bytes);
    };
    for text in [who.issuer.as_str(), &who.subject].iter().chain(what) {
        part(text.as_bytes());
    }
    for (name, value) in covered(request) {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    part(b"");
    part(body);
    digest.finalize().into()
}

/// The request as people read it.
pub(super) fn statement(request: &Request, body: &[u8]) -> String {
    let mut text = format!("{} {}", request.method, request.target);
    for (name, value) in covered(request) {
        text.push_str(&format!("\n{name}: {value}"));
    }
    if !body.is_empty() {
        text.push_str("\n\n");
        match std::str::from_utf8(body) {
            Ok(body) => text.push_str(body),
            Err(_) => text.push_str(&format!("({} bytes that are not text)", body.len())),
        }
    }
    text
}
