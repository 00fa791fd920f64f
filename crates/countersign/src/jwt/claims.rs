//! A set of claims to sign (RFC 7519 §4).

use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::numeric_date;
use crate::error::Error;
use crate::time::Timestamp;

/// The names of RFC 7519 §4.1: each has its own method and no other way in.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Claims to sign, with the registered ones by method.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::Duration;
/// use countersign::{Algorithm, ClaimsSet, SigningKey, Timestamp};
/// let now = Timestamp::from_unix_secs(1_795_359_845);
/// let claims = ClaimsSet::new("https://id.example", "orders-api")
///     .subject("ada")
///     .expires_in(now, Duration::from_mins(10))
///     .claim("order", 17)?;
/// let token = SigningKey::generate(Algorithm::ES256)?.sign(&claims)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClaimsSet {
    iss: Option<String>,
    sub: Option<String>,
    aud: Vec<String>,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    iat: Option<Timestamp>,
    jti: Option<String>,
    own: Map<String, Value>,
}

impl ClaimsSet {
    /// Claims of an issuer for one audience.
    pub fn new(iss: impl Into<String>, aud: impl Into<String>) -> Self {
        Self::empty().issuer(iss).audience(aud)
    }

    /// No claims yet.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Sets `iss`.
    #[must_use]
    pub fn issuer(mut self, iss: impl Into<String>) -> Self {
        self.iss = Some(iss.into());
        self
    }

    /// Adds a name to `aud`.
    #[must_use]
    pub fn audience(mut self, aud: impl Into<String>) -> Self {
        self.aud.push(aud.into());
        self
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.sub = Some(sub.into());
        self
    }

    /// Sets `jti`.
    #[must_use]
    pub fn jwt_id(mut self, jti: impl Into<String>) -> Self {
        self.jti = Some(jti.into());
        self
    }

    /// Sets `iat`.
    #[must_use]
    pub const fn issued_at(mut self, iat: Timestamp) -> Self {
        self.iat = Some(iat);
        self
    }

    /// Sets `nbf`.
    #[must_use]
    pub const fn not_before(mut self, nbf: Timestamp) -> Self {
        self.nbf = Some(nbf);
        self
    }

    /// Sets `exp`.
    #[must_use]
    pub const fn expires_at(mut self, exp: Timestamp) -> Self {
        self.exp = Some(exp);
        self
    }

    /// Sets `iat` to `now` and `exp` to `now` plus whole seconds of `life`. A time after the year 9999 or before 1970 is
    /// refused when the claims are signed.
    #[must_use]
    pub fn expires_in(self, now: Timestamp, life: Duration) -> Self {
        self.issued_at(now).expires_at(now.saturating_add(life))
    }

    /// Adds the members of a value that is written as an object, after the manner of `#[serde(flatten)]`.
    ///
    /// # Errors
    /// [`Error::ReservedName`] where one of them is a registered claim; [`Error::ClaimsUnwritable`] for another kind of
    /// value.
    pub fn with<T: Serialize>(mut self, claims: &T) -> Result<Self, Error> {
        let claims = serde_json::to_value(claims).map_err(|error| Error::ClaimsUnwritable {
            reason: error.to_string(),
        })?;
        let Value::Object(claims) = claims else {
            return Err(Error::ClaimsUnwritable {
                reason: "they are written as another kind of value".to_owned(),
            });
        };
        for (name, value) in claims {
            self = self.claim(name, value)?;
        }
        Ok(self)
    }

    /// Adds one claim of one's own; the last of two with one name counts.
    ///
    /// # Errors
    /// [`Error::ReservedName`] for a registered claim: a name that came from a user cannot overwrite `exp`.
    pub fn claim(
        mut self,
        name: impl Into<String>,
        value: impl Into<Value>,
    ) -> Result<Self, Error> {
        let name = name.into();
        if REGISTERED.contains(&name.as_str()) {
            return Err(Error::ReservedName { name: name.into() });
        }
        self.own.insert(name, value.into());
        Ok(self)
    }
}

impl Serialize for ClaimsSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(iss) = &self.iss {
            map.serialize_entry("iss", iss)?;
        }
        if let Some(sub) = &self.sub {
            map.serialize_entry("sub", sub)?;
        }
        match self.aud.as_slice() {
            [] => {}
            [one] => map.serialize_entry("aud", one)?,
            many => map.serialize_entry("aud", many)?,
        }
        for (name, at) in [("exp", self.exp), ("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(at) = at {
                map.serialize_entry(name, &Written(at))?;
            }
        }
        if let Some(jti) = &self.jti {
            map.serialize_entry("jti", jti)?;
        }
        for (name, value) in &self.own {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A time as it stands in a token.
struct Written(Timestamp);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        numeric_date::write(self.0, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::members::Members;
    use crate::jwt::registered::RegisteredClaims;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_registered_claim_cannot_be_set_by_name() {
        for name in REGISTERED {
            assert!(
                matches!(
                    ClaimsSet::empty().claim(name, 1),
                    Err(Error::ReservedName { .. })
                ),
                "{name}"
            );
            assert!(
                matches!(
                    ClaimsSet::empty().with(&json!({name: 1})),
                    Err(Error::ReservedName { .. })
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn rejects_a_time_that_would_be_refused_when_it_is_read() {
        let key = crate::SigningKey::generate(crate::Algorithm::HS256).unwrap();
        let (now, last) = (Timestamp::from_unix_secs(0), Timestamp::MAX_NUMERIC_DATE);
        let claims = || ClaimsSet::new("i", "a");
        let late = last.saturating_add(Duration::from_secs(1));
        let early = now.saturating_sub(Duration::from_secs(1));
        for claims in [
            claims().expires_in(now, Duration::MAX),
            claims().expires_at(late),
            claims().not_before(late),
            claims().issued_at(early),
        ] {
            let error = key.sign(&claims).unwrap_err();
            assert_eq!(error.code(), "claims_unwritable");
            assert!(error.to_string().contains("year 9999"), "{error}");
        }
        let token = key.sign(&claims().issued_at(now).expires_at(last)).unwrap();
        let verifier = crate::Verifier::new(key.verifying_key(), crate::Policy::new("i", "a"));
        assert!(verifier.verify::<crate::NoClaims>(&token, now).is_ok());
    }

    #[test]
    fn an_audience_of_one_is_written_as_a_string() {
        let one = serde_json::to_value(ClaimsSet::new("i", "a")).unwrap();
        assert_eq!(one, json!({"iss": "i", "aud": "a"}));
        let two = serde_json::to_value(ClaimsSet::new("i", "a").audience("b")).unwrap();
        assert_eq!(two, json!({"iss": "i", "aud": ["a", "b"]}));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(iss: String, sub: String, aud: Vec<String>, exp in 0i64..=253_402_300_799) {
            let mut claims = ClaimsSet::empty().issuer(&iss).subject(&sub).expires_at(Timestamp::from_unix_secs(exp));
            for name in &aud {
                claims = claims.audience(name);
            }
            let text = serde_json::to_string(&claims).unwrap();
            let mut stack = crate::json::Stack::new();
            let (_, index) = crate::json::read::<serde::de::IgnoredAny>(&text, &mut stack).unwrap();
            let Some(members) = Members::in_text(index) else { return Ok(()) };
            let read = RegisteredClaims::read(&members).unwrap();
            prop_assert_eq!((read.iss(), read.sub()), (Some(iss.as_str()), Some(sub.as_str())));
            prop_assert!(read.aud().iter().eq(aud.iter().map(String::as_str)));
            prop_assert_eq!(read.exp(), Some(Timestamp::from_unix_secs(exp)));
        }
    }
}
