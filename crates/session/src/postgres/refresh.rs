//! The session's own query for the catalogue, between two rounds of the client's.

use std::rc::Rc;

use ostiary_policy::Masks;
use ostiary_wire::postgres::{DataRow, TransactionStatus, frontend};

use super::catalogue::{self, Catalogue};
use super::core::{Core, Fatal, encoded};
use super::expect::Expect;
use super::maps::{MAX_AGE_US, Map, Place};
use super::open::Open;
use super::reply;

/// An answer that is coming in.
#[derive(Debug)]
pub(super) struct Refresh {
    catalogue: Catalogue,
    /// The masks it was asked for.
    version: u64,
    /// What [`super::Shared::schema`] said when it was asked for; nothing inside a transaction, which
    /// may see what others do not, and not see what they do.
    schema: Option<u64>,
    /// Whether its names are what the server calls them.
    utf8: bool,
    failed: bool,
}

impl Open {
    /// Sends the query if the catalogue is stale, the server is between rounds and no other session has
    /// asked the same lately; says whether.
    pub(super) fn refresh(&mut self, core: &Core) -> bool {
        if self.labels.columns.is_empty() {
            return false;
        }
        let idle = self.expects.is_empty()
            && self.hold.is_none()
            && !self.outbox.waits()
            && self.status != TransactionStatus::Failed;
        let changed = match self.schema {
            Some(schema) => schema != core.shared.schema(),
            None => self.status == TransactionStatus::Idle,
        };
        let due = (self.stale || changed) && self.segment >= self.refresh_from
            || self.outdated
            || core.now.since(self.asked_at) > MAX_AGE_US;
        if !due || !idle || self.take_shared(core) {
            return false;
        }
        self.asked_at = core.now;
        self.outdated = false;
        let sql = catalogue::query(&self.labels);
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
            schema: (self.status == TransactionStatus::Idle).then(|| core.shared.schema()),
            utf8: !self.server.not_utf8 && !self.is_unsettled(),
            failed: false,
        };
        self.expects.push_back(Expect::Refresh(Box::new(refresh)));
        true
    }

    /// Takes a map another session has asked for, if it shows at least what an answer to this one would
    /// have to show. One that has changed the schema itself asks itself: what it did may be in a
    /// transaction of its own, or later than the map.
    fn take_shared(&mut self, core: &Core) -> bool {
        if self.own_ddl || self.status != TransactionStatus::Idle {
            return false;
        }
        let Some(map) = core.shared.map(&self.place(core), core.now) else {
            return false;
        };
        if self.outdated && !map.catalogue.knows(self.unknown_relation) {
            return false;
        }
        self.chart(Rc::clone(&map.catalogue), Some(map.schema));
        self.asked_at = map.asked_at;
        self.outdated = false;
        true
    }

    /// What a map for this session holds for.
    fn place<'a>(&'a self, core: &'a Core) -> Place<'a> {
        Place {
            database: &self.judge.target().database,
            role: &core.config.role,
            masks: &self.labels,
        }
    }

    /// From now on `catalogue` holds, with what an earlier one of the same labels said.
    fn chart(&mut self, catalogue: Rc<Catalogue>, schema: Option<u64>) {
        self.catalogue = if self.catalogue_version == self.masks_version {
            catalogue.after(&self.catalogue)
        } else {
            catalogue
        };
        self.catalogue_version = self.masks_version;
        self.schema = schema;
        self.stale = false;
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
            self.stale = true;
            // Everything the server attests stays masked; without a first answer there is no
            // session, unless it is only observed.
            if self.greeting.is_some() && current && !self.observes {
                return Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "server",
                    "the origin of labelled columns could not be read from the server".to_owned(),
                ));
            }
        } else if current {
            let mut catalogue = refresh.catalogue;
            catalogue.finish();
            let catalogue = Rc::new(catalogue);
            if let Some(schema) = refresh.schema {
                self.own_ddl = false;
                if refresh.utf8 {
                    let map = Map {
                        catalogue: Rc::clone(&catalogue),
                        asked_at: self.asked_at,
                        schema,
                    };
                    core.shared.keep_map(&self.place(core), &Rc::new(map));
                }
            }
            self.chart(catalogue, refresh.schema);
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
    pub(super) fn row(&mut self, body: &[u8], masks: &Masks, version: u64) {
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
