use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, Tokens};

/// Ends one session after another by reuse.
async fn with_entries(count: usize) -> TestApp {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await;
    for _ in 0..count {
        let first = app.log_in("ada@example.com").await;
        let second = Tokens::of(&app.refresh(&first.refresh).await);
        app.refresh(&second.refresh).await;
        app.wait(11);
        assert_eq!(app.refresh(&first.refresh).await.status, 401);
    }
    app
}

fn seqs(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let entries = body["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["seq"].as_i64().unwrap())
        .collect()
}

fn intact(answer: &Answer) -> Vec<bool> {
    let body = answer.json();
    let entries = body["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["intact"].as_bool().unwrap())
        .collect()
}

#[tokio::test]
async fn the_trail_is_read_page_by_page_the_latest_first() {
    let app = with_entries(5).await;
    let administrator = app.administrator().await;
    let page = app
        .get_as("/admin/v1/audit?limit=2", &administrator.access)
        .await;
    assert_eq!(seqs(&page), [5, 4]);
    let entry = &page.json()["entries"][0];
    assert_eq!(entry["event"], json!("session_reused"));
    assert_eq!(entry["at"], json!(app.now()));
    assert!(entry["user"].is_string() && entry["session"].is_string());
    assert_eq!(page.json()["next"], json!(4));
    let page = app
        .get_as("/admin/v1/audit?limit=2&before=4", &administrator.access)
        .await;
    assert_eq!(seqs(&page), [3, 2]);
    let page = app
        .get_as("/admin/v1/audit?limit=2&before=2", &administrator.access)
        .await;
    assert_eq!((seqs(&page), intact(&page)), (vec![1], vec![true]));
    assert_eq!(page.json()["next"], Value::Null);
}

#[tokio::test]
async fn an_entry_that_was_changed_or_left_out_is_noticed() {
    let app = with_entries(3).await;
    let administrator = app.administrator().await;
    let all = async || app.get_as("/admin/v1/audit", &administrator.access).await;
    assert_eq!(intact(&all().await), [true, true, true]);
    app.tamper("UPDATE audit SET event = $1 WHERE seq = 2", "nothing")
        .await;
    assert_eq!(intact(&all().await), [true, false, true]);
    app.tamper("DELETE FROM audit WHERE seq = $1", "2").await;
    assert_eq!(intact(&all().await), [false, true]);
}

#[tokio::test]
async fn the_trail_is_for_administrators() {
    let (app, tokens) = TestApp::with_session().await;
    app.get("/admin/v1/audit")
        .await
        .is_problem(401, "no_credential", "No token provided");
    let answer = app.get_as("/admin/v1/audit", &tokens.access).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn rejects_a_query_that_it_does_not_know() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "before=x",
        "after=1",
        "limit=1&limit=2",
    ] {
        app.get_as(&format!("/admin/v1/audit?{query}"), &administrator.access)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
}

/// The chain as docs/OPERATIONS.md describes it, and not as the server makes it.
fn hash_of(before: &str, entry: &Value) -> String {
    let text = [
        before.to_owned(),
        entry["seq"].to_string(),
        entry["at"].to_string(),
        entry["event"].as_str().unwrap().to_owned(),
        entry["about"].as_str().unwrap().to_owned(),
    ]
    .join("\n");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest)
}

/// Whether each entry of a whole trail, the latest first, has the hash that it must have, and how many there are.
fn follow(answer: &Value) -> usize {
    let entries = answer["entries"].as_array().unwrap();
    let mut before = String::new();
    for entry in entries.iter().rev() {
        assert_eq!(entry["hash"], json!(hash_of(&before, entry)), "{entry}");
        before = entry["hash"].as_str().unwrap().to_owned();
    }
    entries.len()
}

#[tokio::test]
async fn whoever_reads_the_trail_can_check_it_by_its_description() {
    let app = with_entries(2).await;
    let administrator = app.administrator().await;
    let user = app.get_as("/admin/v1/users?email=ada", &administrator.access);
    let id = user.await.json()["users"][0]["id"].clone();
    let path = format!("/admin/v1/users/{}", id.as_str().unwrap());
    let body = json!({"roles": ["editor", "author"]});
    app.send_as(Method::PATCH, &path, &administrator.access, &body)
        .await;
    let answer = app.get_as("/admin/v1/audit", &administrator.access).await;
    assert_eq!(follow(&answer.json()), 3);
    let entry = &answer.json()["entries"][0];
    assert_eq!(
        (&entry["event"], &entry["roles"]),
        (&json!("roles_changed"), &json!(["editor", "author"]))
    );
}

#[tokio::test]
async fn the_end_of_all_sessions_says_how_many_there_were() {
    let app = TestApp::in_present().await;
    app.sign_up("ada@example.com").await;
    let administrator = app.administrator().await;
    app.log_in("ada@example.com").await;
    app.log_in("ada@example.com").await;
    drop(administrator);
    countersign_server::offline::revoke_sessions(&app.settings())
        .await
        .unwrap();
    let about = app.look_up("SELECT about FROM audit").await;
    assert_eq!(about, r#"{"ended":3}"#);
}

#[test]
fn the_worked_example_of_the_documentation_is_right() {
    let document = include_str!("../../../../docs/OPERATIONS.md");
    let trail = document.split("## The audit trail").nth(1).unwrap();
    let example = trail.split("```json\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    assert_eq!(follow(&serde_json::from_str(example).unwrap()), 2);
}

#[test]
fn every_event_is_in_the_documentation() {
    let document = include_str!("../../../../docs/OPERATIONS.md");
    let trail = document.split("## The audit trail").nth(1).unwrap();
    let source = include_str!("../../src/rules/audit.rs");
    let names: Vec<_> = source
        .split("=> \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        assert!(trail.contains(&format!("`{name}`")), "{name}");
    }
}
