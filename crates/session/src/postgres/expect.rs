//! What the server still has to answer, in order.

use std::rc::Rc;

use super::copy::Look;
use super::names::{Portal, Prepared, Undo};
use super::refresh::Refresh;
use super::reply::Refusal;
use super::running::Running;

/// One answer to come.
#[derive(Debug)]
pub(super) enum Expect {
    /// A Query, up to ReadyForQuery.
    Query(Box<Running>),
    Parse {
        undo: Undo<Prepared>,
        /// The statement can reach a labelled relation.
        tainted: bool,
    },
    Bind {
        undo: Undo<Portal>,
        tainted: bool,
    },
    DescribeStatement,
    DescribePortal {
        portal: Rc<Portal>,
        /// Whether the session asks, not the client.
        own: bool,
    },
    Execute {
        portal: Rc<Portal>,
        running: Box<Running>,
    },
    CloseStatement(Undo<Prepared>),
    ClosePortal(Undo<Portal>),
    /// A message of ours that is sure to fail, in place of a refused one.
    Refused(Refusal),
    /// A Close of ours whose answer is replaced by these bytes.
    Ping(Vec<u8>),
    /// The end of this segment.
    Sync(u64),
    /// What a COPY will send was asked; the COPY follows.
    Look(Box<Look>),
    /// A query of ours.
    Refresh(Box<Refresh>),
}

/// Messages kept back, and the answers they will have.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) expects: Vec<Expect>,
}
