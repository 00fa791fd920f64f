use std::path::Path;

use axum::body::Body;
use countersign::{JwkSet, Policy, Timestamp, Verifier};
use countersign_server::offline;
use http::Request;
use serde_json::{Value, json};

use crate::app::{Answer, DAY, EMAIL, ISSUER, TestApp, Tokens};

const SECRET: &str = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";

async fn jwks(app: &TestApp) -> Answer {
    app.get("/.well-known/jwks.json").await
}

fn verifies(app: &TestApp, set: &str, token: &str) -> bool {
    let verifier = Verifier::new(
        JwkSet::parse(set.as_bytes()).unwrap(),
        Policy::access_token(ISSUER, ISSUER),
    );
    verifier
        .verify::<Value>(token, Timestamp::from_unix_secs(app.now()))
        .is_ok()
}

#[tokio::test]
async fn the_public_keys_verify_a_token_and_hold_nothing_private() {
    let (app, tokens) = TestApp::with_session().await;
    let answer = jwks(&app).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=300, stale-if-error=86400"
    );
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    let keys = answer.json()["keys"].clone();
    assert_eq!(
        keys.as_array().unwrap().len(),
        2,
        "one signs, one stands by"
    );
    for key in keys.as_array().unwrap() {
        assert_eq!(
            (&key["kty"], &key["alg"], &key["crv"]),
            (&json!("EC"), &json!("ES256"), &json!("P-256"))
        );
        assert!(key["kid"].is_string() && key.get("d").is_none());
    }
    assert!(verifies(&app, &answer.body, &tokens.access));
}

#[tokio::test]
async fn a_verifier_that_has_the_keys_is_told_so() {
    let app = TestApp::new().await;
    let etag = jwks(&app).await.header("etag").to_owned();
    for known in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"x\", {etag}"),
        "*".to_owned(),
    ] {
        let request = Request::get("/.well-known/jwks.json")
            .header("if-none-match", &known)
            .body(Body::empty())
            .unwrap();
        let answer = app.send(request).await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.body.as_str(),
                answer.header("etag")
            ),
            (304, "", etag.as_str()),
            "{known}"
        );
    }
    let request = Request::get("/.well-known/jwks.json")
        .header("if-none-match", "\"other\"")
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.send(request).await.status, 200);
}

#[tokio::test]
async fn every_algorithm_signs_and_is_published_but_a_shared_secret_is_not() {
    for alg in ["ES256", "EdDSA", "RS256"] {
        let app = TestApp::with(&[("SIGNING_ALG", alg)]).await;
        app.sign_up(EMAIL).await;
        let tokens = app.log_in(EMAIL).await;
        assert!(
            verifies(&app, &jwks(&app).await.body, &tokens.access),
            "{alg}"
        );
        assert_eq!(
            app.get_as("/profile", &tokens.access).await.status,
            200,
            "{alg}"
        );
    }
    let app = TestApp::with(&[("SIGNING_ALG", "HS256"), ("SIGNING_SECRET", SECRET)]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    assert_eq!(jwks(&app).await.body, r#"{"keys":[]}"#);
}

#[tokio::test]
async fn the_standby_takes_over_and_tokens_of_the_old_key_stay_valid() {
    let app = TestApp::with(&[
        ("ACCESS_TTL", "24h"),
        ("SESSION_TTL", "200d"),
        ("SESSION_IDLE_TTL", "200d"),
    ])
    .await;
    app.sign_up(EMAIL).await;
    app.wait(90 * DAY - 60);
    let before = app.log_in(EMAIL).await;
    let published_before = jwks(&app).await.body;
    app.wait(120);
    app.server.keep_house().await.unwrap();
    let after = app.log_in(EMAIL).await;
    assert!(
        verifies(&app, &published_before, &after.access),
        "a verifier's cache knows the new key already"
    );
    assert_eq!(jwks(&app).await.json()["keys"].as_array().unwrap().len(), 3);
    for tokens in [&before, &after] {
        assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    }
    app.wait(2 * DAY);
    app.server.keep_house().await.unwrap();
    assert_eq!(
        jwks(&app).await.json()["keys"].as_array().unwrap().len(),
        2,
        "the old key is gone"
    );
}

#[tokio::test]
async fn a_change_of_algorithm_keeps_tokens_and_sessions_alive() {
    let (mut app, tokens) = TestApp::with_session().await;
    app.reopen_with(&[("SIGNING_ALG", "EdDSA")]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    let refreshed = app.refresh(&tokens.refresh).await.json();
    let decoded =
        countersign::dangerous::decode_unverified(refreshed["token"].as_str().unwrap()).unwrap();
    assert_eq!(decoded.header.alg(), "EdDSA");
    assert_eq!(
        app.get_as("/profile", refreshed["token"].as_str().unwrap())
            .await
            .status,
        200
    );
}

/// A page asked for with the cookies of a log-in, the access token of which counts no more.
async fn page_with(app: &TestApp, tokens: &Tokens) -> Answer {
    let request = Request::get("/account")
        .header(
            "cookie",
            format!("at={}; rt={}", tokens.access, tokens.refresh),
        )
        .header("sec-fetch-site", "none")
        .header("accept", "text/html");
    app.send(request.body(Body::empty()).unwrap()).await
}

fn kid(token: &str) -> String {
    let decoded = countersign::dangerous::decode_unverified(token).unwrap();
    decoded.header.kid().unwrap().to_owned()
}

fn kids(set: &Answer) -> Vec<String> {
    let set = set.json();
    let keys = set["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn keys_that_are_rotated_early_were_published_before_and_the_old_one_stays_until_its_tokens_are_over()
 {
    let app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    let before = app.log_in(EMAIL).await;
    let published_before = jwks(&app).await.body;
    let rotated = offline::rotate_keys(&app.settings()).await.unwrap();
    assert_eq!(rotated.ended.len(), 1);
    assert_eq!(rotated.ended[0].kid, kid(&before.access));
    assert_eq!(rotated.ended[0].alg, "ES256");
    app.wait(5);
    app.server.keep_house().await.unwrap();
    let after = app.log_in(EMAIL).await;
    assert_eq!(rotated.signing.len(), 1);
    assert_eq!(rotated.signing[0].kid, kid(&after.access));
    assert!(
        verifies(&app, &published_before, &after.access),
        "a verifier's cache knows the new key already"
    );
    let published = jwks(&app).await;
    assert_eq!(kids(&published).len(), 3, "the old, the new, a new standby");
    for tokens in [&before, &after] {
        assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
        assert!(verifies(&app, &published.body, &tokens.access));
    }
    app.wait(DAY + 300);
    app.server.keep_house().await.unwrap();
    let published = kids(&jwks(&app).await);
    assert_eq!(published.len(), 2);
    assert!(!published.contains(&kid(&before.access)));
    let about = app
        .look_up("SELECT about FROM audit WHERE event = 'keys_retired'")
        .await;
    assert_eq!(about, json!({"keys": [rotated.ended[0].kid]}).to_string());
}

#[tokio::test]
async fn keys_that_are_rotated_twice_at_once_leave_a_key_that_signs() {
    let app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    offline::rotate_keys(&app.settings()).await.unwrap();
    let second = offline::rotate_keys(&app.settings()).await.unwrap();
    assert!(second.signing.is_empty(), "nothing stood by any more");
    let third = offline::rotate_keys(&app.settings()).await;
    assert_eq!(third.unwrap_err().exit_code(), 2);
    app.wait(5);
    app.log_in(EMAIL).await;
    app.server.keep_house().await.unwrap();
    let tokens = app.log_in(EMAIL).await;
    let again = kid(&tokens.access);
    assert!(second.ended.iter().all(|key| key.kid != again));
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    assert_eq!(kids(&jwks(&app).await).len(), 4);
}

#[tokio::test]
async fn withdrawn_keys_verify_nothing_any_more_and_log_nobody_out() {
    let app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    let before = app.log_in(EMAIL).await;
    // It is in the cache of verified tokens.
    assert_eq!(app.get_as("/profile", &before.access).await.status, 200);
    let old = kids(&jwks(&app).await);
    let list = app.get("/status-lists/0").await;
    assert!(old.contains(&kid(&list.body)));
    let withdrawn = offline::withdraw_keys(&app.settings()).await.unwrap();
    assert_eq!(
        withdrawn.ended.len(),
        2,
        "the standby lay where the other did"
    );
    app.wait(5);
    app.server.keep_house().await.unwrap();
    app.get_as("/profile", &before.access)
        .await
        .is_problem(401, "invalid_token", "Invalid token");
    let new = kids(&jwks(&app).await);
    assert_eq!(new.len(), 2);
    assert!(!new.iter().any(|kid| old.contains(kid)));
    // Who fetches the new keys can read the list.
    let list = app.get("/status-lists/0").await;
    assert!(new.contains(&kid(&list.body)));
    let page = page_with(&app, &before).await;
    assert_eq!(page.status, 200, "{page:?}");
    let after = Tokens::of(&app.refresh(&before.refresh).await);
    assert_eq!(app.get_as("/profile", &after.access).await.status, 200);
    let about = app
        .look_up("SELECT about FROM audit WHERE event = 'keys_withdrawn'")
        .await;
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["keys"].as_array().unwrap().len(), 2);
}

fn bytes_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn no_private_key_lies_in_the_data_folder() {
    let (app, tokens) = TestApp::with_session().await;
    let files = bytes_in(app.data());
    assert!(
        files
            .iter()
            .any(|(name, _)| name.ends_with("countersign.db-wal")),
        "the log of the database is looked at too"
    );
    let kid = countersign::dangerous::decode_unverified(&tokens.access)
        .unwrap()
        .header
        .kid()
        .unwrap()
        .to_owned();
    let holds = |text: &str| {
        files.iter().any(|(_, bytes)| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
    };
    assert!(holds(&kid), "the search finds what is there");
    for trace in [
        "\"d\":",
        "PRIVATE KEY",
        "\"kty\"",
        PASSWORD_TRACE,
        &tokens.access,
        &tokens.refresh,
    ] {
        assert!(!holds(trace), "{trace}");
    }
    let (t1, t2) = (
        tokens.refresh.split('.').nth(3).unwrap(),
        tokens.refresh.split('.').nth(4).unwrap(),
    );
    assert!(!holds(t1) && !holds(t2));
}

const PASSWORD_TRACE: &str = "quilt mosaic";

#[tokio::test]
async fn another_key_encryption_key_opens_nothing() {
    let mut app = TestApp::new().await;
    let error = app
        .reopen_with(&[(
            "KEY_ENCRYPTION_KEY",
            "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        )])
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("key_encryption_key_wrong", 3)
    );
}

#[tokio::test]
async fn a_lost_key_encryption_key_is_not_replaced() {
    let mut app = TestApp::new().await;
    std::fs::remove_file(app.data().join("key-encryption.key")).unwrap();
    let error = app.reopen_with(&[]).await.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("key_encryption_key_unusable", 3)
    );
    assert!(!app.data().join("key-encryption.key").exists());
}

#[tokio::test]
async fn a_key_encryption_key_of_the_environment_leaves_no_file() {
    let app = TestApp::with(&[(
        "KEY_ENCRYPTION_KEY",
        "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
    )])
    .await;
    assert!(!app.data().join("key-encryption.key").exists());
    app.sign_up(EMAIL).await;
    app.log_in(EMAIL).await;
}
