//! Octets where a key file should be: a key that is read has the same thumbprint in every form that it is written in.
#![no_main]

use countersign::{Algorithm, ImportedKey, Jwk, SigningKey, VerifyingKey};
use countersign_fuzz::within_memory;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(imported) = ImportedKey::read(octets) {
        check(&imported);
    }
    within_memory(octets.len(), || ImportedKey::read(octets));
});

fn check(imported: &ImportedKey) {
    assert!(!imported.to_string().is_empty());
    let jwk = &imported.jwk;
    let again = Jwk::parse(jwk.to_json().as_bytes()).expect("what was written can be read");
    assert_eq!(again.thumbprint(), jwk.thumbprint());
    assert_eq!(again.is_private(), jwk.is_private());

    let algorithm = jwk.algorithm().unwrap_or(Algorithm::RS256);
    let read =
        |octets: &[u8]| ImportedKey::read(octets).expect("what was written can be read").jwk.thumbprint();
    if let Ok(key) = VerifyingKey::from_jwk_as(jwk, algorithm) {
        let der = key.to_der().expect("a public key has a DER form");
        let pem = key.to_pem().expect("a public key has a PEM form");
        assert_eq!(read(&der), jwk.thumbprint());
        assert_eq!(read(pem.as_bytes()), jwk.thumbprint());
    }
    if let Ok(key) = SigningKey::from_jwk_as(jwk, algorithm) {
        let der = key.to_der().expect("a private key has a DER form");
        let pem = key.to_pem().expect("a private key has a PEM form");
        assert_eq!(read(&der), jwk.thumbprint());
        assert_eq!(read(pem.as_bytes()), jwk.thumbprint());
    }
}
