//! Octets where the claims of a signed token should be: verifying and explaining agree, what is accepted satisfies the
//! policy, and no two kinds of token take the same one.
#![no_main]

use std::sync::LazyLock;

use countersign::{Policy, Verified, Verifier};
use countersign_fuzz::{AUD, ISS, NOW, key, signed, verifier, verify_and_explain, within_memory};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Every kind of token, by its `typ`.
static KINDS: LazyLock<[(&str, Verifier); 6]> = LazyLock::new(|| {
    [
        ("JWT", Policy::new(ISS, AUD)),
        ("at+jwt", Policy::access_token(ISS, AUD)),
        ("JWT", Policy::id_token(ISS, AUD, "n-0S6")),
        ("logout+jwt", Policy::logout_token(ISS, AUD)),
        ("client-authentication+jwt", Policy::client_assertion(ISS, AUD)),
        ("statuslist+jwt", Policy::status_list(ISS, AUD)),
    ]
    .map(|(typ, policy)| (typ, Verifier::new(key(), policy)))
});

fuzz_target!(|payload: &[u8]| {
    let token = signed(br#"{"alg":"HS256"}"#, payload);
    if let Ok(verified) = verify_and_explain(&verifier(), &token) {
        check(payload, &verified);
    }
    within_memory(token.len(), || verifier().verify::<Value>(&token, NOW));

    for (typ, _) in &*KINDS {
        let token = signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#).as_bytes(), payload);
        let accepting = KINDS.iter().filter(|(_, verifier)| verifier.verify::<Value>(&token, NOW).is_ok());
        assert!(accepting.count() <= 1);
    }
});

fn check(payload: &[u8], verified: &Verified<Value>) {
    let claims: Value = serde_json::from_slice(payload).expect("what is accepted is JSON");
    assert_eq!(claims, *verified.claims());
    let registered = verified.registered();
    assert_eq!(registered.iss(), Some(ISS));
    assert!(registered.aud().iter().any(|aud| aud == AUD));
    assert!(registered.exp().is_some_and(|exp| exp > NOW));
    assert!(registered.nbf().is_none_or(|nbf| nbf <= NOW));
    assert!(registered.iat().is_none_or(|iat| iat.unix_secs() <= NOW.unix_secs() + 30));
}
