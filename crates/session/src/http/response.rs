//! The response: its head decides how its body is read, and the body streams through the masker.

use std::collections::BTreeSet;

use ostiary_mask::{BodyMasker, Rewritten, body::Form};
use ostiary_operation::{Access, Operation, Protocol, Verb};
use ostiary_policy::Verdict;
use ostiary_record::{Replied, event::Kind};

use super::{
    Agent, Edits, Exchange, Reply,
    exchange::Phase,
    form::{Reading, form_of},
    head::Head,
    stream::Stream,
};
use crate::Now;

/// A document of known length up to this is read whole before the client gets its head, so that what is
/// wrong with it can still be told. Of others, which may be streams of values, the head waits for the
/// first bytes only.
const READ_FIRST: usize = 64 << 10;

/// What happens to the head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseHead {
    /// It goes on as it is: it is the gateway's own.
    Pass,
    /// It goes on, changed.
    Send(Edits),
    /// It waits for the first of the body, changed already.
    Hold(Edits),
    /// This goes in its place.
    Replace(Reply),
    /// The stream ends.
    Reset,
}

/// What happens to bytes of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// These go on in their place; a head that waited goes first.
    Send(Vec<u8>),
    /// They are kept here for now.
    Keep,
    /// The head still waits: this goes in place of everything.
    Replace(Reply),
    /// The stream ends: some of it is with the client already.
    Reset,
}

/// A response that is being passed on.
#[derive(Debug)]
pub(super) struct Answering {
    status: u16,
    sent_at: Now,
    masker: Option<BodyMasker>,
    /// What waits with the head, until it is so long.
    held: Option<Vec<u8>>,
    read_first: usize,
    bytes: u64,
    sample: Vec<u8>,
    keep_sample: usize,
    /// Replaced in headers.
    masked: u64,
    /// Streams that are read, after a change of protocol.
    pub(super) stream: Option<Box<Stream>>,
}

/// Headers of the target that are not for the client: its credentials, and what holds no more of a
/// body that was changed.
const DROPPED: [&str; 14] = [
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "content-length",
    "etag",
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "accept-ranges",
    "alt-svc",
    "want-digest",
];
/// Of them, those that stay with a body that is passed as it is.
const OF_BODY: [&str; 7] = [
    "content-length",
    "etag",
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "want-digest",
];
/// Headers whose values are not looked into.
const PLAIN: [&str; 8] = [
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "date",
    "connection",
    "cache-control",
    "vary",
    "server",
];

impl Exchange {
    /// The head of the response. `ends` if no body follows.
    pub fn on_response(
        &mut self,
        agent: &mut Agent,
        status: u16,
        headers: &[(String, String)],
        ends: bool,
        now: Now,
    ) -> ResponseHead {
        let Phase::Sent { at } = self.phase else {
            return match self.phase {
                Phase::Done => ResponseHead::Pass,
                _ => ResponseHead::Reset,
            };
        };
        let mut answering = Answering {
            status,
            sent_at: at,
            masker: None,
            held: None,
            read_first: 1,
            bytes: 0,
            sample: Vec::new(),
            keep_sample: match self.masking.observes {
                // What is not masked is not kept.
                true => 0,
                false => agent.config.limits.record_bytes,
            },
            masked: 0,
            stream: None,
        };
        if status == 401 {
            let detail = "the target refused the credential of the gateway";
            let replaced = self.replace(agent, answering, "upstream-credential", detail, now);
            agent.on_credential_refused();
            return replaced;
        }
        if status < 200 {
            if status != 101 || !self.is_upgrade() {
                let detail = "the target wants another protocol";
                return self.replace(agent, answering, "upstream-protocol", detail, now);
            }
            answering.keep_sample = 0;
            match self.begin_streams(agent, headers) {
                Ok(stream) => answering.stream = stream,
                Err(detail) => {
                    return self.replace(agent, answering, "upstream-protocol", detail, now);
                }
            }
            let edits = self.edit(headers, false, &mut answering);
            self.phase = Phase::Answering(Box::new(answering));
            return ResponseHead::Send(edits);
        }
        let no_body = ends || self.request.method == "HEAD" || matches!(status, 204 | 304);
        let reading = match no_body {
            true => Reading::AsIs,
            false => self.reading(status, headers),
        };
        let form = match reading {
            Reading::AsIs => None,
            Reading::Masked(form) => Some(form),
            Reading::Unreadable(why) => {
                if !self.may_pass_unread(agent, why) {
                    return self.replace(agent, answering, "unreadable-response", why, now);
                }
                answering.keep_sample = 0;
                None
            }
        };
        let edits = self.edit(headers, form.is_some(), &mut answering);
        if let Some(form) = form {
            answering.masker = Some(self.masking.masker(form));
            answering.held = (form == Form::Json).then(Vec::new);
            if headers.iter().any(|(name, _)| name == "content-length") {
                answering.read_first = READ_FIRST;
            }
        }
        let held = answering.held.is_some();
        self.phase = Phase::Answering(Box::new(answering));
        if ends {
            self.end_answer(agent, None, now);
        }
        match held && !ends {
            true => ResponseHead::Hold(edits),
            false => ResponseHead::Send(edits),
        }
    }

    fn replace(
        &mut self,
        agent: &mut Agent,
        answering: Answering,
        kind: &str,
        detail: &str,
        now: Now,
    ) -> ResponseHead {
        let reply = self.fitting(Reply::bad_upstream(&self.decision_id(agent), kind, detail));
        self.phase = Phase::Answering(Box::new(answering));
        self.end_answer(agent, Some(detail), now);
        ResponseHead::Replace(reply)
    }

    /// How the body can be read.
    fn reading(&self, status: u16, headers: &[(String, String)]) -> Reading {
        let masking = &self.masking;
        if masking.observes || !masking.masks() {
            return Reading::AsIs;
        }
        if let Ok(Head::Kubernetes(head)) = &self.head
            && head.wants_types()
        {
            // It describes types; there is no object in it.
            return Reading::AsIs;
        }
        let all = |name: &str| -> Vec<&str> {
            let values = headers.iter().filter(|(key, _)| key == name);
            values.map(|(_, value)| value.as_str()).collect()
        };
        if all("content-length") == ["0"] {
            return Reading::AsIs;
        }
        let encodings = all("content-encoding");
        if encodings
            .iter()
            .any(|it| !it.eq_ignore_ascii_case("identity"))
        {
            return Reading::Unreadable("the body of the answer is encoded");
        }
        if status == 206 || !all("content-range").is_empty() {
            return Reading::Unreadable("the answer is a part of something");
        }
        match all("content-type").as_slice() {
            [one] => form_of(one),
            [] => Reading::Unreadable("the answer has no content type"),
            _ => Reading::Unreadable("the answer has several content types"),
        }
    }

    /// Whether policy lets pass what cannot be read, on this very route.
    fn may_pass_unread(&self, agent: &mut Agent, why: &str) -> bool {
        let Some(judged) = &self.judged else {
            return false;
        };
        let verb = match judged.verb.protocol() {
            Protocol::Kubernetes => Verb::K8sUnreadable,
            Protocol::Http | Protocol::Sql => Verb::HttpUnreadable,
        };
        let accesses = judged.accesses.iter().map(|access| Access {
            verb,
            object: access.object.clone(),
        });
        let mut facts = judged.facts.clone();
        facts.unreadable = Some(why.to_owned());
        let operation = Operation {
            verb,
            accesses: accesses.collect::<BTreeSet<_>>(),
            facts,
        };
        agent.decide(&operation).verdict == Verdict::Allow
    }

    fn edit(
        &self,
        headers: &[(String, String)],
        changes: bool,
        answering: &mut Answering,
    ) -> Edits {
        let mut edits = Edits::default();
        for (name, _) in headers {
            let of_body = OF_BODY.contains(&name.as_str());
            let internal = name.starts_with("x-envoy-");
            if (DROPPED.contains(&name.as_str()) && (changes || !of_body)) || internal {
                edits.remove(name);
            }
        }
        if self.masking.observes || !self.masking.masks() {
            return edits;
        }
        let mut rewriter = self.masking.rewriter();
        for (name, _) in headers.iter().filter(|(name, _)| name.ends_with("-bin")) {
            // Of gRPC: text in base64, which no detector looks into.
            edits.remove(name);
        }
        for (name, value) in headers {
            if PLAIN.contains(&name.as_str()) || edits.remove.contains(name) {
                continue;
            }
            let mut changed = Vec::new();
            if rewriter.rewrite(value.as_bytes(), &mut changed) == Rewritten::Unchanged {
                continue;
            }
            // All values of the name go, and come again as they may be seen.
            let values: Vec<&String> = headers
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| value)
                .collect();
            for value in values {
                let mut changed = Vec::new();
                let shown = match rewriter.rewrite(value.as_bytes(), &mut changed) {
                    Rewritten::Unchanged => value.clone(),
                    Rewritten::Changed { .. } | Rewritten::Null { .. } => {
                        answering.masked = answering.masked.saturating_add(1);
                        String::from_utf8_lossy(&changed).into_owned()
                    }
                };
                edits.add.push((name.clone(), shown));
            }
            edits.remove(name);
        }
        edits
    }

    /// Bytes of the body; `ends` with the last of them.
    pub fn on_response_body(
        &mut self,
        agent: &mut Agent,
        bytes: &[u8],
        ends: bool,
        now: Now,
    ) -> Body {
        if let Some(body) = self.on_streamed(agent, bytes, ends, now) {
            return body;
        }
        let Phase::Answering(answering) = &mut self.phase else {
            return match self.phase {
                Phase::Done => Body::Send(bytes.to_vec()),
                _ => Body::Reset,
            };
        };
        let was_held = answering.held.is_some();
        let body = match answering.push(bytes, ends) {
            Ok(Some(out)) => Body::Send(out),
            Ok(None) => Body::Keep,
            Err(reason) => {
                let reply = Reply::bad_upstream(
                    &format!("{}/{}", agent.session_id(), self.operation),
                    "unreadable-response",
                    reason,
                );
                let reply = self.fitting(reply);
                self.end_answer(agent, Some(reason), now);
                return match was_held {
                    true => Body::Replace(reply),
                    false => Body::Reset,
                };
            }
        };
        if ends {
            self.end_answer(agent, None, now);
        }
        body
    }

    /// What of the trailers goes on: gRPC tells there how the call went. To be asked before the end of
    /// the body is told.
    pub fn trailers(&mut self, trailers: &[(String, String)]) -> Vec<(String, String)> {
        let is_call = self
            .judged
            .as_ref()
            .is_some_and(|it| it.verb == Verb::GrpcCall);
        let Phase::Answering(mut answering) = std::mem::replace(&mut self.phase, Phase::Done)
        else {
            return Vec::new();
        };
        let of_call = trailers
            .iter()
            .filter(|(name, _)| name.starts_with("grpc-"));
        let kept: Vec<(String, String)> = of_call.filter(|_| is_call).cloned().collect();
        let edits = self.edit(&kept, true, &mut answering);
        self.phase = Phase::Answering(answering);
        let unchanged = kept
            .into_iter()
            .filter(|(name, _)| !edits.remove.contains(name));
        unchanged.chain(edits.add.clone()).collect()
    }

    pub(super) fn end_answer(&mut self, agent: &mut Agent, error: Option<&str>, now: Now) {
        if let Phase::Answering(mut answering) = std::mem::replace(&mut self.phase, Phase::Done) {
            answering.keep_rest(agent, now);
            let replied = answering.replied(self.operation, error.unwrap_or_default(), now);
            agent.record(replied, now);
        }
    }
}

impl Answering {
    /// Whether the target has agreed to another protocol.
    pub(super) fn is_upgraded(&self) -> bool {
        self.status == 101
    }

    /// What goes on; `None` while the head waits.
    fn push(&mut self, bytes: &[u8], ends: bool) -> Result<Option<Vec<u8>>, &'static str> {
        let waits = self.held.is_some();
        let mut out = self.held.take().unwrap_or_default();
        match &mut self.masker {
            None => out.extend_from_slice(bytes),
            Some(masker) => {
                masker.push(bytes, &mut out).map_err(|it| it.reason)?;
                if ends {
                    masker.finish(&mut out).map_err(|it| it.reason)?;
                }
            }
        }
        // After nothing at all the end may come as trailers, which Envoy does not bring to a filter that
        // has stopped the body.
        if waits && !ends && !bytes.is_empty() && out.len() < self.read_first {
            self.held = Some(out);
            return Ok(None);
        }
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        let room = self.keep_sample.saturating_sub(self.sample.len());
        let kept = out.get(..room.min(out.len())).unwrap_or_default();
        self.sample.extend_from_slice(kept);
        Ok(Some(out))
    }

    fn replied(&self, operation: u64, error: &str, now: Now) -> Kind {
        let in_body = self.masker.as_ref().map_or(0, BodyMasker::masked);
        let (streamed, in_streams, exit_code) = match &self.stream {
            Some(stream) => stream.totals(),
            None => (0, 0, None),
        };
        Kind::Replied(Replied {
            operation,
            command_tag: self.status.to_string(),
            error: error.to_owned(),
            bytes: self.bytes.saturating_add(streamed),
            masked: in_body
                .saturating_add(self.masked)
                .saturating_add(in_streams),
            exit_code,
            duration_us: now.since(self.sent_at),
            body: String::from_utf8_lossy(&self.sample).into_owned(),
            ..Replied::default()
        })
    }

    pub(super) fn cut_short(&self, operation: u64, why: &str, now: Now) -> Kind {
        self.replied(operation, why, now)
    }
}
