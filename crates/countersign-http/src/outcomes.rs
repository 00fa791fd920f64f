//! How often a layer decided what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Counters by code. A request that is let in costs one addition and no lock; every code is a constant of a program's
/// text, so there are never many.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    passed: AtomicU64,
    anonymous: AtomicU64,
    refused: RwLock<BTreeMap<&'static str, AtomicU64>>,
}

impl Outcomes {
    pub(crate) fn passed(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn anonymous(&self) {
        self.anonymous.fetch_add(1, Ordering::Relaxed);
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
        let refused = counters.iter().map(|(code, counter)| (*code, counter));
        let let_in = [("passed", &self.passed), ("anonymous", &self.anonymous)];
        refused
            .chain(let_in)
            .map(|(code, counter)| (code, counter.load(Ordering::Relaxed)))
            .collect()
    }
}
