//! The API, and one gateway in front of it for every test that disturbs nobody.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ostiary_tests::{
    Result, anyhow,
    api::{Answer, Api, Seen},
    http::Agent,
    shared::{self, Spares},
    stack::{Policy, Stack, Target, example_policy},
};

use crate::{explain, on_spare};

/// What encoded answers hold: `{"email":"ada.brook@example.com","card":"4111111111111111","n":1}`.
const GZIP: &str = "H4sIAAAAAAAAA6tWSs1NzMxRslJKTEnUSyrKz892SK1IzC3ISdVLzs9V0lFKTixKUbJSMjFEBUo6SnlKVoa1ALSik69BAAAA";
const GZIP_TWICE: &str = "H4sIAAAAAAAAA5Pv5mAAA+bVYV5nfc+cCdwU5OXjecVb69T582Ueaz3O6J7wvOp97nzopUAvPx2vwE1BRoYurF5WXpVeYW1bGbYsmrzeEagfAIxAArdIAAAA";
const BROTLI: &str =
    "CyCAeyJlbWFpbCI6ImFkYS5icm9va0BleGFtcGxlLmNvbSIsImNhcmQiOiI0MTExMTExMTExMTExMTExIiwibiI6MX0D";
const ZSTD: &str = "KLUv/QRY1QEANAN7ImVtYWlsIjoiYWRhLmJyb29rQGV4YW1wbGUuY29tIiwiY2FyZCI6IjQxIiwibiI6MX0BAJNBGRb/nDY=";

/// Numbers in the answer to `/huge`.
pub(super) const HUGE: usize = 200_000;

/// The running parts.
pub(super) struct Crm {
    pub(super) api: Api,
    pub(super) stack: Stack,
}

static CRM: LazyLock<Result<Crm, String>> =
    LazyLock::new(|| start(&example_policy().map_err(text)?).map_err(text));

fn text(error: anyhow::Error) -> String {
    format!("{error:#}")
}

fn start(policy: &Policy) -> Result<Crm> {
    let api = Api::start(answer)?;
    let stack = Stack::start(shared::issuer()?, &[Target::crm(api.port())], policy)?;
    Ok(Crm { api, stack })
}

/// Runs a test's body on the shared gateway.
pub(super) fn with_crm(body: impl FnOnce(&'static Crm) -> Result<()>) -> Result<()> {
    let crm = CRM.as_ref().map_err(|text| anyhow!("{text}"))?;
    explain(&crm.stack, || body(crm))
}

/// APIs and gateways that no test holds.
static SPARE: Spares<Crm> = Spares::new();

/// Runs a test's body under a policy, on a gateway that tests have one after the other.
pub(super) fn with_policy(policy: &Policy, body: impl FnOnce(&Crm) -> Result<()>) -> Result<()> {
    on_spare(&SPARE, policy, || start(policy), body)
}

/// Runs a test's body on a gateway that nobody had before.
pub(super) fn with_own(policy: &Policy, body: impl FnOnce(&mut Crm) -> Result<()>) -> Result<()> {
    let mut crm = start(policy)?;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&mut crm)));
    explain(&crm.stack, || {
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl AsRef<Stack> for Crm {
    fn as_ref(&self) -> &Stack {
        &self.stack
    }
}

impl Crm {
    /// An agent of the group `analysts` with a name nobody else has.
    pub(super) fn agent(&self, name: &str) -> Result<Agent> {
        Ok(Agent {
            port: self.stack.port("crm")?,
            token: self.stack.issuer().token(name, &["analysts"])?,
        })
    }
}

fn encoded(encoding: &str, body: &str) -> Answer {
    let body = STANDARD.decode(body).expect("base64");
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", encoding),
    ];
    Answer::new(200, &headers, &body)
}

/// What the API answers, by path.
fn answer(seen: &Seen) -> Answer {
    let target = seen.line.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/users" => Answer::chunked(
            "application/json",
            &[
                r#"{"users": [{"id": 1, "em"#,
                r#"ail": "ada.brook@exa"#,
                r#"mple.com", "ssn": "123-45-6789", "card": "4111111111111111", "note": "call ben@exam"#,
                r#"ple.org"}, {"id": 2, "email": null, "ssn": 123456789, "card": "5555555555555559", "note": null}]}"#,
            ],
        ),
        "/users/7" => Answer::new(
            200,
            &[("content-type", "application/json"), ("etag", "\"v1\""), ("set-cookie", "sid=1"), ("link", "<ada@example.com>")],
            br#"{"id": 7, "email": "ada.brook@example.com"}"#,
        ),
        "/users/7/notes" => Answer::new(201, &[("content-type", "application/json")], b"{}"),
        "/refunds" => Answer::json(r#"{"refunded": true}"#),
        "/events" => Answer::chunked(
            "text/event-stream",
            &["data: {\"email\": \"ada@exa", "mple.com\"}\n\nda", "ta: call ben@example.org\n\n"],
        ),
        "/export" => Answer::chunked(
            "application/x-ndjson",
            &["{\"email\":\"ada@example.com\"}\n{\"em", "ail\":\"ben@example.org\"}\n"],
        ),
        "/text" => Answer::new(200, &[("content-type", "text/plain")], b"card 4111 1111 1111 1111\nok\n"),
        "/gzip" => encoded("gzip", GZIP),
        "/br" => encoded("br", BROTLI),
        "/zstd" => encoded("zstd", ZSTD),
        "/twice" => encoded("gzip, gzip", GZIP_TWICE),
        "/mislabelled" => encoded("br", GZIP),
        "/unlabelled" => Answer::new(200, &[("content-type", "application/json")], &STANDARD.decode(GZIP).expect("base64")),
        "/unknown" => encoded("compress", GZIP),
        "/image" => Answer::new(200, &[("content-type", "image/png")], b"\x89PNG secret"),
        "/part" => Answer::new(206, &[("content-type", "application/json"), ("content-range", "bytes 0-3/9")], b"{\"em"),
        "/broken" => Answer::json("{\"email\": ada.brook@example.com}"),
        "/spoilt" => Answer::chunked(
            "application/json",
            &["[1, 2, \"x\",", " oops ada.brook@example.com]"],
        ),
        "/cut" => Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"a\": \"ada.brook@example.com"),
        "/nonsense" => Answer::raw(b"\x00\x01 ada.brook@example.com\r\n\r\n"),
        "/lengths" => Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 30\r\n\r\n{}{\"email\":\"ada.brook@example.com\"}"),
        "/switch" => Answer::raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nada.brook@example.com"),
        "/challenge" => Answer::new(401, &[("www-authenticate", "Basic realm=\"crm\""), ("content-type", "text/plain")], b"bad token the-gateways-own"),
        "/redirect" => Answer::new(302, &[("location", "http://127.0.0.1:1/?email=ada.brook@example.com")], b""),
        "/trailers" => Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-owner\r\n\r\n2\r\n{}\r\n0\r\nx-owner: ada.brook@example.com\r\n\r\n"),
        "/graphql" => Answer::json(r#"{"data": {"user": {"email": "ada.brook@example.com"}}}"#),
        "/live" => Answer::raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nframes that nobody reads"),
        "/huge" => {
            let item = "{\"email\":\"ada.brook@example.com\"}";
            let mut body = String::from("[");
            for number in 0..HUGE {
                body.push_str(if number == 0 { "" } else { "," });
                body.push_str(item);
            }
            body.push(']');
            Answer::json(&body)
        }
        _ => Answer::json("{}"),
    }
}
