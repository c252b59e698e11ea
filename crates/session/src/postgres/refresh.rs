//! The session's own query for the catalogue, between two rounds of the client's.

use ostiary_wire::postgres::{DataRow, TransactionStatus, frontend};

use super::catalogue::{self, Catalogue};
use super::core::{Core, Fatal, encoded};
use super::open::{Expect, Open};
use super::reply;

/// An answer that is coming in.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    catalogue: Catalogue,
    failed: bool,
}

impl Open {
    /// Sends the query if the catalogue is stale and the server is between rounds; says whether.
    pub(super) fn refresh(&mut self, core: &Core) -> bool {
        let idle = self.expects.is_empty()
            && self.hold.is_none()
            && !self.outbox.waits()
            && self.status != TransactionStatus::Failed;
        if !self.stale || !idle || self.segment < self.refresh_from {
            return false;
        }
        let sql = catalogue::query(&self.masks);
        let bytes = encoded(|out| frontend::encode::query(out, sql.as_bytes()));
        // A bundle with more labels than a message can name: nothing attested can be trusted.
        if bytes.is_empty() || bytes.len() > core.config.limits.message {
            return false;
        }
        self.statements.remove(b"");
        self.portals.remove(b"");
        self.outbox.tail().extend(bytes);
        self.expects.push_back(Expect::Refresh(Box::default()));
        true
    }

    /// The query is answered.
    pub(super) fn refreshed(&mut self, refresh: Refresh) -> Result<(), Fatal> {
        if refresh.failed {
            self.refresh_from = self.segment.saturating_add(1);
            // Everything the server attests stays masked; without a first answer there is no
            // session.
            if self.greeting.is_some() {
                return Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "server",
                    "the origin of labelled columns could not be read from the server".to_owned(),
                ));
            }
            return Ok(());
        }
        self.catalogue = refresh.catalogue;
        self.catalogue.finish();
        self.stale = false;
        Ok(())
    }
}

impl Refresh {
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    /// Takes a row of the answer.
    pub(super) fn row(&mut self, body: &[u8], masks: &ostiary_policy::Masks) {
        let Ok(row) = DataRow::parse(body) else {
            self.failed = true;
            return;
        };
        let mut values: Vec<Option<&str>> = Vec::with_capacity(row.column_count());
        for value in row.values() {
            match value.map(std::str::from_utf8) {
                None => values.push(None),
                Some(Ok(text)) => values.push(Some(text)),
                Some(Err(_)) => self.failed = true,
            }
        }
        if self.catalogue.add(&values, masks).is_err() {
            self.failed = true;
        }
    }
}
