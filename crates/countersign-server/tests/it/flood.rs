//! Many at once, and a database that does not keep up: who is refused, how, and what it costs them.

use std::sync::Arc;

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::task::JoinSet;

use crate::app::{EMAIL, PASSWORD, TestApp, post};

const CHARGED: &str = "SELECT CAST(COUNT(*) AS TEXT) FROM throttle \
     WHERE subject LIKE 'network 192%' AND full_at > 1800000000";

/// Holds the write lock of the database until the end of the test, as another process could.
async fn hold(app: &TestApp) -> SqliteConnection {
    let database = SqliteConnectOptions::new().filename(app.data().join("countersign.db"));
    let mut connection = SqliteConnection::connect_with(&database).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_is_refused_with_503_before_anything_is_written_and_costs_nothing() {
    let app = Arc::new(TestApp::new().await);
    let held = hold(&app).await;
    let mut flood = JoinSet::new();
    // More than there are places: every place waits for the writer, everybody else is answered at once.
    for i in 0..400 {
        let app = Arc::clone(&app);
        flood.spawn(async move {
            let email = format!("nobody{i}@example.com");
            let body = json!({"email": email, "password": PASSWORD});
            let peer = format!("192.{}.{}.1:1", i / 200, i % 200);
            let answer = app.send_from(&peer, post("/login", &body)).await;
            (
                answer.status.as_u16(),
                answer.header("retry-after").to_owned(),
            )
        });
    }
    for _ in 0..300 {
        let (status, retry_after) = flood.join_next().await.unwrap().unwrap();
        assert_eq!((status, retry_after.as_str()), (503, "2"));
    }
    held.close().await.unwrap();
    let mut failures = 0;
    for (status, _) in flood.join_all().await {
        assert!(matches!(status, 401 | 503), "{status}");
        failures += usize::from(status == 401);
    }
    assert!(failures > 0);
    let charged = app.look_up(CHARGED).await;
    assert_eq!(charged, failures.to_string());
}

#[tokio::test]
async fn a_database_that_does_not_keep_up_is_a_503_and_no_defect() {
    let (app, tokens) = TestApp::with_session().await;
    let held = hold(&app).await;
    for (path, body) in [
        ("/refresh", json!({"refresh_token": tokens.refresh})),
        ("/login", json!({"email": EMAIL, "password": PASSWORD})),
    ] {
        let answer = app.post(path, &body).await;
        answer.is_problem(503, "busy", "Server busy");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(answer.cookies().is_empty());
    }
    held.close().await.unwrap();
    assert_eq!(app.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn a_log_out_that_failed_leaves_the_cookies_and_one_that_was_refused_takes_them() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let body = json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"});
    let answer = app.post("/login", &body).await;
    let cookies: Vec<_> = answer
        .cookies()
        .iter()
        .map(|line| line.split(';').next().unwrap().to_owned())
        .collect();
    let log_out = async || {
        let mut request = post("/logout", &json!({}));
        let headers = request.headers_mut();
        headers.insert("cookie", cookies.join("; ").parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        app.send(request).await
    };
    let held = hold(&app).await;
    let failed = log_out().await;
    failed.is_problem(503, "busy", "Server busy");
    assert!(failed.cookies().is_empty(), "{failed:?}");
    held.close().await.unwrap();
    let done = log_out().await;
    assert_eq!((done.status.as_u16(), done.cookies().len()), (200, 2));
    let nobody = app.post("/logout", &json!({})).await;
    assert_eq!((nobody.status.as_u16(), nobody.cookies().len()), (401, 2));
}

#[tokio::test]
async fn a_hundred_sessions_live_and_the_one_unused_for_longest_makes_room() {
    let (app, first) = TestApp::with_session().await;
    app.wait(1);
    let second = app.log_in(EMAIL).await;
    app.wait(1);
    for _ in 0..98 {
        app.log_in(EMAIL).await;
    }
    let lives = async |token: &str| app.get_as("/profile", token).await.status == 200;
    assert!(lives(&first.access).await);
    app.log_in(EMAIL).await;
    assert!(!lives(&first.access).await && lives(&second.access).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_changes_while_a_password_is_checked_holds_for_the_session() {
    let app = Arc::new(TestApp::new().await);
    app.sign_up(EMAIL).await;
    let logging_in = {
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let body = json!({"email": EMAIL, "password": PASSWORD});
            app.post("/login", &body).await
        })
    };
    // It is charged before it reads the account, and a hash takes longer than what follows here.
    while app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM throttle WHERE subject LIKE 'pair %'")
        .await
        == "0"
    {
        tokio::task::yield_now().await;
    }
    app.tamper("UPDATE users SET disabled = TRUE WHERE email = $1", EMAIL)
        .await;
    let answer = logging_in.await.unwrap();
    answer.is_problem(401, "invalid_credentials", "Invalid credentials");
    assert_eq!(
        app.look_up("SELECT CAST(COUNT(*) AS TEXT) FROM sessions")
            .await,
        "0"
    );
}
