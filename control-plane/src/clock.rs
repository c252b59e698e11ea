//! Wall-clock time as an argument, so that tests decide what time it is.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine.
    #[default]
    System,
    /// Whoever holds the other end; for tests.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// Microseconds since the Unix epoch.
    pub fn now_us(&self) -> u64 {
        match self {
            Self::System => {
                let since = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
            }
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

/// How long one sleep lasts at most: the wall clock may be set meanwhile.
const SLICE: std::time::Duration = std::time::Duration::from_secs(1);
/// How soon a manual clock is looked at again.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(5);

impl Clock {
    /// Returns at or after this time.
    pub(crate) async fn sleep_until(&self, time_us: u64) {
        loop {
            let left = time_us.saturating_sub(self.now_us());
            if left == 0 {
                return;
            }
            let pause = match self {
                Self::System => std::time::Duration::from_micros(left).min(SLICE),
                Self::Manual(_) => LOOK_AGAIN,
            };
            tokio::time::sleep(pause).await;
        }
    }
}
