use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn rejects_a_path_that_is_not_there() {
    let app = TestApp::new().await;
    for path in [
        "/nothing",
        "/login/",
        "/admin/nowhere",
        "/assets/../Cargo.toml",
    ] {
        app.get(path)
            .await
            .is_problem(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn rejects_a_name_in_a_path_that_is_no_text_like_one_that_names_nothing() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    let none = serde_json::Value::Null;
    for (method, path, body) in [
        (Method::GET, "/status-lists/%FF", &none),
        (Method::DELETE, "/sessions/%FF", &none),
        (Method::DELETE, "/admin/v1/users/%FF", &none),
        (
            Method::PATCH,
            "/admin/v1/users/%FF",
            &json!({"disabled": true}),
        ),
    ] {
        app.send_as(method, path, &root.access, body)
            .await
            .is_problem(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn rejects_another_method_and_names_the_right_one() {
    let app = TestApp::new().await;
    for (method, path, allow) in [
        ("GET", "/login", "POST"),
        ("DELETE", "/signup", "POST"),
        ("POST", "/profile", "GET,HEAD"),
        ("PUT", "/setup", "GET,HEAD,POST"),
        ("POST", "/account", "GET,HEAD"),
        ("POST", "/assets/style.css", "GET,HEAD"),
        ("POST", "/.well-known/jwks.json", "GET,HEAD"),
        ("DELETE", "/admin/v1/users", "GET,HEAD"),
    ] {
        let answer = app
            .send(
                Request::builder()
                    .method(method)
                    .uri(path)
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        answer.is_problem(405, "method_not_allowed", "Method not allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_is_framed() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for path in [
        "/",
        "/livez",
        "/profile",
        "/nothing",
        "/.well-known/jwks.json",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(!answer.header("cache-control").is_empty());
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(id.len(), 36);
        assert!(!answer.body.contains(&id), "the id is in the header alone");
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_request_id_is_never_the_clients() {
    let app = TestApp::new().await;
    let request = Request::get("/livez")
        .header("x-request-id", "mine")
        .body(Body::empty())
        .unwrap();
    assert_ne!(app.send(request).await.header("x-request-id"), "mine");
}

#[tokio::test]
async fn https_is_remembered_and_plain_http_is_not() {
    let secure = TestApp::with(&[("PUBLIC_URL", "https://id.example")]).await;
    assert_eq!(
        secure
            .get("/livez")
            .await
            .header("strict-transport-security"),
        "max-age=31536000"
    );
    assert_eq!(
        TestApp::new()
            .await
            .get("/livez")
            .await
            .header("strict-transport-security"),
        ""
    );
}
