//! Documents that hold more than one key's worth of truth: halves, pairs and forms that must agree.

use base64::Engine as _;
use countersign::{Algorithm, ImportedKey, Jwk, JwkSet, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use crate::support::*;

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        _ => [
            &[tag, 0x82][..],
            &u16::try_from(length).unwrap().to_be_bytes(),
        ]
        .concat(),
    };
    [head, content.to_vec()].concat()
}

/// PKCS#8 of version 2, with a public key of the caller's (RFC 5958 §2).
fn pkcs8_v2(algorithm: &[u8], private: &[u8], public: &[u8]) -> Vec<u8> {
    let public = element(0x81, &[&[0][..], public].concat());
    let body = [&[2, 1, 1][..], algorithm, &element(4, private), &public].concat();
    element(0x30, &body)
}

fn ed25519_algorithm(parameters: &[u8]) -> Vec<u8> {
    element(0x30, &[&[6, 3, 0x2b, 0x65, 0x70][..], parameters].concat())
}

fn member(key: &SigningKey, name: &str) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    unb64(jwk[name].as_str().unwrap())
}

#[test]
fn rejects_a_private_key_beside_the_public_key_of_another() {
    let (key, other) = (
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
    );
    let seed = element(4, &member(&key, "d"));
    let document = |public: &[u8]| pkcs8_v2(&ed25519_algorithm(&[]), &seed, public);
    assert_eq!(code(ImportedKey::read(&document(&member(&key, "x")))), "ok");
    assert_eq!(
        code(ImportedKey::read(&document(&member(&other, "x")))),
        "key_unfit"
    );
}

#[test]
fn rejects_parameters_where_an_algorithm_has_none() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let spki = |parameters: &[u8]| {
        let bits = element(3, &[&[0][..], &member(&key, "x")].concat());
        element(0x30, &[ed25519_algorithm(parameters), bits].concat())
    };
    assert_eq!(
        code(VerifyingKey::from_der(Algorithm::EdDSA, &spki(&[]))),
        "ok"
    );
    assert_eq!(
        code(VerifyingKey::from_der(Algorithm::EdDSA, &spki(&[5, 0]))),
        "key_format"
    );
}

#[test]
fn rejects_an_ec_document_whose_point_is_of_another_key() {
    let (key, other) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let point = [vec![4], member(&key, "x"), member(&key, "y")].concat();
    let mut document = key.to_der().unwrap().to_vec();
    let at = document
        .windows(65)
        .position(|window| window == point)
        .unwrap();
    let foreign = [vec![4], member(&other, "x"), member(&other, "y")].concat();
    document.splice(at..at + 65, foreign);
    assert_eq!(
        code(SigningKey::from_der(Algorithm::ES256, &document)),
        "key_unfit"
    );
    assert_eq!(
        code(VerifyingKey::from_der(Algorithm::ES256, &document)),
        "key_unfit"
    );
}

#[test]
fn an_ml_dsa_key_in_both_forms_is_one_key() {
    let key = SigningKey::generate(Algorithm::MlDsa44).unwrap();
    let seed = member(&key, "priv");
    let algorithm = element(0x30, &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11]);
    let document = |private: Vec<u8>| {
        element(
            0x30,
            &[&[2, 1, 0][..], &algorithm, &element(4, &private)].concat(),
        )
    };
    let alone = document([&[0x80, 0x20][..], &seed].concat());
    assert_eq!(code(ImportedKey::read(&alone)), "ok");
    for expanded in [vec![9; 2560], vec![9], vec![]] {
        let both = element(0x30, &[element(4, &seed), element(4, &expanded)].concat());
        assert_eq!(
            code(ImportedKey::read(&document(both))),
            "key_unfit",
            "{}",
            expanded.len()
        );
    }
    let garbage = [&[0x30, 0x82, 0, 0, 4, 0x20][..], &seed, b"no DER at all"].concat();
    assert_eq!(code(ImportedKey::read(&document(garbage))), "key_format");
}

#[test]
fn a_key_is_for_what_it_says_also_after_it_was_written_again() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
        jwk[name] = value;
        Jwk::parse(jwk.to_string().as_bytes()).unwrap()
    };
    for jwk in [
        with("use", json!("enc")),
        with("key_ops", json!(["deriveKey"])),
    ] {
        let again = Jwk::parse(jwk.to_json().as_bytes()).unwrap();
        assert_eq!(code(SigningKey::from_jwk(&jwk)), "key_unfit");
        assert_eq!(code(SigningKey::from_jwk(&again)), "key_unfit");
    }
}

#[test]
fn a_public_key_for_signing_alone_does_not_verify() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let verifies = |private: bool, members: Value| {
        let mut jwk: Value = if private {
            serde_json::from_str(&key.to_jwk().to_json()).unwrap()
        } else {
            serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap()
        };
        for name in ["use", "key_ops"] {
            jwk.as_object_mut().unwrap().remove(name);
            if let Some(value) = members.get(name) {
                jwk[name] = value.clone();
            }
        }
        code(Jwk::parse(jwk.to_string().as_bytes()).and_then(|jwk| VerifyingKey::from_jwk(&jwk)))
    };
    assert_eq!(verifies(false, json!({"key_ops": ["sign"]})), "key_unfit");
    assert_eq!(verifies(false, json!({"key_ops": ["verify"]})), "ok");
    assert_eq!(verifies(true, json!({"key_ops": ["sign"]})), "ok");
    assert_eq!(
        verifies(true, json!({"use": "sig", "key_ops": ["sign"]})),
        "ok"
    );
    assert_eq!(
        verifies(
            false,
            json!({"use": "sig", "key_ops": ["verify", "encrypt"]})
        ),
        "key_unfit"
    );
}

#[test]
fn rejects_an_rsa_jwk_with_some_of_its_private_members() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    for absent in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
        jwk.as_object_mut().unwrap().remove(absent);
        assert_eq!(
            code(Jwk::parse(jwk.to_string().as_bytes())),
            "key_format",
            "{absent}"
        );
    }
}

#[test]
fn a_secret_is_unusable_beside_any_key_pair_that_cannot_be_used_either() {
    let oct = json!({"kty": "oct", "k": b64(&SECRET[..32]), "alg": "HS256", "kid": "s"});
    for beside in [
        json!({"kty": "OKP", "crv": "X25519", "x": b64([9; 32])}),
        json!({"kty": "EC", "use": "enc"}),
        json!({"kty": "new"}),
    ] {
        let set = json!({"keys": [oct, beside]}).to_string();
        assert_eq!(
            JwkSet::parse(set.as_bytes()).unwrap().keys().count(),
            0,
            "{beside}"
        );
    }
}

#[test]
fn no_spelling_of_a_public_key_becomes_a_secret() {
    let public = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .verifying_key();
    let (pem, der) = (public.to_pem().unwrap(), public.to_der().unwrap());
    let jwk = public.to_public_jwk().unwrap().to_json();
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let hex: String = der.iter().map(|octet| format!("{octet:02x}")).collect();
    let utf_16: Vec<u8> = pem.bytes().flat_map(|octet| [octet, 0]).collect();
    let spellings: [(&str, Vec<u8>); 12] = [
        ("the body of a PEM document", body.clone().into_bytes()),
        (
            "the same in lines",
            pem.lines()
                .filter(|line| !line.starts_with("--"))
                .collect::<Vec<_>>()
                .join("\n")
                .into_bytes(),
        ),
        ("DER and a newline", [der.as_slice(), b"\n"].concat()),
        ("DER in base64url", b64(&der).into_bytes()),
        ("DER in hexadecimal", hex.into_bytes()),
        ("PEM in UTF-16", utf_16),
        ("JWK in base64url", b64(&jwk).into_bytes()),
        ("JWK and a zero", format!("{jwk}\0").into_bytes()),
        ("JWK and a comma", format!("{jwk},").into_bytes()),
        ("two JWKs", format!("{jwk}\n{jwk}").into_bytes()),
        (
            "a certificate chain",
            format!(r#"{{"x5c":["{body}"]}}"#).into_bytes(),
        ),
        (
            "an SSH key with options",
            b"restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB me@host".to_vec(),
        ),
    ];
    for (name, octets) in spellings {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(
                code(SigningKey::from_secret(algorithm, &octets)),
                "key_weak",
                "{name} {algorithm}"
            );
        }
    }
}

#[test]
fn a_curve_in_a_block_of_its_own_before_the_key_is_passed_over() {
    let key = include_str!("../data/keys/p256-sec1.pem");
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let pem = format!("{parameters}{key}");
    assert_eq!(code(SigningKey::from_pem(Algorithm::ES256, &pem)), "ok");
    assert_eq!(
        code(SigningKey::from_pem(
            Algorithm::ES256,
            &format!("{key}{key}")
        )),
        "key_format"
    );
}

#[test]
fn rejects_a_file_that_is_too_large_for_a_key() {
    let large = vec![0x30; 65 * 1024];
    assert_eq!(code(ImportedKey::read(&large)), "key_format");
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        "A".repeat(65 * 1024)
    );
    assert_eq!(
        code(VerifyingKey::from_pem(Algorithm::ES256, &pem)),
        "key_format"
    );
}

#[test]
fn rejects_a_jwk_beside_the_certificate_of_another_key() {
    let key = |pem: &str| {
        let jwk = ImportedKey::read(pem.as_bytes()).unwrap().jwk;
        serde_json::from_str::<Value>(&jwk.to_json()).unwrap()
    };
    let (ours, theirs) = (
        key(include_str!("../data/keys/rsa-spki.pem")),
        key(include_str!("../data/keys/p256-spki.pem")),
    );
    let certificate = pem_rfc7468::decode_vec(include_bytes!("../data/keys/rsa-x509.pem"));
    let certificate = base64::engine::general_purpose::STANDARD.encode(certificate.unwrap().1);
    let with = |mut jwk: Value, chain: Value| {
        jwk["x5c"] = chain;
        code(Jwk::parse(jwk.to_string().as_bytes()))
    };
    assert_eq!(with(ours.clone(), json!([certificate])), "ok");
    assert_eq!(with(theirs, json!([certificate])), "key_unfit");
    for chain in [
        json!([]),
        json!("x"),
        json!([1]),
        json!(["AAAA"]),
        json!(["?"]),
    ] {
        assert_eq!(with(ours.clone(), chain.clone()), "key_format", "{chain}");
    }
    for name in ["x5u", "x5t", "x5t#S256"] {
        for (value, expected) in [
            (json!("x"), "ok"),
            (json!(1), "key_format"),
            (json!(null), "key_format"),
        ] {
            let mut jwk = ours.clone();
            jwk[name] = value;
            assert_eq!(
                code(Jwk::parse(jwk.to_string().as_bytes())),
                expected,
                "{jwk}"
            );
        }
    }
}

#[test]
fn a_set_is_told_from_a_key() {
    let error = ImportedKey::read(br#"{"keys":[]}"#).unwrap_err();
    let said = "this is a JWK Set and not one key: take a member of its `keys`";
    assert_eq!(error.to_string(), said);
}

#[test]
fn rejects_a_key_whose_name_no_header_may_hold() {
    let key = |length: usize| {
        let jwk = SigningKey::generate(Algorithm::EdDSA)
            .unwrap()
            .with_key_id("k".repeat(length));
        Jwk::parse(jwk.to_jwk().to_json().as_bytes()).and_then(|jwk| SigningKey::from_jwk(&jwk))
    };
    assert!(key(256).unwrap().sign(&claims()).is_ok());
    assert_eq!(code(key(257)), "key_format");
}
