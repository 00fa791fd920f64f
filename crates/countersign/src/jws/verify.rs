//! Verifying a JWS with several signatures: any one of them, or all (RFC 7515 §5.2, §7.2.1).

use std::fmt;

use super::Header;
use super::document::{Jws, Payload, Signature};
use crate::error::Error;
use crate::jwk::{JwkSet, VerifyingKey};

/// A payload whose signature held, and the headers of the signatures that did. Nothing but a verification makes one.
///
/// ```compile_fail
/// let forged = countersign::VerifiedJws { payload: b"pay".to_vec(), first: todo!(), others: vec![] };
/// ```
#[derive(Clone)]
pub struct VerifiedJws {
    payload: Vec<u8>,
    first: VerifiedSignature,
    others: Vec<VerifiedSignature>,
}

/// The headers of a signature that held, and the key that it held with.
#[derive(Clone, Debug)]
pub struct VerifiedSignature {
    header: Header,
    unprotected: Option<Header>,
    key: VerifyingKey,
}

impl Jws {
    /// Verifies that any one signature holds: the first one made with a key of `keys`, found by `kid` and `alg`
    /// ([`JwkSet::find`]). Signatures of others are passed over, and so are their headers.
    ///
    /// For one key, `&key.into()` is the set.
    ///
    /// # Errors
    /// Where none holds: [`Error::SignatureInvalid`] or [`Error::AlgorithmUnprotected`] of the first one for which there
    /// is a key; where there is none for any, that of [`JwkSet::find`] for the first. [`Error::PayloadDetached`] where the
    /// JWS has no payload and none was handed over.
    pub fn verify(&self, keys: &JwkSet) -> Result<VerifiedJws, Error> {
        let payload = self.present_payload()?;
        let mut refusals = Vec::new();
        for signature in &self.signatures {
            match self.verify_signature(signature, payload, keys) {
                Ok(verified) => return Ok(VerifiedJws::new(payload, verified, Vec::new())),
                Err(error) => refusals.push(error),
            }
        }
        // The most telling one: of a signature for which there was a key, else of the first.
        let with_key =
            |error: &Error| matches!(error, Error::SignatureInvalid | Error::AlgorithmUnprotected);
        let telling = refusals.iter().find(|error| with_key(error)).cloned();
        Err(telling
            .or_else(|| refusals.into_iter().next())
            .unwrap_or(Error::SignatureInvalid))
    }

    /// Verifies that every signature holds, each with its key of `keys`.
    ///
    /// # Errors
    /// The first one's that does not hold; [`Error::PayloadDetached`].
    pub fn verify_all(&self, keys: &JwkSet) -> Result<VerifiedJws, Error> {
        let payload = self.present_payload()?;
        let mut verified = self
            .signatures
            .iter()
            .map(|signature| self.verify_signature(signature, payload, keys));
        // A JWS has at least one signature: `Jws::assemble` refuses every other.
        let first = verified.next().unwrap_or(Err(Error::SignatureInvalid))?;
        Ok(VerifiedJws::new(
            payload,
            first,
            verified.collect::<Result<_, _>>()?,
        ))
    }

    fn present_payload(&self) -> Result<&Payload, Error> {
        self.payload.as_ref().ok_or(Error::PayloadDetached)
    }

    fn verify_signature(
        &self,
        signature: &Signature,
        payload: &Payload,
        keys: &JwkSet,
    ) -> Result<VerifiedSignature, Error> {
        let key = keys.find(signature.headers.joint())?;
        // RFC 7515 §10.7: what anybody can change on the way is taken only where the caller asked for it.
        if !self.unprotected_alg && !signature.headers.protects_alg() {
            return Err(Error::AlgorithmUnprotected);
        }
        let input = payload.signing_input(signature.protected.as_deref());
        if !key.holds(&input, &signature.octets) {
            return Err(Error::SignatureInvalid);
        }
        Ok(VerifiedSignature {
            header: signature.headers.protected(),
            unprotected: signature.headers.unprotected().cloned(),
            key: key.clone(),
        })
    }
}

impl VerifiedJws {
    fn new(payload: &Payload, first: VerifiedSignature, others: Vec<VerifiedSignature>) -> Self {
        Self {
            payload: payload.octets.clone(),
            first,
            others,
        }
    }

    /// The octets that were signed for.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The octets that were signed for, without the rest.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The signature that held: the only one after [`Jws::verify`], the first after [`Jws::verify_all`].
    #[must_use]
    pub const fn signature(&self) -> &VerifiedSignature {
        &self.first
    }

    /// All that held: one after [`Jws::verify`], every one after [`Jws::verify_all`].
    pub fn signatures(&self) -> impl Iterator<Item = &VerifiedSignature> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl VerifiedSignature {
    /// The protected header; without members where [`Jws::allow_unprotected_alg`] let one pass that has none. A key that
    /// it names or carries is still no key to trust.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The unprotected header, where there is one: not signed, so anybody can have written it.
    #[must_use]
    pub const fn unprotected_header(&self) -> Option<&Header> {
        self.unprotected.as_ref()
    }

    /// The key that the signature held with: who signed.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

impl fmt::Debug for VerifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws")
            .field("signatures", &self.signatures().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
