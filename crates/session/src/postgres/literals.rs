//! The text of a statement as the record gets to see it: constants are kept from it as parameters are.
//!
//! What cannot be read, or runs code that stands in a constant, is recorded as it came, but for what
//! detectors find: there the text itself is what an auditor has to see.

use std::ops::Range;
use std::rc::Rc;

use ostiary_mask::Strategy;
use ostiary_operation::sql::{self, Named, Reading, Statement};
use ostiary_operation::{Group, Mention, Operation, Place, Verb};
use ostiary_wire::postgres::Format;

use super::catalogue::Catalogue;
use super::open::Open;
use super::parameters::REDACTED;
use super::running::readable;
use super::taint::Taint;
use super::uses::Labelled;

/// Characters of one masked constant that are kept.
const MAX_LITERAL: usize = 4096;

/// Texts of a session whose masked form is remembered, and how long they may be: an idle session has to
/// stay small.
const MAX_TEXTS: usize = 8;
const MAX_TEXT: usize = 1024;

/// A number this short that meets no column tells nothing about anybody.
const SHORT: usize = 3;

/// What became of texts: prepared statements come again and again.
#[derive(Default)]
pub(super) struct MaskedTexts {
    basis: Option<Basis>,
    texts: Vec<Text>,
    /// Which one makes room for another.
    next: usize,
}

/// What decides how any text is masked.
struct Basis {
    masks: u64,
    catalogue: Rc<Catalogue>,
    stale: bool,
    reading: Reading,
}

struct Text {
    text: Box<str>,
    /// What an EXECUTE reaches hangs on more than its text.
    reaches: bool,
    masked: Option<Rc<str>>,
}

impl Open {
    /// `text`, which does `operations`, without the values that labels and detectors hide, if it has any.
    pub(super) fn without_values(
        &mut self,
        text: &str,
        operations: &[Operation],
    ) -> Option<Rc<str>> {
        let reaches = !self.labels.columns.is_empty()
            && operations.iter().any(|operation| self.meets(operation));
        if !reaches && self.labels.detectors.is_empty() {
            return None;
        }
        if !self.masked_texts.is_of(self) {
            self.masked_texts = MaskedTexts::of(self);
        }
        if let Some(masked) = self.masked_texts.get(text, reaches) {
            return masked;
        }
        let masked = self.mask_text(text, reaches).map(Rc::from);
        self.masked_texts.keep(text, reaches, masked.clone());
        masked
    }

    fn mask_text(&mut self, text: &str, reaches: bool) -> Option<String> {
        let unlabelled = match reaches && may_hold_constants(text) {
            true => self.without_labelled(text),
            false => None,
        };
        let found = match self.labels.detectors.is_empty() {
            true => None,
            false => {
                let text = unlabelled.as_deref().unwrap_or(text);
                let masker = self.observer.as_mut().unwrap_or(&mut self.masker);
                let found = masker.text(text.as_bytes());
                (found != text.as_bytes())
                    .then(|| String::from_utf8(found).unwrap_or_else(|_| REDACTED.to_owned()))
            }
        };
        found.or(unlabelled)
    }

    fn without_labelled(&self, text: &str) -> Option<String> {
        let mut hidden: Vec<(Range<usize>, Strategy)> = Vec::new();
        for statement in sql::analyze(text, self.reading()).statements {
            self.hide_in(&statement, text, &mut hidden);
        }
        hidden.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, strategy) in hidden {
            // One behind the other: a constant is noted once.
            let (Some(between), Some(source)) =
                (text.get(at..range.start), text.get(range.clone()))
            else {
                continue;
            };
            out.push_str(between);
            self.put_masked(source, &strategy, &mut out);
            at = range.end;
        }
        if at == 0 {
            return None;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Some(out)
    }

    /// Adds the constants of a statement that are to be hidden.
    fn hide_in(
        &self,
        statement: &Statement,
        text: &str,
        hidden: &mut Vec<(Range<usize>, Strategy)>,
    ) {
        let operation = &statement.operation;
        let values = &statement.values;
        let here = self.labelled_in(operation);
        let unsure = self.hides_unsure(statement);
        let masks: Vec<Option<Strategy>> = values
            .places
            .iter()
            .map(|place| match place {
                Place::Apart => None,
                Place::Unknown => unsure.then_some(Strategy::Redact),
                // Under any name there may be a labelled column.
                Place::Near(_) if self.stale => Some(Strategy::Redact),
                Place::Near(mentions) => self.mask_near(&here, mentions),
            })
            .collect();
        for (range, place) in &values.literals {
            let Some(Some(strategy)) = masks.get(*place) else {
                continue;
            };
            let unsure = values.places.get(*place) == Some(&Place::Unknown);
            let short = range.len() <= SHORT
                && text
                    .get(range.clone())
                    .is_some_and(|source| source.bytes().all(|byte| byte.is_ascii_digit()));
            if !(unsure && short) {
                hidden.push((range.clone(), strategy.clone()));
            }
        }
    }

    /// Whether constants of the operation may meet labelled columns.
    fn meets(&self, operation: &Operation) -> bool {
        operation.facts.unreadable.is_none() && self.taint_of(operation) > Taint::None
    }

    /// Whether a constant is hidden that may meet any column: not where it may be code.
    fn hides_unsure(&self, statement: &Statement) -> bool {
        let operation = &statement.operation;
        if matches!(statement.named, Some(Named::Execute { .. })) {
            return true;
        }
        let reads = matches!(
            operation.verb.group(),
            Some(Group::Read | Group::Write) | None
        );
        reads && operation.verb != Verb::Do && !operation.facts.dynamic && self.meets(operation)
    }

    /// How a constant is masked that meets these columns.
    fn mask_near(&self, here: &[Labelled<'_>], mentions: &[Mention]) -> Option<Strategy> {
        let mut all = mentions
            .iter()
            .flat_map(|mention| self.meant_strategies(here, mention));
        let first = all.next()?;
        let one = all.all(|other| other == first);
        Some(if one { first.clone() } else { Strategy::Redact })
    }

    /// Appends a constant as a string, masked.
    fn put_masked(&self, source: &str, strategy: &Strategy, out: &mut String) {
        let plain = source
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .unwrap_or(source);
        let plain = (!plain.contains(['\'', '\\', '$'])).then_some(plain);
        let masked = plain.and_then(|value| self.masker.masked(strategy, value.as_bytes()));
        let masked = masked.map_or_else(
            || REDACTED.to_owned(),
            |masked| readable(&masked, Format::Text, MAX_LITERAL),
        );
        out.push('\'');
        out.push_str(&masked.replace('\'', "''"));
        out.push('\'');
    }
}

/// Whether there can be a constant in the text.
fn may_hold_constants(text: &str) -> bool {
    let mut before = 0;
    text.bytes().any(|byte| {
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"_$".contains(&byte) || byte >= 0x80;
        // `$1` and `a1` are none; `$$` and `$a$` begin one.
        let begins = byte == b'\''
            || byte.is_ascii_digit() && !name(before)
            || before == b'$' && !byte.is_ascii_digit();
        before = byte;
        begins
    })
}

impl MaskedTexts {
    fn of(open: &Open) -> Self {
        let basis = Basis {
            masks: open.masks_version,
            catalogue: Rc::clone(&open.catalogue),
            stale: open.stale,
            reading: open.reading(),
        };
        Self {
            basis: Some(basis),
            ..Self::default()
        }
    }

    fn is_of(&self, open: &Open) -> bool {
        self.basis.as_ref().is_some_and(|basis| {
            basis.masks == open.masks_version
                && Rc::ptr_eq(&basis.catalogue, &open.catalogue)
                && basis.stale == open.stale
                && basis.reading == open.reading()
        })
    }

    fn get(&self, text: &str, reaches: bool) -> Option<Option<Rc<str>>> {
        let mut texts = self.texts.iter();
        let known = texts.find(|known| known.reaches == reaches && *known.text == *text)?;
        Some(known.masked.clone())
    }

    fn keep(&mut self, text: &str, reaches: bool, masked: Option<Rc<str>>) {
        if text.len() > MAX_TEXT {
            return;
        }
        let text = Text {
            text: text.into(),
            reaches,
            masked,
        };
        match self.texts.get_mut(self.next) {
            Some(oldest) => *oldest = text,
            None => self.texts.push(text),
        }
        self.next = self
            .next
            .saturating_add(1)
            .checked_rem(MAX_TEXTS)
            .unwrap_or(0);
    }
}
