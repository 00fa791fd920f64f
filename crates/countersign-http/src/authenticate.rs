//! Bearer -> parse -> key -> verify: the only caller of verification in this crate.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Policy, Timestamp, Unverified};

use crate::bearer::{self, CookieSource, Head};
use crate::keys::Keys;
use crate::rejection::{Challenge, Rejection};
use crate::token::{Passage, VerifiedToken};

/// How long a client waits while there is no key at all.
const NO_KEYS_WAIT: Duration = Duration::from_secs(5);

/// The time, as the embedding service sees it.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A check of the service's own, after verification.
pub(crate) type Check = Arc<dyn Fn(VerifiedToken) -> Checking + Send + Sync>;
pub(crate) type Checking = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Everything that a decision needs; shared by all clones of one layer.
pub(crate) struct Authenticator {
    pub(crate) keys: Keys,
    pub(crate) policy: Policy,
    pub(crate) cookie: Option<CookieSource>,
    pub(crate) challenge: Arc<Challenge>,
    pub(crate) clock: Clock,
    pub(crate) checks: Vec<Check>,
}

/// Where a request without a credential goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    Refused,
    LetIn,
}

/// What is known without waiting.
pub(crate) enum Decision {
    Passed(Passage),
    /// Verified; the checks of the service are still to run: see [`Authenticator::approve`].
    Unchecked(VerifiedToken),
}

impl Authenticator {
    /// Decides about a request, as far as that needs no waiting.
    ///
    /// # Errors
    /// The rejection to answer with, logged.
    pub(crate) fn decide(
        &self,
        head: Head<'_>,
        anonymous: Anonymous,
    ) -> Result<Decision, Rejection> {
        let text = match bearer::credential(head, self.cookie.as_ref()) {
            Ok(Some(text)) => text,
            Ok(None) if anonymous == Anonymous::LetIn => {
                return Ok(Decision::Passed(self.passage(None)));
            }
            Ok(None) => return Err(self.refuse(Rejection::no_credential(), None)),
            Err(rejection) => return Err(self.refuse(rejection, None)),
        };
        let token = self.verify(text)?;
        if self.checks.is_empty() {
            return Ok(Decision::Passed(self.passage(Some(token))));
        }
        Ok(Decision::Unchecked(token))
    }

    /// Runs the checks of the service, in the order in which they were named.
    ///
    /// # Errors
    /// The first rejection, in this layer's name and logged.
    pub(crate) async fn approve(&self, token: VerifiedToken) -> Result<Passage, Rejection> {
        for check in &self.checks {
            if let Err(rejection) = check(token.clone()).await {
                return Err(self.refuse(rejection, token.kid()));
            }
        }
        Ok(self.passage(Some(token)))
    }

    fn verify(&self, text: &str) -> Result<VerifiedToken, Rejection> {
        let parsed = match Unverified::parse(text) {
            Ok(parsed) => parsed,
            Err(error) => return Err(self.refuse(Rejection::from(&error), None)),
        };
        // The header is a hint: it selects a key, and the key's own algorithm is the one that counts.
        let keys = self.keys.current();
        if keys.keys().next().is_none() {
            return Err(self.refuse(Rejection::unavailable(NO_KEYS_WAIT), parsed.header().kid()));
        }
        let verified = keys
            .find(parsed.header())
            .and_then(|key| parsed.verify(key, &self.policy, (self.clock)()))
            .map(VerifiedToken::new);
        verified.map_err(|error| self.refuse(Rejection::from(&error), parsed.header().kid()))
    }

    fn passage(&self, token: Option<VerifiedToken>) -> Passage {
        Passage {
            challenge: Arc::clone(&self.challenge),
            token,
        }
    }

    pub(crate) fn refuse(&self, rejection: Rejection, kid: Option<&str>) -> Rejection {
        rejection.under(&self.challenge).logged(kid)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("keys", &self.keys)
            .field("cookie", &self.cookie)
            .field("challenge", &self.challenge)
            .field("checks", &self.checks.len())
            .finish_non_exhaustive()
    }
}
