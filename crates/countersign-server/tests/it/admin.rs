use serde_json::{Value, json};

use countersign_server::offline;

use crate::app::{EMAIL, ISSUER, TestApp};

#[tokio::test]
async fn the_list_of_users_is_for_administrators() {
    let (app, tokens) = TestApp::with_session().await;
    app.get("/admin/v1/users")
        .await
        .is_problem(401, "no_credential", "No token provided");
    let answer = app.get_as("/admin/v1/users", &tokens.access).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("www-authenticate")
            .contains("error=\"insufficient_scope\""),
        "{answer:?}"
    );
    let administrator = app.administrator().await;
    let answer = app.get_as("/admin/v1/users", &administrator.access).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("cache-control")),
        (200, "no-store")
    );
    let body = answer.json();
    assert_eq!(body["next"], Value::Null);
    let emails: Vec<_> = body["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["email"].as_str().unwrap())
        .collect();
    assert_eq!(emails, [EMAIL, "root@example.com"]);
    let members: Vec<_> = body["users"][0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        ["created_at", "disabled", "email", "id", "name", "roles"]
    );
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    for i in 0..4 {
        app.sign_up(&format!("user{i}@example.com")).await;
    }
    let mut seen = Vec::new();
    let mut path = "/admin/v1/users?limit=2".to_owned();
    loop {
        let answer = app.get_as(&path, &administrator.access).await;
        let body = answer.json();
        let users = body["users"].as_array().unwrap();
        assert!(!users.is_empty() && users.len() <= 2);
        seen.extend(
            users
                .iter()
                .map(|user| user["email"].as_str().unwrap().to_owned()),
        );
        let link = answer.header("link");
        match body["next"].as_str() {
            Some(next) => {
                path = format!("/admin/v1/users?limit=2&after={next}");
                assert_eq!(link, format!("<{ISSUER}{path}>; rel=\"next\""));
            }
            None => {
                assert_eq!(link, "");
                break;
            }
        }
    }
    assert_eq!(
        seen,
        [
            "root@example.com",
            "user0@example.com",
            "user1@example.com",
            "user2@example.com",
            "user3@example.com"
        ]
    );
}

#[tokio::test]
async fn rejects_a_query_that_it_does_not_know() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "sort=email",
        "after=a&after=b",
    ] {
        let answer = app
            .get_as(&format!("/admin/v1/users?{query}"), &administrator.access)
            .await;
        answer.is_problem(400, "invalid_request", "Invalid request");
    }
    // A cursor is a value and never SQL.
    let answer = app
        .get_as(
            "/admin/v1/users?after=%27%20OR%201%3D1--",
            &administrator.access,
        )
        .await;
    assert_eq!(answer.json()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_with_roles_that_were_taken_away_is_refused_at_once() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    offline::set_roles(&app.settings(), "root@example.com", &["editor".to_owned()])
        .await
        .unwrap();
    let answer = app.get_as("/admin/v1/users", &administrator.access).await;
    answer.is_problem(401, "token_revoked", "Invalid token");
    let refreshed = app.refresh(&administrator.refresh).await.json();
    let token = refreshed["token"].as_str().unwrap();
    assert_eq!(crate::app::claims(token)["roles"], json!(["editor"]));
    assert_eq!(app.get_as("/admin/v1/users", token).await.status, 403);
}
