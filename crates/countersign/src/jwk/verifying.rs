//! Keys that verify.

use std::fmt;
use std::sync::Arc;

use super::parts::{KeyParts, RsaScheme};
use super::{Jwk, PublicJwk, Thumbprint, der, pem, strength};
use crate::crypto::{Checker, Signer};
use crate::error::Error;
use crate::jwa::{Algorithm, Family};

/// A public key, or a shared secret, with exactly one algorithm; parsed once, cheap to clone.
///
/// The header of a token never chooses the algorithm: it can only agree with the key's (RFC 8725 §3.1). `Debug` shows
/// the algorithm and the `kid`.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    alg: &'static str,
    kid: Option<String>,
    /// Whether nobody said which algorithm the key is for, and it was taken for the one that is usual.
    assumed: bool,
    prepared: Arc<Prepared>,
}

struct Prepared {
    parts: KeyParts,
    checker: Checker,
}

impl VerifyingKey {
    /// A shared secret for HS256, HS384 or HS512, of at least 32, 48 or 64 bytes and at most
    /// [`MAX_SECRET_BYTES`](crate::MAX_SECRET_BYTES).
    ///
    /// # Errors
    /// [`Error::KeyWeak`] for a secret that is too short, a pattern, or the text of a key; [`Error::KeyUnfit`] for one that
    /// is too long, and for an algorithm of another family.
    pub fn from_secret(algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::new(
            algorithm,
            KeyParts::Oct(secret.as_ref().to_vec().into()),
            None,
        )
    }

    /// A public key in PEM (SPKI, PKCS#1, or the key of an X.509 certificate). A private key is accepted too; only its public half is kept.
    ///
    /// # Errors
    /// [`Error::KeyFormat`] for text that is no such key, [`Error::KeyUnfit`] for one that is not for `algorithm`,
    /// [`Error::KeyWeak`].
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, Error> {
        let (_, parts) = pem::parse(pem, None)?;
        Self::public_half(algorithm, parts, None)
    }

    /// A public key in DER: SPKI, PKCS#1, or the key of an X.509 certificate.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem).
    pub fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, Error> {
        let (_, parts) = der::parse(der, None)?;
        Self::public_half(algorithm, parts, None)
    }

    /// A JWK that says which algorithm it is for, by `alg` or by its curve. Its `kid` is kept.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a key that leaves its algorithm open (see [`from_jwk_as`](Self::from_jwk_as)), whose
    /// `use` or `key_ops` is not for verifying, or whose members contradict; [`Error::KeyWeak`].
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, Error> {
        Self::from_jwk_as(jwk, jwk.algorithm()?)
    }

    /// A JWK for an algorithm of the caller's choice, where nothing in the key speaks against it.
    ///
    /// # Errors
    /// Those of [`from_jwk`](Self::from_jwk).
    pub fn from_jwk_as(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, Error> {
        let algorithm = jwk.algorithm_as(algorithm)?;
        if !jwk.usage.may_verify(&jwk.parts) {
            return Err(Error::key_unfit(
                "the key's `use` or `key_ops` does not allow verifying",
            ));
        }
        let key = Self::public_half(algorithm, jwk.parts.clone(), jwk.kid.clone())?;
        Ok(if jwk.is_fully_specified() {
            key.with_fully_specified_alg()
        } else {
            key
        })
    }

    /// The key of a document that may hold a private one: that is looked at whole, so that one whose halves do not fit
    /// is refused here and not believed.
    fn public_half(
        algorithm: Algorithm,
        parts: KeyParts,
        kid: Option<String>,
    ) -> Result<Self, Error> {
        if parts.is_private() && !algorithm.is_symmetric() {
            fits(algorithm, &parts)?;
            strength::check(algorithm, &parts)?;
            Signer::new(algorithm, &parts)?;
        }
        Self::new(algorithm, parts.public().unwrap_or(parts), kid)
    }

    /// The same key for `algorithm`, where its set did not say for which it is.
    pub(crate) fn assumed_to_be(&self, algorithm: Algorithm) -> Result<Self, Error> {
        if !self.assumed {
            return Ok(self.clone());
        }
        Self::new(algorithm, self.prepared.parts.clone(), self.kid.clone())
    }

    pub(crate) fn new(
        algorithm: Algorithm,
        parts: KeyParts,
        kid: Option<String>,
    ) -> Result<Self, Error> {
        fits(algorithm, &parts)?;
        strength::check(algorithm, &parts)?;
        let checker = Checker::new(algorithm, &parts)?;
        Ok(Self {
            algorithm,
            alg: algorithm.name(),
            kid,
            assumed: false,
            prepared: Arc::new(Prepared { parts, checker }),
        })
    }

    /// Its one algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether its algorithm is a guess: that of an RSA key in a [`JwkSet`](crate::JwkSet) whose JWK names no `alg`.
    #[must_use]
    pub const fn has_assumed_algorithm(&self) -> bool {
        self.assumed
    }

    /// The same key, whose algorithm nobody named.
    pub(crate) fn assuming_algorithm(self) -> Self {
        Self {
            assumed: true,
            ..self
        }
    }

    /// Its `kid`, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The same key under the name `kid`.
    #[must_use]
    pub fn with_key_id(self, kid: impl Into<String>) -> Self {
        Self {
            kid: Some(kid.into()),
            ..self
        }
    }

    /// The same key without a name.
    #[must_use]
    pub fn without_key_id(self) -> Self {
        Self { kid: None, ..self }
    }

    /// The same key, whose JWK names its algorithm as RFC 9864 wants it: `Ed25519` where it would write `EdDSA`.
    #[must_use]
    pub fn with_fully_specified_alg(self) -> Self {
        Self {
            alg: self.algorithm.fully_specified_name(),
            ..self
        }
    }

    /// Its thumbprint (RFC 7638). That of a shared secret says something about the secret: do not publish it.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.prepared.parts)
    }

    /// The key as a JWK to publish; `None` for a shared secret.
    #[must_use]
    pub fn to_public_jwk(&self) -> Option<PublicJwk> {
        PublicJwk::new(&self.prepared.parts, self.alg, self.key_id())
    }

    /// The key in PEM (SPKI).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a shared secret, which has no such form.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::to_spki(&self.prepared.parts)
    }

    /// The key in DER (SPKI).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a shared secret, which has no such form.
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        der::to_spki(&self.prepared.parts)
    }

    /// Whether this is the same key for the same algorithm, whatever its name.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && (Arc::ptr_eq(&self.prepared, &other.prepared)
                || self.thumbprint() == other.thumbprint())
    }

    /// Whether `signature` holds over `input`.
    pub(crate) fn holds(&self, input: &[u8], signature: &[u8]) -> bool {
        self.prepared.checker.verify(input, signature)
    }
}

/// Refuses a key of another kind or curve than `algorithm` takes.
pub(crate) fn fits(algorithm: Algorithm, parts: &KeyParts) -> Result<(), Error> {
    let curve = match parts {
        KeyParts::Ec { curve, .. } => Some(*curve),
        _ => None,
    };
    let made_for = match parts {
        KeyParts::Akp { algorithm, .. } => Some(*algorithm),
        _ => None,
    };
    let scheme = match parts {
        KeyParts::Rsa { scheme, .. } => *scheme,
        _ => RsaScheme::Any,
    };
    if algorithm.kty() == parts.kty()
        && scheme.takes(algorithm)
        && algorithm.curve() == curve
        && made_for.is_none_or(|own| own == algorithm)
    {
        return Ok(());
    }
    let needed = match (algorithm.curve(), algorithm.family()) {
        (Some(curve), _) => curve.name(),
        (None, Family::Hmac) => "a shared secret",
        (None, Family::EdDsa) => "an Ed25519 key",
        (None, Family::MlDsa) => "a key made for it",
        (None, Family::RsaPkcs1) if scheme != RsaScheme::Any => {
            "an RSA key that is not for PSS alone"
        }
        (None, Family::RsaPss) if scheme != RsaScheme::Any => "one for its own hash, or for any",
        (None, _) => "an RSA key",
    };
    Err(Error::key_unfit(format!(
        "this is {}; {algorithm} needs {needed}",
        parts.describe()
    )))
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("alg", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
