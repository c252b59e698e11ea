//! What SCRAM makes of a password, kept for the next login: stretching it takes milliseconds.
//!
//! Kept are the two keys a client needs, never the password, and only of servers that proved to know it.
//! They are of no use by themselves here: a login uses them only if the control plane has handed out
//! the same password for it again. See ADR 6.

use std::rc::Rc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::Now;

/// Keys kept. A role has one for each salt its server shows, so one is the rule.
const MAX_KEPT: usize = 16;

/// Microseconds after their last use until keys are forgotten.
const MAX_IDLE_US: u64 = 600_000_000;

/// A client's keys.
pub(super) struct Keys {
    pub(super) client: [u8; 32],
    pub(super) server: [u8; 32],
}

/// Keys, and what they were made of.
#[derive(Clone)]
pub(super) struct Derived {
    pub(super) id: [u8; 32],
    pub(super) keys: Rc<Keys>,
}

/// A few keys, those used last at the end.
#[derive(Default)]
pub(super) struct Kept(Vec<Entry>);

struct Entry {
    role: String,
    derived: Derived,
    used_at: Now,
}

impl Keys {
    /// Stretches a password.
    pub(super) fn derive(password: &str, salt: &[u8], iterations: u32) -> Self {
        let mut salted = [0_u8; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut salted);
        let keys = Self {
            client: sign(&salted, b"Client Key"),
            server: sign(&salted, b"Server Key"),
        };
        salted.zeroize();
        keys
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.client.zeroize();
        self.server.zeroize();
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kept").field(&self.0.len()).finish()
    }
}

impl Derived {
    /// Names what keys are made of, each part with its length.
    pub(super) fn id(role: &str, password: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
        let mut digest = Sha256::new_with_prefix(b"ostiary scram keys");
        for part in [role.as_bytes(), password.as_bytes(), salt] {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        digest.update(iterations.to_be_bytes());
        digest.finalize().into()
    }
}

impl Kept {
    pub(super) fn get(&self, id: &[u8; 32], now: Now) -> Option<Rc<Keys>> {
        let entry = self.0.iter().find(|entry| entry.derived.id == *id)?;
        (!entry.is_old(now)).then(|| Rc::clone(&entry.derived.keys))
    }

    /// Keeps the keys of `role` in place of those of an earlier password or salt.
    pub(super) fn keep(&mut self, role: &str, derived: Derived, now: Now) {
        self.0.retain(|entry| entry.role != role);
        if self.0.len() >= MAX_KEPT {
            self.0.remove(0);
        }
        self.0.push(Entry {
            role: role.to_owned(),
            derived,
            used_at: now,
        });
    }

    pub(super) fn forget_old(&mut self, now: Now) {
        self.0.retain(|entry| !entry.is_old(now));
    }
}

impl Entry {
    fn is_old(&self, now: Now) -> bool {
        now < self.used_at || now.since(self.used_at) > MAX_IDLE_US
    }
}

/// HMAC-SHA-256. Any key length is sound, so the error of the constructor cannot come.
pub(super) fn sign(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().into(),
        Err(_) => [0; 32],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(role: &str, password: &str, salt: &[u8]) -> Derived {
        Derived {
            id: Derived::id(role, password, salt, 1),
            keys: Rc::new(Keys::derive(password, salt, 1)),
        }
    }

    #[test]
    fn keeps_the_last_keys_of_a_role_for_a_while() {
        let mut kept = Kept::default();
        let (old, new) = (derived("app", "a", b"s"), derived("app", "b", b"s"));
        let has = |kept: &Kept, one: &Derived, at| kept.get(&one.id, Now(at)).is_some();
        kept.keep("app", old.clone(), Now(0));
        assert!(has(&kept, &old, MAX_IDLE_US) && !has(&kept, &new, 0));
        assert!(!has(&kept, &old, MAX_IDLE_US + 1));
        kept.keep("app", new.clone(), Now(5));
        assert!(!has(&kept, &old, 5) && has(&kept, &new, 5));
        kept.forget_old(Now(6 + MAX_IDLE_US));
        assert!(kept.0.is_empty());
    }

    #[test]
    fn names_each_part_of_what_keys_are_made_of() {
        let id = Derived::id("app", "secret", b"salt", 4096);
        for other in [
            Derived::id("apps", "ecret", b"salt", 4096),
            Derived::id("app", "secrets", b"alt", 4096),
            Derived::id("app", "secret", b"salt", 4097),
            Derived::id("app", "Secret", b"salt", 4096),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn keeps_a_bounded_number() {
        let mut kept = Kept::default();
        for number in 0..40 {
            kept.keep(&number.to_string(), derived("r", "p", b"s"), Now(1));
        }
        assert_eq!(kept.0.len(), MAX_KEPT);
        assert_eq!(format!("{kept:?}"), "Kept(16)");
    }
}
