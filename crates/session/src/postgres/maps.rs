//! Maps of the catalogue that sessions of one VM share.

use std::rc::Rc;

use ostiary_policy::Masks;

use super::catalogue::Catalogue;
use crate::Now;

/// Microseconds after which an answer is old: others change the schema, too.
pub(super) const MAX_AGE_US: u64 = 60_000_000;

/// Maps kept. Each database, role and set of labels has its own.
const MAX_MAPS: usize = 16;

/// An answer of the server, and when it was asked for.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) catalogue: Rc<Catalogue>,
    pub(super) asked_at: Now,
    /// What [`super::Shared::schema`] said then.
    pub(super) schema: u64,
}

/// What a map holds for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) database: &'a str,
    pub(super) role: &'a str,
    /// The labels that were asked for.
    pub(super) masks: &'a Rc<Masks>,
}

/// A few maps, the newest last.
#[derive(Debug, Default)]
pub(super) struct Maps(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    database: String,
    role: String,
    masks: Rc<Masks>,
    map: Rc<Map>,
}

impl Entry {
    fn is_of(&self, place: &Place<'_>) -> bool {
        let same =
            Rc::ptr_eq(&self.masks, place.masks) || self.masks.columns == place.masks.columns;
        same && self.database == place.database && self.role == place.role
    }
}

impl Map {
    pub(super) fn is_old(&self, now: Now) -> bool {
        // A clock that went back says nothing about age.
        now < self.asked_at || now.since(self.asked_at) > MAX_AGE_US
    }
}

impl Maps {
    pub(super) fn get(&self, place: &Place<'_>, schema: u64, now: Now) -> Option<Rc<Map>> {
        let entry = self.0.iter().find(|entry| entry.is_of(place))?;
        (entry.map.schema == schema && !entry.map.is_old(now)).then(|| Rc::clone(&entry.map))
    }

    pub(super) fn keep(&mut self, place: &Place<'_>, map: &Rc<Map>) {
        self.0.retain(|entry| !entry.is_of(place));
        if self.0.len() >= MAX_MAPS {
            self.0.remove(0);
        }
        self.0.push(Entry {
            database: place.database.to_owned(),
            role: place.role.to_owned(),
            masks: Rc::clone(place.masks),
            map: Rc::clone(map),
        });
    }

    pub(super) fn forget_old(&mut self, now: Now) {
        self.0.retain(|entry| !entry.map.is_old(now));
    }
}

#[cfg(test)]
mod tests {
    use ostiary_mask::Strategy;
    use ostiary_policy::LabelledColumn;

    use super::*;

    fn map(schema: u64) -> Rc<Map> {
        Rc::new(Map {
            catalogue: Rc::default(),
            asked_at: Now(MAX_AGE_US),
            schema,
        })
    }

    fn masks(column: &str) -> Rc<Masks> {
        let column = LabelledColumn {
            schema: "public".to_owned(),
            table: "users".to_owned(),
            column: column.to_owned(),
            label: "pii".to_owned(),
        };
        Rc::new(Masks {
            columns: vec![(column, Strategy::Redact)],
            ..Masks::default()
        })
    }

    #[test]
    fn gives_a_map_only_for_its_place_schema_and_time() {
        let (email, ssn) = (masks("email"), masks("ssn"));
        let place = |database, role, masks| Place {
            database,
            role,
            masks,
        };
        let shop = place("shop", "app", &email);
        let mut maps = Maps::default();
        maps.keep(&shop, &map(7));
        let now = Now(2 * MAX_AGE_US);
        assert!(maps.get(&shop, 7, now).is_some());
        for (place, schema, now) in [
            (shop, 8, now),
            (shop, 7, Now(now.0 + 1)),
            (shop, 7, Now(0)),
            (place("other", "app", &email), 7, now),
            (place("shop", "admin", &email), 7, now),
            (place("shop", "app", &ssn), 7, now),
        ] {
            assert!(maps.get(&place, schema, now).is_none(), "{place:?}");
        }
        maps.keep(&shop, &map(8));
        assert!(maps.get(&shop, 8, now).is_some());
        maps.forget_old(Now(now.0 + 1));
        assert!(maps.0.is_empty());
    }

    #[test]
    fn keeps_a_few_and_forgets_the_oldest() {
        let mut maps = Maps::default();
        let names: Vec<String> = (0..MAX_MAPS + 1).map(|n| n.to_string()).collect();
        fn place<'a>(database: &'a str, masks: &'a Rc<Masks>) -> Place<'a> {
            Place {
                database,
                role: "app",
                masks,
            }
        }
        let email = masks("email");
        for name in &names {
            maps.keep(&place(name, &email), &map(0));
        }
        let has = |name: &str| maps.get(&place(name, &email), 0, Now(MAX_AGE_US)).is_some();
        assert_eq!((has("0"), has("1"), maps.0.len()), (false, true, MAX_MAPS));
    }
}
