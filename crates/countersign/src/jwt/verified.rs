//! The proof that a verification ran.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claims::RegisteredClaims;
use crate::error::Error;
use crate::json;
use crate::jws::Header;

/// Claims whose token passed the whole check list. Nothing but a verification makes one.
///
/// ```compile_fail
/// let forged = countersign::Verified { claims: "ada" };
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
#[derive(Clone, Debug)]
pub struct Verified<C> {
    claims: C,
    registered: RegisteredClaims,
    header: Header,
}

impl<C> Verified<C> {
    pub(crate) const fn new(claims: C, registered: RegisteredClaims, header: Header) -> Self {
        Self {
            claims,
            registered,
            header,
        }
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
    pub const fn registered(&self) -> &RegisteredClaims {
        &self.registered
    }

    /// The header. Its integrity is verified; a key that it names or carries is still no key to trust.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

impl Verified<Value> {
    /// The same proof, with the claims read into `C`.
    ///
    /// # Errors
    /// [`Error::ClaimsShape`] where they do not fit.
    pub fn deserialize<C: DeserializeOwned>(&self) -> Result<Verified<C>, Error> {
        let claims = json::from_value(&self.claims)?;
        Ok(Verified::new(
            claims,
            self.registered.clone(),
            self.header.clone(),
        ))
    }
}

impl<C> Deref for Verified<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}
