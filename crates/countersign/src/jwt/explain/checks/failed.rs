//! What a check that failed saw, what it asked for, and what to do.

use std::time::Duration;

use super::super::words::span;
use super::super::{Step, rules, step};
use super::{clock_difference, expected, found, time, title};
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jwk::VerifyingKey;
use crate::jwt::verify::{CheckName, Evidence};

pub(in crate::jwt::explain) fn failed(
    name: CheckName,
    evidence: &Evidence<'_>,
    error: &Error,
) -> Step {
    let (title, rfc, _) = title(name, Some(evidence.policy));
    let found = found::of_failed(name, evidence, error);
    let expected = expected::of_failed(name, evidence, error);
    let base = step(
        title,
        rules::of_failed(name, evidence.policy.profile),
        rfc,
        without_values(error, evidence),
    );
    let base = match (with_times(name, error, evidence), &found, &expected) {
        (Some(summary), ..) => base.quoting(summary),
        (None, Some(found), Some(expected)) if compares(name, error) => {
            base.quoting(format!("{title} is {found}, expected {expected}"))
        }
        _ => base,
    };
    Step {
        found,
        expected,
        clock_difference_secs: clock_difference(name, evidence),
        fix: Some(fix(error, evidence)),
        ..base
    }
}

/// Whether the two values say all that there is to say.
const fn compares(name: CheckName, error: &Error) -> bool {
    matches!(
        name,
        CheckName::Algorithm
            | CheckName::Type
            | CheckName::Issuer
            | CheckName::Audience
            | CheckName::AuthorizedParty
            | CheckName::Subject
            | CheckName::Target
    ) && !matches!(
        error,
        Error::ClaimMissing { .. } | Error::ClaimType { .. } | Error::ClaimForeign { .. }
    )
}

/// Claims that passed every check and do not fit the type that they are read into.
pub(in crate::jwt::explain) fn misshapen(error: &Error) -> Step {
    Step {
        fix: Some("the issuer has to make another token".to_owned()),
        ..step("shape", rules::SHAPE, "RFC 7519 §4", error.to_string())
    }
}

/// The summary for logs.
fn without_values(error: &Error, evidence: &Evidence<'_>) -> String {
    match error {
        Error::Expired { .. } => format!(
            "exp has passed; leeway {} s",
            evidence.policy.leeway.as_secs()
        ),
        Error::NotYetValid { .. } => "nbf lies ahead".to_owned(),
        Error::IssuedInFuture { .. } => "iat lies ahead".to_owned(),
        Error::TooOld {
            claim, max_secs, ..
        } => format!("{claim} was more than {max_secs} s ago"),
        Error::SignatureInvalid => format!(
            "signature does not hold over the first {} bytes",
            evidence.token.signing_input.len()
        ),
        error => error.to_string(),
    }
}

fn with_times(name: CheckName, error: &Error, evidence: &Evidence<'_>) -> Option<String> {
    let now = evidence.now;
    Some(match error {
        Error::Expired { at } => format!(
            "exp passed {} ago ({at}); leeway {} s",
            span(now.since(*at)),
            evidence.policy.leeway.as_secs()
        ),
        Error::NotYetValid { from } => {
            format!("nbf is only reached in {} ({from})", span(from.since(now)))
        }
        Error::IssuedInFuture { at } => {
            format!("iat lies {} ahead ({at})", span(at.since(now)))
        }
        Error::TooOld {
            claim,
            at,
            max_secs,
        } => format!(
            "{claim} was {} ago ({at}), at most {} are taken",
            span(now.since(*at)),
            span(Duration::from_secs(*max_secs))
        ),
        Error::ClaimMismatch { .. } => {
            let at = time(name, evidence)?;
            format!("auth_time lies {} ahead ({at})", span(at.since(now)))
        }
        _ => return None,
    })
}

fn fix(error: &Error, evidence: &Evidence<'_>) -> String {
    let key = evidence.key.map(VerifyingKey::algorithm);
    let text = match error {
        Error::Unsecured | Error::AlgorithmUnknown | Error::AlgorithmMismatch { .. } => {
            let key = key.map_or("the algorithm of its key", Algorithm::name);
            return format!("the issuer has to sign with {key}; a header cannot choose");
        }
        Error::AudienceMismatch { expected } => {
            return format!(
                "the token was made for another service: ask the issuer for one with audience {expected}"
            );
        }
        Error::ClaimMissing { claim } if claim == "exp" => {
            return "the issuer has to put `exp` into its tokens, or everybody who finds one has it for ever; a policy can take them without".to_owned();
        }
        Error::ClaimMissing { claim }
            if (evidence.policy.profile.waivable()).contains(&claim.as_ref()) =>
        {
            return format!(
                "the issuer has to put `{claim}` into its access tokens (RFC 9068 §2.2); where it does not, the service may do \
                 without: `.without_claim(\"{claim}\")`"
            );
        }
        Error::ClaimMissing { claim } => {
            return format!("the issuer has to put `{claim}` into its tokens");
        }
        Error::ClaimForeign { kind, .. } => return format!("send {kind}"),
        Error::AlgorithmRefused { .. } => {
            "the issuer has to sign with an algorithm of the policy, or the policy has to name this one"
        }
        Error::SignatureInvalid if key.is_some_and(Algorithm::is_symmetric) => {
            "the token was changed, or signed with another secret: compare the secrets' bytes, also a newline at the end"
        }
        Error::SignatureInvalid => {
            "the token was changed, or signed with another key: fetch the issuer's keys again, then ask for a new token"
        }
        Error::TypeMismatch { expected } if expected == "at+jwt" => {
            "send an access token (RFC 9068); where the issuer signs its access tokens as JWT, the service has to take plain tokens: `.plain_jwt()` in countersign-http, or `.plain_jwt_too()` while it changes to `at+jwt`"
        }
        Error::TypeMismatch { .. } if evidence.token.header.typ_is("at+jwt") => {
            "it is an access token (RFC 9068): whoever takes those says so, `Policy::access_token(issuer, audience)` or `.access_token()` of a policy's builder"
        }
        Error::TypeMismatch { .. } => "send the kind of token that this service takes",
        Error::IssuerMismatch { .. } => {
            "the token is of another issuer: send one of the issuer expected"
        }
        Error::AudienceUnexpected => {
            "the token was made for a service that it names: send it there"
        }
        Error::AudienceShared { .. } => "make it for the one server that it goes to",
        Error::SubjectMismatch => "the token is about somebody else",
        Error::ClaimMismatch { .. } => {
            "the token belongs to another login or request: start again, and send what belongs together"
        }
        Error::TooOld {
            claim: "auth_time", ..
        } => "log in again",
        Error::Expired { .. } | Error::TooOld { .. } => "log in again, or refresh",
        Error::NotYetValid { .. } | Error::IssuedInFuture { .. } => {
            "wait, or set the clocks of issuer and verifier"
        }
        Error::ProofRequired => "send a proof of the sender's key with it (DPoP, mutual TLS)",
        _ => "the issuer has to make another token",
    };
    text.to_owned()
}
