//! JSON Web Signature in compact form: syntax and size of a token, and making one (RFC 7515 §3.1, §5.1, §7.1).

mod header;

pub use header::Header;

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
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Malformed::TooLarge {
                part: Part::Document,
                limit: MAX_TOKEN_BYTES,
            }
            .into());
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Malformed::Segments)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Malformed::Segments)?;
        if let more @ 1.. = payload.bytes().filter(|byte| *byte == b'.').count() {
            return Err(if more == 2 {
                Malformed::Encrypted
            } else {
                Malformed::Segments
            }
            .into());
        }
        Ok(Self {
            signing_input,
            header: Header::parse(header)?,
            payload: base64url::decode(payload, Part::Payload)?,
            signature: base64url::decode(signature, Part::Signature)?,
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

/// Makes a compact token of a payload (RFC 7515 §5.1).
pub(crate) fn sign_compact(
    key: &SigningKey,
    header: &SigningHeader,
    payload: &[u8],
) -> Result<String, Error> {
    let mut token = base64url::encode(header.to_json(key));
    token.push('.');
    base64url::encode_into(payload, &mut token);
    let signature = key.signature(token.as_bytes())?;
    token.push('.');
    base64url::encode_into(&signature, &mut token);
    Ok(token)
}
