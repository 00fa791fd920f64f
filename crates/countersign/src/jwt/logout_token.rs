//! What ends a session at a client (OpenID Connect Back-Channel Logout §2.4).

use serde::Deserialize;
use serde_json::json;

use super::claims::ClaimsSet;
use super::profile::LOGOUT_EVENT;
use crate::error::Error;
use crate::jwk::{SigningHeader, SigningKey};
use crate::time::Timestamp;

/// The claims of a logout token (OpenID Connect Back-Channel Logout §2.4): which user, which session, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogoutToken {
    /// Who issued it.
    pub iss: String,
    /// Whose sessions end; one of this and `sid` is there.
    #[serde(default)]
    pub sub: Option<String>,
    /// For which client.
    #[serde(with = "super::audience")]
    pub aud: Vec<String>,
    /// When it was issued, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::time")]
    pub iat: i64,
    /// When it expires, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::exp")]
    pub exp: i64,
    /// Its own name, never used twice.
    pub jti: String,
    /// Which session ends.
    #[serde(default)]
    pub sid: Option<String>,
}

impl LogoutToken {
    /// The signed token, with `typ: logout+jwt` and the event that makes it one.
    ///
    /// # Errors
    /// [`Error::ClaimsUnwritable`] where it has neither `sub` nor `sid`; [`Error::JwsUnwritable`] where it would be
    /// larger than is read; [`Error::Crypto`] where signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        if self.sub.is_none() && self.sid.is_none() {
            return Err(Error::ClaimsUnwritable {
                reason: "a logout token needs `sub` or `sid`".to_owned(),
            });
        }
        let mut claims = ClaimsSet::empty()
            .issuer(&self.iss)
            .jwt_id(&self.jti)
            .issued_at(Timestamp::from_unix_secs(self.iat))
            .expires_at(Timestamp::from_unix_secs(self.exp))
            .claim("events", json!({ LOGOUT_EVENT: {} }))?;
        for aud in &self.aud {
            claims = claims.audience(aud);
        }
        if let Some(sub) = &self.sub {
            claims = claims.subject(sub);
        }
        if let Some(sid) = &self.sid {
            claims = claims.claim("sid", sid.as_str())?;
        }
        key.sign_with(&SigningHeader::of_kind("logout+jwt"), &claims)
    }
}
