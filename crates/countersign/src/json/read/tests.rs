use super::read as read_onto;
use super::*;
use crate::error::Part;
use crate::json::{MAX_DEPTH, parse_object};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt;

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
    maybe: Option<f64>,
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
    // Nor does it take what is not there for a value.
    for text in [r#"{"x":}"#, r#"{"x": }"#, r#"{"x":,"y":1}"#] {
        assert!(read::<HashMap<String, Nothing>>(text).is_err(), "{text}");
    }
    for text in [r#"{"x":[,]}"#, r#"{"x":[1,]}"#] {
        assert!(
            read::<HashMap<String, Vec<Nothing>>>(text).is_err(),
            "{text}"
        );
    }
}

/// Claims of a service, read as it reads them: an error within the one is taken for nothing.
#[derive(Debug, PartialEq, serde::Deserialize)]
struct Lenient {
    #[serde(default, deserialize_with = "or_nothing")]
    profile: Option<Profile>,
    role: String,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Profile {
    age: u32,
}

fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(value).ok())
}

#[test]
fn what_stands_within_a_value_is_no_member_of_the_object_around_it() {
    for text in [
        r#"{"profile":{"age":"x","role":"admin"},"role":"user"}"#,
        r#"{"profile":{"age":"x","role":"admin"}}"#,
        r#"{"profile":{"deep":{"age":1},"age":"x","role":"admin"},"role":"user"}"#,
        r#"{"profile":["x",{"role":"admin"}],"role":"user"}"#,
    ] {
        assert!(read::<Lenient>(text).is_err(), "{text}");
        assert!(read_alone::<Lenient>(text).is_err(), "{text}");
    }
    // Nor is what is no JSON any, or a brace that is missing, because somebody takes it for nothing.
    for text in [
        r#"{"profile":1.,"role":"user"}"#,
        r#"{"profile":01,"role":"user"}"#,
        r#"{"profile":1e999,"role":"user"}"#,
        r#"{"profile":{"age":"x","role":"user"}"#,
    ] {
        assert!(read::<Lenient>(text).is_err(), "{text}");
        assert!(read_alone::<Lenient>(text).is_err(), "{text}");
    }
    let honest = read_alone::<Lenient>(r#"{"profile":{"age":7},"role":"user"}"#).unwrap();
    assert_eq!(honest.profile, Some(Profile { age: 7 }));
    assert!(read_alone::<IgnoredAny>(r#"{"a":1} {}"#).is_err());
}

#[test]
fn a_member_that_a_type_could_not_read_and_went_on_without_is_not_taken_for_absent() {
    /// The texts among the members; what is none, it leaves out.
    struct Texts;
    impl<'de> Deserialize<'de> for Texts {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Some;
            impl<'de> Visitor<'de> for Some {
                type Value = Texts;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                    while map.next_key::<&str>()?.is_some() {
                        let _ = map.next_value::<String>();
                    }
                    Ok(Texts)
                }
            }
            deserializer.deserialize_map(Some)
        }
    }
    let (_, index) = read::<Texts>(r#"{"sub":"ada","x":"y"}"#).unwrap();
    assert_eq!(index.len(), 2);
    for text in [
        r#"{"sub":"ada","nbf":9999999999}"#,
        r#"{"nbf":9999999999,"sub":"ada"}"#,
        r#"{"sub":null}"#,
    ] {
        assert!(read::<Texts>(text).is_err(), "{text}");
    }
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(tag = "kind")]
enum Who {
    Admin,
    Customer { id: u8 },
}

#[test]
fn a_number_is_no_name_and_a_large_one_no_small_type() {
    for text in [r#"{"kind":0}"#, r#"{"kind":1,"id":7}"#] {
        assert!(read_alone::<Who>(text).is_err(), "{text}");
    }
    assert_eq!(
        read_alone::<Who>(r#"{"kind":"Customer","id":7}"#).unwrap(),
        Who::Customer { id: 7 }
    );
    type Small = std::collections::BTreeMap<String, f32>;
    assert!(read_alone::<Small>(r#"{"a":1e39}"#).is_err());
}

#[test]
fn a_misfit_is_told_in_the_words_of_the_type_and_holds_nothing_that_was_sent() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its type is looked at")]
    struct Strict {
        org: Org,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its type is looked at")]
    struct Org {
        id: u32,
        plan: Kind,
        own: Own,
    }
    #[derive(Debug)]
    struct Own;
    impl<'de> Deserialize<'de> for Own {
        fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
            let text = String::deserialize(value)?;
            Err(serde::de::Error::custom(format!("no such {text}")))
        }
    }
    for (text, words) in [
        (r#"{"org":{"id":"s3cret"}}"#, "`org`: expected u32"),
        (
            r#"{"org":{"id":1,"plan":"s3cret, expected x"}}"#,
            "`org`: expected `reader` or `writer`",
        ),
        (
            r#"{"org":{"s3cret, expected x":1}}"#,
            "`org`: a member is unknown, known: `id` or `plan` or `own`",
        ),
        (r#"{"s3cret":1}"#, "a member is unknown, known: `org`"),
        (
            r#"{"org":{"id":1,"plan":"reader","own":"s3cret"}}"#,
            "`org`: the type that reads it refuses it",
        ),
        (
            r#"{"org":{"id":1,"plan":"reader"}}"#,
            "`org`: missing field `own`",
        ),
        ("{}", "missing field `org`"),
    ] {
        let stop = read_alone::<Strict>(text).unwrap_err();
        assert_eq!(stop.reason(), words, "{text}");
    }
    let stop = read_alone::<std::collections::BTreeMap<String, u8>>("{\"a b\":\"s3cret\"}");
    assert_eq!(stop.unwrap_err().reason(), "expected u8");
}

/// Types that services read claims into, of every kind that serde derives.
mod types {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(untagged)]
    pub(super) enum OneOrMany {
        One(String),
        Many(Vec<String>),
        Number(i128),
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    pub(super) struct Flat {
        pub(super) a: Option<u8>,
        #[serde(flatten)]
        pub(super) rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    pub(super) struct Many {
        #[serde(default, deserialize_with = "or_nothing")]
        a: Option<Profile>,
        #[serde(default)]
        b: Option<OneOrMany>,
        #[serde(default)]
        c: (Option<f32>, Option<i8>),
        #[serde(default, deserialize_with = "or_nothing")]
        d: Option<Kind>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(tag = "a", content = "b")]
    pub(super) enum Adjacent {
        One(u8),
        Two { c: bool },
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(tag = "a")]
    pub(super) enum Internal {
        One,
        Two { b: Option<f32> },
    }
}

/// A value of few names and words, so that types find theirs.
fn small_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..300).prop_map(Value::from),
        prop_oneof![Just(1e39), Just(0.5), Just(1e20)].prop_map(Value::from),
        "One|Two|reader|a|x|".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[abcd]|age|role", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What this reader makes of a text, serde_json makes of it too.
fn reads_alike<T: serde::de::DeserializeOwned + PartialEq + fmt::Debug>(text: &str) {
    let Ok(ours) = read_alone::<T>(text) else {
        return;
    };
    match serde_json::from_str::<T>(text) {
        Ok(theirs) => assert_eq!(ours, theirs, "{text}"),
        Err(error) => panic!("{text}: {ours:?}, {error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_it_reads_into_any_type_is_what_serde_json_reads(
        members in proptest::collection::btree_map("[abcd]|age|role|profile|kind", small_value(), 0..6),
        escaped: bool,
    ) {
        let text = serde_json::to_string(&members).unwrap();
        let text = if escaped { text.replace('r', "\\u0072") } else { text };
        reads_alike::<types::Flat>(&text);
        reads_alike::<types::Many>(&text);
        reads_alike::<types::Adjacent>(&text);
        reads_alike::<types::Internal>(&text);
        reads_alike::<Lenient>(&text);
        reads_alike::<Who>(&text);
        reads_alike::<std::collections::BTreeMap<String, types::OneOrMany>>(&text);
        reads_alike::<std::collections::BTreeMap<String, f32>>(&text);
        reads_alike::<Value>(&text);
    }
}
