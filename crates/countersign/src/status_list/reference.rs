//! The claim `status` of a token: which entry of which list speaks of it (draft-ietf-oauth-status-list §6.2).

use serde::de::{Deserializer, Error as _};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Error;
use crate::jwt::Verified;

/// What the claim must be, in words.
const EXPECTED: &str =
    "an object whose `status_list` holds `idx`, a whole number, and `uri`, a string";

/// An entry of a status list: the value of the claim `status`, `{"status_list": {"idx": …, "uri": …}}`.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::{Duration, SystemTime};
/// use countersign::{Algorithm, ClaimsSet, NoClaims, Policy, SigningKey, StatusReference, Timestamp, Verifier};
/// let now = Timestamp::from(SystemTime::now());
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let status = StatusReference::new("https://id.example/status-lists/1", 77);
/// let claims = ClaimsSet::new("https://id.example", "orders-api")
///     .expires_in(now, Duration::from_mins(10))
///     .claim("status", status.clone())?;
/// let token = key.sign(&claims)?;
///
/// let policy = Policy::new("https://id.example", "orders-api");
/// let verified = Verifier::new(key.verifying_key(), policy).verify::<NoClaims>(&token, now)?;
/// assert_eq!(StatusReference::of(&verified)?, Some(status));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusReference {
    /// The place of the token in the list.
    pub idx: u64,
    /// Where the list is, which is also its `sub`, exactly.
    pub uri: String,
}

impl StatusReference {
    /// The entry at `idx` of the list at `uri`.
    pub fn new(uri: impl Into<String>, idx: u64) -> Self {
        Self {
            idx,
            uri: uri.into(),
        }
    }

    /// The entry that a verified token names; `None` where it has no claim `status`.
    ///
    /// # Errors
    /// [`Error::ClaimType`] for a claim that holds something else. So does one that names only another way to tell a
    /// status: what its issuer wants looked at is not passed over.
    pub fn of<C>(token: &Verified<C>) -> Result<Option<Self>, Error> {
        let claim = token.claim("status")?;
        claim.as_ref().map(Self::read).transpose()
    }

    fn read(claim: &Value) -> Result<Self, Error> {
        let list = claim.get("status_list");
        let idx = list
            .and_then(|list| list.get("idx"))
            .and_then(Value::as_u64);
        let uri = list
            .and_then(|list| list.get("uri"))
            .and_then(Value::as_str);
        match (idx, uri) {
            (Some(idx), Some(uri)) if !uri.is_empty() => Ok(Self::new(uri, idx)),
            _ => Err(Error::ClaimType {
                claim: "status",
                expected: EXPECTED,
            }),
        }
    }
}

impl From<StatusReference> for Value {
    fn from(StatusReference { idx, uri }: StatusReference) -> Self {
        json!({"status_list": {"idx": idx, "uri": uri}})
    }
}

impl Serialize for StatusReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut claim = serializer.serialize_map(Some(1))?;
        claim.serialize_entry("status_list", &json!({"idx": self.idx, "uri": self.uri}))?;
        claim.end()
    }
}

impl<'de> Deserialize<'de> for StatusReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_an_index_and_a_place_and_whatever_stands_beside_them() {
        for claim in [
            json!({"status_list": {"idx": 0, "uri": "https://id.example/1"}}),
            json!({"status_list": {"idx": 0, "uri": "https://id.example/1", "more": []}, "other": {}}),
        ] {
            let read = StatusReference::read(&claim);
            assert_eq!(read, Ok(StatusReference::new("https://id.example/1", 0)));
            assert_eq!(
                serde_json::from_value::<StatusReference>(claim).ok(),
                read.ok()
            );
        }
        let last = json!({"status_list": {"idx": u64::MAX, "uri": "u"}});
        assert_eq!(
            StatusReference::read(&last),
            Ok(StatusReference::new("u", u64::MAX))
        );
    }

    #[test]
    fn rejects_a_status_that_is_anything_else() {
        for claim in [
            json!(null),
            json!(0),
            json!("valid"),
            json!([]),
            json!({}),
            json!({"other": {}}),
            json!({"status_list": null}),
            json!({"status_list": [0, "u"]}),
            json!({"status_list": {"idx": 0}}),
            json!({"status_list": {"uri": "u"}}),
            json!({"status_list": {"idx": -1, "uri": "u"}}),
            json!({"status_list": {"idx": 1.0, "uri": "u"}}),
            json!({"status_list": {"idx": 1e3, "uri": "u"}}),
            json!({"status_list": {"idx": "0", "uri": "u"}}),
            json!({"status_list": {"idx": null, "uri": "u"}}),
            json!({"status_list": {"idx": 0, "uri": ""}}),
            json!({"status_list": {"idx": 0, "uri": ["u"]}}),
            json!({"idx": 0, "uri": "u"}),
        ] {
            let refused = StatusReference::read(&claim).unwrap_err();
            assert_eq!(refused.code(), "claim_type", "{claim}");
            assert!(serde_json::from_value::<StatusReference>(claim).is_err());
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let reference = StatusReference::new("https://id.example/status-lists/1", 77);
        assert_eq!(
            StatusReference::read(&Value::from(reference.clone())),
            Ok(reference.clone())
        );
        assert_eq!(
            serde_json::to_value(&reference).unwrap(),
            Value::from(reference)
        );
    }
}
