//! Where the keys come from that tokens are verified with: fixed, or replaced in place.

use std::sync::{Arc, PoisonError, RwLock};

use countersign::{JwkSet, VerifyingKey};

/// The keys of one issuer, for [`Protect::with_keys`](crate::Protect::with_keys): made from a
/// [`VerifyingKey`], a [`JwkSet`] or [`SharedKeys`].
#[derive(Clone, Debug)]
pub struct Keys(Source);

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<JwkSet>),
    Shared(SharedKeys),
}

impl Keys {
    /// The set to verify the next token with.
    pub(crate) fn current(&self) -> Arc<JwkSet> {
        match &self.0 {
            Source::Fixed(set) => Arc::clone(set),
            Source::Shared(keys) => keys.current(),
        }
    }

    /// No key now, and no way to ever get one.
    pub(crate) fn is_empty_for_ever(&self) -> bool {
        match &self.0 {
            Source::Fixed(set) => set.keys().next().is_none(),
            Source::Shared(_) => false,
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
