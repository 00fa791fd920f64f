//! Tokens that count once: `jti` (RFC 7519 §4.1.7) is remembered until its token has expired.
//!
//! The calendar alone does not say when that is: a clock that is an hour ahead for a moment would have every use forgotten,
//! and every token count again once the clock is right. So as much time must have gone by as the token had left, too; and
//! what was forgotten after all, by a clock that was wrong for long, or for a moment when a token had been used a day before, is
//! refused as used, and so is whatever ends before that.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::{MAX_LEEWAY, RegisteredClaims, Timestamp};

use crate::clock::Moment;
use crate::rejection::Rejection;

/// The longest `jti` that is remembered, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// So long after a token was used at most, the calendar is believed that it has expired: a clock that was far behind at the
/// first use, and is right now, would have its `jti` remembered for years.
const LONGEST_DOUBT: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// When each may be forgotten: by the calendar, and by the time that has gone by.
    until: BTreeMap<Timestamp, Vec<(Name, Moment)>>,
    /// The latest end of what was forgotten. Whatever ends by then may have been used: it counts again only for a clock that
    /// was set back.
    forgotten: Option<Timestamp>,
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
    pub(crate) fn take(
        &self,
        token: RegisteredClaims<'_>,
        (now, moment): (Timestamp, Moment),
    ) -> Result<(), Refused> {
        let (name, until) = named(token)?;
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget_expired(now, moment);
        if used.holds(&name, until) {
            return Err(Refused::Replayed);
        }
        if used.names.len() >= self.0.capacity {
            return Err(Refused::Full);
        }
        let over = moment.later(until.since(now).min(LONGEST_DOUBT));
        used.names.insert(Arc::clone(&name));
        used.until.entry(until).or_default().push((name, over));
        Ok(())
    }

    /// Whether a token would get its use; it does not take it.
    pub(crate) fn look(&self, token: RegisteredClaims<'_>) -> Result<(), Refused> {
        let (name, until) = named(token)?;
        let used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.holds(&name, until) {
            return Err(Refused::Replayed);
        }
        Ok(())
    }
}

/// What a token is remembered by, and until when.
fn named(token: RegisteredClaims<'_>) -> Result<(Name, Timestamp), Refused> {
    let (Some(jti), Some(exp)) = (token.jti(), token.exp()) else {
        return Err(Refused::Unnamed);
    };
    if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
        return Err(Refused::Unnamed);
    }
    // Whatever leeway a policy has, the token is dead after this.
    let until = exp
        .saturating_add(MAX_LEEWAY)
        .saturating_add(Duration::from_secs(1));
    let issuer = Box::from(token.iss().unwrap_or_default());
    Ok((Arc::new((issuer, Box::from(jti))), until))
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Replayed => Self::invalid_token("token_replayed"),
            Refused::Unnamed => Self::invalid_token("token_unnamed"),
            Refused::Full => Self::unavailable_for("single_use_full", FULL_WAIT),
        }
    }
}

impl Used {
    /// Whether a token that ends at `until` has been used, or may have been.
    fn holds(&self, name: &Name, until: Timestamp) -> bool {
        self.names.contains(name) || self.forgotten.is_some_and(|end| until <= end)
    }

    fn forget_expired(&mut self, now: Timestamp, moment: Moment) {
        while let Some(first) = self.until.first_entry() {
            let is_over = |(_, over): &(Name, Moment)| *over <= moment;
            if *first.key() > now || !first.get().iter().all(is_over) {
                return;
            }
            let (end, names) = first.remove_entry();
            self.forgotten = self.forgotten.max(Some(end));
            for (name, _) in names {
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
    use crate::clock::Clock;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

    fn at(secs: u64) -> Timestamp {
        NOW.saturating_add(Duration::from_secs(secs))
    }

    /// Both times, `secs` later, of a clock that goes as it should.
    fn both(secs: u64) -> (Timestamp, Moment) {
        apart(secs, secs)
    }

    /// The calendar so much later, and so much time gone by.
    fn apart(calendar: u64, gone_by: u64) -> (Timestamp, Moment) {
        let start = Clock::of(|| NOW).moment();
        (at(calendar), start.later(Duration::from_secs(gone_by)))
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
        assert_eq!(once.take(token.registered(), both(0)), Ok(()));
        for secs in [0, 599, 600, 900] {
            assert_eq!(
                once.take(token.registered(), both(secs)),
                Err(Refused::Replayed)
            );
        }
        // Nobody asks about one that is dead by then; where somebody did, it had been used.
        let another = self::token("https://id.example", Some("2"), at(901));
        assert_eq!(once.take(another.registered(), both(901)), Ok(()));
        assert_eq!(once.0.used.lock().unwrap().names.len(), 1);
        assert_eq!(
            once.take(token.registered(), both(901)),
            Err(Refused::Replayed)
        );
    }

    #[test]
    fn a_clock_that_is_ahead_for_a_moment_has_nothing_forgotten() {
        let once = SingleUse::with_capacity(10);
        let used = token("https://id.example", Some("1"), NOW);
        assert_eq!(once.take(used.registered(), both(0)), Ok(()));
        let (ahead, unused) = (
            token("https://id.example", Some("2"), at(3600)),
            token("https://id.example", Some("3"), NOW),
        );
        assert_eq!(once.take(ahead.registered(), apart(3600, 1)), Ok(()));
        assert_eq!(
            once.take(used.registered(), apart(2, 2)),
            Err(Refused::Replayed)
        );
        // Nor does anybody else pay for the leap.
        assert_eq!(once.take(unused.registered(), apart(3, 3)), Ok(()));
    }

    #[test]
    fn what_was_forgotten_does_not_count_again_for_a_clock_that_is_set_back() {
        let once = SingleUse::with_capacity(10);
        let used = token("https://id.example", Some("1"), NOW);
        assert_eq!(once.take(used.registered(), both(0)), Ok(()));
        let later = token("https://id.example", Some("2"), at(3600));
        assert_eq!(once.take(later.registered(), both(3600)), Ok(()));
        assert_eq!(
            once.take(used.registered(), apart(1, 3601)),
            Err(Refused::Replayed)
        );
        let fresh = token("https://id.example", Some("3"), at(602));
        assert_eq!(once.take(fresh.registered(), apart(602, 3602)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_far_behind_does_not_fill_the_store_for_years() {
        let once = SingleUse::with_capacity(1);
        let year = 365 * 24 * 60 * 60;
        let used = token("https://id.example", Some("1"), at(year));
        assert_eq!(once.take(used.registered(), both(0)), Ok(()));
        let day = 24 * 60 * 60;
        for (gone_by, expected) in [(day - 1, Err(Refused::Full)), (day, Ok(()))] {
            let next = token("https://id.example", Some("2"), at(2 * year));
            assert_eq!(
                once.take(next.registered(), apart(2 * year, gone_by)),
                expected
            );
        }
    }

    #[test]
    fn a_name_is_that_of_its_issuer_too() {
        let once = SingleUse::with_capacity(10);
        for issuer in ["https://id.example", "https://partner.example"] {
            let token = token(issuer, Some("1"), NOW);
            assert_eq!(once.take(token.registered(), both(0)), Ok(()));
        }
    }

    #[test]
    fn rejects_a_token_without_a_name_and_one_that_is_too_long_to_remember() {
        let once = SingleUse::with_capacity(10);
        let (fits, long) = ("j".repeat(MAX_JTI_BYTES), "j".repeat(MAX_JTI_BYTES + 1));
        for (jti, expected) in [
            (None, Err(Refused::Unnamed)),
            (Some(""), Err(Refused::Unnamed)),
            (Some(&*long), Err(Refused::Unnamed)),
            (Some(&*fits), Ok(())),
        ] {
            let token = token("https://id.example", jti, NOW);
            assert_eq!(once.take(token.registered(), both(0)), expected);
        }
    }

    #[test]
    fn a_store_that_is_full_refuses_until_a_token_has_expired() {
        let once = SingleUse::with_capacity(2);
        let take = |jti: &str, secs| {
            let token = token("https://id.example", Some(jti), at(secs));
            once.take(token.registered(), both(secs))
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
                once.take(token.registered(), both(0))
            };
            let (one, other) = std::thread::scope(|scope| {
                let (one, other) = (scope.spawn(race), scope.spawn(race));
                (one.join().unwrap(), other.join().unwrap())
            });
            assert_eq!([one, other].iter().filter(|taken| taken.is_ok()).count(), 1);
        }
    }
}
