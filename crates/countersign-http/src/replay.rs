//! Tokens that count once: `jti` (RFC 7519 §4.1.7) is remembered until its token has expired.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::{MAX_LEEWAY, RegisteredClaims, Timestamp};

use crate::rejection::Rejection;

/// The longest `jti` that is remembered, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// How long a client waits while there is no room: tokens expire all the time.
const FULL_WAIT: Duration = Duration::from_secs(5);

/// The `jti` of every token that was let in and has not expired, for [`ProtectBuilder::single_use`].
///
/// All clones share it, so that several layers can refuse what one of them has let in. It lives in the memory of one
/// process: where several share the load, a [`check`](crate::ProtectBuilder::check) asks what they share.
///
/// [`ProtectBuilder::single_use`]: crate::ProtectBuilder::single_use
#[derive(Clone)]
pub struct SingleUse(Arc<Store>);

struct Store {
    capacity: usize,
    used: Mutex<Used>,
}

/// A name is that of its issuer, too: two issuers may write the same.
type Name = Arc<(Box<str>, Box<str>)>;

#[derive(Default)]
struct Used {
    names: HashSet<Name>,
    /// When each may be forgotten.
    until: BTreeMap<Timestamp, Vec<Name>>,
}

/// Why a token does not count, or not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It has counted already.
    Replayed,
    /// It has no `jti`, or one that is too long to remember.
    Unnamed,
    /// There are as many living tokens as can be remembered.
    Full,
}

impl SingleUse {
    /// Room for `capacity` tokens that have not expired; a token beyond that is answered 503. Each takes its `jti`, its issuer
    /// and some hundred bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Store {
            capacity,
            used: Mutex::default(),
        }))
    }

    /// Takes a token's one use. Of two requests with one token, at the same moment too, one gets it.
    pub(crate) fn take(&self, token: RegisteredClaims<'_>, now: Timestamp) -> Result<(), Refused> {
        let (Some(jti), Some(exp)) = (token.jti(), token.exp()) else {
            return Err(Refused::Unnamed);
        };
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(Refused::Unnamed);
        }
        let name = Arc::new((Box::from(token.iss().unwrap_or_default()), Box::from(jti)));
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget_expired(now);
        if used.names.contains(&name) {
            return Err(Refused::Replayed);
        }
        if used.names.len() >= self.0.capacity {
            return Err(Refused::Full);
        }
        // Whatever leeway a policy has, the token is dead after this.
        let until = exp
            .saturating_add(MAX_LEEWAY)
            .saturating_add(Duration::from_secs(1));
        used.names.insert(Arc::clone(&name));
        used.until.entry(until).or_default().push(name);
        Ok(())
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Replayed => Self::invalid_token("token_replayed"),
            Refused::Unnamed => Self::invalid_token("token_unnamed"),
            Refused::Full => Self::unavailable(FULL_WAIT),
        }
    }
}

impl Used {
    fn forget_expired(&mut self, now: Timestamp) {
        while let Some(first) = self.until.first_entry() {
            if *first.key() > now {
                return;
            }
            for name in first.remove() {
                self.names.remove(&name);
            }
        }
    }
}

impl fmt::Debug for SingleUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUse")
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Algorithm, ClaimsSet, Policy, SigningKey, Verified, Verifier};
    use serde_json::Value;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

    fn at(secs: u64) -> Timestamp {
        NOW.saturating_add(Duration::from_secs(secs))
    }

    /// A token of ten minutes.
    fn token(issuer: &str, jti: Option<&str>, from: Timestamp) -> Verified<Value> {
        let key = SigningKey::generate(Algorithm::HS256).unwrap();
        let claims = ClaimsSet::new(issuer, "api").expires_in(from, Duration::from_secs(600));
        let claims = match jti {
            Some(jti) => claims.jwt_id(jti),
            None => claims,
        };
        let verifier = Verifier::new(key.verifying_key(), Policy::new(issuer, "api"));
        verifier.verify(&key.sign(&claims).unwrap(), from).unwrap()
    }

    #[test]
    fn a_token_counts_once_until_it_has_expired_under_every_leeway() {
        let once = SingleUse::with_capacity(10);
        let token = token("https://id.example", Some("1"), NOW);
        assert_eq!(once.take(token.registered(), NOW), Ok(()));
        for secs in [0, 599, 600, 900] {
            assert_eq!(
                once.take(token.registered(), at(secs)),
                Err(Refused::Replayed)
            );
        }
        assert_eq!(once.take(token.registered(), at(901)), Ok(()));
    }

    #[test]
    fn a_name_is_that_of_its_issuer_too() {
        let once = SingleUse::with_capacity(10);
        for issuer in ["https://id.example", "https://partner.example"] {
            let token = token(issuer, Some("1"), NOW);
            assert_eq!(once.take(token.registered(), NOW), Ok(()));
        }
    }

    #[test]
    fn rejects_a_token_without_a_name_and_one_that_is_too_long_to_remember() {
        let once = SingleUse::with_capacity(10);
        let (fits, long) = ("j".repeat(MAX_JTI_BYTES), "j".repeat(MAX_JTI_BYTES + 1));
        for (jti, expected) in [
            (None, Err(Refused::Unnamed)),
            (Some(&*long), Err(Refused::Unnamed)),
            (Some(&*fits), Ok(())),
        ] {
            let token = token("https://id.example", jti, NOW);
            assert_eq!(once.take(token.registered(), NOW), expected);
        }
    }

    #[test]
    fn a_store_that_is_full_refuses_until_a_token_has_expired() {
        let once = SingleUse::with_capacity(2);
        let take = |jti: &str, secs| {
            let token = token("https://id.example", Some(jti), at(secs));
            once.take(token.registered(), at(secs))
        };
        assert_eq!((take("1", 0), take("2", 1)), (Ok(()), Ok(())));
        assert_eq!(take("3", 900), Err(Refused::Full));
        assert_eq!(
            (take("3", 901), take("4", 901)),
            (Ok(()), Err(Refused::Full))
        );
    }

    #[test]
    fn of_two_threads_with_one_token_one_gets_its_use() {
        for _ in 0..100 {
            let once = SingleUse::with_capacity(10);
            let token = token("https://id.example", Some("1"), NOW);
            let barrier = std::sync::Barrier::new(2);
            let race = || {
                barrier.wait();
                once.take(token.registered(), NOW)
            };
            let (one, other) = std::thread::scope(|scope| {
                let (one, other) = (scope.spawn(race), scope.spawn(race));
                (one.join().unwrap(), other.join().unwrap())
            });
            assert_eq!([one, other].iter().filter(|taken| taken.is_ok()).count(), 1);
        }
    }
}
