//! How often a layer decided what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// Counters by code. A request that is let in costs one addition, in a place that few threads share, and no lock; every code
/// is a constant of a program's text, so there are never many.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    passed: Spread,
    anonymous: Spread,
    refused: RwLock<BTreeMap<&'static str, AtomicU64>>,
}

impl Outcomes {
    pub(crate) fn passed(&self) {
        self.passed.add_one();
    }

    pub(crate) fn anonymous(&self) {
        self.anonymous.add_one();
    }

    pub(crate) fn refused(&self, code: &'static str) {
        let counters = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(code) {
            counter.fetch_add(1, Ordering::Relaxed);
            return;
        }
        drop(counters);
        let mut counters = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(code).or_default();
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them, as they are now.
    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        let counters = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        let refused = counters
            .iter()
            .map(|(code, counter)| (*code, counter.load(Ordering::Relaxed)));
        let let_in = [
            ("passed", self.passed.sum()),
            ("anonymous", self.anonymous.sum()),
        ];
        refused.chain(let_in).collect()
    }
}

/// How many places a counter is spread over.
const PLACES: usize = 16;

/// A counter that threads add to in different places.
#[derive(Debug, Default)]
struct Spread([Apart; PLACES]);

/// A number in a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart(AtomicU64);

impl Spread {
    fn add_one(&self) {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static PLACE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % PLACES;
        }
        // A thread that is ending has no place any more.
        let place = PLACE.try_with(|place| *place).unwrap_or_default();
        if let Some(Apart(counter)) = self.0.get(place) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sum(&self) -> u64 {
        let counters = self.0.iter();
        let read = counters.map(|Apart(counter)| counter.load(Ordering::Relaxed));
        read.fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let outcomes = Outcomes::default();
        std::thread::scope(|scope| {
            for _ in 0..PLACES + 3 {
                scope.spawn(|| (0..100).for_each(|_| outcomes.passed()));
            }
        });
        outcomes.anonymous();
        let read = outcomes.read();
        assert_eq!((read["passed"], read["anonymous"]), (1_900, 1));
    }
}
