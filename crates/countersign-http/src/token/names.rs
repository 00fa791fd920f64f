//! The roles and scopes of a token, read once and kept small: a remembered token keeps them for as long as it is remembered.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What the claims `roles` (RFC 9068 §2.2.3.1, a list) and `scope` (RFC 8693 §4.2, a text) name. Where one of them is anything
/// else, it names nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Names {
    #[serde(default)]
    roles: List,
    #[serde(default)]
    scope: Text,
}

impl Names {
    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.roles.ends.iter().filter_map(move |end| {
            let name = self.roles.text.get(start..*end);
            start = *end;
            name
        })
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = self.scope.0.as_deref().unwrap_or_default().split(' ');
        scopes.filter(|scope| !scope.is_empty())
    }
}

/// The texts of a list, in one piece, and where each of them ends. What is no text is left out.
#[derive(Debug, Default)]
struct List {
    text: Box<str>,
    ends: Box<[usize]>,
}

/// A text, or nothing.
#[derive(Debug, Default)]
struct Text(Option<Box<str>>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(Self::default()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(Self::default()))
    }
}

/// Takes every value there is, and makes something of some.
struct Lenient<T>(T);

/// What follows from a value that is not left out.
trait Taken: Sized {
    fn text(self, _: &str) -> Self {
        self
    }

    fn list<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

impl Taken for Text {
    fn text(self, text: &str) -> Self {
        Self(Some(text.into()))
    }
}

impl Taken for List {
    fn list<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        let (mut text, mut ends) = (String::new(), Vec::new());
        while let Some(Text(item)) = items.next_element()? {
            if let Some(item) = item {
                text.push_str(&item);
                ends.push(text.len());
            }
        }
        Ok(Self {
            text: text.into(),
            ends: ends.into(),
        })
    }
}

impl<'de, T: Taken> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        self.0.list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_texts_of_a_list_and_the_words_of_a_text() {
        for (claims, roles, scopes) in [
            (r#"{"roles":["a","","bc"],"scope":"x  y "}"#, "a,,bc", "x,y"),
            (
                r#"{"roles":["a",1,-1,0.5,true,null,["b"],{"c":"d"},"e"],"scope":["x"]}"#,
                "a,e",
                "",
            ),
            (r#"{"roles":"a","scope":{"x":"y"}}"#, "", ""),
            (r#"{"roles":{"a":"b"},"scope":7}"#, "", ""),
            (r#"{"roles":["\u0061\u00e4"],"scope":"\u0061"}"#, "aä", "a"),
            (r#"{"sub":"a"}"#, "", ""),
        ] {
            let names: Names = countersign::parse_strict(claims.as_bytes()).unwrap();
            assert_eq!(names.roles().collect::<Vec<_>>().join(","), roles);
            assert_eq!(names.scopes().collect::<Vec<_>>().join(","), scopes);
        }
    }
}
