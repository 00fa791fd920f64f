//! The words of each step. No rule is decided here: the check list has decided, this file says what it saw.

use std::time::Duration;

use super::{Outcome, Step};
use crate::error::{Error, Malformed};
use crate::jwa::Family;
use crate::jwk::{JwkSet, VerifyingKey};
use crate::jws::Header;
use crate::jwt::policy::Expected;
use crate::jwt::verify::{CheckName, Evidence};
use crate::time::Timestamp;

/// The longest quotation of a token, in characters.
const MAX_QUOTE: usize = 80;

fn step(name: &'static str, rfc: &'static str, summary: impl Into<String>) -> Step {
    Step {
        number: 0,
        name,
        outcome: Outcome::Passed,
        summary: summary.into(),
        found: None,
        expected: None,
        rfc,
        code: None,
        fix: None,
    }
}

/// A sender's text, fit for a terminal: escaped, without marks that change the direction of writing, cut short.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars().take(MAX_QUOTE) {
        match letter {
            '\u{061c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {
                quoted.extend(letter.escape_unicode());
            }
            _ => quoted.extend(letter.escape_debug()),
        }
    }
    quoted.push_str(if text.chars().nth(MAX_QUOTE).is_some() {
        "…\""
    } else {
        "\""
    });
    quoted
}

pub(super) fn syntax_passed(token: &str) -> Step {
    step(
        "syntax",
        "RFC 7515 §7.1",
        format!("three parts, base64url, {} bytes", token.len()),
    )
}

pub(super) fn syntax_failed(error: &Error) -> Step {
    let rfc = match error {
        Error::Critical(_) => "RFC 7515 §4.1.11",
        Error::UnencodedPayload => "RFC 7797 §7",
        Error::Malformed(Malformed::Member { .. } | Malformed::DuplicateMember { .. }) => {
            "RFC 7515 §4"
        }
        _ => "RFC 7515 §7.1",
    };
    let fix = match error {
        Error::Malformed(Malformed::Encrypted) => {
            "decrypt it first; what is inside is the token to verify"
        }
        Error::Malformed(
            Malformed::Segments | Malformed::Alphabet { .. } | Malformed::Base64 { .. },
        ) => {
            "take the token whole, as it came: nothing cut off, no quotes, no line breaks, no padding"
        }
        Error::Malformed(Malformed::TooLarge { .. }) => {
            "put less into the token; large data belongs behind an API"
        }
        _ => "the issuer has to make another token",
    };
    Step {
        fix: Some(fix.to_owned()),
        ..step("syntax", rfc, error.to_string())
    }
}

pub(super) fn header_passed(header: &Header) -> Step {
    let mut words = vec![format!("alg {}", plain(header.alg()))];
    words.extend(header.kid().map(|kid| format!("kid {}", plain(kid))));
    words.extend(header.typ().map(|typ| format!("typ {}", plain(typ))));
    step(
        "header",
        "RFC 7515 §4.1",
        format!("header: {}", words.join(", ")),
    )
}

/// Without quotation marks where there is nothing to escape.
fn plain(text: &str) -> String {
    let quoted = quote(text);
    let inner = quoted.trim_matches('"');
    if inner == text && !text.contains(' ') {
        inner.to_owned()
    } else {
        quoted
    }
}

pub(super) fn header_skipped() -> Step {
    step("header", "RFC 7515 §4.1", "the header's members")
}

pub(super) fn key_skipped() -> Step {
    step("key", "RFC 7517 §4", "the key")
}

pub(super) fn key_found(key: &VerifyingKey, keys: &JwkSet) -> Step {
    let name = key
        .key_id()
        .map_or_else(|| "without a kid".to_owned(), plain);
    let (count, kind) = (keys.keys().count(), key_kind(key));
    step(
        "key",
        "RFC 7517 §4",
        format!(
            "key {name} of {count} in the set; {}, {kind}",
            key.algorithm()
        ),
    )
}

fn key_kind(key: &VerifyingKey) -> &'static str {
    match (key.algorithm().family(), key.algorithm().curve()) {
        (_, Some(curve)) => curve.name(),
        (Family::Hmac, _) => "shared secret",
        (Family::EdDsa, _) => "Ed25519",
        _ => "RSA",
    }
}

pub(super) fn key_failed(error: &Error, header: &Header, keys: &JwkSet) -> Step {
    let names: Vec<String> = keys
        .keys()
        .map(|key| {
            format!(
                "{} ({})",
                key.key_id().map_or_else(|| "no kid".to_owned(), plain),
                key.algorithm()
            )
        })
        .chain(keys.unusable().iter().map(|key| {
            let kid = key
                .kid
                .as_deref()
                .map_or_else(|| "no kid".to_owned(), plain);
            format!("{kid} (unusable: {})", key.reason)
        }))
        .collect();
    let fix = match error {
        Error::Unsecured | Error::AlgorithmUnknown => {
            "the issuer has to sign with an algorithm that a key here has"
        }
        Error::AlgorithmMismatch { .. } => {
            "the key of that name is for another algorithm: wrong issuer, or a forgery"
        }
        _ => {
            "the token was signed by another issuer, or the key was taken away: ask for a new token, fetch the keys again"
        }
    };
    Step {
        found: Some(format!(
            "alg {}, kid {}",
            quote(header.alg()),
            header.kid().map_or_else(|| "none".to_owned(), quote)
        )),
        expected: Some(if names.is_empty() {
            "the set is empty".to_owned()
        } else {
            names.join(", ")
        }),
        fix: Some(fix.to_owned()),
        ..step("key", "RFC 7517 §4", error.to_string())
    }
}

/// Name, rule and subject of each check.
const fn title(name: CheckName) -> (&'static str, &'static str, &'static str) {
    match name {
        CheckName::Algorithm => ("algorithm", "RFC 8725 §3.1", "alg is the key's"),
        CheckName::Signature => ("signature", "RFC 7515 §5.2", "the signature"),
        CheckName::Type => ("typ", "RFC 8725 §3.11", "typ"),
        CheckName::Claims => ("claims", "RFC 7519 §7.2", "the payload"),
        CheckName::Issuer => ("iss", "RFC 7519 §4.1.1", "iss"),
        CheckName::Audience => ("aud", "RFC 7519 §4.1.3", "aud"),
        CheckName::Subject => ("sub", "RFC 7519 §4.1.2", "sub"),
        CheckName::Required => ("required", "RFC 9068 §2.2", "required claims"),
        CheckName::Confirmation => ("cnf", "RFC 7800 §3.1", "cnf"),
        CheckName::Expiry => ("exp", "RFC 7519 §4.1.4", "exp"),
        CheckName::NotBefore => ("nbf", "RFC 7519 §4.1.5", "nbf"),
        CheckName::IssuedAt => ("iat", "RFC 7519 §4.1.6", "iat"),
    }
}

/// Whether this is the step that answers for a payload that cannot be read.
pub(super) fn reads_payload(name: CheckName) -> bool {
    name == CheckName::Claims
}

pub(super) fn skipped(name: CheckName) -> Step {
    let (name, rfc, subject) = title(name);
    step(name, rfc, subject)
}

/// What a check that passed saw; `None` where the policy asks nothing and the token says nothing.
pub(super) fn passed(name: CheckName, evidence: &Evidence<'_>) -> Option<Step> {
    let payload = evidence.payload().ok();
    let claims = payload.map(|payload| &payload.registered);
    let policy = evidence.policy;
    let summary = match name {
        CheckName::Algorithm => format!(
            "alg is {}, the one algorithm of the key",
            evidence.key.algorithm()
        ),
        CheckName::Signature => {
            format!(
                "signature holds over the first {} bytes",
                evidence.token.signing_input().len()
            )
        }
        CheckName::Type => match evidence.token.header().typ() {
            Some(typ) => format!("typ is {}", plain(typ)),
            None => "typ is absent, which the policy takes".to_owned(),
        },
        CheckName::Claims => format!(
            "payload is a JSON object of {} claims",
            payload?.members.len()
        ),
        CheckName::Issuer => named("iss", claims?.iss(), &policy.issuer),
        CheckName::Audience => match &policy.audience {
            Expected::OneOf(names) => format!("aud names {}", names.join(" or ")),
            Expected::Absent => "aud is absent, as expected".to_owned(),
            Expected::Any => "aud: the policy takes any".to_owned(),
        },
        CheckName::Subject => format!("sub is {}", policy.subject.as_deref()?),
        CheckName::Required if policy.required.is_empty() => return None,
        CheckName::Required => format!("{} are there", policy.required.join(", ")),
        CheckName::Confirmation => return None,
        CheckName::Expiry => match claims?.exp() {
            Some(exp) => {
                format!("exp is in {}", span(exp.since(evidence.now))) + &leeway(policy.leeway)
            }
            None => "exp is absent, which the policy takes".to_owned(),
        },
        CheckName::NotBefore => format!(
            "nbf passed {} ago",
            span(evidence.now.since(claims?.nbf()?))
        ),
        CheckName::IssuedAt => format!("iat was {} ago", span(evidence.now.since(claims?.iat()?))),
    };
    let (name, rfc, _) = title(name);
    Some(step(name, rfc, summary))
}

fn named(claim: &str, found: Option<&str>, expected: &Expected) -> String {
    match (expected, found) {
        (Expected::Any, Some(found)) => {
            format!("{claim} is {}; the policy takes any", plain(found))
        }
        (_, Some(found)) => format!("{claim} is {}", plain(found)),
        (_, None) => format!("{claim} is absent, which the policy takes"),
    }
}

pub(super) fn failed(name: CheckName, evidence: &Evidence<'_>, error: &Error) -> Step {
    let (title, rfc, _) = title(name);
    let (found, expected) = found_and_expected(name, evidence, error);
    let summary = match (error, &found, &expected) {
        (Error::Expired { at }, ..) => {
            format!(
                "exp passed {} ago ({at}); leeway {} s",
                span(evidence.now.since(*at)),
                evidence.policy.leeway.as_secs()
            )
        }
        (Error::NotYetValid { from }, ..) => format!(
            "nbf is only reached in {} ({from})",
            span(from.since(evidence.now))
        ),
        (Error::IssuedInFuture { at }, ..) => {
            format!("iat lies {} ahead ({at})", span(at.since(evidence.now)))
        }
        (Error::SignatureInvalid, ..) => {
            format!(
                "signature does not hold over the first {} bytes",
                evidence.token.signing_input().len()
            )
        }
        (_, Some(found), Some(expected)) => format!("{title} is {found}, expected {expected}"),
        _ => error.to_string(),
    };
    Step {
        found,
        expected,
        fix: Some(fix(error, evidence)),
        ..step(title, rfc, summary)
    }
}

fn found_and_expected(
    name: CheckName,
    evidence: &Evidence<'_>,
    error: &Error,
) -> (Option<String>, Option<String>) {
    let claims = evidence.payload().ok().map(|payload| &payload.registered);
    let at = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let list = |names: &[String]| {
        names
            .iter()
            .map(|name| quote(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let now = Some(format!("now is {}", evidence.now));
    match (name, error) {
        (_, Error::ClaimMissing { .. } | Error::ClaimType { .. }) => (None, None),
        (CheckName::Algorithm, _) => (
            Some(quote(evidence.token.header().alg())),
            Some(evidence.key.algorithm().name().to_owned()),
        ),
        (CheckName::Type, _) => {
            let typ = evidence
                .token
                .header()
                .typ()
                .map_or_else(|| "absent".to_owned(), quote);
            (Some(typ), Some(evidence.policy.kinds.describe()))
        }
        (CheckName::Issuer, Error::IssuerMismatch { expected }) => (
            claims.and_then(|claims| claims.iss()).map(quote),
            Some(quote(expected)),
        ),
        (CheckName::Audience, Error::AudienceMismatch { expected }) => (
            claims.map(|claims| list(claims.aud())),
            Some(quote(expected)),
        ),
        (CheckName::Audience, Error::AudienceUnexpected) => (
            claims.map(|claims| list(claims.aud())),
            Some("none".to_owned()),
        ),
        (CheckName::Subject, _) => (
            claims.and_then(|claims| claims.sub()).map(quote),
            evidence.policy.subject.as_deref().map(quote),
        ),
        (CheckName::Expiry, _) => (at(claims.and_then(|claims| claims.exp())), now),
        (CheckName::NotBefore, _) => (at(claims.and_then(|claims| claims.nbf())), now),
        (CheckName::IssuedAt, _) => (at(claims.and_then(|claims| claims.iat())), now),
        _ => (None, None),
    }
}

fn fix(error: &Error, evidence: &Evidence<'_>) -> String {
    match error {
        Error::Unsecured | Error::AlgorithmUnknown | Error::AlgorithmMismatch { .. } => {
            format!("the issuer has to sign with {}; a header cannot choose", evidence.key.algorithm())
        }
        Error::SignatureInvalid if evidence.key.algorithm().is_symmetric() => {
            "the token was changed, or signed with another secret: compare the secrets' bytes, also a newline at the end"
                .to_owned()
        }
        Error::SignatureInvalid => {
            "the token was changed, or signed with another key: fetch the issuer's keys again, then ask for a new token"
                .to_owned()
        }
        Error::TypeMismatch { .. } => "send the kind of token that this service takes".to_owned(),
        Error::IssuerMismatch { .. } => "the token is of another issuer: send one of the issuer expected".to_owned(),
        Error::AudienceMismatch { expected } => {
            format!("the token was made for another service: ask the issuer for one with audience {expected}")
        }
        Error::AudienceUnexpected => "the token was made for a service that it names: send it there".to_owned(),
        Error::SubjectMismatch => "the token is about somebody else".to_owned(),
        Error::ClaimMissing { claim } => format!("the issuer has to put `{claim}` into its tokens"),
        Error::Expired { .. } => "log in again, or refresh".to_owned(),
        Error::NotYetValid { .. } | Error::IssuedInFuture { .. } => "wait, or set the clocks of issuer and verifier".to_owned(),
        Error::ProofRequired => "send a proof of the sender's key with it (DPoP, mutual TLS)".to_owned(),
        _ => "the issuer has to make another token".to_owned(),
    }
}

fn leeway(leeway: Duration) -> String {
    if leeway.is_zero() {
        String::new()
    } else {
        format!("; leeway {} s", leeway.as_secs())
    }
}

/// A length of time in its two largest units.
fn span(time: Duration) -> String {
    let secs = time.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = secs;
    let mut words = Vec::new();
    for (size, unit) in units {
        let count = rest.checked_div(size).unwrap_or(0);
        rest = rest.checked_rem(size).unwrap_or(0);
        if count > 0 && words.len() < 2 {
            words.push(format!("{count} {unit}"));
        }
    }
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_holds_nothing_that_a_terminal_would_act_on() {
        let hostile = "a\u{1b}[2J\n\u{202e}b\"\u{0}";
        let quoted = quote(hostile);
        assert!(
            quoted
                .chars()
                .all(|letter| !letter.is_control() && letter != '\u{202e}'),
            "{quoted}"
        );
        assert_eq!(quote(&"x".repeat(500)).chars().count(), MAX_QUOTE + 3);
    }

    #[test]
    fn a_span_has_at_most_two_units() {
        for (secs, text) in [
            (0, "0 s"),
            (192, "3 min 12 s"),
            (3_600, "1 h"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(secs)), text);
        }
    }
}
