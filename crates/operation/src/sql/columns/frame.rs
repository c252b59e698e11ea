//! Expressions while they are read: where an AND or OR parts them, and whether they can fail.

use super::{Columns, Context, SHAPING};

/// An expression that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sql) struct Frame {
    /// The first name and token of it.
    pub(super) names: usize,
    pub(in crate::sql) token: usize,
    /// The first name and constant behind the last AND or OR.
    pub(super) segment: usize,
    pub(super) constants: usize,
    pub(super) depth: u32,
    pub(super) betweens: u32,
    /// Something in it can fail.
    pub(super) fails: bool,
    /// Something in an expression inside it can.
    pub(super) fails_below: bool,
    /// Not all of it is always evaluated.
    pub(super) skips: bool,
    /// It is AND or OR.
    pub(super) logical: bool,
}

impl Columns<'_> {
    /// Begins a clause; the frame returned belongs to `leave`.
    pub(in crate::sql) fn enter(&mut self, context: Context) -> (Context, Frame) {
        (
            std::mem::replace(&mut self.context, context),
            std::mem::take(&mut self.frame),
        )
    }

    pub(in crate::sql) fn leave(&mut self, (context, frame): (Context, Frame)) {
        let inner = std::mem::replace(&mut self.frame, frame);
        self.frame.fails_below |= inner.fails || inner.fails_below;
        self.context = context;
    }

    /// Begins an expression at a token; the frame returned belongs to `close`.
    pub(in crate::sql) fn open(&mut self, token: usize) -> Frame {
        let frame = Frame {
            names: self.noted.len(),
            token,
            segment: self.noted.len(),
            constants: self.constants.len(),
            depth: self.frame.depth + 1,
            ..Frame::default()
        };
        std::mem::replace(&mut self.frame, frame)
    }

    pub(in crate::sql) fn close(&mut self, outer: Frame) {
        let frame = self.frame;
        if frame.fails || frame.skips && frame.fails_below {
            let group = self.context.group;
            self.give(self.since(frame.names), group, SHAPING);
        }
        if frame.logical || frame.depth == 1 {
            self.end_segment();
        }
        self.frame = outer;
        self.frame.fails_below |= frame.fails || frame.fails_below;
    }

    pub(in crate::sql) fn frame(&self) -> Frame {
        self.frame
    }

    /// The expression can fail, or give several rows.
    pub(in crate::sql) fn fails(&mut self) {
        self.frame.fails = true;
    }

    /// Parts of the expression may not be evaluated.
    pub(in crate::sql) fn skips(&mut self) {
        self.frame.skips = true;
    }

    /// `BETWEEN`: the next AND belongs to it.
    pub(in crate::sql) fn between(&mut self) {
        self.frame.betweens += 1;
        self.frame.skips = true;
    }

    /// `AND` or `OR`.
    pub(in crate::sql) fn connective(&mut self, and: bool) {
        self.frame.skips = true;
        if and && self.frame.betweens > 0 {
            self.frame.betweens -= 1;
            return;
        }
        self.frame.logical = true;
        self.end_segment();
    }
}
