//! What a forger would try.

use countersign::{Algorithm, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};

use super::{explain, kind};
use crate::app::{START, TestApp};

#[tokio::test]
async fn every_attempt_of_a_forger_fails_and_says_why() {
    let app = TestApp::new().await;
    let signing = SigningKey::generate(Algorithm::ES256).unwrap();
    let claims = json!({"iss": "i", "sub": "ada", "exp": START + 60});
    let token = signing.sign(&claims).unwrap();
    let key = json!({"form": "pem", "text": signing.verifying_key().to_pem().unwrap()});
    assert_eq!(
        kind(&app, &json!({"token": token, "key": key})).await,
        "valid"
    );
    for (attempt, code) in [
        ("alg_none", "unsecured"),
        ("public_key_as_secret", "algorithm_mismatch"),
        ("swapped_payload", "signature_invalid"),
        ("dropped_signature", "signature_invalid"),
        ("extended_exp", "signature_invalid"),
        ("wrong_kid", "signature_invalid"),
    ] {
        let asked = json!({"attempt": attempt, "token": token, "key": key});
        let forged = app.post("/inspect/experiment", &asked).await;
        assert_eq!(forged.status, StatusCode::OK, "{forged:?}");
        let forged = forged.json();
        assert!(forged["why"].as_str().unwrap().len() > 40);
        assert_ne!(forged["token"], token);
        let answer = explain(&app, &json!({"token": forged["token"], "key": key})).await;
        assert_eq!(answer["verdict"]["code"], code, "{attempt}: {answer}");
    }
}

#[tokio::test]
async fn a_kid_that_nobody_has_finds_no_key_and_says_why_a_key_without_a_name_is_tried() {
    let app = TestApp::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.sign(&json!({"exp": START + 60})).unwrap();
    let named = key.verifying_key().to_public_jwk().unwrap().to_json();
    let mut nameless: Value = serde_json::from_str(&named).unwrap();
    nameless.as_object_mut().unwrap().remove("kid").unwrap();
    let (tried, found) = ("Your key has no name", "no key is tried");
    for (form, text, code, words) in [
        (
            "pem",
            key.verifying_key().to_pem().unwrap(),
            "signature_invalid",
            tried,
        ),
        ("jwk", nameless.to_string(), "signature_invalid", tried),
        ("jwk", named.clone(), "key_not_found", found),
        (
            "jwks",
            format!("{{\"keys\":[{named}]}}"),
            "key_not_found",
            found,
        ),
    ] {
        let given = json!({"form": form, "text": text});
        let asked = json!({"attempt": "wrong_kid", "token": token, "key": given});
        let forged = app.post("/inspect/experiment", &asked).await.json();
        assert!(
            forged["why"].as_str().unwrap().contains(words),
            "{form}: {forged}"
        );
        let answer = explain(&app, &json!({"token": forged["token"], "key": given})).await;
        assert_eq!(answer["verdict"]["code"], code, "{form}: {answer}");
    }
}
