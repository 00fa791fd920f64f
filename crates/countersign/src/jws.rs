//! JSON Web Signature: the compact form, and the token that a JWT is (RFC 7515 §3.1, §5.1, §7.1).
//!
//! Below this file stands what carries any payload: `document` (a JWS and its payload), `serialization` (its texts),
//! `builder` (signing) and `verify`.

mod builder;
mod compact;
mod document;
mod header;
mod headers;
mod serialization;
mod verify;

pub use builder::{JwsBuilder, JwsSigner};
pub(crate) use compact::{WrittenHeaders, compact, sign_claims};
pub use document::{Jws, MAX_JWS_BYTES, MAX_SIGNATURES};
pub use header::Header;
pub(crate) use header::MAX_KID_BYTES;
pub use verify::{VerifiedJws, VerifiedSignature};

use memchr::{memchr, memchr_iter};

use crate::base64url;
use crate::error::{Error, Malformed, Part};

/// The largest token that is looked at, in bytes, where [`PolicyBuilder::max_token_bytes`](crate::PolicyBuilder::max_token_bytes)
/// says nothing else.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The largest header, in octets of JSON.
pub const MAX_HEADER_BYTES: usize = 4 * 1024;

/// A token whose syntax is right and of which nothing is verified.
///
/// Its header is a hint for finding a key; its claims can be reached only through
/// [`verify`](Self::verify), or through the module [`dangerous`](crate::dangerous), which says so.
#[derive(Clone)]
pub struct Unverified<'t> {
    signing_input: &'t [u8],
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
        Self::parse_within(token, MAX_TOKEN_BYTES)
    }

    /// The same for a token of at most `limit` bytes, where that is not [`MAX_TOKEN_BYTES`]; never more than 1 MiB.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_within(token: &'t str, limit: usize) -> Result<Self, Error> {
        let compact = Compact::split(token.as_bytes(), limit.min(MAX_JWS_BYTES))?;
        Ok(Self {
            signing_input: compact.signing_input,
            header: Header::parse_of_token(compact.header)?,
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

    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            signing_input: self.signing_input,
            header: &self.header,
            payload: &self.payload,
            text: std::str::from_utf8(&self.payload).ok(),
            signature: &self.signature,
        }
    }
}

/// A token with the right syntax, taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'p> {
    /// What was signed: header and payload as received, never re-encoded (RFC 7515 §5.2).
    pub(crate) signing_input: &'p [u8],
    pub(crate) header: &'p Header,
    pub(crate) payload: &'p [u8],
    /// The payload, where it is UTF-8.
    pub(crate) text: Option<&'p str>,
    pub(crate) signature: &'p [u8],
}

impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unverified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// A compact serialisation in its three parts (RFC 7515 §7.1).
pub(crate) struct Compact<'t> {
    pub(crate) signing_input: &'t [u8],
    pub(crate) header: &'t [u8],
    pub(crate) payload: &'t [u8],
    pub(crate) signature: &'t [u8],
}

impl<'t> Compact<'t> {
    /// The size is looked at first, and nothing is kept for a dot too many.
    pub(crate) fn split(text: &'t [u8], limit: usize) -> Result<Self, Error> {
        if text.len() > limit {
            return Err(Malformed::TooLarge {
                part: Part::Document,
                limit,
            }
            .into());
        }
        let dot = |text| memchr(b'.', text).ok_or(Malformed::Segments);
        let (header, rest) = parted(text, dot(text)?);
        let (payload, signature) = parted(rest, dot(rest)?);
        if dot(signature).is_ok() {
            return Err(match memchr_iter(b'.', signature).count() {
                2 => Malformed::Encrypted.into(),
                _ => Malformed::Segments.into(),
            });
        }
        let signed = header.len().saturating_add(payload.len()).saturating_add(1);
        Ok(Self {
            signing_input: text.get(..signed).unwrap_or_default(),
            header,
            payload,
            signature,
        })
    }
}

/// What stands before and after the dot at `at`.
fn parted(text: &[u8], at: usize) -> (&[u8], &[u8]) {
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, &[]));
    (before, rest.get(1..).unwrap_or_default())
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
