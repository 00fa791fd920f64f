//! One pass over a JSON object: strict, without a copy, into the caller's type, and with an index of its members.
//!
//! The rules are those of the parser of the module above: no member twice at any depth, the same depth, the same number of
//! values, the same grammar. What this reader declines, that parser reads again and decides.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::names::{Common, CommonValues, Fingerprints, Object, Stack};
use super::scan::{Allowance, Declined, Number, Scanner, Span};

/// Reads an object into `C`, and says where its members stand; it puts them on `stack`, in the place of what was there.
///
/// # Errors
/// [`Stop`] where the text is not strict JSON, is no object, or does not fit `C` in the way in which this reader offers it.
pub(crate) fn read<'de, C: Deserialize<'de>>(
    text: &'de str,
    stack: &'de mut Stack,
) -> Result<(C, Index<'de>), Stop> {
    if super::names_numbers(text) {
        return Err(Stop::Declined);
    }
    stack.clear();
    let mut reader = Reader {
        scanner: Scanner::new(text),
        stack,
        common: CommonValues::new(),
        allowance: Allowance::of(text.len()),
        seen: None,
    };
    if reader.scanner.peek() != Some(b'{') {
        return Err(Stop::Declined);
    }
    let value = C::deserialize(&mut reader)?;
    reader.scanner.end()?;
    // A type that looked at nothing left the text where it was, and ended above.
    let seen = reader.seen.ok_or(Stop::Declined)?;
    let index = Index {
        text,
        plain: reader.scanner.is_plain(),
        members: reader.stack,
        common: reader.common,
        seen,
    };
    Ok((value, index))
}

/// Reads an object into `C` alone.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_alone<'de, C: Deserialize<'de>>(text: &'de str) -> Result<C, Stop> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        stack: &mut Stack::new(),
        common: CommonValues::new(),
        allowance: Allowance::of(text.len()),
        seen: None,
    };
    C::deserialize(&mut reader)
}

/// Why the reader did not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text is not strict JSON, or asks for more than this reader does.
    Declined,
    /// A value does not fit the type that it is read into.
    Shape,
}

impl From<Declined> for Stop {
    fn from(_: Declined) -> Self {
        Self::Declined
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declined => "not of the plain kind",
            Self::Shape => "of another shape",
        })
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Shape
    }
}

/// The members of an object that was read, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index<'de> {
    text: &'de str,
    plain: bool,
    members: &'de Stack,
    common: CommonValues,
    seen: Fingerprints,
}

impl<'de> Index<'de> {
    /// The text of a member's value.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<&'de str> {
        let member = self.seen.find(self.members, self.text, name)?;
        Some(member.value().of(self.text))
    }

    /// The same, for a name that every verification asks for.
    #[inline]
    pub(crate) fn common(&self, common: Common) -> Option<&'de str> {
        self.common.get(common).map(|value| value.of(self.text))
    }

    pub(crate) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether what stands in the text is what it says: it has no escape.
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }
}

struct Reader<'de, 'r> {
    scanner: Scanner<'de>,
    stack: &'r mut Stack,
    /// Of the outermost object.
    common: CommonValues,
    allowance: Allowance,
    /// The outermost object's names, once it has been read.
    seen: Option<Fingerprints>,
}

impl<'de> Reader<'de, '_> {
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        let mut members = Members::open(self)?;
        let value = visitor.visit_map(&mut members)?;
        // What a visitor leaves unread, nobody has looked at.
        if !members.ended && members.advance()?.is_some() {
            return Err(Stop::Declined);
        }
        members.close();
        Ok(value)
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        self.scanner.take(b'[')?;
        self.allowance.enter()?;
        let mut items = Items {
            reader: self,
            first: true,
            ended: false,
        };
        let value = visitor.visit_seq(&mut items)?;
        let Items {
            mut first, ended, ..
        } = items;
        if !ended && self.next_item(&mut first)? {
            return Err(Stop::Declined);
        }
        self.allowance.leave();
        Ok(value)
    }

    /// Goes over a value that nobody reads, as strictly as over one that is read.
    fn skip(&mut self) -> Result<(), Stop> {
        self.allowance.value()?;
        match self.scanner.peek() {
            Some(b'{') => {
                let mut members = Members::open(self)?;
                while members.advance()?.is_some() {
                    members.skip_value()?;
                }
                members.close();
            }
            Some(b'[') => {
                self.scanner.take(b'[')?;
                self.allowance.enter()?;
                let mut first = true;
                while self.next_item(&mut first)? {
                    self.skip()?;
                }
                self.allowance.leave();
            }
            Some(b'"') => self.scanner.skip_string()?,
            Some(b't') => self.scanner.literal("true")?,
            Some(b'f') => self.scanner.literal("false")?,
            Some(b'n') => self.scanner.literal("null")?,
            _ => {
                self.scanner.number()?;
            }
        }
        Ok(())
    }

    /// Whether an item follows; takes the comma before it, or the bracket after the last.
    fn next_item(&mut self, first: &mut bool) -> Result<bool, Stop> {
        if self.scanner.peek() == Some(b']') {
            self.scanner.take(b']')?;
            return Ok(false);
        }
        if std::mem::take(first) {
            self.allowance.first_item()?;
        } else {
            self.scanner.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.allowance.value()?;
        match self.scanner.peek() {
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b'"') => {
                let text = self.scanner.string()?;
                if text.escaped {
                    visitor.visit_string(text.decode()?.into_owned())
                } else {
                    visitor.visit_borrowed_str(text.raw)
                }
            }
            Some(b't') => {
                self.scanner.literal("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.scanner.literal("false")?;
                visitor.visit_bool(false)
            }
            Some(b'n') => {
                self.scanner.literal("null")?;
                visitor.visit_unit()
            }
            _ => match self.scanner.number()? {
                Number::Positive(value) => visitor.visit_u64(value),
                Number::Negative(value) => visitor.visit_i64(value),
                Number::Float(value) => visitor.visit_f64(value),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.scanner.peek() == Some(b'n') {
            self.allowance.value()?;
            self.scanner.literal("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    /// A variant that is a string; one with content is left to serde_json.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.allowance.value()?;
        if self.scanner.peek() != Some(b'"') {
            return Err(Stop::Declined);
        }
        let text = self.scanner.string()?;
        if text.escaped {
            return Err(Stop::Declined);
        }
        BorrowedStrDeserializer::new(text.raw).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The members of one object, as they come.
struct Members<'de, 'm, 'r> {
    reader: &'m mut Reader<'de, 'r>,
    object: Object<'de>,
    first: bool,
    ended: bool,
    /// The member whose name was read and whose value was not.
    pending: Option<(usize, &'de str)>,
}

impl<'de, 'm, 'r> Members<'de, 'm, 'r> {
    fn open(reader: &'m mut Reader<'de, 'r>) -> Result<Self, Stop> {
        reader.scanner.take(b'{')?;
        reader.allowance.enter()?;
        Ok(Self {
            object: Object::open(reader.stack),
            reader,
            first: true,
            ended: false,
            pending: None,
        })
    }

    /// Takes the next name and the colon after it; `None` after the last.
    #[inline]
    fn advance(&mut self) -> Result<Option<&'de str>, Stop> {
        if self.ended || self.pending.is_some() {
            return Err(Stop::Declined);
        }
        let Reader {
            scanner,
            stack,
            allowance,
            ..
        } = &mut *self.reader;
        if scanner.peek() == Some(b'}') {
            scanner.take(b'}')?;
            self.ended = true;
            return Ok(None);
        }
        if std::mem::take(&mut self.first) {
            allowance.first_member()?;
        } else {
            scanner.take(b',')?;
        }
        let name = scanner.string()?;
        if name.escaped {
            return Err(Stop::Declined);
        }
        let end = scanner.at().saturating_sub(1);
        let at = end.saturating_sub(name.raw.len());
        let place = self.object.admit(stack, scanner.text(), at, name.raw)?;
        self.pending = Some((place, name.raw));
        scanner.take(b':')?;
        Ok(Some(name.raw))
    }

    #[inline]
    fn value<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'de, 'r>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let (place, name) = self.pending.take().ok_or(Stop::Declined)?;
        self.reader.scanner.peek();
        let start = self.reader.scanner.at();
        let value = read(self.reader)?;
        let span = Span::new(start, self.reader.scanner.at())?;
        if self.object.is_outermost() {
            self.reader.stack.set_value(place, span);
            self.reader.common.note(name, span);
        }
        Ok(value)
    }

    fn skip_value(&mut self) -> Result<(), Stop> {
        self.value(Reader::skip)
    }

    /// The members of the outermost object stay on the stack, to be found there.
    fn close(self) {
        self.reader.allowance.leave();
        if self.object.is_outermost() {
            self.reader.seen = Some(self.object.keep());
        } else {
            self.object.close(self.reader.stack);
        }
    }
}

impl<'de> MapAccess<'de> for &mut Members<'de, '_, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        match self.advance()? {
            Some(name) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        self.value(|reader| seed.deserialize(reader))
    }
}

/// The items of one array, as they come.
struct Items<'de, 'm, 'r> {
    reader: &'m mut Reader<'de, 'r>,
    first: bool,
    ended: bool,
}

impl<'de> SeqAccess<'de> for &mut Items<'de, '_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.ended {
            return Ok(None);
        }
        if !self.reader.next_item(&mut self.first)? {
            self.ended = true;
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::read as read_onto;
    use super::*;
    use crate::error::Part;
    use crate::json::{MAX_DEPTH, parse_object};
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::{Map, Value, json};

    /// The pieces of JSON, well and badly formed.
    const PIECES: [&str; 44] = [
        "{",
        "}",
        "{",
        "}",
        "[",
        "]",
        ":",
        ":",
        ",",
        ",",
        "\"a\"",
        "\"a\"",
        "\"b\"",
        "\"ab\"",
        "\"\"",
        "\"\\u0061\"",
        "\"\\ud834\"",
        "\"\\ud83d\\ude00\"",
        "\"é\"",
        "\"\\n\"",
        "\"\\x\"",
        "0",
        "-0",
        "1",
        "-17",
        "1.5",
        "1e5",
        "1e999",
        "01",
        "18446744073709551616",
        "-9223372036854775809",
        "1.",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\t",
        "\u{b}",
        "{\"a\":1}",
        "[1,2]",
        "\"",
        "{}",
    ];

    fn read<'de, C: Deserialize<'de>>(text: &'de str) -> Result<(C, Index<'de>), Stop> {
        read_onto(text, Box::leak(Box::new(Stack::new())))
    }

    /// What the plain parser takes, this reader takes and reads alike, but for names with an escape; and nothing else.
    fn agree(text: &str) {
        let tree = parse_object(text.as_bytes(), Part::Payload);
        let skipped = read::<IgnoredAny>(text);
        match (&tree, &skipped) {
            (Ok(tree), Ok((_, index))) => {
                assert_eq!(index.len(), tree.len(), "{text}");
                for (name, value) in tree {
                    let member = index
                        .get(name)
                        .unwrap_or_else(|| panic!("{name} of {text}"));
                    assert_eq!(
                        &serde_json::from_str::<Value>(member).unwrap(),
                        value,
                        "{text}"
                    );
                }
                assert_eq!(index.get("nowhere"), None);
                let (read, _) = read::<Map<String, Value>>(text).unwrap();
                assert_eq!(&read, tree, "{text}");
            }
            (Ok(_), Err(_)) => assert!(text.contains('\\'), "declines {text}"),
            (Err(error), Ok(_)) => panic!("takes {text}: {error}"),
            (Err(_), Err(_)) => assert!(read::<Value>(text).is_err(), "{text}"),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{0,3}|.{0,4}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_takes_what_the_plain_parser_takes(value in any_value(), pretty: bool) {
            let object = json!({"a": value, "b": [value]});
            agree(&if pretty { format!("{object:#}") } else { object.to_string() });
        }

        #[test]
        fn it_refuses_what_the_plain_parser_refuses(pieces in proptest::collection::vec(0..PIECES.len(), 0..14)) {
            let inner: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
            agree(&inner);
            agree(&format!("{{\"c\":{inner}}}"));
            agree(&format!("{{\"c\":[{inner}],\"d\":0}}"));
        }

        #[test]
        fn a_changed_byte_changes_both_verdicts_alike(value in any_value(), at: prop::sample::Index, byte in 0x20u8..0x7f) {
            let mut text = json!({"a": value, "exp": 7}).to_string().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(text) = std::str::from_utf8(&text) {
                agree(text);
            }
        }
    }

    #[test]
    fn depth_and_values_end_where_they_end_for_the_plain_parser() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for levels in MAX_DEPTH - 2..=MAX_DEPTH + 1 {
                agree(&format!(
                    "{{\"a\":{}1{}}}",
                    open.repeat(levels),
                    close.repeat(levels)
                ));
            }
        }
        for (item, most) in [
            ("0", 16_000),
            ("{\"a\":0}", 900),
            ("[0]", 3_000),
            ("[]", 16_000),
            ("{}", 16_000),
        ] {
            let of = |count: usize| format!("{{\"a\":[{}]}}", vec![item; count].join(","));
            let taken = |count: usize| read::<IgnoredAny>(&of(count)).is_ok();
            let edge = (1..=most)
                .collect::<Vec<_>>()
                .partition_point(|count| taken(*count));
            assert!((100..most).contains(&edge), "{item} {edge}");
            for count in edge - 1..=edge + 1 {
                agree(&of(count));
            }
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_found_among_few_and_many_and_at_any_depth() {
        for count in [1, 2, 10, 23, 24, 25, 26, 31, 32, 33, 34, 60, 500] {
            for depth in [0, 1, 2] {
                let object = |twice: Option<usize>| {
                    let members = (0..count)
                        .chain(twice)
                        .map(|name| format!("\"n{name}\":{{}}"));
                    let object = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
                    (0..depth).fold(object, |object, _| format!("{{\"o\":[{object}],\"p\":2}}"))
                };
                agree(&object(None));
                assert!(read::<IgnoredAny>(&object(None)).is_ok(), "{count} {depth}");
                for twice in [0, count / 2, count - 1] {
                    agree(&object(Some(twice)));
                    assert!(
                        read::<IgnoredAny>(&object(Some(twice))).is_err(),
                        "{count} {twice} {depth}"
                    );
                }
            }
        }
    }

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        for text in [
            r#"{"auth_time":1,"auth_timx":2,"auth_tim":3,"auth_times":4}"#,
            r#"{"auth_timx":2}"#,
            r#"{"abcdefgh":1,"abcdefg":2,"abcdefghi":3,"abcdefghj":4}"#,
        ] {
            agree(text);
            assert!(read::<IgnoredAny>(text).is_ok(), "{text}");
        }
        let (_, index) = read::<IgnoredAny>(r#"{"auth_timx":2,"subs":3}"#).unwrap();
        assert_eq!((index.get("auth_time"), index.get("sub")), (None, None));
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Typed<'s> {
        text: &'s str,
        list: Vec<&'s str>,
        pair: (u8, i16),
        maybe: Option<f32>,
        kind: Kind,
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Reader,
        Writer,
    }

    #[test]
    fn every_kind_of_field_is_read_as_serde_json_reads_it() {
        let text = r#"{"text":"t","list":["a","b"],"pair":[1,-2],"maybe":1.5,"kind":"writer","more":{"deep":[1]},"n":null}"#;
        assert_eq!(
            read::<Typed<'_>>(text).unwrap().0,
            serde_json::from_str(text).unwrap()
        );
        for (from, to) in [
            ("[1,-2]", "[1]"),
            ("[1,-2]", "[1,2,3]"),
            ("[1,-2]", "[256,1]"),
            ("\"writer\"", "\"other\""),
            ("\"t\"", "7"),
            ("\"t\"", "\"\\u0074\""),
            ("1.5", "\"x\""),
            ("\"writer\"", "{\"writer\":null}"),
        ] {
            let text = text.replace(from, to);
            match (
                read::<Typed<'_>>(&text),
                serde_json::from_str::<Typed<'_>>(&text),
            ) {
                (Ok((ours, _)), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
                // What this reader does not take, serde_json is asked for.
                (Err(_), _) => {}
                (Ok(ours), Err(error)) => panic!("{text}: {ours:?} {error}"),
            }
        }
    }

    #[test]
    fn a_type_that_does_not_look_at_every_member_hides_none() {
        struct First;
        impl<'de> Deserialize<'de> for First {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Stops;
                impl<'de> Visitor<'de> for Stops {
                    type Value = First;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<First, A::Error> {
                        map.next_entry::<&str, IgnoredAny>()?;
                        Ok(First)
                    }
                }
                deserializer.deserialize_map(Stops)
            }
        }
        struct Nothing;
        impl<'de> Deserialize<'de> for Nothing {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Ok(Self)
            }
        }
        assert!(read::<First>(r#"{"a":1}"#).is_ok());
        assert!(read::<First>(r#"{"a":1,"exp":2}"#).is_err());
        assert!(read::<Nothing>(r#"{"exp":2}"#).is_err());
        assert!(read::<Nothing>("{}").is_err());
    }
}
