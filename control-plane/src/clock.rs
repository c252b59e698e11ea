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
