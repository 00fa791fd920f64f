//! The name of an algorithm as an argument: in any case, and listed where it is none.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use countersign::{Algorithm, Error, SigningKey};

/// Takes the name of every algorithm, and the second name of one that has two (RFC 9864 §2.2).
pub(crate) fn names() -> impl TypedValueParser<Value = Algorithm> {
    let names = Algorithm::ALL.iter().map(|alg| {
        let value = PossibleValue::new(alg.name());
        if alg.fully_specified_name() == alg.name() {
            value
        } else {
            value.alias(alg.fully_specified_name())
        }
    });
    PossibleValuesParser::new(names).try_map(|name| find(&name))
}

/// An algorithm, and the name that it was given where it has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) algorithm: Algorithm,
    fully_specified: bool,
}

impl Named {
    /// The key, which writes the name that was given.
    pub(crate) fn name(self, key: SigningKey) -> SigningKey {
        if self.fully_specified {
            key.with_fully_specified_alg()
        } else {
            key
        }
    }
}

/// The same as [`names`], for what writes the name.
pub(crate) fn named() -> impl TypedValueParser<Value = Named> {
    let names = Algorithm::ALL.iter().flat_map(|alg| {
        let second = alg.fully_specified_name();
        let second = (second != alg.name()).then_some(second);
        [Some(alg.name()), second]
            .into_iter()
            .flatten()
            .map(PossibleValue::new)
    });
    PossibleValuesParser::new(names).try_map(|name| {
        find(&name).map(|algorithm| Named {
            algorithm,
            fully_specified: !name.eq_ignore_ascii_case(algorithm.name()),
        })
    })
}

fn find(name: &str) -> Result<Algorithm, Error> {
    let is_named = |alg: &Algorithm| {
        [alg.name(), alg.fully_specified_name()]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    };
    let found = Algorithm::ALL.iter().copied().find(is_named);
    found.ok_or(Error::AlgorithmUnknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_name_in_any_case() {
        for alg in Algorithm::ALL.iter().copied() {
            for name in [alg.name(), alg.fully_specified_name()] {
                for name in [name.to_owned(), name.to_ascii_lowercase()] {
                    assert_eq!(find(&name), Ok(alg), "{name}");
                }
            }
        }
    }

    #[test]
    fn rejects_names_of_nothing() {
        for name in ["", "none", "ES", "ES257", "P-256", "EdDSA "] {
            assert!(find(name).is_err(), "{name}");
        }
    }
}
