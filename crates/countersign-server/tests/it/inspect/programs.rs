//! The programs that verify a token elsewhere.

use countersign::{Algorithm, MAX_TOKEN_BYTES, SigningKey};
use http::StatusCode;
use serde_json::json;

use super::{SECRET, base64url, token};
use crate::app::{START, TestApp};

#[tokio::test]
async fn a_program_takes_the_key_in_the_form_that_was_given_and_holds_no_secret() {
    let app = TestApp::new().await;
    let signing = SigningKey::generate(Algorithm::ES256).unwrap();
    let pem = signing.verifying_key().to_pem().unwrap();
    let private = signing.to_pem().unwrap();
    let jwk = serde_json::to_string(&json!({"kty": "oct", "alg": "HS256", "k": base64url(SECRET)}))
        .unwrap();
    let line = pem.lines().nth(1).unwrap();
    let signed = signing.sign(&json!({"exp": START + 60})).unwrap();
    for (token, form, text, language, part) in [
        (
            token(60),
            "text",
            SECRET.to_owned(),
            "python",
            "secret.encode()",
        ),
        (
            token(60),
            "base64",
            base64url(SECRET),
            "python",
            "base64.b64decode",
        ),
        (
            token(60),
            "base64url",
            base64url(SECRET),
            "go",
            "RawURLEncoding",
        ),
        (token(60), "hex", "ab".repeat(32), "node", "\"hex\""),
        (token(60), "jwk", jwk, "rust", "// the member k of the JWK"),
        (signed.clone(), "pem", pem.clone(), "node", line),
        (signed.clone(), "pem", private.to_string(), "go", line),
        (
            signed.clone(),
            "jwks",
            "{\"keys\":[]}".to_owned(),
            "rust",
            "jwks.json",
        ),
        (
            signed,
            "issuer",
            "https://id.example/".to_owned(),
            "curl",
            "'https://id.example/.well-known/openid-configuration'",
        ),
    ] {
        let question = json!({"token": token, "key": {"form": form, "text": text}});
        let asked = json!({"language": language, "question": question});
        let answer = app.post("/inspect/program", &asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let program = answer.json()["program"].as_str().unwrap().to_owned();
        assert!(
            program.contains(part) && program.contains(&token),
            "{form}: {program}"
        );
        for secret in [SECRET, private.lines().nth(1).unwrap(), &"ab".repeat(32)] {
            assert!(!program.contains(secret), "{form}: {program}");
        }
    }
    // What no verifier takes by default, no program is written for.
    let claims = base64url(&json!({"note": "a".repeat(MAX_TOKEN_BYTES)}).to_string());
    let (header, signature) = (base64url(r#"{"alg":"ES256"}"#), "A".repeat(86));
    let long = [header, claims, signature].join(".");
    let asked = json!({"language": "rust", "question": {"token": long}});
    let answer = app.post("/inspect/program", &asked).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("too_large"), "{answer:?}");
}
