//! What publishes a status list (draft-ietf-oauth-status-list §5.1).

use serde::de::{Deserializer, Error as _, Unexpected};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::error::Error;
use crate::jwk::{SigningHeader, SigningKey};
use crate::jws::MAX_JWS_BYTES;
use crate::status_list::EncodedStatusList;

/// The claims of a status list token: a list, where it is, and for how long it counts. It may have up to
/// [`MAX_JWS_BYTES`](crate::MAX_JWS_BYTES): room for four million tokens of one bit of which every other is taken back, and
/// for as many as a list may hold where few are.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::{Duration, SystemTime};
/// use countersign::{
///     Algorithm, MAX_STATUS_LIST_BYTES, Policy, SigningKey, Status, StatusBits, StatusList, StatusListToken, Timestamp,
///     Verifier,
/// };
/// let now = Timestamp::from(SystemTime::now());
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let mut list = StatusList::new(StatusBits::One, 1_000_000)?;
/// list.set(77, Status::INVALID)?;
/// let token = StatusListToken {
///     iss: Some("https://id.example".into()), sub: "https://id.example/status-lists/1".into(),
///     iat: now.unix_secs(), exp: Some(now.saturating_add(Duration::from_mins(10)).unix_secs()),
///     ttl: Some(5), status_list: list.encode(),
/// }.sign(&key)?;
///
/// let policy = Policy::status_list("https://id.example", "https://id.example/status-lists/1");
/// let read = Verifier::new(key.verifying_key(), policy).verify::<StatusListToken>(&token, now)?;
/// let list = StatusList::decode(&read.status_list, MAX_STATUS_LIST_BYTES)?;
/// assert_eq!(list.get(77)?, Status::INVALID);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusListToken {
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Where it is: the `uri` of every token that names it, exactly.
    pub sub: String,
    /// When it was issued, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::time")]
    pub iat: i64,
    /// When it expires, in seconds since the epoch.
    #[serde(
        default,
        deserialize_with = "super::numeric_date::optional_exp",
        skip_serializing_if = "Option::is_none"
    )]
    pub exp: Option<i64>,
    /// For how many seconds a copy may be kept before a fresh one is asked for; more than 0, and a fraction is
    /// rounded up.
    #[serde(
        default,
        deserialize_with = "ttl",
        skip_serializing_if = "Option::is_none"
    )]
    pub ttl: Option<u64>,
    /// The list.
    pub status_list: EncodedStatusList,
}

impl StatusListToken {
    /// The signed token, with `typ: statuslist+jwt`.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] where the token would be larger than is read; [`Error::Crypto`] where signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        let header = SigningHeader::of_kind("statuslist+jwt").max_bytes(MAX_JWS_BYTES);
        key.sign_with(&header, self)
    }
}

/// A positive number.
fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<Number>::deserialize(deserializer)?;
    number
        .map(|number| {
            whole_secs(&number).ok_or_else(|| {
                D::Error::invalid_value(Unexpected::Other("another number"), &"a positive number")
            })
        })
        .transpose()
}

fn whole_secs(number: &Number) -> Option<u64> {
    match (number.as_u64(), number.as_f64()) {
        (Some(secs), _) => (secs > 0).then_some(secs),
        (None, Some(secs)) if secs > 0.0 => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is positive, and a number beyond the largest becomes the largest"
            )]
            let secs = secs.ceil() as u64;
            Some(secs)
        }
        _ => None,
    }
}
