//! JSON Web Signature: the compact form, and the token that a JWT is (RFC 7515 §3.1, §5.1, §7.1).
//!
//! Below this file stands what carries any payload: `document` (a JWS and its payload), `serialization` (its texts),
//! `builder` (signing) and `verify`.

mod builder;
mod document;
mod header;
mod headers;
mod serialization;
mod verify;

pub use builder::{JwsBuilder, JwsSigner};
pub use document::{Jws, MAX_JWS_BYTES, MAX_SIGNATURES};
pub use header::Header;
pub(crate) use header::MAX_KID_BYTES;
pub use verify::{VerifiedJws, VerifiedSignature};

use crate::base64url;
use crate::error::{Error, Malformed, Part};
use crate::jwk::{SigningHeader, SigningKey, VerifyingKey};

/// The largest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The largest header, in octets of JSON.
pub const MAX_HEADER_BYTES: usize = 4 * 1024;

/// A token whose syntax is right and of which nothing is verified.
///
/// Its header is a hint for finding a key; its claims can be reached only through
/// [`verify`](Self::verify), or through the module [`dangerous`](crate::dangerous), which says so.
#[derive(Clone)]
pub struct Unverified<'t> {
    signing_input: &'t str,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Unverified<'t> {
    /// Takes a compact token apart: size, three parts, base64url, the header's JSON and `crit`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Critical`] and [`Error::UnencodedPayload`]. No key and no policy is asked yet.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// # let key = countersign::SigningKey::generate(countersign::Algorithm::EdDSA)?;
    /// # let token = key.sign(&serde_json::json!({}))?;
    /// let parsed = countersign::Unverified::parse(&token)?;
    /// assert_eq!(parsed.header().alg(), "EdDSA");
    /// # Ok(()) }
    /// ```
    pub fn parse(token: &'t str) -> Result<Self, Error> {
        let compact = Compact::split(token, MAX_TOKEN_BYTES)?;
        let header = Header::parse(compact.header)?;
        // RFC 7797 §7: an unencoded payload has no place in a JWT, with or without `crit`.
        if header.is_unencoded() {
            return Err(Error::UnencodedPayload);
        }
        Ok(Self {
            signing_input: compact.signing_input,
            header,
            payload: base64url::decode(compact.payload, Part::Payload)?,
            signature: base64url::decode(compact.signature, Part::Signature)?,
        })
    }

    /// The header, as the sender wrote it.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn into_header(self) -> Header {
        self.header
    }

    /// The octets of the payload; whoever calls this has verified the signature or says that they did not.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The octets that were signed: header and payload as received, never re-encoded (RFC 7515 §5.2).
    pub(crate) const fn signing_input(&self) -> &'t str {
        self.signing_input
    }

    /// Whether the signature holds, with the key's own algorithm.
    pub(crate) fn signature_holds(&self, key: &VerifyingKey) -> bool {
        key.holds(self.signing_input.as_bytes(), &self.signature)
    }
}

impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unverified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// A compact serialisation in its three parts (RFC 7515 §7.1).
struct Compact<'t> {
    signing_input: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Compact<'t> {
    /// The size is looked at first, and nothing is kept for a dot too many.
    fn split(text: &'t str, limit: usize) -> Result<Self, Error> {
        if text.len() > limit {
            return Err(Malformed::TooLarge {
                part: Part::Document,
                limit,
            }
            .into());
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Malformed::Segments)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Malformed::Segments)?;
        match payload.bytes().filter(|byte| *byte == b'.').count() {
            0 => Ok(Self {
                signing_input,
                header,
                payload,
                signature,
            }),
            2 => Err(Malformed::Encrypted.into()),
            _ => Err(Malformed::Segments.into()),
        }
    }
}

/// Makes a compact token of a payload (RFC 7515 §5.1).
pub(crate) fn sign_compact(
    key: &SigningKey,
    header: &SigningHeader,
    payload: &[u8],
) -> Result<String, Error> {
    compact(key, &header.to_json(key), payload)
}

/// Signs a payload under the JSON text of a header; what [`Unverified::parse`] would refuse is not made.
pub(crate) fn compact(key: &SigningKey, header: &str, payload: &[u8]) -> Result<String, Error> {
    let mut token = base64url::encode(header);
    Header::parse(&token).map_err(unwritable)?;
    token.push('.');
    base64url::encode_into(payload, &mut token);
    let signature = key.signature(token.as_bytes())?;
    token.push('.');
    base64url::encode_into(&signature, &mut token);
    Compact::split(&token, MAX_TOKEN_BYTES).map_err(unwritable)?;
    Ok(token)
}

/// What would be refused when read is refused when written, in the same words.
fn unwritable(error: Error) -> Error {
    Error::JwsUnwritable {
        reason: error.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_would_be_refused_when_read_is_refused_when_signed() {
        let key = SigningKey::generate(crate::Algorithm::HS256).unwrap();
        let header =
            |name: &str, value: serde_json::Value| SigningHeader::new().param(name, value).unwrap();
        let text = |bytes| serde_json::Value::from("x".repeat(bytes));
        for (key, header, payload, made) in [
            (key.clone(), SigningHeader::new(), 12_000, true),
            (key.clone(), SigningHeader::new(), 12_300, false),
            (key.clone(), header("own", text(4_000)), 2, true),
            (key.clone(), header("own", text(4_100)), 2, false),
            (key.clone(), header("x5t", "x".into()), 2, true),
            (key.clone(), header("x5t", 5.into()), 2, false),
            (key.clone(), header("cty", true.into()), 2, false),
            (
                key.clone().with_key_id("k".repeat(256)),
                SigningHeader::new(),
                2,
                true,
            ),
            (
                key.with_key_id("k".repeat(257)),
                SigningHeader::new(),
                2,
                false,
            ),
        ] {
            let token = sign_compact(&key, &header, &vec![b'x'; payload]);
            match &token {
                Ok(token) => assert!(Unverified::parse(token).is_ok()),
                Err(error) => assert_eq!(error.code(), "jws_unwritable"),
            }
            assert_eq!(token.is_ok(), made, "{header:?} {payload}");
        }
    }

    #[test]
    fn rejects_an_unencoded_payload_as_a_token_with_and_without_crit() {
        for json in [
            r#"{"alg":"HS256","b64":false}"#,
            r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        ] {
            let token = format!("{}.e30.", base64url::encode(json));
            assert_eq!(
                Unverified::parse(&token).err(),
                Some(Error::UnencodedPayload),
                "{json}"
            );
        }
    }
}
