//! Parameters as the record and reviewers get to see them: masked by the labels of the columns they meet,
//! and searched by the detectors.

use std::borrow::Cow;
use std::rc::Rc;

use ostiary_mask::Strategy;
use ostiary_operation::Place;
use ostiary_wire::postgres::Format;

use super::names::{Portal, Prepared};
use super::open::Open;
use super::running::readable;
use super::taint::Taint;

/// Characters of one parameter kept for records and reviewers.
const MAX_PARAMETER: usize = 4096;
/// Bytes of one parameter the detectors look at: more than what is kept of it can take.
const MAX_SCANNED: usize = 5 * MAX_PARAMETER;
/// What stands for a value that nobody may see.
const REDACTED: &str = "[redacted]";

impl Open {
    /// The parameters of a Bind as they may be kept; `None` is NULL.
    pub(super) fn keepable(
        &mut self,
        prepared: &[Rc<Prepared>],
        values: &[Option<&[u8]>],
        formats: &[Format],
    ) -> Vec<Option<String>> {
        let mut kept = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let format = Format::of(formats, index).unwrap_or(Format::Binary);
            kept.push(value.map(|value| {
                let mask = if self.masks.columns.is_empty() {
                    None
                } else {
                    self.parameter_mask(prepared, index)
                };
                self.keepable_value(value, format, mask.as_ref())
            }));
        }
        kept
    }

    /// The parameters of a portal as they may be shown now: under other labels than those of its Bind
    /// none is.
    pub(super) fn shown<'p>(&self, portal: &'p Portal) -> Cow<'p, [Option<String>]> {
        if portal.masks_version == self.masks_version {
            return Cow::Borrowed(&portal.parameters);
        }
        let hidden = portal.parameters.iter();
        let hidden = hidden.map(|value| value.as_ref().map(|_| REDACTED.to_owned()));
        Cow::Owned(hidden.collect())
    }

    fn keepable_value(&mut self, value: &[u8], format: Format, mask: Option<&Strategy>) -> String {
        if self.hides_parameters {
            return REDACTED.to_owned();
        }
        let text = text_of(value, format);
        if let Some(strategy) = mask {
            let masked = text.and_then(|_| self.masker.masked(strategy, value));
            return masked.map_or_else(
                || REDACTED.to_owned(),
                |masked| readable(&masked, Format::Text, MAX_PARAMETER),
            );
        }
        match text {
            Some(text) if !self.masks.detectors.is_empty() => {
                let found = self.masker.text(text.as_bytes());
                let same = found == text.as_bytes();
                let (value, format) = if same {
                    (value, format)
                } else {
                    (found.as_slice(), Format::Text)
                };
                readable(value, format, MAX_PARAMETER)
            }
            _ => readable(value, format, MAX_PARAMETER),
        }
    }

    /// How a parameter is masked, if it may meet a labelled column.
    fn parameter_mask(&self, prepared: &[Rc<Prepared>], index: usize) -> Option<Strategy> {
        let number = index.saturating_add(1);
        let mut found: Option<Cow<'_, Strategy>> = None;
        for read in prepared.iter().map(|prepared| &prepared.read) {
            let [operation] = &*read.operations else {
                return Some(Strategy::Redact);
            };
            let mut known = false;
            for place in read.places_of(number) {
                known = true;
                let mentions = match place {
                    Place::Apart => continue,
                    Place::Near(mentions) => mentions,
                    Place::Unknown if self.taint_of(operation) == Taint::None => continue,
                    Place::Unknown => return Some(Strategy::Redact),
                };
                for strategy in mentions
                    .iter()
                    .flat_map(|mention| self.meant_strategies(operation, mention))
                {
                    match &found {
                        Some(other) if **other != *strategy => return Some(Strategy::Redact),
                        _ => found = Some(Cow::Borrowed(strategy)),
                    }
                }
            }
            if !known && self.taint_of(operation) > Taint::None {
                return Some(Strategy::Redact);
            }
        }
        found.map(Cow::into_owned)
    }
}

/// The start of a value that is a text: it looks the same in both formats, while other binary values hold
/// what no text does.
fn text_of(value: &[u8], format: Format) -> Option<&str> {
    let head = value.get(..MAX_SCANNED).unwrap_or(value);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // Cut inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    (format == Format::Text || !text.contains(char::is_control)).then_some(text)
}
