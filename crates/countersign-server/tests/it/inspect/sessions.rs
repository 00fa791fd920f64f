//! Tokens that were taken back since: this server's own, and those whose issuer says so in a list.

use countersign::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::{as_form, explain, key, secret};
use crate::app::{EMAIL, ISSUER, START, TestApp, Tokens, tampered};

fn question(token: &str) -> Value {
    json!({"token": token, "key": {"form": "issuer", "text": ISSUER}})
}

fn rung(answer: &Value) -> Value {
    let steps = answer["report"]["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert_eq!(last["number"], steps.len(), "{answer}");
    last.clone()
}

/// What is said of a token, and of its session.
async fn said(app: &TestApp, question: &Value) -> (String, String, String) {
    let answer = explain(app, question).await;
    let rung = rung(&answer);
    assert_eq!(rung["name"], "session", "{answer}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&answer["verdict"]["kind"]),
        text(&answer["verdict"]["text"]),
        text(&rung["outcome"]),
    )
}

async fn log_out(app: &TestApp, tokens: &Tokens) {
    let body = json!({"refresh_token": tokens.refresh});
    assert_eq!(app.post("/logout", &body).await.status, 200);
}

#[tokio::test]
async fn a_token_of_a_session_that_was_ended_is_taken_back_and_not_valid() {
    let (app, tokens) = TestApp::with_session().await;
    let asked = question(&tokens.access);
    let (kind, text, outcome) = said(&app, &asked).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("valid", "passed"));
    assert!(text.contains("Its session lives."), "{text}");
    log_out(&app, &tokens).await;
    // As the middleware says it.
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    let answer = explain(&app, &asked).await;
    assert_eq!(answer["verdict"]["kind"], "taken_back", "{answer}");
    assert_eq!(answer["verdict"]["title"], "Taken back");
    assert_eq!(answer["verdict"]["code"], "token_revoked");
    assert_eq!(answer["live"], false);
    assert_eq!(answer["report"]["valid"], false);
    let rung = rung(&answer);
    assert_eq!(
        (&rung["name"], &rung["outcome"], &rung["code"]),
        (&json!("session"), &json!("failed"), &json!("token_revoked"))
    );
    let form = format!(
        "token={}&form=issuer&key=http%3A%2F%2F127.0.0.1%3A8080&alg=&iss=&aud=&typ=&leeway=&at=",
        tokens.access
    );
    let page = app.send(as_form(&form)).await.body;
    for part in ["verdict is-taken-back", "Taken back", "of-taken-back"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let style = app.get("/assets/inspect.css").await.body;
    assert!(style.contains(".is-taken-back .of-taken-back"));
}

#[tokio::test]
async fn a_token_that_says_of_its_user_what_is_true_no_more_is_taken_back() {
    let (app, tokens) = TestApp::with_session().await;
    let sql = "UPDATE users SET disabled = TRUE WHERE email = $1";
    app.tamper(sql, EMAIL).await;
    let (kind, _, outcome) = said(&app, &question(&tokens.access)).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("taken_back", "failed"));
}

#[tokio::test]
async fn sessions_are_known_as_of_now_and_told_of_tokens_that_nobody_can_have_made_up() {
    let (app, tokens) = TestApp::with_session().await;
    log_out(&app, &tokens).await;
    let mut then = question(&tokens.access);
    then["at"] = json!(START);
    let (kind, text, outcome) = said(&app, &then).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("valid", "skipped"));
    assert!(text.contains("Its session was not looked at"), "{text}");
    let forged = tampered(&tokens.access);
    let answer = explain(&app, &question(&forged)).await;
    assert_eq!(answer["verdict"]["kind"], "forged", "{answer}");
    assert_ne!(rung(&answer)["outcome"], "failed", "{answer}");
    // Past its own end, that is what is said first.
    app.wait(3_600);
    let (kind, _, outcome) = said(&app, &question(&tokens.access)).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("expired", "failed"));
}

#[tokio::test]
async fn a_token_of_the_demonstration_is_valid_while_its_session_lives() {
    let app = TestApp::new().await;
    let request = http::Request::post("/flow/session").body(axum::body::Body::empty());
    let tokens = Tokens::of(&app.send(request.unwrap()).await);
    let asked = question(&tokens.access);
    let (kind, _, outcome) = said(&app, &asked).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("valid", "passed"));
    log_out(&app, &tokens).await;
    let (kind, _, outcome) = said(&app, &asked).await;
    assert_eq!((kind.as_str(), outcome.as_str()), ("taken_back", "failed"));
}

#[tokio::test]
async fn a_status_list_that_is_not_looked_at_is_not_passed_over() {
    let (app, tokens) = TestApp::with_session().await;
    log_out(&app, &tokens).await;
    let listed = |key: &SigningKey, iss: &str| {
        let status = json!({"status_list": {"idx": 1, "uri": "https://id.example/1"}});
        key.sign(&json!({"iss": iss, "exp": START + 60, "status": status}))
            .unwrap()
    };
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = other.verifying_key().to_pem().unwrap();
    let jwks = app.get("/.well-known/jwks.json").await.body;
    for (token, key) in [
        (listed(&key(), "https://id.example"), secret()),
        // In this server's name, and not by its key.
        (
            listed(&other, ISSUER),
            json!({"form": "pem", "text": public}),
        ),
        // By its key, that is given like anybody's.
        (tokens.access.clone(), json!({"form": "jwks", "text": jwks})),
    ] {
        let answer = explain(&app, &json!({"token": token, "key": key})).await;
        assert_eq!(answer["verdict"]["kind"], "valid", "{answer}");
        let text = answer["verdict"]["text"].as_str().unwrap();
        assert!(text.contains("Its status list was not looked at"), "{text}");
        assert_ne!(rung(&answer)["name"], "session");
    }
}
