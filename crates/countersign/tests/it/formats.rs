//! Keys as OpenSSL writes them, in every format, and what an import says of them.

mod bundles;
mod pss;

use countersign::{Algorithm, Error, ImportedKey, SigningKey, VerifyingKey};

use crate::support::code;

/// A file of tests/data/keys, in PEM.
macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../data/keys/", $name, ".pem"))
    };
}

/// The octets inside the armour.
fn der(pem: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1
}

const PASSWORD: &str = "lantern";

#[test]
fn every_format_is_read_and_named() {
    let read = [
        (
            key!("rsa-pkcs1"),
            "an RSA private key of 2048 bits (PKCS#1, PEM)",
        ),
        (
            key!("rsa-pkcs8"),
            "an RSA private key of 2048 bits (PKCS#8, PEM)",
        ),
        (
            key!("rsa-pkcs1-public"),
            "an RSA public key of 2048 bits (PKCS#1, PEM)",
        ),
        (
            key!("rsa-spki"),
            "an RSA public key of 2048 bits (SPKI, PEM)",
        ),
        (
            key!("rsa-x509"),
            "an RSA public key of 2048 bits (X.509, PEM)",
        ),
        (key!("p256-sec1"), "an EC private key on P-256 (SEC1, PEM)"),
        (
            key!("p256-sec1-no-public"),
            "an EC private key on P-256 (SEC1, PEM)",
        ),
        (
            key!("p256-pkcs8"),
            "an EC private key on P-256 (PKCS#8, PEM)",
        ),
        (
            key!("p256-pkcs8-no-public"),
            "an EC private key on P-256 (PKCS#8, PEM)",
        ),
        (key!("p256-spki"), "an EC public key on P-256 (SPKI, PEM)"),
        (key!("p256-x509"), "an EC public key on P-256 (X.509, PEM)"),
        (key!("p384-sec1"), "an EC private key on P-384 (SEC1, PEM)"),
        (
            key!("p384-pkcs8"),
            "an EC private key on P-384 (PKCS#8, PEM)",
        ),
        (key!("p384-spki"), "an EC public key on P-384 (SPKI, PEM)"),
        (key!("p521-sec1"), "an EC private key on P-521 (SEC1, PEM)"),
        (
            key!("p521-pkcs8"),
            "an EC private key on P-521 (PKCS#8, PEM)",
        ),
        (key!("p521-x509"), "an EC public key on P-521 (X.509, PEM)"),
        (
            key!("secp256k1-sec1"),
            "an EC private key on secp256k1 (SEC1, PEM)",
        ),
        (
            key!("secp256k1-spki"),
            "an EC public key on secp256k1 (SPKI, PEM)",
        ),
        (
            key!("ed25519-pkcs8"),
            "an Ed25519 private key (PKCS#8, PEM)",
        ),
        (key!("ed25519-spki"), "an Ed25519 public key (SPKI, PEM)"),
        (key!("ed25519-x509"), "an Ed25519 public key (X.509, PEM)"),
    ];
    for (pem, said) in read {
        assert_eq!(ImportedKey::read(pem.as_bytes()).unwrap().to_string(), said);
        let from_der = ImportedKey::read(&der(pem)).unwrap();
        assert_eq!(from_der.to_string(), said.replace(", PEM", ""));
    }
}

#[test]
fn the_files_of_one_key_hold_one_key() {
    let same = |pems: &[&str]| {
        let mut thumbprints: Vec<String> = pems
            .iter()
            .map(|pem| {
                ImportedKey::read(pem.as_bytes())
                    .unwrap()
                    .jwk
                    .thumbprint()
                    .to_string()
            })
            .collect();
        thumbprints.dedup();
        assert_eq!(thumbprints.len(), 1, "{thumbprints:?}");
    };
    same(&[
        key!("rsa-pkcs1"),
        key!("rsa-pkcs8"),
        key!("rsa-pkcs1-public"),
        key!("rsa-spki"),
        key!("rsa-x509"),
    ]);
    same(&[
        key!("p256-sec1"),
        key!("p256-sec1-no-public"),
        key!("p256-pkcs8"),
        key!("p256-pkcs8-no-public"),
        key!("p256-spki"),
        key!("p256-x509"),
    ]);
    same(&[
        key!("p384-sec1"),
        key!("p384-pkcs8"),
        key!("p384-spki"),
        key!("p384-x509"),
    ]);
    same(&[
        key!("p521-sec1"),
        key!("p521-pkcs8"),
        key!("p521-spki"),
        key!("p521-x509"),
    ]);
    same(&[
        key!("secp256k1-sec1"),
        key!("secp256k1-pkcs8"),
        key!("secp256k1-spki"),
        key!("secp256k1-x509"),
    ]);
    same(&[
        key!("ed25519-pkcs8"),
        key!("ed25519-spki"),
        key!("ed25519-x509"),
    ]);
}

#[test]
fn an_encrypted_key_opens_with_its_password_and_no_other() {
    let pem = key!("rsa-encrypted");
    let key = SigningKey::from_encrypted_pem(Algorithm::RS256, pem, PASSWORD).unwrap();
    let plain = SigningKey::from_pem(Algorithm::RS256, key!("rsa-pkcs8")).unwrap();
    assert_eq!(key.thumbprint(), plain.thumbprint());
    let opened = ImportedKey::read_encrypted(&der(pem), PASSWORD).unwrap();
    assert_eq!(
        opened.to_string(),
        "an RSA private key of 2048 bits (encrypted PKCS#8)"
    );
    let refused = |outcome: Result<ImportedKey, Error>| outcome.unwrap_err().to_string();
    assert_eq!(
        refused(ImportedKey::read(pem.as_bytes())),
        "this private key is encrypted: give its password, or decrypt it first: openssl pkey -in key.pem -out plain.pem"
    );
    assert_eq!(
        refused(ImportedKey::read_encrypted(pem.as_bytes(), "lanterns")),
        "this private key is encrypted, and the password does not open it (or it is encrypted in a way not known here: PBES2 with SHA-2 and AES is)"
    );
}

#[test]
fn what_is_not_read_is_named_with_the_way_out() {
    for (pem, said) in [
        (
            key!("rsa-legacy-encrypted"),
            "this private key is encrypted the way PEM did before PKCS#8; decrypt it with `openssl pkey -in key.pem -out plain.pem`, or give its public half: `openssl pkey -in key.pem -pubout`",
        ),
        (
            key!("p256-spki-compressed"),
            "this EC key holds a compressed point",
        ),
        (
            key!("p256-sec1-explicit"),
            "this should be an EC private key (SEC1), but its DER is malformed",
        ),
        (
            key!("ed448-pkcs8"),
            "this is a key of a kind not known here (object identifier 1.3.101.113)",
        ),
    ] {
        let error = ImportedKey::read(pem.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(error.code(), "key_format");
    }
    assert_eq!(code(ImportedKey::read(b"")), "key_format");
    assert_eq!(code(ImportedKey::read(b"hello")), "key_format");
    assert_eq!(
        code(SigningKey::from_pem(
            Algorithm::RS256,
            key!("rsa-1024-pkcs8")
        )),
        "key_weak"
    );
}

#[test]
fn keys_survive_der_in_both_halves() {
    for algorithm in Algorithm::ALL
        .iter()
        .filter(|algorithm| !algorithm.is_symmetric())
    {
        let key = SigningKey::generate(*algorithm).unwrap();
        let private = SigningKey::from_der(*algorithm, &key.to_der().unwrap()).unwrap();
        let public =
            VerifyingKey::from_der(*algorithm, &key.verifying_key().to_der().unwrap()).unwrap();
        assert_eq!(
            (private.thumbprint(), public.thumbprint()),
            (key.thumbprint(), key.thumbprint()),
            "{algorithm}"
        );
    }
}

#[test]
fn a_public_key_is_not_taken_for_a_private_one_in_any_format() {
    for (algorithm, pem) in [
        (Algorithm::RS256, key!("rsa-spki")),
        (Algorithm::RS256, key!("rsa-pkcs1-public")),
        (Algorithm::RS256, key!("rsa-x509")),
        (Algorithm::ES256, key!("p256-spki")),
        (Algorithm::EdDSA, key!("ed25519-x509")),
    ] {
        assert!(VerifyingKey::from_pem(algorithm, pem).is_ok());
        assert_eq!(code(SigningKey::from_pem(algorithm, pem)), "key_unfit");
        assert_eq!(
            code(SigningKey::from_der(algorithm, &der(pem))),
            "key_unfit"
        );
    }
}

#[test]
fn rejects_an_encrypted_key_that_names_a_ruinous_cost() {
    // Twenty million rounds of PBKDF2; a quarter of a gigabyte for scrypt. Neither is derived.
    for pem in [key!("p256-pbkdf2-costly"), key!("p256-scrypt-costly")] {
        let error = ImportedKey::read_encrypted(pem.as_bytes(), PASSWORD).unwrap_err();
        let said = "opening this encrypted private key would take too much time or memory";
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(code(ImportedKey::read(pem.as_bytes())), "key_encrypted");
    }
    let pem = key!("p256-scrypt");
    assert!(ImportedKey::read_encrypted(pem.as_bytes(), PASSWORD).is_ok());
}
