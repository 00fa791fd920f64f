//! The strict JSON parser: no member twice at any depth, bounded nesting, nothing after the value (RFC 8259, RFC 7515 §4).
//!
//! The grammar is serde_json's; this file adds what it lets pass. Two parsers that disagree about which of two `exp`
//! members counts are a hole, so here neither does.
//!
//! [`read`] goes over the claims of a token in one pass, without a tree and without memory of its own. It takes what this
//! parser takes, and leaves the rest to it; a property test holds the two together.

mod misfit;
mod names;
mod read;
mod scan;
mod words;

use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess,
    Visitor,
};
use serde_json::{Map, Value};

pub(crate) use misfit::Stop;
pub(crate) use names::{Common, Noted, Stack};
use read::read_alone;
pub(crate) use read::{Index, read};
pub(crate) use scan::{Number, Scanner};

use crate::error::{Error, Malformed, Part};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 32;

/// How many values a document may hold whatever its size, and how many bytes each further one has to bring. A value takes
/// some thirty bytes of memory, as many again while its array grows; an object with members takes as much as twenty.
/// The aim is memory of at most eight times the text beyond a megabyte; it is tested up to the size of a token.
const FREE_VALUES: usize = 12_288;
const BYTES_PER_VALUE: usize = 16;
const VALUES_PER_OBJECT: usize = 20;
const VALUES_PER_ARRAY: usize = 4;

/// How many values a document of so many bytes may hold.
const fn allowed_values(bytes: usize) -> usize {
    FREE_VALUES.saturating_add(bytes.div_euclid(BYTES_PER_VALUE))
}

/// Parses one JSON value into `T`, refusing members that stand twice and nesting deeper than [`MAX_DEPTH`].
///
/// For the bodies and documents around tokens: a reader that is as strict as the tokens' own.
///
/// # Errors
/// [`Error::Malformed`] for text that is no strict JSON, [`Error::ClaimsShape`] where it does not fit `T`.
pub fn parse_strict<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    let value = parse_value(json, Part::Document)?;
    T::deserialize(value).map_err(|_| {
        let text = std::str::from_utf8(json).unwrap_or_default();
        misshapen(&read_alone::<T>(text).err().unwrap_or(Stop::Declined))
    })
}

/// Parses one JSON value.
///
/// # Errors
/// [`Malformed::Utf8`], [`Malformed::Json`], [`Malformed::DuplicateMember`], [`Malformed::TooDeep`] and
/// [`Malformed::TooManyValues`].
pub(crate) fn parse_value(json: &[u8], part: Part) -> Result<Value, Error> {
    let text = std::str::from_utf8(json).map_err(|_| Malformed::Utf8 { part })?;
    let fault = Cell::new(Fault::Syntax);
    let limit = allowed_values(json.len());
    let budget = Cell::new(limit);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict {
        text,
        depth: 0,
        fault: &fault,
        budget: &budget,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value))
    .map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match fault.get() {
            Fault::Syntax => Malformed::Json { part, line, column },
            Fault::Values => Malformed::TooManyValues { part, limit },
            Fault::Duplicate => Malformed::DuplicateMember { part, line, column },
            Fault::Depth => Malformed::TooDeep {
                part,
                limit: MAX_DEPTH,
            },
        }
    })?;
    Ok(value)
}

/// Parses one JSON object.
///
/// # Errors
/// Those of [`parse_value`], and [`Malformed::NotObject`].
pub(crate) fn parse_object(json: &[u8], part: Part) -> Result<Map<String, Value>, Error> {
    match parse_value(json, part)? {
        Value::Object(members) => Ok(members),
        _ => Err(Malformed::NotObject { part }.into()),
    }
}

/// Reads `T` out of a text that one of the strict parsers has taken, and that [`read`] or [`read_alone`] has `stopped` at; the
/// error says what is misplaced and holds no value.
pub(crate) fn from_strict<'de, T: Deserialize<'de>>(
    json: &'de [u8],
    stopped: &Stop,
) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|_| misshapen(stopped))
}

/// Reads `T` out of a text that one of the strict parsers has taken, once more.
pub(crate) fn read_again<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(json).unwrap_or_default();
    read_alone(text).or_else(|stop| from_strict(json, &stop))
}

fn misshapen(stopped: &Stop) -> Error {
    Error::ClaimsShape {
        reason: stopped.reason(),
    }
}

/// What names start with by which serde_json tells itself what a map is: a number that is kept as its text, a piece of raw
/// JSON. Some of them mean something or nothing as other crates of the program have it; no honest document holds one.
const PRIVATE: &str = "$serde_json::private::";

/// Whether a name, its escapes resolved, is such a one: it is refused at any depth and in every build.
#[inline]
fn is_private(name: &str) -> bool {
    // The first byte tells almost all of them apart.
    name.as_bytes().first() == Some(&b'$') && name.starts_with(PRIVATE)
}

/// Whether some crate of the program turned on `serde_json/arbitrary_precision`: then a number that is no small integer
/// comes as a map of one member with this name, its text. What passes must not depend on it, so the text is read as it
/// would have been.
static NUMBERS_ARE_TEXTS: LazyLock<bool> = LazyLock::new(|| {
    struct Probe;
    impl Visitor<'_> for Probe {
        type Value = bool;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }
        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }
    }
    let read = serde_json::Deserializer::from_str("0.5").deserialize_any(Probe);
    read.unwrap_or(true)
});
const NUMBER: &str = "$serde_json::private::Number";

/// A member's name, and whether it stands in `text`: what does not, serde_json says of itself.
struct Named<'t> {
    text: &'t str,
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = (String, bool);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = (String, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok((name.to_owned(), true))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        let text = self.text.as_bytes().as_ptr_range();
        let own = text.contains(&name.as_ptr());
        Ok((name.to_owned(), own))
    }
}

#[derive(Clone, Copy)]
enum Fault {
    Values,
    Syntax,
    Duplicate,
    Depth,
}

#[derive(Clone, Copy)]
struct Strict<'f> {
    /// What is parsed.
    text: &'f str,
    depth: usize,
    fault: &'f Cell<Fault>,
    budget: &'f Cell<usize>,
}

impl<'f> Strict<'f> {
    fn charge<E: serde::de::Error>(self, values: usize) -> Result<(), E> {
        let Some(rest) = self.budget.get().checked_sub(values) else {
            self.fault.set(Fault::Values);
            return Err(E::custom("too many values"));
        };
        self.budget.set(rest);
        Ok(())
    }

    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            self.fault.set(Fault::Depth);
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.charge(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        // The smallest array with an item has room for four.
        let mut charge = VALUES_PER_ARRAY;
        while let Some(item) = items.next_element_seed(inside)? {
            self.charge(std::mem::take(&mut charge))?;
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let named = || Named { text: self.text };
        let mut next = members.next_key_seed(named())?;
        if *NUMBERS_ARE_TEXTS
            && next
                .as_ref()
                .is_some_and(|(name, own)| !own && name == NUMBER)
        {
            return number(&members.next_value::<String>()?);
        }
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some((name, _)) = next {
            if is_private(&name) {
                return Err(A::Error::custom("a private name"));
            }
            if object.is_empty() {
                self.charge(VALUES_PER_OBJECT)?;
            }
            if object.contains_key(&name) {
                self.fault.set(Fault::Duplicate);
                return Err(A::Error::custom("member twice"));
            }
            object.insert(name, members.next_value_seed(inside)?);
            next = members.next_key_seed(named())?;
        }
        Ok(Value::Object(object))
    }
}

/// A number out of its text: what serde_json makes of it where numbers are numbers.
fn number<E: serde::de::Error>(text: &str) -> Result<Value, E> {
    match Scanner::new(text).number() {
        Ok(Number::Positive(value)) => Ok(Value::from(value)),
        Ok(Number::Negative(value)) => Ok(Value::from(value)),
        Ok(Number::Float(value)) => Ok(Value::from(value)),
        Err(_) => Err(E::custom("out of range")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn code(json: &[u8]) -> &'static str {
        parse_value(json, Part::Payload).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn accepts_what_rfc_8259_allows() {
        for json in [
            "{}",
            " {\"a\" : [1, 2.5, -0, 1e10, true, null, \"\\u00e9\\ud83d\\ude00\"]}\r\n\t",
            "0",
            "\"\"",
        ] {
            assert_eq!(code(json.as_bytes()), "ok", "{json}");
        }
    }

    #[test]
    fn rejects_a_member_that_stands_twice_at_any_depth_and_in_any_spelling() {
        for json in [
            r#"{"exp":1,"exp":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"sub":1,"s\u0075b":2}"#,
            r#"{"":1,"":2}"#,
        ] {
            assert_eq!(
                code(json.as_bytes()),
                "malformed_duplicate_member",
                "{json}"
            );
        }
    }

    #[test]
    fn rejects_what_lax_parsers_forgive() {
        for json in [
            "",
            "{",
            "{}x",
            "{} {}",
            "{\"a\":1,}",
            "[1,]",
            "{a:1}",
            "{'a':1}",
            "// c\n{}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":1e999}",
            "\"\t\"",
            "\"\\x\"",
            "\"\\ud834\"",
            "{\"\\udd1e\":1}",
            "\u{feff}{}",
        ] {
            assert_eq!(code(json.as_bytes()), "malformed_json", "{json:?}");
        }
    }

    #[test]
    fn rejects_octets_that_are_not_utf_8() {
        for json in [
            &b"\"\xff\""[..],
            b"\xff\xfe{\0}\0",
            b"\"\xed\xa0\x80\"",
            b"\"\xc0\xaf\"",
        ] {
            assert_eq!(code(json), "malformed_utf8", "{json:?}");
        }
    }

    #[test]
    fn rejects_deep_nesting_without_using_the_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested =
                |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert_eq!(code(nested(MAX_DEPTH).as_bytes()), "ok");
            assert_eq!(code(nested(MAX_DEPTH + 1).as_bytes()), "malformed_too_deep");
            assert_eq!(code(nested(100_000).as_bytes()), "malformed_too_deep");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            small: i64, large: u64, real in -1e300..1e300, text: String, truth: bool, names: Vec<String>,
        ) {
            let list = json!([small, large, real, text, truth, null, [], {}, [[text]], {text.as_str(): names}]);
            let value = json!({"list": list, text.as_str(): small});
            prop_assert_eq!(parse_value(value.to_string().as_bytes(), Part::Payload), Ok(value));
        }
    }

    #[test]
    fn rejects_more_values_than_its_size_has_use_for() {
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert_eq!(code(zeros(10_000).as_bytes()), "ok");
        assert_eq!(code(zeros(30_000).as_bytes()), "malformed_too_many_values");
        let objects = |count: usize| format!("[{}0]", r#"{"a":0},"#.repeat(count));
        assert_eq!(code(objects(500).as_bytes()), "ok");
        assert_eq!(code(objects(1_000).as_bytes()), "malformed_too_many_values");
        let words = format!("[{}0]", "\"a few more words\",".repeat(100_000));
        assert_eq!(code(words.as_bytes()), "ok");
    }

    #[test]
    fn an_error_names_the_place_and_no_value() {
        let error = parse_value(b"{\"a\":1,\n \"a\":2}", Part::Payload);
        assert_eq!(
            error,
            Err(Malformed::DuplicateMember {
                part: Part::Payload,
                line: 2,
                column: 4
            }
            .into())
        );
        #[derive(Debug, serde::Deserialize)]
        struct Typed {
            #[expect(dead_code, reason = "only its type is looked at")]
            amount: u8,
        }
        let error = parse_strict::<Typed>(br#"{"amount":"s3cret"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the claims do not fit the expected type: `amount`: expected u8"
        );
        // What the value says of lines is no place.
        let error = parse_strict::<Typed>(br#"{"amount":"s3cret at line 7"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the claims do not fit the expected type: `amount`: expected u8"
        );
        let error = parse_strict::<Typed>(b"{}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the claims do not fit the expected type: missing field `amount`"
        );
    }

    #[test]
    fn rejects_the_private_names_of_the_parser_beneath_in_any_spelling_and_at_any_depth() {
        for name in ["Number", "RawValue", ""] {
            for spelled in [
                format!("{PRIVATE}{name}"),
                PRIVATE.replace('$', "\\u0024") + name,
            ] {
                for json in [
                    format!(r#"{{"{spelled}":"17"}}"#),
                    format!(r#"{{"a":1,"{spelled}":"{{}}"}}"#),
                    format!(r#"{{"a":[{{"{spelled}":"\"x\""}}]}}"#),
                ] {
                    assert_eq!(code(json.as_bytes()), "malformed_json", "{json}");
                    let mut stack = Stack::new();
                    let read = read::<serde::de::IgnoredAny>(&json, &mut stack);
                    assert!(read.is_err(), "{json}");
                    assert!(read_alone::<Value>(&json).is_err(), "{json}");
                }
            }
        }
        assert_eq!(
            code(br#"{"a":"$serde_json::private::Number","$serde_json":0.5}"#),
            "ok"
        );
    }
}
