//! What is written to the log, by every test of this binary, at the most talkative level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::{EMAIL, PASSWORD, TestApp, Tokens};

/// What was written so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_ever_in_the_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone());
    // For the whole process: the database and the hashes have threads of their own.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let (app, first) = TestApp::with_session().await;
    let code = app.server.offer_setup().await.unwrap().unwrap().to_string();
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    app.get_as("/profile", &second.access).await;
    app.post(
        "/login",
        &json!({"email": EMAIL, "password": "canary wrong password"}),
    )
    .await;
    app.post(
        "/setup",
        &json!({"code": code, "email": "canary", "password": PASSWORD}),
    )
    .await;
    let wrong = json!({"code": "no code", "email": "canary", "password": PASSWORD});
    app.post("/setup", &wrong).await;
    app.administrator().await;
    let mut refused = 0;
    while refused < 1000
        && app
            .post("/login", &json!({"email": "canary", "password": "canary"}))
            .await
            .status
            != 429
    {
        refused += 1;
    }
    app.get(&format!("/profile?access_token={}", first.access))
        .await;
    app.post("/logout", &json!({"refresh_token": second.refresh}))
        .await;
    app.post("/login", &json!({"canary": "canary"})).await;
    // What is pasted into the inspector, on every way there.
    let key = json!({"form": "text", "text": "canary canary canary canary canary"});
    let explained = app
        .post(
            "/inspect/explain",
            &json!({"token": "canary.canary.canary", "key": key}),
        )
        .await;
    assert_eq!(explained.status, 200);
    let edited = json!({"header": "{\"alg\":\"HS256\"}", "payload": "{\"canary\":1}", "key": key});
    app.post("/inspect/sign", &edited).await;
    app.post(
        "/inspect/experiment",
        &json!({"attempt": "alg_none", "token": "canary.canary.canary"}),
    )
    .await;
    let text = log.text();
    for expected in [
        "refreshed",
        "logged out",
        "INSERT INTO sessions",
        // Who did what from where, for whoever looks for an attack.
        "account made",
        "logged in",
        "log-in failed",
        "an attempt to become the administrator was refused",
        "the first administrator was made",
        "too many attempts",
        "network=\"127.0.0.0/24\"",
    ] {
        assert!(text.contains(expected), "the log is looked at: {expected}");
    }
    for secret in [PASSWORD, "canary", "argon2id$v=19", EMAIL, &code] {
        assert!(!text.contains(secret), "{secret}");
    }
    for token in [first.access, second.access, first.refresh, second.refresh] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!text.contains(signature), "a token");
    }
}
