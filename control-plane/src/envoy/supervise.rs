//! How often Envoy may be started again.

use std::{collections::VecDeque, time::Duration};

/// This many ends within [`WINDOW`] are one fault, not three accidents.
const MAX_ENDS: usize = 3;
const WINDOW: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The latest ends of Envoy. Time comes from the caller.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    ends: VecDeque<Duration>,
}

impl Restarts {
    /// Envoy ended at `now`, counted from any fixed moment. The wait before it is started again;
    /// `None` to give up.
    pub(crate) fn ended(&mut self, now: Duration) -> Option<Duration> {
        self.ends.push_back(now);
        while self
            .ends
            .front()
            .is_some_and(|end| now.saturating_sub(*end) > WINDOW)
        {
            self.ends.pop_front();
        }
        let doublings = u32::try_from(self.ends.len()).ok()?.checked_sub(1)?;
        (self.ends.len() < MAX_ENDS).then(|| FIRST_PAUSE.saturating_mul(1 << doublings))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Restarts;

    #[test]
    fn the_third_end_within_a_minute_is_the_last() {
        let cases: [(&[u64], &[Option<u64>]); 3] = [
            (&[0, 10, 20], &[Some(500), Some(1000), None]),
            (&[0, 100, 200], &[Some(500), Some(500), Some(500)]),
            (&[0, 50, 70, 90], &[Some(500), Some(1000), Some(1000), None]),
        ];
        for (ends, pauses) in cases {
            let mut restarts = Restarts::default();
            let found: Vec<_> = ends
                .iter()
                .map(|end| restarts.ended(Duration::from_secs(*end)))
                .collect();
            let expected: Vec<_> = pauses
                .iter()
                .map(|it| it.map(Duration::from_millis))
                .collect();
            assert_eq!(found, expected, "{ends:?}");
        }
    }
}
