//! Where the keys come from that tokens are verified with: fixed, replaced in place, or fetched.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign::{Algorithm, JwkSet, VerifyingKey};

use crate::clock::Clock;
#[cfg(feature = "remote")]
use crate::fetch::Connecting;
use crate::health::{IssuerHealth, Standing};
#[cfg(feature = "remote")]
use crate::jwks::RemoteKeys;
#[cfg(feature = "remote")]
use crate::refresh::View;

/// How long a client waits while there is no key at all, and nobody fetches one.
const NO_KEYS_WAIT: Duration = Duration::from_secs(5);

/// The keys of one issuer, for [`Protect::with_keys`](crate::Protect::with_keys): made from a
/// [`VerifyingKey`], a [`JwkSet`], [`SharedKeys`] or `RemoteKeys`.
#[derive(Clone, Debug)]
pub struct Keys(Source);

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<JwkSet>),
    Shared(SharedKeys),
    #[cfg(feature = "remote")]
    Remote(RemoteKeys),
}

/// Something that has to end before there is an answer.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The keys that there are now.
pub(crate) enum AtHand<'k> {
    /// Fixed keys are lent: counting who looks at them would have every thread write to one place.
    Set(Cow<'k, Arc<JwkSet>>),
    /// Look again when this has ended.
    #[cfg_attr(
        not(feature = "remote"),
        expect(dead_code, reason = "only what is fetched is waited for")
    )]
    Wait(Waiting),
    Nothing {
        retry_after: Duration,
    },
}

/// What follows from a key that is not in the set.
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "only what is fetched is waited for")
)]
pub(crate) enum Missing {
    /// Look again when this has ended.
    Wait(Waiting),
    /// There is no such key.
    Unknown,
    /// The issuer cannot be asked whether there is.
    Unavailable { retry_after: Duration },
}

impl Keys {
    /// The set to verify the next token with. Only keys that are fetched ask the clock. Whoever has `waited` for them does not
    /// wait again.
    pub(crate) fn at_hand(&self, clock: &Clock, waited: bool) -> AtHand<'_> {
        let set = match &self.0 {
            Source::Fixed(set) if set.has_usable_key() => {
                return AtHand::Set(Cow::Borrowed(set));
            }
            Source::Fixed(set) => Arc::clone(set),
            Source::Shared(keys) => keys.current(),
            #[cfg(feature = "remote")]
            Source::Remote(keys) => match keys.view(clock.moment(), waited) {
                View::Held(set) if !set.has_usable_key() => {
                    return keys.anything(clock.moment(), waited);
                }
                View::Held(set) => set,
                View::Wait(flight) => return AtHand::Wait(flight),
                View::Nothing { retry_after } => return AtHand::Nothing { retry_after },
            },
        };
        #[cfg(not(feature = "remote"))]
        let _ = (clock, waited);
        if !set.has_usable_key() {
            return AtHand::Nothing {
                retry_after: NO_KEYS_WAIT,
            };
        }
        AtHand::Set(Cow::Owned(set))
    }

    /// What to do about a key that is not in the set `seen`. Whoever has `waited` already does not wait again.
    pub(crate) fn missing(
        &self,
        kid: Option<&str>,
        seen: &Arc<JwkSet>,
        clock: &Clock,
        waited: bool,
    ) -> Missing {
        match &self.0 {
            #[cfg(feature = "remote")]
            Source::Remote(keys) => keys.missing(kid, seen, clock.moment(), waited),
            Source::Fixed(_) | Source::Shared(_) => {
                #[cfg(not(feature = "remote"))]
                let _ = (kid, seen, clock, waited);
                Missing::Unknown
            }
        }
    }

    /// How it stands with them. Asking has the first fetch made: a service that says when it is ready may be sent no token
    /// before.
    pub(crate) fn health(&self, issuer: &str, clock: &Clock) -> IssuerHealth {
        drop(self.at_hand(clock, false));
        let (set, standing) = match &self.0 {
            #[cfg(feature = "remote")]
            Source::Remote(keys) => {
                let now = clock.moment();
                (keys.held(now), keys.standing(now))
            }
            Source::Fixed(set) => (Some(Arc::clone(set)), Standing::at_hand()),
            Source::Shared(keys) => (Some(keys.current()), Standing::at_hand()),
        };
        IssuerHealth::new(issuer, standing, set.as_deref())
    }

    /// The URL that the keys are fetched from, or by, where they are.
    #[cfg(feature = "remote")]
    pub(crate) fn home(&self) -> Option<&str> {
        match &self.0 {
            Source::Remote(keys) => Some(keys.home()),
            Source::Fixed(_) | Source::Shared(_) => None,
        }
    }

    /// How the issuer is asked for its keys, where it is.
    #[cfg(feature = "remote")]
    pub(crate) fn connecting(&self) -> Option<&Connecting> {
        match &self.0 {
            Source::Remote(keys) => Some(keys.connecting()),
            Source::Fixed(_) | Source::Shared(_) => None,
        }
    }

    /// How long a fetch of keys may take in all; no time, where there is none.
    #[cfg(feature = "remote")]
    pub(crate) fn patience(&self) -> Duration {
        match &self.0 {
            Source::Remote(keys) => keys.patience(),
            Source::Fixed(_) | Source::Shared(_) => Duration::ZERO,
        }
    }

    /// No key now, and no way to ever get one.
    pub(crate) fn is_empty_for_ever(&self) -> bool {
        match &self.0 {
            Source::Fixed(set) => !set.has_usable_key(),
            _ => false,
        }
    }
}

impl Keys {
    /// Whether the keys come from their issuer.
    pub(crate) fn is_fetched(&self) -> bool {
        !matches!(&self.0, Source::Fixed(_) | Source::Shared(_))
    }

    /// Whether there may be a key for one of these algorithms, where any are named. Of keys that are still to come nobody knows,
    /// but that none of those that are fetched is a secret.
    pub(crate) fn may_fit(&self, algorithms: &[Algorithm]) -> bool {
        match &self.0 {
            Source::Fixed(set) => {
                let mut keys = set.keys();
                algorithms.is_empty() || keys.any(|key| algorithms.contains(&key.algorithm()))
            }
            Source::Shared(_) => true,
            #[cfg(feature = "remote")]
            Source::Remote(_) => {
                algorithms.is_empty()
                    || !algorithms.iter().all(|algorithm| algorithm.is_symmetric())
            }
        }
    }
}

impl From<VerifyingKey> for Keys {
    fn from(key: VerifyingKey) -> Self {
        Self::from(JwkSet::from(key))
    }
}

impl From<JwkSet> for Keys {
    fn from(set: JwkSet) -> Self {
        Self(Source::Fixed(Arc::new(set)))
    }
}

impl From<SharedKeys> for Keys {
    fn from(keys: SharedKeys) -> Self {
        Self(Source::Shared(keys))
    }
}

#[cfg(feature = "remote")]
impl From<RemoteKeys> for Keys {
    fn from(keys: RemoteKeys) -> Self {
        Self(Source::Remote(keys))
    }
}

#[cfg(feature = "remote")]
impl From<&RemoteKeys> for Keys {
    fn from(keys: &RemoteKeys) -> Self {
        Self::from(keys.clone())
    }
}

impl From<&SharedKeys> for Keys {
    fn from(keys: &SharedKeys) -> Self {
        Self::from(keys.clone())
    }
}

/// A key set that can be replaced while requests are served: every clone sees the new one at once.
///
/// A replacement is of the whole set, so a removed key is dead from the next request on. Readers wait for
/// nothing but the swap of one pointer.
///
/// ```
/// use countersign::{Algorithm, JwkSet, SigningKey};
/// use countersign_http::{Protect, SharedKeys};
///
/// let (old, new) = (SigningKey::generate(Algorithm::ES256)?, SigningKey::generate(Algorithm::ES256)?);
/// let keys = SharedKeys::new(old.verifying_key());
/// let auth = Protect::with_keys("https://id.example", &keys).audience("orders-api").build()?;
/// keys.replace(JwkSet::new([old.verifying_key(), new.verifying_key()]));   // `auth` now knows both
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedKeys(Arc<RwLock<Arc<JwkSet>>>);

impl SharedKeys {
    /// Starts with `set`, which may be empty: then the answer is 503 until it is replaced.
    #[must_use]
    pub fn new(set: impl Into<JwkSet>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(set.into()))))
    }

    /// Puts `set` in the place of the present one.
    pub fn replace(&self, set: impl Into<JwkSet>) {
        let set = Arc::new(set.into());
        // A poisoned lock still holds a whole set: the only write is this swap of one pointer.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = set;
    }

    /// The present set.
    #[must_use]
    pub fn current(&self) -> Arc<JwkSet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
