//! The JOSE header of a JWS: its members' types, and `crit` (RFC 7515 §4, RFC 7797 §6 and §7).

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::MAX_HEADER_BYTES;
use crate::base64url;
use crate::error::{Critical, Error, Malformed, Part};
use crate::json;
use crate::jwa::Algorithm;

/// The longest `kid` that is looked up, in bytes.
pub(crate) const MAX_KID_BYTES: usize = 256;

/// The names that RFC 7515 §4.1 and RFC 7518 register: none of them may stand in `crit` (RFC 7515 §4.1.11).
const REGISTERED: [&str; 23] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc",
    "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "iss", "sub", "aud",
];

/// A token's header, or one part of it. What it says is the sender's word, until a signature over it held; then too, a `jwk` or `jku` in it
/// is never a key to trust. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Header(Arc<Read>);

/// A header, and what every verification asks of it.
#[derive(Debug, PartialEq)]
struct Read {
    members: Map<String, Value>,
    algorithm: Result<Algorithm, Error>,
    /// `typ`, as it is compared.
    kind: Option<String>,
}

impl Header {
    /// The header of a compact token, every member of it protected: octets, types and `crit`.
    pub(crate) fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let header = Self::decode(text)?;
        header.check_types()?;
        header.check_critical()?;
        Ok(header)
    }

    /// The header of a JWT.
    pub(crate) fn parse_of_token(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let header = Self::parse(text)?;
        // RFC 7797 §7: an unencoded payload has no place in a JWT, with or without `crit`.
        if header.is_unencoded() {
            return Err(Error::UnencodedPayload);
        }
        Ok(header)
    }

    /// The octets of a protected header: their size, base64url and a JSON object.
    pub(super) fn decode(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let text = text.as_ref();
        let too_large = Malformed::TooLarge {
            part: Part::Header,
            limit: MAX_HEADER_BYTES,
        };
        if text.len() > MAX_HEADER_BYTES.div_ceil(3).saturating_mul(4) {
            return Err(too_large.into());
        }
        let octets = base64url::decode(text, Part::Header)?;
        if octets.len() > MAX_HEADER_BYTES {
            return Err(too_large.into());
        }
        Ok(Self::of(json::parse_object(&octets, Part::Header)?))
    }

    /// `alg`, as written; empty where this part of a header does not hold it.
    #[must_use]
    pub fn alg(&self) -> &str {
        self.text("alg").unwrap_or_default()
    }

    /// `kid`, as written: an opaque name, at most 256 bytes, never a path or part of a query.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// `typ`, as written (RFC 7515 §4.1.9).
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// `cty`, as written (RFC 7515 §4.1.10).
    #[must_use]
    pub fn cty(&self) -> Option<&str> {
        self.text("cty")
    }

    /// Any member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members().get(name)
    }

    /// The header as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.members().clone())
    }

    /// The algorithm of `alg`.
    ///
    /// # Errors
    /// [`Error::Unsecured`] for `none` in any case, [`Error::AlgorithmUnknown`] for every other name that is not known.
    pub fn algorithm(&self) -> Result<Algorithm, Error> {
        self.0.algorithm.clone()
    }

    /// Whether there is a `typ`.
    pub(crate) fn has_typ(&self) -> bool {
        self.0.kind.is_some()
    }

    /// Whether `typ` is `wanted`: compared without regard to case, and `application/` left out (RFC 7515 §4.1.9).
    pub(crate) fn typ_is(&self, wanted: &str) -> bool {
        let kind = self.0.kind.as_deref();
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(media_type(wanted)))
    }

    /// Whether the payload is not encoded: `b64` is false (RFC 7797 §3).
    pub(super) fn is_unencoded(&self) -> bool {
        self.members().get("b64") == Some(&Value::Bool(false))
    }

    pub(super) fn of(members: Map<String, Value>) -> Self {
        let text = |name| members.get(name).and_then(Value::as_str);
        let algorithm = algorithm(text("alg").unwrap_or_default());
        let kind = text("typ").map(|typ| media_type(typ).to_owned());
        Self(Arc::new(Read {
            members,
            algorithm,
            kind,
        }))
    }

    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.0.members
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members().get(name).and_then(Value::as_str)
    }

    /// RFC 7515 §4.1: a member of the wrong type makes the header invalid, also where nobody would read it.
    pub(super) fn check_types(&self) -> Result<(), Error> {
        let wrong = |name, problem| Err(Malformed::Member { name, problem }.into());
        if !self.members().contains_key("alg") {
            return wrong("alg", "is missing");
        }
        for name in ["alg", "kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"] {
            if self
                .members()
                .get(name)
                .is_some_and(|value| !value.is_string())
            {
                return wrong(name, "is not a string");
            }
        }
        if self
            .members()
            .get("jwk")
            .is_some_and(|value| !value.is_object())
        {
            return wrong("jwk", "is not an object");
        }
        if self
            .members()
            .get("x5c")
            .is_some_and(|value| !holds_strings(value))
        {
            return wrong("x5c", "is not an array of at least one string");
        }
        if self
            .members()
            .get("b64")
            .is_some_and(|value| !value.is_boolean())
        {
            return wrong("b64", "is not a boolean");
        }
        if self.kid().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return wrong("kid", "is longer than 256 bytes");
        }
        Ok(())
    }

    /// RFC 7515 §4.1.11, over the protected header: nothing else may hold `crit` or what it names.
    pub(super) fn check_critical(&self) -> Result<(), Error> {
        let Some(critical) = self.members().get("crit") else {
            return Ok(());
        };
        let names: Option<Vec<&str>> = critical
            .as_array()
            .and_then(|names| names.iter().map(Value::as_str).collect());
        self.check_critical_names(&names.ok_or(Error::Critical(Critical::NotStrings))?)
            .map_err(Error::Critical)
    }

    fn check_critical_names(&self, names: &[&str]) -> Result<(), Critical> {
        if names.is_empty() {
            return Err(Critical::Empty);
        }
        let mut seen = HashSet::new();
        for name in names {
            if !seen.insert(*name) {
                return Err(Critical::Duplicate);
            }
            if REGISTERED.contains(name) {
                return Err(Critical::Registered);
            }
            if !self.members().contains_key(*name) {
                return Err(Critical::Absent);
            }
            // RFC 7515 §4.1.11: an unknown name makes the whole JWS invalid. `b64` is the only one known.
            if *name != "b64" {
                return Err(Critical::Unknown);
            }
        }
        Ok(())
    }
}

fn algorithm(alg: &str) -> Result<Algorithm, Error> {
    if alg.trim().eq_ignore_ascii_case("none") {
        return Err(Error::Unsecured);
    }
    alg.parse()
}

/// RFC 7515 §4.1.6: the certificate of the key is the first of the array.
fn holds_strings(value: &Value) -> bool {
    let items = value.as_array();
    items.is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string))
}

fn media_type(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
        {
            rest
        }
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Header, Error> {
        Header::parse(base64url::encode(json))
    }

    #[test]
    fn accepts_a_header_with_members_that_are_not_known() {
        let header = parse(r#"{"alg":"ES256","kid":"7","typ":"at+jwt","x-own":[1]}"#).unwrap();
        assert_eq!(
            (header.alg(), header.kid(), header.typ()),
            ("ES256", Some("7"), Some("at+jwt"))
        );
    }

    #[test]
    fn rejects_a_header_without_alg_or_with_members_of_the_wrong_type() {
        for (json, name) in [
            ("{}", "alg"),
            (r#"{"alg":1}"#, "alg"),
            (r#"{"alg":["ES256"]}"#, "alg"),
            (r#"{"alg":"ES256","kid":1}"#, "kid"),
            (r#"{"alg":"ES256","typ":{}}"#, "typ"),
            (r#"{"alg":"ES256","jku":[]}"#, "jku"),
            (r#"{"alg":"ES256","jwk":"x"}"#, "jwk"),
            (r#"{"alg":"ES256","x5c":"x"}"#, "x5c"),
            (r#"{"alg":"ES256","x5c":[]}"#, "x5c"),
            (r#"{"alg":"ES256","x5c":["x",1]}"#, "x5c"),
            (r#"{"alg":"ES256","b64":"false"}"#, "b64"),
        ] {
            match parse(json) {
                Err(Error::Malformed(Malformed::Member { name: found, .. })) => {
                    assert_eq!(found, name, "{json}")
                }
                other => panic!("{json}: {other:?}"),
            }
        }
        let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(257));
        assert_eq!(parse(&long).unwrap_err().code(), "malformed_header_member");
    }

    #[test]
    fn rejects_every_crit_that_breaks_rfc_7515_section_4_1_11() {
        for (crit, fault) in [
            ("\"exp\"", Critical::NotStrings),
            ("{}", Critical::NotStrings),
            ("[1]", Critical::NotStrings),
            ("[]", Critical::Empty),
            ("[\"x\",\"x\"]", Critical::Unknown),
            ("[\"b64\",\"b64\"]", Critical::Duplicate),
            ("[\"alg\"]", Critical::Registered),
            ("[\"nowhere\"]", Critical::Absent),
            ("[\"x\"]", Critical::Unknown),
        ] {
            let json = format!(r#"{{"alg":"ES256","x":1,"b64":true,"crit":{crit}}}"#);
            assert_eq!(parse(&json), Err(Error::Critical(fault)), "{crit}");
        }
    }

    #[test]
    fn none_is_named_as_such_in_every_case() {
        for bits in 0..16u8 {
            let alg: String = "none"
                .chars()
                .enumerate()
                .map(|(at, letter)| {
                    if bits >> at & 1 == 1 {
                        letter.to_ascii_uppercase()
                    } else {
                        letter
                    }
                })
                .collect();
            let header = parse(&format!(r#"{{"alg":"{alg}"}}"#)).unwrap();
            assert_eq!(header.algorithm(), Err(Error::Unsecured), "{alg}");
        }
    }

    #[test]
    fn typ_is_compared_as_a_media_type() {
        for (typ, same) in [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/AT+jwt", true),
            ("application/at+jwt;charset=utf-8", false),
            ("at+jwt ", false),
            ("x/at+jwt", false),
            ("JWT", false),
        ] {
            let header = parse(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#)).unwrap();
            assert_eq!(header.typ_is("at+jwt"), same, "{typ}");
        }
    }

    #[test]
    fn rejects_a_header_larger_than_the_limit() {
        let sized = |bytes: usize| format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(bytes - 22));
        assert!(parse(&sized(MAX_HEADER_BYTES)).is_ok());
        for bytes in [
            MAX_HEADER_BYTES + 1,
            MAX_HEADER_BYTES + 3,
            4 * MAX_HEADER_BYTES,
        ] {
            assert_eq!(
                parse(&sized(bytes)).unwrap_err().code(),
                "malformed_too_large",
                "{bytes}"
            );
        }
    }
}
