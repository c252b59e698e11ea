//! Errors and notices of the server: attributed, stripped of what may quote labelled data, recorded.

use ostiary_wire::postgres::{Fields, error_response::field, tag};

use super::answers::{Outcome, out_of_turn};
use super::core::{Core, Fatal};
use super::expect::Expect;
use super::open::Open;
use super::reply::Refusal;
use super::rows::Masker;
use super::running::Running;
use super::taint::{Taint, quotes_no_data};

/// Bytes of an error that are kept in a record.
const MAX_ERROR: usize = 1024;

impl Open {
    pub(super) fn on_error(
        &mut self,
        core: &mut Core,
        fields: Fields<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        self.plan = None;
        let ends = matches!(fields.severity(), Some(b"FATAL" | b"PANIC"));
        let tainted = self.front_tainted();
        self.copying = None;
        let mut position = fields.get(field::POSITION).map(<[u8]>::to_vec);
        let refused = match self.expects.front_mut() {
            Some(Expect::Refresh(refresh)) => {
                refresh.fail();
                if !ends {
                    return Ok(Outcome::Done);
                }
                None
            }
            Some(Expect::Refused(refusal)) if !ends => Some(refusal.clone()),
            Some(Expect::Query(running)) => {
                let refusal = running.refusal.clone().filter(|_| !ends);
                self.transaction_tainted |= running.taint > Taint::None;
                running.stop_taking();
                note(running, fields, refusal.as_ref(), tainted, &mut self.masker);
                refusal
            }
            Some(Expect::Execute { running, .. }) => {
                self.transaction_tainted |= running.taint > Taint::None;
                running.stop_taking();
                note(running, fields, None, tainted, &mut self.masker);
                None
            }
            Some(Expect::Look(look)) => {
                self.transaction_tainted |= look.running.taint > Taint::None;
                note(&mut look.running, fields, None, tainted, &mut self.masker);
                position = look.position(fields);
                if !ends {
                    self.look_failed();
                }
                None
            }
            // Only the end of the connection comes unasked.
            None if !ends => return Err(out_of_turn("ErrorResponse")),
            _ => None,
        };
        match refused {
            Some(refusal) => {
                refusal.encode(core.journal.session_id(), core.client.write(input));
            }
            None => {
                let kind = (tag::backend::ERROR_RESPONSE, position.as_deref());
                self.rewrite_fields(core, fields, kind, tainted, input);
            }
        }
        if !ends {
            self.skip_to_sync(core);
        }
        Ok(Outcome::Done)
    }

    /// After an error in the extended protocol the server answers nothing until Sync, and drops what
    /// it is sent until then.
    fn skip_to_sync(&mut self, core: &mut Core) {
        if matches!(
            self.expects.front(),
            None | Some(Expect::Query(_) | Expect::Refresh(_) | Expect::Sync(_))
        ) {
            return;
        }
        let mut undone = Vec::new();
        let mut synced = false;
        while let Some(expect) = self.expects.pop_front() {
            match expect {
                Expect::Sync(segment) => {
                    self.expects.push_front(Expect::Sync(segment));
                    synced = true;
                    break;
                }
                Expect::Execute { running, .. } if !running.replied.sqlstate.is_empty() => {
                    self.settle(&running);
                    running.replied(core);
                }
                other => undone.push(other),
            }
        }
        if !synced {
            // The Sync has not come yet: what waits, and what the client sends until then, is
            // dropped here as well.
            self.skipping = true;
            self.mid_segment = true;
            self.drop_batch();
            self.end_hold(core, "a statement before it failed");
        }
        for expect in undone.into_iter().rev() {
            self.undo(expect);
        }
    }

    /// Whether what the server says now may quote a labelled value.
    pub(super) fn front_tainted(&self) -> bool {
        self.transaction_tainted
            || match self.expects.front() {
                Some(Expect::Query(running) | Expect::Execute { running, .. }) => {
                    running.taint > Taint::None
                }
                Some(Expect::Look(look)) => look.running.taint > Taint::None,
                // They run input functions and fold constants.
                Some(Expect::Parse { tainted, .. } | Expect::Bind { tainted, .. }) => *tainted,
                _ => false,
            }
    }

    /// Sends an error or notice on, without what could quote a labelled value.
    pub(super) fn rewrite_fields(
        &mut self,
        core: &mut Core,
        fields: Fields<'_>,
        (kind, position): (u8, Option<&[u8]>),
        tainted: bool,
        input: &[u8],
    ) {
        if self.greeting.is_some() {
            return;
        }
        let withheld = tainted && !quotes_no_data(fields);
        // Code in the database chooses the names in its errors, and shows in their context.
        let chosen = fields.get(field::WHERE).is_some();
        let mut body = Vec::new();
        let mut push = |code: u8, value: &[u8]| {
            body.push(code);
            body.extend_from_slice(value);
            body.push(0);
        };
        for (code, value) in fields.iter() {
            match code {
                field::MESSAGE if withheld => {
                    push(code, b"the message is withheld: it may quote labelled data");
                }
                field::MESSAGE
                | field::DETAIL
                | field::HINT
                | field::WHERE
                | field::INTERNAL_QUERY => {
                    if !withheld {
                        push(code, &self.masker.text(value));
                    }
                }
                field::SEVERITY_LOCALIZED
                | field::SEVERITY
                | field::SQLSTATE
                | field::FILE
                | field::LINE
                | field::ROUTINE => push(code, value),
                field::POSITION => {
                    if let Some(position) = position {
                        push(code, position);
                    }
                }
                field::SCHEMA
                | field::TABLE
                | field::COLUMN
                | field::DATA_TYPE
                | field::CONSTRAINT => {
                    if !withheld || !chosen {
                        push(code, value);
                    }
                }
                _ => {
                    if !withheld {
                        push(code, value);
                    }
                }
            }
        }
        if fields.sqlstate().is_none() {
            push(field::SQLSTATE, b"XX000");
        }
        body.push(0);
        // It is hardly longer than the frame it came in.
        if let Ok(length) = u32::try_from(body.len().saturating_add(4)) {
            let out = core.client.write(input);
            out.push(kind);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend(body);
        }
    }
}

/// Keeps what a record says of an error: the refusal, or SQLSTATE and, where it is harmless, text.
fn note(
    running: &mut Running,
    fields: Fields<'_>,
    refusal: Option<&Refusal>,
    tainted: bool,
    masker: &mut Masker,
) {
    let text = |bytes: &[u8], limit: usize| {
        String::from_utf8_lossy(bytes.get(..limit).unwrap_or(bytes)).into_owned()
    };
    match refusal {
        Some(refusal) => {
            running.replied.sqlstate = refusal.sqlstate.to_owned();
            running.replied.error.clone_from(&refusal.message);
        }
        None => {
            running.replied.sqlstate = text(fields.sqlstate().unwrap_or(b"XX000"), 5);
            if running.replied.sqlstate.is_empty() {
                "XX000".clone_into(&mut running.replied.sqlstate);
            }
            if !tainted || quotes_no_data(fields) {
                let message = masker.text(fields.message().unwrap_or_default());
                running.replied.error = text(&message, MAX_ERROR);
            }
        }
    }
}
