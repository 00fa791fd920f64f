use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::app::{EMAIL, MINUTE, PASSWORD, TestApp, Tokens, claims};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn log_in_with(app: &TestApp, user_agent: &str, peer: &str) -> Tokens {
    let request = Request::post("/login")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, user_agent)
        .body(Body::from(
            json!({"email": EMAIL, "password": PASSWORD}).to_string(),
        ));
    Tokens::of(&app.send_from(peer, request.unwrap()).await)
}

async fn list(app: &TestApp, tokens: &Tokens) -> Vec<Value> {
    let answer = app.get_as("/sessions", &tokens.access).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()["sessions"].as_array().unwrap().clone()
}

fn id(tokens: &Tokens) -> String {
    claims(&tokens.access)["sid"].as_str().unwrap().to_owned()
}

async fn end(app: &TestApp, tokens: &Tokens, id: &str) -> crate::app::Answer {
    let path = format!("/sessions/{id}");
    app.send_as(Method::DELETE, &path, &tokens.access, &Value::Null)
        .await
}

#[tokio::test]
async fn somebody_sees_where_they_are_logged_in() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let first = log_in_with(&app, FIREFOX, "192.0.2.77:1000").await;
    app.wait(MINUTE);
    let second = log_in_with(&app, "Shop/1.0", "[2001:db8::1]:1000").await;
    app.wait(MINUTE);
    let first = Tokens::of(&app.refresh(&first.refresh).await);
    let began = app.now() - 2 * MINUTE;
    let expires_at = |began: i64| began + 30 * 24 * 60 * MINUTE;
    assert_eq!(
        list(&app, &first).await,
        [
            json!({
                "id": id(&first), "device": "Firefox on Linux", "address": "192.0.2.0/24", "created_at": began,
                "last_used_at": app.now(), "expires_at": expires_at(began), "current": true
            }),
            json!({
                "id": id(&second), "device": null, "address": "2001:db8::/64", "created_at": began + MINUTE,
                "last_used_at": began + MINUTE, "expires_at": expires_at(began + MINUTE), "current": false
            }),
        ]
    );
    assert_eq!(list(&app, &second).await[1]["current"], json!(true));
}

#[tokio::test]
async fn sessions_of_others_and_sessions_that_are_over_are_not_listed() {
    let (app, tokens) = TestApp::with_session().await;
    let over = app.log_in(EMAIL).await;
    app.sign_up("bob@example.com").await;
    let bob = app.log_in("bob@example.com").await;
    assert_eq!(end(&app, &tokens, &id(&over)).await.status, 204);
    assert_eq!(list(&app, &tokens).await.len(), 1);
    assert_eq!(list(&app, &bob).await.len(), 1);
}

#[tokio::test]
async fn a_session_that_is_ended_from_another_one_is_over_at_once() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    let answer = end(&app, &tokens, &id(&other)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    app.get_as("/profile", &other.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    app.refresh(&other.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    end(&app, &tokens, &id(&other))
        .await
        .is_problem(404, "session_unknown", "Not found");
}

#[tokio::test]
async fn nobody_ends_the_session_of_another_user() {
    let (app, tokens) = TestApp::with_session().await;
    app.sign_up("bob@example.com").await;
    let bob = app.log_in("bob@example.com").await;
    for unknown in [id(&bob), "nothing".to_owned(), "%2e%2e".to_owned()] {
        end(&app, &tokens, &unknown)
            .await
            .is_problem(404, "session_unknown", "Not found");
    }
    assert_eq!(app.get_as("/profile", &bob.access).await.status, 200);
    let path = format!("/sessions/{}", id(&bob));
    let request = Request::delete(path).body(Body::empty()).unwrap();
    app.send(request)
        .await
        .is_problem(401, "no_credential", "No token provided");
}
