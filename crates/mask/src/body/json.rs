//! JSON values, read byte by byte with a stack of the objects and arrays that are open.
//!
//! Strict where a lenient reader could see another document; values may follow each other, as in
//! NDJSON. A labelled string, number or truth value becomes what its strategy makes of its text, as
//! a string, or null; a labelled object or array becomes `"[redacted]"`, or null; null stays null.
//! Detectors look at every other string, at names and at long numbers.

use super::{Broken, MAX_UNIT, Masking, TOO_LONG, number, string};
use crate::{
    Masked, Rewritten, Strategy,
    field::{self, Edge, Reached},
};

/// Objects and arrays inside each other.
const MAX_DEPTH: usize = 512;
/// Bytes of a number.
const MAX_NUMBER: usize = 1024;
/// Shorter numbers hold nothing that a detector knows.
const MIN_NUMBER: usize = 9;
const REDACTED: &[u8] = b"[redacted]";

/// A document that is being read.
#[derive(Debug)]
pub(super) struct Json {
    open: Vec<Container>,
    state: State,
    /// Where every path starts: the state of a value at the top.
    top: Reached,
    /// What came before, raw, of the string, number or word that is being read.
    raw: Vec<u8>,
    /// The name whose value comes next.
    name: Reached,
    at_start: bool,
}

#[derive(Debug)]
struct Container {
    is_object: bool,
    /// Of the object, or of each item of the array.
    reached: Reached,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value, or nothing more at the top.
    Value,
    /// Behind `[`: a value or `]`.
    FirstItem,
    /// Behind `{`: a name or `}`.
    FirstName,
    /// Behind a `,` in an object.
    Name,
    /// A `:`.
    Colon,
    /// A `,` or the end of what is open.
    Comma,
    /// In a string; it is a name or a value.
    Text {
        is_name: bool,
        escaped: bool,
        /// Nothing of it is kept: it is too long.
        dropped: bool,
    },
    /// In a number or one of `true`, `false`, `null`.
    Word,
    /// In an object or array that is left out: how many are open, and whether in a string.
    Skip {
        depth: usize,
        in_text: bool,
        escaped: bool,
    },
}

fn broken<T>(reason: &'static str) -> Result<T, Broken> {
    Err(Broken { reason })
}

const NOT_JSON: &str = "the body is not the JSON it is said to be";

impl Json {
    pub(super) fn new(paths: usize) -> Self {
        Self {
            open: Vec::new(),
            state: State::Value,
            top: field::start(paths),
            raw: Vec::new(),
            name: Reached::new(),
            at_start: true,
        }
    }

    pub(super) fn push(
        &mut self,
        masking: &mut Masking,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        out.reserve(bytes.len());
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.state {
                State::Text {
                    is_name,
                    escaped: false,
                    dropped,
                } => self.text(masking, (is_name, dropped), rest, out)?,
                _ => {
                    self.byte(masking, *byte, out)?;
                    after
                }
            };
        }
        Ok(())
    }

    /// Takes all that is plain at once, and the byte behind it; what is left of `bytes`.
    fn text<'b>(
        &mut self,
        masking: &mut Masking,
        (is_name, dropped): (bool, bool),
        bytes: &'b [u8],
        out: &mut Vec<u8>,
    ) -> Result<&'b [u8], Broken> {
        let (text, rest) = string::split_plain(bytes);
        let Some((byte, after)) = rest.split_first() else {
            self.keep(is_name, dropped, text);
            return Ok(rest);
        };
        // Most strings come in one piece, and are read where they stand.
        if *byte == b'"' && self.raw.is_empty() && !dropped && text.len() <= MAX_UNIT {
            match is_name {
                true => self.end_name(masking, text, text, out),
                false => self.end_text(masking, text, text, out),
            }
        } else {
            self.keep(is_name, dropped, text);
            self.byte(masking, *byte, out)?;
        }
        Ok(after)
    }

    pub(super) fn finish(
        &mut self,
        masking: &mut Masking,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if self.state == State::Word {
            self.end_word(masking, out)?;
        }
        if self.state == State::Value && self.open.is_empty() {
            return Ok(());
        }
        broken("the JSON of the body ends too early")
    }

    /// Keeps text of the string that is being read, unless it is too long.
    fn keep(&mut self, is_name: bool, dropped: bool, text: &[u8]) {
        if dropped || text.is_empty() {
            return;
        }
        if self.raw.len().saturating_add(text.len()) > MAX_UNIT {
            self.raw = Vec::new();
            self.state = State::Text {
                is_name,
                escaped: false,
                dropped: true,
            };
            return;
        }
        self.raw.extend_from_slice(text);
    }

    fn byte(&mut self, masking: &mut Masking, byte: u8, out: &mut Vec<u8>) -> Result<(), Broken> {
        match self.state {
            State::Text {
                is_name,
                escaped,
                dropped,
            } => return self.text_byte(masking, (is_name, escaped, dropped), byte, out),
            State::Skip {
                depth,
                in_text,
                escaped,
            } => return self.skip_byte((depth, in_text, escaped), byte),
            State::Word => {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-') {
                    self.raw.push(byte);
                    if self.raw.len() > MAX_NUMBER {
                        return broken("a number in the JSON of the body is too long");
                    }
                    return Ok(());
                }
                self.end_word(masking, out)?;
            }
            _ => {}
        }
        let at_start = std::mem::take(&mut self.at_start);
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            out.push(byte);
            return Ok(());
        }
        match (self.state, byte) {
            (State::Value | State::FirstItem, b'"') => self.begin_text(false),
            (State::FirstName | State::Name, b'"') => self.begin_text(true),
            (State::Value | State::FirstItem, b'{' | b'[') => {
                return self.begin_container(masking, byte == b'{', out);
            }
            (State::Value | State::FirstItem, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.raw.push(byte);
                self.state = State::Word;
            }
            (State::Colon, b':') => {
                out.push(byte);
                self.state = State::Value;
            }
            (State::Comma, b',') => {
                out.push(byte);
                self.state = match self.open.last() {
                    Some(container) if container.is_object => State::Name,
                    _ => State::Value,
                };
            }
            (State::FirstItem | State::Comma, b']') => self.end_container(false, out)?,
            (State::FirstName | State::Comma, b'}') => self.end_container(true, out)?,
            // A byte order mark, and the separator of JSON text sequences.
            (State::Value, 0xef | 0xbb | 0xbf) if at_start => {
                out.push(byte);
                self.at_start = byte != 0xbf;
            }
            (State::Value, 0x1e) if self.open.is_empty() => out.push(byte),
            _ => return broken(NOT_JSON),
        }
        Ok(())
    }

    fn begin_text(&mut self, is_name: bool) {
        self.state = State::Text {
            is_name,
            escaped: false,
            dropped: false,
        };
    }

    fn text_byte(
        &mut self,
        masking: &mut Masking,
        (is_name, escaped, dropped): (bool, bool, bool),
        byte: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if byte < 0x20 {
            return broken("a JSON string in the body holds a control character");
        }
        if byte == b'"' && !escaped {
            let raw = std::mem::take(&mut self.raw);
            let text = string::decode(&raw)?;
            match (is_name, dropped) {
                (true, true) => return broken("a name in the JSON of the body is too long"),
                (true, false) => self.end_name(masking, &raw, &text, out),
                (false, true) => self.end_dropped(masking, out),
                (false, false) => self.end_text(masking, &raw, &text, out),
            }
            self.raw = raw;
            self.raw.clear();
            return Ok(());
        }
        let dropped = dropped || self.raw.len() >= MAX_UNIT;
        match dropped {
            true => self.raw = Vec::new(),
            false => self.raw.push(byte),
        }
        self.state = State::Text {
            is_name,
            escaped: byte == b'\\' && !escaped,
            dropped,
        };
        Ok(())
    }

    /// A name has ended: `text` is what `raw` means.
    fn end_name(&mut self, masking: &mut Masking, raw: &[u8], text: &[u8], out: &mut Vec<u8>) {
        match self.open.last() {
            Some(container) => {
                let path = |number| masking.path(number);
                let edge = Edge::Member(text);
                field::follow(&container.reached, edge, path, &mut self.name);
            }
            None => self.name.clear(),
        }
        detect(masking, raw, text, true, out);
        self.state = State::Colon;
    }

    fn end_text(&mut self, masking: &mut Masking, raw: &[u8], text: &[u8], out: &mut Vec<u8>) {
        match labelled(self.here(), masking).cloned() {
            Some(strategy) => mask(masking, &strategy, text, out),
            None => detect(masking, raw, text, false, out),
        }
        self.value_ended();
    }

    /// A string that was too long to be kept has ended.
    fn end_dropped(&mut self, masking: &mut Masking, out: &mut Vec<u8>) {
        masking.count(1);
        string::encode(TOO_LONG.as_bytes(), out);
        self.value_ended();
    }

    fn end_word(&mut self, masking: &mut Masking, out: &mut Vec<u8>) -> Result<(), Broken> {
        let raw = std::mem::take(&mut self.raw);
        let is_number = match raw.as_slice() {
            b"true" | b"false" | b"null" => false,
            text if number::is_number(text) => true,
            _ => return broken(NOT_JSON),
        };
        match labelled(self.here(), masking).cloned() {
            Some(strategy) if raw != b"null" => mask(masking, &strategy, &raw, out),
            None if is_number && raw.len() >= MIN_NUMBER => {
                let mut text = Vec::new();
                match masking.rewriter.rewrite(&raw, &mut text) {
                    Rewritten::Unchanged => out.extend_from_slice(&raw),
                    Rewritten::Changed { count } => {
                        masking.count(count);
                        string::encode(&text, out);
                    }
                    Rewritten::Null { count } => {
                        masking.count(count);
                        out.extend_from_slice(b"null");
                    }
                }
            }
            _ => out.extend_from_slice(&raw),
        }
        self.raw = raw;
        self.raw.clear();
        self.value_ended();
        Ok(())
    }

    /// How far the paths are at the value that is being read.
    fn here(&self) -> &Reached {
        match self.open.last() {
            None => &self.top,
            Some(container) if container.is_object => &self.name,
            Some(container) => &container.reached,
        }
    }

    fn begin_container(
        &mut self,
        masking: &mut Masking,
        is_object: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let here = self.here();
        if let Some(strategy) = labelled(here, masking) {
            let is_null = *strategy == Strategy::Null;
            match is_null {
                true => out.extend_from_slice(b"null"),
                false => string::encode(REDACTED, out),
            }
            masking.count(1);
            self.state = State::Skip {
                depth: 1,
                in_text: false,
                escaped: false,
            };
            return Ok(());
        }
        if self.open.len() == MAX_DEPTH {
            return broken("the JSON of the body is too deep");
        }
        let mut reached = Reached::new();
        match is_object {
            true => reached.clone_from(here),
            false => field::follow(
                here,
                Edge::Item,
                |number| masking.path(number),
                &mut reached,
            ),
        }
        self.open.push(Container { is_object, reached });
        out.push(if is_object { b'{' } else { b'[' });
        self.state = if is_object {
            State::FirstName
        } else {
            State::FirstItem
        };
        Ok(())
    }

    fn end_container(&mut self, is_object: bool, out: &mut Vec<u8>) -> Result<(), Broken> {
        match self.open.pop() {
            Some(container) if container.is_object == is_object => {
                out.push(if is_object { b'}' } else { b']' });
                self.value_ended();
                Ok(())
            }
            _ => broken(NOT_JSON),
        }
    }

    fn value_ended(&mut self) {
        self.state = match self.open.is_empty() {
            true => State::Value,
            false => State::Comma,
        };
    }

    /// Nothing of what is left out is looked at but its brackets and strings.
    fn skip_byte(
        &mut self,
        (depth, in_text, escaped): (usize, bool, bool),
        byte: u8,
    ) -> Result<(), Broken> {
        let mut next = (depth, in_text, false);
        match (in_text, byte) {
            (true, b'"') if !escaped => next.1 = false,
            (true, b'\\') => next.2 = !escaped,
            (false, b'"') => next.1 = true,
            (false, b'{' | b'[') => next.0 = depth.saturating_add(1),
            (false, b'}' | b']') => next.0 = depth.saturating_sub(1),
            _ => {}
        }
        let (depth, in_text, escaped) = next;
        if depth == 0 {
            self.value_ended();
        } else {
            self.state = State::Skip {
                depth,
                in_text,
                escaped,
            };
        }
        Ok(())
    }
}

fn labelled<'m>(reached: &Reached, masking: &'m Masking) -> Option<&'m Strategy> {
    reached.iter().find_map(|(number, step)| {
        let (path, strategy) = masking.fields.get(*number)?;
        path.ends_at(*step).then_some(strategy)
    })
}

/// Appends what stands for a labelled value.
fn mask(masking: &mut Masking, strategy: &Strategy, text: &[u8], out: &mut Vec<u8>) {
    masking.count(1);
    let mut masked = Vec::new();
    match strategy.apply(text, &masking.key, &mut masked) {
        Masked::Text => string::encode(&masked, out),
        Masked::Null => out.extend_from_slice(b"null"),
    }
}

/// Appends a string with what detectors find in it replaced. A name cannot be null.
fn detect(masking: &mut Masking, raw: &[u8], text: &[u8], is_name: bool, out: &mut Vec<u8>) {
    let mut changed = Vec::new();
    match masking.rewriter.rewrite(text, &mut changed) {
        Rewritten::Unchanged => {
            out.push(b'"');
            out.extend_from_slice(raw);
            out.push(b'"');
        }
        Rewritten::Changed { count } => {
            masking.count(count);
            string::encode(&changed, out);
        }
        Rewritten::Null { count } => {
            masking.count(count);
            match is_name {
                true => string::encode(REDACTED, out),
                false => out.extend_from_slice(b"null"),
            }
        }
    }
}
