//! What an ID token holds (OpenID Connect Core §2).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::jwk::SigningKey;

/// The claims of an ID token (OpenID Connect Core §2): who logged in at a client, when and how.
///
/// It is for the client that it names and for nobody else; an API takes access tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdToken {
    /// Who issued it.
    pub iss: String,
    /// Who logged in.
    pub sub: String,
    /// For which client.
    #[serde(with = "super::audience")]
    pub aud: Vec<String>,
    /// When it expires, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::exp")]
    pub exp: i64,
    /// When it was issued, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::time")]
    pub iat: i64,
    /// What the client sent with its request, so that a token of another login is told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The client that it was issued to, where `aud` names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// When the user last proved who they are, in seconds since the epoch.
    #[serde(
        default,
        deserialize_with = "super::numeric_date::optional_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<i64>,
    /// How well they proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which means they proved it (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The half hash of the access token that was issued beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The half hash of the code that was issued beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl IdToken {
    /// The signed token, with `typ: JWT`.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] where the token would be larger than is read; [`Error::Crypto`] where signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        key.sign(self)
    }
}
