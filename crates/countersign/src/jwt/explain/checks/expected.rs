//! What the policy, the key or the time asks for where a check looks; never a value of the token.

use std::time::Duration;

use super::super::words::{list, quote, span};
use super::passed::names;
use crate::error::Error;
use crate::jwk::VerifyingKey;
use crate::jwt::policy::{Expected, Policy};
use crate::jwt::profile::Profile;
use crate::jwt::verify::{CheckName, Evidence, ahead_taken};
use crate::time::Timestamp;

/// What these ask for where no key was found.
const OF_A_KEY: &str = "the one algorithm of its key";
const BY_A_KEY: &str = "one that its key makes";

/// What a check asks for where neither a policy nor a key is known.
pub(super) fn of_nobody(name: CheckName) -> Option<String> {
    match name {
        CheckName::Algorithm => Some(OF_A_KEY.to_owned()),
        CheckName::Signature => Some(BY_A_KEY.to_owned()),
        _ => None,
    }
}

/// What a check asks for; of a `nonce` or a hash, only that it is the one given.
pub(super) fn of(
    name: CheckName,
    policy: &Policy,
    key: Option<&VerifyingKey>,
    now: Option<Timestamp>,
) -> Option<String> {
    Some(match name {
        CheckName::Algorithm => match key {
            Some(key) => key.algorithm().name().to_owned(),
            None if policy.algorithms.is_empty() => OF_A_KEY.to_owned(),
            None => allowed(policy),
        },
        CheckName::Signature => match key {
            Some(key) => format!("one that this key makes with {}", key.algorithm()),
            None => BY_A_KEY.to_owned(),
        },
        CheckName::Type => policy.kinds.describe(),
        CheckName::Claims => "a JSON object".to_owned(),
        CheckName::Issuer => party(&policy.issuer),
        CheckName::Audience => party(&policy.audience),
        CheckName::AuthorizedParty => match &policy.audience {
            Expected::OneOf(names) => quote(&names.join(" or ")),
            Expected::Absent | Expected::Any => return None,
        },
        CheckName::Subject => quote(policy.subject.as_deref()?),
        CheckName::Required if policy.profile == Profile::Migrating => {
            "what its kind has to have".to_owned()
        }
        CheckName::Required => policy.required.join(", "),
        CheckName::Kind => "the event, sub or sid, and no nonce".to_owned(),
        CheckName::Exact => format!("{} as given", names(&policy.exact).join(", ")),
        CheckName::Hashes => format!("{} as computed", names(&policy.hashes).join(", ")),
        CheckName::Target => quote(policy.target.as_deref()?),
        CheckName::Confirmation if policy.proved.is_some() => {
            "the thumbprint of the key of the proof".to_owned()
        }
        CheckName::Confirmation => "absent, where no proof comes with the token".to_owned(),
        CheckName::Expiry if policy.expiry_required => moment("later than", now, policy.leeway),
        CheckName::Expiry => {
            format!("absent, or {}", moment("later than", now, policy.leeway))
        }
        CheckName::NotBefore => moment("not later than", now, policy.leeway),
        CheckName::IssuedAt => past(policy, now, policy.max_token_age),
        CheckName::AuthTime => past(policy, now, policy.max_auth_age),
    })
}

/// The same, where the error says it more closely.
pub(super) fn of_failed(name: CheckName, evidence: &Evidence<'_>, error: &Error) -> Option<String> {
    let policy = evidence.policy;
    match (name, error) {
        (_, Error::ClaimType { expected, .. }) => Some((*expected).to_owned()),
        (_, Error::ClaimForeign { .. }) | (CheckName::Audience, Error::AudienceUnexpected) => {
            Some("none".to_owned())
        }
        (CheckName::Algorithm, Error::AlgorithmRefused { .. }) => Some(allowed(policy)),
        (
            CheckName::Issuer | CheckName::Audience,
            Error::IssuerMismatch { expected } | Error::AudienceMismatch { expected },
        ) => Some(quote(expected)),
        (CheckName::Audience, Error::AudienceShared { expected }) => {
            Some(format!("{} alone", quote(expected)))
        }
        _ => of(name, policy, evidence.key, Some(evidence.now)),
    }
}

fn allowed(policy: &Policy) -> String {
    let names: Vec<_> = policy.algorithms.iter().map(|alg| alg.name()).collect();
    names.join(" or ")
}

fn party(expected: &Expected) -> String {
    match expected {
        Expected::OneOf(names) if names.len() > 1 => {
            format!("one of {}", list(names.iter().map(String::as_str)))
        }
        Expected::OneOf(names) => list(names.iter().map(String::as_str)),
        Expected::Absent => "absent".to_owned(),
        Expected::Any => "anything: it was not asked for".to_owned(),
    }
}

fn past(policy: &Policy, now: Option<Timestamp>, oldest: Option<Duration>) -> String {
    let (latest, ahead) = (said(now), ahead_taken(policy).as_secs());
    let latest = format!("not more than {ahead} s after {latest}: clocks differ");
    match oldest {
        None => latest,
        Some(oldest) => format!("{latest}; and not more than {} before", span(oldest)),
    }
}

fn said(now: Option<Timestamp>) -> String {
    now.map_or_else(|| "now".to_owned(), |now| now.to_string())
}

fn moment(relation: &str, now: Option<Timestamp>, leeway: Duration) -> String {
    let now = said(now);
    match leeway.as_secs() {
        0 => format!("{relation} {now}"),
        secs => format!("{relation} {now} with a leeway of {secs} s"),
    }
}
