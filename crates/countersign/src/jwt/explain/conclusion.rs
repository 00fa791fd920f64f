//! What a token that passed was asked for, and what it was not: the words beside the verdict.

use super::Report;
use crate::jwt::policy::{Expected, Policy};
use crate::jwt::profile::Profile;

/// The claims that a policy asks nothing of, in a token that is endless or not.
pub(super) fn unchecked(policy: &Policy, is_endless: bool) -> Vec<&'static str> {
    if policy.profile == Profile::DpopProof {
        return Vec::new();
    }
    let any = |expected: &Expected| *expected == Expected::Any;
    let claims = [
        ("iss", any(&policy.issuer)),
        ("aud", any(&policy.audience)),
        (
            "exp",
            is_endless && !policy.expiry_required && policy.max_token_age.is_none(),
        ),
    ];
    let waived = claims.into_iter().filter(|(_, waived)| *waived);
    waived.map(|(claim, _)| claim).collect()
}

impl Report {
    /// What the verdict of a token that passed covers, in one clause; of any other, nothing.
    ///
    /// A policy that takes any issuer or any audience leaves a question open, and this says which.
    #[must_use]
    pub fn conclusion(&self) -> Option<String> {
        if !self.valid {
            return None;
        }
        let parties = [("iss", "issuer"), ("aud", "audience")];
        let (waived, asked): (Vec<_>, Vec<_>) = parties
            .into_iter()
            .partition(|(claim, _)| self.unchecked.contains(claim));
        let asked = asked.into_iter().map(|(_, word)| word);
        let times = (!self.is_endless()).then_some("times");
        let held: Vec<_> = ["signature"]
            .into_iter()
            .chain(asked)
            .chain(times)
            .collect();
        let held = format!("{} {}", row(&held), plural(&held, "holds", "hold"));
        let waived: Vec<_> = waived.into_iter().map(|(_, word)| word).collect();
        let mut clauses = vec![held];
        if !waived.is_empty() {
            let were = plural(&waived, "was", "were");
            clauses.push(format!("{} {were} not checked", row(&waived)));
        }
        if self.is_endless() {
            clauses.push("without exp it never ends".to_owned());
        }
        Some(clauses.join("; "))
    }

    /// Whether the verdict leaves something open that a reader should know of.
    pub(super) fn is_qualified(&self) -> bool {
        !self.unchecked.is_empty()
    }

    /// Whether the token names no end, and the policy asks for none.
    fn is_endless(&self) -> bool {
        self.unchecked.contains(&"exp")
    }
}

fn plural(words: &[&str], one: &'static str, several: &'static str) -> &'static str {
    if words.len() == 1 { one } else { several }
}

/// `a`, `a and b`, `a, b and c`.
fn row(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
