//! The check list: what a token with the right syntax must still show, in this order (RFC 7519 §7.2, RFC 8725 §3).
//!
//! [`verify`](Unverified::verify) stops at the first check that fails; `explain` runs them all. Both run this list.

use std::cell::OnceCell;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claims::{Members, RegisteredClaims};
use super::policy::{Expected, Policy};
use super::verified::Verified;
use crate::error::{Error, Part};
use crate::json;
use crate::jwk::VerifyingKey;
use crate::jws::Unverified;
use crate::time::Timestamp;

/// How far `iat` may lie ahead, where the leeway is not larger: clocks differ, and a token from tomorrow is no accident.
const MAX_IAT_AHEAD: Duration = Duration::from_secs(30);

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
    Subject,
    Required,
    Confirmation,
    Expiry,
    NotBefore,
    IssuedAt,
}

/// The list.
pub(crate) const CHECKS: [Check; 12] = [
    Check {
        name: CheckName::Algorithm,
        run: algorithm,
    },
    Check {
        name: CheckName::Signature,
        run: signature,
    },
    Check {
        name: CheckName::Type,
        run: kind,
    },
    Check {
        name: CheckName::Claims,
        run: claims,
    },
    Check {
        name: CheckName::Issuer,
        run: issuer,
    },
    Check {
        name: CheckName::Audience,
        run: audience,
    },
    Check {
        name: CheckName::Subject,
        run: subject,
    },
    Check {
        name: CheckName::Required,
        run: required,
    },
    Check {
        name: CheckName::Confirmation,
        run: confirmation,
    },
    Check {
        name: CheckName::Expiry,
        run: expiry,
    },
    Check {
        name: CheckName::NotBefore,
        run: not_before,
    },
    Check {
        name: CheckName::IssuedAt,
        run: issued_at,
    },
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

    fn registered(&self) -> Result<&RegisteredClaims, Error> {
        self.payload().map(|payload| &payload.registered)
    }

    fn into_payload(self) -> Result<Payload, Error> {
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
}

impl Unverified<'_> {
    /// Runs the check list at the time `now` and reads the claims into `C`.
    ///
    /// # Errors
    /// The first check that fails, in this order: [`Error::Unsecured`], [`Error::AlgorithmUnknown`],
    /// [`Error::AlgorithmMismatch`], [`Error::SignatureInvalid`], [`Error::TypeMismatch`], [`Error::Malformed`] and
    /// [`Error::ClaimType`] of the payload, [`Error::IssuerMismatch`], [`Error::AudienceMismatch`],
    /// [`Error::AudienceUnexpected`], [`Error::SubjectMismatch`], [`Error::ClaimMissing`], [`Error::ProofRequired`],
    /// [`Error::Expired`], [`Error::NotYetValid`], [`Error::IssuedInFuture`]; then [`Error::ClaimsShape`] where the
    /// claims do not fit `C`.
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
        let Payload {
            members,
            registered,
        } = evidence.into_payload()?;
        let claims = json::from_value(Value::Object(members))?;
        Ok(Verified::new(claims, registered, self.header().clone()))
    }
}

/// RFC 8725 §3.1: the key's algorithm decides, the header's can only agree.
fn algorithm(evidence: &Evidence<'_>) -> Result<(), Error> {
    let key = evidence.key.algorithm();
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

/// RFC 8725 §3.11: a token of one kind does not pass for another.
fn kind(evidence: &Evidence<'_>) -> Result<(), Error> {
    let (header, kinds) = (evidence.token.header(), &evidence.policy.kinds);
    let passes = match header.typ() {
        None => kinds.absent,
        Some(_) => kinds.named.iter().any(|kind| header.typ_is(kind)),
    };
    if passes {
        Ok(())
    } else {
        Err(Error::TypeMismatch {
            expected: kinds.describe(),
        })
    }
}

/// RFC 7519 §7.2: a JSON object; §4.1: the registered claims of the right types, expected or not.
fn claims(evidence: &Evidence<'_>) -> Result<(), Error> {
    evidence.payload().map(|_| ())
}

/// RFC 7519 §4.1.1.
fn issuer(evidence: &Evidence<'_>) -> Result<(), Error> {
    let iss = evidence.registered()?.iss();
    match (&evidence.policy.issuer, iss) {
        (Expected::Any, _) => Ok(()),
        (Expected::OneOf(names), Some(iss)) if names.iter().any(|name| name == iss) => Ok(()),
        (Expected::OneOf(names), Some(_)) => Err(Error::IssuerMismatch {
            expected: names.join(" or "),
        }),
        (_, None) => missing("iss"),
        (Expected::Absent, Some(_)) => Err(Error::IssuerMismatch {
            expected: String::new(),
        }),
    }
}

/// RFC 7519 §4.1.3: a token that names others, and not this service, is refused.
fn audience(evidence: &Evidence<'_>) -> Result<(), Error> {
    let claims = evidence.registered()?;
    match &evidence.policy.audience {
        Expected::Any => Ok(()),
        Expected::Absent if claims.has_aud() => Err(Error::AudienceUnexpected),
        Expected::Absent => Ok(()),
        Expected::OneOf(_) if !claims.has_aud() => missing("aud"),
        Expected::OneOf(names) if claims.aud().iter().any(|aud| names.contains(aud)) => Ok(()),
        Expected::OneOf(names) => Err(Error::AudienceMismatch {
            expected: names.join(" or "),
        }),
    }
}

/// RFC 7519 §4.1.2.
fn subject(evidence: &Evidence<'_>) -> Result<(), Error> {
    match (&evidence.policy.subject, evidence.registered()?.sub()) {
        (None, _) => Ok(()),
        (Some(expected), Some(sub)) if expected == sub => Ok(()),
        (Some(_), Some(_)) => Err(Error::SubjectMismatch),
        (Some(_), None) => missing("sub"),
    }
}

/// The claims that the policy or its profile needs, of whatever value.
fn required(evidence: &Evidence<'_>) -> Result<(), Error> {
    let members = &evidence.payload()?.members;
    let absent = evidence
        .policy
        .required
        .iter()
        .find(|claim| !members.contains_key(claim.as_ref()));
    absent.map_or(Ok(()), |claim| {
        Err(Error::ClaimMissing {
            claim: claim.clone(),
        })
    })
}

/// RFC 7800 §3.1: a token bound to its sender's key needs a proof of that key.
fn confirmation(evidence: &Evidence<'_>) -> Result<(), Error> {
    if evidence.payload()?.members.contains_key("cnf") {
        Err(Error::ProofRequired)
    } else {
        Ok(())
    }
}

/// RFC 7519 §4.1.4: at the second of `exp` the token has expired.
fn expiry(evidence: &Evidence<'_>) -> Result<(), Error> {
    match evidence.registered()?.exp() {
        Some(exp) if exp.saturating_add(evidence.policy.leeway) <= evidence.now => {
            Err(Error::Expired { at: exp })
        }
        None if evidence.policy.expiry_required => missing("exp"),
        _ => Ok(()),
    }
}

/// RFC 7519 §4.1.5: at the second of `nbf` the token is valid.
fn not_before(evidence: &Evidence<'_>) -> Result<(), Error> {
    match evidence.registered()?.nbf() {
        Some(nbf) if nbf.saturating_sub(evidence.policy.leeway) > evidence.now => {
            Err(Error::NotYetValid { from: nbf })
        }
        _ => Ok(()),
    }
}

/// RFC 7519 §4.1.6 sets no rule; a token issued well ahead of now was issued by a clock that cannot be believed.
fn issued_at(evidence: &Evidence<'_>) -> Result<(), Error> {
    let ahead = evidence.policy.leeway.max(MAX_IAT_AHEAD);
    match evidence.registered()?.iat() {
        Some(iat) if iat.saturating_sub(ahead) > evidence.now => {
            Err(Error::IssuedInFuture { at: iat })
        }
        _ => Ok(()),
    }
}

fn missing<T>(claim: &'static str) -> Result<T, Error> {
    Err(Error::ClaimMissing {
        claim: claim.into(),
    })
}
