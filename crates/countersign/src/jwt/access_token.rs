//! What an OAuth 2.0 access token holds (RFC 9068).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::jwk::{SigningHeader, SigningKey};
use crate::status_list::StatusReference;

/// The claims of an access token (RFC 9068 §2.2), and `sid` of the session that it belongs to.
///
/// Everybody who holds the token can read it: nothing here is for the server's eyes alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Who issued it: the server's URL.
    pub iss: String,
    /// Whom it is about: a user's id, or a client's own.
    pub sub: String,
    /// For which services.
    #[serde(with = "super::audience")]
    pub aud: Vec<String>,
    /// When it expires, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::exp")]
    pub exp: i64,
    /// When it was issued, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::time")]
    pub iat: i64,
    /// Its own name, never used twice.
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What the client may do, names between single spaces (RFC 8693 §4.2); left out where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The roles of the user (RFC 9068 §2.2.3.1).
    #[serde(default)]
    pub roles: Vec<String>,
    /// When the user last proved who they are, in seconds since the epoch.
    #[serde(
        default,
        deserialize_with = "super::numeric_date::optional_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<i64>,
    /// Which entry of which list tells whether it was taken back (draft-ietf-oauth-status-list §6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusReference>,
}

impl AccessToken {
    /// The signed token, with `typ: at+jwt`.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] where the token would be larger than is read; [`Error::Crypto`] where signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        key.sign_with(&SigningHeader::of_kind("at+jwt"), self)
    }
}
