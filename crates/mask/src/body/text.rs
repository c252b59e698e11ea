//! Text, read line by line; a PEM block is one unit, since its lines make no sense alone.

use super::{MAX_UNIT, Masking, TOO_LONG};
use crate::Rewritten;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

#[derive(Debug, Default)]
pub(super) struct Text {
    /// Whole lines of a block, and the line that is being read.
    unit: Vec<u8>,
    /// Where in `unit` the line begins.
    line: usize,
    in_block: bool,
    /// The rest of this line is left out.
    dropping: bool,
}

impl Text {
    pub(super) fn push(&mut self, masking: &mut Masking, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, after) = rest
                .split_at_checked(end.unwrap_or(rest.len()))
                .unwrap_or((rest, &[]));
            self.add(masking, line, out);
            rest = after;
            if let Some(after) = after.strip_prefix(b"\n") {
                self.end_line(masking, out);
                rest = after;
            }
        }
    }

    fn add(&mut self, masking: &mut Masking, part: &[u8], out: &mut Vec<u8>) {
        if self.dropping {
            return;
        }
        if self.unit.len().saturating_add(part.len()) > MAX_UNIT {
            masking.count(1);
            out.extend_from_slice(TOO_LONG.as_bytes());
            self.dropping = true;
            self.unit = Vec::new();
            return;
        }
        self.unit.extend_from_slice(part);
    }

    fn end_line(&mut self, masking: &mut Masking, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.dropping) {
            self.in_block = false;
            self.line = 0;
            out.push(b'\n');
            return;
        }
        let line = self.unit.get(self.line..).unwrap_or_default();
        let begins = contains(line, BEGIN);
        let ends = contains(line, END);
        self.in_block = (self.in_block || begins) && !ends;
        if self.in_block {
            self.unit.push(b'\n');
            self.line = self.unit.len();
            return;
        }
        self.flush(masking, out);
        out.push(b'\n');
    }

    pub(super) fn finish(&mut self, masking: &mut Masking, out: &mut Vec<u8>) {
        if !self.dropping {
            self.flush(masking, out);
        }
    }

    pub(super) fn holds(&self) -> bool {
        !self.unit.is_empty()
    }

    fn flush(&mut self, masking: &mut Masking, out: &mut Vec<u8>) {
        rewrite(masking, &self.unit, out);
        self.unit.clear();
        self.line = 0;
    }
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    line.windows(what.len()).any(|window| window == what)
}

/// Appends a text with what detectors find replaced; nothing is left of one that would be null.
pub(super) fn rewrite(masking: &mut Masking, text: &[u8], out: &mut Vec<u8>) {
    match masking.rewriter.rewrite(text, out) {
        Rewritten::Unchanged => out.extend_from_slice(text),
        Rewritten::Changed { count } | Rewritten::Null { count } => masking.count(count),
    }
}
