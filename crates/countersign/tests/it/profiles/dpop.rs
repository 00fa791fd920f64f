//! DPoP proofs, and the tokens that are bound to their key (RFC 9449).

use serde_json::{Value, json};

use super::*;

pub(super) fn proof(changes: &Value, key: &SigningKey) -> String {
    let claims = DpopClaims::new("GET", HTU, "1", NOW).access_token("token");
    let mut claims = serde_json::to_value(claims).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    let jwk = key.verifying_key().to_public_jwk().unwrap();
    raw_proof(
        &json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": jwk}),
        &claims,
        key,
    )
}

/// A proof with any header, signed with the key's seed.
fn raw_proof(header: &Value, claims: &Value, key: &SigningKey) -> String {
    use aws_lc_rs::signature::Ed25519KeyPair;
    let jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&unb64(jwk["d"].as_str().unwrap())).unwrap();
    let input = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = pair.sign(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

#[test]
fn a_dpop_proof_is_for_one_request_one_token_and_one_minute() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let verifier = DpopVerifier::new("GET", HTU).access_token("token");
    let now = NOW.unix_secs();
    for (changes, expected) in [
        (json!({}), "ok"),
        (
            json!({"htu": "HTTPS://API.example:443/orders?page=2"}),
            "ok",
        ),
        (json!({"iat": now - 60}), "ok"),
        (json!({"iat": now - 61}), "token_too_old"),
        (json!({"iat": now + 30}), "ok"),
        (json!({"iat": now + 31}), "issued_in_future"),
        (json!({"iat": null}), "claim_missing"),
        (json!({"iat": "now"}), "claim_type"),
        (json!({"htm": "POST"}), "claim_mismatch"),
        (json!({"htm": "get"}), "claim_mismatch"),
        (json!({"htm": null}), "claim_missing"),
        (
            json!({"htu": "https://api.example/order"}),
            "claim_mismatch",
        ),
        (
            json!({"htu": "http://api.example/orders"}),
            "claim_mismatch",
        ),
        (
            json!({"htu": "https://evil.example/orders"}),
            "claim_mismatch",
        ),
        (json!({"htu": null}), "claim_missing"),
        (json!({"htu": 1}), "claim_type"),
        (json!({"ath": null}), "claim_missing"),
        (json!({"ath": "AAAA"}), "claim_mismatch"),
        (json!({"jti": null}), "claim_missing"),
        (json!({"jti": ""}), "claim_type"),
        (json!({"jti": 1}), "claim_type"),
        (json!({"exp": now}), "token_expired"),
    ] {
        let outcome = verifier.verify(&proof(&changes, &key), NOW);
        assert_eq!(code(outcome), expected, "{changes}");
    }
    let nonce = verifier.nonce("n");
    assert_eq!(
        code(nonce.verify(&proof(&json!({"nonce": "n"}), &key), NOW)),
        "ok"
    );
    for (changes, expected) in [
        (json!({}), "claim_missing"),
        (json!({"nonce": "m"}), "claim_mismatch"),
    ] {
        assert_eq!(code(nonce.verify(&proof(&changes, &key), NOW)), expected);
    }
}

#[test]
fn a_dpop_proof_names_its_algorithm_as_its_key_does() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    for (key, alg) in [
        (key.clone(), "EdDSA"),
        (key.with_fully_specified_alg(), "Ed25519"),
    ] {
        let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
        let parsed = countersign::Unverified::parse(&proof).unwrap();
        assert_eq!(parsed.header().alg(), alg);
        assert_eq!(parsed.header().get("jwk").unwrap()["alg"], alg);
        assert!(DpopVerifier::new("GET", HTU).verify(&proof, NOW).is_ok());
    }
}

#[test]
fn only_the_algorithms_of_a_dpop_verifier_are_taken() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
    let any = DpopVerifier::new("GET", HTU);
    let other = any.clone().algorithm(Algorithm::ES256);
    let both = other.clone().algorithm(Algorithm::EdDSA);
    for (verifier, expected) in [(any, "ok"), (other, "algorithm_refused"), (both, "ok")] {
        assert_eq!(code(verifier.verify(&proof, NOW)), expected);
        let report = verifier.explain(&proof, NOW);
        assert_eq!(report.valid, expected == "ok", "{report}");
    }
}

#[test]
fn a_dpop_proof_carries_a_public_key_and_is_signed_with_its_other_half() {
    let (key, other) = (
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
    );
    let claims = serde_json::to_value(DpopClaims::new("GET", HTU, "1", NOW)).unwrap();
    let public = |key: &SigningKey| {
        serde_json::to_value(key.verifying_key().to_public_jwk().unwrap()).unwrap()
    };
    let private: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk = public(&key);
        jwk[name] = value;
        jwk
    };
    let header = |alg: &str, jwk: Value| json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk});
    let verifier = DpopVerifier::new("GET", HTU);
    for (header, expected) in [
        (header("EdDSA", public(&key)), "ok"),
        (header("EdDSA", public(&other)), "signature_invalid"),
        (header("EdDSA", private), "malformed_header_member"),
        (
            header("EdDSA", with("k", json!("AA"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", with("priv", json!("AA"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", with("use", json!("enc"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", json!({"kty": "oct", "k": b64(SECRET)})),
            "malformed_header_member",
        ),
        (header("EdDSA", json!({})), "malformed_header_member"),
        (header("EdDSA", json!("x")), "malformed_header_member"),
        (header("ES256", public(&key)), "malformed_header_member"),
        (header("HS256", public(&key)), "malformed_header_member"),
        (header("none", public(&key)), "unsecured"),
        (
            json!({"typ": "dpop+jwt", "alg": "EdDSA"}),
            "malformed_header_member",
        ),
        (
            json!({"typ": "JWT", "alg": "EdDSA", "jwk": public(&key)}),
            "type_mismatch",
        ),
        (
            json!({"alg": "EdDSA", "jwk": public(&key)}),
            "type_mismatch",
        ),
        (json!({"typ": "JWT", "alg": "EdDSA"}), "type_mismatch"),
    ] {
        let token = raw_proof(&header, &claims, &key);
        assert_eq!(code(verifier.verify(&token, NOW)), expected, "{header}");
        let report = verifier.explain(&token, NOW);
        assert_eq!(report.valid, expected == "ok", "{report}");
    }
    assert_eq!(
        code(DpopClaims::new("GET", HTU, "1", NOW).sign(&hmac_key())),
        "key_unfit"
    );
}

#[test]
fn a_bound_token_passes_with_the_proof_of_its_own_key_and_nothing_else() {
    let (key, other) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
    let proof = DpopVerifier::new("GET", HTU).verify(&proof, NOW).unwrap();
    assert_eq!(proof.key(), key.thumbprint());
    let jkt = key.thumbprint().to_string();
    for (cnf, expected) in [
        (json!({"jkt": jkt}), "ok"),
        (
            json!({"jkt": other.thumbprint().to_string()}),
            "claim_mismatch",
        ),
        (json!({"jkt": 1}), "claim_mismatch"),
        (json!({"jkt": jkt, "x5t#S256": "x"}), "proof_required"),
        (json!({"x5t#S256": "x"}), "proof_required"),
        (json!(jkt), "proof_required"),
        (json!({}), "proof_required"),
        (Value::Null, "claim_missing"),
    ] {
        let token = mac(
            r#"{"alg":"HS256","typ":"JWT"}"#,
            claims_with(json!({ "cnf": cnf })).to_string(),
        );
        let bound = policy().bound_to(proof.key());
        assert_eq!(code(verify_with(bound, &token)), expected, "{cnf}");
    }
}

#[test]
fn the_proofs_of_rfc_9449_verify_as_proofs_and_as_nothing_else() {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../data/rfc.json")).unwrap();
    let mut verified = 0;
    for vector in all.iter().filter(|vector| vector["typ"] == "dpop+jwt") {
        let proof = vector["compact"].as_str().unwrap();
        let claims: Value = serde_json::from_str(vector["payload"].as_str().unwrap()).unwrap();
        let (htm, htu) = (
            claims["htm"].as_str().unwrap(),
            claims["htu"].as_str().unwrap(),
        );
        let now = Timestamp::from_unix_secs(claims["iat"].as_i64().unwrap());
        let mut verifier = DpopVerifier::new(htm, htu);
        if let Some(token) = vector["access_token"].as_str() {
            assert_eq!(
                code(verifier.clone().access_token("other").verify(proof, now)),
                "claim_mismatch"
            );
            verifier = verifier.access_token(token);
        }
        let found = verifier.verify(proof, now).unwrap();
        assert_eq!(found.key().to_string(), vector["jkt"]);
        assert_eq!(found.claims().jti, claims["jti"]);
        for policy in [
            Policy::builder()
                .any_issuer()
                .any_audience()
                .without_expiry()
                .build()
                .unwrap(),
            Policy::builder()
                .any_issuer()
                .any_audience()
                .plain_or_access_token()
                .without_expiry()
                .build()
                .unwrap(),
            Policy::access_token(ISS, AUD),
            Policy::id_token(ISS, AUD, NONCE),
            Policy::logout_token(ISS, AUD),
            Policy::client_assertion(SUB, AUD),
        ] {
            let key = countersign::Jwk::parse(vector["key"].to_string().as_bytes())
                .and_then(|jwk| countersign::VerifyingKey::from_jwk(&jwk))
                .unwrap();
            let outcome = Verifier::new(key, policy).verify::<Value>(proof, now);
            assert_eq!(code(outcome), "type_mismatch");
        }
        verified += 1;
    }
    assert_eq!(verified, 3);
}
