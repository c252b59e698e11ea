//! What the sessions of one resource share within one VM, so that none need pay again for what another
//! has paid for: maps of the catalogue, keys of SCRAM, texts that were read, judgements, masks.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use ostiary_operation::sql::Reading;
use ostiary_operation::{Operation, Principal, Target};
use ostiary_policy::{Bundle, Masks};

use super::judge::{Judgement, Read};
use super::keys::{Derived, Kept, Keys};
use super::maps::{Map, Maps, Place};
use super::texts::Texts;
use super::verdicts::{JudgeId, Verdicts};
use crate::Now;

/// One for all sessions of a resource.
#[derive(Debug, Default)]
pub struct Shared {
    maps: RefCell<Maps>,
    keys: RefCell<Kept>,
    texts: RefCell<Texts>,
    verdicts: RefCell<Verdicts>,
    masks: RefCell<Vec<Weak<Masks>>>,
    /// Counts changes of the schema that sessions made.
    schema: Cell<u64>,
}

impl Shared {
    /// Forgets what is too old to be used; called now and then, so that no key stays in memory after
    /// its time because nobody logs in.
    pub fn forget_old(&self, now: Now) {
        self.maps.borrow_mut().forget_old(now);
        self.keys.borrow_mut().forget_old(now);
    }

    /// Counts changes of the schema: a map asked for at another count may be wrong.
    pub fn schema(&self) -> u64 {
        self.schema.get()
    }

    /// The schema has changed.
    pub fn change_schema(&self) {
        self.schema.set(self.schema.get().wrapping_add(1));
    }

    /// What `text` does.
    pub(super) fn read(&self, text: &str, reading: Reading) -> Rc<Read> {
        self.texts.borrow_mut().read(text, reading)
    }

    /// The number of whoever judges by these.
    pub(super) fn judge(
        &self,
        bundle: &Rc<Bundle>,
        principal: &Principal,
        target: &Target,
    ) -> JudgeId {
        self.verdicts.borrow_mut().judge(bundle, principal, target)
    }

    pub(super) fn verdict(&self, judge: JudgeId, operation: &Operation) -> Option<Rc<Judgement>> {
        self.verdicts.borrow().get(judge, operation)
    }

    pub(super) fn keep_verdict(
        &self,
        judge: JudgeId,
        operation: &Operation,
        verdict: &Rc<Judgement>,
    ) {
        self.verdicts.borrow_mut().keep(judge, operation, verdict);
    }

    /// These masks, once for all sessions that have the same.
    pub(super) fn masks(&self, masks: Masks) -> Rc<Masks> {
        let mut known = self.masks.borrow_mut();
        known.retain(|one| one.strong_count() > 0);
        let same = known
            .iter()
            .filter_map(Weak::upgrade)
            .find(|one| **one == masks);
        same.unwrap_or_else(|| {
            let masks = Rc::new(masks);
            known.push(Rc::downgrade(&masks));
            masks
        })
    }

    /// A map of this place that holds now.
    pub(super) fn map(&self, place: &Place<'_>, now: Now) -> Option<Rc<Map>> {
        self.maps.borrow().get(place, self.schema.get(), now)
    }

    pub(super) fn keep_map(&self, place: &Place<'_>, map: &Rc<Map>) {
        self.maps.borrow_mut().keep(place, map);
    }

    /// The keys of a password, kept or made now.
    pub(super) fn keys(
        &self,
        role: &str,
        password: &str,
        salt: &[u8],
        iterations: u32,
        now: Now,
    ) -> Derived {
        let id = Derived::id(role, password, salt, iterations);
        let kept = self.keys.borrow().get(&id, now);
        let keys = kept.unwrap_or_else(|| Rc::new(Keys::derive(password, salt, iterations)));
        Derived { id, keys }
    }

    /// The server has proved that it knows the password of these keys.
    pub(super) fn keep_keys(&self, role: &str, derived: Derived, now: Now) {
        self.keys.borrow_mut().keep(role, derived, now);
    }
}
