//! The check list: what a token with the right syntax must still show, in this order (RFC 7519 §7.2, RFC 8725 §3).
//!
//! [`verify`](Unverified::verify) stops at the first check that fails; `explain` runs them all. Both run this list.

mod binding;
mod kind;
mod parties;
mod times;

use std::cell::OnceCell;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claims::{Members, RegisteredClaims};
use super::policy::Policy;
use super::verified::Verified;
use crate::error::{Error, Part};
use crate::json;
use crate::jwk::VerifyingKey;
use crate::jws::Unverified;
use crate::time::Timestamp;

pub(crate) use times::auth_time;

/// One entry of the list.
pub(crate) struct Check {
    pub(crate) name: CheckName,
    pub(crate) run: fn(&Evidence<'_>) -> Result<(), Error>,
}

/// The names of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckName {
    Algorithm,
    Signature,
    Type,
    Claims,
    Issuer,
    Audience,
    AuthorizedParty,
    Subject,
    Required,
    Kind,
    Exact,
    Target,
    Hashes,
    Confirmation,
    Expiry,
    NotBefore,
    IssuedAt,
    AuthTime,
}

const fn check(name: CheckName, run: fn(&Evidence<'_>) -> Result<(), Error>) -> Check {
    Check { name, run }
}

/// The list.
pub(crate) const CHECKS: [Check; 18] = [
    check(CheckName::Algorithm, algorithm),
    check(CheckName::Signature, signature),
    check(CheckName::Type, kind::typ),
    check(CheckName::Claims, claims),
    check(CheckName::Issuer, parties::issuer),
    check(CheckName::Audience, parties::audience),
    check(CheckName::AuthorizedParty, parties::authorized_party),
    check(CheckName::Subject, parties::subject),
    check(CheckName::Required, kind::required),
    check(CheckName::Kind, kind::profile),
    check(CheckName::Exact, binding::exact),
    check(CheckName::Target, binding::target),
    check(CheckName::Hashes, binding::hashes),
    check(CheckName::Confirmation, binding::confirmation),
    check(CheckName::Expiry, times::expiry),
    check(CheckName::NotBefore, times::not_before),
    check(CheckName::IssuedAt, times::issued_at),
    check(CheckName::AuthTime, times::auth_time_recent),
];

/// What the checks look at.
pub(crate) struct Evidence<'e> {
    pub(crate) token: &'e Unverified<'e>,
    pub(crate) key: &'e VerifyingKey,
    pub(crate) policy: &'e Policy,
    pub(crate) now: Timestamp,
    claims: OnceCell<Result<Payload, Error>>,
}

/// The payload, read.
pub(crate) struct Payload {
    pub(crate) members: Members,
    pub(crate) registered: RegisteredClaims,
}

impl<'e> Evidence<'e> {
    pub(crate) const fn new(
        token: &'e Unverified<'e>,
        key: &'e VerifyingKey,
        policy: &'e Policy,
        now: Timestamp,
    ) -> Self {
        Self {
            token,
            key,
            policy,
            now,
            claims: OnceCell::new(),
        }
    }

    /// The claims, read at the first call: in `verify` that is after the signature held.
    pub(crate) fn payload(&self) -> Result<&Payload, Error> {
        self.claims
            .get_or_init(|| Payload::read(self.token.payload()))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn members(&self) -> Result<&Members, Error> {
        self.payload().map(|payload| &payload.members)
    }

    fn registered(&self) -> Result<&RegisteredClaims, Error> {
        self.payload().map(|payload| &payload.registered)
    }

    pub(crate) fn into_payload(self) -> Result<Payload, Error> {
        let Self { token, claims, .. } = self;
        claims
            .into_inner()
            .unwrap_or_else(|| Payload::read(token.payload()))
    }
}

impl Payload {
    fn read(octets: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object(octets, Part::Payload)?;
        let registered = RegisteredClaims::read(&members)?;
        Ok(Self {
            members,
            registered,
        })
    }

    /// The end of a verification: the claims as the caller's type, and the registered ones.
    pub(crate) fn into_claims<C: DeserializeOwned>(self) -> Result<(C, RegisteredClaims), Error> {
        let claims = json::from_value(Value::Object(self.members))?;
        Ok((claims, self.registered))
    }
}

impl Unverified<'_> {
    /// Runs the check list at the time `now` and reads the claims into `C`.
    ///
    /// # Errors
    /// The first check that fails, in this order: [`Error::AlgorithmRefused`], [`Error::Unsecured`],
    /// [`Error::AlgorithmUnknown`], [`Error::AlgorithmMismatch`], [`Error::SignatureInvalid`], [`Error::TypeMismatch`],
    /// [`Error::Malformed`] and [`Error::ClaimType`] of the payload, [`Error::IssuerMismatch`],
    /// [`Error::AudienceMismatch`], [`Error::AudienceUnexpected`], [`Error::AudienceShared`], [`Error::SubjectMismatch`],
    /// [`Error::ClaimMissing`], [`Error::ClaimForeign`], [`Error::ClaimMismatch`], [`Error::ProofRequired`],
    /// [`Error::Expired`], [`Error::NotYetValid`], [`Error::IssuedInFuture`], [`Error::TooOld`]; then
    /// [`Error::ClaimsShape`] where the claims do not fit `C`.
    pub fn verify<C: DeserializeOwned>(
        &self,
        key: &VerifyingKey,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        let evidence = Evidence::new(self, key, policy, now);
        for check in &CHECKS {
            (check.run)(&evidence)?;
        }
        let (claims, registered) = evidence.into_payload()?.into_claims()?;
        Ok(Verified::new(claims, registered, self.header().clone()))
    }
}

/// RFC 8725 §3.1: the key's algorithm decides, the header's can only agree.
fn algorithm(evidence: &Evidence<'_>) -> Result<(), Error> {
    let key = evidence.key.algorithm();
    let taken = &evidence.policy.algorithms;
    if !taken.is_empty() && !taken.contains(&key) {
        return Err(Error::AlgorithmRefused { algorithm: key });
    }
    if evidence.token.header().algorithm()? == key {
        Ok(())
    } else {
        Err(Error::AlgorithmMismatch { key })
    }
}

/// RFC 7515 §5.2: over the octets as received.
fn signature(evidence: &Evidence<'_>) -> Result<(), Error> {
    if evidence.token.signature_holds(evidence.key) {
        Ok(())
    } else {
        Err(Error::SignatureInvalid)
    }
}

/// RFC 7519 §7.2: a JSON object; §4.1: the registered claims of the right types, expected or not.
fn claims(evidence: &Evidence<'_>) -> Result<(), Error> {
    evidence.payload().map(|_| ())
}

fn missing<T>(claim: &'static str) -> Result<T, Error> {
    Err(Error::ClaimMissing {
        claim: claim.into(),
    })
}

/// A claim that is a string, and not an empty one; `None` where it is absent.
fn name<'m>(members: &'m Members, claim: &'static str) -> Result<Option<&'m str>, Error> {
    match members.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Error::ClaimType {
            claim,
            expected: "a string that is not empty",
        }),
    }
}
