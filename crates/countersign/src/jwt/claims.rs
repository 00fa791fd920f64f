//! The claims: the registered ones as they are read, and a set of claims to sign (RFC 7519 §4).

use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Map, Value};

use super::numeric_date;
use crate::error::Error;
use crate::time::Timestamp;

pub(crate) type Members = Map<String, Value>;

/// The names of RFC 7519 §4.1: each has its own method and no other way in.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// The registered claims of a token (RFC 7519 §4.1), of the right JSON types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisteredClaims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Vec<String>>,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    iat: Option<Timestamp>,
    jti: Option<String>,
}

impl RegisteredClaims {
    /// Reads them; a claim of the wrong JSON type is refused also where nobody asks for it.
    pub(crate) fn read(members: &Members) -> Result<Self, Error> {
        Ok(Self {
            iss: text(members, "iss")?,
            sub: text(members, "sub")?,
            aud: audience(members)?,
            exp: numeric_date::read(members, "exp")?,
            nbf: numeric_date::read(members, "nbf")?,
            iat: numeric_date::read(members, "iat")?,
            jti: text(members, "jti")?,
        })
    }

    /// Who issued the token.
    #[must_use]
    pub fn iss(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    /// Whom it is about.
    #[must_use]
    pub fn sub(&self) -> Option<&str> {
        self.sub.as_deref()
    }

    /// For whom it is; a single string counts as a list of one. Empty where the claim is absent.
    #[must_use]
    pub fn aud(&self) -> &[String] {
        self.aud.as_deref().unwrap_or_default()
    }

    pub(crate) const fn has_aud(&self) -> bool {
        self.aud.is_some()
    }

    /// When it stops being valid: at this second it already has. A fraction of a second was rounded down.
    #[must_use]
    pub const fn exp(&self) -> Option<Timestamp> {
        self.exp
    }

    /// When it starts being valid. A fraction of a second was rounded up.
    #[must_use]
    pub const fn nbf(&self) -> Option<Timestamp> {
        self.nbf
    }

    /// When it was issued. A fraction of a second was rounded up.
    #[must_use]
    pub const fn iat(&self) -> Option<Timestamp> {
        self.iat
    }

    /// Its own name.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.jti.as_deref()
    }
}

pub(crate) fn text(members: &Members, claim: &'static str) -> Result<Option<String>, Error> {
    match members.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::ClaimType {
            claim,
            expected: "a string",
        }),
    }
}

fn audience(members: &Members) -> Result<Option<Vec<String>>, Error> {
    let wrong = Error::ClaimType {
        claim: "aud",
        expected: "a string or an array of at least one string",
    };
    match members.get("aud") {
        None => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.clone()])),
        Some(Value::Array(many)) if !many.is_empty() => {
            let names: Option<Vec<String>> = many
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect();
            names.map(Some).ok_or(wrong)
        }
        Some(_) => Err(wrong),
    }
}

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
    registered: RegisteredClaims,
    own: Members,
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
        self.registered.iss = Some(iss.into());
        self
    }

    /// Adds a name to `aud`.
    #[must_use]
    pub fn audience(mut self, aud: impl Into<String>) -> Self {
        self.registered.aud.get_or_insert_default().push(aud.into());
        self
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.registered.sub = Some(sub.into());
        self
    }

    /// Sets `jti`.
    #[must_use]
    pub fn jwt_id(mut self, jti: impl Into<String>) -> Self {
        self.registered.jti = Some(jti.into());
        self
    }

    /// Sets `iat`.
    #[must_use]
    pub const fn issued_at(mut self, iat: Timestamp) -> Self {
        self.registered.iat = Some(iat);
        self
    }

    /// Sets `nbf`.
    #[must_use]
    pub const fn not_before(mut self, nbf: Timestamp) -> Self {
        self.registered.nbf = Some(nbf);
        self
    }

    /// Sets `exp`.
    #[must_use]
    pub const fn expires_at(mut self, exp: Timestamp) -> Self {
        self.registered.exp = Some(exp);
        self
    }

    /// Sets `iat` to `now` and `exp` to `now` plus whole seconds of `life`.
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
        let RegisteredClaims {
            iss,
            sub,
            aud,
            exp,
            nbf,
            iat,
            jti,
        } = &self.registered;
        let text = |value: &Option<String>| value.as_deref().map(Value::from);
        let time = |value: &Option<Timestamp>| value.map(|at| Value::from(at.unix_secs()));
        let aud = aud.as_deref().map(|names| match names {
            [one] => Value::from(one.as_str()),
            many => Value::from(many.to_vec()),
        });
        let registered = [
            ("iss", text(iss)),
            ("sub", text(sub)),
            ("aud", aud),
            ("exp", time(exp)),
            ("nbf", time(nbf)),
            ("iat", time(iat)),
            ("jti", text(jti)),
        ];
        let registered = registered
            .iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| (*name, value)));
        let own = self.own.iter().map(|(name, value)| (name.as_str(), value));
        serializer.collect_map(registered.chain(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(claims: Value) -> Result<RegisteredClaims, Error> {
        RegisteredClaims::read(claims.as_object().unwrap())
    }

    #[test]
    fn accepts_every_legal_form_of_a_numeric_date() {
        for (value, secs) in [
            (json!(0), 0),
            (json!(1_795_359_845), 1_795_359_845),
            (json!(1e10), 10_000_000_000),
            (json!(123.5), 123),
            (json!(253_402_300_799_i64), 253_402_300_799),
        ] {
            let claims = read(json!({ "exp": value })).unwrap();
            assert_eq!(
                claims.exp(),
                Some(Timestamp::from_unix_secs(secs)),
                "{value}"
            );
        }
    }

    #[test]
    fn rejects_times_of_the_wrong_type_or_out_of_range() {
        for claim in ["exp", "nbf", "iat"] {
            for value in [
                json!("1795359845"),
                json!(null),
                json!(true),
                json!([1]),
                json!({}),
                json!(""),
                json!(-1),
                json!(-0.5),
                json!(1e300),
                json!(u64::MAX),
                json!(i64::MIN),
                json!(253_402_300_800_i64),
                json!(1_795_359_845_000_i64),
            ] {
                match read(json!({ claim: value })) {
                    Err(Error::ClaimType { claim: found, .. }) => assert_eq!(found, claim),
                    other => panic!("{claim} {value}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn rejects_names_that_are_not_strings() {
        for claim in ["iss", "sub", "jti"] {
            for value in [
                json!(1),
                json!(null),
                json!(false),
                json!(["a"]),
                json!({"a": 1}),
            ] {
                assert_eq!(
                    read(json!({ claim: value })),
                    Err(Error::ClaimType {
                        claim,
                        expected: "a string"
                    }),
                    "{claim} {value}"
                );
            }
        }
    }

    #[test]
    fn accepts_an_audience_as_a_string_or_a_list_and_rejects_the_rest() {
        assert_eq!(read(json!({"aud": "a"})).unwrap().aud(), ["a"]);
        assert_eq!(read(json!({"aud": ["a", "b"]})).unwrap().aud(), ["a", "b"]);
        for value in [
            json!(1),
            json!(null),
            json!([]),
            json!([1]),
            json!(["a", 1]),
            json!(["a", null]),
            json!({"a": 1}),
        ] {
            assert_eq!(
                read(json!({ "aud": value })).unwrap_err().code(),
                "claim_type",
                "{value}"
            );
        }
    }

    #[test]
    fn every_registered_claim_is_read_by_its_own_method() {
        let claims = read(json!({
            "iss": "i", "sub": "s", "aud": ["a", "b"], "jti": "j", "exp": 30, "nbf": 10, "iat": 20
        }))
        .unwrap();
        assert_eq!(
            (claims.iss(), claims.sub(), claims.jti()),
            (Some("i"), Some("s"), Some("j"))
        );
        assert_eq!(claims.aud(), ["a", "b"]);
        let at = |secs| Some(Timestamp::from_unix_secs(secs));
        assert_eq!(
            (claims.exp(), claims.nbf(), claims.iat()),
            (at(30), at(10), at(20))
        );
        assert_eq!(read(json!({})).unwrap(), RegisteredClaims::default());
    }

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
            let read = read(serde_json::to_value(&claims).unwrap()).unwrap();
            prop_assert_eq!(read, claims.registered);
        }
    }
}
