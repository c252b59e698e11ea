//! COPY FROM STDIN: the client's data on its way to the server.
//!
//! From the moment such a COPY goes until the server asks for data nothing more of the client is read:
//! only then it is clear how the server takes what comes next.

use ostiary_wire::postgres::Frontend;

use crate::postgres::answers::{Outcome, out_of_turn};
use crate::postgres::core::{Core, Fatal};
use crate::postgres::expect::Expect;
use crate::postgres::open::Open;
use crate::postgres::pump::Taken;
use crate::postgres::reply;
use crate::postgres::running::Running;

/// Where an operation stands with the data it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::postgres) enum Taking {
    /// It takes none, or no more.
    #[default]
    Nothing,
    /// The server has yet to ask, or to fail.
    Awaited,
    /// The client sends.
    Data,
}

impl Open {
    /// Whether the server has yet to say how it takes what the client sends next. A Query may hold
    /// several COPYs, so it is over only with ReadyForQuery.
    pub(in crate::postgres) fn awaits_copy(&self) -> bool {
        match self.expects.back() {
            Some(Expect::Query(running)) => {
                running.taking == Taking::Awaited
                    || running.copied_in && running.taking == Taking::Nothing
            }
            Some(Expect::Execute { running, .. }) => running.taking == Taking::Awaited,
            _ => false,
        }
    }

    /// Whether the client's messages belong to a COPY.
    pub(in crate::postgres) fn takes_data(&self) -> bool {
        matches!(
            self.expects.front(),
            Some(Expect::Query(running) | Expect::Execute { running, .. })
                if running.taking == Taking::Data
        )
    }

    /// The server asks for data.
    pub(in crate::postgres) fn on_copy_in(&mut self) -> Result<Outcome, Fatal> {
        // What was sent behind the COPY would be taken for its data.
        let alone = self.expects.len() == 1;
        match self.expects.front_mut() {
            Some(Expect::Query(running) | Expect::Execute { running, .. })
                if alone && running.is_query() && running.copies_in > 0 =>
            {
                running.copies_in = running.copies_in.saturating_sub(1);
                running.taking = Taking::Data;
                running.copied = true;
                running.copied_in = true;
                Ok(Outcome::Pass)
            }
            _ => Err(out_of_turn("CopyInResponse")),
        }
    }

    /// A message of the client while a COPY takes data.
    pub(in crate::postgres) fn on_data(
        &mut self,
        core: &mut Core,
        message: &Frontend<'_>,
        bytes: &[u8],
    ) -> Result<Taken, Fatal> {
        let Some(Expect::Query(running) | Expect::Execute { running, .. }) =
            self.expects.front_mut()
        else {
            return Ok(Taken::NotYet);
        };
        match message {
            Frontend::CopyData(data) => count(running, data.len()),
            Frontend::CopyDone | Frontend::CopyFail(_) => running.taking = Taking::Nothing,
            // The server ignores them while it takes data; once it has failed it would not.
            Frontend::Flush | Frontend::Sync => return Ok(Taken::Yes),
            Frontend::Terminate => {
                self.outbox.tail().extend_from_slice(bytes);
                self.flush(core);
                return Ok(Taken::Terminated);
            }
            _ => {
                return Err(Fatal::new(
                    reply::PROTOCOL,
                    "protocol",
                    "a message came that is none of COPY's while a COPY takes data".to_owned(),
                ));
            }
        }
        self.outbox.tail().extend_from_slice(bytes);
        Ok(Taken::Yes)
    }
}

impl Running {
    /// Whether the server may say now that a statement of it is done.
    pub(in crate::postgres) fn may_complete(&self) -> bool {
        self.taking != Taking::Data
    }

    /// It has failed: what more comes of its data is dropped, as the server does.
    pub(in crate::postgres) fn stop_taking(&mut self) {
        self.taking = Taking::Nothing;
        self.copies_in = 0;
    }
}

fn count(running: &mut Running, length: usize) {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    running.replied.bytes = running.replied.bytes.saturating_add(length);
}
