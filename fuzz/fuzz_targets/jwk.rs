//! A document where a JWK should be: a key that is read is written, reads as itself, and has one thumbprint in every form.
#![no_main]

use countersign::{ImportedKey, Jwk, SigningKey, VerifyingKey};
use countersign_fuzz::within_memory;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|document: &[u8]| {
    if let Ok(jwk) = Jwk::parse(document) {
        check(&jwk);
    }
    within_memory(document.len(), || Jwk::parse(document));
});

fn check(jwk: &Jwk) {
    let again = Jwk::parse(jwk.to_json().as_bytes()).expect("what was written can be read");
    assert_eq!(again.to_json(), jwk.to_json());
    assert_eq!(again.thumbprint(), jwk.thumbprint());
    assert_eq!(again.algorithm(), jwk.algorithm());
    if let Ok(key) = VerifyingKey::from_jwk(jwk) {
        assert_eq!(jwk.algorithm(), Ok(key.algorithm()));
        assert_eq!(key.to_public_jwk().is_none(), key.algorithm().is_symmetric());
        if let Some(public) = key.to_public_jwk() {
            let public = Jwk::parse(public.to_json().as_bytes()).expect("a public JWK");
            assert!(!public.is_private());
            assert_eq!(public.thumbprint(), jwk.thumbprint());
            let pem = key.to_pem().expect("a public key has a PEM form");
            let imported = ImportedKey::read(pem.as_bytes()).expect("its PEM can be read");
            assert_eq!(imported.jwk.thumbprint(), jwk.thumbprint());
        }
    }
    if let Ok(key) = SigningKey::from_jwk(jwk) {
        assert!(jwk.is_private());
        let token = key.sign(&json!({})).expect("a signing key signs");
        let keys = countersign::JwkSet::from(key.verifying_key());
        let jws = countersign::Jws::parse(&token);
        jws.expect("a token").verify(&keys).expect("its own signature");
    }
}
