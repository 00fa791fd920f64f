//! Status lists that tokens name and nobody looks at: said once, where the service has not said that it wants it so.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::token::VerifiedToken;

/// How many tokens are looked at: an issuer names lists in all of its tokens or in none.
const LOOKED_AT: u32 = 64;

/// A service whose issuer has its keys at hand, so that nothing is fetched unless that is said.
#[derive(Debug)]
pub(crate) struct Unread {
    /// How many are still to be looked at.
    left: AtomicU32,
}

impl Unread {
    pub(crate) const fn new() -> Self {
        Self {
            left: AtomicU32::new(LOOKED_AT),
        }
    }

    /// A token that passes; most are not even looked at.
    #[inline]
    pub(crate) fn passes(&self, token: &VerifiedToken, issuer: &str) {
        if self.left.load(Ordering::Relaxed) > 0 {
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
        if names_a_list(token) && self.left.swap(0, Ordering::Relaxed) > 0 {
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
