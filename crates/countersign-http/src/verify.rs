//! Whose keys a token is verified with, and what follows where they are not there: for access tokens and status lists alike.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Error, JwkSet, Unverified};

use crate::clock::Clock;
use crate::keys::{AtHand, Keys, Missing, Waiting};

/// A token, as far as it can be judged without waiting.
pub(crate) enum Verdict<T> {
    Verified(T),
    /// Keys are on their way: look again when this has ended.
    Wait(Waiting),
}

/// Why a token does not pass.
pub(crate) enum Refused {
    /// Because of what it is.
    Invalid(Error),
    /// Because its issuer's keys cannot be had just now.
    Unavailable { retry_after: Duration },
}

impl Refused {
    const fn unavailable(retry_after: Duration) -> Self {
        Self::Unavailable { retry_after }
    }
}

/// A text where a token should be, and how large it may be.
#[derive(Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) max_bytes: usize,
}

impl<'t> Text<'t> {
    fn parse(self) -> Result<Unverified<'t>, Refused> {
        Unverified::parse_within(self.text, self.max_bytes).map_err(Refused::Invalid)
    }
}

/// Has `verify` run with one issuer's keys. Whoever has `waited` for keys does not wait again.
///
/// # Errors
/// [`Refused`].
pub(crate) fn with_keys<T>(
    keys: &Keys,
    clock: &Clock,
    token: Text<'_>,
    waited: bool,
    verify: impl FnOnce(&JwkSet) -> Result<T, Error>,
) -> Result<Verdict<T>, Refused> {
    let set = match keys.at_hand(clock, waited) {
        AtHand::Set(set) => set,
        // Nobody waits for keys with what is no token.
        AtHand::Wait(wait) => return token.parse().map(|_| Verdict::Wait(wait)),
        AtHand::Nothing { retry_after } => {
            token.parse()?;
            return Err(Refused::unavailable(retry_after));
        }
    };
    match verify(&set) {
        Ok(verified) => Ok(Verdict::Verified(verified)),
        // A key of that name for another algorithm is no such key either.
        Err(error @ (Error::KeyNotFound | Error::AlgorithmMismatch { .. })) => {
            missing(keys, &set, clock, token, waited, error)
        }
        Err(error) => Err(Refused::Invalid(error)),
    }
}

/// The key that the token names is not among those at hand.
fn missing<T>(
    keys: &Keys,
    set: &Arc<JwkSet>,
    clock: &Clock,
    token: Text<'_>,
    waited: bool,
    error: Error,
) -> Result<Verdict<T>, Refused> {
    let parsed = token.parse()?;
    match keys.missing(parsed.header().kid(), set, clock, waited) {
        Missing::Wait(wait) => Ok(Verdict::Wait(wait)),
        Missing::Unknown => Err(Refused::Invalid(error)),
        Missing::Unavailable { retry_after } => Err(Refused::unavailable(retry_after)),
    }
}
