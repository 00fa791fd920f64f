//! Why no key of a set can be used, in words.

use countersign::{JwkSet, UnusableKey};

use crate::shown::shown;

/// How many keys are named.
const NAMED: usize = 3;

/// The reasons of a set without a usable key; `None` where it has one.
pub(super) fn why_useless(set: &JwkSet) -> Option<String> {
    if set.has_usable_key() {
        return None;
    }
    let unusable = set.unusable();
    if unusable.is_empty() {
        return Some("the set has no keys".to_owned());
    }
    let mut reasons: Vec<String> = unusable.iter().take(NAMED).map(reason).collect();
    let rest = unusable.len().saturating_sub(NAMED);
    if rest > 0 {
        reasons.push(format!("and {rest} more"));
    }
    Some(reasons.join("; "))
}

fn reason(key: &UnusableKey) -> String {
    let UnusableKey {
        index, kid, reason, ..
    } = key;
    let reason = shown(&reason.to_string());
    match kid {
        Some(kid) => format!("keys[{index}] (kid \"{}\"): {reason}", shown(kid)),
        None => format!("keys[{index}]: {reason}"),
    }
}
