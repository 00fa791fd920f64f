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

/// The header before it was edited, as the page sends it along.
fn header(token: &str) -> &str {
    token.split('.').next().unwrap()
}

#[tokio::test]
async fn a_key_that_left_its_algorithm_to_the_token_keeps_it_whatever_a_forger_writes() {
    let app = TestApp::new().await;
    let rsa = SigningKey::generate(Algorithm::PS256).unwrap();
    let token = rsa.sign(&json!({"exp": START + 60})).unwrap();
    let mut key = json!({"form": "pem", "text": rsa.verifying_key().to_pem().unwrap()});
    for (attempt, code) in [
        ("public_key_as_secret", "algorithm_mismatch"),
        ("alg_none", "unsecured"),
        ("swapped_payload", "signature_invalid"),
    ] {
        let asked = json!({"attempt": attempt, "token": token, "key": key});
        let forged = app.post("/inspect/experiment", &asked).await.json()["token"].clone();
        key["was"] = json!(header(&token));
        let answer = explain(&app, &json!({"token": forged, "key": key})).await;
        assert_eq!(answer["verdict"]["code"], code, "{attempt}: {answer}");
        assert_eq!(answer["verdict"]["kind"], "forged", "{attempt}: {answer}");
        assert_eq!(answer["key"]["alg"], "PS256", "{attempt}: {answer}");
        assert!(answer["key_problem"].is_null(), "{attempt}: {answer}");
        key["was"] = json!("");
    }
    // What the token itself says comes first.
    key["was"] = json!(header(&token));
    let other = SigningKey::generate(Algorithm::RS256).unwrap();
    let other = other.sign(&json!({"exp": START + 60})).unwrap();
    let answer = explain(&app, &json!({"token": other, "key": key})).await;
    assert_eq!(answer["key"]["alg"], "RS256", "{answer}");
}

#[tokio::test]
async fn of_a_set_the_key_that_the_header_selects_is_taken_for_a_secret_and_else_it_is_said_which()
{
    let app = TestApp::new().await;
    let keys = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let jwk = |key: &SigningKey| -> Value {
        serde_json::from_str(&key.verifying_key().to_public_jwk().unwrap().to_json()).unwrap()
    };
    let set = |keys: &[Value]| json!({"form": "jwks", "text": json!({"keys": keys}).to_string()});
    let [first, second] = [jwk(&keys[0]), jwk(&keys[1])];
    let token = keys[0].sign(&json!({"exp": START + 60})).unwrap();
    for given in [
        set(&[first.clone(), second.clone()]),
        set(std::slice::from_ref(&first)),
    ] {
        let asked = json!({"attempt": "public_key_as_secret", "token": token, "key": given});
        let forged = app.post("/inspect/experiment", &asked).await;
        assert_eq!(forged.status, StatusCode::OK, "{forged:?}");
        let answer = explain(
            &app,
            &json!({"token": forged.json()["token"], "key": given}),
        )
        .await;
        assert_eq!(answer["verdict"]["code"], "algorithm_mismatch", "{answer}");
    }
    let nameless = [first, second.clone()].map(|mut jwk| {
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    });
    let mut third = second.clone();
    third["kid"] = json!("third");
    // Without a kid, nothing selects one of two.
    let unnamed = format!("eyJhbGciOiJFUzI1NiJ9.{}", token.split_once('.').unwrap().1);
    for (token, given, words) in [
        (&unnamed, set(&nameless), "several of the set fit"),
        (&token, set(&[second, third]), "none of the set fits"),
    ] {
        let asked = json!({"attempt": "public_key_as_secret", "token": token, "key": given});
        let refused = app.post("/inspect/experiment", &asked).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let message = refused.json()["message"].clone();
        assert!(message.as_str().unwrap().contains(words), "{message}");
    }
}

#[tokio::test]
async fn the_servers_own_keys_are_taken_for_a_secret_too() {
    let (app, tokens) = TestApp::with_session().await;
    let key = json!({"form": "issuer", "text": crate::app::ISSUER});
    let asked = json!({"attempt": "public_key_as_secret", "token": tokens.access, "key": key});
    let forged = app.post("/inspect/experiment", &asked).await;
    assert_eq!(forged.status, StatusCode::OK, "{forged:?}");
    let answer = explain(&app, &json!({"token": forged.json()["token"], "key": key})).await;
    assert_eq!(answer["verdict"]["code"], "algorithm_mismatch", "{answer}");
}

#[tokio::test]
async fn without_a_key_no_attempt_speaks_of_one() {
    let app = TestApp::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.sign(&json!({"exp": START + 60})).unwrap();
    for given in [Value::Null, json!({"form": "text", "text": ""})] {
        for attempt in [
            "alg_none",
            "swapped_payload",
            "dropped_signature",
            "extended_exp",
            "wrong_kid",
        ] {
            let asked = json!({"attempt": attempt, "token": token, "key": given});
            let why = app.post("/inspect/experiment", &asked).await.json()["why"].clone();
            assert!(!why.as_str().unwrap().contains("key"), "{attempt}: {why}");
        }
        let asked = json!({"attempt": "public_key_as_secret", "token": token, "key": given});
        let refused = app.post("/inspect/experiment", &asked).await.json();
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("give the public key first"),
            "{refused}"
        );
    }
}
