//! Tokens of an issuer that is not ours: a provider that `tests/oidc-provider/run.sh` starts, and whose URL it passes on.

use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_http::Protect;
use countersign_http::testing::MovedClock;

use crate::harness::{app, bearer, send};

/// As `provider.js` has it, in the form of RFC 6749 §2.3.1.
const CLIENT: &str = "machine:a+secret+between+two+processes+of+one+test";

struct Provider {
    issuer: String,
    client: reqwest::Client,
}

impl Provider {
    async fn post(&self, path: &str, form: &str, body: String) -> String {
        let answer = self
            .client
            .post(format!("{}{path}", self.issuer))
            .header(
                "authorization",
                format!("Basic {}", STANDARD.encode(CLIENT)),
            )
            .header("content-type", form)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }

    async fn token_for(&self, service: &str) -> String {
        let body = format!(
            "grant_type=client_credentials&scope=orders%3Aread&resource=https%3A%2F%2F{service}"
        );
        let form = "application/x-www-form-urlencoded";
        let text = self.post("/token", form, body).await;
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn publishes(&self, keys: &[&str], sign: &str) {
        let body = serde_json::json!({ "publish": keys, "sign": sign }).to_string();
        self.post("/test/keys", "application/json", body).await;
    }
}

async fn status(app: &Router, token: &str) -> u16 {
    send(app, bearer(token)).await.status
}

#[tokio::test]
#[ignore = "needs the provider of tests/oidc-provider/run.sh"]
async fn accepts_the_tokens_of_another_provider_through_a_rotation_of_its_keys() {
    let issuer = std::env::var("COUNTERSIGN_FOREIGN_ISSUER")
        .expect("run by tests/oidc-provider/run.sh, which names the issuer");
    let clock = MovedClock::at_present();
    let read = clock.clone();
    let auth = Protect::issuer(&issuer)
        .audience("https://orders.example")
        .clock(move || read.now())
        .build()
        .unwrap();
    let app = app(auth);
    let provider = Provider {
        issuer,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
    };

    let old = provider.token_for("orders.example").await;
    assert_eq!(status(&app, &old).await, 200);
    let elsewhere = provider.token_for("billing.example").await;
    assert_eq!(status(&app, &elsewhere).await, 401, "another audience");
    let (signed, signature) = old.rsplit_once('.').unwrap();
    let (_, other) = elsewhere.rsplit_once('.').unwrap();
    assert_ne!(signature, other);
    let tampered = format!("{signed}.{other}");
    assert_eq!(status(&app, &tampered).await, 401, "another signature");

    // An announced rotation: the old key stays in the set while its tokens live. A new name is asked for after a cool-down.
    provider.publishes(&["a", "b"], "b").await;
    let new = provider.token_for("orders.example").await;
    clock.advance(Duration::from_secs(30));
    assert_eq!(status(&app, &new).await, 200, "the new key");
    assert_eq!(
        status(&app, &old).await,
        200,
        "the old key, still published"
    );

    // The old key goes: its tokens have not expired, and pass no more once the life of the set is over.
    provider.publishes(&["b"], "b").await;
    clock.advance(Duration::from_secs(600));
    assert_eq!(status(&app, &new).await, 200, "the new key");
    assert_eq!(status(&app, &old).await, 401, "a removed key is dead");
}
