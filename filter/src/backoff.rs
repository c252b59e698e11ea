//! When to try again.

use ostiary_session::Now;

const FIRST_US: u64 = 100_000;
const LONGEST_US: u64 = 5_000_000;

/// Doubles the pause after each failure, up to five seconds.
#[derive(Debug)]
pub(crate) struct Backoff {
    pause_us: u64,
    not_before: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self {
            pause_us: FIRST_US,
            not_before: 0,
        }
    }

    /// Whether it is time to try.
    pub(crate) fn ready(&self, now: Now) -> bool {
        now.0 >= self.not_before
    }

    /// An attempt failed or what it opened was lost.
    pub(crate) fn failed(&mut self, now: Now) {
        self.not_before = now.0.saturating_add(self.pause_us);
        self.pause_us = self.pause_us.saturating_mul(2).min(LONGEST_US);
    }

    /// The other side answered.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_twice_as_long_after_each_failure_and_no_longer_than_five_seconds() {
        let mut backoff = Backoff::new();
        assert!(backoff.ready(Now(0)));
        let mut pauses = Vec::new();
        for _ in 0..8 {
            backoff.failed(Now(0));
            pauses.push(backoff.not_before / 1000);
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert!(!backoff.ready(Now(4_999_999)));
        assert!(backoff.ready(Now(5_000_000)));
        backoff.succeeded();
        assert!(backoff.ready(Now(0)));
    }
}
