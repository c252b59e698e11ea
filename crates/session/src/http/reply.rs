//! Answers of the gateway itself: problem documents (RFC 9457), and what Kubernetes has in their place.

use ostiary_policy::Denial;
use serde_json::{Map, Value, json};

use super::{Api, Request};

/// An answer to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body: a problem document, in JSON.
    pub body: Vec<u8>,
}

/// A problem document on its way.
pub(super) struct Problem {
    status: u16,
    fields: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    /// `kind` is the last part of its type, a stable name for programs.
    pub(super) fn new(status: u16, kind: &str, title: &str, detail: &str) -> Self {
        let fields = [
            ("type", format!("urn:ostiary:problem:{kind}").into()),
            ("title", title.into()),
            ("status", status.into()),
            ("detail", detail.into()),
        ];
        Self {
            status,
            fields: fields
                .map(|(name, value): (&str, Value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            retry_after: None,
        }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.fields.insert(name.to_owned(), value.into());
        }
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn reply(self) -> Reply {
        let mut headers = vec![
            (
                "content-type".to_owned(),
                "application/problem+json".to_owned(),
            ),
            ("cache-control".to_owned(), "no-store".to_owned()),
        ];
        if let Some(seconds) = self.retry_after {
            headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        Reply {
            status: self.status,
            headers,
            body: line(&Value::Object(self.fields)),
        }
    }
}

/// A text of a problem document; empty if it has none of that name.
fn text<'p>(problem: &'p Value, name: &str) -> &'p str {
    let value = problem.get(name).and_then(Value::as_str);
    value.unwrap_or_default()
}

/// JSON and the end of the line.
fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

impl Reply {
    /// The same in the form that clients of the API read: of Kubernetes a `Status`; a call of gRPC is
    /// told its status in headers, with the problem document beside it.
    #[must_use]
    pub fn fitting(self, api: Api, request: &Request) -> Self {
        let mut headers = request.headers.iter();
        let kind = headers.find(|(name, _)| name == "content-type");
        let kind = kind.map_or("", |(_, value)| value.as_str());
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        let is_grpc = kind == "application/grpc" || kind.starts_with("application/grpc+");
        match api {
            Api::Http if is_grpc => self.into_grpc(),
            Api::Http => self,
            Api::Kubernetes => self.into_status(),
        }
    }

    fn into_grpc(mut self) -> Self {
        let code = match self.status {
            401 => 16,
            403 => 7,
            413 => 8,
            501 => 12,
            503 => 14,
            502 => 13,
            _ => 3,
        };
        let problem = self.problem();
        let message = format!("{}: {}", text(&problem, "title"), text(&problem, "detail"));
        self.headers.retain(|(name, _)| name != "content-type");
        let own = [
            ("content-type", "application/grpc".to_owned()),
            ("grpc-status", code.to_string()),
            ("grpc-message", percent(&message)),
            ("ostiary-problem", percent(&problem.to_string())),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        self.headers.extend(own);
        self.status = 200;
        self.body = Vec::new();
        self
    }

    fn problem(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What it says, in a sentence.
    pub fn detail(&self) -> String {
        text(&self.problem(), "detail").to_owned()
    }

    /// The same as a `Status` of Kubernetes.
    #[must_use]
    pub fn into_status(mut self) -> Self {
        let problem = self.problem();
        let text = |name: &str| text(&problem, name);
        let reason = match self.status {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            405 => "MethodNotAllowed",
            413 => "RequestEntityTooLarge",
            415 => "UnsupportedMediaType",
            503 => "ServiceUnavailable",
            _ => "InternalError",
        };
        let mut message = format!("ostiary: {}: {}", text("title"), text("detail"));
        let mut causes = Vec::new();
        for (name, shown) in [("decision", true), ("rule", false), ("approval", true)] {
            let value = text(name);
            if !value.is_empty() {
                causes.push(json!({"reason": format!("ostiary.{name}"), "message": value}));
            }
            if shown && !value.is_empty() {
                message.push_str(&format!(" ({name} {value})"));
            }
        }
        for name in ["type", "retry"] {
            causes.push(json!({"reason": format!("ostiary.{name}"), "message": text(name)}));
        }
        let mut details = Map::from_iter([("causes".to_owned(), Value::Array(causes))]);
        for (name, value) in &mut self.headers {
            match name.as_str() {
                "content-type" => "application/json".clone_into(value),
                "retry-after" => {
                    let seconds = value.parse::<u64>().unwrap_or_default();
                    details.insert("retryAfterSeconds".to_owned(), seconds.into());
                }
                _ => {}
            }
        }
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": self.status,
        });
        self.body = line(&status);
        self
    }

    /// 401: no identity.
    pub(super) fn unauthorized(detail: &str) -> Self {
        let mut reply = Problem::new(401, "unauthorized", "not logged in", detail).reply();
        reply.headers.push((
            "www-authenticate".to_owned(),
            "Bearer realm=\"ostiary\"".to_owned(),
        ));
        reply
    }

    /// 503: a part of the gateway is away.
    pub fn unavailable(detail: &str) -> Self {
        Problem::new(503, "unavailable", "the gateway cannot decide now", detail)
            .with("retry", "Nothing was sent. Send the request again later.")
            .retry_after(5)
            .reply()
    }

    /// 403: an operator ended the session.
    pub fn ended(detail: &str) -> Self {
        Problem::new(403, "session-ended", "the session was ended", detail).reply()
    }

    /// A request that is not judged at all.
    pub(super) fn refused(status: u16, detail: &str) -> Self {
        let (kind, title) = match status {
            413 => ("too-large", "the request is too large"),
            _ => ("bad-request", "the request is refused"),
        };
        Problem::new(status, kind, title, detail)
            .with(
                "retry",
                "Nothing was sent. The same request will be refused again.",
            )
            .reply()
    }

    /// 403: policy would let it, the gateway cannot.
    pub(super) fn unsupported(decision: &str, detail: &str) -> Self {
        Problem::new(403, "unsupported", "the gateway cannot pass this", detail)
            .with("decision", decision)
            .with(
                "retry",
                "Nothing was sent. The same request will be refused again.",
            )
            .reply()
    }

    /// 403 by policy.
    pub(super) fn denied(decision: &str, denial: &Denial) -> Self {
        let title = format!("denied by rule `{}`", denial.rule);
        Problem::new(403, "denied", &title, &denial.reason)
            .with("decision", decision)
            .with("rule", &denial.rule)
            .with(
                "retry",
                "Nothing was sent. The same request will be denied again under this policy.",
            )
            .reply()
    }

    /// 502: the target's answer is not passed on.
    pub(super) fn bad_upstream(decision: &str, kind: &str, detail: &str) -> Self {
        Problem::new(
            502,
            kind,
            "the answer of the target is not passed on",
            detail,
        )
        .with("decision", decision)
        .with(
            "retry",
            "The request was sent to the target. Do not repeat it unless it is safe to.",
        )
        .reply()
    }
}

/// As gRPC writes messages: all but printable ASCII, and `%`, in escapes.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
