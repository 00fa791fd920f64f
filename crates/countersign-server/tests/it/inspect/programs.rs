//! The programs that verify a token elsewhere.

use countersign::{Algorithm, MAX_TOKEN_BYTES, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};

use super::{SECRET, base64url, key, secret, token};
use crate::app::{START, TestApp};

const LANGUAGES: [&str; 5] = ["rust", "node", "python", "go", "curl"];

/// The program in a language, or why there is none.
async fn written(app: &TestApp, language: &str, question: &Value) -> Result<String, Value> {
    let asked = json!({"language": language, "question": question});
    let answer = app.post("/inspect/program", &asked).await;
    let body = answer.json();
    match answer.status {
        StatusCode::OK => Ok(body["program"].as_str().unwrap().to_owned()),
        StatusCode::UNPROCESSABLE_ENTITY => Err(body),
        _ => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn a_program_for_rust_names_what_it_uses_and_nothing_else() {
    let app = TestApp::new().await;
    for (leeway, names) in [(0, "SystemTime"), (5, "{Duration, SystemTime}")] {
        let question =
            json!({"token": token(60), "key": secret(), "policy": {"leeway_secs": leeway}});
        let program = written(&app, "rust", &question).await.unwrap();
        assert!(
            program.contains(&format!("use std::time::{names};\n")),
            "{program}"
        );
    }
}

#[tokio::test]
async fn a_program_takes_the_key_in_the_form_that_was_given_and_holds_no_secret() {
    let app = TestApp::new().await;
    let signing = SigningKey::generate(Algorithm::ES256).unwrap();
    let pem = signing.verifying_key().to_pem().unwrap();
    let private = signing.to_pem().unwrap();
    let jwk = serde_json::to_string(&json!({"kty": "oct", "alg": "HS256", "k": base64url(SECRET)}))
        .unwrap();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let public = signing.verifying_key().to_public_jwk().unwrap().to_json();
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
        (token(60), "hex", hex.clone(), "node", "\"hex\""),
        (token(60), "jwk", jwk, "rust", "// the member k of the JWK"),
        (signed.clone(), "pem", pem.clone(), "node", line),
        (signed.clone(), "pem", private.to_string(), "go", line),
        (
            signed.clone(),
            "jwks",
            format!("{{\"keys\":[{public}]}}"),
            "rust",
            "jwks.json",
        ),
        (
            signed,
            "issuer",
            "https://id.example/".to_owned(),
            "curl",
            "curl -fsS --proto '=https,http' -g --url 'https://id.example/.well-known/openid-configuration'",
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
        for secret in [SECRET, private.lines().nth(1).unwrap(), &hex] {
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

/// Whoever forged the token wrote its header: HS256, with the text of the public key for the secret.
#[tokio::test]
async fn rejects_a_key_that_does_not_fit_instead_of_writing_what_the_header_says() {
    let app = TestApp::new().await;
    let rsa = SigningKey::generate(Algorithm::RS256).unwrap();
    let es = SigningKey::generate(Algorithm::ES256).unwrap();
    let pem = rsa.verifying_key().to_pem().unwrap();
    let jwk = rsa.verifying_key().to_public_jwk().unwrap().to_json();
    let set = format!("{{\"keys\":[{jwk}]}}");
    let weak = json!({"kty": "oct", "alg": "HS256", "k": "c2VjcmV0"}).to_string();
    let of_es = es.sign(&json!({"exp": START + 60})).unwrap();
    for (token, form, text, code) in [
        (token(60), "pem", pem.clone(), "key_unfit"),
        (token(60), "text", pem.clone(), "key_weak"),
        (token(60), "jwk", jwk.clone(), "algorithm_mismatch"),
        (token(60), "jwk", weak, "key_weak"),
        (token(60), "text", "short".to_owned(), "key_weak"),
        (token(60), "jwks", set.clone(), "algorithm_mismatch"),
        (token(60), "jwks", "{\"keys\":[]}".to_owned(), "key_format"),
        (
            token(60),
            "issuer",
            "https://id.example".to_owned(),
            "invalid_request",
        ),
        (of_es.clone(), "pem", pem, "key_unfit"),
        (of_es.clone(), "jwks", set, "key_not_found"),
        (of_es, "text", SECRET.to_owned(), "key_unfit"),
    ] {
        let question = json!({"token": token, "key": {"form": form, "text": text}});
        for language in LANGUAGES {
            let refused = written(&app, language, &question).await.unwrap_err();
            assert_eq!(refused["code"], code, "{form} {language}: {refused}");
            assert!(refused["message"].as_str().unwrap().len() > 10, "{refused}");
        }
    }
    // Where there is no key, there is nothing else to go by; of the page, that is an empty one.
    for key in [Value::Null, json!({"form": "text", "text": ""})] {
        let question = json!({"token": token(60), "key": key});
        for language in LANGUAGES {
            let program = written(&app, language, &question).await.unwrap();
            assert!(program.contains("HS256"), "{program}");
        }
    }
}

#[tokio::test]
async fn a_program_checks_the_type_that_is_expected() {
    let app = TestApp::new().await;
    for (typ, spellings) in [
        ("AT+JWT", ["\"at+jwt\"", "\"application/at+jwt\""]),
        (
            "application/at+jwt",
            ["\"at+jwt\"", "\"application/at+jwt\""],
        ),
    ] {
        let question = json!({"token": token(60), "key": secret(), "policy": {"typ": typ}});
        for language in ["python", "go"] {
            let program = written(&app, language, &question).await.unwrap();
            for spelling in spellings {
                assert!(program.contains(spelling), "{language}: {program}");
            }
        }
        for language in ["rust", "node", "curl"] {
            let program = written(&app, language, &question).await.unwrap();
            assert!(program.contains(typ), "{language}: {program}");
        }
    }
}

#[tokio::test]
async fn no_letter_that_is_not_shown_stands_in_a_program_and_none_becomes_an_option() {
    let app = TestApp::new().await;
    let hidden =
        "-o/tmp/x\u{202e}\u{e0041}\u{200b}\u{feff}\u{85}\u{2028}\u{301}\u{1f600}'\"$(id)`\n";
    let claims = json!({"iss": hidden, "aud": [hidden], "exp": START + 60});
    let token = key().sign(&claims).unwrap();
    let question = json!({"token": token, "key": secret(), "policy": {"typ": hidden}});
    for language in LANGUAGES {
        let program = written(&app, language, &question).await.unwrap();
        let is_shown = |letter| matches!(letter, ' '..='~' | '\n' | '\t');
        assert!(program.chars().all(is_shown), "{language}: {program:?}");
        assert!(
            !program.contains(" -o") && !program.contains(" $'-o"),
            "{program}"
        );
    }
    let curl = written(&app, "curl", &question).await.unwrap();
    assert!(curl.contains("--iss=$'-o/tmp/x\\xe2\\x80\\xae"), "{curl}");
    let nul = key()
        .sign(&json!({"iss": "a\0b", "exp": START + 60}))
        .unwrap();
    let question = json!({"token": nul, "key": secret()});
    let refused = written(&app, "curl", &question).await.unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("U+0000"));
}

#[tokio::test]
async fn rejects_an_issuer_that_is_no_address_of_the_web() {
    let app = TestApp::new().await;
    let es = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = es.sign(&json!({"exp": START + 60})).unwrap();
    let question =
        |issuer: &str| json!({"token": token, "key": {"form": "issuer", "text": issuer}});
    for issuer in [
        "-o/tmp/x",
        "--output=/tmp/x",
        "file:///etc/passwd",
        "ftp://id.example",
        "id.example",
        "/etc/passwd",
        "https://",
        "https://id.example/ -o /tmp/x",
        "javascript:alert(1)",
    ] {
        for language in LANGUAGES {
            let refused = written(&app, language, &question(issuer)).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused["code"], "invalid_request", "{issuer}");
        }
    }
    for issuer in [
        "https://id.example",
        "http://127.0.0.1:8080/",
        "HTTPS://ID.example",
    ] {
        for language in LANGUAGES {
            assert!(written(&app, language, &question(issuer)).await.is_ok());
        }
    }
}

/// Else the page would call a token valid, and the program beside it refuse it.
#[tokio::test]
async fn a_program_asks_for_exp_unless_a_token_without_one_is_taken() {
    let app = TestApp::new().await;
    for (language, asks, waives) in [
        ("rust", "", ".without_expiry()"),
        ("node", "requiredClaims: [\"exp\"]", ""),
        ("python", "\"require\": [\"exp\"]", ""),
        ("go", "jwt.WithExpirationRequired()", ""),
        ("curl", "", "--allow-no-exp "),
    ] {
        for allow in [false, true] {
            let policy = json!({"allow_no_exp": allow});
            let question = json!({"token": token(60), "key": secret(), "policy": policy});
            let program = written(&app, language, &question).await.unwrap();
            let (expected, other) = if allow {
                (waives, asks)
            } else {
                (asks, waives)
            };
            assert!(program.contains(expected), "{program}");
            assert!(other.is_empty() || !program.contains(other), "{program}");
        }
    }
}
