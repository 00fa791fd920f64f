//! When the token is valid. All arithmetic saturates: no time that a token or a caller can name wraps around.

use std::time::Duration;

use super::{Evidence, Notes, Payload, missing};
use crate::error::Error;
use crate::jwt::members::Members;
use crate::jwt::numeric_date;
use crate::jwt::policy::Policy;
use crate::jwt::registered::RegisteredClaims;
use crate::time::Timestamp;

/// How far `iat` may lie ahead, where the leeway is not larger: clocks differ, and a token from tomorrow is no accident.
const MAX_IAT_AHEAD: Duration = Duration::from_secs(30);

/// How far a time that has been may lie ahead.
pub(crate) fn ahead_taken(policy: &Policy) -> Duration {
    policy.leeway.max(MAX_IAT_AHEAD)
}

/// Looked at by the check list, and at every hit of a cache of verified tokens.
pub(super) fn expiry(evidence: &Evidence<'_>) -> Result<(), Error> {
    At::of(evidence).expiry(evidence.registered()?.exp())
}

pub(super) fn not_before(evidence: &Evidence<'_>) -> Result<(), Error> {
    At::of(evidence).not_before(evidence.registered()?.nbf())
}

pub(super) fn issued_at(evidence: &Evidence<'_>) -> Result<(), Error> {
    At::of(evidence).issued_at(evidence.registered()?.iat())
}

pub(super) fn auth_time_recent(evidence: &Evidence<'_>) -> Result<(), Error> {
    if evidence.policy.max_auth_age.is_none() {
        return Ok(());
    }
    At::of(evidence).auth_time(auth_time(evidence.members()?)?)
}

/// `auth_time`, which is a NumericDate though RFC 7519 does not know it.
pub(crate) fn auth_time(members: &Members<'_>) -> Result<Option<Timestamp>, Error> {
    numeric_date::read(members.get("auth_time"), "auth_time")
}

/// The times of a token that has passed, at a later time: the same rules in the same order.
///
/// # Errors
/// Those of the times.
pub(crate) fn check_again(
    claims: &RegisteredClaims<'_>,
    payload: &str,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Error> {
    let at = At { policy, now };
    at.expiry(claims.exp())?;
    at.not_before(claims.nbf())?;
    at.issued_at(claims.iat())?;
    if policy.max_auth_age.is_none() {
        return Ok(());
    }
    let mut notes = Notes::new();
    let members = Payload::peek(payload.as_bytes(), &mut notes)?;
    at.auth_time(auth_time(&members)?)
}

/// A policy at a time.
#[derive(Clone, Copy)]
struct At<'p> {
    policy: &'p Policy,
    now: Timestamp,
}

impl<'p> At<'p> {
    const fn of(evidence: &Evidence<'p>) -> Self {
        Self {
            policy: evidence.policy,
            now: evidence.now,
        }
    }

    /// RFC 7519 §4.1.4: at the second of `exp` the token has expired.
    fn expiry(self, exp: Option<Timestamp>) -> Result<(), Error> {
        match exp {
            Some(exp) if exp.saturating_add(self.policy.leeway) <= self.now => {
                Err(Error::Expired { at: exp })
            }
            None if self.policy.expiry_required => missing("exp"),
            _ => Ok(()),
        }
    }

    /// RFC 7519 §4.1.5: at the second of `nbf` the token is valid.
    fn not_before(self, nbf: Option<Timestamp>) -> Result<(), Error> {
        match nbf {
            Some(nbf) if nbf.saturating_sub(self.policy.leeway) > self.now => {
                Err(Error::NotYetValid { from: nbf })
            }
            _ => Ok(()),
        }
    }

    /// RFC 7519 §4.1.6 sets no rule; a token issued well ahead of now was issued by a clock that cannot be believed.
    fn issued_at(self, iat: Option<Timestamp>) -> Result<(), Error> {
        if let Some(at) = iat.filter(|iat| self.lies_ahead(*iat)) {
            return Err(Error::IssuedInFuture { at });
        }
        self.recent("iat", iat, self.policy.max_token_age)
    }

    /// OpenID Connect Core §3.1.3.7, step 13.
    fn auth_time(self, at: Option<Timestamp>) -> Result<(), Error> {
        if at.is_some_and(|at| self.lies_ahead(at)) {
            return Err(Error::ClaimMismatch { claim: "auth_time" });
        }
        self.recent("auth_time", at, self.policy.max_auth_age)
    }

    fn lies_ahead(self, at: Timestamp) -> bool {
        at.saturating_sub(ahead_taken(self.policy)) > self.now
    }

    fn recent(
        self,
        claim: &'static str,
        at: Option<Timestamp>,
        max: Option<Duration>,
    ) -> Result<(), Error> {
        match (at, max) {
            (_, None) => Ok(()),
            (None, Some(_)) => missing(claim),
            (Some(at), Some(max))
                if at.saturating_add(max).saturating_add(self.policy.leeway) < self.now =>
            {
                Err(Error::TooOld {
                    claim,
                    at,
                    max_secs: max.as_secs(),
                })
            }
            _ => Ok(()),
        }
    }
}
