//! The words of each check. No rule is decided here: the check list has decided, this says what it saw.

mod expected;
mod failed;
mod found;
mod passed;

pub(super) use failed::{failed, misshapen};
pub(super) use passed::passed;

use super::{Step, rules, step};
use crate::jwt::policy::Policy;
use crate::jwt::profile::Profile;
use crate::jwt::verify::{CheckName, Evidence, auth_time};
use crate::time::Timestamp;

/// Name, rule and subject of each check.
fn title(name: CheckName, policy: Option<&Policy>) -> (&'static str, &'static str, &'static str) {
    let profile = policy.map_or(Profile::Plain, |policy| policy.profile);
    match name {
        CheckName::Algorithm => ("algorithm", "RFC 8725 §3.1", "alg is the key's"),
        CheckName::Signature => ("signature", "RFC 7515 §5.2", "the signature"),
        CheckName::Type => ("typ", "RFC 8725 §3.11", "typ"),
        CheckName::Claims => ("claims", "RFC 7519 §7.2", "the payload"),
        CheckName::Issuer => ("iss", "RFC 7519 §4.1.1", "iss"),
        CheckName::Audience => ("aud", "RFC 7519 §4.1.3", "aud"),
        CheckName::AuthorizedParty => ("azp", "OIDC Core §2", "azp"),
        CheckName::Subject => ("sub", "RFC 7519 §4.1.2", "sub"),
        CheckName::Required => ("required", profile.rfc(), "required claims"),
        CheckName::Kind => ("kind", profile.rfc(), "the kind of token"),
        CheckName::Exact => ("expected", profile.rfc(), "expected claims"),
        CheckName::Target => ("htu", "RFC 9449 §4.3", "htu"),
        CheckName::Hashes => ("hashes", "OIDC Core §3.3.2", "hashes of other tokens"),
        CheckName::Confirmation => ("cnf", "RFC 7800 §3.1", "cnf"),
        CheckName::Expiry => ("exp", "RFC 7519 §4.1.4", "exp"),
        CheckName::NotBefore => ("nbf", "RFC 7519 §4.1.5", "nbf"),
        CheckName::IssuedAt => ("iat", "RFC 7519 §4.1.6", "iat"),
        CheckName::AuthTime => ("auth_time", "OIDC Core §3.1.3", "auth_time"),
    }
}

/// Whether the policy asks for this check at all; where nothing is known of the policy, for those of every policy.
fn asked(name: CheckName, policy: Option<&Policy>) -> bool {
    match (name, policy) {
        (
            CheckName::AuthorizedParty
            | CheckName::Subject
            | CheckName::Required
            | CheckName::Kind
            | CheckName::Exact
            | CheckName::Target
            | CheckName::Hashes
            | CheckName::AuthTime,
            None,
        ) => false,
        (_, None) => true,
        (CheckName::Issuer | CheckName::Audience, Some(policy)) => {
            policy.profile != Profile::DpopProof
        }
        (CheckName::AuthorizedParty, Some(policy)) => policy.profile == Profile::IdToken,
        (CheckName::Subject, Some(policy)) => policy.subject.is_some(),
        (CheckName::Required, Some(policy)) => !policy.required.is_empty(),
        (CheckName::Kind, Some(policy)) => policy.profile == Profile::LogoutToken,
        (CheckName::Exact, Some(policy)) => !policy.exact.is_empty(),
        (CheckName::Target, Some(policy)) => policy.target.is_some(),
        (CheckName::Hashes, Some(policy)) => !policy.hashes.is_empty(),
        (CheckName::AuthTime, Some(policy)) => policy.max_auth_age.is_some(),
        (_, Some(_)) => true,
    }
}

/// A check that could not be run; `None` where the policy would not have asked for it.
pub(super) fn skipped(name: CheckName, policy: Option<&Policy>) -> Option<Step> {
    let (title, rfc, subject) = title(name, policy);
    asked(name, policy).then(|| Step {
        expected: match policy {
            Some(policy) => expected::of(name, policy, None, None),
            None => expected::of_nobody(name),
        },
        ..step(title, rules::of(name), rfc, subject)
    })
}

/// The time that a check looks at.
fn time(name: CheckName, evidence: &Evidence<'_>) -> Option<Timestamp> {
    let payload = evidence.payload().ok()?;
    match name {
        CheckName::Expiry => payload.registered.exp(),
        CheckName::NotBefore => payload.registered.nbf(),
        CheckName::IssuedAt => payload.registered.iat(),
        CheckName::AuthTime => auth_time(&payload.members).ok().flatten(),
        _ => None,
    }
}

/// How far it lies ahead of now, in seconds.
fn clock_difference(name: CheckName, evidence: &Evidence<'_>) -> Option<i64> {
    let at = time(name, evidence)?.unix_secs();
    Some(at.saturating_sub(evidence.now.unix_secs()))
}
