//! The server's frames: attributed to what the client sent, masked, recorded.

use std::rc::Rc;

use ostiary_operation::sql::Outputs;
use ostiary_record::event::Kind;
use ostiary_wire::postgres::{
    Backend, Fields, Frame, TransactionStatus, error_response::field, frame, tag,
};

use super::core::{Core, Fatal};
use super::open::{Expect, Open};
use super::rows::{Column, Columns, Known, RowPlan};
use super::running::Running;
use super::{Next, reply};

/// Bytes of the server that are not a whole frame yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    carry: Vec<u8>,
    /// Bytes of the current row that still pass.
    passing: usize,
}

/// What to do with a frame.
enum Outcome {
    Pass,
    /// It was rewritten, withheld or answered.
    Done,
}

impl Open {
    pub(super) fn from_server(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        let mut at = self.pass_rest_of_row(core, bytes);
        at = self.complete_carry(core, bytes, at)?;
        let limit = core.config.limits.row;
        while self.incoming.carry.is_empty() {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(header) = frame::header(rest).map_err(|error| broken(&error.to_string()))?
            else {
                self.incoming.carry.extend_from_slice(rest);
                break;
            };
            let end = at.saturating_add(header.length);
            if self.row_passes(core, header.tag) {
                self.count_row(header.length);
                core.client.pass(bytes, at, end.min(bytes.len()));
                self.incoming.passing = end.saturating_sub(bytes.len());
                at = end.min(bytes.len());
                if at == bytes.len() {
                    break;
                }
                continue;
            }
            if header.length > limit {
                return Err(too_long(header.length, limit));
            }
            let Some(frame) =
                frame::take(rest, limit).map_err(|error| broken(&error.to_string()))?
            else {
                self.incoming.carry.extend_from_slice(rest);
                break;
            };
            match self.on_frame(core, &frame, bytes)? {
                Outcome::Pass => core.client.pass(bytes, at, end),
                Outcome::Done => {}
            }
            at = end;
        }
        let next = self.pump(core);
        self.flush(core);
        next
    }

    /// The rest of a row that began in an earlier call and passes.
    fn pass_rest_of_row(&mut self, core: &mut Core, bytes: &[u8]) -> usize {
        let at = self.incoming.passing.min(bytes.len());
        if at > 0 {
            core.client.pass(bytes, 0, at);
            self.incoming.passing = self.incoming.passing.saturating_sub(at);
        }
        at
    }

    /// Completes a frame that began in an earlier call; takes no more of `bytes` than it needs.
    fn complete_carry(
        &mut self,
        core: &mut Core,
        bytes: &[u8],
        mut at: usize,
    ) -> Result<usize, Fatal> {
        let limit = core.config.limits.row;
        while !self.incoming.carry.is_empty() && at < bytes.len() {
            let carry = &self.incoming.carry;
            let needed = match frame::header(carry).map_err(|error| broken(&error.to_string()))? {
                None => frame::HEADER.saturating_sub(carry.len()),
                Some(header) if header.length > limit => {
                    return Err(too_long(header.length, limit));
                }
                Some(header) => header.length.saturating_sub(carry.len()),
            };
            let end = at.saturating_add(needed).min(bytes.len());
            self.incoming
                .carry
                .extend_from_slice(bytes.get(at..end).unwrap_or_default());
            at = end;
            let carry = std::mem::take(&mut self.incoming.carry);
            match frame::take(&carry, limit).map_err(|error| broken(&error.to_string()))? {
                None => self.incoming.carry = carry,
                Some(frame) => {
                    if let Outcome::Pass = self.on_frame(core, &frame, bytes)? {
                        core.client.write(bytes).extend_from_slice(frame.bytes);
                        // What passes next starts behind the bytes that went into the carry.
                        core.client.pass(bytes, at, at);
                    }
                }
            }
        }
        Ok(at)
    }

    /// Whether a frame is a row that passes without being read.
    fn row_passes(&self, core: &Core, kind: u8) -> bool {
        kind == tag::backend::DATA_ROW
            && self.greeting.is_none()
            && match self.expects.front() {
                Some(Expect::Query(running)) => {
                    self.plan.as_ref().is_some_and(|plan| plan.passes())
                        && !running.wants_sample(&core.config.limits)
                }
                Some(Expect::Execute { running, .. }) => {
                    !running.wants_sample(&core.config.limits)
                        && match &self.plan {
                            Some(plan) => plan.passes(),
                            None => !self.masks_anything(),
                        }
                }
                _ => false,
            }
    }

    fn count_row(&mut self, length: usize) {
        if let Some(Expect::Query(running) | Expect::Execute { running, .. }) =
            self.expects.front_mut()
        {
            count(running, length);
        }
    }

    fn on_frame(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        if frame.tag == tag::backend::DATA_ROW {
            return self.on_row(core, frame, input);
        }
        let message =
            Backend::parse(frame.tag, frame.body).map_err(|error| broken(&error.to_string()))?;
        match message {
            Backend::RowDescription(columns) => self.on_columns(&columns),
            Backend::CommandComplete { tag } => {
                let tag = String::from_utf8_lossy(tag).into_owned();
                self.on_complete(core, tag)
            }
            Backend::EmptyQueryResponse | Backend::PortalSuspended => {
                self.on_complete(core, String::new())
            }
            Backend::ReadyForQuery { status } => self.on_ready(core, status, input),
            Backend::ErrorResponse(fields) => self.on_error(core, fields, input),
            Backend::NoticeResponse(fields) => {
                let tainted = self.front_tainted();
                self.rewrite_fields(core, fields, frame.tag, tainted, input);
                Ok(Outcome::Done)
            }
            Backend::ParameterStatus { name, value } => {
                self.server.learn(name, value);
                Ok(if self.greeting.is_some() {
                    Outcome::Done
                } else {
                    Outcome::Pass
                })
            }
            Backend::NotificationResponse {
                process_id,
                channel,
                payload,
            } => {
                let payload = self.masker.text(payload);
                let out = core.client.write(input);
                let message = Backend::NotificationResponse {
                    process_id,
                    channel,
                    payload: &payload,
                };
                message
                    .encode(out)
                    .map_err(|error| broken(&error.to_string()))?;
                Ok(Outcome::Done)
            }
            Backend::ParseComplete => match self.expects.pop_front() {
                Some(Expect::Parse(_)) => Ok(Outcome::Pass),
                _ => Err(out_of_turn("ParseComplete")),
            },
            Backend::BindComplete => match self.expects.pop_front() {
                Some(Expect::Bind(_)) => Ok(Outcome::Pass),
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
            Backend::CopyInResponse(_)
            | Backend::CopyOutResponse(_)
            | Backend::CopyBothResponse(_)
            | Backend::CopyData(_)
            | Backend::CopyDone => Err(out_of_turn("a COPY message")),
            Backend::Authentication(_)
            | Backend::BackendKeyData { .. }
            | Backend::NegotiateProtocolVersion { .. }
            | Backend::FunctionCallResponse(_) => Err(out_of_turn("a login message")),
            Backend::DataRow(_) => Err(out_of_turn("DataRow")),
        }
    }

    fn on_columns(
        &mut self,
        columns: &[ostiary_wire::postgres::Column<'_>],
    ) -> Result<Outcome, Fatal> {
        let columns = Columns(
            columns
                .iter()
                .map(|column| Column {
                    name: String::from_utf8_lossy(column.name).into_owned(),
                    table: column.table,
                    attribute: column.attribute,
                    type_id: column.type_id,
                    format: column.format,
                })
                .collect(),
        );
        match self.expects.pop_front() {
            Some(Expect::Query(mut running)) if running.refusal.is_none() => {
                running.described(&columns);
                self.plan = Some(Rc::new(self.plan_for(&columns, &running)));
                self.expects.push_front(Expect::Query(running));
                Ok(Outcome::Pass)
            }
            Some(Expect::DescribeStatement) => Ok(Outcome::Pass),
            Some(Expect::DescribePortal { portal, own }) => {
                *portal.columns.borrow_mut() = Some(Rc::new(columns));
                Ok(if own { Outcome::Done } else { Outcome::Pass })
            }
            Some(refresh @ Expect::Refresh(_)) => {
                self.expects.push_front(refresh);
                Ok(Outcome::Done)
            }
            _ => Err(out_of_turn("RowDescription")),
        }
    }

    fn plan_for(&self, columns: &Columns, running: &Running) -> RowPlan {
        RowPlan::new(
            columns,
            &Known {
                catalogue: &self.catalogue,
                labels: !self.masks.columns.is_empty(),
                detectors: !self.masks.detectors.is_empty(),
                stale: self.stale,
                tainted: running.tainted,
                outputs: if columns.0.len() == outputs_len(&running.outputs) {
                    &running.outputs
                } else {
                    &Outputs::Unknown
                },
            },
        )
    }

    fn on_row(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        let mut expect = self
            .expects
            .pop_front()
            .ok_or_else(|| out_of_turn("DataRow"))?;
        let outcome = match &mut expect {
            Expect::Refresh(refresh) => {
                refresh.row(frame.body, &self.masks);
                Ok(Outcome::Done)
            }
            Expect::Query(running) => match self.plan.clone() {
                Some(plan) if running.refusal.is_none() => {
                    self.row(core, frame, Some(&plan), running, input)
                }
                _ => Err(out_of_turn("DataRow")),
            },
            Expect::Execute { portal, running } => {
                if self.plan.is_none() {
                    let columns = portal.columns.borrow().clone();
                    if let Some(columns) = columns {
                        running.described(&columns);
                        self.plan = Some(Rc::new(self.plan_for(&columns, running)));
                    } else if self.masks_anything() {
                        return Err(out_of_turn("DataRow without a description"));
                    }
                }
                let plan = self.plan.clone();
                self.row(core, frame, plan.as_deref(), running, input)
            }
            Expect::Parse(_)
            | Expect::Bind(_)
            | Expect::DescribeStatement
            | Expect::DescribePortal { .. }
            | Expect::CloseStatement(_)
            | Expect::ClosePortal(_)
            | Expect::Refused(_)
            | Expect::Ping(_)
            | Expect::Sync => Err(out_of_turn("DataRow")),
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
        let wants_sample = running.wants_sample(&core.config.limits);
        let Some(plan) = plan.filter(|plan| !plan.passes()) else {
            if wants_sample {
                running.sample(frame.body);
            }
            return Ok(Outcome::Pass);
        };
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
            Some(Expect::Query(mut running)) if running.refusal.is_none() => {
                running.replied.command_tag = command;
                self.expects.push_front(Expect::Query(running));
                Ok(Outcome::Pass)
            }
            Some(Expect::Execute { mut running, .. }) => {
                running.replied.command_tag = command;
                self.settle(&running);
                replied(core, *running);
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
        match self.expects.pop_front() {
            Some(Expect::Query(running)) => {
                if running.refusal.is_some() && running.replied.sqlstate.is_empty() {
                    return Err(broken("a statement that cannot work has worked"));
                }
                self.settle(&running);
                replied(core, *running);
            }
            Some(Expect::Sync) => {}
            Some(Expect::Refresh(refresh)) => {
                self.refreshed(*refresh)?;
                self.greet(core, input);
                return Ok(Outcome::Done);
            }
            _ => return Err(out_of_turn("ReadyForQuery")),
        }
        self.answered = self.answered.saturating_add(1);
        if status == TransactionStatus::Idle {
            self.settings_changed = false;
            // Portals end with their transaction; a cursor may be held over, and FETCH names it.
            if self.expects.is_empty() && self.batch.is_none() {
                self.portals.retain(|portal| portal.cursor);
                if self.portals.len() > core.config.limits.names / 2 {
                    // A cursor that is forgotten here is unreadable from now on.
                    self.portals.clear();
                }
            }
        }
        Ok(Outcome::Pass)
    }

    fn on_error(
        &mut self,
        core: &mut Core,
        fields: Fields<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        self.plan = None;
        let ends = matches!(fields.severity(), Some(b"FATAL" | b"PANIC"));
        let tainted = self.front_tainted();
        let refused = match self.expects.front_mut() {
            Some(Expect::Refresh(refresh)) => {
                refresh.fail();
                if !ends {
                    return Ok(Outcome::Done);
                }
                None
            }
            Some(Expect::Refused(refusal)) if !ends => Some(refusal.clone()),
            Some(Expect::Query(running)) if !ends => {
                let refusal = running.refusal.clone();
                note_error(running, fields, refusal.as_ref());
                refusal
            }
            Some(Expect::Execute { running, .. }) => {
                note_error(running, fields, None);
                None
            }
            _ => None,
        };
        match refused {
            Some(refusal) => {
                refusal.encode(core.journal.session_id(), core.client.write(input));
            }
            None => self.rewrite_fields(core, fields, tag::backend::ERROR_RESPONSE, tainted, input),
        }
        if !ends {
            self.skip_to_sync(core);
        }
        Ok(Outcome::Done)
    }

    /// After an error in the extended protocol the server answers nothing until Sync.
    fn skip_to_sync(&mut self, core: &mut Core) {
        if matches!(
            self.expects.front(),
            None | Some(Expect::Query(_) | Expect::Refresh(_))
        ) {
            return;
        }
        let mut undone = Vec::new();
        while let Some(expect) = self.expects.pop_front() {
            match expect {
                Expect::Sync => {
                    self.expects.push_front(Expect::Sync);
                    break;
                }
                Expect::Execute { running, .. } if !running.replied.sqlstate.is_empty() => {
                    self.settle(&running);
                    replied(core, *running);
                }
                other => undone.push(other),
            }
        }
        if self.expects.is_empty() {
            // The Sync has not come yet: what the client sends until then is dropped here as well.
            self.skipping = true;
        }
        for expect in undone.into_iter().rev() {
            self.undo(expect);
        }
    }

    /// Whether what the server says now may quote a labelled value.
    fn front_tainted(&self) -> bool {
        match self.expects.front() {
            Some(Expect::Query(running) | Expect::Execute { running, .. }) => running.tainted,
            // A Parse or Bind runs input functions and folds constants.
            Some(Expect::Parse(_) | Expect::Bind(_)) => !self.masks.columns.is_empty(),
            _ => false,
        }
    }

    /// Sends an error or notice on, without what could quote a labelled value.
    fn rewrite_fields(
        &mut self,
        core: &mut Core,
        fields: Fields<'_>,
        kind: u8,
        tainted: bool,
        input: &[u8],
    ) {
        if self.greeting.is_some() {
            return;
        }
        let sqlstate = fields.sqlstate().unwrap_or(b"XX000").to_vec();
        // Class 42 (syntax, names, rights) and 57 (cancel, shutdown) quote the statement, no data.
        let quotes_data = tainted && !matches!(sqlstate.get(..2), Some(b"42" | b"57"));
        let mut body = Vec::new();
        let mut has_sqlstate = false;
        for (code, value) in fields.iter() {
            has_sqlstate |= code == field::SQLSTATE;
            let value = match code {
                field::MESSAGE if quotes_data => {
                    b"the message is withheld: it may quote labelled data".to_vec()
                }
                field::DETAIL | field::HINT | field::WHERE | field::INTERNAL_QUERY
                    if quotes_data =>
                {
                    continue;
                }
                field::MESSAGE
                | field::DETAIL
                | field::HINT
                | field::WHERE
                | field::INTERNAL_QUERY => self.masker.text(value),
                _ => value.to_vec(),
            };
            body.push(code);
            body.extend(value);
            body.push(0);
        }
        if !has_sqlstate {
            body.push(field::SQLSTATE);
            body.extend_from_slice(b"XX000\0");
        }
        body.push(0);
        let length = body.len().saturating_add(4);
        if let Ok(length) = u32::try_from(length) {
            let out = core.client.write(input);
            out.push(kind);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend(body);
        }
    }
}

fn outputs_len(outputs: &Outputs) -> usize {
    match outputs {
        Outputs::Unknown => 0,
        Outputs::Clean(clean) => clean.len(),
    }
}

fn count(running: &mut Running, length: usize) {
    running.replied.rows = running.replied.rows.saturating_add(1);
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    running.replied.bytes = running.replied.bytes.saturating_add(length);
}

/// Keeps what a record says of an error: the refusal, or SQLSTATE and, where it is harmless, text.
fn note_error(running: &mut Running, fields: Fields<'_>, refusal: Option<&super::reply::Refusal>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match refusal {
        Some(refusal) => {
            running.replied.sqlstate = refusal.sqlstate.to_owned();
            running.replied.error.clone_from(&refusal.message);
        }
        None => {
            running.replied.sqlstate = text(fields.sqlstate().unwrap_or(b"XX000"));
            if !running.tainted {
                running.replied.error = text(fields.message().unwrap_or_default());
            }
        }
    }
}

/// Records the end of an operation; a refused one has said all in its verdict.
fn replied(core: &mut Core, mut running: Running) {
    if running.refusal.is_some() {
        return;
    }
    running.replied.duration_us = core.now.since(running.since);
    core.record(Kind::Replied(running.replied));
}

fn broken(what: &str) -> Fatal {
    Fatal::new(
        reply::UNAVAILABLE,
        "server",
        "the server broke the protocol; the connection is closed".to_owned(),
    )
    .with_detail(format!("the server broke the protocol: {what}"))
}

fn out_of_turn(what: &str) -> Fatal {
    broken(&format!("{what} out of turn"))
}

fn too_long(length: usize, limit: usize) -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "limit",
        format!("a row of {length} bytes has to be masked and is longer than {limit} bytes"),
    )
}
