//! Signatures at the edges: lengths, ranges, encodings and points that a careless primitive lets pass.

use countersign::{Algorithm, Error, Jwk, Policy, SigningKey, Unverified, Verifier, VerifyingKey};
use serde_json::{Value, json};

use crate::support::*;

/// The outcome for a token of `key` whose signature was replaced.
fn with_signature(key: &SigningKey, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> &'static str {
    let token = key.sign(&claims()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let token = format!("{input}.{}", b64(change(unb64(signature))));
    code(Verifier::new(key.verifying_key(), policy()).verify::<Value>(&token, NOW))
}

/// The order of the group of P-256.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn number(value: u8) -> [u8; 32] {
    let mut octets = [0; 32];
    octets[31] = value;
    octets
}

/// `a - b` for big-endian numbers with a >= b.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0i16;
    let mut difference: Vec<u8> = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    difference.reverse();
    difference
}

#[test]
fn rejects_ecdsa_signatures_with_r_or_s_out_of_range() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let (order_less_1, order) = (minus(&P256_ORDER, &number(1)), P256_ORDER.to_vec());
    let edges = [
        number(0).to_vec(),
        number(1).to_vec(),
        order_less_1,
        order,
        vec![0xff; 32],
    ];
    for r in &edges {
        for s in &edges {
            let forged = with_signature(&key, |_| [r.as_slice(), s].concat());
            assert_eq!(forged, "signature_invalid", "{r:?} {s:?}");
        }
    }
}

#[test]
fn accepts_ecdsa_with_a_high_s_which_jose_allows() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let other_s =
        |signature: Vec<u8>| [&signature[..32], &minus(&P256_ORDER, &signature[32..])].concat();
    assert_eq!(with_signature(&key, other_s), "ok");
}

#[test]
fn rejects_ecdsa_signatures_in_der_and_of_every_other_length() {
    for (algorithm, length) in [
        (Algorithm::ES256, 64),
        (Algorithm::ES384, 96),
        (Algorithm::ES512, 132),
        (Algorithm::ES256K, 64),
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(
            with_signature(&key, |signature| signature),
            "ok",
            "{algorithm}"
        );
        for wrong in [0, 1, 63, 64, 65, 66, 70, 71, 72, 95, 96, 97, 131, 132, 133]
            .into_iter()
            .filter(|n| *n != length)
        {
            let resized = with_signature(&key, |mut signature| {
                signature.resize(wrong, 0);
                signature
            });
            assert_eq!(resized, "signature_invalid", "{algorithm} {wrong}");
        }
        let in_der = with_signature(&key, |signature| {
            let integer = |half: &[u8]| {
                let half: Vec<u8> = half
                    .iter()
                    .copied()
                    .skip_while(|octet| *octet == 0)
                    .collect();
                let sign = if half[0] >= 0x80 { &[0][..] } else { &[] };
                [
                    &[2, u8::try_from(half.len() + sign.len()).unwrap()],
                    sign,
                    &half,
                ]
                .concat()
            };
            let (r, s) = signature.split_at(length / 2);
            let body = [integer(r), integer(s)].concat();
            let size = u8::try_from(body.len()).unwrap();
            let head = if size < 0x80 {
                vec![0x30, size]
            } else {
                vec![0x30, 0x81, size]
            };
            [head, body].concat()
        });
        assert_eq!(in_der, "signature_invalid", "{algorithm}");
    }
}

#[test]
fn rejects_ed25519_signatures_whose_s_is_not_below_the_order() {
    // L, the order of the group (RFC 8032 §5.1), in little-endian octets.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let plus_order = |mut signature: Vec<u8>| {
        let mut carry = 0u16;
        for (digit, add) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*digit) + u16::from(add) + carry;
            *digit = u8::try_from(sum % 256).unwrap();
            carry = sum / 256;
        }
        signature
    };
    assert_eq!(with_signature(&key, plus_order), "signature_invalid");
    for length in [0, 32, 63, 65, 128] {
        let resized = with_signature(&key, |mut signature| {
            signature.resize(length, 0);
            signature
        });
        assert_eq!(resized, "signature_invalid", "{length}");
    }
}

#[test]
fn rejects_ed25519_keys_of_small_order_or_with_two_encodings() {
    let key = |x: [u8; 32]| {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(x)}).to_string();
        Jwk::parse(jwk.as_bytes()).and_then(|jwk| VerifyingKey::from_jwk(&jwk))
    };
    let little = |low: u8, high: u8| {
        let mut y = [0; 32];
        (y[0], y[31]) = (low, high);
        y
    };
    let ones = |low: u8, high: u8| {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (low, high);
        y
    };
    // y of 0, 1 and -1, with both signs of x.
    for y in [
        little(0, 0),
        little(0, 0x80),
        little(1, 0),
        little(1, 0x80),
        ones(0xec, 0x7f),
        ones(0xec, 0xff),
    ] {
        assert_eq!(code(key(y)), "key_weak", "{y:?}");
    }
    // y of p, p + 1 and 2^255 - 1: other texts of small numbers.
    for y in [
        ones(0xed, 0x7f),
        ones(0xee, 0x7f),
        ones(0xff, 0x7f),
        ones(0xff, 0xff),
    ] {
        assert_eq!(code(key(y)), "key_unfit", "{y:?}");
    }
}

#[test]
fn rejects_rsa_signatures_of_trivial_value_or_wrong_length() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk: Value =
            serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
        let n = unb64(jwk["n"].as_str().unwrap());
        let one = [vec![0; 255], vec![1]].concat();
        let n_less_1 = minus(&n, &one);
        for forged in [
            vec![0; 256],
            one,
            n_less_1,
            n,
            vec![0xff; 256],
            vec![],
            vec![1],
            vec![0; 255],
            vec![0; 257],
        ] {
            assert_eq!(
                with_signature(&key, |_| forged.clone()),
                "signature_invalid",
                "{algorithm} {forged:?}"
            );
        }
        let longer = with_signature(&key, |signature| [vec![0], signature].concat());
        assert_eq!(longer, "signature_invalid", "{algorithm}");
    }
}

#[test]
fn rejects_the_padding_of_one_rsa_scheme_under_another() {
    let rs256 = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .without_key_id();
    let pem = rs256.to_pem().unwrap();
    for other in [
        Algorithm::PS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS512,
    ] {
        let other_key = SigningKey::from_pem(other, &pem).unwrap();
        // The other scheme's signature under a header that claims RS256: only the padding and the hash differ.
        let header = b64(r#"{"alg":"RS256"}"#);
        let foreign = other_key.sign(&claims()).unwrap();
        let parts: Vec<&str> = foreign.split('.').collect();
        let token = format!("{header}.{}.{}", parts[1], parts[2]);
        let outcome = Verifier::new(rs256.verifying_key(), policy()).verify::<Value>(&token, NOW);
        assert_eq!(code(outcome), "signature_invalid", "{other}");
    }
}

#[test]
fn ecdsa_never_uses_a_nonce_twice() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let token = key.sign(&json!({})).unwrap();
        let signature = unb64(token.rsplit_once('.').unwrap().1);
        assert!(seen.insert(signature[..32].to_vec()), "the same r twice");
    }
}

#[test]
fn rejects_ml_dsa_signatures_of_another_length_or_with_spoiled_octets() {
    for algorithm in [Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87] {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(
            with_signature(&key, |signature| signature),
            "ok",
            "{algorithm}"
        );
        for (at, length) in [(0usize, 0usize), (0, 1), (32, 0), (64, 0)] {
            let spoiled = with_signature(&key, |mut signature| {
                signature[at] ^= 1;
                signature.truncate(signature.len() - length);
                signature
            });
            assert_eq!(spoiled, "signature_invalid", "{algorithm} {at} {length}");
        }
        let hint = with_signature(&key, |mut signature| {
            *signature.last_mut().unwrap() ^= 0xff;
            signature
        });
        assert_eq!(hint, "signature_invalid", "{algorithm}");
        let empty = with_signature(&key, |_| Vec::new());
        assert_eq!(empty, "signature_invalid", "{algorithm}");
    }
}

#[test]
fn an_ed25519_key_writes_the_name_that_it_is_told_to() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let alg = |key: &SigningKey| {
        Unverified::parse(&key.sign(&claims()).unwrap())
            .unwrap()
            .header()
            .alg()
            .to_owned()
    };
    assert_eq!(alg(&key), "EdDSA");
    let renamed = key.clone().with_fully_specified_alg();
    assert_eq!(alg(&renamed), "Ed25519");
    assert!(
        renamed
            .verifying_key()
            .to_public_jwk()
            .unwrap()
            .to_json()
            .contains(r#""alg":"Ed25519""#)
    );
    let token = renamed.sign(&claims()).unwrap();
    assert_eq!(
        code(Verifier::new(key.verifying_key(), policy()).verify::<Value>(&token, NOW)),
        "ok"
    );
    // A key whose JWK has the new name goes on writing it.
    let read = SigningKey::from_jwk(&Jwk::parse(renamed.to_jwk().to_json().as_bytes()).unwrap());
    assert_eq!(alg(&read.unwrap()), "Ed25519");
    let es256 = SigningKey::generate(Algorithm::ES256)
        .unwrap()
        .with_fully_specified_alg();
    assert_eq!(alg(&es256), "ES256");
}

#[test]
fn every_kind_of_key_is_refused_for_every_algorithm_of_another_kind() {
    let kinds = [
        Algorithm::HS512,
        Algorithm::RS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::ES512,
        Algorithm::ES256K,
        Algorithm::EdDSA,
        Algorithm::MlDsa44,
        Algorithm::MlDsa65,
        Algorithm::MlDsa87,
    ];
    let mut accepted = Vec::new();
    let mut refused = 0;
    for kind in kinds {
        let mut jwk: Value =
            serde_json::from_str(&SigningKey::generate(kind).unwrap().to_jwk().to_json()).unwrap();
        if kind.kty() != "AKP" {
            jwk.as_object_mut().unwrap().remove("alg");
        }
        let jwk = Jwk::parse(jwk.to_string().as_bytes()).unwrap();
        for algorithm in Algorithm::ALL {
            let (signing, verifying) = (
                SigningKey::from_jwk_as(&jwk, *algorithm),
                VerifyingKey::from_jwk_as(&jwk, *algorithm),
            );
            assert_eq!(signing.is_ok(), verifying.is_ok(), "{kind} {algorithm}");
            match signing {
                Ok(key) => accepted.push((kind.name(), key.algorithm().name())),
                Err(error) => {
                    assert_eq!(error.code(), "key_unfit", "{kind} {algorithm}");
                    refused += 1;
                }
            }
        }
    }
    let own = |name: &'static str| {
        accepted
            .iter()
            .filter(|(kind, _)| *kind == name)
            .map(|(_, alg)| *alg)
            .collect::<Vec<_>>()
    };
    assert_eq!(own("HS512"), ["HS256", "HS384", "HS512"]);
    assert_eq!(
        own("RS256"),
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
    );
    for single in [
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
    ] {
        assert_eq!(own(single), [single]);
    }
    assert_eq!(accepted.len() + refused, kinds.len() * Algorithm::ALL.len());
}

#[test]
fn every_alg_of_a_header_is_refused_by_every_key_but_its_own() {
    let mut compared = 0;
    for key_algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*key_algorithm)
            .unwrap()
            .without_key_id();
        for header_algorithm in Algorithm::ALL
            .iter()
            .filter(|other| *other != key_algorithm)
        {
            let header = json!({"alg": header_algorithm.name()}).to_string();
            let token = format!(
                "{}.{}.{}",
                b64(header),
                b64(claims_json().to_string()),
                b64([1; 64])
            );
            let parsed = Unverified::parse(&token).unwrap();
            let outcome = parsed.verify::<Value>(&key.verifying_key(), &policy(), NOW);
            assert_eq!(
                outcome.unwrap_err(),
                Error::AlgorithmMismatch {
                    key: *key_algorithm
                }
            );
            compared += 1;
        }
    }
    assert_eq!(compared, Algorithm::ALL.len() * (Algorithm::ALL.len() - 1));
}

#[test]
fn no_encoding_of_a_public_key_becomes_a_secret() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let public = key.verifying_key();
    let (pem, der) = (public.to_pem().unwrap(), public.to_der().unwrap());
    let jwk = public.to_public_jwk().unwrap().to_json();
    let encodings: [(&str, Vec<u8>); 12] = [
        ("PEM", pem.clone().into_bytes()),
        (
            "PEM without its last newline",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("PEM after a space", format!(" {pem}").into_bytes()),
        (
            "PEM after a byte order mark",
            format!("\u{feff}{pem}").into_bytes(),
        ),
        (
            "PEM with text before it",
            format!("Bag Attributes\n{pem}").into_bytes(),
        ),
        (
            "PKCS#1 in PEM",
            include_bytes!("../data/keys/rsa-pkcs1-public.pem").to_vec(),
        ),
        (
            "certificate in PEM",
            include_bytes!("../data/keys/rsa-x509.pem").to_vec(),
        ),
        ("SPKI in DER", der),
        ("JWK", jwk.clone().into_bytes()),
        ("JWK Set", format!("{{\"keys\":[{jwk}]}}").into_bytes()),
        ("array of JWKs", format!("\n[{jwk}]").into_bytes()),
    ];
    let mut refused = 0;
    for (name, octets) in &encodings {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(
                code(SigningKey::from_secret(algorithm, octets)),
                "key_weak",
                "{name} {algorithm}"
            );
            assert_eq!(
                code(VerifyingKey::from_secret(algorithm, octets)),
                "key_weak",
                "{name} {algorithm}"
            );
            let oct = json!({"kty": "oct", "k": b64(octets), "alg": algorithm.name()}).to_string();
            let oct = Jwk::parse(oct.as_bytes()).unwrap();
            assert_eq!(
                code(VerifyingKey::from_jwk(&oct)),
                "key_weak",
                "{name} {algorithm}"
            );
            refused += 1;
        }
    }
    assert_eq!(refused, 36);
}

#[test]
fn the_ml_dsa_examples_of_rfc_9964_have_our_keys_and_our_signatures_length() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../data/rfc.json")).unwrap();
    let mut compared = 0;
    for vector in vectors.iter().filter(|vector| vector["rfc"] == 9964) {
        let jwk = Jwk::parse(vector["key"].to_string().as_bytes()).unwrap();
        let key = SigningKey::from_jwk(&jwk).unwrap();
        assert_eq!(
            Some(key.thumbprint().to_string().as_str()),
            jwk.key_id(),
            "{}",
            vector["alg"]
        );
        let token = Unverified::parse(vector["compact"].as_str().unwrap()).unwrap();
        let any = Policy::builder()
            .any_issuer()
            .any_audience()
            .build()
            .unwrap();
        // The payload is text and no claims: the signature holds, and what follows is refused.
        let outcome = token.verify::<Value>(&key.verifying_key(), &any, NOW);
        assert_eq!(code(outcome), "malformed_json", "{}", vector["alg"]);
        compared += 1;
    }
    assert_eq!(compared, 3);
}
