//! Signing any octets, with one key or several (RFC 7515 §5.1, RFC 7797).

use serde_json::{Map, Value};

use super::document::{Jws, Payload, Signature};
use super::headers::Headers;
use super::unwritable;
use crate::base64url;
use crate::error::Error;
use crate::jwk::{SigningHeader, SigningKey};

/// A payload and who is to sign it.
///
/// A JWS is no JWT. Where a key signs both, give its [`JwsSigner`] a `typ` of its own, so that no payload passes for the
/// claims of a token (RFC 8725 §3.11).
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use countersign::{Algorithm, Jws, JwsBuilder, SigningKey};
/// let (ada, ben) = (SigningKey::generate(Algorithm::ES256)?, SigningKey::generate(Algorithm::EdDSA)?);
/// let jws = JwsBuilder::new("the contract").signer(&ada).signer(&ben).sign()?;
///
/// let general = jws.to_general()?;
/// let verified = Jws::parse(&general)?.verify(&ben.verifying_key().into())?;
/// assert_eq!(verified.signature().header().alg(), "EdDSA");
///
/// let detached = jws.without_payload().to_general()?;
/// assert!(Jws::parse(&detached)?.with_payload("the contract")?.verify(&ada.verifying_key().into()).is_ok());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct JwsBuilder {
    payload: Vec<u8>,
    unencoded: bool,
    signers: Vec<JwsSigner>,
}

/// A key and the headers that go with its signature.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use countersign::{Algorithm, JwsBuilder, JwsSigner, SigningHeader, SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?.without_key_id();
/// let signer = JwsSigner::new(&key)
///     .header(SigningHeader::new().typ("receipt"))
///     .unprotected("kid", "2026-11".into())?;
/// let text = JwsBuilder::new("one coffee").signer(signer).sign()?.to_flattened()?;
/// assert!(text.contains(r#""header":{"kid":"2026-11"}"#));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct JwsSigner {
    key: SigningKey,
    header: SigningHeader,
    unprotected: Map<String, Value>,
}

impl JwsBuilder {
    /// Any octets.
    #[must_use]
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: payload.into(),
            unencoded: false,
            signers: Vec::new(),
        }
    }

    /// Signs the octets themselves and not their base64url text: `b64` is false, and `crit` says so (RFC 7797).
    #[must_use]
    pub fn unencoded(self) -> Self {
        Self {
            unencoded: true,
            ..self
        }
    }

    /// Adds a signer: a [`JwsSigner`], or a key whose header holds `alg` and `kid` alone.
    #[must_use]
    pub fn signer(mut self, signer: impl Into<JwsSigner>) -> Self {
        self.signers.push(signer.into());
        self
    }

    /// Signs. The payload is attached: [`Jws::without_payload`] detaches it.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] for no signer or more than [`MAX_SIGNATURES`](crate::MAX_SIGNATURES), and for headers that
    /// would be refused: too large, or with a member on both sides; [`Error::Crypto`].
    pub fn sign(self) -> Result<Jws, Error> {
        let payload = Payload::encode(self.payload, self.unencoded);
        let mut signatures = Vec::with_capacity(self.signers.len());
        for signer in self.signers {
            signatures.push(signer.sign(&payload, self.unencoded)?);
        }
        Jws::assemble(signatures, |_| Ok(Some(payload))).map_err(unwritable)
    }
}

impl JwsSigner {
    /// A key, whose protected header holds `alg` and, where it has one, `kid`.
    #[must_use]
    pub fn new(key: &SigningKey) -> Self {
        Self {
            key: key.clone(),
            header: SigningHeader::new().without_typ(),
            unprotected: Map::new(),
        }
    }

    /// Sets the protected header; `alg` and `kid` still come from the key.
    #[must_use]
    pub fn header(self, header: SigningHeader) -> Self {
        Self { header, ..self }
    }

    /// Sets a member of the unprotected header, which anybody can change on the way (JSON serialisation only).
    ///
    /// # Errors
    /// [`Error::ReservedName`] for what must be protected (`alg`, `b64`, `crit`, `typ`) and for what points verifiers at a
    /// key of the sender's (`jwk`, `jku`, `x5u`, `x5c`).
    pub fn unprotected(mut self, name: &str, value: Value) -> Result<Self, Error> {
        if [
            "alg", "b64", "crit", "typ", "jwk", "jku", "x5u", "x5c", "enc", "zip",
        ]
        .contains(&name)
        {
            return Err(Error::ReservedName {
                name: name.to_owned().into(),
            });
        }
        self.unprotected.insert(name.to_owned(), value);
        Ok(self)
    }

    fn sign(self, payload: &Payload, unencoded: bool) -> Result<Signature, Error> {
        let header = if unencoded {
            self.header.unencoded()
        } else {
            self.header
        };
        let protected = base64url::encode(header.to_json(&self.key));
        let unprotected = (!self.unprotected.is_empty()).then_some(self.unprotected);
        let headers = Headers::parse(Some(&protected), unprotected).map_err(unwritable)?;
        let octets = self
            .key
            .signature(&payload.signing_input(Some(&protected)))?
            .as_ref()
            .to_vec();
        Ok(Signature {
            protected: Some(protected),
            headers,
            octets,
        })
    }
}

impl From<&SigningKey> for JwsSigner {
    fn from(key: &SigningKey) -> Self {
        Self::new(key)
    }
}
