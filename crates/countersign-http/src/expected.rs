//! What the handlers behind a layer read claims into. It is known from their first request on; then a verification reads
//! the claims into that on its way, and nobody goes over the payload a second time.

use std::fmt;
use std::sync::OnceLock;

use countersign::{Error, JwkSet, Policy, Timestamp};
use serde::de::DeserializeOwned;

use crate::token::{Unread, VerifiedToken};

/// A verification that reads claims into one type.
type Verify = fn(&JwkSet, &Policy, &str, Timestamp) -> Result<VerifiedToken, Error>;

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

    /// Verifies a token; that its claims do not fit is for the handler to say.
    ///
    /// # Errors
    /// Those of [`JwkSet::verify`], without the one about the claims' shape.
    pub(crate) fn verify(
        &self,
        keys: &JwkSet,
        policy: &Policy,
        text: &str,
        now: Timestamp,
    ) -> Result<VerifiedToken, Error> {
        match self.0.get() {
            Some(verify) => verify(keys, policy, text, now),
            None => {
                let verified = keys.verify::<Unread>(policy, text, now)?;
                Ok(VerifiedToken::from(&verified))
            }
        }
    }
}

fn verify_as<C: DeserializeOwned + Send + Sync + 'static>(
    keys: &JwkSet,
    policy: &Policy,
    text: &str,
    now: Timestamp,
) -> Result<VerifiedToken, Error> {
    let verified = keys.verify_if_fits::<C>(policy, text, now)?;
    Ok(VerifiedToken::read(verified))
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected")
            .field("known", &self.0.get().is_some())
            .finish()
    }
}
