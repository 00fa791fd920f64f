//! How often one account or network may ask: each answer costs a signature's check, and asking is open to whoever sees the page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::rules::throttle::Allowance;

/// Enough for somebody who types and slides for minutes; after that one answer a second.
const ALLOWANCE: Allowance = Allowance {
    burst: 1_200,
    refill_secs: 1,
};
/// How many of them are kept count of.
const MAX_ASKERS: usize = 10_000;

/// What each of them has outstanding; in memory, because nothing depends on it but this process's time.
#[derive(Clone, Default)]
pub(crate) struct Rate(Arc<Mutex<HashMap<String, i64>>>);

impl Rate {
    /// Counts an answer to an account or a network.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the time to wait.
    pub(crate) fn count(&self, whom: String, now: i64) -> Result<(), Error> {
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MAX_ASKERS {
            full_at.retain(|_, full_at| *full_at > now);
            if full_at.len() >= MAX_ASKERS {
                full_at.clear();
            }
        }
        let spent = full_at.entry(whom).or_insert(now);
        ALLOWANCE.granted(*spent, now)?;
        *spent = (*spent).max(now).saturating_add(ALLOWANCE.refill_secs);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_asks_without_end_waits_and_others_do_not() {
        let rate = Rate::default();
        let ask = |network: &str, now| rate.count(network.to_owned(), now);
        for _ in 0..ALLOWANCE.burst {
            ask("192.0.2.0/24", 1_000).unwrap();
        }
        let refused = ask("192.0.2.0/24", 1_000).unwrap_err();
        assert!(matches!(
            refused,
            Error::TooManyRequests {
                retry_after_secs: 1
            }
        ));
        ask("198.51.100.0/24", 1_000).unwrap();
        ask("192.0.2.0/24", 1_001).unwrap();
    }

    #[test]
    fn no_more_networks_are_remembered_than_there_is_room_for() {
        let rate = Rate::default();
        for number in 0..MAX_ASKERS + 5 {
            rate.count(number.to_string(), 1_000).unwrap();
        }
        assert!(rate.0.lock().unwrap().len() <= MAX_ASKERS);
    }
}
