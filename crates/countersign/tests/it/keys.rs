//! Keys in and out: formats, round trips, sets, and what is refused at the door.

use countersign::{
    Algorithm, Error, Jwk, JwkSet, Policy, SigningKey, Unverified, Verifier, VerifyingKey,
};
use serde_json::{Value, json};

use crate::support::*;

const PAIRS: [Algorithm; 14] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::ES256K,
    Algorithm::EdDSA,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
];

fn verifies(key: &SigningKey, public: VerifyingKey) -> bool {
    let token = key.sign(&claims()).unwrap();
    Verifier::new(public, policy())
        .verify::<Value>(&token, NOW)
        .is_ok()
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm).unwrap();
        assert_eq!(key.algorithm(), *algorithm);
        assert_eq!(
            key.key_id().is_some(),
            !algorithm.is_symmetric(),
            "{algorithm}"
        );
        assert!(verifies(&key, key.verifying_key()), "{algorithm}");
        let other = SigningKey::generate(*algorithm).unwrap();
        assert!(
            !verifies(&key, other.verifying_key().without_key_id()),
            "{algorithm}"
        );
    }
}

#[test]
fn a_key_pair_survives_pem_and_jwk_in_both_halves() {
    for algorithm in PAIRS {
        let key = SigningKey::generate(algorithm).unwrap();
        let thumbprint = key.thumbprint();
        let from_pem = SigningKey::from_pem(algorithm, &key.to_pem().unwrap()).unwrap();
        assert_eq!(from_pem.thumbprint(), thumbprint, "{algorithm}");
        let jwk = Jwk::parse(key.to_jwk().to_json().as_bytes()).unwrap();
        let from_jwk = SigningKey::from_jwk(&jwk).unwrap();
        assert_eq!(
            (from_jwk.thumbprint(), from_jwk.key_id()),
            (thumbprint, key.key_id()),
            "{algorithm}"
        );
        for copy in [from_pem, from_jwk] {
            assert!(
                verifies(
                    &copy.with_key_id(thumbprint.to_string()),
                    key.verifying_key()
                ),
                "{algorithm}"
            );
        }
        let public_pem =
            VerifyingKey::from_pem(algorithm, &key.verifying_key().to_pem().unwrap()).unwrap();
        assert!(verifies(&key, public_pem), "{algorithm}");
        let public_jwk = key.verifying_key().to_public_jwk().unwrap();
        let public_jwk = Jwk::parse(public_jwk.to_json().as_bytes()).unwrap();
        assert!(!public_jwk.is_private());
        assert!(
            verifies(&key, VerifyingKey::from_jwk(&public_jwk).unwrap()),
            "{algorithm}"
        );
        assert_eq!(
            code(SigningKey::from_jwk(&public_jwk)),
            "key_unfit",
            "{algorithm}"
        );
    }
}

#[test]
fn a_shared_secret_survives_as_a_jwk_and_has_no_public_form() {
    let key = SigningKey::generate(Algorithm::HS384).unwrap();
    let copy =
        SigningKey::from_jwk(&Jwk::parse(key.to_jwk().to_json().as_bytes()).unwrap()).unwrap();
    assert!(verifies(&copy, key.verifying_key()));
    assert!(key.verifying_key().to_public_jwk().is_none());
    assert_eq!(code(key.verifying_key().to_pem()), "key_unfit");
    assert_eq!(code(key.to_pem()), "key_unfit");
}

#[test]
fn a_key_for_one_algorithm_is_not_taken_for_another() {
    let p384 = SigningKey::generate(Algorithm::ES384).unwrap();
    let error = SigningKey::from_pem(Algorithm::ES256, &p384.to_pem().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is an EC private key on P-384; ES256 needs P-256"
    );
    for algorithm in Algorithm::ALL
        .iter()
        .filter(|algorithm| **algorithm != Algorithm::ES384)
    {
        assert_eq!(
            code(SigningKey::from_pem(*algorithm, &p384.to_pem().unwrap())),
            "key_unfit",
            "{algorithm}"
        );
        assert_eq!(
            code(SigningKey::from_jwk_as(&p384.to_jwk(), *algorithm)),
            "key_unfit",
            "{algorithm}"
        );
    }
}

#[test]
fn an_import_says_what_it_saw() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let public = key.verifying_key().to_pem().unwrap();
    let error = SigningKey::from_pem(Algorithm::EdDSA, &public).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is an Ed25519 public key; signing needs a private key"
    );
    for (text, expected) in [
        ("hello", "this is no PEM document"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "this should be a PKCS#8 private key, but its DER is malformed",
        ),
    ] {
        let error = SigningKey::from_pem(Algorithm::ES256, text).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn an_rsa_key_or_secret_without_alg_needs_the_callers_choice() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let mut jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let jwk = Jwk::parse(jwk.to_string().as_bytes()).unwrap();
    assert_eq!(code(VerifyingKey::from_jwk(&jwk)), "key_unfit");
    assert_eq!(
        VerifyingKey::from_jwk_as(&jwk, Algorithm::PS256)
            .unwrap()
            .algorithm(),
        Algorithm::PS256
    );
    let oct = Jwk::parse(
        json!({"kty": "oct", "k": b64(SECRET)})
            .to_string()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(code(SigningKey::from_jwk(&oct)), "key_unfit");
    assert!(SigningKey::from_jwk_as(&oct, Algorithm::HS512).is_ok());
    assert_eq!(
        code(SigningKey::from_jwk_as(&oct, Algorithm::ES256)),
        "key_unfit"
    );
}

/// A fresh JWK with some members replaced.
fn spoiled(algorithm: Algorithm, changes: Value) -> Result<SigningKey, Error> {
    let key = SigningKey::generate(algorithm).unwrap();
    let mut jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    SigningKey::from_jwk(&Jwk::parse(jwk.to_string().as_bytes())?)
}

#[test]
fn rejects_halves_that_do_not_belong_together() {
    for algorithm in PAIRS {
        let private = if algorithm.kty() == "AKP" {
            "priv"
        } else {
            "d"
        };
        let other: Value =
            serde_json::from_str(&SigningKey::generate(algorithm).unwrap().to_jwk().to_json())
                .unwrap();
        assert_eq!(code(spoiled(algorithm, json!({}))), "ok", "{algorithm}");
        assert_eq!(
            code(spoiled(algorithm, json!({private: other[private]}))),
            "key_unfit",
            "{algorithm}"
        );
    }
    let other: Value = serde_json::from_str(
        &SigningKey::generate(Algorithm::RS256)
            .unwrap()
            .to_jwk()
            .to_json(),
    )
    .unwrap();
    for member in ["n", "p", "q", "dp", "dq", "qi"] {
        assert_eq!(
            code(spoiled(Algorithm::RS256, json!({member: other[member]}))),
            "key_unfit",
            "{member}"
        );
    }
}

#[test]
fn rejects_points_that_are_not_on_their_curve() {
    for (algorithm, size) in [
        (Algorithm::ES256, 32),
        (Algorithm::ES384, 48),
        (Algorithm::ES512, 66),
        (Algorithm::ES256K, 32),
    ] {
        let crv = match algorithm {
            Algorithm::ES256 => "P-256",
            Algorithm::ES384 => "P-384",
            Algorithm::ES512 => "P-521",
            _ => "secp256k1",
        };
        for octets in [vec![0; size], vec![1; size], vec![0xff; size]] {
            let jwk = json!({"kty": "EC", "crv": crv, "x": b64(&octets), "y": b64(&octets)});
            let jwk = Jwk::parse(jwk.to_string().as_bytes()).unwrap();
            assert_eq!(
                code(VerifyingKey::from_jwk(&jwk)),
                "key_unfit",
                "{algorithm}"
            );
        }
        let short =
            json!({"kty": "EC", "crv": crv, "x": b64(vec![1; size - 1]), "y": b64(vec![1; size])});
        assert_eq!(
            code(Jwk::parse(short.to_string().as_bytes())),
            "key_format",
            "{algorithm}"
        );
    }
}

#[test]
fn rejects_use_key_ops_alg_and_crv_that_forbid_or_contradict() {
    for (changes, expected) in [
        (json!({"use": "sig", "key_ops": ["sign"]}), "ok"),
        (json!({"use": "enc"}), "key_unfit"),
        (json!({"key_ops": ["verify"]}), "key_unfit"),
        (json!({"key_ops": ["encrypt"]}), "key_unfit"),
        (json!({"key_ops": ["sign", "sign"]}), "key_format"),
        (json!({"key_ops": "sign"}), "key_format"),
        (json!({"use": "sig", "key_ops": ["encrypt"]}), "key_unfit"),
        (json!({"use": "enc", "key_ops": ["sign"]}), "key_unfit"),
        (json!({"alg": "ES384"}), "key_unfit"),
        (json!({"alg": "RS256"}), "key_unfit"),
        (json!({"alg": "ECDH-ES"}), "key_unfit"),
        (json!({"crv": "P-384"}), "key_format"),
        (json!({"kty": "RSA"}), "key_format"),
        (json!({"kty": "XYZ"}), "key_format"),
    ] {
        assert_eq!(
            code(spoiled(Algorithm::ES256, changes.clone())),
            expected,
            "{changes}"
        );
    }
}

fn public(key: &SigningKey, changes: Value) -> Value {
    let mut jwk: Value =
        serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

#[test]
fn one_bad_key_does_not_spoil_a_set() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let set = json!({"keys": [{"kty": "new"}, 7, public(&key, json!({})), {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().count(), 1);
    assert_eq!(
        set.unusable()
            .iter()
            .map(|key| key.index)
            .collect::<Vec<_>>(),
        [0, 1, 3]
    );
    assert!(
        Verifier::new(set, policy())
            .verify::<Value>(&key.sign(&claims()).unwrap(), NOW)
            .is_ok()
    );
}

#[test]
fn rsa_keys_that_do_not_say_their_algorithm_are_for_the_one_that_is_assumed_and_the_others_stay() {
    let [open, named] =
        [Algorithm::PS256, Algorithm::RS512].map(|alg| SigningKey::generate(alg).unwrap());
    let mut jwk = public(&open, json!({}));
    jwk.as_object_mut().unwrap().remove("alg");
    let set = json!({"keys": [jwk, public(&named, json!({})), 7]}).to_string();
    let set = JwkSet::parse_published(set.as_bytes()).unwrap();
    let algorithms = |set: &JwkSet| set.keys().map(|key| key.algorithm()).collect::<Vec<_>>();
    assert_eq!(algorithms(&set), [Algorithm::RS256, Algorithm::RS512]);
    let assuming = set.assuming(Algorithm::PS256).unwrap();
    assert_eq!(algorithms(&assuming), [Algorithm::PS256, Algorithm::RS512]);
    assert_eq!(assuming.unusable(), set.unusable());
    let verifier = Verifier::new(assuming, policy());
    assert!(
        verifier
            .verify::<Value>(&open.sign(&claims()).unwrap(), NOW)
            .is_ok()
    );
    assert_eq!(
        set.assuming(Algorithm::ES256).unwrap_err().code(),
        "key_unfit"
    );
}

#[test]
fn a_private_key_or_secret_in_a_published_set_is_unusable_and_the_rest_works() {
    let [public_one, private, akp] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::MlDsa44]
        .map(|alg| SigningKey::generate(alg).unwrap());
    let secret = SigningKey::generate(Algorithm::HS256).unwrap();
    let whole =
        |key: &SigningKey| -> Value { serde_json::from_str(&key.to_jwk().to_json()).unwrap() };
    let set = json!({"keys": [whole(&private), public(&public_one, json!({})), whole(&akp), whole(&secret)]});
    let set = JwkSet::parse_published(set.to_string().as_bytes()).unwrap();
    let refused: Vec<_> = set.unusable().iter().map(|key| key.index).collect();
    assert_eq!((set.keys().count(), refused), (1, vec![0, 2, 3]));
    let alone = json!({"keys": [whole(&secret)]}).to_string();
    let alone = JwkSet::parse_published(alone.as_bytes()).unwrap();
    assert_eq!(alone.keys().count(), 0);
}

#[test]
fn a_key_that_stands_twice_is_told_from_two_of_one_name() {
    let [one, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    for (second, what) in [
        (&one, "this key stands in the set more than once"),
        (&other, "another key"),
    ] {
        let shared = json!({"kid": "same"});
        let set = json!({"keys": [public(&one, shared.clone()), public(second, shared)]});
        let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.unusable().len(), 2);
        for key in set.unusable() {
            assert!(key.reason.to_string().contains(what), "{}", key.reason);
        }
    }
}

#[test]
fn keys_that_share_a_name_and_algorithm_are_unusable_and_the_rest_works() {
    let keys: Vec<SigningKey> = (0..3)
        .map(|_| SigningKey::generate(Algorithm::ES256).unwrap())
        .collect();
    let shared = json!({"kid": "same"});
    let set = json!({"keys": [public(&keys[0], shared.clone()), public(&keys[1], shared), public(&keys[2], json!({}))]});
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.unusable().len(), 2);
    let verifier = Verifier::new(set, policy());
    let verify =
        |key: &SigningKey| code(verifier.verify::<Value>(&key.sign(&claims()).unwrap(), NOW));
    assert_eq!(
        verify(&keys[0].clone().with_key_id("same")),
        "key_not_found"
    );
    assert_eq!(verify(&keys[2]), "ok");
}

#[test]
fn a_secret_beside_public_keys_is_unusable() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let oct = json!({"kty": "oct", "k": b64(&SECRET[..32]), "alg": "HS256", "kid": "s"});
    let set = JwkSet::parse(
        json!({"keys": [oct, public(&key, json!({}))]})
            .to_string()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!((set.keys().count(), set.unusable().len()), (1, 1));
    let alone = JwkSet::parse(json!({"keys": [oct]}).to_string().as_bytes()).unwrap();
    assert_eq!(
        (alone.keys().count(), alone.to_public_json().as_str()),
        (1, r#"{"keys":[]}"#)
    );
}

#[test]
fn a_key_is_found_by_kid_and_algorithm_and_never_by_trying() {
    let keys: Vec<SigningKey> = (0..2)
        .map(|_| SigningKey::generate(Algorithm::ES256).unwrap())
        .collect();
    let set = JwkSet::new(keys.iter().map(SigningKey::verifying_key));
    let find = |key: &SigningKey| {
        let token = key.sign(&claims()).unwrap();
        code(set.find(Unverified::parse(&token).unwrap().header()))
    };
    assert_eq!(find(&keys[0]), "ok");
    assert_eq!(find(&keys[0].clone().with_key_id("other")), "key_not_found");
    assert_eq!(find(&keys[0].clone().without_key_id()), "key_ambiguous");
    let rsa = SigningKey::generate(Algorithm::RS256).unwrap();
    assert_eq!(
        find(&rsa.clone().with_key_id(keys[0].key_id().unwrap())),
        "algorithm_mismatch"
    );
    assert_eq!(find(&rsa.without_key_id()), "key_not_found");
}

#[test]
fn a_set_that_is_none_is_refused() {
    for text in ["[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
        assert!(JwkSet::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(
        code(JwkSet::parse(br#"{"keys":[],"keys":[]}"#)),
        "malformed_duplicate_member"
    );
}

#[test]
fn debug_output_shows_no_key() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm).unwrap();
        let jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
        let shown = format!("{key:?} {:?} {:?}", key.to_jwk(), key.verifying_key());
        for member in ["d", "k", "priv", "p", "q", "dp", "dq", "qi"] {
            if let Some(secret) = jwk[member].as_str() {
                assert!(!shown.contains(secret), "{algorithm} {member}");
            }
        }
    }
}

#[test]
fn an_ed25519_key_reads_both_names_of_its_algorithm() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let jwk = public(&key, json!({"alg": "Ed25519"}));
    let public = VerifyingKey::from_jwk(&Jwk::parse(jwk.to_string().as_bytes()).unwrap()).unwrap();
    assert!(verifies(&key, public));
}

#[test]
fn a_policy_for_several_audiences_takes_any_of_them() {
    let policy = Policy::builder()
        .issuer(ISS)
        .audience("other")
        .audience(AUD)
        .build()
        .unwrap();
    assert_eq!(
        code(verify_with(policy, &hmac_key().sign(&claims()).unwrap())),
        "ok"
    );
}

#[test]
fn rejects_a_set_of_more_keys_than_an_issuer_has() {
    let set = |count: usize| {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let keys: Vec<Value> = (0..count)
            .map(|kid| public(&key, json!({"kid": kid.to_string()})))
            .collect();
        JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).map(|set| set.keys().count())
    };
    assert_eq!(set(countersign::MAX_KEYS), Ok(100));
    assert_eq!(code(set(countersign::MAX_KEYS + 1)), "key_format");
}

#[test]
fn an_rsa_key_that_was_taken_for_rs256_says_so_when_a_token_needs_another_algorithm() {
    let rsa = SigningKey::generate(Algorithm::PS256).unwrap();
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let nameless = |kid: Value| {
        let mut jwk = public(&rsa, json!({ "kid": kid }));
        let members = jwk.as_object_mut().unwrap();
        members.remove("alg");
        members.retain(|_, value| !value.is_null());
        jwk
    };
    let kid = rsa.key_id().unwrap();
    let token = rsa.sign(&claims()).unwrap();
    let without_kid = rsa.clone().without_key_id().sign(&claims()).unwrap();
    let assumed = Error::AlgorithmAssumed {
        key: Algorithm::RS256,
    };
    for (set, token) in [
        (json!([nameless(json!(kid))]), &token),
        (json!([nameless(json!(kid))]), &without_kid),
        (json!([nameless(json!(null))]), &without_kid),
        (
            json!([public(&other, json!({})), nameless(json!(kid))]),
            &token,
        ),
        (
            json!([public(&other, json!({})), nameless(json!(kid))]),
            &without_kid,
        ),
    ] {
        let set = JwkSet::parse(json!({ "keys": set }).to_string().as_bytes()).unwrap();
        let key = set.keys().find(|key| key.algorithm() == Algorithm::RS256);
        assert!(key.unwrap().has_assumed_algorithm());
        let refused = Verifier::new(set, policy()).verify::<Value>(token, NOW);
        assert_eq!(refused.err(), Some(assumed.clone()));
    }
    assert_eq!(assumed.code(), "algorithm_mismatch");
    assert!(assumed.to_string().contains("RS256") && assumed.to_string().contains("no `alg`"));
    // A key that names its algorithm, and a token of another kind of key, are no guess.
    for (set, token, expected) in [
        (
            json!([public(&rsa, json!({"alg": "RS256"}))]),
            token,
            Some(Error::AlgorithmMismatch {
                key: Algorithm::RS256,
            }),
        ),
        (
            json!([nameless(json!("7"))]),
            other.with_key_id("7").sign(&claims()).unwrap(),
            Some(Error::AlgorithmMismatch {
                key: Algorithm::RS256,
            }),
        ),
    ] {
        let set = JwkSet::parse(json!({ "keys": set }).to_string().as_bytes()).unwrap();
        let refused = Verifier::new(set, policy()).verify::<Value>(&token, NOW);
        assert_eq!(refused.err(), expected);
    }
}
