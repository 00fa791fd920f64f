//! What the token holds where a check looks, escaped and cut short.

use serde_json::Value;

use super::super::words::{list, quote};
use super::passed::names;
use super::time;
use crate::error::Error;
use crate::jwt::verify::{CheckName, Evidence};

/// What a check that passed has found.
pub(super) fn of(name: CheckName, evidence: &Evidence<'_>) -> Option<String> {
    let policy = evidence.policy;
    let payload = evidence.payload().ok()?;
    let claims = &payload.registered;
    let absent = || "absent".to_owned();
    Some(match name {
        CheckName::Algorithm => quote(evidence.token.header.alg()),
        CheckName::Signature => signature(evidence),
        CheckName::Type => evidence.token.header.typ().map_or_else(absent, quote),
        CheckName::Claims => match payload.members.len() {
            1 => "an object of 1 claim".to_owned(),
            count => format!("an object of {count} claims"),
        },
        CheckName::Issuer => claims.iss().map_or_else(absent, quote),
        CheckName::Audience if claims.aud().is_empty() => absent(),
        CheckName::Audience => list(claims.aud().iter()),
        CheckName::AuthorizedParty => member(evidence, "azp").unwrap_or_else(absent),
        CheckName::Subject => claims.sub().map_or_else(absent, quote),
        CheckName::Required => policy.required.join(", "),
        CheckName::Kind => "the event, and no nonce".to_owned(),
        CheckName::Exact => format!("{} as given", names(&policy.exact).join(", ")),
        CheckName::Hashes => format!("{} as computed", names(&policy.hashes).join(", ")),
        CheckName::Target => member(evidence, "htu").unwrap_or_else(absent),
        CheckName::Confirmation => "the thumbprint of the key of the proof".to_owned(),
        CheckName::Expiry | CheckName::NotBefore | CheckName::IssuedAt | CheckName::AuthTime => {
            time(name, evidence).map_or_else(absent, |time| time.to_string())
        }
    })
}

/// What one that failed has found.
pub(super) fn of_failed(name: CheckName, evidence: &Evidence<'_>, error: &Error) -> Option<String> {
    match (name, error) {
        (_, Error::ClaimMissing { .. }) => Some("absent".to_owned()),
        (
            _,
            Error::ClaimMismatch { claim }
            | Error::ClaimForeign { claim, .. }
            | Error::ClaimType { claim, .. },
        ) => member(evidence, claim),
        (CheckName::Algorithm, _) => Some(quote(evidence.token.header.alg())),
        (CheckName::Signature, _) => Some(signature(evidence)),
        (CheckName::Type, _) => Some(evidence.token.header.typ().map_or_else(absent, quote)),
        (CheckName::Issuer | CheckName::Audience | CheckName::Subject, _) => of(name, evidence),
        _ => time(name, evidence).map(|time| time.to_string()),
    }
}

fn absent() -> String {
    "absent".to_owned()
}

fn signature(evidence: &Evidence<'_>) -> String {
    let (signature, input) = (evidence.token.signature, evidence.token.signing_input);
    format!(
        "{} bytes of signature over the first {} bytes of the token",
        signature.len(),
        input.len()
    )
}

fn member(evidence: &Evidence<'_>, claim: &str) -> Option<String> {
    let value = evidence.payload().ok()?.members.get(claim)?;
    Some(match &*value.to_value() {
        Value::String(text) => quote(text),
        value => quote(&value.to_string()),
    })
}
