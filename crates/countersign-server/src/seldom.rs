//! What is said once in a while, however often it happens: a flood fills no log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Something that is said of the first time, and again when a while has gone by.
#[derive(Debug)]
pub(crate) struct Seldom {
    every: Duration,
    said: Mutex<Said>,
}

#[derive(Debug)]
struct Said {
    last: Option<Instant>,
    since: u64,
}

impl Seldom {
    /// At most once in `every`.
    pub(crate) const fn new(every: Duration) -> Self {
        Self {
            every,
            said: Mutex::new(Said {
                last: None,
                since: 0,
            }),
        }
    }

    /// Counts one more; where it is time to say so, how often it happened unsaid.
    pub(crate) fn happened(&self, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_early = said
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < self.every);
        if is_early {
            said.since = said.since.saturating_add(1);
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_and_again_is_said_once_in_a_while_with_how_often() {
        let seldom = Seldom::new(Duration::from_secs(1));
        let began = Instant::now();
        let at = |millis| seldom.happened(began + Duration::from_millis(millis));
        assert_eq!(at(0), Some(0));
        for millis in 1..1_000 {
            assert_eq!(at(millis), None);
        }
        assert_eq!(at(1_000), Some(999));
        assert_eq!(at(1_999), None);
        assert_eq!(at(9_000), Some(1));
    }
}
