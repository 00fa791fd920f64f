use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::app::{Answer, DAY, EMAIL, MINUTE, TestApp, Tokens, claims, tampered};

async fn log_out(app: &TestApp, token: &str, scope: Option<&str>) -> Answer {
    let request = Request::post("/logout").header("authorization", format!("Bearer {token}"));
    let request = match scope {
        None => request.body(Body::empty()),
        Some(scope) => request
            .header("content-type", "application/json")
            .body(Body::from(json!({"scope": scope}).to_string())),
    };
    app.send(request.unwrap()).await
}

async fn is_out(app: &TestApp, tokens: &Tokens) -> bool {
    let profile = app.get_as("/profile", &tokens.access).await;
    let refresh = app.refresh(&tokens.refresh).await;
    if profile.status == 200 {
        assert_eq!(refresh.status, 200);
        return false;
    }
    profile.is_problem(401, "token_revoked", "Invalid token");
    refresh.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
    true
}

fn succeeded(answer: &Answer) {
    ended(answer);
    assert_eq!(answer.cookies().len(), 2);
    assert!(
        answer
            .cookies()
            .iter()
            .all(|line| line.contains("Max-Age=0"))
    );
}

fn ended(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({"message": "Logout successful"}));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once_and_again_is_no_error() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    succeeded(&log_out(&app, &tokens.access, None).await);
    assert!(is_out(&app, &tokens).await);
    succeeded(&log_out(&app, &tokens.access, Some("local")).await);
    assert!(!is_out(&app, &other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_crosses_a_log_out_leaves_no_token_that_cannot_be_taken_back() {
    let (app, _) = TestApp::with_session().await;
    let app = std::sync::Arc::new(app);
    for _ in 0..20 {
        let tokens = app.log_in(EMAIL).await;
        let twins: Vec<_> = (0..8)
            .map(|_| {
                let (app, refresh) = (std::sync::Arc::clone(&app), tokens.refresh.clone());
                tokio::spawn(async move { app.refresh(&refresh).await })
            })
            .collect();
        succeeded(&log_out(&app, &tokens.access, None).await);
        for twin in twins {
            let answer = twin.await.unwrap();
            if answer.status == 200 {
                let token = Tokens::of(&answer).access;
                assert!(claims(&token)["status"]["status_list"]["idx"].is_u64());
            }
        }
    }
}

#[tokio::test]
async fn others_leaves_this_session_alone() {
    let (app, tokens) = TestApp::with_session().await;
    let (second, third) = (app.log_in(EMAIL).await, app.log_in(EMAIL).await);
    app.sign_up("bob@example.com").await;
    let bob = app.log_in("bob@example.com").await;
    let answer = log_out(&app, &tokens.access, Some("others")).await;
    ended(&answer);
    assert!(answer.cookies().is_empty(), "{answer:?}");
    assert!(!is_out(&app, &tokens).await);
    assert!(is_out(&app, &second).await && is_out(&app, &third).await);
    assert!(!is_out(&app, &bob).await);
}

#[tokio::test]
async fn global_ends_every_session_of_this_user_and_of_no_other() {
    let (app, tokens) = TestApp::with_session().await;
    let second = app.log_in(EMAIL).await;
    app.sign_up("bob@example.com").await;
    let bob = app.log_in("bob@example.com").await;
    succeeded(&log_out(&app, &tokens.access, Some("global")).await);
    assert!(is_out(&app, &tokens).await && is_out(&app, &second).await);
    assert!(!is_out(&app, &bob).await);
}

#[tokio::test]
async fn an_expired_token_logs_its_own_session_out_and_no_other() {
    let (app, tokens) = TestApp::with_session().await;
    app.wait(20 * MINUTE);
    for scope in ["others", "global"] {
        log_out(&app, &tokens.access, Some(scope)).await.is_problem(
            401,
            "token_expired",
            "jwt expired",
        );
    }
    succeeded(&log_out(&app, &tokens.access, None).await);
    app.refresh(&tokens.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
}

#[tokio::test]
async fn a_session_that_is_over_only_by_a_clock_that_is_wrong_is_ended_for_good() {
    let (app, tokens) = TestApp::with_session().await;
    app.wait(31 * DAY);
    for scope in ["others", "global"] {
        log_out(&app, &tokens.access, Some(scope)).await.is_problem(
            401,
            "token_expired",
            "jwt expired",
        );
    }
    succeeded(&log_out(&app, &tokens.access, None).await);
    app.wait(-31 * DAY);
    assert!(is_out(&app, &tokens).await);
}

#[tokio::test]
async fn a_token_of_a_session_that_is_forgotten_logs_nobody_out() {
    let app = TestApp::with(&[("SESSION_TTL", "1h"), ("SESSION_IDLE_TTL", "50m")]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    app.wait(61 * MINUTE);
    app.server.keep_house().await.unwrap();
    log_out(&app, &tokens.access, None)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
}

#[tokio::test]
async fn a_session_that_was_ended_ends_no_other() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    log_out(&app, &tokens.access, None).await;
    for scope in ["others", "global"] {
        log_out(&app, &tokens.access, Some(scope)).await.is_problem(
            401,
            "token_revoked",
            "Invalid token",
        );
    }
    assert!(!is_out(&app, &other).await);
}

#[tokio::test]
async fn a_refresh_token_logs_its_own_session_out() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    let out = |scope: &str, token: &str| json!({"scope": scope, "refresh_token": token});
    app.post("/logout", &out("global", &tokens.refresh))
        .await
        .is_problem(401, "no_credential", "No token provided");
    succeeded(&app.post("/logout", &out("local", &tokens.refresh)).await);
    assert!(is_out(&app, &tokens).await);
    assert!(!is_out(&app, &other).await);
}

#[tokio::test]
async fn who_names_one_session_by_a_bearer_and_another_by_a_refresh_token_leaves_both() {
    let (app, first) = TestApp::with_session().await;
    let (second, third) = (app.log_in(EMAIL).await, app.log_in(EMAIL).await);
    let mut request = crate::app::post("/logout", &json!({"refresh_token": first.refresh}));
    let bearer = format!("Bearer {}", second.access).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    succeeded(&app.send(request).await);
    assert!(is_out(&app, &first).await);
    assert!(is_out(&app, &second).await);
    assert!(!is_out(&app, &third).await);
}

#[tokio::test]
async fn rejects_a_logout_that_names_nobody() {
    let (app, tokens) = TestApp::with_session().await;
    let nobody: [(Option<String>, Value); 4] = [
        (None, json!({})),
        (None, json!({"refresh_token": "garbage"})),
        (None, json!({"refresh_token": tampered(&tokens.refresh)})),
        (Some("garbage".to_owned()), json!({})),
    ];
    for (token, body) in nobody {
        let mut request = crate::app::post("/logout", &body);
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let answer = app.send(request).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(!answer.header("www-authenticate").is_empty());
    }
    log_out(&app, &tampered(&tokens.access), None)
        .await
        .is_problem(401, "invalid_token", "Invalid token");
    log_out(&app, &tokens.access, Some("everybody"))
        .await
        .is_problem(400, "invalid_request", "Invalid request");
    assert!(!is_out(&app, &tokens).await);
}

async fn log_out_browser(
    app: &TestApp,
    cookies: &str,
    bearer: Option<&str>,
    body: &Value,
) -> Answer {
    let mut request = crate::app::post("/logout", body);
    let headers = request.headers_mut();
    headers.insert("cookie", cookies.parse().unwrap());
    headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
    if let Some(bearer) = bearer {
        headers.insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    }
    app.send(request).await
}

#[tokio::test]
async fn a_browser_whose_cookies_name_two_sessions_leaves_both() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    app.sign_up("bob@example.com").await;
    for (other, is_worn) in [(EMAIL, false), ("bob@example.com", false), (EMAIL, true)] {
        let (a, b) = (app.log_in(EMAIL).await, app.log_in(other).await);
        let both = format!("at={}; rt={}", a.access, b.refresh);
        if is_worn {
            log_out(&app, &a.access, None).await;
        }
        succeeded(&log_out_browser(&app, &both, None, &json!({})).await);
        assert!(is_out(&app, &a).await && is_out(&app, &b).await);
    }
    // And with all sessions of the one, the one of the other that this browser holds.
    let (a, b, elsewhere) = (
        app.log_in(EMAIL).await,
        app.log_in("bob@example.com").await,
        app.log_in("bob@example.com").await,
    );
    let both = format!("at={}; rt={}", a.access, b.refresh);
    succeeded(&log_out_browser(&app, &both, None, &json!({"scope": "global"})).await);
    assert!(is_out(&app, &a).await && is_out(&app, &b).await);
    assert!(!is_out(&app, &elsewhere).await);
    // A cookie that is worth nothing keeps nobody in.
    let a = app.log_in(EMAIL).await;
    for worthless in ["rt=v1.x", "rt=", "rt=1; rt=2"] {
        let cookies = format!("at={}; {worthless}", a.access);
        succeeded(&log_out_browser(&app, &cookies, None, &json!({})).await);
        assert!(is_out(&app, &a).await);
    }
}

#[tokio::test]
async fn cookies_of_a_session_that_ended_with_the_others_go_too() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let (x, y) = (app.log_in(EMAIL).await, app.log_in(EMAIL).await);
    let others = json!({"scope": "others"});
    succeeded(&log_out_browser(&app, &format!("rt={}", y.refresh), Some(&x.access), &others).await);
    assert!(is_out(&app, &y).await && !is_out(&app, &x).await);
}

#[tokio::test]
async fn cookies_go_with_their_own_session_and_with_no_other() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let (own, other) = (app.log_in(EMAIL).await, app.log_in(EMAIL).await);
    let send = async |cookies: String, bearer: Option<&str>, body: &Value| {
        log_out_browser(&app, &cookies, bearer, body).await
    };
    let (at, rt) = (format!("at={}", own.access), format!("rt={}", own.refresh));
    // Also where the access token is over: its cookie still names its session.
    for secs in [0, 20 * MINUTE] {
        app.wait(secs);
        let by_body = json!({"refresh_token": other.refresh});
        for answer in [
            send(at.clone(), None, &by_body).await,
            send(rt.clone(), Some(&other.access), &json!({})).await,
        ] {
            ended(&answer);
            assert!(answer.cookies().is_empty(), "{answer:?}");
        }
    }
    // A token that names nothing ends nothing.
    let wrong = send(at.clone(), None, &json!({"refresh_token": "v1.x"})).await;
    assert_eq!((wrong.status.as_u16(), wrong.cookies().len()), (401, 0));
    assert_eq!(app.refresh(&own.refresh).await.status, 200);
    succeeded(&send(format!("{at}; {rt}"), None, &json!({})).await);
    let again = send(at.clone(), None, &json!({"refresh_token": other.refresh})).await;
    succeeded(&again);
}
