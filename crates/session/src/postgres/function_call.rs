//! The FunctionCall message: a function by its OID, as libpq's large-object functions call it.
//!
//! The number says nothing of what the function does, so the call is unreadable and has a verb of its own,
//! and where columns carry labels its result is withheld.

use ostiary_operation::{Access, Object, Operation, Verb};
use ostiary_policy::Verdict;
use ostiary_wire::postgres::Backend;

use super::answers::{Outcome, malformed, out_of_turn};
use super::core::{Core, Fatal};
use super::expect::Expect;
use super::hold::{Held, Hold};
use super::judge::Judgement;
use super::open::Open;
use super::pump::Taken;
use super::reply::Refusal;
use super::running::Running;

impl Open {
    pub(super) fn on_function_call(
        &mut self,
        core: &mut Core,
        body: &[u8],
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        if self.skipping {
            return Ok(Taken::Yes);
        }
        self.release_batch();
        let text = described(body);
        let operations = [call()];
        let judgement = self.judge_all(&operations);
        let (operation, seq) = self.operated(core, &text, &operations, &judgement, &[]);
        match &judgement.verdict {
            _ if self.carries_unseen(&judgement) => {
                self.run_call(core, &operations, bytes, &judgement, operation, seq);
            }
            Verdict::Allow => self.run_call(core, &operations, bytes, &judgement, operation, seq),
            Verdict::Deny(denial) => {
                let refusal = Refusal::denied(operation, denial);
                self.refuse_query(core, refusal);
            }
            Verdict::Approve(_) => {
                let held = Held::Call {
                    text: text.into(),
                    operations: operations.into(),
                    bytes: bytes.to_vec(),
                };
                let hold = Hold::new(operation, judgement, held, core);
                self.ask(core, hold);
            }
        }
        Ok(Taken::Yes)
    }

    /// Sends a call that was judged. It is a round of its own, like a Query.
    pub(super) fn run_call(
        &mut self,
        core: &Core,
        operations: &[Operation],
        bytes: &[u8],
        judgement: &Judgement,
        operation: u64,
        seq: u64,
    ) {
        if judgement.writes {
            self.outbox.wait_for(seq);
        }
        let mut running = Running::new(operation, self.segment, core.now);
        running.taint = self.taint(operations);
        running.function_call = true;
        self.forwarded(judgement, operations, running.taint);
        self.send(bytes, Some(Expect::Query(Box::new(running))));
        self.segment = self.segment.saturating_add(1);
    }

    /// The result of the call at the front.
    pub(super) fn on_function_result(
        &mut self,
        core: &mut Core,
        value: Option<&[u8]>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        match self.expects.front_mut() {
            // There is one result, and the server has no tag for it.
            Some(Expect::Query(running))
                if running.function_call && running.replied.command_tag.is_empty() =>
            {
                "FUNCTION CALL".clone_into(&mut running.replied.command_tag);
            }
            _ => return Err(out_of_turn("FunctionCallResponse")),
        }
        let passes = value.is_none_or(|value| {
            self.masks.columns.is_empty() && self.masker.text(value).as_slice() == value
        });
        if passes {
            return Ok(Outcome::Pass);
        }
        Backend::FunctionCallResponse(None)
            .encode(core.client.write(input))
            .map_err(|error| malformed(&error))?;
        Ok(Outcome::Done)
    }
}

fn call() -> Operation {
    let mut call = Operation::unreadable("a FunctionCall message");
    call.verb = Verb::FunctionCall;
    call.accesses = [Access {
        verb: Verb::FunctionCall,
        object: Object::Database,
    }]
    .into();
    call
}

/// What records and reviewers see of it.
fn described(body: &[u8]) -> String {
    let oid = body.first_chunk().map_or(0, |oid| u32::from_be_bytes(*oid));
    let arguments: String = body
        .iter()
        .skip(4)
        .take(256)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("FunctionCall of the function with OID {oid}, arguments \\x{arguments}")
}
