//! What is said on the channels: through the detectors, and to the record.
//!
//! A detector looks at a line. What there is of a line waits for its end; on a terminal until the next
//! tick, so that what is typed is seen at once, else until nothing has come for a while or the client
//! says something. What is released so is looked at as it is, and what follows by itself.

use ostiary_mask::{BodyMasker, Rewriter, Rewritten, body::Form};
use ostiary_record::{Channel, event::Kind};

use super::{super::masking::Masking, Tape};
use crate::Now;

/// How long the beginning of a line waits, microseconds, after the last of it came.
const PATIENCE_US: u64 = 250_000;
/// Bytes of what the target says at the end; it is a `Status`.
const MAX_STATUS: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Voices {
    typed: Text,
    stdout: Text,
    stderr: Text,
    status: Text,
    /// The status as it came, for the exit code in it.
    ending: Vec<u8>,
    /// So much of it has gone on.
    ended: usize,
    control: Rewriter,
    masks: bool,
    patience_us: u64,
    bytes: u64,
    tape: Tape,
}

#[derive(Debug)]
struct Text {
    masker: BodyMasker,
    /// When the last of what waits came.
    since: Option<Now>,
}

impl Voices {
    pub(super) fn new(masking: &Masking, tape: Tape, tty: bool) -> Self {
        let text = || Text {
            masker: masking.masker_of_text(),
            since: None,
        };
        Self {
            typed: text(),
            stdout: text(),
            stderr: text(),
            status: text(),
            ending: Vec::new(),
            ended: 0,
            control: masking.rewriter(),
            masks: !masking.observes && masking.detects(),
            patience_us: if tty { 0 } else { PATIENCE_US },
            bytes: 0,
            tape,
        }
    }

    /// The command printed something; what the client gets by now.
    pub(super) fn print(&mut self, channel: Channel, bytes: &[u8], now: Now) -> Vec<u8> {
        let masks = self.masks;
        let Some(text) = self.text(channel) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        match masks {
            true => text.push(bytes, now, &mut out),
            false => out.extend_from_slice(bytes),
        }
        self.shown(channel, &out, now);
        out
    }

    /// What waits of a channel, if it has waited long enough by now, or all of it.
    pub(super) fn release(&mut self, channel: Channel, now: Option<Now>) -> Vec<u8> {
        let patience = self.patience_us;
        let mut out = Vec::new();
        let Some(text) = self.text(channel) else {
            return out;
        };
        let Some(since) = text.since else { return out };
        if now.is_none_or(|now| now >= since.after(patience)) {
            text.finish(&mut out);
            self.shown(channel, &out, now.unwrap_or(since));
        }
        out
    }

    fn shown(&mut self, channel: Channel, out: &[u8], now: Now) {
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        self.tape.say(channel, out, now);
    }

    /// A part of the status, which is masked as a whole when it ends.
    pub(super) fn status(&mut self, bytes: &[u8], ends: bool) -> Result<Vec<u8>, String> {
        if self.ending.len().saturating_add(bytes.len()) > MAX_STATUS {
            return Err("the status of the command is too long".to_owned());
        }
        self.ending.extend_from_slice(bytes);
        let mut out = Vec::new();
        let rest = self.ending.get(self.ended..).unwrap_or_default();
        match ends {
            false => return Ok(out),
            true if self.masks => {
                self.status.push(rest, Now(0), &mut out);
                self.status.finish(&mut out);
            }
            true => out.extend_from_slice(rest),
        }
        self.ended = self.ending.len();
        Ok(out)
    }

    /// The client typed something: it goes on as it is, and is masked for the record.
    pub(super) fn typed(&mut self, bytes: &[u8], now: Now) {
        let mut out = Vec::new();
        match self.masks {
            true => self.typed.push(bytes, now, &mut out),
            false => out.extend_from_slice(bytes),
        }
        self.tape.say(Channel::Stdin, &out, now);
    }

    /// The client asks for a connection to a port.
    pub(super) fn connect(&mut self, port: u16, now: Now) {
        self.tape.port(Channel::ToPort, port, 0, now);
    }

    /// A connection to a port is over, after so many bytes to it and from it.
    pub(super) fn disconnect(&mut self, port: u16, (to, from): (u64, u64), now: Now) {
        self.tape.port(Channel::ToPort, port, to, now);
        self.tape.port(Channel::FromPort, port, from, now);
    }

    /// Bytes of a port for the client.
    pub(super) fn count(&mut self, bytes: &[u8]) {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size);
    }

    /// What the target says beside what comes from a port, as it may be seen.
    pub(super) fn remark(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = Vec::new();
        match self.masks && self.control.rewrite(bytes, &mut changed) != Rewritten::Unchanged {
            true => changed,
            false => bytes.to_vec(),
        }
    }

    pub(super) fn resize(&mut self, columns: u16, lines: u16, now: Now) {
        self.tape.resize(columns, lines, now);
    }

    /// The client said something: what waits may be a question that it answers.
    pub(super) fn hurry(&mut self, now: Now) {
        for text in [&mut self.stdout, &mut self.stderr] {
            if text.since.is_some() {
                let at = now.0.saturating_sub(self.patience_us);
                text.since = Some(Now(at));
            }
        }
    }

    /// Whether a detector finds nothing in the bytes of a control frame.
    pub(super) fn is_plain(&mut self, bytes: &[u8]) -> bool {
        let mut changed = Vec::new();
        !self.masks || self.control.rewrite(bytes, &mut changed) == Rewritten::Unchanged
    }

    /// Whether something waits for the client.
    pub(super) fn holds(&self) -> bool {
        self.stdout.since.is_some() || self.stderr.since.is_some()
    }

    /// Whether some of it has waited long enough.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.release_at().is_some_and(|at| now >= at)
    }

    fn release_at(&self) -> Option<Now> {
        let waiting = [&self.stdout, &self.stderr].into_iter();
        let waiting = waiting.filter_map(|text| Some(text.since?.after(self.patience_us)));
        waiting.min()
    }

    pub(super) fn deadline(&self) -> Option<Now> {
        let typed = self.typed.since.map(|since| since.after(PATIENCE_US));
        let others = typed.into_iter().chain(self.tape.deadline());
        self.release_at().into_iter().chain(others).min()
    }

    pub(super) fn recorded(&mut self, now: Option<Now>) -> Vec<(Now, Kind)> {
        if let Some(since) = self.typed.since
            && now.is_none_or(|now| now >= since.after(PATIENCE_US))
        {
            let mut out = Vec::new();
            self.typed.finish(&mut out);
            self.tape.say(Channel::Stdin, &out, now.unwrap_or(since));
        }
        self.tape.take(now)
    }

    pub(super) fn totals(&self) -> (u64, u64, Option<i32>) {
        let all = [&self.stdout, &self.stderr, &self.status];
        let masked = all.iter().map(|text| text.masker.masked()).sum();
        (self.bytes, masked, exit_code(&self.ending))
    }

    fn text(&mut self, channel: Channel) -> Option<&mut Text> {
        match channel {
            Channel::Stdout => Some(&mut self.stdout),
            Channel::Stderr => Some(&mut self.stderr),
            Channel::Stdin
            | Channel::Resize
            | Channel::ToPort
            | Channel::FromPort
            | Channel::Unspecified => None,
        }
    }
}

impl Text {
    fn push(&mut self, bytes: &[u8], now: Now, out: &mut Vec<u8>) {
        // Text cannot be broken; if it could be, the rest of it would be left out.
        let _ = self.masker.push(bytes, out);
        self.since = self.masker.holds_text().then_some(now);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let _ = self.masker.finish(out);
        self.since = None;
    }
}

impl Masking {
    fn masker_of_text(&self) -> BodyMasker {
        BodyMasker::new(Form::Text, Vec::new(), self.rewriter())
    }
}

/// The exit code in a status.
fn exit_code(status: &[u8]) -> Option<i32> {
    let status: serde_json::Value = serde_json::from_slice(status).ok()?;
    if status.get("status")? == "Success" {
        return Some(0);
    }
    let causes = status.get("details")?.get("causes")?.as_array()?;
    let cause = causes
        .iter()
        .find(|it| it.get("reason").is_some_and(|it| it == "ExitCode"))?;
    cause.get("message")?.as_str()?.parse().ok()
}
