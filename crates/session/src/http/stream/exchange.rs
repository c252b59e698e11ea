//! The streams of an exchange: what the shell gives and gets once the protocol has changed.

use std::collections::BTreeSet;

use ostiary_policy::{Mode, Verdict};

use super::{Broken, Stream};
use crate::{
    Now,
    http::{Agent, Body, Effect, Exchange, exchange::Phase, head::Head, response::Answering},
};

const WITHDRAWN: &str = "policy does not permit it any more";

/// What becomes of bytes the client sent after the change of protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgraded {
    /// They go on as they are: policy permits what is not read.
    AsIs,
    /// These go on in their place.
    Send(Vec<u8>),
    /// The stream ends.
    Reset,
}

impl Exchange {
    /// Whether it asks for streams that are read.
    pub(in crate::http) fn asks_for_streams(&self) -> bool {
        matches!(&self.head, Ok(Head::Kubernetes(head)) if head.streams().is_some())
    }

    /// The target has agreed to another protocol; `None` if it goes on unread.
    pub(in crate::http) fn begin_streams(
        &self,
        agent: &mut Agent,
        headers: &[(String, String)],
    ) -> Result<Option<Box<Stream>>, &'static str> {
        let Ok(Head::Kubernetes(head)) = &self.head else {
            return Ok(None);
        };
        let streams = head.streams().ok_or("the target wants another protocol")?;
        // Policy may have changed since the request went.
        if !self.may_stream(agent) {
            return Err(WITHDRAWN);
        }
        let stream = Stream::begin(streams, headers, &self.masking, self.operation)?;
        Ok(Some(Box::new(stream)))
    }

    /// Whether the running policy lets its streams go on.
    fn may_stream(&self, agent: &mut Agent) -> bool {
        self.refusal_of(agent, None).is_none()
    }

    /// Which of the ports the running policy does not let it reach, and why.
    fn refused_port(&self, agent: &mut Agent, ports: &BTreeSet<u16>) -> Option<String> {
        ports.iter().find_map(|port| {
            let why = self.refusal_of(agent, Some(*port))?;
            Some(format!("port {port}: {why}"))
        })
    }

    /// Why the running policy does not let it go on, or not to this port.
    fn refusal_of(&self, agent: &mut Agent, port: Option<u16>) -> Option<String> {
        if agent.state.bundle.mode(&agent.config.resource) == Mode::Observe {
            return None;
        }
        let Some(mut operation) = self.judged.clone() else {
            return Some(WITHDRAWN.to_owned());
        };
        if let (Some(port), Some(objects)) = (port, &mut operation.facts.objects) {
            objects.port = Some(port.to_string());
        }
        let decision = agent.decide(&operation);
        match decision.verdict {
            Verdict::Allow => None,
            // People agreed to the request; not to what is asked about this port alone.
            Verdict::Approve(_)
                if self.was_approved
                    && (port.is_none()
                        || agent.decide(self.judged.as_ref()?).rules == decision.rules) =>
            {
                None
            }
            Verdict::Approve(_) => Some("it would need an approval".to_owned()),
            Verdict::Deny(denial) => Some(format!(
                "denied by rule `{}`: {}",
                denial.rule, denial.reason
            )),
        }
    }

    fn stream(&mut self) -> Option<&mut Stream> {
        match &mut self.phase {
            Phase::Answering(answering) => answering.stream.as_deref_mut(),
            _ => None,
        }
    }

    /// Bytes of the client after the change of protocol: see [`Exchange::on_upgraded`].
    pub fn on_stream(&mut self, agent: &mut Agent, bytes: &[u8], now: Now) -> Upgraded {
        let Some(stream) = self.stream() else {
            return Upgraded::AsIs;
        };
        let mut read = stream.on_client(bytes, now);
        let ports = stream.asked_ports();
        if let Some(why) = self.refused_port(agent, &ports) {
            read = Err(why);
        }
        match self.keep(agent, read, now) {
            Some(out) => Upgraded::Send(out),
            None => Upgraded::Reset,
        }
    }

    /// Bytes of the target.
    pub(in crate::http) fn on_streamed(
        &mut self,
        agent: &mut Agent,
        bytes: &[u8],
        ends: bool,
        now: Now,
    ) -> Option<Body> {
        let stream = self.stream()?;
        let mut read = stream.on_target(bytes, now);
        if ends {
            read = read.and_then(|mut out| {
                out.extend(stream.finish()?);
                Ok(out)
            });
        }
        let body = match self.keep(agent, read, now) {
            Some(out) => Body::Send(out),
            None => Body::Reset,
        };
        if ends {
            self.end_answer(agent, None, now);
        }
        Some(body)
    }

    /// Whether the target has told how the command ended, or nothing is to be told.
    pub(in crate::http) fn has_status(&self) -> bool {
        let Phase::Answering(answering) = &self.phase else {
            return false;
        };
        let stream = answering.stream.as_ref();
        stream.is_some_and(|it| it.is_open_ended() || it.totals().2.is_some())
    }

    /// Whether its streams are read.
    pub fn is_streaming(&self) -> bool {
        matches!(&self.phase, Phase::Answering(answering) if answering.stream.is_some())
    }

    /// Whether something of the target waits for the end of its line: it goes to the client with what
    /// comes next, or by [`Self::release`].
    pub fn holds_output(&self) -> bool {
        let Phase::Answering(answering) = &self.phase else {
            return false;
        };
        answering.stream.as_ref().is_some_and(|it| it.holds())
    }

    /// Time passed; called at or after [`Self::poll_timeout`] in place of [`Self::on_timeout`] while it is
    /// streaming. What goes to the client, if anything can now.
    pub fn release(&mut self, agent: &mut Agent, can_send: bool, now: Now) -> Vec<u8> {
        let Some(stream) = self.stream() else {
            return Vec::new();
        };
        let read = match can_send {
            true => stream.on_time(now),
            false => Ok(Vec::new()),
        };
        self.keep(agent, read, now).unwrap_or_default()
    }

    /// Policy changed: streams end that would not begin under it.
    pub fn on_state(&mut self, agent: &mut Agent, now: Now) {
        if !self.is_streaming() {
            return;
        }
        let ports = self.stream().map(|it| it.all_ports()).unwrap_or_default();
        if !self.may_stream(agent) || self.refused_port(agent, &ports).is_some() {
            self.abandon(agent, WITHDRAWN, now);
            self.push(Effect::Reset);
        }
    }

    /// Records what was said; ends the stream if it cannot be followed.
    fn keep(
        &mut self,
        agent: &mut Agent,
        read: Result<Vec<u8>, Broken>,
        now: Now,
    ) -> Option<Vec<u8>> {
        match read {
            Ok(out) => {
                let stream = self.stream()?;
                for (at, kind) in stream.recorded(Some(now)) {
                    agent.record(kind, at);
                }
                self.deadline = self.stream()?.deadline();
                Some(out)
            }
            Err(why) => {
                self.abandon(agent, &why, now);
                self.push(Effect::Reset);
                None
            }
        }
    }
}

impl Answering {
    /// Records the rest of what was said.
    pub(in crate::http) fn keep_rest(&mut self, agent: &mut Agent, now: Now) {
        if let Some(stream) = &mut self.stream {
            stream.close(now);
            for (at, kind) in stream.recorded(None) {
                agent.record(kind, at);
            }
        }
    }
}
