//! Keys that must not be taken, and keys that must not leak.

use countersign::{Algorithm, Error, Jwk, JwkSet, SigningKey, VerifyingKey, WeakKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::*;

fn public_key(jwk: Value, algorithm: Algorithm) -> &'static str {
    code(
        Jwk::parse(jwk.to_string().as_bytes())
            .and_then(|jwk| VerifyingKey::from_jwk_as(&jwk, algorithm)),
    )
}

#[test]
fn rejects_the_secrets_that_everybody_knows() {
    for secret in [
        "secret",
        "your-256-bit-secret",
        "your-384-bit-secret",
        "your-512-bit-secret",
        "changeme",
        "password",
        "jwt_secret",
        "supersecretkey",
        "AllYourBase",
        "0123456789abcdef0123456789abcdef",
        "00000000000000000000000000000000",
        "qwertyuiopasdfghjklzxcvbnm123456",
    ] {
        assert_eq!(
            code(SigningKey::from_secret(Algorithm::HS256, secret)),
            "key_weak",
            "{secret}"
        );
    }
}

#[test]
fn rejects_the_hexadecimal_digits_of_a_secret_that_is_too_short() {
    let digits = "4f1c9a07e3b58d26c0f7a41e9b3d5c82";
    for digits in [digits.to_owned(), digits.to_uppercase()] {
        let error = SigningKey::from_secret(Algorithm::HS256, digits).unwrap_err();
        assert_eq!(error.code(), "key_weak");
        assert_eq!(
            error.to_string(),
            "the secret is the hexadecimal digits of 16 bytes, HS256 needs those of at least 32; make them with \
             `openssl rand -hex 32`"
        );
    }
    let enough = format!("{digits}d16e0b7f2c48a395e7f01b6d4a8c3952");
    assert_eq!(
        code(SigningKey::from_secret(Algorithm::HS256, &enough)),
        "ok"
    );
    assert_eq!(
        code(SigningKey::from_secret(Algorithm::HS384, &enough)),
        "key_weak"
    );
}

#[test]
fn rejects_rsa_keys_whose_numbers_cannot_be() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let jwk: Value =
        serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
    let n = unb64(jwk["n"].as_str().unwrap());
    let rsa = |n: &[u8], e: &[u8]| {
        let jwk = json!({"kty": "RSA", "n": b64(n), "e": b64(e)});
        [Algorithm::RS256, Algorithm::PS512].map(|algorithm| public_key(jwk.clone(), algorithm))
    };
    assert_eq!(rsa(&n, &[1, 0, 1]), ["ok"; 2]);
    let even: Vec<u8> = n.iter().copied().take(255).chain([n[255] & 0xfe]).collect();
    assert_eq!(rsa(&even, &[1, 0, 1]), ["key_unfit"; 2]);
    assert_eq!(rsa(&[&[0][..], &n].concat(), &[1, 0, 1]), ["key_format"; 2]);
    assert_eq!(rsa(&n[..128], &[1, 0, 1]), ["key_weak"; 2]);
    assert_eq!(rsa(&n.repeat(5), &[1, 0, 1]), ["key_weak"; 2]);
    for e in [&[1][..], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1], &[0xff; 8], &n] {
        assert_eq!(rsa(&n, e), ["key_weak"; 2], "{e:?}");
    }
    for e in [&[][..], &[0], &[0, 3]] {
        assert_eq!(rsa(&n, e), ["key_format"; 2], "{e:?}");
    }
}

/// A number of 2048 bits that is a power of 65537 modulo every small prime, as the moduli of the faulty generator are.
const FACTORABLE: &str = concat!(
    "d4d8a2011f86b4af84f68ac301109dc33e50f59ba066604872a0a4b2f3049014d480d80c6c7daa1664d1140e850d3d89",
    "8d1bd830a35c9311139df5906afc444dcb207aad8da0c843475e895350cabda4d0258caf8f01745f93c0adb8df0dc1e6",
    "dfe7e310d15fb12f919403f3559caff0f30711660b57cf004038f57ad972d348f3f1cb82630a1bc90a64a7fd5366fdfc",
    "7e68ad02dff0008d316f1f27e30ccc2bbf661935799ae1f111574b543d5a2a1cae0117c037e7be0f1494cc9d0846f3c1",
    "35ef2d7f3f5c1bccbe0506cf7e04f505bc315a1a52a3d547c8e1e843578a117dab994ce2ecd4cf245652dcddb1573e2b",
    "aeaa12700ed419924985882b9056cca1",
);

#[test]
fn rejects_a_modulus_of_the_faulty_generator() {
    let octets = |digits: &str| -> Vec<u8> {
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect()
    };
    let mut n = octets(FACTORABLE);
    let jwk = |n: &[u8]| json!({"kty": "RSA", "n": b64(n), "e": "AQAB"});
    let reason = Jwk::parse(jwk(&n).to_string().as_bytes())
        .and_then(|jwk| VerifyingKey::from_jwk_as(&jwk, Algorithm::RS256))
        .unwrap_err();
    assert_eq!(reason, Error::KeyWeak(WeakKey::Roca));
    let set = JwkSet::parse(json!({"keys": [jwk(&n)]}).to_string().as_bytes()).unwrap();
    assert_eq!(
        (set.keys().count(), &set.unusable()[0].reason),
        (0, &reason)
    );
    n[200] ^= 1;
    assert_eq!(public_key(jwk(&n), Algorithm::RS256), "ok");
}

#[test]
fn a_key_for_encryption_neither_signs_nor_verifies() {
    for alg in [
        "A256GCM",
        "A256KW",
        "A256GCMKW",
        "A128CBC-HS256",
        "dir",
        "PBES2-HS256+A128KW",
    ] {
        let oct = json!({"kty": "oct", "k": b64(&SECRET[..32]), "alg": alg});
        let oct = Jwk::parse(oct.to_string().as_bytes()).unwrap();
        assert_eq!(code(SigningKey::from_jwk(&oct)), "key_unfit", "{alg}");
        assert_eq!(
            code(SigningKey::from_jwk_as(&oct, Algorithm::HS256)),
            "key_unfit",
            "{alg}"
        );
        assert_eq!(
            code(VerifyingKey::from_jwk_as(&oct, Algorithm::HS256)),
            "key_unfit",
            "{alg}"
        );
    }
    for changes in [
        json!({"use": "enc"}),
        json!({"key_ops": ["encrypt", "decrypt"]}),
        json!({"key_ops": ["deriveBits"]}),
    ] {
        let mut oct = json!({"kty": "oct", "k": b64(&SECRET[..32]), "alg": "HS256"});
        oct.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let oct = Jwk::parse(oct.to_string().as_bytes()).unwrap();
        assert_eq!(code(SigningKey::from_jwk(&oct)), "key_unfit", "{changes}");
        assert_eq!(code(VerifyingKey::from_jwk(&oct)), "key_unfit", "{changes}");
    }
}

#[test]
fn private_keys_leave_in_texts_that_are_wiped_when_dropped() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let _jwk: Zeroizing<String> = key.to_jwk().to_json();
    let _pem: Zeroizing<String> = key.to_pem().unwrap();
    let _der: Zeroizing<Vec<u8>> = key.to_der().unwrap();
}

#[test]
fn a_kid_in_another_case_or_of_another_type_names_another_key() {
    let keys: Vec<SigningKey> = (0..3)
        .map(|_| SigningKey::generate(Algorithm::ES256).unwrap())
        .collect();
    let with_kid = |key: &SigningKey, kid: Value| {
        let mut jwk: Value =
            serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
        jwk["kid"] = kid;
        jwk
    };
    let set = json!({"keys": [with_kid(&keys[0], json!("a1")), with_kid(&keys[1], json!("A1")), with_kid(&keys[2], json!(1))]});
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(
        set.unusable()
            .iter()
            .map(|key| (key.index, key.reason.code()))
            .collect::<Vec<_>>(),
        [(2, "key_format")]
    );
    let verifier = countersign::Verifier::new(set, policy());
    let verify = |key: &SigningKey, kid: &str| {
        code(verifier.verify::<Value>(&key.clone().with_key_id(kid).sign(&claims()).unwrap(), NOW))
    };
    assert_eq!(
        (verify(&keys[0], "a1"), verify(&keys[1], "A1")),
        ("ok", "ok")
    );
    assert_eq!(
        (verify(&keys[0], "A1"), verify(&keys[1], "a1")),
        ("signature_invalid", "signature_invalid")
    );
    assert_eq!(
        (verify(&keys[2], "1"), verify(&keys[0], "a1 ")),
        ("key_not_found", "key_not_found")
    );
}

#[test]
fn the_certificate_in_a_jwk_is_no_key() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../data/rfc.json")).unwrap();
    let published = vectors
        .iter()
        .find(|vector| vector["rfc"] == 7517 && vector["kind"] == "jwk")
        .unwrap();
    assert!(published["key"]["x5c"].is_array());
    assert_eq!(public_key(published["key"].clone(), Algorithm::RS256), "ok");
    // Without numbers of its own there is no key, whatever the certificate holds.
    let mut bare = published["key"].clone();
    bare.as_object_mut().unwrap().remove("n");
    assert_eq!(public_key(bare, Algorithm::RS256), "key_format");
}
