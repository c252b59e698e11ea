//! The server's messages: attributed to what the client sent, masked, recorded.

use std::rc::Rc;

use ostiary_operation::sql::Outputs;
use ostiary_wire::Malformed;
use ostiary_wire::postgres::{
    Backend, Frame, TransactionStatus, error_response::field, frame, tag,
};

use super::core::{Core, Fatal};
use super::expect::Expect;
use super::open::Open;
use super::reply;
use super::rows::{Column, Columns, Known, RowPlan};
use super::running::Running;
use super::taint::Taint;

/// Bytes of a command tag that are kept in a record.
const MAX_TAG: usize = 64;
/// Answers there is room for while none is awaited.
const KEEP: usize = 16;

/// What to do with a frame.
pub(super) enum Outcome {
    Pass,
    /// It was rewritten, withheld or answered.
    Done,
}

impl Open {
    pub(super) fn on_frame(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        if frame.tag == tag::backend::DATA_ROW {
            return self.on_row(core, frame, input);
        }
        if frame.tag == tag::backend::COPY_DATA {
            return self.on_copy_data(core, frame, input);
        }
        let message = Backend::parse(frame.tag, frame.body).map_err(|error| malformed(&error))?;
        if let Some(outcome) = self.on_look(&message)? {
            return Ok(outcome);
        }
        if (self.copying.is_some() || self.takes_data()) && !comes_within_copy(&message) {
            return Err(out_of_turn("a message within a COPY"));
        }
        match message {
            Backend::RowDescription(columns) => self.on_columns(&columns),
            Backend::CommandComplete { tag } => {
                let tag = tag.get(..MAX_TAG).unwrap_or(tag);
                self.on_complete(core, String::from_utf8_lossy(tag).into_owned())
            }
            Backend::EmptyQueryResponse => self.on_complete(core, String::new()),
            Backend::PortalSuspended => match self.expects.front() {
                Some(Expect::Execute { .. }) => self.on_complete(core, String::new()),
                _ => Err(out_of_turn("PortalSuspended")),
            },
            Backend::ReadyForQuery { status } => self.on_ready(core, status, input),
            Backend::ErrorResponse(fields) => self.on_error(core, fields, input),
            Backend::NoticeResponse(fields) => {
                let tainted = self.front_tainted();
                let position = fields.get(field::POSITION);
                self.rewrite_fields(core, fields, (frame.tag, position), tainted, input);
                Ok(Outcome::Done)
            }
            Backend::ParameterStatus { name, value } => {
                Ok(self.on_setting(core, name, value, input))
            }
            Backend::NotificationResponse {
                process_id,
                channel,
                payload,
            } => {
                if self.greeting.is_some() {
                    return Ok(Outcome::Done);
                }
                let payload = self.masker.text(payload);
                let out = core.client.write(input);
                let message = Backend::NotificationResponse {
                    process_id,
                    channel,
                    payload: &payload,
                };
                message.encode(out).map_err(|error| malformed(&error))?;
                Ok(Outcome::Done)
            }
            Backend::ParseComplete => match self.expects.pop_front() {
                Some(Expect::Parse { .. }) => Ok(Outcome::Pass),
                _ => Err(out_of_turn("ParseComplete")),
            },
            Backend::BindComplete => match self.expects.pop_front() {
                Some(Expect::Bind { .. }) => Ok(Outcome::Pass),
                _ => Err(out_of_turn("BindComplete")),
            },
            Backend::CloseComplete => match self.expects.pop_front() {
                Some(Expect::CloseStatement(_) | Expect::ClosePortal(_)) => Ok(Outcome::Pass),
                Some(Expect::Ping(said)) => {
                    core.client.write(input).extend(said);
                    Ok(Outcome::Done)
                }
                _ => Err(out_of_turn("CloseComplete")),
            },
            Backend::ParameterDescription(_) => match self.expects.front() {
                Some(Expect::DescribeStatement) => Ok(Outcome::Pass),
                _ => Err(out_of_turn("ParameterDescription")),
            },
            Backend::NoData => match self.expects.pop_front() {
                Some(Expect::DescribeStatement) => Ok(Outcome::Pass),
                Some(Expect::DescribePortal { portal, own }) => {
                    *portal.columns.borrow_mut() = Some(Rc::new(Columns(Vec::new())));
                    Ok(if own { Outcome::Done } else { Outcome::Pass })
                }
                _ => Err(out_of_turn("NoData")),
            },
            Backend::CopyOutResponse(format) => self.on_copy_out(&format),
            Backend::CopyDone => self.on_copy_done(),
            Backend::CopyInResponse(_) => self.on_copy_in(),
            Backend::CopyBothResponse(_) | Backend::CopyData(_) => {
                Err(out_of_turn("a COPY message"))
            }
            Backend::FunctionCallResponse(value) => self.on_function_result(core, value, input),
            Backend::Authentication(_)
            | Backend::BackendKeyData { .. }
            | Backend::NegotiateProtocolVersion { .. } => Err(out_of_turn("a login message")),
            Backend::DataRow(_) => Err(out_of_turn("DataRow")),
        }
    }

    fn on_setting(&mut self, core: &mut Core, name: &[u8], value: &[u8], input: &[u8]) -> Outcome {
        self.server.learn(name, value);
        if self.greeting.is_some() || self.hides_setting(name) {
            return Outcome::Done;
        }
        let masked = self.masker.text(value);
        if masked == value {
            return Outcome::Pass;
        }
        let message = Backend::ParameterStatus {
            name,
            value: &masked,
        };
        // The value is no longer than a frame: it came in one.
        let _ = message.encode(core.client.write(input));
        Outcome::Done
    }

    fn on_columns(
        &mut self,
        described: &[ostiary_wire::postgres::Column<'_>],
    ) -> Result<Outcome, Fatal> {
        match self.expects.pop_front() {
            Some(Expect::Query(mut running)) if running.is_query() => {
                if self.plan.is_some() {
                    // Another result of the same statement, as a rule makes it: the text says
                    // nothing of its columns.
                    running.outputs = Outputs::Unknown;
                }
                let columns = columns(described);
                running.described(&columns);
                self.plan_for(&columns, &running);
                self.expects.push_front(Expect::Query(running));
                Ok(Outcome::Pass)
            }
            Some(Expect::DescribeStatement) => Ok(Outcome::Pass),
            Some(Expect::DescribePortal { portal, own }) => {
                *portal.columns.borrow_mut() = Some(Rc::new(columns(described)));
                Ok(if own { Outcome::Done } else { Outcome::Pass })
            }
            Some(refresh @ Expect::Refresh(_)) => {
                self.expects.push_front(refresh);
                Ok(Outcome::Done)
            }
            _ => Err(out_of_turn("RowDescription")),
        }
    }

    /// Plans for the first row of an Execute, if its columns are known.
    pub(super) fn plan_execute(&mut self) {
        let Some(Expect::Execute { portal, running }) = self.expects.front_mut() else {
            return;
        };
        if portal.columns.borrow().is_none() {
            running.formatted(&portal.formats);
            return;
        }
        if let Some(Expect::Execute {
            portal,
            mut running,
        }) = self.expects.pop_front()
        {
            let columns = portal.columns.borrow().clone();
            if let Some(columns) = columns {
                running.described(&columns);
                self.plan_for(&columns, &running);
            }
            self.expects.push_front(Expect::Execute { portal, running });
        }
    }

    pub(super) fn plan_for(&mut self, columns: &Columns, running: &Running) {
        let plan = RowPlan::new(
            columns,
            &Known {
                catalogue: &self.catalogue,
                labels: !self.masks.columns.is_empty(),
                secretive: self
                    .masks
                    .columns
                    .iter()
                    .any(|(column, _)| !self.masks.rows_allowed.contains(&column.label)),
                detectors: !self.masks.detectors.is_empty(),
                stale: self.stale,
                taint: running.taint,
                outputs: if columns.0.len() == outputs_len(&running.outputs) {
                    &running.outputs
                } else {
                    &Outputs::Unknown
                },
            },
        );
        if let Some(relation) = plan.unknown()
            && relation != self.unknown_relation
        {
            self.unknown_relation = relation;
            self.outdated = true;
        }
        self.plan = Some(Rc::new(plan));
    }

    fn on_row(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        if self.plan.is_none() {
            self.plan_execute();
        }
        let mut expect = self
            .expects
            .pop_front()
            .ok_or_else(|| out_of_turn("DataRow"))?;
        let outcome = match &mut expect {
            Expect::Refresh(refresh) => {
                refresh.row(frame.body, &self.labels, self.masks_version);
                Ok(Outcome::Done)
            }
            Expect::Look(look) => look.row(frame.body).map(|()| Outcome::Done),
            Expect::Query(running) => match self.plan.clone() {
                Some(plan) if running.refusal.is_none() => {
                    self.row(core, frame, Some(&plan), running, input)
                }
                _ => Err(out_of_turn("DataRow")),
            },
            Expect::Execute { running, .. } => match self.plan.clone() {
                None if running.masked => Err(out_of_turn("DataRow without a description")),
                plan => self.row(core, frame, plan.as_deref(), running, input),
            },
            Expect::Parse { .. }
            | Expect::Bind { .. }
            | Expect::DescribeStatement
            | Expect::DescribePortal { .. }
            | Expect::CloseStatement(_)
            | Expect::ClosePortal(_)
            | Expect::Refused(_)
            | Expect::Ping(_)
            | Expect::Sync(_) => Err(out_of_turn("DataRow")),
        };
        self.expects.push_front(expect);
        outcome
    }

    fn row(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        plan: Option<&RowPlan>,
        running: &mut Running,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        count(running, frame.bytes.len());
        let Some(plan) = plan.filter(|plan| !plan.passes()) else {
            if running.wants_plain_sample(&core.config.limits, frame.bytes.len()) {
                running.sample(frame.body);
            }
            return Ok(Outcome::Pass);
        };
        let wants_sample = running.wants_sample(&core.config.limits);
        let out = core.client.write(input);
        let from = out.len();
        let masked = self
            .masker
            .row(frame.body, plan, out)
            .map_err(|error| broken(&error.to_string()))?;
        running.replied.masked = running.replied.masked.saturating_add(masked);
        if wants_sample {
            let body = from.saturating_add(frame::HEADER);
            running.sample(out.get(body..).unwrap_or_default());
        }
        Ok(Outcome::Done)
    }

    fn on_complete(&mut self, core: &mut Core, command: String) -> Result<Outcome, Fatal> {
        self.plan = None;
        match self.expects.pop_front() {
            Some(Expect::Query(mut running)) if running.is_query() && running.may_complete() => {
                self.transaction_tainted |= running.taint > Taint::None;
                running.completed(command);
                self.expects.push_front(Expect::Query(running));
                Ok(Outcome::Pass)
            }
            Some(Expect::Execute { mut running, .. }) if running.may_complete() => {
                self.transaction_tainted |= running.taint > Taint::None;
                running.completed(command);
                self.settle(&running);
                running.replied(core);
                Ok(Outcome::Pass)
            }
            Some(refresh @ Expect::Refresh(_)) => {
                self.expects.push_front(refresh);
                Ok(Outcome::Done)
            }
            _ => Err(out_of_turn("CommandComplete")),
        }
    }

    fn on_ready(
        &mut self,
        core: &mut Core,
        status: TransactionStatus,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        self.status = status;
        self.plan = None;
        let segment = match self.expects.pop_front() {
            Some(Expect::Query(running)) => {
                if running.refusal.is_some() && running.replied.sqlstate.is_empty() {
                    return Err(broken("a statement that cannot work has worked"));
                }
                self.settle(&running);
                let segment = running.segment;
                running.replied(core);
                segment
            }
            Some(Expect::Sync(segment)) => segment,
            Some(Expect::Refresh(refresh)) => {
                self.refreshed(core, *refresh, input)?;
                return Ok(Outcome::Done);
            }
            _ => return Err(out_of_turn("ReadyForQuery")),
        };
        if self.expects.is_empty() {
            // A long pipeline leaves a long queue.
            self.expects.shrink_to(KEEP);
        }
        self.answered = segment;
        self.statements.answered(segment);
        self.portals.answered(segment);
        if status == TransactionStatus::Idle {
            if let Some(changed) = self.untold_ddl {
                core.shared.change_schema();
                self.untold_ddl = Some(changed).filter(|changed| *changed > segment);
            }
            self.settings_changed = false;
            self.transaction_tainted = false;
            // Portals end with their transaction; a cursor may be held over, and FETCH names it.
            self.portals.retain(segment, |portal| portal.cursor);
            if self.portals.len() > core.config.limits.names / 2 {
                // A cursor that is forgotten here is unreadable from now on.
                self.portals.retain(segment, |_| false);
            }
        }
        Ok(Outcome::Pass)
    }
}

/// Whether the server may say this while data is copied, one way or the other.
fn comes_within_copy(message: &Backend<'_>) -> bool {
    matches!(
        message,
        Backend::CopyDone
            | Backend::ErrorResponse(_)
            | Backend::NoticeResponse(_)
            | Backend::ParameterStatus { .. }
            | Backend::NotificationResponse { .. }
    )
}

/// A RowDescription, to be kept.
pub(super) fn columns(described: &[ostiary_wire::postgres::Column<'_>]) -> Columns {
    let columns = described.iter().map(|column| Column {
        name: String::from_utf8_lossy(column.name).into_owned(),
        table: column.table,
        attribute: column.attribute,
        type_id: column.type_id,
        format: column.format,
    });
    Columns(columns.collect())
}

fn outputs_len(outputs: &Outputs) -> usize {
    match outputs {
        Outputs::Unknown => 0,
        Outputs::Clean(clean) => clean.len(),
    }
}

pub(super) fn count(running: &mut Running, length: usize) {
    running.replied.rows = running.replied.rows.saturating_add(1);
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    running.replied.bytes = running.replied.bytes.saturating_add(length);
}

pub(super) fn broken(what: &str) -> Fatal {
    Fatal::new(
        reply::UNAVAILABLE,
        "server",
        "the server broke the protocol; the connection is closed".to_owned(),
    )
    .with_detail(format!("the server broke the protocol: {what}"))
}

pub(super) fn out_of_turn(what: &str) -> Fatal {
    broken(&format!("{what} out of turn"))
}

pub(super) fn malformed(error: &Malformed) -> Fatal {
    broken(&error.to_string())
}
