//! What nobody signed, or signed with what does not count: `none`, foreign keys, changed parts, `crit`.

use super::*;

#[test]
fn rejects_none_in_every_case_with_and_without_a_signature() {
    for alg in ["none", "None", "NONE", "nOnE", "noNE"] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let claims = claims_json().to_string();
        assert_eq!(
            code(verify(&format!("{}.{}.", b64(&header), b64(&claims)))),
            "unsecured",
            "{alg}"
        );
        assert_eq!(code(verify(&mac(&header, &claims))), "unsecured", "{alg}");
    }
}

#[test]
fn rejects_an_algorithm_that_is_not_known() {
    for alg in ["", "hs256", "HS256 ", "RS1", "ES25", "A256KW", "HS256\u{0}"] {
        let header = json!({ "alg": alg }).to_string();
        assert_eq!(
            code(verify(&mac(header, claims_json().to_string()))),
            "algorithm_unknown",
            "{alg:?}"
        );
    }
}

#[test]
fn rejects_an_empty_signature_and_every_length_of_a_truncated_one() {
    let token = hmac_key().sign(&claims()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let full = unb64(signature);
    for length in (0..full.len()).chain([33, 64]) {
        let mut cut = full.clone();
        cut.resize(length, 0);
        assert_eq!(
            code(verify(&format!("{input}.{}", b64(cut)))),
            "signature_invalid",
            "{length}"
        );
    }
}

#[test]
fn rejects_a_tampered_payload_and_a_dropped_signature() {
    for algorithm in [
        Algorithm::HS256,
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let verifier = Verifier::new(key.verifying_key(), policy());
        let token = key.sign(&claims()).unwrap();
        assert_eq!(
            code(verifier.verify::<Value>(&token, NOW)),
            "ok",
            "{algorithm}"
        );
        let parts: Vec<&str> = token.split('.').collect();
        let tampered = format!(
            "{}.{}.{}",
            parts[0],
            b64(claims_with(json!({"sub": "eve"})).to_string()),
            parts[2]
        );
        assert_eq!(
            code(verifier.verify::<Value>(&tampered, NOW)),
            "signature_invalid",
            "{algorithm}"
        );
        let dropped = format!("{}.{}.", parts[0], parts[1]);
        assert_eq!(
            code(verifier.verify::<Value>(&dropped, NOW)),
            "signature_invalid",
            "{algorithm}"
        );
    }
}

#[test]
fn rejects_hs256_made_with_the_bytes_of_a_public_key() {
    let key = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .without_key_id();
    let public = key.verifying_key();
    for secret in [
        public.to_pem().unwrap(),
        public.to_public_jwk().unwrap().to_json(),
    ] {
        assert_eq!(
            code(SigningKey::from_secret(Algorithm::HS256, &secret)),
            "key_weak"
        );
        use aws_lc_rs::hmac;
        let input = format!("{}.{}", b64(HEADER), b64(claims_json().to_string()));
        let forged = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            input.as_bytes(),
        );
        let token = format!("{input}.{}", b64(forged));
        let verifier = Verifier::new(public.clone(), policy());
        assert_eq!(
            verifier.verify::<Value>(&token, NOW).unwrap_err(),
            Error::AlgorithmMismatch {
                key: Algorithm::RS256
            }
        );
        let parsed = Unverified::parse(&token).unwrap();
        assert_eq!(
            code(parsed.verify::<Value>(&public, &policy(), NOW)),
            "algorithm_mismatch"
        );
    }
}

#[test]
fn rejects_another_algorithm_of_the_same_family() {
    let key = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .without_key_id();
    let as_pss = countersign::VerifyingKey::from_pem(
        Algorithm::PS256,
        &key.verifying_key().to_pem().unwrap(),
    )
    .unwrap();
    let token = key.sign(&claims()).unwrap();
    assert_eq!(
        code(Verifier::new(as_pss, policy()).verify::<Value>(&token, NOW)),
        "algorithm_mismatch"
    );
}

#[test]
fn rejects_a_key_that_the_token_brings_itself() {
    let attacker = SigningKey::generate(Algorithm::ES256).unwrap();
    let jwk: Value =
        serde_json::from_str(&attacker.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
    for member in ["jwk", "jku", "x5u", "x5c"] {
        assert!(
            SigningHeader::new().param(member, jwk.clone()).is_err(),
            "{member}"
        );
    }
    let ours = SigningKey::generate(Algorithm::ES256).unwrap();
    let header = json!({"alg": "ES256", "jwk": jwk}).to_string();
    let token = format!(
        "{}.{}.{}",
        b64(header),
        b64(claims_json().to_string()),
        b64([0u8; 64])
    );
    assert_eq!(
        code(
            Verifier::new(ours.verifying_key().without_key_id(), policy())
                .verify::<Value>(&token, NOW)
        ),
        "signature_invalid"
    );
}

#[test]
fn rejects_crit_and_unencoded_payloads() {
    let header = r#"{"alg":"HS256","crit":["x"],"x":1}"#;
    assert_eq!(
        verify(&mac(header, "{}")).unwrap_err(),
        Error::Critical(Critical::Unknown)
    );
    assert_eq!(
        code(verify(&mac(
            r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
            "{}"
        ))),
        "unencoded_payload"
    );
}
