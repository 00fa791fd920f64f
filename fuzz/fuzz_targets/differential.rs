//! The same token, key and policy here and in jsonwebtoken: where the two part, one of the kinds below says why.
#![no_main]

use std::time::SystemTime;

use countersign::{Error, Timestamp};
use countersign_fuzz::{AUD, ISS, SECRET, signed, signed_text, verifier};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// What is refused here and accepted there: our code, and the rule that the other library leaves to its caller.
const STRICTER: [(&str, &str); 13] = [
    ("claim_foreign", "RFC 8725 §3.12: the claims of another kind of token"),
    ("claim_type", "RFC 7519 §4.1: a registered claim of the wrong type, whether or not it is expected"),
    ("critical_unsupported", "RFC 7515 §4.1.11: `crit` is read there and never checked"),
    ("issued_in_future", "RFC 7519 §4.1.6: `iat` is not looked at there"),
    ("malformed_duplicate_member", "RFC 7515 §4, RFC 7519 §4: the last of two members counts there"),
    (
        "malformed_header_member",
        "RFC 7515 §4.1: a null passes for an absent member there; `kid` has no limit",
    ),
    (
        "malformed_not_object",
        "RFC 7519 §7.2: an array is read there as claims in the order of a struct's fields",
    ),
    ("malformed_too_deep", "RFC 8259 §9: nested deeper than 32 levels"),
    ("malformed_too_large", "RFC 8259 §9: larger than the limits"),
    ("malformed_too_many_values", "RFC 8259 §9: more values than the limit"),
    ("proof_required", "RFC 7800 §3.1: `cnf` without a proof"),
    ("type_mismatch", "RFC 8725 §3.11: `typ` is not looked at there"),
    ("unencoded_payload", "RFC 7797 §7: `b64` is not looked at there"),
];

/// Members of a header that are typed there, and here are none of a signed token's or never used.
const TYPED_THERE: [&str; 6] = ["enc", "jwk", "nonce", "url", "x5c", "zip"];

// Octets of a header and a payload with a line feed between, signed; or a token's text, under its own MAC and a good one.
fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |octet| *octet == b'\n');
    match (parts.next(), parts.next()) {
        (Some(header), Some(payload)) => compare(&signed(header, payload)),
        _ => {
            if let Ok(text) = std::str::from_utf8(input) {
                compare(text);
                compare(&signed_text(text.rsplit_once('.').map_or(text, |(signing_input, _)| signing_input)));
            }
        }
    }
});

fn compare(token: &str) {
    let now = Timestamp::from(SystemTime::now());
    let ours = verifier().verify::<Value>(token, now);
    let theirs = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(SECRET), &validation());
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(*ours.claims(), theirs.claims),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(theirs)) => {
            let listed = STRICTER.iter().any(|(code, _)| *code == error.code());
            assert!(listed || is_close(&error, now), "only they accept: {error}\n{theirs:?}");
        }
        (Ok(ours), Err(error)) => {
            let typed = matches!(error.kind(), ErrorKind::Json(_))
                && TYPED_THERE.iter().any(|name| ours.header().get(name).is_some());
            assert!(typed, "only we accept: {error}\n{ours:?}");
        }
    }
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISS]);
    validation.set_audience(&[AUD]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}

/// At the second of `exp` a token has expired here and not there, and each side looks at the clock once.
fn is_close(error: &Error, now: Timestamp) -> bool {
    match error {
        Error::Expired { at } | Error::NotYetValid { from: at } => {
            at.unix_secs().abs_diff(now.unix_secs()) <= 2
        }
        _ => false,
    }
}
