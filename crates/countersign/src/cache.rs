//! The cache of verified tokens: a token that has passed and comes again costs no signature.
//!
//! What must never happen is that one token is answered with another's claims. So an entry is found by the whole text of its
//! token and by nothing less; the hash only says where to look, is keyed at random, and covers the signature, which nobody
//! can choose. An entry is bound to the policy of its cache and to the key that verified it; its times are looked at with
//! every hit, by the rules that looked at them first.

mod shard;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use shard::{Entry, Shard};

use crate::error::Error;
use crate::jwk::{JwkSet, VerifyingKey};
use crate::jwt::{Policy, Verified, verify_with};
use crate::time::Timestamp;

/// How many locks the entries are spread over: two threads rarely want the same.
const SHARDS: usize = 64;

/// Says where in a cache a token is to be found: by 16 characters at its end and 16 in its middle, and random numbers.
///
/// The end is 96 bits of the signature; that of an ML-DSA signature is mostly zeros, and there the middle of the token is. It is
/// no more than a place: what is found there is compared whole. Two tokens of one hash would put each other out; who
/// brings tokens knows neither the numbers nor the hash.
struct Spread([u64; 4]);

impl Spread {
    fn new() -> Self {
        let random = RandomState::new();
        Self([0, 1, 2, 3].map(|number| random.hash_one(number)))
    }

    fn hash(&self, token: &[u8]) -> u64 {
        let middle = token.get(token.len() / 2..);
        let (Some(middle), Some(end)) = (
            middle.and_then(<[u8]>::first_chunk::<16>),
            token.last_chunk::<16>(),
        ) else {
            return 0;
        };
        let [a, b, c, d] = self.0;
        let halves = |of: &[u8; 16], one: u64, other: u64| {
            let both = u128::from_le_bytes(*of);
            folded(low(both) ^ one, high(both) ^ other)
        };
        // Once more, so that also tokens that are much alike come far from each other.
        folded(
            halves(middle, a, b) ^ halves(end, c, d),
            0x9e37_79b9_7f4a_7c15,
        )
    }
}

/// Both halves of a product: every bit of either number changes many of them.
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one).wrapping_mul(u128::from(other));
    low(product) ^ high(product)
}

fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}

fn high(number: u128) -> u64 {
    low(number.wrapping_shr(64))
}

/// Tokens that have been verified, with their claims as `C`.
///
/// Bounded in entries and bytes: what has not been asked for lately makes room. For one policy, whatever the keys: they are
/// handed in with every call, and a token whose key is no longer among them is verified anew, which refuses it. Whether a
/// token is revoked is not its to know: ask at every hit.
///
/// A hit shares what the first verification made: `C` is neither read again nor cloned.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use countersign::{Algorithm, JwkSet, NoClaims, Policy, SigningKey, Timestamp, TokenCache};
/// # let key = SigningKey::generate(Algorithm::ES256)?;
/// # let token = key.sign(&serde_json::json!({"iss": "i", "aud": "a", "exp": 100}))?;
/// let keys = JwkSet::from(key.verifying_key());
/// let cache = TokenCache::<NoClaims>::new(Policy::new("i", "a"), 10_000, 16 * 1024 * 1024);
/// let first = cache.verify(&keys, &token, Timestamp::from_unix_secs(1))?;
/// let again = cache.verify(&keys, &token, Timestamp::from_unix_secs(99))?;
/// assert!(std::sync::Arc::ptr_eq(&first, &again));
/// assert!(cache.verify(&keys, &token, Timestamp::from_unix_secs(100)).is_err());   // expired meanwhile
/// # Ok(()) }
/// ```
///
/// What is shared may hold more than the claims: `T` is whatever [`Cached`] thing a hit is answered with.
pub struct TokenCache<C, T = Arc<Verified<C>>> {
    policy: Policy,
    shards: Vec<Apart<T>>,
    spread: Spread,
    claims: PhantomData<fn() -> C>,
}

/// What a [`TokenCache`] can hold: something cheap to clone that has the proof of its verification in it.
pub trait Cached: Clone {
    /// What the proof's claims were read into.
    type Claims;

    /// The proof.
    fn verified(&self) -> &Verified<Self::Claims>;
}

impl<C> Cached for Arc<Verified<C>> {
    type Claims = C;

    fn verified(&self) -> &Verified<C> {
        self
    }
}

/// A shard in lines of the processor's cache of its own: who wants one does not wait for who wants the next.
#[repr(align(128))]
struct Apart<T>(Mutex<Shard<T>>);

impl<C, T: Cached> TokenCache<C, T> {
    /// An empty cache for tokens that satisfy `policy`: at most so many of them, and about so many bytes of tokens and their
    /// claims' text. Where a limit leaves no room for a token, that token is verified each time.
    ///
    /// Both are shared out over 64 parts, rounded up: a limit of a few entries holds up to 64, and one of a few kilobytes, none.
    pub fn new(policy: Policy, max_entries: usize, max_bytes: usize) -> Self {
        let share = |all: usize| all.div_ceil(SHARDS);
        let shard = || Shard::new(share(max_entries), share(max_bytes));
        Self {
            policy,
            shards: (0..SHARDS).map(|_| Apart(Mutex::new(shard()))).collect(),
            spread: Spread::new(),
            claims: PhantomData,
        }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many tokens it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| lock(shard).len()).sum()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets every token.
    pub fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    /// Forgets the tokens that none of `keys` has verified: for a key set that has taken another's place. Without a call
    /// they are refused all the same, and stay until they make room.
    pub fn retain_keys(&self, keys: &JwkSet) {
        for shard in &self.shards {
            lock(shard)
                .retain(|entry| keys.still_finds(entry.held.verified().header(), &entry.key));
        }
    }

    /// The token, where it has passed before and would now.
    ///
    /// # Errors
    /// Those of the times: [`Error::Expired`] and its kin.
    fn find(&self, keys: &JwkSet, token: &[u8], now: Timestamp) -> Result<Option<T>, Error> {
        let (hash, shard) = self.place(token);
        let Some(shard) = shard else { return Ok(None) };
        let mut shard = lock(shard);
        let Some(entry) = shard.find(hash, token) else {
            return Ok(None);
        };
        if entry.generation != keys.generation() {
            if !keys.still_finds(entry.held.verified().header(), &entry.key) {
                shard.remove(hash, token);
                return Ok(None);
            }
            entry.generation = keys.generation();
        }
        let passes = entry.window.contains(now);
        let held = entry.held.clone();
        drop(shard);
        if passes {
            return Ok(Some(held));
        }
        match held.verified().check_times(&self.policy, now) {
            Ok(()) => Ok(Some(held)),
            Err(error) => {
                self.forget(hash, token);
                Err(error)
            }
        }
    }

    /// What was just verified with `key`, the one that `keys` finds for it.
    fn keep(&self, keys: &JwkSet, token: &[u8], key: VerifyingKey, held: &T) {
        let (hash, shard) = self.place(token);
        if let Some(shard) = shard {
            lock(shard).insert(
                hash,
                Entry {
                    token: token.into(),
                    key: Box::new(key),
                    generation: keys.generation(),
                    window: held.verified().window(&self.policy),
                    held: held.clone(),
                },
            );
        }
    }

    fn forget(&self, hash: u64, token: &[u8]) {
        if let Some(shard) = self.shard(hash) {
            lock(shard).remove(hash, token);
        }
    }

    fn place(&self, token: &[u8]) -> (u64, Option<&Apart<T>>) {
        let hash = self.spread.hash(token);
        (hash, self.shard(hash))
    }

    fn shard(&self, hash: u64) -> Option<&Apart<T>> {
        // Not the bits by which a map finds a place: those at either end.
        let index = usize::try_from(hash >> 32).unwrap_or_default() % SHARDS;
        self.shards.get(index)
    }

    /// The token as it was remembered, or as `verify` verifies it: with the policy of this cache and with `keys`.
    ///
    /// What `verify` returns is remembered where its payload is that of this token: it has to verify `token`, with `keys` and
    /// the policy that it is given, and nothing else.
    ///
    /// # Errors
    /// Those of `verify`.
    pub fn find_or_verify(
        &self,
        keys: &JwkSet,
        token: impl AsRef<[u8]>,
        now: Timestamp,
        verify: impl FnOnce(&Policy) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = token.as_ref();
        if let Some(held) = self.find(keys, token, now)? {
            return Ok(held);
        }
        let held = verify(&self.policy)?;
        if let Ok(key) = keys.find(held.verified().header())
            && held.verified().is_of(token)
        {
            self.keep(keys, token, key.clone(), &held);
        }
        Ok(held)
    }
}

impl<C: DeserializeOwned> TokenCache<C> {
    /// Verifies a compact token at the time `now` as [`Verifier::verify`](crate::Verifier::verify) does, or remembers that it
    /// has.
    ///
    /// # Errors
    /// Those of [`Verifier::verify`](crate::Verifier::verify).
    pub fn verify(
        &self,
        keys: &JwkSet,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<Verified<C>>, Error> {
        self.find_or_verify(keys, token, now, |policy| {
            verify_with::<C>(keys, policy, token, now).map(Arc::new)
        })
    }
}

/// A poisoned lock still holds whole entries: every change of a shard ends with one.
fn lock<T>(shard: &Apart<T>) -> std::sync::MutexGuard<'_, Shard<T>> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C, T: Cached> fmt::Debug for TokenCache<C, T> {
    /// No token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("policy", &self.policy)
            .field("tokens", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;
    use crate::Algorithm;
    use crate::SigningKey;

    /// Tokens that differ in four characters, at one of the four places that are looked at.
    fn alike() -> impl Iterator<Item = String> {
        (0..6_400).map(|number| {
            let (before, after) = [(34, 26), (42, 18), (50, 10), (58, 2)][number % 4];
            format!("{}{number:04}{}", "A".repeat(before), "A".repeat(after))
        })
    }

    #[test]
    fn tokens_are_spread_evenly_over_the_locks_and_the_places_behind_them() {
        let spread = Spread::new();
        let mut shards = [0; SHARDS];
        let mut places = [0; 64];
        for token in alike() {
            let hash = usize::try_from(spread.hash(token.as_bytes())).unwrap();
            shards[(hash >> 32) % SHARDS] += 1;
            places[hash % 64] += 1;
        }
        // A hundred each, within ten standard deviations.
        for held in shards.iter().chain(&places) {
            assert!((1..200).contains(held), "{shards:?} {places:?}");
        }
    }

    #[test]
    fn nobody_knows_from_one_cache_what_another_does() {
        let [one, other] = [Spread::new(), Spread::new()];
        let same =
            alike().filter(|token| one.hash(token.as_bytes()) == other.hash(token.as_bytes()));
        assert!(same.count() < 3);
    }

    #[test]
    fn no_two_tokens_of_ml_dsa_have_one_place_though_their_signatures_end_alike() {
        let (key, spread) = (
            SigningKey::generate(Algorithm::MlDsa44).unwrap(),
            Spread::new(),
        );
        let tokens = (0..2_000).map(|number| key.sign(&json!({"sub": number})).unwrap());
        let (mut ends, mut places) = (HashSet::new(), HashSet::new());
        for token in tokens {
            ends.insert(token.as_bytes().last_chunk::<16>().copied());
            assert!(places.insert(spread.hash(token.as_bytes())), "{token}");
        }
        assert!(ends.len() < 2_000);
    }
}
