//! What an answer says of itself: one realm, the status of an invalid token, and what was wrong with a request.

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::app::{EMAIL, PASSWORD, TestApp};

const REALM: &str = "Bearer realm=\"countersign\"";

#[tokio::test]
async fn every_challenge_names_the_same_realm() {
    let app = TestApp::new().await;
    let wrong = json!({"email": EMAIL, "password": PASSWORD});
    let setup = json!({"code": "x", "email": EMAIL, "password": PASSWORD});
    let answers = [
        app.get("/profile").await,
        app.get_as("/profile", "x.y.z").await,
        app.get("/admin/v1/users").await,
        app.post("/login", &wrong).await,
        app.refresh("x").await,
        app.post("/setup", &setup).await,
        app.post("/logout", &json!({})).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge == REALM || challenge.starts_with(&format!("{REALM}, ")),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn a_cookie_that_stands_twice_is_answered_in_the_same_realm() {
    let app = TestApp::new().await;
    let request = Request::post("/refresh")
        .header("origin", "http://127.0.0.1:8080")
        .header("cookie", "rt=a; rt=b");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.header("www-authenticate").starts_with(REALM),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_status_of_an_invalid_token_is_the_same_on_every_route() {
    let app = TestApp::with(&[("INVALID_TOKEN_STATUS", "403")]).await;
    for (method, path) in [("GET", "/profile"), ("POST", "/logout")] {
        let send = async |token: Option<&str>| {
            let request = Request::builder().method(method).uri(path);
            let request = match token {
                Some(token) => request.header("authorization", format!("Bearer {token}")),
                None => request,
            };
            app.send(request.body(Body::empty()).unwrap()).await
        };
        send(Some("x.y.z"))
            .await
            .is_problem(403, "invalid_token", "Invalid token");
        send(None)
            .await
            .is_problem(401, "no_credential", "No token provided");
    }
}

#[tokio::test]
async fn a_role_that_is_missing_is_named() {
    let (app, tokens) = TestApp::with_session().await;
    let answer = app.get_as("/admin/v1/users", &tokens.access).await;
    answer.is_problem(403, "insufficient_role", "Insufficient role");
    assert_eq!(answer.json()["detail"], "this needs the role admin");
    assert!(
        answer
            .header("www-authenticate")
            .ends_with("error_description=\"this needs the role admin\""),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_told_which_member() {
    let app = TestApp::new().await;
    for (body, detail) in [
        ("", "the body is empty; send a JSON object"),
        (" ", "the body is empty; send a JSON object"),
        ("[]", "the body does not fit: it is not an object"),
        ("{}", "the body does not fit: `email` is missing"),
        (
            r#"{"email":1}"#,
            "the body does not fit: `email` is not a string",
        ),
        (
            r#"{"email":"a","password":"b","role":"admin"}"#,
            "the body does not fit: `role` is not known; known are `email`, `password`, `name`",
        ),
        (
            r#"{"email":"a","password":["b"]}"#,
            "the body does not fit: `password` is not a string",
        ),
    ] {
        let request = Request::post("/signup").header("content-type", "application/json");
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["detail"], detail, "{body}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_was_not_sent_is_told_from_one_that_is_wrong() {
    let app = TestApp::new().await;
    let detail = |answer: crate::app::Answer| {
        answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    let none = detail(app.post("/refresh", &json!({})).await);
    assert!(none.starts_with("no refresh token was sent; "), "{none}");
    let empty = Request::post("/refresh").body(Body::empty()).unwrap();
    assert_eq!(detail(app.send(empty).await), none);
    let wrong = detail(app.refresh("x").await);
    assert_eq!(wrong, "the refresh token is not valid; log in again");
    let wrong = json!({"refresh_token": "x"});
    assert_eq!(
        detail(app.post("/logout", &wrong).await),
        "the refresh token is not valid; log in again"
    );
    app.post("/logout", &json!({}))
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn rejects_an_address_over_8_kib_and_takes_one_below() {
    let app = TestApp::new().await;
    let of = |bytes: usize| format!("/livez?{}", "x".repeat(bytes - "/livez".len()));
    assert_eq!(app.get(&of(8 * 1024)).await.status, 200);
    app.get(&of(8 * 1024 + 1))
        .await
        .is_problem(414, "uri_too_long", "URI too long");
    app.get(&format!("/{}", "x".repeat(8 * 1024)))
        .await
        .is_problem(414, "uri_too_long", "URI too long");
}
