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
pub(super) const REDACTED: &str = "[redacted]";

impl Open {
    /// The parameters of a Bind as they may be kept; `None` is NULL.
    pub(super) fn keepable(
        &mut self,
        prepared: &[Rc<Prepared>],
        values: &[Option<&[u8]>],
        formats: &[Format],
    ) -> Vec<Option<String>> {
        let masks = match self.masks.columns.is_empty() || values.is_empty() {
            true => Vec::new(),
            false => self.parameter_masks(prepared, values.len()),
        };
        let mut masks = masks.into_iter();
        let mut kept = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let format = Format::of(formats, index).unwrap_or(Format::Binary);
            let mask = masks.next().flatten();
            kept.push(value.map(|value| self.keepable_value(value, format, mask.as_ref())));
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

    /// How each of the parameters is masked, if it may meet a labelled column.
    fn parameter_masks(&self, prepared: &[Rc<Prepared>], count: usize) -> Vec<Option<Strategy>> {
        let mut masks: Vec<Option<Strategy>> = vec![None; count];
        for read in prepared.iter().map(|prepared| &prepared.read) {
            let [operation] = &*read.operations else {
                return vec![Some(Strategy::Redact); count];
            };
            let here = self.labelled_in(operation);
            let reaches = self.taint_of(operation) > Taint::None;
            for (index, mask) in masks.iter_mut().enumerate() {
                let mut places = read.places_of(index.saturating_add(1)).peekable();
                let mut hides = reaches && places.peek().is_none();
                let mut found: Option<&Strategy> = mask.as_ref();
                for place in places {
                    let mentions = match place {
                        Place::Apart => continue,
                        Place::Near(mentions) => mentions,
                        Place::Unknown => {
                            hides |= reaches;
                            continue;
                        }
                    };
                    for strategy in mentions
                        .iter()
                        .flat_map(|mention| self.meant_strategies(&here, mention))
                    {
                        hides |= found.is_some_and(|other| other != strategy);
                        found = Some(strategy);
                    }
                }
                let found = match hides {
                    true => Some(Strategy::Redact),
                    false => found.cloned(),
                };
                *mask = found;
            }
        }
        masks
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
