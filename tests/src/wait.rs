//! Waiting for a condition, never for a guess.

use std::time::{Duration, Instant};

use crate::{Result, bail};

/// Longest wait for anything that starts on a loaded machine with two cores.
pub const START: Duration = Duration::from_secs(60);
/// Longest wait for anything that a running stack does.
pub const SOON: Duration = Duration::from_secs(20);

/// Asks until the answer is there; names what did not come.
pub fn until<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if start.elapsed() > deadline {
            bail!("waited {} s for {what}", deadline.as_secs());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// [`until`] for a condition without an answer.
pub fn until_true(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Result<bool>,
) -> Result<()> {
    until(what, deadline, || Ok(ask()?.then_some(())))
}
