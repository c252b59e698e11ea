//! What a text does when the server reads it, and what policy says of that.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use ostiary_operation::sql::{Copy, Named, Reading};
use ostiary_operation::{Access, Object, Operation, Verb};
use ostiary_policy::{Denial, Verdict};
use ostiary_record::{Operated, Parameter, event::Kind};
use sha2::{Digest as _, Sha256};

use super::core::{Core, Fatal};
use super::judge::{Judgement, Read};
use super::open::Open;
use super::replication::labelled_replication;
use super::reply;
use super::taint::Taint;

impl Open {
    /// The text of a statement. Bytes that are no text break the protocol: there is no verdict on what cannot
    /// be read, and who sends such bytes may be trying whether the server reads something else.
    pub(super) fn text<'a>(&self, sql: &'a [u8]) -> Result<Cow<'a, str>, Fatal> {
        match std::str::from_utf8(sql) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            // Another encoding: what is not ASCII will be unreadable.
            Err(_) if self.server.not_utf8 || self.is_unsettled() => {
                Ok(String::from_utf8_lossy(sql))
            }
            Err(error) => {
                let byte = sql.get(error.valid_up_to()).copied().unwrap_or_default();
                let message = format!("invalid byte sequence for encoding \"UTF8\": {byte:#04x}");
                Err(Fatal::new(reply::PROTOCOL, "protocol", message))
            }
        }
    }

    /// Whether a name in a message is the same bytes to the server. It converts names from
    /// `client_encoding` to that of the database, and cuts them only then.
    pub(super) fn is_plain_name(&self, name: &[u8]) -> bool {
        let is_utf8 =
            !(self.server.not_utf8 || self.server.database_not_utf8 || self.is_unsettled());
        name.is_ascii() || is_utf8 && std::str::from_utf8(name).is_ok()
    }

    /// What `text` does, read with the settings that hold when the server reads it.
    pub(super) fn read(&self, text: &str) -> Rc<Read> {
        if self.is_unsettled() && (text.contains('\\') || !text.is_ascii()) {
            return Rc::new(Read::unreadable(
                "a setting that changes how it is read may have changed just before it",
            ));
        }
        self.judge.read(text, self.reading())
    }

    /// The settings that hold when the server reads a text.
    pub(super) fn reading(&self) -> Reading {
        Reading {
            standard_conforming_strings: !self.server.backslash_is_special,
            utf8: !self.server.not_utf8,
            server_utf8: !self.server.database_not_utf8,
        }
    }

    /// Whether a setting that changes how bytes are read may change before the server reads them.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled > self.answered
    }

    /// Whether a name the statements use was changed by a segment the server has not answered yet.
    pub(super) fn has_open_names(&self, read: &Read) -> bool {
        let (segment, answered) = (self.segment, self.answered);
        read.named.iter().any(|(_, named)| match named {
            Named::Execute { name } | Named::Prepare { name, .. } => {
                self.statements.is_open(name.as_bytes(), segment, answered)
            }
            Named::Fetch { name } | Named::Declare { name, .. } => {
                self.portals.is_open(name.as_bytes(), segment, answered)
            }
            Named::Forget { .. } => false,
        })
    }

    /// The operations of a text, with names that stand for statements looked up.
    pub(super) fn resolve(&self, read: &Read) -> Rc<[Operation]> {
        if !read.looks_up() {
            return Rc::clone(&read.operations);
        }
        let mut operations: Vec<Operation> = Vec::with_capacity(read.operations.len());
        for (index, operation) in read.operations.iter().enumerate() {
            let named = read.named.iter().find(|(at, _)| *at == index);
            let known: Vec<Operation> = match named {
                Some((_, Named::Execute { name })) => self
                    .statements
                    .meanings(name.as_bytes())
                    .flat_map(|prepared| prepared.read.operations.iter().cloned())
                    .collect(),
                Some((_, Named::Fetch { name })) => self
                    .portals
                    .meanings(name.as_bytes())
                    .flat_map(|portal| &portal.prepared)
                    .flat_map(|prepared| prepared.read.operations.iter().cloned())
                    .collect(),
                _ => Vec::new(),
            };
            // One step is enough: an EXECUTE behind another one stays unreadable.
            if known.is_empty() {
                operations.push(operation.clone());
            } else {
                operations.extend(beside_the_name(operation));
                operations.extend(known);
            }
        }
        operations.into()
    }

    /// Judges a text as it was resolved.
    pub(super) fn judge(&self, read: &Read, operations: &[Operation]) -> Rc<Judgement> {
        let judgement = if read.looks_up() {
            self.judge.judge(operations)
        } else {
            self.judge.judge_read(read)
        };
        let judgement = self.keep_in(judgement, operations);
        match self.cannot_copy(read).or_else(|| self.copies_by_name(read)) {
            Some(why) if !matches!(judgement.verdict, Verdict::Deny(_)) => {
                Rc::new(judgement.unsupported(why))
            }
            _ => judgement,
        }
    }

    /// Why what is executed by its name may not copy: whether it does is known to the server alone in the
    /// end, and what is sent next would be data to it.
    fn copies_by_name(&self, read: &Read) -> Option<&'static str> {
        let named = read.named.iter().filter_map(|(_, named)| match named {
            Named::Execute { name } => Some(name),
            _ => None,
        });
        let mut meant = named.flat_map(|name| self.statements.meanings(name.as_bytes()));
        let copies = |copy: &Copy| !copy.out || self.masks_anything();
        meant
            .any(|prepared| prepared.read.copies.iter().any(copies))
            .then_some("EXECUTE of a COPY")
    }

    /// Judges operations of several texts, or once more.
    pub(super) fn judge_all(&self, operations: &[Operation]) -> Rc<Judgement> {
        let judgement = self.judge.judge(operations);
        self.keep_in(judgement, operations)
    }

    /// Refuses what labels do not permit, whatever the rules say.
    fn keep_in(&self, judgement: Rc<Judgement>, operations: &[Operation]) -> Rc<Judgement> {
        let labels = !self.labels.columns.is_empty();
        if !labels && self.labels.detectors.is_empty()
            || matches!(judgement.verdict, Verdict::Deny(_))
        {
            return judgement;
        }
        let denial = self.replicates(operations);
        let denial = denial.or_else(|| labels.then(|| self.misuse(operations)).flatten());
        match denial {
            None => judgement,
            Some(denial) => Rc::new(Judgement {
                rules: vec![denial.rule.clone()],
                verdict: Verdict::Deny(denial),
                ..(*judgement).clone()
            }),
        }
    }

    /// Functions that read the WAL show values without their labels.
    fn replicates(&self, operations: &[Operation]) -> Option<Denial> {
        let mut accesses = operations.iter().flat_map(|operation| &operation.accesses);
        accesses.find(|access| access.verb == Verb::Replicate)?;
        let target = self.judge.target();
        let label = self.judge.bundle().masked(self.judge.principal(), target)?;
        Some(labelled_replication(&label))
    }

    /// Records the judgement on an operation; returns its number and that of the event.
    pub(super) fn operated(
        &mut self,
        core: &mut Core,
        text: &str,
        operations: &[Operation],
        judgement: &Judgement,
        parameters: &[Option<String>],
    ) -> (u64, u64) {
        let operation = core.journal.next_operation();
        let masked = self.without_values(text, operations);
        let kept = masked.as_deref().unwrap_or(text);
        let bundle = self.judge.bundle().hash();
        let limit = core.config.limits.record_statement;
        let event = Operated {
            parameters: parameters
                .iter()
                .map(|value| Parameter {
                    value: value.clone(),
                })
                .collect(),
            observed: self.observes,
            ..operated(operation, kept, judgement, bundle, limit)
        };
        let seq = core.record(Kind::Operated(event));
        (operation, seq)
    }

    /// Takes note of what an operation that goes to the server now changes about reading others.
    pub(super) fn forwarded(
        &mut self,
        judgement: &Judgement,
        operations: &[Operation],
        taint: Taint,
    ) {
        self.note_settings(taint, operations);
        if judgement.reshapes {
            self.stale = !self.labels.columns.is_empty();
            self.own_ddl = true;
            // A function can close a cursor and open another one of that name.
            for portal in self.portals.values() {
                portal.described.set(false);
            }
            if judgement.is_ddl {
                self.untold_ddl = Some(self.segment);
            }
        }
        let sets = judgement.reshapes
            || operations
                .iter()
                .flat_map(|operation| &operation.accesses)
                .any(|access| {
                    matches!(access.verb, Verb::Set | Verb::SetRole)
                        && touches_reading(&access.object)
                });
        let ends = operations
            .iter()
            .any(|operation| operation.verb == Verb::Transaction);
        if sets || (ends && self.settings_changed) {
            self.unsettled = self.segment;
            self.settings_changed = true;
        }
    }
}

/// The event of an operation whose text is `kept`, of which a record holds `limit` bytes.
pub(super) fn operated(
    operation: u64,
    kept: &str,
    judgement: &Judgement,
    bundle: &str,
    limit: usize,
) -> Operated {
    let statement = cut(kept, limit);
    let (verdict, reason) = match &judgement.verdict {
        Verdict::Allow => (ostiary_record::Verdict::Allow, String::new()),
        Verdict::Approve(demand) => (ostiary_record::Verdict::Approve, demand.reason.clone()),
        Verdict::Deny(denial) => (ostiary_record::Verdict::Deny, denial.reason.clone()),
    };
    Operated {
        operation,
        statement: statement.to_owned(),
        statement_size: u64::try_from(kept.len()).unwrap_or(u64::MAX),
        // Of a whole statement the control plane makes it, for less than it costs here. By that of the
        // text that came, few guesses would tell what was masked.
        statement_sha256: if statement.len() < kept.len() {
            Sha256::digest(kept).to_vec()
        } else {
            Vec::new()
        },
        verb: judgement.verb.to_owned(),
        accesses: judgement.accesses.clone(),
        verdict: verdict.into(),
        rules: judgement.rules.clone(),
        reason,
        bundle: bundle.to_owned(),
        parameters: Vec::new(),
        observed: false,
    }
}

/// What an EXECUTE or FETCH does beside running what it names: calls in its arguments.
fn beside_the_name(operation: &Operation) -> Option<Operation> {
    let accesses: BTreeSet<Access> = operation
        .accesses
        .iter()
        .filter(|access| access.verb != Verb::Unreadable)
        .cloned()
        .collect();
    let verb = accesses.iter().map(|access| access.verb).max()?;
    Some(Operation {
        verb,
        accesses,
        facts: operation.facts.clone(),
    })
}

/// The start of `text`, of at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// Whether a setting decides how statements are read.
fn touches_reading(object: &Object) -> bool {
    match object {
        Object::Setting { name } => {
            matches!(
                name.as_str(),
                "standard_conforming_strings" | "client_encoding" | "names" | "all"
            )
        }
        _ => true,
    }
}
