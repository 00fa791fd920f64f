//! The steps before the check list: syntax, header, issuer, key.

use super::words::{list, plain, quote, short};
use super::{ConsideredKey, Step, rules, step};
use crate::error::{Error, Malformed, Part};
use crate::json;
use crate::jwa::{Algorithm, Family};
use crate::jwk::{JwkSet, VerifyingKey};
use crate::jws::{Header, Unverified};
use crate::jwt::issuers::Issuers;
use crate::jwt::policy::Policy;
use crate::jwt::verifier::Verifier;

pub(super) fn syntax_passed(token: &str, limit: usize) -> Step {
    let summary = format!("three parts, base64url, {} bytes", token.len());
    Step {
        found: Some(parts(token)),
        expected: Some(three_parts(limit)),
        ..step("syntax", rules::SYNTAX, "RFC 7515 §7.1", summary)
    }
}

fn parts(token: &str) -> String {
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    let plural = if dots == 0 { "part" } else { "parts" };
    format!("{} {plural}, {} bytes", dots.saturating_add(1), token.len())
}

fn three_parts(limit: usize) -> String {
    format!("3 parts, of at most {limit} bytes together")
}

pub(super) fn syntax_failed(token: &str, limit: usize, error: &Error) -> Step {
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
        found: Some(parts(token)),
        expected: Some(three_parts(limit)),
        fix: Some(fix.to_owned()),
        ..step("syntax", rules::of_syntax(error), rfc, error.to_string())
    }
}

pub(super) fn header_passed(header: &Header) -> Step {
    let mut words = vec![format!("alg {}", plain(header.alg()))];
    words.extend(header.kid().map(|kid| format!("kid {}", short(kid))));
    words.extend(header.typ().map(|typ| format!("typ {}", plain(typ))));
    let words = words.join(", ");
    let step = Step {
        summary: "header: its members can be read".to_owned(),
        ..self::header()
    };
    Step {
        found: Some(words.clone()),
        ..step.quoting(format!("header: {words}"))
    }
}

/// The step, as long as nothing is known of the header.
pub(super) fn header() -> Step {
    Step {
        expected: Some("alg; kid and typ where they are of use".to_owned()),
        ..step(
            "header",
            rules::HEADER,
            "RFC 7515 §4.1",
            "the header's members",
        )
    }
}

/// The step, as long as there is no header to look a key up by.
pub(super) fn key_skipped(keys: Option<&JwkSet>) -> Step {
    let expected = keys.map_or_else(|| "a key of its issuer".to_owned(), one_of);
    Step {
        expected: Some(expected),
        ..step("key", rules::KEY, "RFC 7517 §4", "the key")
    }
}

pub(super) fn issuer_selected(policy: &Policy, issuers: &Issuers) -> Step {
    let name = policy.issuers().unwrap_or_default().join(" or ");
    let count = issuers.verifiers().count();
    let summary = format!("issuer {name} of {count}; so far its word only, which selects its keys");
    Step {
        found: Some(quote(&name)),
        expected: Some(known(issuers)),
        ..step("issuer", rules::ISSUER_KNOWN, "RFC 8725 §3.8", summary)
    }
}

fn known(issuers: &Issuers) -> String {
    let policies = issuers.verifiers().map(Verifier::policy);
    let names = policies.filter_map(Policy::issuers).flatten();
    list(names.map(String::as_str))
}

pub(super) fn issuer_failed(error: &Error, token: &Unverified<'_>, issuers: &Issuers) -> Step {
    let found = json::parse_object(token.payload(), Part::Payload)
        .ok()
        .and_then(|members| members.get("iss").and_then(|iss| iss.as_str()).map(quote));
    let base = step(
        "issuer",
        rules::ISSUER_KNOWN,
        "RFC 8725 §3.8",
        error.to_string(),
    );
    let base = match (error, &found) {
        (Error::IssuerUnknown, Some(iss)) => {
            base.quoting(format!("iss is {iss}, which is not known here"))
        }
        _ => base,
    };
    Step {
        found,
        expected: Some(known(issuers)),
        fix: Some(
            "send a token of an issuer that this service knows, or make its issuer known"
                .to_owned(),
        ),
        ..base
    }
}

pub(super) fn key_found(key: &VerifyingKey, header: &Header, keys: &JwkSet) -> Step {
    let name = key
        .key_id()
        .map_or_else(|| "without a kid".to_owned(), short);
    let (count, kind) = (keys.keys().count(), kind(key));
    Step {
        found: Some(asked_for(header)),
        expected: Some(one_of(keys)),
        keys: considered(header, keys, Some(key), None),
        ..step(
            "key",
            rules::KEY,
            "RFC 7517 §4",
            format!(
                "key {name} of {count} in the set; {}, {kind}",
                key.algorithm()
            ),
        )
    }
}

/// What the header says of the key.
fn asked_for(header: &Header) -> String {
    let kid = header.kid().map_or_else(|| "none".to_owned(), quote);
    format!("alg {}, kid {kid}", quote(header.alg()))
}

fn one_of(keys: &JwkSet) -> String {
    match (keys.keys().count(), keys.unusable().len()) {
        (0, 0) => "a key, and the set is empty".to_owned(),
        (0, _) => "a key that can be used, and the set holds none".to_owned(),
        (1, 0) => "the key of the set".to_owned(),
        (count, left_out) => format!(
            "one of the {} keys of the set",
            count.saturating_add(left_out)
        ),
    }
}

fn kind(key: &VerifyingKey) -> &'static str {
    match (key.algorithm().family(), key.algorithm().curve()) {
        (_, Some(curve)) => curve.name(),
        (Family::Hmac, _) => "shared secret",
        (Family::EdDsa, _) => "Ed25519",
        (Family::MlDsa, _) => "lattice key",
        _ => "RSA",
    }
}

pub(super) fn key_failed(error: &Error, header: &Header, keys: &JwkSet) -> Step {
    let fix = match error {
        Error::Unsecured | Error::AlgorithmUnknown => {
            "the issuer has to sign with an algorithm that a key here has"
        }
        Error::AlgorithmMismatch { .. } => {
            "the key of that name is for another algorithm: wrong issuer, or a forgery"
        }
        Error::KeyAmbiguous { .. } => {
            "the issuer has to name its key: a `kid` of its own for each, and it in every header"
        }
        _ if !keys.has_usable_key() => {
            "fetch the keys, or find out why none of them can be used: what the token says of its key matters only then"
        }
        _ => {
            "the token was signed by another issuer, or the key was taken away: ask for a new token, fetch the keys again"
        }
    };
    // Of a set without a key, nothing can be said about the token.
    let summary = match (error, keys.has_usable_key(), keys.unusable().len()) {
        (Error::KeyNotFound, false, 0) => "there are no keys to verify with".to_owned(),
        (Error::KeyNotFound, false, _) => "no key of the set can be used".to_owned(),
        _ => error.to_string(),
    };
    let rfc = match error {
        Error::Unsecured => "RFC 8725 §3.2",
        Error::AlgorithmUnknown | Error::AlgorithmMismatch { .. } => "RFC 8725 §3.1",
        _ => "RFC 7517 §4",
    };
    Step {
        found: Some(asked_for(header)),
        expected: Some(one_of(keys)),
        fix: Some(fix.to_owned()),
        keys: considered(header, keys, None, Some(error)),
        ..step("key", rules::of_key(error), rfc, summary)
    }
}

/// Every key of the set, and why it was not taken: the reasons of [`JwkSet::find`], which has decided.
fn considered(
    header: &Header,
    keys: &JwkSet,
    taken: Option<&VerifyingKey>,
    error: Option<&Error>,
) -> Vec<ConsideredKey> {
    let alg = header.algorithm().ok();
    let usable = keys.keys().map(|key| {
        let is_taken = taken.is_some_and(|taken| std::ptr::eq(taken, key));
        ConsideredKey {
            kid: key.key_id().map(plain),
            alg: Some(key.algorithm().name()),
            refused: (!is_taken).then(|| refused(key, header, alg, error)),
        }
    });
    let unusable = keys.unusable().iter().map(|key| ConsideredKey {
        kid: key.kid.as_deref().map(plain),
        alg: None,
        refused: Some(format!("unusable: {}", key.reason)),
    });
    usable.chain(unusable).collect()
}

fn refused(
    key: &VerifyingKey,
    header: &Header,
    alg: Option<Algorithm>,
    error: Option<&Error>,
) -> String {
    // A set of one nameless key compares no names: there it is the algorithm alone.
    let names_count =
        key.key_id().is_some() || !matches!(error, Some(Error::AlgorithmMismatch { .. }));
    let mut reasons = Vec::new();
    if let (Some(kid), true) = (header.kid(), names_count) {
        match key.key_id() {
            Some(own) if own == kid => {}
            Some(_) => reasons.push("the token names another kid"),
            None => reasons.push("the token names a kid, and this key has none"),
        }
    }
    if alg.is_none() {
        reasons.push("the token's alg is none that a key can have");
    } else if alg != Some(key.algorithm()) {
        reasons.push("the token's alg is another");
    }
    if reasons.is_empty() {
        reasons.push("it fits, and so does another: nothing says which of them signed");
    }
    reasons.join("; ")
}

pub(super) fn embedded_key(key: &VerifyingKey) -> Step {
    let summary = format!(
        "jwk is a public key for {}; who holds it is for the access token to say",
        key.algorithm()
    );
    Step {
        found: Some(format!("a public key, {}", kind(key))),
        ..embedded(summary)
    }
}

fn embedded(summary: String) -> Step {
    Step {
        expected: Some("a public key in the header's jwk".to_owned()),
        ..step("key", rules::EMBEDDED_KEY, "RFC 9449 §4.3", summary)
    }
}

pub(super) fn embedded_key_failed(error: &Error) -> Step {
    let fix = match error {
        Error::TypeMismatch { .. } => "send a DPoP proof; tokens of other kinds are no proof",
        _ => "the client has to sign with a key pair, and put its public half into the header",
    };
    Step {
        fix: Some(fix.to_owned()),
        ..embedded(error.to_string())
    }
}
