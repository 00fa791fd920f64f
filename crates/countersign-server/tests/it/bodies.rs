use axum::body::{Body, Bytes};
use http::Request;
use http_body_util::channel::Channel;

use crate::app::{Answer, TestApp};

async fn send(app: &TestApp, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let request = Request::post("/login");
    let request = match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    };
    app.send(request.body(body.into()).unwrap()).await
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn rejects_a_body_that_is_not_said_to_be_json() {
    let app = TestApp::new().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/xml"),
        Some("application/json-seq"),
        Some(""),
    ] {
        send(&app, content_type, "{}").await.is_problem(
            415,
            "unsupported_media_type",
            "Unsupported media type",
        );
    }
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json;charset=UTF-8",
    ] {
        send(&app, Some(content_type), "{}").await.is_problem(
            400,
            "invalid_request",
            "Invalid request",
        );
    }
}

#[tokio::test]
async fn rejects_what_is_not_strict_json() {
    let app = TestApp::new().await;
    let deep = format!("{{\"email\":{}{}}}", "[".repeat(40), "]".repeat(40));
    for body in [
        "",
        "{",
        "{}x",
        "{\"email\":\"a\",}",
        "{'email':'a'}",
        "\u{feff}{}",
        r#"{"email":"a@example.com","email":"b@example.com","password":"x"}"#,
        r#"{"email":"a@example.com","\u0065mail":"b@example.com"}"#,
        r#"{"email":"\ud834"}"#,
        &deep,
    ] {
        send(&app, JSON, body.to_owned())
            .await
            .is_problem(400, "malformed_json", "Malformed JSON");
    }
    send(&app, JSON, b"{\"email\":\"\xff\"}".to_vec())
        .await
        .is_problem(400, "malformed_json", "Malformed JSON");
    for body in ["[]", "null", "1", "\"x\""] {
        send(&app, JSON, body)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
}

#[tokio::test]
async fn rejects_a_body_over_64_kib_and_takes_one_below() {
    let app = TestApp::new().await;
    let of = |bytes: usize| {
        let empty = r#"{"email":"a@example.com","password":""}"#.len();
        format!(
            r#"{{"email":"a@example.com","password":"{}"}}"#,
            "x".repeat(bytes - empty)
        )
    };
    send(&app, JSON, of(64 * 1024)).await.is_problem(
        401,
        "invalid_credentials",
        "Invalid credentials",
    );
    send(&app, JSON, of(64 * 1024 + 1))
        .await
        .is_problem(413, "body_too_large", "Body too large");
    send(&app, JSON, "x".repeat(10 * 1024 * 1024))
        .await
        .is_problem(413, "body_too_large", "Body too large");
}

#[tokio::test]
async fn rejects_a_body_that_does_not_arrive() {
    let app = TestApp::new().await;
    // As long as the sender is held, the body is not at its end.
    let (_sender, never) = Channel::<Bytes>::new(1);
    // From here on time passes as fast as nothing else happens.
    tokio::time::pause();
    send(&app, JSON, Body::new(never))
        .await
        .is_problem(408, "body_timeout", "Request timeout");
}

#[tokio::test]
async fn what_a_client_sent_is_not_in_the_answer() {
    let app = TestApp::new().await;
    for body in [
        r#"{"<script>alert(1)</script>":1}"#,
        r#"{"email":{"<script>alert(1)</script>":1}}"#,
        r#"{"email":"<script>alert(1)</script>"#,
        r#"{"email":"a","password":"b","session":"<script>alert(1)</script>"}"#,
    ] {
        let answer = send(&app, JSON, body).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains("script"), "{answer:?}");
    }
}
