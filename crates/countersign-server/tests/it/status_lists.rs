use std::io::Read as _;

use axum::body::Body;
use countersign::{
    JwkSet, MAX_STATUS_LIST_BYTES, Policy, Status, StatusList, StatusListToken, Timestamp,
    Unverified,
};
use countersign_server::offline;
use flate2::read::GzDecoder;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::{Answer, DAY, EMAIL, ISSUER, MINUTE, PASSWORD, TestApp, Tokens, claims};

const LIST: &str = "/status-lists/0";

/// The place that a token names, and the list.
fn place(token: &str) -> (u64, String) {
    let status = claims(token)["status"]["status_list"].clone();
    let uri = status["uri"].as_str().unwrap().to_owned();
    (status["idx"].as_u64().unwrap(), uri)
}

/// The list as a verifier reads it a second later.
async fn read(app: &TestApp) -> StatusList {
    app.wait(1);
    read_now(app).await
}

async fn read_now(app: &TestApp) -> StatusList {
    read_list(app, 0).await
}

async fn read_list(app: &TestApp, number: u64) -> StatusList {
    let path = format!("/status-lists/{number}");
    let answer = app.get(&path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let jwks = app.get("/.well-known/jwks.json").await.body;
    let keys = JwkSet::parse(jwks.as_bytes()).unwrap();
    let policy = Policy::status_list(ISSUER, format!("{ISSUER}{path}"));
    let parsed = Unverified::parse(&answer.body).unwrap();
    let key = keys.find(parsed.header()).unwrap();
    let now = Timestamp::from_unix_secs(app.now());
    let token = parsed.verify::<StatusListToken>(key, &policy, now).unwrap();
    let lives = token.exp.map(|exp| exp.saturating_sub(token.iat));
    assert_eq!((token.ttl, lives), (Some(3), Some(600)));
    let list = StatusList::decode(&token.status_list, MAX_STATUS_LIST_BYTES).unwrap();
    assert_eq!(list.entries(), 1 << 20);
    list
}

async fn is_taken_back(app: &TestApp, tokens: &Tokens) -> bool {
    let (idx, uri) = place(&tokens.access);
    assert_eq!(uri, format!("{ISSUER}{LIST}"));
    read(app).await.get(idx).unwrap() == Status::INVALID
}

async fn administer(app: &TestApp, method: Method, email: &str, body: &Value) -> Answer {
    let administrator = app.administrator().await;
    let sql = match email {
        EMAIL => "SELECT id FROM users WHERE email = 'ada@example.com'",
        _ => "SELECT id FROM users WHERE email = 'bob@example.com'",
    };
    let path = format!("/admin/v1/users/{}", app.look_up(sql).await);
    app.send_as(method, &path, &administrator.access, body)
        .await
}

#[tokio::test]
async fn a_log_out_is_told_in_the_list_a_second_later_and_of_this_session_alone() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    assert!(!is_taken_back(&app, &tokens).await);
    app.send_as(Method::POST, "/logout", &tokens.access, &Value::Null)
        .await;
    assert!(is_taken_back(&app, &tokens).await);
    assert!(!is_taken_back(&app, &other).await);
}

#[tokio::test]
async fn a_list_is_made_anew_once_a_second_at_most_and_the_server_itself_does_not_wait_for_it() {
    let (app, tokens) = TestApp::with_session().await;
    let others = [app.log_in(EMAIL).await, app.log_in(EMAIL).await];
    let before = app.get(LIST).await;
    for ended in &others {
        app.send_as(Method::POST, "/logout", &ended.access, &Value::Null)
            .await;
        assert_eq!(app.get(LIST).await.body, before.body);
        let answer = app.get_as("/profile", &ended.access).await;
        answer.is_problem(401, "token_revoked", "Invalid token");
    }
    app.wait(1);
    let list = read_now(&app).await;
    for ended in &others {
        assert_eq!(list.get(place(&ended.access).0).unwrap(), Status::INVALID);
    }
    assert_eq!(list.get(place(&tokens.access).0).unwrap(), Status::VALID);
}

#[tokio::test]
async fn a_session_keeps_its_place_and_no_other_has_it() {
    let (app, first) = TestApp::with_session().await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    assert_eq!(place(&first.access), place(&second.access));
    let mut places = vec![place(&first.access).0];
    for _ in 0..8 {
        places.push(place(&app.log_in(EMAIL).await.access).0);
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 9);
    // Of 362,880 orders one is the order of the log-ins: a place does not tell when.
    assert_ne!(sorted, places);
}

#[tokio::test]
async fn whatever_ends_a_session_is_told() {
    for how in [
        "session", "others", "global", "password", "disabled", "deleted", "reuse", "all",
    ] {
        let app = TestApp::in_present().await;
        app.sign_up(EMAIL).await;
        let (tokens, own) = (app.log_in(EMAIL).await, app.log_in(EMAIL).await);
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        let answer = match how {
            "session" => {
                let path = format!("/sessions/{sid}");
                app.send_as(Method::DELETE, &path, &own.access, &Value::Null)
                    .await
            }
            "others" | "global" => {
                let body = json!({"scope": how});
                app.send_as(Method::POST, "/logout", &own.access, &body)
                    .await
            }
            "password" => {
                let body = json!({"current": PASSWORD, "new": "another horse battery staple"});
                app.send_as(Method::POST, "/password/change", &own.access, &body)
                    .await
            }
            "disabled" => administer(&app, Method::PATCH, EMAIL, &json!({"disabled": true})).await,
            "deleted" => administer(&app, Method::DELETE, EMAIL, &Value::Null).await,
            "reuse" => {
                let second = Tokens::of(&app.refresh(&tokens.refresh).await);
                app.refresh(&second.refresh).await;
                app.wait(11);
                app.refresh(&tokens.refresh).await;
                app.get("/livez").await
            }
            _ => {
                let ended = countersign_server::offline::revoke_sessions(&app.settings()).await;
                assert_eq!(ended.unwrap(), 2);
                app.get("/livez").await
            }
        };
        assert!(answer.status.is_success(), "{how}: {answer:?}");
        assert!(is_taken_back(&app, &tokens).await, "{how}");
        let keeps_own = matches!(how, "session" | "others" | "password" | "reuse");
        assert_eq!(is_taken_back(&app, &own).await, !keeps_own, "{how}");
        app.get_as("/profile", &tokens.access).await.is_problem(
            401,
            "token_revoked",
            "Invalid token",
        );
    }
}

#[tokio::test]
async fn changed_roles_take_the_tokens_back_and_the_session_goes_on_at_another_place() {
    let (app, tokens) = TestApp::with_session().await;
    app.sign_up("bob@example.com").await;
    let bob = app.log_in("bob@example.com").await;
    let answer = administer(&app, Method::PATCH, EMAIL, &json!({"roles": ["editor"]})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(is_taken_back(&app, &tokens).await && !is_taken_back(&app, &bob).await);
    let fresh = Tokens::of(&app.refresh(&tokens.refresh).await);
    assert_ne!(place(&fresh.access), place(&tokens.access));
    assert!(!is_taken_back(&app, &fresh).await);
    assert_eq!(claims(&fresh.access)["roles"], json!(["editor"]));
    // The same roles again are no change.
    let administrator = app.log_in("root@example.com").await;
    let sub = claims(&fresh.access)["sub"].as_str().unwrap().to_owned();
    let (path, body) = (
        format!("/admin/v1/users/{sub}"),
        json!({"roles": ["editor"]}),
    );
    app.send_as(Method::PATCH, &path, &administrator.access, &body)
        .await;
    assert!(!is_taken_back(&app, &fresh).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_beside_a_change_of_roles_gets_both_of_before_or_both_of_after() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    app.sign_up(EMAIL).await;
    let mut tokens = app.log_in(EMAIL).await;
    let user = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/users/{user}");
    for round in 0..100 {
        let roles = json!({"roles": [format!("role-{round}")]});
        let change = app.send_as(Method::PATCH, &path, &root.access, &roles);
        let (changed, answer) = tokio::join!(change, app.refresh(&tokens.refresh));
        assert_eq!(
            (changed.status.as_u16(), answer.status.as_u16()),
            (200, 200)
        );
        tokens = Tokens::of(&answer);
        let is_new = claims(&tokens.access)["roles"] == roles["roles"];
        assert_eq!(is_taken_back(&app, &tokens).await, !is_new);
    }
}

#[tokio::test]
async fn the_operators_command_takes_tokens_back_too() {
    let app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    let roles = ["editor".to_owned()];
    let changed = countersign_server::offline::set_roles(&app.settings(), EMAIL, &roles).await;
    changed.unwrap();
    assert!(is_taken_back(&app, &tokens).await);
}

#[tokio::test]
async fn a_list_is_sent_again_when_it_has_changed_and_not_before() {
    let (app, tokens) = TestApp::with_session().await;
    let first = app.get(LIST).await;
    assert_eq!(first.header("content-type"), "application/statuslist+jwt");
    assert_eq!(first.header("cache-control"), "public, no-cache");
    let etag = first.header("etag").to_owned();
    let ask = async || {
        let request = Request::get(LIST).header("if-none-match", &etag);
        app.send(request.body(Body::empty()).unwrap()).await
    };
    app.wait(4 * MINUTE);
    app.refresh(&tokens.refresh).await;
    app.log_in(EMAIL).await;
    let same = ask().await;
    assert_eq!((same.status.as_u16(), same.body.as_str()), (304, ""));
    assert_eq!(same.header("etag"), etag);
    // Half of its time is over: the same entries, and a later end.
    app.wait(MINUTE);
    assert_eq!(ask().await.status, 200);
    let etag = app.get(LIST).await.header("etag").to_owned();
    app.send_as(Method::POST, "/logout", &tokens.access, &Value::Null)
        .await;
    app.wait(1);
    let request = Request::get(LIST).header("if-none-match", &etag);
    let changed = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn a_list_is_compressed_for_whoever_takes_that_and_has_another_tag_then() {
    let app = TestApp::new().await;
    let plain = app.get(LIST).await;
    let ask = async |known: &str| {
        let request = Request::get(LIST)
            .header("accept-encoding", "gzip")
            .header("if-none-match", known);
        let answer = app
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (head, body) = answer.into_parts();
        (head, body.collect().await.unwrap().to_bytes())
    };
    assert_eq!(plain.header("vary"), "accept-encoding");
    assert!(plain.headers.get("content-encoding").is_none());
    let (head, body) = ask(plain.header("etag")).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-encoding"], "gzip");
    assert_eq!(head.headers["vary"], "accept-encoding");
    let mut text = String::new();
    let mut decoder = GzDecoder::new(&body[..]);
    decoder.read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.body);
    assert!(body.len() < plain.body.len());
    let (head, body) = ask(head.headers["etag"].to_str().unwrap()).await;
    assert_eq!((head.status.as_u16(), body.len()), (304, 0));
}

#[tokio::test]
async fn what_is_over_is_no_longer_told() {
    let (app, tokens) = TestApp::with_session().await;
    app.send_as(Method::POST, "/logout", &tokens.access, &Value::Null)
        .await;
    let (idx, _) = place(&tokens.access);
    app.wait(DAY);
    assert_eq!(read(&app).await.get(idx).unwrap(), Status::INVALID);
    app.wait(5 * MINUTE);
    assert_eq!(read(&app).await.get(idx).unwrap(), Status::VALID);
}

#[tokio::test]
async fn what_ends_under_a_clock_that_was_set_back_is_told_when_it_is_right_again() {
    let (app, tokens) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    app.wait(-2 * DAY);
    let body = json!({"refresh_token": tokens.refresh});
    assert_eq!(app.post("/logout", &body).await.status, 200);
    let (body, path) = (json!({"roles": ["editor"]}), Method::PATCH);
    assert_eq!(administer(&app, path, EMAIL, &body).await.status, 200);
    app.wait(2 * DAY);
    for tokens in [&tokens, &other] {
        assert!(is_taken_back(&app, tokens).await);
    }
}

#[tokio::test]
async fn what_was_issued_while_the_clock_was_ahead_is_told_until_it_is_over_however_often_it_was_refreshed_since()
 {
    for (at, back) in [(2 * DAY, -2 * DAY), (0, -2 * DAY)] {
        let app = TestApp::new().await;
        app.sign_up(EMAIL).await;
        app.wait(at);
        let first = app.log_in(EMAIL).await;
        app.wait(back);
        let next = Tokens::of(&app.refresh(&first.refresh).await);
        let body = json!({"refresh_token": next.refresh});
        assert_eq!(app.post("/logout", &body).await.status, 200);
        app.wait(-back);
        assert!(is_taken_back(&app, &first).await, "{at}");
    }
}

#[tokio::test]
async fn a_revocation_is_told_after_a_restart_too() {
    let (mut app, tokens) = TestApp::with_session().await;
    app.send_as(Method::POST, "/logout", &tokens.access, &Value::Null)
        .await;
    app.reopen_with(&[]).await.unwrap();
    assert!(is_taken_back(&app, &tokens).await);
}

#[tokio::test]
async fn rejects_a_list_that_is_none() {
    let app = TestApp::new().await;
    for number in ["1", "-1", "00", "+0", "x", "18446744073709551616", "0x0"] {
        app.get(&format!("/status-lists/{number}"))
            .await
            .is_problem(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn the_end_of_all_sessions_is_told_of_those_too_that_a_restored_database_does_not_know() {
    let mut app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    let before = app.log_in(EMAIL).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    offline::backup(&app.settings(), &copy).await.unwrap();
    let later = app.log_in(EMAIL).await;
    app.server.close().await;
    offline::restore(&app.settings(), &copy).await.unwrap();
    app.reopen_with(&[]).await.unwrap();
    assert!(!is_taken_back(&app, &later).await);
    offline::revoke_sessions(&app.settings()).await.unwrap();
    for tokens in [&before, &later] {
        assert!(is_taken_back(&app, tokens).await);
    }
    // Whoever logs in now has a place above all that were, which nobody has taken back.
    let again = app.log_in(EMAIL).await;
    let (idx, uri) = place(&again.access);
    assert_eq!(uri, format!("{ISSUER}/status-lists/2"));
    assert_eq!(read_list(&app, 2).await.get(idx).unwrap(), Status::VALID);
    for number in [0, 1] {
        let list = read_list(&app, number).await;
        assert!((0..1 << 20).all(|idx| list.get(idx).unwrap() == Status::INVALID));
    }
}
