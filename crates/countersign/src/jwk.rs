//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3): read, checked and written.

pub(crate) mod der;
mod import;
mod members;
pub(crate) mod parts;
mod pem;
mod recall;
mod set;
mod signing;
mod strength;
mod thumbprint;
mod verifying;

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub use import::{ImportedKey, KeyFormat};
pub use set::{JwkSet, MAX_JWKS_BYTES, MAX_KEYS, UnusableKey};
pub use signing::{SigningHeader, SigningKey};
pub use strength::MAX_SECRET_BYTES;
pub use thumbprint::Thumbprint;
pub use verifying::VerifyingKey;

use crate::error::{Error, Part};
use crate::json;
use crate::jwa::Algorithm;
use crate::jws::MAX_KID_BYTES;
use parts::{KeyParts, RsaScheme};

/// A key in JWK form, private or public, whose numbers have been read but that has not been given an algorithm.
///
/// `Debug` says what kind of key it is and shows none of its numbers.
#[derive(Clone)]
pub struct Jwk {
    parts: KeyParts,
    kid: Option<String>,
    alg: Option<String>,
    usage: members::Usage,
}

/// A JWK that cannot hold private members: the only form in which a key is published (RFC 7517 §9.2).
#[derive(Clone)]
pub struct PublicJwk {
    json: Map<String, Value>,
}

impl Jwk {
    /// Reads one JWK from JSON text of at most 64 KiB. Members that are not known are ignored (RFC 7517 §4).
    ///
    /// # Errors
    /// [`Error::Malformed`] for text that is no JSON object, [`Error::KeyFormat`] for a `kty`, `crv` or number that
    /// cannot be read and for a text that is too large for one key, [`Error::KeyUnfit`] for `use` and `key_ops` that contradict (RFC 7517 §4.3).
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Jwk, VerifyingKey};
    /// let jwk = Jwk::parse(br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// let key = VerifyingKey::from_jwk(&jwk)?;
    /// # Ok(()) }
    /// ```
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        der::check_size(json)?;
        Self::from_members(&json::parse_object(json, Part::Document)?)
    }

    /// A key that says nothing but its numbers.
    fn bare(parts: KeyParts) -> Self {
        Self {
            parts,
            kid: None,
            alg: None,
            usage: members::Usage::default(),
        }
    }

    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let parts = members::parts(members)?;
        members::check_certificate(members, &parts)?;
        let kid = members::text(members, "kid")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(Error::key_format(format!(
                "the key's `kid` is longer than {MAX_KID_BYTES} bytes, which no header may hold"
            )));
        }
        Ok(Self {
            parts,
            kid: kid.map(str::to_owned),
            alg: members::text(members, "alg")?.map(str::to_owned),
            usage: members::Usage::read(members)?,
        })
    }

    /// The `kid`, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its `kty`: `oct`, `RSA`, `EC`, `OKP` or `AKP`.
    #[must_use]
    pub const fn kty(&self) -> &'static str {
        self.parts.kty()
    }

    /// Whether it holds a private key or a shared secret.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.parts.is_private()
    }

    /// The same key under the name `kid`.
    #[must_use]
    pub fn with_key_id(self, kid: impl Into<String>) -> Self {
        Self {
            kid: Some(kid.into()),
            ..self
        }
    }

    /// Its thumbprint (RFC 7638). That of a shared secret says something about the secret: do not publish it.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.parts)
    }

    /// The one algorithm of this key: that of its `alg`, else the one that its curve implies.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for RSA keys and secrets without `alg` (they fit several algorithms, so the caller chooses),
    /// and for an `alg` that is unknown or contradicts `kty` and `crv`.
    pub fn algorithm(&self) -> Result<Algorithm, Error> {
        let implied = match &self.parts {
            KeyParts::Ec { curve, .. } => Some(curve.algorithm()),
            KeyParts::Ed25519 { .. } => Some(Algorithm::EdDSA),
            KeyParts::Akp { algorithm, .. } => Some(*algorithm),
            KeyParts::Rsa {
                scheme: RsaScheme::Pss(algorithm),
                ..
            } => *algorithm,
            KeyParts::Oct(_) | KeyParts::Rsa { .. } => None,
        };
        let Some(alg) = &self.alg else {
            return implied.ok_or_else(|| {
                Error::key_unfit(format!(
                    "this is {} without `alg`; say which algorithm it is for",
                    self.parts.describe()
                ))
            });
        };
        let named = Algorithm::from_name(alg).ok_or_else(|| {
            Error::key_unfit("the key's `alg` names no signature algorithm known here")
        })?;
        if named.kty() != self.parts.kty() || implied.is_some_and(|implied| implied != named) {
            return Err(Error::key_unfit(format!(
                "the key's `alg` is {named}, but this is {}",
                self.parts.describe()
            )));
        }
        Ok(named)
    }

    /// Whether its `alg` has the name of RFC 9864 where there are two; keys made of it go on writing that name.
    fn is_fully_specified(&self) -> bool {
        self.alg.as_deref() == Some(Algorithm::EdDSA.fully_specified_name())
    }

    /// The algorithm `wanted`, where nothing in the key speaks against it.
    fn algorithm_as(&self, wanted: Algorithm) -> Result<Algorithm, Error> {
        if self.alg.is_some() || self.algorithm().is_ok() {
            let own = self.algorithm()?;
            if own != wanted {
                return Err(Error::key_unfit(format!(
                    "the key is for {own}, not for {wanted}"
                )));
            }
        }
        if wanted.kty() != self.parts.kty() {
            return Err(Error::key_unfit(format!(
                "this is {}; {wanted} needs another kind",
                self.parts.describe()
            )));
        }
        Ok(wanted)
    }

    /// The JSON text, private members included; it is wiped when dropped.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        let mut json = members::write(&self.parts, true);
        members::write_names(&mut json, self.alg.as_deref(), self.kid.as_deref(), None);
        self.usage.write(&mut json);
        Zeroizing::new(Value::Object(json).to_string())
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("key", &self.parts)
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .finish()
    }
}

impl PublicJwk {
    /// `None` for a shared secret.
    fn new(parts: &KeyParts, alg: &str, kid: Option<&str>) -> Option<Self> {
        let mut json = members::write(&parts.public()?, false);
        members::write_names(&mut json, Some(alg), kid, Some("sig"));
        Some(Self { json })
    }

    /// The JSON text: `kty`, the public numbers, `alg`, `use` and, where the key has one, `kid`.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.json.clone()).to_string()
    }
}

impl serde::Serialize for PublicJwk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}
