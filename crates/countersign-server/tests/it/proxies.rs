use axum::body::Body;
use http::{Request, header};
use serde_json::json;

use crate::app::{Answer, EMAIL, PASSWORD, TestApp};
use crate::log::Log;

const PROXY: &str = "10.0.0.5:1000";

/// A server for others behind a proxy.
async fn behind() -> TestApp {
    TestApp::with(&[
        ("LISTEN", "0.0.0.0:8080"),
        ("PUBLIC_URL", "https://id.example"),
        ("TRUSTED_PROXY", "10.0.0.5"),
    ])
    .await
}

async fn log_in(app: &TestApp, peer: &str, list: &str, password: &str) -> Answer {
    let body = json!({"email": EMAIL, "password": password}).to_string();
    let request = Request::post("/login")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-forwarded-for", list)
        .body(Body::from(body));
    app.send_from(peer, request.unwrap()).await
}

#[tokio::test]
async fn clients_behind_a_proxy_are_told_apart_by_what_the_proxy_saw() {
    let app = behind().await;
    app.sign_up(EMAIL).await;
    for i in 0..10 {
        // The client makes up what stands on the left.
        let list = format!("198.51.100.{i}, 203.0.113.9");
        let answer = log_in(&app, PROXY, &list, "wrong horse battery").await;
        answer.is_problem(401, "invalid_credentials", "Invalid credentials");
    }
    let answer = log_in(&app, PROXY, "1.2.3.4, 203.0.113.9", PASSWORD).await;
    answer.is_problem(429, "too_many_requests", "Too many requests");
    // Somebody else behind the same proxy.
    let answer = log_in(&app, PROXY, "198.51.100.7", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let request =
        Request::get("/sessions").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = app
        .send_from(PROXY, request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(
        answer.json()["sessions"][0]["address"],
        json!("198.51.100.0/24")
    );
}

#[tokio::test]
async fn nobody_but_a_proxy_says_who_a_client_is() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for i in 0..10 {
        let list = format!("198.51.100.{i}");
        log_in(&app, "203.0.113.9:1000", &list, "wrong horse battery").await;
    }
    log_in(&app, "203.0.113.9:1000", "198.51.100.99", PASSWORD)
        .await
        .is_problem(429, "too_many_requests", "Too many requests");
}

#[tokio::test]
async fn what_comes_in_the_clear_past_the_proxy_is_refused() {
    let app = behind().await;
    app.sign_up(EMAIL).await;
    for peer in ["203.0.113.9:1000", "10.0.0.6:1000", "[2001:db8::1]:1000"] {
        log_in(&app, peer, "10.0.0.5", PASSWORD).await.is_problem(
            403,
            "https_required",
            "HTTPS required",
        );
        for (path, status) in [
            ("/", 403),
            ("/profile", 403),
            ("/livez", 200),
            ("/readyz", 200),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(app.send_from(peer, request).await.status, status, "{path}");
        }
    }
    // From this machine nothing is read on its way.
    assert_eq!(
        log_in(&app, "127.0.0.1:1000", "", PASSWORD).await.status,
        200
    );
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_told_of_once_and_counted_each_time() {
    let app = behind().await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    for _ in 0..3 {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = app.send_from("[::ffff:10.0.0.6]:1000", request).await;
        answer.is_problem(403, "https_required", "HTTPS required");
        let detail = answer.json()["detail"].clone();
        assert!(
            detail.as_str().unwrap().contains("https address"),
            "{detail}"
        );
    }
    let text = log.text();
    let told: Vec<_> = text
        .lines()
        .filter(|line| line.contains("--trusted-proxy"))
        .collect();
    assert!(
        matches!(told.as_slice(), [line] if line.contains("WARN") && line.contains("peer=10.0.0.6")),
        "{text}"
    );
    let figures = app.metrics().await;
    assert!(
        figures.contains("\ncountersign_https_required_total 3\n"),
        "{figures}"
    );
}
