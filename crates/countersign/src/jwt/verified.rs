//! The proof that a verification ran.

mod kept;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::Value;

use kept::Kept;

use super::policy::Policy;
use super::registered::RegisteredClaims;
use super::verify::{Notes, Payload, Window, check_again};
use crate::base64url;
use crate::error::{Error, Part};
use crate::json;
use crate::jws::Header;
use crate::time::Timestamp;

/// Claims whose token passed the whole check list. Nothing but a verification makes one.
///
/// ```compile_fail
/// let forged = countersign::Verified { claims: "ada" };
/// ```
///
/// ```compile_fail
/// fn forge(mut token: countersign::Verified<&'static str>) {
///     token.claims = "eve";
/// }
/// ```
///
/// A function that takes one takes nothing else: not a token that was only parsed, and not one that was only decoded.
///
/// ```compile_fail
/// fn handler(token: countersign::Verified<serde_json::Value>) {}
/// handler(countersign::Unverified::parse("…").unwrap());
/// ```
/// ```compile_fail
/// fn handler(token: countersign::Verified<serde_json::Value>) {}
/// handler(countersign::dangerous::decode_unverified("…").unwrap());
/// ```
///
/// And a token that was only parsed shows no claims:
///
/// ```compile_fail
/// let claims = countersign::Unverified::parse("…").unwrap().payload();
/// ```
#[derive(Clone)]
pub struct Verified<C> {
    claims: C,
    proof: Arc<Proof>,
}

/// What all readings of one token have in common.
struct Proof {
    kept: Kept,
    header: Header,
}

/// A verified token whose payload is still being looked at.
pub(super) struct Draft<C> {
    claims: C,
    proof: Proof,
}

impl<C> Draft<C> {
    /// Takes over the memory of the payload.
    pub(super) fn with_payload(mut self, payload: String) -> Verified<C> {
        self.proof.kept.add_payload(payload);
        Verified {
            claims: self.claims,
            proof: Arc::new(self.proof),
        }
    }
}

impl<C> Verified<C> {
    /// From what a verification left: `registered` stands in `payload`, or is its own.
    pub(super) fn draft(
        claims: C,
        registered: &RegisteredClaims<'_>,
        payload: &[u8],
        header: &Header,
    ) -> Draft<C> {
        let proof = Proof {
            kept: Kept::draft(registered, payload),
            header: header.clone(),
        };
        Draft { claims, proof }
    }

    /// The same, with a copy of the payload.
    pub(super) fn new(
        claims: C,
        registered: &RegisteredClaims<'_>,
        payload: &[u8],
        header: &Header,
    ) -> Self {
        // A payload whose claims were read is UTF-8.
        let text = String::from_utf8(payload.to_vec()).unwrap_or_default();
        Self::draft(claims, registered, payload, header).with_payload(text)
    }

    /// Whether it would pass the checks of the times now.
    pub(crate) fn check_times(&self, policy: &Policy, now: Timestamp) -> Result<(), Error> {
        check_again(&self.registered(), self.proof.kept.payload(), policy, now)
    }

    /// Whether its payload is that of `token`.
    pub(crate) fn is_of(&self, token: &[u8]) -> bool {
        let payload = token.split(|byte| *byte == b'.').nth(1);
        base64url::decode(payload.unwrap_or_default(), Part::Payload)
            .is_ok_and(|payload| payload == self.proof.kept.payload().as_bytes())
    }

    /// When it passes them without a look at its claims.
    pub(crate) fn window(&self, policy: &Policy) -> Window {
        Window::of(&self.registered(), self.proof.kept.payload(), policy)
    }

    /// The caller's own claims.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The caller's own claims, without the rest.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// `iss`, `sub`, `aud`, `exp`, `nbf`, `iat` and `jti`.
    #[must_use]
    pub fn registered(&self) -> RegisteredClaims<'_> {
        self.proof.kept.registered()
    }

    /// The header. Its integrity is verified; a key that it names or carries is still no key to trust.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.proof.header
    }

    /// One claim, whatever the caller has read of them.
    pub(crate) fn claim(&self, name: &str) -> Result<Option<Value>, Error> {
        let mut notes = Notes::new();
        let members = Payload::peek(self.proof.kept.payload().as_bytes(), &mut notes)?;
        Ok(members.get(name).map(|claim| claim.to_value().into_owned()))
    }

    /// The same proof, with the claims read into another type.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// # use countersign::{Algorithm, NoClaims, Policy, SigningKey, Timestamp, Verifier};
    /// # #[derive(serde::Deserialize)]
    /// # struct Order { order: u32 }
    /// # let key = SigningKey::generate(Algorithm::ES256)?;
    /// # let token = key.sign(&serde_json::json!({"iss": "i", "aud": "a", "exp": 100, "order": 17}))?;
    /// # let (verifier, now) = (Verifier::new(key.verifying_key(), Policy::new("i", "a")), Timestamp::from_unix_secs(1));
    /// let verified = verifier.verify::<NoClaims>(&token, now)?;   // what it is about is not known here yet
    /// assert_eq!(verified.deserialize::<Order>()?.order, 17);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::ClaimsShape`] where they do not fit.
    pub fn deserialize<D: DeserializeOwned>(&self) -> Result<Verified<D>, Error> {
        let claims = json::read_again(self.proof.kept.payload().as_bytes())?;
        Ok(Verified {
            claims,
            proof: Arc::clone(&self.proof),
        })
    }

    /// The same proof, with nothing but the registered claims: it costs one count of references.
    #[must_use]
    pub fn without_claims(&self) -> Verified<NoClaims> {
        Verified {
            claims: NoClaims,
            proof: Arc::clone(&self.proof),
        }
    }
}

impl<C> Verified<Option<C>> {
    /// The same proof with the claims, where there are any.
    #[must_use]
    pub fn transpose(self) -> Option<Verified<C>> {
        Some(Verified {
            claims: self.claims?,
            proof: self.proof,
        })
    }
}

impl<C> Deref for Verified<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}

impl<C: fmt::Debug> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("claims", &self.claims)
            .field("registered", &self.registered())
            .field("header", self.header())
            .finish()
    }
}

/// Claims of which only the registered ones are wanted: for [`Verifier::verify`](crate::Verifier::verify) and its kin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoClaims;

impl<'de> Deserialize<'de> for NoClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_ignored_any(IgnoredAny)
            .map(|_| Self)
    }
}

/// Claims whose token passed the whole check list, borrowed from a [`Scratch`](crate::Scratch) and the verifier. Nothing but
/// a verification makes one; [`into_owned`](Self::into_owned) makes it a [`Verified`].
///
/// ```compile_fail
/// let forged = countersign::VerifiedRef { claims: "ada" };
/// ```
///
/// ```compile_fail
/// fn forge(mut token: countersign::VerifiedRef<'_, &'static str>) {
///     token.claims = "eve";
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedRef<'s, C> {
    pub(super) claims: C,
    pub(super) registered: RegisteredClaims<'s>,
    pub(super) header: &'s Header,
    pub(super) payload: &'s [u8],
}

impl<'s, C> VerifiedRef<'s, Result<C, Error>> {
    /// The same proof, where the claims fit.
    pub(super) fn fitting(self) -> Result<VerifiedRef<'s, C>, Error> {
        Ok(VerifiedRef {
            claims: self.claims?,
            registered: self.registered,
            header: self.header,
            payload: self.payload,
        })
    }
}

impl<'s, C> VerifiedRef<'s, C> {
    /// The caller's own claims.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The caller's own claims, without the rest.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// `iss`, `sub`, `aud`, `exp`, `nbf`, `iat` and `jti`.
    #[must_use]
    pub const fn registered(&self) -> &RegisteredClaims<'s> {
        &self.registered
    }

    /// The header. Its integrity is verified; a key that it names or carries is still no key to trust.
    #[must_use]
    pub const fn header(&self) -> &'s Header {
        self.header
    }

    /// The same proof, kept apart from where it stood.
    #[must_use]
    pub fn into_owned(self) -> Verified<C> {
        Verified::new(self.claims, &self.registered, self.payload, self.header)
    }
}

impl<C> Deref for VerifiedRef<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}
