//! A service elsewhere, that knows this server's URL and nothing more.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_http::{Claims, Protect};
use countersign_server::{Flags, Settings, start};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

async fn who(Claims(token): Claims<Value>) -> String {
    token.registered().sub().unwrap_or("nobody").to_owned()
}

fn service(issuer: &str, audience: &str) -> Router {
    let auth = Protect::issuer(issuer).audience(audience).build().unwrap();
    Router::new().route("/", get(who)).layer(auth)
}

async fn answer(service: &Router, token: &str) -> (u16, String) {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn accepts_our_tokens_by_discovery_and_rejects_them_for_another_service() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        audience: vec!["orders-api".to_owned()],
        ..Flags::default()
    };
    let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
    let issuer = server.facts().issuer.clone();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { ended.await.unwrap_or_default() }));

    let client = reqwest::Client::new();
    let ada = json!({"email": "ada@example.com", "password": "lantern orbit quilt 42"});
    let post = |path: &str| client.post(format!("{issuer}{path}")).json(&ada).send();
    let signed_up: Value = post("/signup").await.unwrap().json().await.unwrap();
    let logged_in: Value = post("/login").await.unwrap().json().await.unwrap();
    let (sub, token) = (
        &signed_up["user"]["sub"],
        logged_in["token"].as_str().unwrap(),
    );

    let (status, body) = answer(&service(&issuer, "orders-api"), token).await;
    assert_eq!((status, body.as_str()), (200, sub.as_str().unwrap()));
    let (status, body) = answer(&service(&issuer, "billing-api"), token).await;
    assert!(status == 401 && body.contains("invalid_token"), "{body}");

    end.send(()).unwrap();
    running.await.unwrap().unwrap();
}
