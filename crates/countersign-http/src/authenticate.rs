//! Bearer -> parse -> key -> verify: the only caller of verification in this crate.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Error, Unverified};

use crate::bearer::{self, CookieSource, Head};
use crate::clock::Clock;
use crate::health::Health;
use crate::issuer::{Issuers, Trusted};
use crate::keys::{AtHand, Missing, Waiting};
use crate::rejection::{Challenge, Rejection};
use crate::token::{Passage, VerifiedToken};

/// A check of the service's own, after verification.
pub(crate) type Check = Arc<dyn Fn(VerifiedToken) -> Checking + Send + Sync>;
pub(crate) type Checking = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Everything that a decision needs; shared by all clones of one layer.
pub(crate) struct Authenticator {
    pub(crate) issuers: Issuers,
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
    /// The rest takes time: see [`Authenticator::finish`].
    Pending(Pending),
}

/// What there is still to do for a request that has a credential.
pub(crate) enum Pending {
    /// Keys are on their way; then the token is verified.
    Keys { text: String, wait: Waiting },
    /// Verified; the checks of the service are still to run.
    Checks(VerifiedToken),
}

/// A verification, as far as it needs no waiting.
enum Verdict {
    Verified(VerifiedToken),
    Wait(Waiting),
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
        Ok(match self.verify(text, false)? {
            Verdict::Wait(wait) => Decision::Pending(Pending::Keys {
                text: text.to_owned(),
                wait,
            }),
            Verdict::Verified(token) if self.checks.is_empty() => {
                Decision::Passed(self.passage(Some(token)))
            }
            Verdict::Verified(token) => Decision::Pending(Pending::Checks(token)),
        })
    }

    /// Waits for keys and runs the checks of the service, in the order in which they were named.
    ///
    /// # Errors
    /// The first rejection, in this layer's name and logged.
    pub(crate) async fn finish(&self, pending: Pending) -> Result<Passage, Rejection> {
        let token = match pending {
            Pending::Checks(token) => token,
            Pending::Keys { text, wait } => {
                wait.await;
                match self.verify(&text, true)? {
                    Verdict::Verified(token) => token,
                    // What was waited for has come and gone.
                    Verdict::Wait(_) => {
                        let wait = Rejection::unavailable(Duration::from_secs(1));
                        return Err(self.refuse(wait, None));
                    }
                }
            }
        };
        for check in &self.checks {
            if let Err(rejection) = check(token.clone()).await {
                return Err(self.refuse(rejection, token.kid()));
            }
        }
        Ok(self.passage(Some(token)))
    }

    /// The verification: whose token, which key, the check list. Whoever has `waited` for keys does not wait again.
    fn verify(&self, text: &str, waited: bool) -> Result<Verdict, Rejection> {
        let parsed =
            Unverified::parse(text).map_err(|error| self.refuse(Rejection::from(&error), None))?;
        let kid = parsed.header().kid();
        let invalid = |error: &Error| self.refuse(Rejection::from(error), kid);
        let unavailable = |wait| self.refuse(Rejection::unavailable(wait), kid);
        let issuer = self.issuers.of(&parsed).map_err(|error| invalid(&error))?;
        let keys = match issuer.keys.at_hand(&self.clock) {
            AtHand::Set(keys) => keys,
            AtHand::Wait(wait) => return Ok(Verdict::Wait(wait)),
            AtHand::Nothing { retry_after } => return Err(unavailable(retry_after)),
        };
        // The header is a hint: it selects a key, and the key's own algorithm is the one that counts.
        let key = match keys.find(parsed.header()) {
            Ok(key) => key,
            // A key of that name for another algorithm is no such key either.
            Err(error @ (Error::KeyNotFound | Error::AlgorithmMismatch { .. })) => {
                return match issuer.keys.missing(kid, &keys, &self.clock, waited) {
                    Missing::Wait(wait) => Ok(Verdict::Wait(wait)),
                    Missing::Unknown => Err(invalid(&error)),
                    Missing::Unavailable { retry_after } => Err(unavailable(retry_after)),
                };
            }
            Err(error) => return Err(invalid(&error)),
        };
        parsed
            .verify(key, &issuer.policy, self.clock.now())
            .map(|verified| Verdict::Verified(VerifiedToken::new(verified)))
            .map_err(|error| invalid(&error))
    }

    pub(crate) fn health(&self) -> Health {
        let of = |issuer: &Trusted| issuer.keys.health(&issuer.name, &self.clock);
        Health {
            issuers: self.issuers.iter().map(of).collect(),
        }
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
            .field("issuers", &self.issuers)
            .field("cookie", &self.cookie)
            .field("challenge", &self.challenge)
            .field("checks", &self.checks.len())
            .finish_non_exhaustive()
    }
}
