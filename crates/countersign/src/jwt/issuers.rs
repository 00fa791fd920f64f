//! Several issuers, each with its own keys, audience, algorithms and kind of token.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::explain::Report;
use super::registered;
use super::verified::Verified;
use super::verifier::Verifier;
use super::verify::{Notes, Payload};
use crate::error::Error;
use crate::json::Common;
use crate::jws::{Compact, Unverified};
use crate::time::Timestamp;

/// Verifies the tokens of several issuers, none of which can speak for another (RFC 8725 §3.8).
///
/// The `iss` that a token claims selects one [`Verifier`], and does no more than that: the key is then looked up among
/// that issuer's own, whatever names the keys of the others have, and `iss` is checked again once the signature has held.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::{Duration, SystemTime};
/// use countersign::{Algorithm, ClaimsSet, Issuers, Policy, SigningKey, Timestamp, Verifier};
/// let now = Timestamp::from(SystemTime::now());
/// let (ours, theirs) = (SigningKey::generate(Algorithm::ES256)?, SigningKey::generate(Algorithm::EdDSA)?);
/// let issuers = Issuers::new([
///     Verifier::new(ours.verifying_key(), Policy::new("https://id.example", "orders-api")),
///     Verifier::new(theirs.verifying_key(), Policy::access_token("https://partner.example", "https://orders.example")),
/// ])?;
/// let claims = ClaimsSet::new("https://id.example", "orders-api").expires_in(now, Duration::from_mins(10));
/// assert!(issuers.verify::<serde_json::Value>(&ours.sign(&claims)?, now).is_ok());
/// assert!(issuers.verify::<serde_json::Value>(&theirs.sign(&claims)?, now).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Issuers {
    verifiers: Vec<Verifier>,
    by_iss: HashMap<String, usize>,
}

impl Issuers {
    /// One verifier for each issuer; its policy says which.
    ///
    /// # Errors
    /// [`Error::Policy`] where there is no verifier, where a policy takes any issuer, and where two policies name the same.
    pub fn new(verifiers: impl IntoIterator<Item = Verifier>) -> Result<Self, Error> {
        let refused = |what| Err(Error::Policy { what });
        let verifiers: Vec<Verifier> = verifiers.into_iter().collect();
        if verifiers.is_empty() {
            return refused("there is no issuer to verify tokens of");
        }
        let mut by_iss = HashMap::new();
        for (index, verifier) in verifiers.iter().enumerate() {
            let Some(names) = verifier.policy().issuers() else {
                return refused(
                    "a policy takes any issuer; among several, each policy names its own",
                );
            };
            for name in names {
                if by_iss.insert(name.clone(), index).is_some() {
                    return refused(
                        "two policies name the same issuer; an issuer has one set of keys",
                    );
                }
            }
        }
        Ok(Self { verifiers, by_iss })
    }

    /// Verifies a compact token at the time `now` and reads its claims into `C`.
    ///
    /// # Errors
    /// Those of [`Unverified::parse`]; [`Error::Malformed`], [`Error::ClaimType`] and [`Error::ClaimMissing`] where the
    /// payload says no issuer; [`Error::IssuerUnknown`]; then those of [`Verifier::verify`].
    pub fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        let parsed = Unverified::parse_within(token, self.max_token_bytes())?;
        let verifier = self.select(&parsed)?;
        Compact::split(token.as_bytes(), verifier.policy().max_token_bytes)?;
        verifier.verify_parsed(&parsed, now)
    }

    /// What is taken of a token: the limit of the policy that it selects, else that of the most generous one.
    pub(crate) fn limit_for(&self, token: &str) -> usize {
        let most = self.max_token_bytes();
        let parsed = Unverified::parse_within(token, most);
        let selected = parsed.and_then(|parsed| self.select(&parsed));
        selected.map_or(most, |verifier| verifier.policy().max_token_bytes)
    }

    /// What the most generous of the policies takes; the one that is selected looks at its own limit again.
    fn max_token_bytes(&self) -> usize {
        let limits = self.verifiers.iter();
        limits
            .map(|verifier| verifier.policy().max_token_bytes)
            .max()
            .unwrap_or_default()
    }

    /// Runs every step and says what each found; never stops at the first failure.
    #[must_use]
    pub fn explain(&self, token: &str, now: Timestamp) -> Report {
        Report::of_issuers(token, self, now)
    }

    /// The issuers' verifiers, in the order that they were given.
    pub fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        self.verifiers.iter()
    }

    /// The place, among [`verifiers`](Self::verifiers), of the issuer that the token names. Nothing is verified: it says
    /// whose keys and policy the token is to be held against.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::ClaimType`] and [`Error::ClaimMissing`] where the payload says no issuer;
    /// [`Error::IssuerUnknown`].
    pub fn position(&self, token: &Unverified<'_>) -> Result<usize, Error> {
        let mut notes = Notes::new();
        let members = Payload::peek(token.payload(), &mut notes)?;
        let iss = registered::text(&members, Common::Iss)?.ok_or(Error::ClaimMissing {
            claim: "iss".into(),
        })?;
        self.by_iss.get(iss).copied().ok_or(Error::IssuerUnknown)
    }

    /// The verifier that the token's own word points at.
    pub(crate) fn select(&self, token: &Unverified<'_>) -> Result<&Verifier, Error> {
        let index = self.position(token)?;
        self.verifiers.get(index).ok_or(Error::IssuerUnknown)
    }
}
