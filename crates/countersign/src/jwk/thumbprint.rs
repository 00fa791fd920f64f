//! JWK thumbprints (RFC 7638; the `kty` values of RFC 8037 §2).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::members;
use super::parts::KeyParts;
use crate::base64url;
use crate::crypto;

/// The SHA-256 thumbprint of a key: the same for its private and its public half, whatever its names.
///
/// `Display` writes the 43 characters of base64url that make a good `kid`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    pub(crate) fn of(parts: &KeyParts) -> Self {
        // RFC 7638 §3: the required members, in the order of their names, without white space. Sorted here: the order of
        // serde_json's own map depends on a feature that any crate of a build may turn on.
        let members: BTreeMap<_, _> = members::write(parts, false).into_iter().collect();
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
            .collect();
        Self(crypto::sha256(
            format!("{{{}}}", members.join(",")).as_bytes(),
        ))
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The URI of RFC 9278: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:…`.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{self}")
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}
