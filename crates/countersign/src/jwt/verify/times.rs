//! When the token is valid. All arithmetic saturates: no time that a token or a caller can name wraps around.

use std::time::Duration;

use super::{Evidence, missing};
use crate::error::Error;
use crate::jwt::members::Members;
use crate::jwt::numeric_date;
use crate::time::Timestamp;

/// How far `iat` may lie ahead, where the leeway is not larger: clocks differ, and a token from tomorrow is no accident.
const MAX_IAT_AHEAD: Duration = Duration::from_secs(30);

/// RFC 7519 §4.1.4: at the second of `exp` the token has expired.
pub(super) fn expiry(evidence: &Evidence<'_>) -> Result<(), Error> {
    match evidence.registered()?.exp() {
        Some(exp) if exp.saturating_add(evidence.policy.leeway) <= evidence.now => {
            Err(Error::Expired { at: exp })
        }
        None if evidence.policy.expiry_required => missing("exp"),
        _ => Ok(()),
    }
}

/// RFC 7519 §4.1.5: at the second of `nbf` the token is valid.
pub(super) fn not_before(evidence: &Evidence<'_>) -> Result<(), Error> {
    match evidence.registered()?.nbf() {
        Some(nbf) if nbf.saturating_sub(evidence.policy.leeway) > evidence.now => {
            Err(Error::NotYetValid { from: nbf })
        }
        _ => Ok(()),
    }
}

/// RFC 7519 §4.1.6 sets no rule; a token issued well ahead of now was issued by a clock that cannot be believed.
pub(super) fn issued_at(evidence: &Evidence<'_>) -> Result<(), Error> {
    let iat = evidence.registered()?.iat();
    if let Some(at) = iat.filter(|iat| lies_ahead(*iat, evidence)) {
        return Err(Error::IssuedInFuture { at });
    }
    recent("iat", iat, evidence.policy.max_token_age, evidence)
}

/// OpenID Connect Core §3.1.3.7, step 13.
pub(super) fn auth_time_recent(evidence: &Evidence<'_>) -> Result<(), Error> {
    if evidence.policy.max_auth_age.is_none() {
        return Ok(());
    }
    let at = auth_time(evidence.members()?)?;
    if at.is_some_and(|at| lies_ahead(at, evidence)) {
        return Err(Error::ClaimMismatch { claim: "auth_time" });
    }
    recent("auth_time", at, evidence.policy.max_auth_age, evidence)
}

/// `auth_time`, which is a NumericDate though RFC 7519 does not know it.
pub(crate) fn auth_time(members: &Members<'_>) -> Result<Option<Timestamp>, Error> {
    numeric_date::read(members, "auth_time")
}

fn lies_ahead(at: Timestamp, evidence: &Evidence<'_>) -> bool {
    at.saturating_sub(evidence.policy.leeway.max(MAX_IAT_AHEAD)) > evidence.now
}

fn recent(
    claim: &'static str,
    at: Option<Timestamp>,
    max: Option<Duration>,
    evidence: &Evidence<'_>,
) -> Result<(), Error> {
    match (at, max) {
        (_, None) => Ok(()),
        (None, Some(_)) => missing(claim),
        (Some(at), Some(max))
            if at
                .saturating_add(max)
                .saturating_add(evidence.policy.leeway)
                < evidence.now =>
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
