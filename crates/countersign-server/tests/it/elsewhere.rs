//! Services elsewhere, that know this server's URL and nothing more, and ask it about no token.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_http::{Claims, Protect};
use countersign_server::{Error, Flags, Settings, start};
use http::Request;
use http_body_util::BodyExt as _;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::app::{EMAIL, PASSWORD};

const AUDIENCE: &str = "orders-api";

/// A server on a socket, with one account.
struct Issuer {
    url: String,
    sub: String,
    client: Client,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
    _folder: TempDir,
}

impl Issuer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            data: Some(folder.path().join("data")),
            listen: Some("127.0.0.1:0".to_owned()),
            audience: vec![AUDIENCE.to_owned()],
            ..Flags::default()
        };
        let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
        let (end, ended) = oneshot::channel();
        let mut issuer = Self {
            url: server.facts().issuer.clone(),
            sub: String::new(),
            client: Client::new(),
            end,
            running: tokio::spawn(server.run(async { ended.await.unwrap_or_default() })),
            _folder: folder,
        };
        let signed_up = issuer.post("/signup", "", account()).await;
        signed_up["user"]["sub"]
            .as_str()
            .unwrap()
            .clone_into(&mut issuer.sub);
        issuer
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).json(&body);
        let answer = request.bearer_auth(token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.json().await.unwrap()
    }

    async fn log_in(&self) -> String {
        let tokens = self.post("/login", "", account()).await;
        tokens["token"].as_str().unwrap().to_owned()
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

fn account() -> Value {
    json!({"email": EMAIL, "password": PASSWORD})
}

async fn who(Claims(token): Claims<Value>) -> String {
    token.registered().sub().unwrap_or("nobody").to_owned()
}

fn service(issuer: &str, audience: &str) -> Router {
    let protect = Protect::issuer(issuer).audience(audience).require_status();
    Router::new()
        .route("/", get(who))
        .layer(protect.build().unwrap())
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
    let issuer = Issuer::start().await;
    let token = issuer.log_in().await;
    let (status, body) = answer(&service(&issuer.url, AUDIENCE), &token).await;
    assert_eq!((status, body.as_str()), (200, issuer.sub.as_str()));
    let (status, body) = answer(&service(&issuer.url, "billing-api"), &token).await;
    assert!(status == 401 && body.contains("invalid_token"), "{body}");
    issuer.end().await;
}

#[tokio::test]
async fn a_service_refuses_the_tokens_of_a_session_that_was_logged_out_and_of_no_other() {
    let issuer = Issuer::start().await;
    let (leaving, staying) = (issuer.log_in().await, issuer.log_in().await);
    let service = service(&issuer.url, AUDIENCE);
    assert_eq!(answer(&service, &leaving).await.0, 200);
    issuer.post("/logout", &leaving, json!({})).await;
    // The list counts for five seconds at most; whoever waits a minute has waited too long.
    let refused = async {
        loop {
            let (status, body) = answer(&service, &leaving).await;
            if status == 401 {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let body = tokio::time::timeout(Duration::from_mins(1), refused)
        .await
        .unwrap();
    assert!(body.contains("token_revoked"), "{body}");
    assert_eq!(answer(&service, &staying).await.0, 200);
    issuer.end().await;
}
