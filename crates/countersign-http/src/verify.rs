//! Whose keys a token is verified with, and what follows where they are not there: for access tokens and status lists alike.

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

/// Has `verify` run with one issuer's keys. Whoever has `waited` for keys does not wait again, and nobody waits with what
/// `parse` says is no token.
///
/// # Errors
/// [`Refused`].
pub(crate) fn with_keys<'t, T>(
    keys: &Keys,
    clock: &Clock,
    parse: impl Fn() -> Result<Unverified<'t>, Error>,
    waited: bool,
    verify: impl FnOnce(&JwkSet) -> Result<T, Error>,
) -> Result<Verdict<T>, Refused> {
    let set = match keys.at_hand(clock, waited) {
        AtHand::Set(set) => set,
        AtHand::Wait(wait) => return unless_malformed(parse(), Ok(Verdict::Wait(wait))),
        AtHand::Nothing { retry_after } => {
            return unless_malformed(parse(), Err(Refused::Unavailable { retry_after }));
        }
    };
    match verify(&set) {
        Ok(verified) => Ok(Verdict::Verified(verified)),
        // A key of that name for another algorithm is no such key either.
        Err(error @ (Error::KeyNotFound | Error::AlgorithmMismatch { .. })) => {
            let parsed = parse().map_err(Refused::Invalid)?;
            let kid = parsed.header().kid();
            after_missing(keys.missing(kid, &set, clock, waited), error)
        }
        Err(error) => Err(Refused::Invalid(error)),
    }
}

#[cold]
fn unless_malformed<T>(
    parsed: Result<Unverified<'_>, Error>,
    otherwise: Result<Verdict<T>, Refused>,
) -> Result<Verdict<T>, Refused> {
    parsed.map_err(Refused::Invalid)?;
    otherwise
}

#[cold]
fn after_missing<T>(missing: Missing, error: Error) -> Result<Verdict<T>, Refused> {
    match missing {
        Missing::Wait(wait) => Ok(Verdict::Wait(wait)),
        Missing::Unknown => Err(Refused::Invalid(error)),
        Missing::Unavailable { retry_after } => Err(Refused::Unavailable { retry_after }),
    }
}
