//! The headers of one signature: what is protected, what is not, and both as one (RFC 7515 §4, §7.2.1; RFC 7797 §3, §6).

use serde_json::{Map, Value};

use super::{Header, MAX_HEADER_BYTES};
use crate::error::{Critical, Error, Malformed, Part};

/// The headers of one signature, well formed together; nothing of them is verified.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Headers {
    protected: Option<Header>,
    unprotected: Option<Header>,
    joint: Header,
}

impl Headers {
    /// Reads a protected header's base64url text and an unprotected header's members.
    pub(super) fn parse(
        protected: Option<&str>,
        unprotected: Option<Map<String, Value>>,
    ) -> Result<Self, Error> {
        let protected = protected.map(Header::decode).transpose()?;
        let unprotected = unprotected.map(Header::of);
        let mut members = Map::new();
        if let Some(protected) = &protected {
            not_empty("protected", protected)?;
            members.clone_from(protected.members());
            protected.check_critical()?;
        }
        if let Some(unprotected) = &unprotected {
            not_empty("header", unprotected)?;
            check_unprotected(unprotected)?;
            for (name, value) in unprotected.members() {
                // RFC 7515 §7.2.1: the two parts have no name in common, or a reader could follow the wrong one.
                if members.insert(name.clone(), value.clone()).is_some() {
                    return Err(Malformed::HeadersOverlap.into());
                }
            }
        }
        let joint = Header::of(members);
        joint.check_types()?;
        let headers = Self {
            protected,
            unprotected,
            joint,
        };
        headers.check_unencoded()?;
        Ok(headers)
    }

    pub(super) fn protected(&self) -> Header {
        self.protected
            .clone()
            .unwrap_or_else(|| Header::of(Map::new()))
    }

    pub(super) const fn unprotected(&self) -> Option<&Header> {
        self.unprotected.as_ref()
    }

    /// Both parts as one header: a hint for finding a key, and no more.
    pub(super) const fn joint(&self) -> &Header {
        &self.joint
    }

    /// Whether `alg` stands where nobody can change it.
    pub(super) fn protects_alg(&self) -> bool {
        self.protected
            .as_ref()
            .is_some_and(|protected| protected.members().contains_key("alg"))
    }

    /// RFC 7797 §6: `b64` that is false stands in `crit`, so that nobody who does not know it reads the payload wrongly.
    fn check_unencoded(&self) -> Result<(), Error> {
        let critical = self.joint.get("crit").and_then(Value::as_array);
        if self.joint.is_unencoded()
            && !critical.is_some_and(|names| names.contains(&Value::from("b64")))
        {
            return Err(Error::Critical(Critical::Missing));
        }
        Ok(())
    }
}

/// RFC 7515 §7.2.1: a header without members is left out.
fn not_empty(name: &'static str, header: &Header) -> Result<(), Error> {
    if header.members().is_empty() {
        return Err(Malformed::JwsMember {
            name,
            problem: "is empty; it should be left out",
        }
        .into());
    }
    Ok(())
}

/// RFC 7515 §4.1.11, RFC 7797 §3: what changes the meaning of the rest is protected.
fn check_unprotected(header: &Header) -> Result<(), Error> {
    for name in ["crit", "b64"] {
        if header.members().contains_key(name) {
            return Err(Malformed::Member {
                name,
                problem: "stands outside the protected header",
            }
            .into());
        }
    }
    if header.to_value().to_string().len() > MAX_HEADER_BYTES {
        return Err(Malformed::TooLarge {
            part: Part::Header,
            limit: MAX_HEADER_BYTES,
        }
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base64url;

    fn parse(protected: Value, unprotected: Value) -> Result<Headers, Error> {
        let protected = (!protected.is_null()).then(|| base64url::encode(protected.to_string()));
        Headers::parse(protected.as_deref(), unprotected.as_object().cloned())
    }

    #[test]
    fn accepts_members_on_both_sides_and_joins_them() {
        let headers = parse(json!({"alg": "ES256"}), json!({"kid": "7", "x": 1})).unwrap();
        assert_eq!(
            (headers.joint().alg(), headers.joint().kid()),
            ("ES256", Some("7"))
        );
        assert!(headers.protects_alg());
        assert_eq!(headers.protected().kid(), None);
        assert_eq!(headers.unprotected().unwrap().alg(), "");
        let headers = parse(Value::Null, json!({"alg": "ES256"})).unwrap();
        assert!(!headers.protects_alg());
    }

    #[test]
    fn rejects_a_name_that_stands_on_both_sides_even_with_the_same_value() {
        for unprotected in [
            json!({"kid": "7"}),
            json!({"kid": "8"}),
            json!({"alg": "ES256"}),
        ] {
            assert_eq!(
                parse(json!({"alg": "ES256", "kid": "7"}), unprotected).err(),
                Some(Malformed::HeadersOverlap.into())
            );
        }
    }

    #[test]
    fn rejects_crit_and_b64_outside_the_protected_header() {
        for (unprotected, name) in [
            (json!({"crit": ["x"]}), "crit"),
            (json!({"crit": ["b64"], "x": 1}), "crit"),
            (json!({"b64": false}), "b64"),
            (json!({"b64": true}), "b64"),
        ] {
            let Err(Error::Malformed(Malformed::Member { name: found, .. })) =
                parse(json!({"alg": "ES256"}), unprotected)
            else {
                panic!("{name}");
            };
            assert_eq!(found, name);
        }
    }

    #[test]
    fn rejects_crit_that_names_what_only_the_unprotected_header_holds() {
        let protected = json!({"alg": "ES256", "crit": ["x"]});
        assert_eq!(
            parse(protected, json!({"x": 1})).err(),
            Some(Error::Critical(Critical::Absent))
        );
    }

    #[test]
    fn rejects_headers_without_members_without_alg_or_with_members_of_the_wrong_type() {
        let code = |protected, unprotected| parse(protected, unprotected).unwrap_err().code();
        assert_eq!(
            code(json!({}), json!({"alg": "ES256"})),
            "malformed_jws_member"
        );
        assert_eq!(
            code(json!({"alg": "ES256"}), json!({})),
            "malformed_jws_member"
        );
        for (protected, unprotected) in [
            (Value::Null, Value::Null),
            (json!({"kid": "7"}), Value::Null),
            (json!({"alg": "ES256"}), json!({"kid": 7})),
            (json!({"alg": "ES256"}), json!({"jwk": "x"})),
            (Value::Null, json!({"alg": 7})),
        ] {
            assert_eq!(code(protected, unprotected), "malformed_header_member");
        }
    }

    #[test]
    fn accepts_b64_false_with_crit_and_rejects_it_without() {
        let with = json!({"alg": "HS256", "b64": false, "crit": ["b64"]});
        assert!(parse(with, Value::Null).unwrap().joint().is_unencoded());
        assert_eq!(
            parse(json!({"alg": "HS256", "b64": false}), Value::Null).err(),
            Some(Error::Critical(Critical::Missing))
        );
    }

    #[test]
    fn rejects_an_unprotected_header_larger_than_the_limit() {
        let sized = |bytes| json!({"x": "x".repeat(bytes)});
        let protected = json!({"alg": "ES256"});
        assert!(parse(protected.clone(), sized(MAX_HEADER_BYTES - 8)).is_ok());
        let error = parse(protected, sized(MAX_HEADER_BYTES - 7)).unwrap_err();
        assert_eq!(error.code(), "malformed_too_large");
    }
}
