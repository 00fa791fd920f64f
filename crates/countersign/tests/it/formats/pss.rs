//! RSA keys that are for PSS alone (id-RSASSA-PSS, RFC 8017 §A.2.3; RFC 4055 §3.1).

use countersign::{Algorithm, ImportedKey, Jwk, SigningKey, VerifyingKey};

use crate::support::code;

const ANY: &str = include_str!("../../data/keys/rsa-pss-pkcs8.pem");
const ANY_PUBLIC: &str = include_str!("../../data/keys/rsa-pss-spki.pem");
const SHA256: &str = include_str!("../../data/keys/rsa-pss-sha256-pkcs8.pem");
const SHA256_PUBLIC: &str = include_str!("../../data/keys/rsa-pss-sha256-spki.pem");
const SHA1_PUBLIC: &str = include_str!("../../data/keys/rsa-pss-sha1-spki.pem");

fn fitting(pem: &str) -> Vec<&'static str> {
    let fits = |algorithm: &&Algorithm| VerifyingKey::from_pem(**algorithm, pem).is_ok();
    let fitting = Algorithm::ALL.iter().filter(fits);
    fitting.map(|algorithm| algorithm.name()).collect()
}

#[test]
fn such_a_key_fits_pss_and_with_parameters_one_hash_of_it() {
    for (pem, said, algorithms) in [
        (
            ANY,
            "an RSA-PSS private key of 2048 bits (PKCS#8, PEM)",
            &["PS256", "PS384", "PS512"][..],
        ),
        (
            ANY_PUBLIC,
            "an RSA-PSS public key of 2048 bits (SPKI, PEM)",
            &["PS256", "PS384", "PS512"],
        ),
        (
            SHA256,
            "an RSA-PSS private key of 2048 bits for PS256 (PKCS#8, PEM)",
            &["PS256"],
        ),
        (
            SHA256_PUBLIC,
            "an RSA-PSS public key of 2048 bits for PS256 (SPKI, PEM)",
            &["PS256"],
        ),
    ] {
        let imported = ImportedKey::read(pem.as_bytes()).unwrap();
        assert_eq!(imported.to_string(), said);
        assert_eq!(fitting(pem), algorithms);
        let own = imported.jwk.algorithm();
        assert_eq!(own.is_ok(), algorithms.len() == 1, "{own:?}");
        let refused = VerifyingKey::from_pem(Algorithm::RS256, pem).unwrap_err();
        assert!(refused.to_string().contains("RSA-PSS"), "{refused}");
        assert_eq!(refused.code(), "key_unfit");
    }
}

#[test]
fn its_signatures_hold() {
    for (private, public) in [(ANY, ANY_PUBLIC), (SHA256, SHA256_PUBLIC)] {
        let key = SigningKey::from_pem(Algorithm::PS256, private).unwrap();
        let jws = countersign::JwsBuilder::new("text")
            .signer(&key)
            .sign()
            .unwrap();
        let keys = VerifyingKey::from_pem(Algorithm::PS256, public)
            .unwrap()
            .into();
        assert!(jws.verify(&keys).is_ok());
    }
}

#[test]
fn rejects_parameters_that_no_algorithm_has() {
    let refused = ImportedKey::read(SHA1_PUBLIC.as_bytes()).unwrap_err();
    assert_eq!(refused.code(), "key_unfit");
    assert!(refused.to_string().contains("PS256"), "{refused}");
    let (_, mut der) = pem_rfc7468::decode_vec(SHA256_PUBLIC.as_bytes()).unwrap();
    // The salt may be shorter than the hash and no longer; 33 is.
    let salt = [0xa2, 0x03, 0x02, 0x01, 0x20];
    let at = der.windows(5).position(|window| window == salt).unwrap();
    for (length, outcome) in [
        (0x10, "ok"),
        (0x20, "ok"),
        (0x21, "key_unfit"),
        (0xff, "key_format"),
    ] {
        der[at + 4] = length;
        assert_eq!(code(ImportedKey::read(&der)), outcome, "{length}");
    }
}

#[test]
fn it_stays_for_pss_when_it_is_written() {
    for (pem, algorithm) in [(ANY, Algorithm::PS384), (SHA256, Algorithm::PS256)] {
        let imported = ImportedKey::read(pem.as_bytes()).unwrap();
        let key = SigningKey::from_jwk_as(&imported.jwk, algorithm).unwrap();
        assert_eq!(*key.to_pem().unwrap(), pem);
        let public = key.verifying_key().to_pem().unwrap();
        assert_eq!(fitting(&public), fitting(pem));
        let jwk = Jwk::parse(key.to_jwk().to_json().as_bytes()).unwrap();
        assert_eq!(jwk.algorithm(), Ok(algorithm));
        assert_eq!(jwk.thumbprint(), imported.jwk.thumbprint());
    }
}
