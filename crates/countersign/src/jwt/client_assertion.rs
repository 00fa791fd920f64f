//! What a client proves itself with at an authorization server (RFC 7523 §3).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::jwk::{SigningHeader, SigningKey};

/// The claims of a client assertion (RFC 7523 §3): a client names itself, signs, and is spared a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAssertion {
    /// The client's id.
    pub iss: String,
    /// The same id.
    pub sub: String,
    /// The issuer identifier of the authorization server, and nothing else: not the URL of an endpoint.
    #[serde(with = "super::audience")]
    pub aud: Vec<String>,
    /// When it expires, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::exp")]
    pub exp: i64,
    /// Its own name, never used twice.
    pub jti: String,
    /// When it was made, in seconds since the epoch.
    #[serde(
        default,
        deserialize_with = "super::numeric_date::optional_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub iat: Option<i64>,
}

impl ClientAssertion {
    /// The signed token, with `typ: client-authentication+jwt`.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] where the token would be larger than is read; [`Error::Crypto`] where signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        key.sign_with(&SigningHeader::of_kind("client-authentication+jwt"), self)
    }
}
