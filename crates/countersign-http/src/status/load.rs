//! Brings one list: fetched, verified with its issuer's keys, inflated up to a bound.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Algorithm, Error, MAX_JWS_BYTES, MAX_STATUS_LIST_BYTES, Malformed, Part, Policy, StatusList,
    StatusListToken, Timestamp, Unverified,
};

use super::Held;
use super::read::Reading;
use crate::clock::Clock;
use crate::fetch::{Answer, FetchError, Fetched, Target, Wanted};
use crate::keys::Keys;
use crate::refresh::{Basis, Loaded};
use crate::verify::{Refused, Verdict, with_keys};

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
}

/// What a list says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) iat: Timestamp,
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

    /// Whether its `exp` has come, by a service whose clock may differ by `leeway` from the issuer's.
    pub(super) fn has_ended(&self, leeway: Duration, now: Timestamp) -> bool {
        self.exp
            .is_some_and(|exp| exp.saturating_add(leeway) <= now)
    }

    /// How long it may be kept. What the token says goes before what HTTP says (§8.2).
    fn life(&self, max_age: Option<Duration>, leeway: Duration, now: Timestamp) -> Duration {
        let life = self.ttl.or(max_age).unwrap_or(USUAL_LIFE);
        let end = self.exp.map(|exp| exp.saturating_add(leeway));
        end.map_or(life, |end| life.min(end.since(now)))
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
        })
    }

    pub(super) async fn load(&self, basis: Basis<Held>) -> Result<Loaded<Held>, FetchError> {
        let Source {
            reading,
            leeway,
            clock,
            ..
        } = &*self.source;
        let now = clock.now();
        // Nothing where what is held is from a time yet to come: then a clock was ahead that is right now, and no list of the
        // present is as new.
        let latest = now.saturating_add(*leeway);
        let held = basis.held.as_ref().map(|held| held.times);
        let last = held.filter(|held| held.iat <= latest);
        // That a list is unchanged does not make its `exp` later: in time, the whole is asked for.
        let fetched = match basis.etag.zip(last.filter(|last| last.lasts(now))) {
            None => reading.get(&self.target, Wanted::STATUS_LIST).await?,
            Some((etag, last)) => {
                let news = reading.news(&self.target, Wanted::STATUS_LIST, &etag);
                match news.await? {
                    Answer::Document(fetched) => fetched,
                    Answer::Unchanged { max_age } => {
                        let max_age = Some(last.life(max_age, *leeway, now));
                        return Ok(Loaded::Unchanged { max_age });
                    }
                }
            }
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
        Ok(Loaded::New {
            value: Held { list, times },
            etag,
            max_age: Some(times.life(max_age, *leeway, now)),
        })
    }

    /// The claims of the token that `body` is. Its keys may have to be waited for, as those of any token.
    async fn verified(&self, body: &[u8]) -> Result<StatusListToken, FetchError> {
        let text = std::str::from_utf8(body).map_err(|_| {
            Error::from(Malformed::Utf8 {
                part: Part::Document,
            })
        })?;
        let Source { keys, clock, .. } = &*self.source;
        let parse = || Unverified::parse_within(text, MAX_JWS_BYTES);
        let mut waited = false;
        // Once for keys that are not there yet, once for one that is not among them.
        for _ in 0..3 {
            let verdict = with_keys(keys, clock, parse, waited, |keys| {
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
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, Ordering};

    use countersign::{SigningKey, StatusBits};

    use super::*;
    use crate::status::read::Reader;

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
            let found = times(ttl, exp).life(max_age.map(Duration::from_secs), Duration::ZERO, NOW);
            assert_eq!(found.as_secs(), life, "{ttl:?} {max_age:?} {exp:?}");
        }
    }

    #[test]
    fn a_list_counts_beyond_its_exp_by_the_leeway_and_no_longer() {
        let leeway = Duration::from_secs(30);
        let list = times(Some(600), Some(20));
        assert_eq!(list.life(None, leeway, NOW).as_secs(), 50);
        for (secs, has_ended) in [(0, false), (49, false), (50, true)] {
            let now = NOW.saturating_add(Duration::from_secs(secs));
            assert_eq!(list.has_ended(leeway, now), has_ended, "{secs}");
        }
        assert!(!times(None, None).has_ended(leeway, NOW));
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

    const LEEWAY: i64 = 60;

    /// A list of `iat`, fetched at `now`.
    struct Scene {
        loader: Loader,
        held: Mutex<Option<Arc<Held>>>,
        now: Arc<AtomicI64>,
        iat: Arc<AtomicI64>,
    }

    impl Scene {
        fn new() -> Self {
            let uri = "https://id.example/1";
            let key = SigningKey::generate(Algorithm::ES256).unwrap();
            let (now, iat) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
            let (wall, issued) = (Arc::clone(&now), Arc::clone(&iat));
            let source = Source {
                issuer: "https://id.example".to_owned(),
                keys: key.verifying_key().into(),
                algorithms: Vec::new(),
                leeway: Duration::from_secs(LEEWAY.unsigned_abs()),
                without_expiry: false,
                clock: Clock::of(move || Timestamp::from_unix_secs(wall.load(Ordering::SeqCst))),
                reading: Reading::Own(
                    Reader::of(move |url| {
                        let iat = issued.load(Ordering::SeqCst);
                        let claims = StatusListToken {
                            iss: None,
                            sub: url,
                            iat,
                            exp: Some(iat.saturating_add(600)),
                            ttl: Some(3),
                            status_list: StatusList::new(StatusBits::One, 8).unwrap().encode(),
                        };
                        let token = claims.sign(&key).unwrap();
                        async move { Some(token) }
                    }),
                    Duration::from_secs(5),
                ),
            };
            let target = source.reading.target(uri).unwrap();
            Self {
                loader: Loader::new(Arc::new(source), uri, target).unwrap(),
                held: Mutex::default(),
                now,
                iat,
            }
        }

        async fn is_taken(&self, iat: i64, now: i64) -> bool {
            self.iat.store(iat, Ordering::SeqCst);
            self.now.store(now, Ordering::SeqCst);
            let held = self.held.lock().unwrap().clone();
            match self.loader.load(Basis { held, etag: None }).await {
                Ok(Loaded::New { value, .. }) => {
                    *self.held.lock().unwrap() = Some(Arc::new(value));
                    true
                }
                Ok(_) => panic!("nothing was asked about news"),
                Err(FetchError::StatusListOlder) => false,
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[tokio::test]
    async fn a_list_from_a_clock_that_was_ahead_keeps_none_of_the_present_away() {
        let now = NOW.unix_secs();
        for (ahead, is_taken) in [(LEEWAY, false), (LEEWAY + 1, true), (86_400, true)] {
            let scene = Scene::new();
            assert!(scene.is_taken(now + ahead, now + ahead).await);
            assert_eq!(scene.is_taken(now, now).await, is_taken, "{ahead}");
            // And that one counts: none from before it is taken.
            assert!(!scene.is_taken(now - 1, now + 1).await);
            assert!(scene.is_taken(now + ahead, now + ahead).await);
        }
    }
}
