//! Status lists that tokens name and nobody looks at: said once, where the service has not said that it wants it so.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use countersign::Timestamp;

use crate::token::VerifiedToken;

/// How many of the first tokens are looked at: an issuer names lists in all of its tokens or in none.
const LOOKED_AT: u32 = 64;

/// After them, those that come in one of so many seconds are: an issuer may begin to name lists later. By the time, because a count
/// of all tokens would be fought over by those who count.
const EVERY_SECS: i64 = 256;

/// A service whose issuer has its keys at hand, so that nothing is fetched unless that is said.
#[derive(Debug)]
pub(crate) struct Unread {
    /// How many of the first are still to be looked at.
    left: AtomicU32,
    told: AtomicBool,
}

impl Unread {
    pub(crate) const fn new() -> Self {
        Self {
            left: AtomicU32::new(LOOKED_AT),
            told: AtomicBool::new(false),
        }
    }

    /// A token that passes; most are not even looked at.
    #[inline]
    pub(crate) fn passes(&self, token: &VerifiedToken, issuer: &str, now: Timestamp) {
        if self.left.load(Ordering::Relaxed) > 0 || now.unix_secs().rem_euclid(EVERY_SECS) == 0 {
            self.look(token, issuer);
        }
    }

    #[cold]
    fn look(&self, token: &VerifiedToken, issuer: &str) {
        let _ = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if !self.told.load(Ordering::Relaxed)
            && names_a_list(token)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            self.left.store(0, Ordering::Relaxed);
            tracing::warn!(
                issuer,
                "tokens of {issuer} name a status list, and this service looks at none: one that was taken back passes until it \
                 expires; `.status_lists(StatusLists::new())` has it refused, `.without_status()` says that this is meant"
            );
        }
    }
}

/// Whether a token names its place in a status list.
pub(crate) fn names_a_list(token: &VerifiedToken) -> bool {
    matches!(token.status(), Ok(Some(_)))
}
