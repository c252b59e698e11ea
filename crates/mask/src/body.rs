//! Bodies of responses, masked as they stream.
//!
//! In: bytes of a body, cut anywhere, the labelled fields and the detectors. Out: the same body with
//! the sensitive parts replaced, in bounded memory, the same however the bytes were cut. A body that
//! is not what it claims is [`Broken`]: what cannot be followed is not passed on.

mod events;
mod json;
mod number;
mod string;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::{FieldPath, HashKey, Rewriter, Strategy};
use events::Events;
use json::Json;
use text::Text;

/// Bytes of one string, line or event that is read whole.
pub const MAX_UNIT: usize = 1 << 20;
/// What stands for a unit that is longer.
pub(crate) const TOO_LONG: &str = "[redacted: too long to be read]";

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON values, one or many (NDJSON).
    Json,
    /// Text of lines.
    Text,
    /// Server-sent events, with JSON or text inside.
    Events,
}

/// A body that cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong, without anything of the body.
    pub reason: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for Broken {}

/// What to mask, and how often it was.
#[derive(Clone, Debug)]
pub(crate) struct Masking {
    fields: Vec<(FieldPath, Strategy)>,
    rewriter: Rewriter,
    key: HashKey,
    masked: u64,
}

/// Masks one body.
#[derive(Debug)]
pub struct BodyMasker {
    masking: Masking,
    reader: Reader,
    /// The first bytes of a text, while it may still be JSON that is called text.
    begin: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Reader {
    Json(Json),
    Text(Text),
    Events(Events),
}

impl BodyMasker {
    /// A masker for one body of this form; `rewriter` has the detectors, and the key for both.
    pub fn new(form: Form, fields: Vec<(FieldPath, Strategy)>, rewriter: Rewriter) -> Self {
        let reader = match form {
            Form::Json => Reader::Json(Json::new(fields.len())),
            Form::Text => Reader::Text(Text::default()),
            Form::Events => Reader::Events(Events::default()),
        };
        let begin = (form == Form::Text && !fields.is_empty()).then(Vec::new);
        Self {
            begin,
            masking: Masking {
                fields,
                key: rewriter.key().clone(),
                rewriter,
                masked: 0,
            },
            reader,
        }
    }

    /// Reads `bytes` and appends to `out` what is decided of the body by now.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        match &mut self.reader {
            Reader::Json(json) => json.push(&mut self.masking, bytes, out),
            Reader::Text(text) => {
                if let Some(begin) = &mut self.begin {
                    begin.extend_from_slice(bytes);
                    let Some(is_json) = looks_like_json(begin) else {
                        return Ok(());
                    };
                    let begin = self.begin.take().unwrap_or_default();
                    if is_json {
                        self.reader = Reader::Json(Json::new(self.masking.fields.len()));
                        return self.push(&begin, out);
                    }
                    text.push(&mut self.masking, &begin, out);
                    return Ok(());
                }
                text.push(&mut self.masking, bytes, out);
                Ok(())
            }
            Reader::Events(events) => events.push(&mut self.masking, bytes, out),
        }
    }

    /// The body has ended: appends the rest.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        match &mut self.reader {
            Reader::Json(json) => json.finish(&mut self.masking, out),
            Reader::Text(text) => {
                if let Some(begin) = self.begin.take() {
                    text.push(&mut self.masking, &begin, out);
                }
                text.finish(&mut self.masking, out);
                Ok(())
            }
            Reader::Events(events) => events.finish(&mut self.masking, out),
        }
    }

    /// Whether text waits for the end of its line. [`Self::finish`] gives what there is of it, and the
    /// rest of the line is then read as a text of its own.
    pub fn holds_text(&self) -> bool {
        matches!(&self.reader, Reader::Text(text) if text.holds())
    }

    /// Values replaced so far.
    pub fn masked(&self) -> u64 {
        self.masking.masked
    }
}

/// Whether a text begins as a JSON object, or an array of them, does; `None` if it is too early to say.
fn looks_like_json(text: &[u8]) -> Option<bool> {
    let mut marks = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (marks.next(), marks.next()) {
        (Some(b'{'), _) | (Some(b'['), Some(b'{')) => Some(true),
        (Some(b'['), None) | (None, _) if text.len() < MAX_UNIT => None,
        _ => Some(false),
    }
}

impl Masking {
    pub(crate) fn path(&self, number: usize) -> Option<&FieldPath> {
        self.fields.get(number).map(|(path, _)| path)
    }

    fn count(&mut self, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.masked = self.masked.saturating_add(more);
    }
}
