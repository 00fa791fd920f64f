//! The claims of a payload as the check list looks at them: by name, whichever of the two parsers has read them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::registered::{Names, holds_strings};
use crate::error::Part;
use crate::json::{self, Common, Index, Noted, Number, Scanner};

/// A payload's members.
#[derive(Clone, Debug)]
pub(crate) enum Members<'p> {
    /// As the plain parser made them.
    Tree(&'p Map<String, Value>),
    /// As they stand in a text without escapes.
    Index(Index<'p>),
}

impl<'p> Members<'p> {
    /// Those of a plain text; where there are escapes, the tree has what they stand for.
    pub(crate) fn in_text(index: Index<'p>) -> Option<Self> {
        index.is_plain().then_some(Self::Index(index))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Claim<'p>> {
        match self {
            Self::Tree(members) => members.get(name).map(Claim::Value),
            Self::Index(members) => members.get(name).map(Claim::Text),
        }
    }

    /// The claim of a name that every verification asks for.
    #[inline]
    pub(crate) fn common(&self, common: Common) -> Option<Claim<'p>> {
        let members = match self {
            Self::Tree(_) => return self.get(common.name()),
            Self::Index(members) => members,
        };
        match members.common(common) {
            Noted::Absent => None,
            Noted::Whole(value) => Some(Claim::Whole(value)),
            Noted::At(place) => Some(Claim::Text(members.text_at(place))),
        }
    }

    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Tree(members) => members.len(),
            Self::Index(members) => members.len(),
        }
    }
}

/// One claim's value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim<'p> {
    Value(&'p Value),
    /// Its JSON text, which is known to be strict and to have no escape.
    Text(&'p str),
    /// A whole number that was read on the way.
    Whole(u64),
}

impl<'p> Claim<'p> {
    pub(crate) fn is_null(self) -> bool {
        match self {
            Self::Value(value) => value.is_null(),
            Self::Text(text) => text == "null",
            Self::Whole(_) => false,
        }
    }

    /// What it says, where it is a string.
    pub(crate) fn as_str(self) -> Option<&'p str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Text(text) => text.strip_prefix('"')?.strip_suffix('"'),
            Self::Whole(_) => None,
        }
    }

    /// What it says, where it is a number.
    pub(crate) fn as_number(self) -> Option<Number> {
        match self {
            Self::Value(Value::Number(number)) => Number::of(number),
            Self::Value(_) => None,
            // What starts as a number is one: the text is known to be JSON.
            Self::Text(text) => Scanner::new(text).number().ok(),
            Self::Whole(value) => Some(Number::Positive(value)),
        }
    }

    /// What it says, where it is an array of at least one string and of nothing else.
    pub(super) fn as_strings(self) -> Option<Names<'p>> {
        match self {
            Self::Value(value) => value
                .as_array()
                .filter(|items| !items.is_empty() && items.iter().all(Value::is_string))
                .map(|items| Names::Values(items)),
            Self::Text(text) => holds_strings(text).then_some(Names::List(text)),
            Self::Whole(_) => None,
        }
    }

    /// It, as a tree.
    pub(crate) fn to_value(self) -> Cow<'p, Value> {
        match self {
            Self::Value(value) => Cow::Borrowed(value),
            Self::Text(text) => {
                Cow::Owned(json::parse_value(text.as_bytes(), Part::Payload).unwrap_or_default())
            }
            Self::Whole(value) => Cow::Owned(value.into()),
        }
    }
}
