//! Brings one list: fetched, verified with its issuer's keys, inflated up to a bound.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::{
    Algorithm, Error, MAX_JWS_BYTES, MAX_STATUS_LIST_BYTES, Malformed, Part, Policy, StatusList,
    StatusListToken, Timestamp,
};
use http::HeaderValue;

use super::Held;
use super::read::Reading;
use crate::clock::Clock;
use crate::fetch::{Answer, FetchError, Fetched, Target, Wanted};
use crate::keys::Keys;
use crate::refresh::Loaded;
use crate::verify::{Refused, Text, Verdict, with_keys};

/// How long a list lives that does not say.
pub(super) const USUAL_LIFE: Duration = Duration::from_secs(60);

/// What all lists of one issuer have in common.
pub(super) struct Source {
    pub(super) issuer: String,
    pub(super) keys: Keys,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) leeway: Duration,
    pub(super) without_expiry: bool,
    pub(super) reading: Reading,
    pub(super) clock: Clock,
}

impl Source {
    fn policy(&self, uri: &str) -> Result<Policy, Error> {
        let mut policy = Policy::builder()
            .issuer(&self.issuer)
            .no_audience()
            .status_list()
            .subject(uri)
            .leeway(self.leeway);
        for algorithm in &self.algorithms {
            policy = policy.algorithm(*algorithm);
        }
        if self.without_expiry {
            policy = policy.without_expiry();
        }
        policy.build()
    }
}

pub(super) struct Loader {
    source: Arc<Source>,
    target: Target,
    policy: Policy,
    last: Mutex<Option<Times>>,
}

/// What the last list said of itself.
#[derive(Clone, Copy)]
struct Times {
    iat: Timestamp,
    exp: Option<Timestamp>,
    ttl: Option<Duration>,
}

impl Times {
    fn of(claims: &StatusListToken) -> Self {
        Self {
            iat: Timestamp::from_unix_secs(claims.iat),
            exp: claims.exp.map(Timestamp::from_unix_secs),
            ttl: claims.ttl.map(Duration::from_secs),
        }
    }

    /// How long it may be kept. What the token says goes before what HTTP says (§8.2).
    fn life(&self, max_age: Option<Duration>, now: Timestamp) -> Duration {
        let life = self.ttl.or(max_age).unwrap_or(USUAL_LIFE);
        self.exp.map_or(life, |exp| life.min(exp.since(now)))
    }

    /// Whether it outlives its next renewal.
    fn lasts(&self, now: Timestamp) -> bool {
        let life = self.ttl.unwrap_or(USUAL_LIFE);
        self.exp
            .is_none_or(|exp| exp.since(now) > life.saturating_mul(2))
    }
}

impl Loader {
    /// `None` for what cannot be the name of a list.
    pub(super) fn new(source: Arc<Source>, uri: &str, target: Target) -> Option<Self> {
        let policy = source.policy(uri).ok()?;
        Some(Self {
            source,
            target,
            policy,
            last: Mutex::default(),
        })
    }

    pub(super) async fn load(&self, etag: Option<HeaderValue>) -> Result<Loaded<Held>, FetchError> {
        let (last, now) = (self.last(), self.source.clock.now());
        // That a list is unchanged does not make its `exp` later: in time, the whole is asked for.
        let etag = etag.filter(|_| last.is_some_and(|last| last.lasts(now)));
        let answer = self
            .source
            .reading
            .get(&self.target, Wanted::STATUS_LIST, etag.as_ref())
            .await?;
        let fetched = match (answer, last) {
            (Answer::Document(fetched), _) => fetched,
            (Answer::Unchanged { max_age }, Some(last)) => {
                return Ok(Loaded::Unchanged {
                    max_age: Some(last.life(max_age, now)),
                });
            }
            (Answer::Unchanged { .. }, None) => return Err(FetchError::Status { found: 304 }),
        };
        let Fetched {
            body,
            etag,
            max_age,
        } = fetched;
        let claims = self.verified(&body).await?;
        let list = StatusList::decode(&claims.status_list, MAX_STATUS_LIST_BYTES)?;
        let times = Times::of(&claims);
        if last.is_some_and(|last| times.iat < last.iat) {
            return Err(FetchError::StatusListOlder);
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(times);
        Ok(Loaded::New {
            value: Held {
                list,
                iat: times.iat,
                exp: times.exp,
            },
            etag,
            max_age: Some(times.life(max_age, now)),
        })
    }

    fn last(&self) -> Option<Times> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claims of the token that `body` is. Its keys may have to be waited for, as those of any token.
    async fn verified(&self, body: &[u8]) -> Result<StatusListToken, FetchError> {
        let text = std::str::from_utf8(body).map_err(|_| {
            Error::from(Malformed::Utf8 {
                part: Part::Document,
            })
        })?;
        let Source { keys, clock, .. } = &*self.source;
        let token = Text {
            text,
            max_bytes: MAX_JWS_BYTES,
        };
        let mut waited = false;
        // Once for keys that are not there yet, once for one that is not among them.
        for _ in 0..3 {
            let verdict = with_keys(keys, clock, token, waited, |keys| {
                keys.verify::<StatusListToken>(&self.policy, text, clock.now())
            });
            match verdict {
                Ok(Verdict::Verified(token)) => return Ok(token.into_claims()),
                Ok(Verdict::Wait(wait)) => wait.await,
                Err(Refused::Invalid(error)) => return Err(error.into()),
                Err(Refused::Unavailable { .. }) => break,
            }
            waited = true;
        }
        Err(Error::KeyNotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

    fn times(ttl: Option<u64>, exp: Option<u64>) -> Times {
        Times {
            iat: NOW,
            exp: exp.map(|secs| NOW.saturating_add(Duration::from_secs(secs))),
            ttl: ttl.map(Duration::from_secs),
        }
    }

    #[test]
    fn ttl_goes_before_max_age_and_neither_beyond_exp() {
        for (ttl, max_age, exp, life) in [
            (Some(5), None, None, 5),
            (Some(5), Some(600), None, 5),
            (Some(600), Some(5), None, 600),
            (None, Some(30), None, 30),
            (None, None, None, 60),
            (Some(600), None, Some(20), 20),
            (None, Some(600), Some(20), 20),
            (None, None, Some(20), 20),
        ] {
            let found = times(ttl, exp).life(max_age.map(Duration::from_secs), NOW);
            assert_eq!(found.as_secs(), life, "{ttl:?} {max_age:?} {exp:?}");
        }
    }

    #[test]
    fn a_list_that_will_soon_expire_is_asked_for_whole() {
        for (ttl, exp, lasts) in [
            (Some(5), None, true),
            (Some(5), Some(11), true),
            (Some(5), Some(10), false),
            (Some(5), Some(5), false),
            (None, Some(121), true),
            (None, Some(120), false),
        ] {
            assert_eq!(times(ttl, exp).lasts(NOW), lasts, "{ttl:?} {exp:?}");
        }
    }
}
