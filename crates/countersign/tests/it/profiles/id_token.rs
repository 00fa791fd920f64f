//! ID tokens: their claims, nonce and hashes (OpenID Connect Core).

use serde_json::{Value, json};

use super::*;

#[test]
fn an_id_token_needs_the_claims_of_openid_connect() {
    verdicts(
        "JWT",
        &id_token(),
        &Policy::id_token(ISS, AUD, NONCE),
        &[
            (json!({}), "ok"),
            (json!({"iss": null}), "claim_missing"),
            (json!({"sub": null}), "claim_missing"),
            (json!({"sub": ""}), "claim_type"),
            (json!({"aud": null}), "claim_missing"),
            (json!({"exp": null}), "claim_missing"),
            (json!({"iat": null}), "claim_missing"),
            (json!({"nonce": null}), "claim_missing"),
            (json!({"nonce": ""}), "claim_type"),
            (json!({"nonce": 1}), "claim_type"),
            (json!({"nonce": "other"}), "claim_mismatch"),
            (json!({"nonce": "n-0S6_WzA2M"}), "claim_mismatch"),
            (json!({"events": {}}), "claim_foreign"),
            (json!({"aud": [AUD]}), "ok"),
            (json!({"aud": [AUD, "other"]}), "claim_missing"),
            (json!({"aud": [AUD, "other"], "azp": AUD}), "ok"),
            (
                json!({"aud": [AUD, "other"], "azp": "other"}),
                "claim_mismatch",
            ),
            (json!({"azp": "other"}), "claim_mismatch"),
            (json!({"azp": [AUD]}), "claim_type"),
            (json!({"azp": ""}), "claim_type"),
            (json!({"at_hash": 1}), "claim_type"),
        ],
    );
    let untyped = hmac_key()
        .sign_with(&SigningHeader::new().without_typ(), &id_token())
        .unwrap();
    assert_eq!(
        code(verify_with(Policy::id_token(ISS, AUD, NONCE), &untyped)),
        "ok"
    );
}

#[test]
fn the_nonce_of_an_id_token_is_waived_in_words_only() {
    let builder = || Policy::builder().issuer(ISS).audience(AUD).id_token();
    assert!(builder().build().is_err());
    let any = builder().any_nonce().build().unwrap();
    verdicts(
        "JWT",
        &id_token(),
        &any,
        &[
            (json!({}), "ok"),
            (json!({"nonce": null}), "ok"),
            (json!({"nonce": 1}), "claim_type"),
            (json!({"events": {}}), "claim_foreign"),
        ],
    );
}

#[test]
fn at_hash_and_c_hash_fail_closed_where_they_are_expected() {
    // OpenID Connect Core §A.3 and §A.4, whose tokens are signed with RS256.
    let (access_token, at_hash) = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "77QmUPtjPfzWtF2AnpK9RQ",
    );
    let (authorization_code, c_hash) = (
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
        "LDktKdoQak3Pk0cnXxCltA",
    );
    let policy = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .id_token()
            .nonce(NONCE)
            .at_hash_of(access_token)
            .c_hash_of(authorization_code)
            .build()
            .unwrap()
    };
    let cases = [
        (json!({"at_hash": at_hash, "c_hash": c_hash}), "ok"),
        (json!({"at_hash": at_hash}), "claim_missing"),
        (json!({"c_hash": c_hash}), "claim_missing"),
        (
            json!({"at_hash": c_hash, "c_hash": c_hash}),
            "claim_mismatch",
        ),
        (json!({"at_hash": "", "c_hash": c_hash}), "claim_type"),
        (json!({"at_hash": at_hash, "c_hash": 1}), "claim_type"),
    ];
    verdicts("JWT", &id_token(), &policy(), &cases);
    // The hash function is that of the key's algorithm: the same values under ES384 are wrong.
    let key = SigningKey::generate(Algorithm::ES384).unwrap();
    let claims = IdToken {
        at_hash: Some(at_hash.into()),
        c_hash: Some(c_hash.into()),
        ..id_token()
    };
    let token = claims.sign(&key).unwrap();
    assert_eq!(
        code(Verifier::new(key.verifying_key(), policy()).verify::<Value>(&token, NOW)),
        "claim_mismatch"
    );
}

#[test]
fn a_hash_for_which_the_algorithm_has_no_function_fails_closed() {
    let key = SigningKey::generate(Algorithm::MlDsa44).unwrap();
    let policy = Policy::builder()
        .issuer(ISS)
        .audience(AUD)
        .id_token()
        .nonce(NONCE)
        .at_hash_of("token")
        .build()
        .unwrap();
    let claims = IdToken {
        at_hash: Some("AAAA".into()),
        ..id_token()
    };
    let token = claims.sign(&key).unwrap();
    assert_eq!(
        code(Verifier::new(key.verifying_key(), policy).verify::<Value>(&token, NOW)),
        "claim_mismatch"
    );
}
