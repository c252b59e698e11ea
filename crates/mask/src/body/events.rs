//! Server-sent events. An event is read whole: its data may be JSON spread over several lines.

use super::{Broken, MAX_UNIT, Masking, json::Json, text};

#[derive(Debug, Default)]
pub(super) struct Events {
    /// Lines of the event, without their ends.
    lines: Vec<Vec<u8>>,
    line: Vec<u8>,
    size: usize,
    /// A `\r` ended the last line: a `\n` that follows belongs to it.
    after_return: bool,
}

impl Events {
    pub(super) fn push(
        &mut self,
        masking: &mut Masking,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        for byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    self.end_line(masking, out)?;
                }
                byte => {
                    self.size = self.size.saturating_add(1);
                    if self.size > MAX_UNIT {
                        return Err(Broken {
                            reason: "an event is too long",
                        });
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        masking: &mut Masking,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if !self.line.is_empty() {
            self.end_line(masking, out)?;
        }
        self.end_event(masking, out)
    }

    fn end_line(&mut self, masking: &mut Masking, out: &mut Vec<u8>) -> Result<(), Broken> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            // What a line costs beside its bytes.
            self.size = self.size.saturating_add(32);
            self.lines.push(line);
            return Ok(());
        }
        self.end_event(masking, out)?;
        out.push(b'\n');
        Ok(())
    }

    fn end_event(&mut self, masking: &mut Masking, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.size = 0;
        let mut data: Option<Vec<u8>> = None;
        let mut others = Vec::new();
        for line in std::mem::take(&mut self.lines) {
            match data_of(&line) {
                Some(part) => match &mut data {
                    Some(all) => {
                        all.push(b'\n');
                        all.extend_from_slice(part);
                    }
                    None => data = Some(part.to_vec()),
                },
                None => others.push(line),
            }
        }
        for line in others {
            let before = out.len();
            text::rewrite(masking, &line, out);
            // An empty line would end the event.
            if out.len() > before {
                out.push(b'\n');
            }
        }
        if let Some(data) = data {
            for line in masked(masking, &data)?.split(|byte| *byte == b'\n') {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        Ok(())
    }
}

/// What a `data` line holds.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"data")?;
    match rest.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => rest.is_empty().then_some(rest),
    }
}

/// The data of one event: as JSON if it is JSON, else as text.
fn masked(masking: &mut Masking, data: &[u8]) -> Result<Vec<u8>, Broken> {
    let before = masking.masked;
    let mut out = Vec::new();
    let mut json = Json::new(masking.fields.len());
    let read = json
        .push(masking, data, &mut out)
        .and_then(|()| json.finish(masking, &mut out));
    if let Err(broken) = read {
        // What looks like a document could hold a label that is not found any more.
        if !masking.fields.is_empty() && data.trim_ascii_start().starts_with(b"{") {
            return Err(broken);
        }
        masking.masked = before;
        out.clear();
        text::rewrite(masking, data, &mut out);
    }
    Ok(out)
}
