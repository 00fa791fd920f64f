//! Octets where a key file should be: a key that is read has the same thumbprint in every form that it is written in, and
//! a password around it changes nothing.
#![no_main]

use countersign::{Algorithm, Error, ImportedKey, Jwk, KeyFormat, SigningKey, VerifyingKey};
use countersign_fuzz::encrypted::{PASSWORD, encrypt, is_cheap, kdfs};
use countersign_fuzz::within_memory;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let read = ImportedKey::read(octets);
    if let Ok(imported) = &read {
        check(imported);
    }
    within_memory(octets.len(), || ImportedKey::read(octets));

    if matches!(read, Err(Error::KeyEncrypted)) && is_cheap(octets) {
        if let Ok(imported) = ImportedKey::read_encrypted(octets, PASSWORD) {
            assert_eq!(imported.format, KeyFormat::EncryptedPkcs8);
            check(&imported);
        }
        within_memory(octets.len(), || ImportedKey::read_encrypted(octets, PASSWORD));
    }
    behind_a_password(octets, read.ok().as_ref());
});

/// What is encrypted is read where it is PKCS#8, as what it is, and nothing else is.
fn behind_a_password(octets: &[u8], plain: Option<&ImportedKey>) {
    let plain = plain.filter(|plain| plain.format == KeyFormat::Pkcs8 && !plain.pem);
    for kdf in kdfs() {
        let document = encrypt(octets, kdf);
        assert_eq!(ImportedKey::read(&document).err(), Some(Error::KeyEncrypted));
        let opened = ImportedKey::read_encrypted(&document, PASSWORD).ok();
        assert_eq!(
            opened.map(|opened| opened.jwk.thumbprint()),
            plain.map(|plain| plain.jwk.thumbprint())
        );
        assert!(ImportedKey::read_encrypted(&document, "lamp").is_err());
    }
}

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
