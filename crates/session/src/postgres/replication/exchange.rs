//! One command on its way: which messages of either side belong to it now.

use ostiary_wire::postgres::Backend;

use super::command::{Command, Data};
use crate::postgres::answers::{columns, count, out_of_turn};
use crate::postgres::core::Fatal;
use crate::postgres::running::Running;

/// Bytes of a command tag that are kept in a record.
const MAX_TAG: usize = 64;

/// A command the server has yet to answer.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) running: Running,
    pub(super) command: Option<Command>,
    pub(super) flow: Flow,
    /// Rows may come: they were described.
    rows: bool,
    /// Data was asked for or offered, which happens once where the client sends any.
    copied: bool,
    /// The server has said that it is done, or that it failed.
    pub(super) answered: bool,
    pub(super) failed: bool,
}

/// Data that flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    None,
    Out,
    In,
    /// Each side ends its own.
    Both {
        server: bool,
        client: bool,
    },
}

impl Exchange {
    /// Of a statement that is sure to fail there is no command.
    pub(super) fn new(running: Running, command: Option<Command>) -> Self {
        Self {
            running,
            command,
            flow: Flow::None,
            rows: false,
            copied: false,
            answered: false,
            failed: false,
        }
    }

    /// Whether the client's messages are data.
    pub(super) fn takes_data(&self) -> bool {
        matches!(self.flow, Flow::In | Flow::Both { client: true, .. })
    }

    /// Whether data of the server passes now.
    pub(super) fn sends_data(&self) -> bool {
        matches!(self.flow, Flow::Out | Flow::Both { server: true, .. })
    }

    /// Whether rows of the server pass now.
    pub(super) fn sends_rows(&self) -> bool {
        self.rows && self.flow == Flow::None && !self.failed
    }

    /// Whether nothing of it is missing but ReadyForQuery.
    pub(super) fn is_over(&self) -> bool {
        self.answered && self.flow == Flow::None
    }

    /// So many bytes of data have passed.
    pub(super) fn count(&mut self, length: usize) {
        let bytes = &mut self.running.replied.bytes;
        *bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }

    /// The client's part of the data is over.
    pub(super) fn client_done(&mut self) {
        self.flow = match self.flow {
            Flow::Both { server: true, .. } => Flow::Both {
                server: true,
                client: false,
            },
            _ => Flow::None,
        };
    }

    /// The command has failed, and no data flows any more.
    pub(super) fn fail(&mut self) {
        self.flow = Flow::None;
        self.failed = true;
        self.answered = true;
    }

    /// A message of the server that is no error and not the end.
    pub(super) fn answer(&mut self, message: &Backend<'_>) -> Result<(), Fatal> {
        let Some(command) = self.command.filter(|_| !self.failed) else {
            return Err(out_of_turn("an answer to what cannot work"));
        };
        let opens = |data| command.data == data;
        match (message, self.flow) {
            (Backend::RowDescription(described), Flow::None) => {
                self.running.described(&columns(described));
                self.rows = true;
            }
            (Backend::DataRow(body), _) if self.sends_rows() => {
                count(&mut self.running, body.len().saturating_add(5));
                self.running.sample(body);
            }
            (Backend::CommandComplete { tag }, Flow::None) => {
                let tag = tag.get(..MAX_TAG).unwrap_or(tag);
                self.running
                    .completed(String::from_utf8_lossy(tag).into_owned());
                self.rows = false;
                self.answered = true;
            }
            // Up to PostgreSQL 14 there is one for each tablespace.
            (Backend::CopyOutResponse(_), Flow::None) if opens(Data::Out) => self.flow = Flow::Out,
            (Backend::CopyInResponse(_), Flow::None) if opens(Data::In) && !self.copied => {
                self.flow = Flow::In;
                self.copied = true;
            }
            (Backend::CopyBothResponse(_), Flow::None) if opens(Data::Both) && !self.copied => {
                self.flow = Flow::Both {
                    server: true,
                    client: true,
                };
                self.copied = true;
            }
            (Backend::CopyDone, Flow::Out | Flow::Both { client: false, .. }) => {
                self.flow = Flow::None;
            }
            (
                Backend::CopyDone,
                Flow::Both {
                    server: true,
                    client: true,
                },
            ) => {
                self.flow = Flow::Both {
                    server: false,
                    client: true,
                };
            }
            _ => return Err(out_of_turn("a message of a replication command")),
        }
        Ok(())
    }
}
