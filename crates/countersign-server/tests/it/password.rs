use http::Method;
use serde_json::json;

use crate::app::{Answer, EMAIL, PASSWORD, TestApp, Tokens};

const NEW: &str = "another horse battery staple";

async fn change(app: &TestApp, tokens: &Tokens, current: &str, new: &str) -> Answer {
    let body = json!({"current": current, "new": new});
    app.send_as(Method::POST, "/password/change", &tokens.access, &body)
        .await
}

async fn log_in_with(app: &TestApp, password: &str) -> Answer {
    app.post("/login", &json!({"email": EMAIL, "password": password}))
        .await
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_leaves_this_one() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    let answer = change(&app, &tokens, PASSWORD, NEW).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({"message": "Password changed"}));
    app.get_as("/profile", &other.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    app.refresh(&other.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    assert_eq!(app.refresh(&tokens.refresh).await.status, 200);
    log_in_with(&app, PASSWORD)
        .await
        .is_problem(401, "invalid_credentials", "Invalid credentials");
    assert_eq!(log_in_with(&app, NEW).await.status, 200);
    let entries = "SELECT group_concat(event) FROM audit";
    assert_eq!(app.look_up(entries).await, "password_changed");
}

#[tokio::test]
async fn rejects_whoever_does_not_know_the_present_password() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    for current in ["", "wrong horse battery staple", NEW] {
        let answer = change(&app, &tokens, current, NEW).await;
        answer.is_problem(401, "invalid_credentials", "Invalid credentials");
        // No address was sent, so none is spoken of.
        assert_eq!(
            answer.json()["detail"],
            json!("this is not your present password")
        );
    }
    assert_eq!(app.get_as("/profile", &other.access).await.status, 200);
    assert_eq!(log_in_with(&app, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn rejects_a_new_password_that_is_weak_or_the_present_one() {
    let (app, tokens) = TestApp::with_session().await;
    for new in ["short", "passwordpassword", PASSWORD] {
        let answer = change(&app, &tokens, PASSWORD, new).await;
        answer.is_problem(422, "weak_password", "Weak password");
        assert!(!answer.json()["reasons"].as_array().unwrap().is_empty());
    }
    assert_eq!(log_in_with(&app, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_stolen_token_guesses_no_faster_than_at_the_door() {
    let (app, tokens) = TestApp::with_session().await;
    let mut refused = 0;
    for _ in 0..12 {
        let answer = change(&app, &tokens, "wrong horse battery staple", NEW).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 2);
    // The right one has to wait too.
    change(&app, &tokens, PASSWORD, NEW).await.is_problem(
        429,
        "too_many_requests",
        "Too many requests",
    );
}

#[tokio::test]
async fn rejects_a_change_without_a_token_and_one_with_other_members() {
    let (app, tokens) = TestApp::with_session().await;
    let body = json!({"current": PASSWORD, "new": NEW});
    app.post("/password/change", &body)
        .await
        .is_problem(401, "no_credential", "No token provided");
    for body in [
        json!({}),
        json!({"current": PASSWORD, "new": NEW, "email": EMAIL}),
    ] {
        app.send_as(Method::POST, "/password/change", &tokens.access, &body)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
}

#[tokio::test]
async fn a_weak_new_password_is_no_failed_attempt_of_whoever_proved_the_present_one() {
    let (app, tokens) = TestApp::with_session().await;
    for _ in 0..12 {
        for new in ["weak", PASSWORD] {
            change(&app, &tokens, PASSWORD, new).await.is_problem(
                422,
                "weak_password",
                "Weak password",
            );
        }
    }
    assert_eq!(change(&app, &tokens, PASSWORD, NEW).await.status, 200);
}
