//! What the handlers behind a layer read claims into. It is known from their first request on; then a verification reads
//! the claims into that on its way, and nobody goes over the payload a second time.
//!
//! On its way is after the signature has held and before the other checks have: a token of the issuer's that is refused for
//! its audience or its time is read as well, and the value is dropped unseen.

use std::fmt;
use std::sync::{Arc, OnceLock};

use countersign::{Error, JwkSet, NoClaims, Policy, Timestamp};
use serde::de::DeserializeOwned;

use crate::front::Front;
use crate::token::VerifiedToken;

/// A verification that reads claims into one type.
type Verify = fn(&JwkSet, &Policy, &[u8], Timestamp, &Arc<Front>) -> Result<VerifiedToken, Error>;

/// The type that was asked for first. Where handlers of several stand behind one layer, the others read for themselves.
#[derive(Default)]
pub(crate) struct Expected(OnceLock<Verify>);

impl Expected {
    /// A handler takes `C`.
    pub(crate) fn learn<C: DeserializeOwned + Send + Sync + 'static>(&self) {
        if self.0.get().is_none() {
            let _ = self.0.set(verify_as::<C>);
        }
    }

    fn verify(&self) -> Verify {
        self.0.get().copied().unwrap_or(verify_unread)
    }
}

impl Front {
    /// Verifies a token; that its claims do not fit is for the handler to say.
    ///
    /// # Errors
    /// Those of [`JwkSet::verify`], without the one about the claims' shape.
    pub(crate) fn verify(
        self: &Arc<Self>,
        keys: &JwkSet,
        policy: &Policy,
        token: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedToken, Error> {
        self.expected.verify()(keys, policy, token, now, self)
    }
}

fn verify_unread(
    keys: &JwkSet,
    policy: &Policy,
    token: &[u8],
    now: Timestamp,
    front: &Arc<Front>,
) -> Result<VerifiedToken, Error> {
    let verified = keys.verify_if_fits::<NoClaims>(policy, token, now)?;
    Ok(VerifiedToken::new(verified.without_claims(), front))
}

fn verify_as<C: DeserializeOwned + Send + Sync + 'static>(
    keys: &JwkSet,
    policy: &Policy,
    token: &[u8],
    now: Timestamp,
    front: &Arc<Front>,
) -> Result<VerifiedToken, Error> {
    let verified = keys.verify_if_fits::<C>(policy, token, now)?;
    Ok(VerifiedToken::read(verified, front))
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected")
            .field("known", &self.0.get().is_some())
            .finish()
    }
}
