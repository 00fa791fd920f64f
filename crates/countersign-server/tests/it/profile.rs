use axum::body::Body;
use countersign::{Algorithm, SigningKey};
use http::Request;
use serde_json::json;

use crate::app::{EMAIL, MINUTE, TestApp, claims, tampered};

#[tokio::test]
async fn the_profile_is_for_who_has_a_token() {
    let (app, tokens) = TestApp::with_session().await;
    for path in ["/profile", "/me"] {
        let answer = app.get_as(path, &tokens.access).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let sub = &claims(&tokens.access)["sub"];
        let expected = json!({"message": "Welcome, ada@example.com", "user": {"sub": sub, "email": EMAIL, "roles": []}});
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn rejects_a_request_without_a_token() {
    let app = TestApp::new().await;
    let answer = app.get("/profile").await;
    answer.is_problem(401, "no_credential", "No token provided");
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"countersign\""
    );
    let basic = Request::get("/profile")
        .header("authorization", "Basic YWRhOmFkYQ==")
        .body(Body::empty())
        .unwrap();
    app.send(basic)
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn rejects_tampered_and_foreign_tokens() {
    let (app, tokens) = TestApp::with_session().await;
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let foreign = other.sign(&claims(&tokens.access)).unwrap();
    for token in [
        tampered(&tokens.access),
        foreign,
        tokens.refresh.clone(),
        "a.b.c".to_owned(),
    ] {
        let answer = app.get_as("/profile", &token).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
        assert!(
            answer
                .header("www-authenticate")
                .contains("error=\"invalid_token\""),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn rejects_an_expired_token_and_says_so() {
    let (app, tokens) = TestApp::with_session().await;
    app.wait(10 * MINUTE);
    let answer = app.get_as("/profile", &tokens.access).await;
    answer.is_problem(401, "token_expired", "jwt expired");
    assert!(
        answer
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn the_status_of_an_invalid_token_can_be_403_and_its_header_stays() {
    let app = TestApp::with(&[("INVALID_TOKEN_STATUS", "403")]).await;
    let answer = app.get_as("/profile", "a.b.c").await;
    answer.is_problem(403, "invalid_token", "Invalid token");
    assert!(
        answer
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );
    app.get("/profile")
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn rejects_two_credentials_and_a_bearer_without_a_value() {
    let (app, tokens) = TestApp::with_session().await;
    let two = Request::get("/profile")
        .header("authorization", format!("Bearer {}", tokens.access))
        .header("cookie", "at=x");
    app.send(two.body(Body::empty()).unwrap()).await.is_problem(
        400,
        "invalid_request",
        "Invalid request",
    );
    let empty = Request::get("/profile")
        .header("authorization", "Bearer")
        .body(Body::empty())
        .unwrap();
    app.send(empty)
        .await
        .is_problem(400, "invalid_request", "Invalid request");
}

#[tokio::test]
async fn a_token_is_for_the_audiences_that_were_set_and_the_server_takes_the_first() {
    let app = TestApp::with(&[("AUDIENCE", "orders-api,billing-api")]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    assert_eq!(
        claims(&tokens.access)["aud"],
        json!(["orders-api", "billing-api"])
    );
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_token_for_another_service_does_not_open_this_one() {
    let mut app = TestApp::with(&[("AUDIENCE", "orders-api")]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    app.reopen_with(&[("AUDIENCE", "billing-api")])
        .await
        .unwrap();
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "invalid_token", "Invalid token");
}
