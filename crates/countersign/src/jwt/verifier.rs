//! Keys and a policy, together.

use serde::de::DeserializeOwned;

use super::explain::Report;
use super::policy::Policy;
use super::verified::Verified;
use crate::error::Error;
use crate::jwk::JwkSet;
use crate::jws::Unverified;
use crate::time::Timestamp;

/// Verifies the tokens of one issuer: parse, find the key, run the check list.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::{Duration, SystemTime};
/// use countersign::{Algorithm, ClaimsSet, Policy, SigningKey, Timestamp, Verifier};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Order { order: u32 }
///
/// let now = Timestamp::from(SystemTime::now());
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let claims = ClaimsSet::new("https://id.example", "orders-api").expires_in(now, Duration::from_mins(10));
/// let token = key.sign(&claims.with(&Order { order: 17 })?)?;
///
/// let verifier = Verifier::new(key.verifying_key(), Policy::new("https://id.example", "orders-api"));
/// let order = verifier.verify::<Order>(&token, now)?;
/// assert_eq!(order.order, 17);
/// assert!(verifier.verify::<Order>(&token, now.saturating_add(Duration::from_mins(10))).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: JwkSet,
    policy: Policy,
}

impl Verifier {
    /// Tokens signed by one of `keys` (one [`VerifyingKey`](crate::VerifyingKey), or a set) that satisfy `policy`.
    pub fn new(keys: impl Into<JwkSet>, policy: Policy) -> Self {
        Self {
            keys: keys.into(),
            policy,
        }
    }

    /// Verifies a compact token at the time `now` and reads its claims into `C`.
    ///
    /// # Errors
    /// Those of [`Unverified::parse`], [`JwkSet::find`] and [`Unverified::verify`], in this order.
    pub fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        self.verify_parsed(&Unverified::parse(token)?, now)
    }

    pub(crate) fn verify_parsed<C: DeserializeOwned>(
        &self,
        parsed: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        let key = self.keys.find(parsed.header())?;
        parsed.verify(key, &self.policy, now)
    }

    /// Runs every step and says what each found; never stops at the first failure.
    #[must_use]
    pub fn explain(&self, token: &str, now: Timestamp) -> Report {
        Report::of(token, self, now)
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}
