//! Names that the issuer was asked about and does not have: they cause no second fetch for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;

/// The most names that are remembered. Whoever invents more than that gains nothing: the cool-down holds for all of them.
const MAX_NAMES: usize = 256;

pub(super) struct MissingNames {
    names: Mutex<HashMap<Option<Box<str>>, Moment>>,
    /// Two cool-downs: a name that is published a moment later must not stay unknown for long, also where somebody has
    /// guessed it and asked for it beforehand.
    life: Duration,
}

impl MissingNames {
    pub(super) fn new(cool_down: Duration) -> Self {
        Self {
            names: Mutex::default(),
            life: cool_down.saturating_mul(2),
        }
    }

    /// Whether the issuer was asked about this name a moment ago. A token without a `kid` asks about no name.
    pub(super) fn knows(&self, kid: Option<&str>, now: Moment) -> bool {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .get(&kid.map(Box::from))
            .is_some_and(|asked| now.since(*asked) < self.life)
    }

    pub(super) fn remember(&self, kid: Option<&str>, now: Moment) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MAX_NAMES {
            names.retain(|_, asked| now.since(*asked) < self.life);
        }
        if names.len() < MAX_NAMES {
            names.insert(kid.map(Box::from), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_name_is_known_to_be_missing_for_two_cool_downs() {
        let names = MissingNames::new(Duration::from_secs(30));
        let start = Clock::system().moment();
        let at = |secs| start.later(Duration::from_secs(secs));
        for kid in [Some("a"), None] {
            assert!(!names.knows(kid, at(0)));
            names.remember(kid, at(0));
            assert!(names.knows(kid, at(59)) && !names.knows(kid, at(60)));
        }
        assert!(!names.knows(Some("A"), at(0)) && !names.knows(Some(""), at(0)));
    }

    #[test]
    fn no_flood_of_names_makes_it_grow() {
        let names = MissingNames::new(Duration::from_secs(30));
        let start = Clock::system().moment();
        for number in 0..10_000 {
            names.remember(Some(&number.to_string()), start);
        }
        assert_eq!(names.names.lock().unwrap().len(), MAX_NAMES);
        let later = start.later(Duration::from_secs(60));
        names.remember(Some("next"), later);
        assert!(names.knows(Some("next"), later));
    }
}
