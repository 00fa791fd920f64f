//! Why a value does not fit the type that it is read into, in the type's own words: serde's messages quote what was sent, so
//! none of them is passed on.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

use super::scan::Declined;

/// The longest name of a claim that is repeated, in bytes.
const MAX_NAME: usize = 64;

/// Why a reader of JSON did not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text is not strict JSON, or asks for more than this reader does.
    Declined,
    /// A value does not fit the type that it is read into.
    Shape(Misfit),
}

/// What was expected, and where; no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    claim: Option<String>,
    expected: String,
}

impl Stop {
    fn expected(expected: impl Display) -> Self {
        Self::Shape(Misfit {
            claim: None,
            expected: format!("expected {expected}"),
        })
    }

    fn saying(words: String) -> Self {
        Self::Shape(Misfit {
            claim: None,
            expected: words,
        })
    }

    /// The same, of the member that it was found in.
    pub(super) fn within(self, name: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
        match self {
            Self::Shape(misfit)
                if misfit.claim.is_none() && name.len() <= MAX_NAME && name.bytes().all(plain) =>
            {
                Self::Shape(Misfit {
                    claim: Some(name.to_owned()),
                    ..misfit
                })
            }
            other => other,
        }
    }

    /// In words, for a type that another parser could not make either.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Declined => "a value is out of range or a member is unknown".to_owned(),
            Self::Shape(misfit) => misfit.to_string(),
        }
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim {
            Some(claim) => write!(f, "`{claim}`: {}", self.expected),
            None => f.write_str(&self.expected),
        }
    }
}

impl From<Declined> for Stop {
    fn from(_: Declined) -> Self {
        Self::Declined
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    /// What a type says by itself may quote the value.
    fn custom<T: Display>(_: T) -> Self {
        Self::saying("the type that reads it refuses it".to_owned())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::expected(OneOf(expected))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::saying(format!("a member is unknown, known: {}", OneOf(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::saying(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::saying(format!("duplicate field `{field}`"))
    }
}

struct OneOf(&'static [&'static str]);

impl Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else {
            return f.write_str("none");
        };
        write!(f, "`{first}`")?;
        rest.iter().try_for_each(|name| write!(f, " or `{name}`"))
    }
}
