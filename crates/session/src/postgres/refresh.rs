//! The session's own query for the catalogue, between two rounds of the client's.

use ostiary_wire::postgres::{DataRow, TransactionStatus, frontend};

use super::catalogue::{self, Catalogue};
use super::core::{Core, Fatal, encoded};
use super::expect::Expect;
use super::open::Open;
use super::reply;

/// Microseconds after which an answer is old: other sessions change the schema, too.
const MAX_AGE_US: u64 = 60_000_000;

/// An answer that is coming in.
#[derive(Debug)]
pub(super) struct Refresh {
    catalogue: Catalogue,
    /// The masks it was asked for.
    version: u64,
    failed: bool,
}

impl Open {
    /// Sends the query if the catalogue is stale and the server is between rounds; says whether.
    pub(super) fn refresh(&mut self, core: &Core) -> bool {
        let idle = self.expects.is_empty()
            && self.hold.is_none()
            && !self.outbox.waits()
            && self.status != TransactionStatus::Failed;
        let due = self.stale && self.segment >= self.refresh_from
            || self.outdated
            || core.now.since(self.asked_at) > MAX_AGE_US;
        if self.masks.columns.is_empty() || !due || !idle {
            return false;
        }
        self.asked_at = core.now;
        self.outdated = false;
        let sql = catalogue::query(&self.masks);
        let bytes = encoded(|out| frontend::encode::query(out, sql.as_bytes()));
        // A bundle with more labels than a message can name: nothing attested can be trusted.
        if bytes.is_empty() || bytes.len() > core.config.limits.message {
            self.stale = true;
            self.refresh_from = u64::MAX;
            return false;
        }
        self.statements.remove(b"", self.answered);
        self.portals.remove(b"", self.answered);
        self.outbox.tail().extend(bytes);
        let refresh = Refresh {
            catalogue: Catalogue::default(),
            version: self.masks_version,
            failed: false,
        };
        self.expects.push_back(Expect::Refresh(Box::new(refresh)));
        true
    }

    /// The query is answered.
    pub(super) fn refreshed(
        &mut self,
        core: &mut Core,
        refresh: Refresh,
        input: &[u8],
    ) -> Result<(), Fatal> {
        let current = refresh.version == self.masks_version;
        if refresh.failed {
            self.refresh_from = self.segment.saturating_add(1);
            // Everything the server attests stays masked; without a first answer there is no
            // session.
            if self.greeting.is_some() && current {
                return Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "server",
                    "the origin of labelled columns could not be read from the server".to_owned(),
                ));
            }
        } else if current {
            let mut catalogue = refresh.catalogue;
            let before = std::mem::take(&mut self.catalogue);
            catalogue.finish(if self.catalogue_version == self.masks_version {
                before
            } else {
                Catalogue::default()
            });
            self.catalogue = catalogue;
            self.catalogue_version = self.masks_version;
            self.stale = false;
        }
        // Labels that changed meanwhile are asked for before the client may begin.
        if self.greeting.is_some() && !self.refresh(core) {
            self.greet(core, input);
        }
        Ok(())
    }
}

impl Refresh {
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    /// Takes a row of the answer.
    pub(super) fn row(&mut self, body: &[u8], masks: &ostiary_policy::Masks, version: u64) {
        if version != self.version {
            // The numbers in it stand for other labels by now.
            return;
        }
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
