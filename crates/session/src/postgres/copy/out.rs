//! The data of COPY TO on its way to the client.

use std::rc::Rc;

use ostiary_operation::sql::CopyFormat;
use ostiary_wire::postgres::{CopyFormat as Announced, Format, Frame};

use super::encoding::is_plain;
use super::stream::{Cells, Change, Stream, Took};
use crate::Limits;
use crate::postgres::answers::{Outcome, broken, out_of_turn};
use crate::postgres::core::{Core, Fatal};
use crate::postgres::expect::Expect;
use crate::postgres::judge::Read;
use crate::postgres::open::Open;
use crate::postgres::reply;
use crate::postgres::rows::{Masker, RowPlan};
use crate::postgres::running::Running;

/// A COPY under way.
#[derive(Debug)]
pub(in crate::postgres) enum Copying {
    /// Data goes to the client as it comes; the record may want to see its start.
    Passes(Option<Box<Stream>>),
    /// Data goes to the client row by row.
    Masks(Box<Stream>, Rc<RowPlan>),
}

impl Open {
    /// Why the rows of a text's COPYs could not be masked, if so.
    pub(in crate::postgres) fn cannot_copy(&self, read: &Read) -> Option<&'static str> {
        let mut copies = read.copies.iter().filter(|copy| copy.out).peekable();
        if copies.peek().is_none() || !self.masks_anything() {
            return None;
        }
        if !read.is_single() && !read.is_only_reads() {
            return Some("COPY TO STDOUT beside statements that change something");
        }
        if self.is_unsettled() {
            return Some("COPY TO STDOUT right behind a statement that may change settings");
        }
        for copy in copies {
            let Some(layout) = &copy.layout else {
                return Some("COPY TO STDOUT with options that are not understood");
            };
            let encoding = layout.encoding.as_deref().unwrap_or(&self.server.encoding);
            if layout.format != CopyFormat::Binary && !is_plain(encoding) {
                return Some("COPY TO STDOUT in this encoding");
            }
        }
        None
    }

    pub(in crate::postgres) fn on_copy_out(&mut self, said: &Announced) -> Result<Outcome, Fatal> {
        if self.copying.is_some() {
            return Err(out_of_turn("CopyOutResponse"));
        }
        let masks = self.masks_anything();
        let front = self.expects.pop_front();
        let (mut running, rest) = match front {
            Some(Expect::Query(running)) if running.is_query() => (running, None),
            Some(Expect::Execute { portal, running }) => (running, Some(portal)),
            _ => return Err(out_of_turn("CopyOutResponse")),
        };
        let planned = running.copies.pop();
        let layout = planned.as_ref().and_then(|planned| planned.layout.clone());
        let layout = layout.filter(|layout| {
            (layout.format == CopyFormat::Binary) == (said.format == Format::Binary)
        });
        let asked = planned.and_then(|planned| Some((planned.columns?, planned.outputs)));
        let copying = match asked {
            // Of a text that is no COPY, or was not asked about.
            None if masks || running.masked => return Err(out_of_turn("CopyOutResponse")),
            None => {
                running.formatted(&[said.format]);
                let count = said.column_formats.len();
                let sampler = layout.map(|layout| Box::new(Stream::sampler(&layout, count)));
                Copying::Passes(sampler)
            }
            Some((mut columns, outputs)) => {
                running.outputs = outputs;
                for column in &mut columns.0 {
                    column.format = said.format;
                }
                if said.column_formats.len() != columns.0.len() {
                    return Err(unmasked("the server sends other columns than it described"));
                }
                let Some(layout) = layout else {
                    return Err(unmasked("its format is not known"));
                };
                running.described(&columns);
                self.plan_for(&columns, &running);
                let names = columns.0.into_iter().map(|column| column.name.into_bytes());
                let stream = Box::new(Stream::new(&layout, names.collect()));
                match self.plan.take() {
                    Some(plan) if plan.passes() => Copying::Passes(Some(stream)),
                    Some(plan) => Copying::Masks(stream, plan),
                    None => return Err(unmasked("it has no plan")),
                }
            }
        };
        running.copied = true;
        self.copying = Some(copying);
        self.expects.push_front(match rest {
            None => Expect::Query(running),
            Some(portal) => Expect::Execute { portal, running },
        });
        Ok(Outcome::Pass)
    }

    pub(in crate::postgres) fn on_copy_data(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<Outcome, Fatal> {
        let Some(Expect::Query(running) | Expect::Execute { running, .. }) =
            self.expects.front_mut()
        else {
            return Err(out_of_turn("CopyData"));
        };
        let limits = &core.config.limits;
        let length = u64::try_from(frame.body.len()).unwrap_or(u64::MAX);
        running.replied.bytes = running.replied.bytes.saturating_add(length);
        match &mut self.copying {
            None => Err(out_of_turn("CopyData")),
            Some(Copying::Passes(sampler)) => {
                if let Some(stream) = sampler {
                    let mut cells = Rewriting::new(&mut self.masker, None, running, limits);
                    let taken = stream.take(frame.body, limits.row, &mut cells, &mut Vec::new());
                    if taken.is_err() || !running.wants_sample(limits) {
                        *sampler = None;
                    }
                }
                Ok(Outcome::Pass)
            }
            Some(Copying::Masks(stream, plan)) => {
                let mut cells = Rewriting::new(&mut self.masker, Some(plan), running, limits);
                let out = core.client.write(input);
                let taken = stream.take(frame.body, limits.row, &mut cells, out);
                match taken.map_err(|error| broken(&error.to_string()))? {
                    Took::AsItCame => Ok(Outcome::Pass),
                    Took::Written => Ok(Outcome::Done),
                }
            }
        }
    }

    pub(in crate::postgres) fn on_copy_done(&mut self) -> Result<Outcome, Fatal> {
        match self.copying.take() {
            Some(Copying::Passes(_)) => Ok(Outcome::Pass),
            Some(Copying::Masks(stream, _)) => {
                stream
                    .finish()
                    .map_err(|error| broken(&error.to_string()))?;
                Ok(Outcome::Pass)
            }
            None => Err(out_of_turn("CopyDone")),
        }
    }

    /// Whether data of `length` bytes passes without being read.
    pub(in crate::postgres) fn copy_passes(
        &self,
        running: &Running,
        limits: &Limits,
        length: usize,
    ) -> bool {
        match &self.copying {
            Some(Copying::Passes(None)) => true,
            Some(Copying::Passes(Some(_))) => !running.wants_plain_sample(limits, length),
            Some(Copying::Masks(..)) | None => false,
        }
    }

    /// Data that passes without being read.
    pub(in crate::postgres) fn count_copy(&mut self, length: usize) {
        if let Some(Copying::Passes(sampler)) = &mut self.copying {
            // It has missed a part.
            *sampler = None;
        }
        if let Some(Expect::Query(running) | Expect::Execute { running, .. }) =
            self.expects.front_mut()
        {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            running.replied.bytes = running.replied.bytes.saturating_add(length);
        }
    }
}

/// Masks values, counts them and keeps some for the record.
struct Rewriting<'a> {
    masker: &'a mut Masker,
    /// None if all values stay.
    plan: Option<&'a RowPlan>,
    running: &'a mut Running,
    limits: &'a Limits,
    sampling: bool,
    sample: Vec<Option<Vec<u8>>>,
}

impl<'a> Rewriting<'a> {
    fn new(
        masker: &'a mut Masker,
        plan: Option<&'a RowPlan>,
        running: &'a mut Running,
        limits: &'a Limits,
    ) -> Self {
        Self {
            masker,
            plan,
            sampling: running.wants_sample(limits),
            running,
            limits,
            sample: Vec::new(),
        }
    }
}

impl Cells for Rewriting<'_> {
    fn cell(&mut self, index: usize, value: Option<&[u8]>, out: &mut Vec<u8>) -> Change {
        let from = out.len();
        let change = match self.plan {
            Some(plan) => self.masker.value(plan, index, value, out),
            None => Change::Keep,
        };
        if change != Change::Keep {
            let masked = &mut self.running.replied.masked;
            *masked = masked.saturating_add(1);
        }
        if self.sampling {
            self.sample.push(match change {
                Change::Keep => value.map(<[u8]>::to_vec),
                Change::Text => out.get(from..).map(<[u8]>::to_vec),
                Change::Null => None,
            });
        }
        change
    }

    fn row(&mut self) {
        let rows = &mut self.running.replied.rows;
        *rows = rows.saturating_add(1);
        if self.sampling {
            let sample = std::mem::take(&mut self.sample);
            let values = sample.iter().map(|value| value.as_deref());
            self.running.keep(values);
            self.sampling = self.running.wants_sample(self.limits);
        }
    }
}

fn unmasked(why: &str) -> Fatal {
    Fatal::new(
        reply::UNAVAILABLE,
        "copy",
        format!("the rows of a COPY cannot be masked ({why}); the connection is closed"),
    )
}
