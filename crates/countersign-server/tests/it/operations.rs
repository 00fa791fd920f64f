use axum::body::Body;
use http::Request;
use serde_json::json;
use tower::ServiceExt as _;

use crate::app::{ISSUER, TestApp};

#[tokio::test]
async fn a_server_that_runs_is_live_and_ready() {
    let app = TestApp::new().await;
    for (path, body) in [
        ("/livez", json!({"status": "ok"})),
        ("/readyz", json!({"status": "ready"})),
    ] {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, body));
    }
    assert_eq!(
        app.get("/version").await.json(),
        json!({"version": env!("CARGO_PKG_VERSION")})
    );
}

#[tokio::test]
async fn a_server_without_its_database_is_live_and_not_ready() {
    let app = TestApp::new().await;
    app.server.close().await;
    assert_eq!(app.get("/livez").await.status, 200);
    app.get("/readyz")
        .await
        .is_problem(503, "not_ready", "Not ready");
}

#[tokio::test]
async fn discovery_says_what_there_is() {
    let app = TestApp::new().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "application/json")
        );
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let jwks_uri = format!("{ISSUER}/.well-known/jwks.json");
        assert_eq!(
            answer.json(),
            json!({"issuer": ISSUER, "jwks_uri": jwks_uri, "response_types_supported": []})
        );
    }
}

#[tokio::test]
async fn the_figures_are_not_told_where_the_world_is_answered() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    for path in ["/metrics", "/metrics/", "/admin/v1/metrics"] {
        app.get_as(path, &administrator.access)
            .await
            .is_problem(404, "not_found", "Not found");
    }
    assert!(app.metrics().await.contains("countersign_refresh_total"));
}

#[tokio::test]
async fn however_many_ask_at_once_whether_it_is_ready_few_commits_answer_them() {
    let app = TestApp::new().await;
    let log = app.data().join("countersign.db-wal");
    let bytes = || std::fs::metadata(&log).unwrap().len();
    let before = bytes();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        asking.spawn(app.router.clone().oneshot(request));
    }
    for answer in asking.join_all().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    // Each commit writes a page at least, so others who write would wait for a hundred of them.
    let pages = (bytes() - before) / 4096;
    assert!((1..20).contains(&pages), "{pages}");
}
