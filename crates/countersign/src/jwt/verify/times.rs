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
    at.auth_time(auth_time_in(payload)?)
}

fn auth_time_in(payload: &str) -> Result<Option<Timestamp>, Error> {
    let mut notes = Notes::new();
    let members = Payload::peek(payload.as_bytes(), &mut notes)?;
    auth_time(&members)
}

/// The time in which a token passes these rules without a look at its claims. Outside of it the rules are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    first: Timestamp,
    last: Timestamp,
}

const SECOND: Duration = Duration::from_secs(1);

impl Window {
    /// No time at all.
    const NEVER: Self = Self {
        first: Timestamp::from_unix_secs(i64::MAX),
        last: Timestamp::from_unix_secs(i64::MIN),
    };

    /// That of a token that has passed.
    pub(crate) fn of(claims: &RegisteredClaims<'_>, payload: &str, policy: &Policy) -> Self {
        let mut window = Self {
            first: Timestamp::from_unix_secs(i64::MIN),
            last: Timestamp::from_unix_secs(i64::MAX),
        };
        let bounds = Bounds(policy);
        match claims.exp() {
            Some(exp) => window.until(bounds.expired_from(exp).saturating_sub(SECOND)),
            None if policy.expiry_required => return Self::NEVER,
            None => {}
        }
        if let Some(nbf) = claims.nbf() {
            window.from(bounds.valid_from(nbf));
        }
        let auth_time = match policy.max_auth_age {
            Some(_) => auth_time_in(payload),
            None => Ok(None),
        };
        let Ok(auth_time) = auth_time else {
            return Self::NEVER;
        };
        for (at, max) in [
            (claims.iat(), policy.max_token_age),
            (auth_time, policy.max_auth_age),
        ] {
            match (at, max) {
                (Some(at), Some(max)) => window.until(bounds.recent_until(at, max)),
                (None, Some(_)) => return Self::NEVER,
                (_, None) => {}
            }
            if let Some(at) = at {
                window.from(bounds.believed_from(at));
            }
        }
        window
    }

    fn from(&mut self, first: Timestamp) {
        self.first = self.first.max(first);
    }

    fn until(&mut self, last: Timestamp) {
        self.last = self.last.min(last);
    }

    #[inline]
    pub(crate) fn contains(&self, now: Timestamp) -> bool {
        self.first <= now && now <= self.last
    }
}

/// From when on a policy's rules about times hold, and until when.
#[derive(Clone, Copy)]
struct Bounds<'p>(&'p Policy);

impl Bounds<'_> {
    /// RFC 7519 §4.1.4: at the second of `exp` the token has expired.
    fn expired_from(self, exp: Timestamp) -> Timestamp {
        exp.saturating_add(self.0.leeway)
    }

    /// RFC 7519 §4.1.5: at the second of `nbf` the token is valid.
    fn valid_from(self, nbf: Timestamp) -> Timestamp {
        nbf.saturating_sub(self.0.leeway)
    }

    /// A time that has been may lie a little ahead.
    fn believed_from(self, at: Timestamp) -> Timestamp {
        at.saturating_sub(ahead_taken(self.0))
    }

    fn recent_until(self, at: Timestamp, max: Duration) -> Timestamp {
        at.saturating_add(max).saturating_add(self.0.leeway)
    }
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

    const fn bounds(self) -> Bounds<'p> {
        Bounds(self.policy)
    }

    fn expiry(self, exp: Option<Timestamp>) -> Result<(), Error> {
        match exp {
            Some(exp) if self.bounds().expired_from(exp) <= self.now => {
                Err(Error::Expired { at: exp })
            }
            None if self.policy.expiry_required => missing("exp"),
            _ => Ok(()),
        }
    }

    fn not_before(self, nbf: Option<Timestamp>) -> Result<(), Error> {
        match nbf {
            Some(nbf) if self.bounds().valid_from(nbf) > self.now => {
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
        self.bounds().believed_from(at) > self.now
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
            (Some(at), Some(max)) if self.bounds().recent_until(at, max) < self.now => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![
            1 => Just(None),
            3 => (0..2_000_i64).prop_map(Some),
            1 => Just(Some(Timestamp::MAX_NUMERIC_DATE.unix_secs())),
        ]
    }

    fn age() -> impl Strategy<Value = Option<u64>> {
        prop_oneof![Just(None), (1..600_u64).prop_map(Some)]
    }

    proptest! {
        #[test]
        fn a_window_is_the_time_in_which_the_rules_let_a_token_pass(
            (exp, nbf, iat, auth) in (time(), time(), time(), time()),
            (leeway, token_age, auth_age) in (0..120_u64, age(), age()),
            needs_exp: bool,
            now in 0..2_500_i64,
        ) {
            let at = |secs: Option<i64>| secs.map(Timestamp::from_unix_secs);
            let claims = RegisteredClaims { exp: at(exp), nbf: at(nbf), iat: at(iat), ..RegisteredClaims::default() };
            let payload = auth.map_or_else(|| "{}".to_owned(), |at| format!("{{\"auth_time\":{at}}}"));
            let mut policy = Policy::new("i", "a");
            policy.leeway = Duration::from_secs(leeway);
            policy.max_token_age = token_age.map(Duration::from_secs);
            policy.max_auth_age = auth_age.map(Duration::from_secs);
            policy.expiry_required = needs_exp;
            let window = Window::of(&claims, &payload, &policy);
            let edges = [now, window.first.unix_secs(), window.last.unix_secs()];
            let around = edges.into_iter().flat_map(|at| [at.saturating_sub(1), at, at.saturating_add(1)]);
            for now in around.map(Timestamp::from_unix_secs) {
                let passes = check_again(&claims, &payload, &policy, now).is_ok();
                prop_assert_eq!(window.contains(now), passes, "{:?} {:?}", window, now);
            }
        }
    }
}
