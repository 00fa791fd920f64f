//! A JWS: one payload of any octets, or none where it is detached, and its signatures (RFC 7515 §3, App. F; RFC 7797).

use std::fmt;

use super::headers::Headers;
use super::{Compact, Header, serialization};
use crate::base64url;
use crate::error::{Error, Malformed, Part};

/// The largest JWS that is looked at, in bytes of any serialisation. A JWS carries documents where a token carries
/// claims; larger content is better signed detached, and then its size is the caller's to bound.
pub const MAX_JWS_BYTES: usize = 1024 * 1024;

/// The largest number of signatures: each of them is a verification that anybody can ask for.
pub const MAX_SIGNATURES: usize = 16;

/// A JSON Web Signature over any octets, of which nothing is verified: to show claims, it is no JWT.
///
/// Its payload can be reached only through [`verify`](Self::verify) and [`verify_all`](Self::verify_all). It is made by
/// [`parse`](Self::parse) or [`JwsBuilder::sign`](crate::JwsBuilder::sign), and written by
/// [`to_compact`](Self::to_compact), [`to_flattened`](Self::to_flattened) and [`to_general`](Self::to_general).
#[derive(Clone, PartialEq)]
pub struct Jws {
    pub(super) payload: Option<Payload>,
    pub(super) signatures: Vec<Signature>,
    pub(super) unencoded: bool,
    pub(super) unprotected_alg: bool,
}

/// The payload's octets, and what stands for them in the signing input.
#[derive(Clone, PartialEq)]
pub(super) struct Payload {
    pub(super) octets: Vec<u8>,
    /// The base64url text as received, unless `b64` is false.
    pub(super) encoded: Option<String>,
}

/// One signature and its headers, the protected one also as the text that was signed.
#[derive(Clone, PartialEq)]
pub(super) struct Signature {
    pub(super) protected: Option<String>,
    pub(super) headers: Headers,
    pub(super) octets: Vec<u8>,
}

impl Jws {
    /// Takes a JWS apart: compact, or where the first byte is `{`, in flattened or general JSON serialisation
    /// (RFC 7515 §7).
    ///
    /// An absent payload is [handed over](Self::with_payload). Members that RFC 7515 §7.2 does not name are ignored.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Critical`], whichever of its signatures is at fault. No key is asked yet.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, Jws, JwsBuilder, SigningKey};
    /// let key = SigningKey::generate(Algorithm::EdDSA)?;
    /// let text = JwsBuilder::new("any octets").signer(&key).sign()?.to_flattened()?;
    ///
    /// let verified = Jws::parse(&text)?.verify(&key.verifying_key().into())?;
    /// assert_eq!(verified.payload(), b"any octets");
    /// # Ok(()) }
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with('{') {
            return serialization::parse_json(text);
        }
        let compact = Compact::split(text.as_bytes(), MAX_JWS_BYTES)?;
        let [header, payload, signature] =
            [compact.header, compact.payload, compact.signature].map(String::from_utf8_lossy);
        let headers = Headers::parse(Some(&header), None)?;
        let signature = Signature::parse(Some(header.into_owned()), headers, &signature)?;
        if signature.headers.joint().is_unencoded()
            && let Some(at) = unfit_for_compact(compact.payload)
        {
            return Err(Malformed::UnencodedPayload { at }.into());
        }
        Self::assemble(vec![signature], |unencoded| {
            Payload::decode(payload.into_owned(), unencoded).map(Some)
        })
    }

    /// Puts signatures and payload together; `b64` of the signatures says how to read the payload.
    pub(super) fn assemble(
        signatures: Vec<Signature>,
        payload: impl FnOnce(bool) -> Result<Option<Payload>, Error>,
    ) -> Result<Self, Error> {
        check_count(signatures.len())?;
        let unencoded = |signature: &Signature| signature.headers.joint().is_unencoded();
        // RFC 7797 §3: one payload cannot be read in two ways.
        if signatures.iter().any(unencoded) != signatures.iter().all(unencoded) {
            return Err(Malformed::Member {
                name: "b64",
                problem: "is not the same for all signatures",
            }
            .into());
        }
        let unencoded = signatures.iter().any(unencoded);
        Ok(Self {
            payload: payload(unencoded)?,
            signatures,
            unencoded,
            unprotected_alg: false,
        })
    }

    /// The same JWS with the payload that was detached from it (RFC 7515, Appendix F). Its size is the caller's to bound.
    ///
    /// # Errors
    /// [`Malformed::PayloadTwice`] where the JWS holds a payload: one would be verified and the other one used.
    pub fn with_payload(self, payload: impl Into<Vec<u8>>) -> Result<Self, Error> {
        if !self.is_detached() {
            return Err(Malformed::PayloadTwice.into());
        }
        Ok(Self {
            payload: Some(Payload::encode(payload.into(), self.unencoded)),
            ..self
        })
    }

    /// The same JWS with its payload detached: whoever verifies it gets the payload another way.
    #[must_use]
    pub fn without_payload(self) -> Self {
        Self {
            payload: None,
            ..self
        }
    }

    /// Whether no payload is held, or an empty one: the compact form cannot tell these two apart.
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.payload
            .as_ref()
            .is_none_or(|payload| payload.octets.is_empty())
    }

    /// Accepts signatures whose `alg` stands in the unprotected header alone, where anybody can change it
    /// (RFC 7515 §10.7). The key's algorithm still decides; refused without this call.
    #[must_use]
    pub fn allow_unprotected_alg(self) -> Self {
        Self {
            unprotected_alg: true,
            ..self
        }
    }

    /// The headers of each signature, protected and unprotected members as one: hints for finding keys, and no more.
    pub fn unverified_headers(&self) -> impl Iterator<Item = &Header> {
        self.signatures
            .iter()
            .map(|signature| signature.headers.joint())
    }
}

impl Payload {
    pub(super) fn decode(text: String, unencoded: bool) -> Result<Self, Error> {
        if unencoded {
            return Ok(Self {
                octets: text.into_bytes(),
                encoded: None,
            });
        }
        Ok(Self {
            octets: base64url::decode(&text, Part::Payload)?,
            encoded: Some(text),
        })
    }

    pub(super) fn encode(octets: Vec<u8>, unencoded: bool) -> Self {
        let encoded = (!unencoded).then(|| base64url::encode(&octets));
        Self { octets, encoded }
    }

    /// What is signed: both parts as received, never re-encoded (RFC 7515 §5.1 and §5.2, RFC 7797 §3).
    pub(super) fn signing_input(&self, protected: Option<&str>) -> Vec<u8> {
        let payload = match &self.encoded {
            Some(encoded) => encoded.as_bytes(),
            None => &self.octets,
        };
        [protected.unwrap_or_default().as_bytes(), b".", payload].concat()
    }
}

impl Signature {
    pub(super) fn parse(
        protected: Option<String>,
        headers: Headers,
        text: &str,
    ) -> Result<Self, Error> {
        Ok(Self {
            protected,
            headers,
            octets: base64url::decode(text, Part::Signature)?,
        })
    }
}

/// RFC 7515 §7.2.1: at least one signature; and no more than are worth the work.
pub(super) fn check_count(signatures: usize) -> Result<(), Error> {
    match signatures {
        0 => Err(Malformed::JwsMember {
            name: "signatures",
            problem: "is empty",
        }
        .into()),
        1..=MAX_SIGNATURES => Ok(()),
        _ => Err(Malformed::TooManySignatures {
            limit: MAX_SIGNATURES,
        }
        .into()),
    }
}

/// Where an unencoded payload holds what the compact form cannot carry: all but %x20-2D and %x2F-7E (RFC 7797 §5.2).
pub(super) fn unfit_for_compact(payload: &[u8]) -> Option<usize> {
    payload
        .iter()
        .position(|byte| !matches!(byte, 0x20..=0x2d | 0x2f..=0x7e))
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field(
                "headers",
                &self.unverified_headers().collect::<Vec<&Header>>(),
            )
            .field("detached", &self.is_detached())
            .finish_non_exhaustive()
    }
}
