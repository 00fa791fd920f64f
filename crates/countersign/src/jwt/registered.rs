//! The registered claims of a token, as they are read (RFC 7519 §4.1).

use std::fmt;
use std::ops::Range;

use serde_json::Value;

use super::members::Members;
use super::numeric_date;
use crate::error::Error;
use crate::json::{Common, Scanner};
use crate::time::Timestamp;

/// The registered claims of a token (RFC 7519 §4.1), of the right JSON types; borrowed from where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisteredClaims<'p> {
    pub(super) iss: Option<&'p str>,
    pub(super) sub: Option<&'p str>,
    pub(super) aud: Audience<'p>,
    pub(super) exp: Option<Timestamp>,
    pub(super) nbf: Option<Timestamp>,
    pub(super) iat: Option<Timestamp>,
    pub(super) jti: Option<&'p str>,
}

impl<'p> RegisteredClaims<'p> {
    /// Reads them; a claim of the wrong JSON type is refused also where nobody asks for it.
    pub(crate) fn read(members: &Members<'p>) -> Result<Self, Error> {
        Ok(Self {
            iss: text(members, Common::Iss)?,
            sub: text(members, Common::Sub)?,
            aud: Audience::read(members)?,
            exp: time(members, Common::Exp)?,
            nbf: time(members, Common::Nbf)?,
            iat: time(members, Common::Iat)?,
            jti: text(members, Common::Jti)?,
        })
    }

    /// Who issued the token.
    #[must_use]
    pub const fn iss(&self) -> Option<&'p str> {
        self.iss
    }

    /// Whom it is about.
    #[must_use]
    pub const fn sub(&self) -> Option<&'p str> {
        self.sub
    }

    /// For whom it is.
    #[must_use]
    pub const fn aud(&self) -> Audience<'p> {
        self.aud
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
    pub const fn jti(&self) -> Option<&'p str> {
        self.jti
    }
}

/// A claim that is a string; `None` where it is absent.
#[inline]
pub(crate) fn text<'p>(members: &Members<'p>, claim: Common) -> Result<Option<&'p str>, Error> {
    match members.common(claim) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(Error::ClaimType {
            claim: claim.name(),
            expected: "a string",
        }),
    }
}

#[inline]
fn time(members: &Members<'_>, claim: Common) -> Result<Option<Timestamp>, Error> {
    numeric_date::read(members.common(claim), claim.name())
}

/// `aud`: for whom a token is (RFC 7519 §4.1.3). A single string counts as a list of one; an absent claim has no names.
#[derive(Clone, Copy, Default)]
pub struct Audience<'p>(pub(super) Names<'p>);

/// Where the names stand.
#[derive(Clone, Copy, Default)]
pub(super) enum Names<'p> {
    #[default]
    Absent,
    One(&'p str),
    /// In the JSON text of an array of strings without escapes.
    List(&'p str),
    /// In a tree.
    Values(&'p [Value]),
    /// Here and there in a text.
    Places(&'p str, &'p [Range<usize>]),
}

impl<'p> Audience<'p> {
    fn read(members: &Members<'p>) -> Result<Self, Error> {
        let Some(claim) = members.common(Common::Aud) else {
            return Ok(Self(Names::Absent));
        };
        if let Some(one) = claim.as_str() {
            return Ok(Self(Names::One(one)));
        }
        claim.as_strings().map(Self).ok_or(Error::ClaimType {
            claim: "aud",
            expected: "a string or an array of at least one string",
        })
    }

    /// The names, in the order of the token.
    pub fn iter(&self) -> impl Iterator<Item = &'p str> + use<'p> {
        let (one, list, values, text, places) = match self.0 {
            Names::Absent => (None, "", &[][..], "", &[][..]),
            Names::One(one) => (Some(one), "", &[][..], "", &[][..]),
            Names::List(list) => (None, list, &[][..], "", &[][..]),
            Names::Values(values) => (None, "", values, "", &[][..]),
            Names::Places(text, places) => (None, "", &[][..], text, places),
        };
        let values = values.iter().filter_map(Value::as_str);
        let places = places.iter().filter_map(|place| text.get(place.clone()));
        one.into_iter()
            .chain(Strings::of(list))
            .chain(values)
            .chain(places)
    }

    /// Whether one of them is exactly `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        match self.0 {
            Names::Absent => false,
            Names::One(one) => one == name,
            _ => self.iter().any(|one| one == name),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether the claim is absent: one that is there has a name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self.0, Names::Absent)
    }
}

impl PartialEq for Audience<'_> {
    /// The same names in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Audience<'_> {}

impl fmt::Debug for Audience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Whether an array's text has one item and more, and every item is a string without an escape.
pub(super) fn holds_strings(array: &str) -> bool {
    let mut strings = Strings::of(array);
    let count = strings.by_ref().count();
    count > 0 && strings.ended
}

/// The items of an array's text, up to the first that is no string.
#[derive(Clone)]
struct Strings<'p> {
    scanner: Scanner<'p>,
    ended: bool,
}

impl<'p> Strings<'p> {
    fn of(array: &'p str) -> Self {
        Self {
            scanner: Scanner::new(array),
            ended: false,
        }
    }
}

impl<'p> Iterator for Strings<'p> {
    type Item = &'p str;

    fn next(&mut self) -> Option<&'p str> {
        match self.scanner.peek() {
            Some(b'[' | b',') => self.scanner.skip_byte(),
            Some(b']') => {}
            _ => return None,
        }
        match self.scanner.peek() {
            Some(b'"') => self.scanner.plain_string(),
            Some(b']') => {
                self.ended = true;
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is read, which is the same in a text as in a tree.
    fn read(claims: Value) -> Result<RegisteredClaims<'static>, Error> {
        let (text, tree): (&str, &Value) = (claims.to_string().leak(), Box::leak(claims.into()));
        let in_tree = RegisteredClaims::read(&Members::Tree(tree.as_object().unwrap()));
        let (_, index) = crate::json::read::<serde::de::IgnoredAny>(
            text,
            Box::leak(Box::new(crate::json::Stack::new())),
        )
        .unwrap();
        match Members::in_text(index) {
            Some(members) => assert_eq!(RegisteredClaims::read(&members), in_tree),
            None => assert!(text.contains('\\'), "{text}"),
        }
        in_tree
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
        assert!(read(json!({"aud": "a"})).unwrap().aud().iter().eq(["a"]));
        let two = read(json!({"aud": ["a", "b\n"]})).unwrap();
        assert!(two.aud().iter().eq(["a", "b\n"]));
        assert!(two.aud().contains("b\n") && !two.aud().contains("b") && two.aud().len() == 2);
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
        assert!(claims.aud().iter().eq(["a", "b"]));
        let at = |secs| Some(Timestamp::from_unix_secs(secs));
        assert_eq!(
            (claims.exp(), claims.nbf(), claims.iat()),
            (at(30), at(10), at(20))
        );
        assert_eq!(read(json!({})).unwrap(), RegisteredClaims::default());
    }
}
