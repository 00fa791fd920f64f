use axum::body::Body;
use countersign_server::offline;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::app::{Answer, EMAIL, ISSUER, PASSWORD, TestApp, claims};
use crate::browser::Browser;

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

async fn change(app: &TestApp, token: &str, id: &str, body: &Value) -> Answer {
    let path = format!("/admin/v1/users/{id}");
    app.send_as(Method::PATCH, &path, token, body).await
}

#[tokio::test]
async fn an_administrator_disables_and_enables_an_account() {
    let (app, tokens) = TestApp::with_session().await;
    let administrator = app.administrator().await;
    let id = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    let answer = change(&app, &administrator.access, &id, &json!({"disabled": true})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["disabled"], json!(true));
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    let log_in = json!({"email": EMAIL, "password": PASSWORD});
    app.post("/login", &log_in)
        .await
        .is_problem(401, "invalid_credentials", "Invalid credentials");
    let answer = change(
        &app,
        &administrator.access,
        &id,
        &json!({"disabled": false}),
    )
    .await;
    assert_eq!(answer.json()["disabled"], json!(false));
    app.refresh(&tokens.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
    app.log_in(EMAIL).await;
    let entries = "SELECT group_concat(event) FROM audit";
    assert_eq!(app.look_up(entries).await, "user_disabled,user_enabled");
}

#[tokio::test]
async fn an_administrator_deletes_an_account_with_everything_of_it() {
    let (app, tokens) = TestApp::with_session().await;
    let administrator = app.administrator().await;
    let id = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/users/{id}");
    let delete = async || {
        let token = &administrator.access;
        app.send_as(Method::DELETE, &path, token, &Value::Null)
            .await
    };
    let answer = delete().await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    let left = "SELECT CAST(COUNT(*) AS TEXT) FROM sessions";
    assert_eq!(app.look_up(left).await, "1");
    delete().await.is_problem(404, "user_unknown", "Not found");
    // The address is free again, and whoever takes it is somebody else.
    app.sign_up(EMAIL).await;
    assert_ne!(claims(&app.log_in(EMAIL).await.access)["sub"], json!(id));
    let by = claims(&administrator.access)["sub"].clone();
    let about = app.look_up("SELECT about FROM audit").await;
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about, json!({"user": id, "by": by}));
}

#[tokio::test]
async fn rejects_what_would_leave_nobody_to_administer_the_server() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    let id = claims(&administrator.access)["sub"]
        .as_str()
        .unwrap()
        .to_owned();
    for body in [
        json!({"roles": []}),
        json!({"disabled": true}),
        json!({"roles": ["editor"], "disabled": false}),
    ] {
        change(&app, &administrator.access, &id, &body)
            .await
            .is_problem(409, "last_administrator", "Last administrator");
    }
    let path = format!("/admin/v1/users/{id}");
    app.send_as(Method::DELETE, &path, &administrator.access, &Value::Null)
        .await
        .is_problem(409, "last_administrator", "Last administrator");
    assert_eq!(
        app.get_as("/admin/v1/users", &administrator.access)
            .await
            .status,
        200
    );
    // With a second one it is allowed.
    app.sign_up(EMAIL).await;
    let ada = app.log_in(EMAIL).await;
    let ada = claims(&ada.access)["sub"].as_str().unwrap().to_owned();
    let answer = change(
        &app,
        &administrator.access,
        &ada,
        &json!({"roles": ["admin"]}),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = change(&app, &administrator.access, &id, &json!({"roles": []})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn rejects_changes_that_cannot_be_made() {
    let (app, tokens) = TestApp::with_session().await;
    let administrator = app.administrator().await;
    let id = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    for body in [
        json!({"role": "admin"}),
        json!({"roles": "admin"}),
        json!({"disabled": 1}),
        json!([]),
    ] {
        change(&app, &administrator.access, &id, &body)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
    let roles = json!({"roles": ["editor", "No Role"]});
    let refused = change(&app, &administrator.access, &id, &roles).await;
    refused.is_problem(400, "argument_invalid", "Invalid request");
    let detail = refused.json()["detail"].clone();
    assert!(
        detail
            .as_str()
            .unwrap()
            .starts_with("\"No Role\" is no name of a role"),
        "{detail}"
    );
    change(
        &app,
        &administrator.access,
        "nobody",
        &json!({"disabled": true}),
    )
    .await
    .is_problem(404, "user_unknown", "Not found");
    let unchanged = change(&app, &administrator.access, &id, &json!({})).await;
    assert_eq!(unchanged.json()["roles"], json!([]));
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

/// Who a route is for, as `src/router.rs` says it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    Everybody,
    Users,
    Administrators,
}

/// Every route with its methods, out of the router itself.
fn routes() -> Vec<(Method, String, For)> {
    let router = include_str!("../../src/router.rs");
    let mut group = For::Everybody;
    let mut routes = Vec::new();
    for piece in router.split("Router::new()").skip(1) {
        let name = match group {
            For::Everybody if routes.is_empty() => For::Users,
            For::Users => For::Administrators,
            _ => For::Everybody,
        };
        group = name;
        for route in piece.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap().to_owned();
            for (word, method) in [
                ("get(", Method::GET),
                ("post(", Method::POST),
                ("patch(", Method::PATCH),
                ("delete(", Method::DELETE),
            ] {
                let handlers = route.split('"').nth(2).unwrap();
                let calls = handlers.split([' ', ',', '.', '\n']);
                if calls.into_iter().any(|call| call.starts_with(word)) {
                    routes.push((method, path.clone(), group));
                }
            }
        }
    }
    routes
}

#[tokio::test]
async fn every_route_lets_in_whom_it_is_for_and_nobody_else() {
    let (app, user) = TestApp::with_session().await;
    let administrator = app.administrator().await;
    let routes = routes();
    let count = |group| routes.iter().filter(|route| route.2 == group).count();
    assert_eq!(
        (count(For::Users), count(For::Administrators)),
        (5, 4),
        "{routes:?}"
    );
    assert!(count(For::Everybody) >= 16, "{routes:?}");
    for (method, path, group) in routes {
        let path = path.replace("{id}", "nobody").replace("{n}", "0");
        for (token, is_in) in [
            (None, group == For::Everybody),
            (Some(&user), group != For::Administrators),
            (Some(&administrator), true),
        ] {
            // A log-out would end the session that is looked with.
            // The demonstration's service takes its own tokens alone: see `life.rs`.
            if ["/logout", "/flow/service"].contains(&path.as_str()) {
                continue;
            }
            let request = Request::builder().method(&method).uri(&path);
            let request = match token {
                Some(tokens) => {
                    request.header("authorization", format!("Bearer {}", tokens.access))
                }
                None => request,
            };
            let answer = app.send(request.body(Body::empty()).unwrap()).await;
            let is_refused = answer.status.is_client_error()
                && ["no_credential", "insufficient_role", "insufficient_scope"]
                    .iter()
                    .any(|code| answer.body.contains(code));
            assert_eq!(!is_refused, is_in, "{method} {path}: {answer:?}");
            if is_refused {
                let status = if token.is_none() { 401 } else { 403 };
                assert_eq!(answer.status.as_u16(), status, "{method} {path}");
            }
        }
    }
}

/// The pages ask for the password before they do the same: see `pages/operators.rs`.
#[tokio::test]
async fn no_cookie_is_enough_to_change_anything_of_others_by_the_api() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    app.sign_up(EMAIL).await;
    let ada = claims(&app.log_in(EMAIL).await.access)["sub"].clone();
    let browser = Browser::of(&app, "root@example.com").await;
    let cookie = format!("at={}", browser.cookie("at").unwrap());
    let routes = routes();
    let of_administrators = routes.iter().filter(|route| route.2 == For::Administrators);
    let mut changing = 0;
    for (method, path, _) in of_administrators {
        let path = path.replace("{id}", ada.as_str().unwrap());
        for more in [None, Some("Basic cm9vdDpyb290")] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .header("cookie", &cookie)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/json");
            let request = more.into_iter().fold(request, |request, more| {
                request.header("authorization", more)
            });
            let body = json!({"roles": ["admin"]}).to_string();
            let answer = app.send(request.body(Body::from(body)).unwrap()).await;
            if method.is_safe() {
                assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
            } else {
                answer.is_problem(403, "bearer_needed", "Bearer token needed");
                assert!(answer.body.contains("/admin/users"), "{answer:?}");
                changing += 1;
            }
        }
    }
    assert_eq!(changing, 4);
    let entries = app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM audit")
        .await;
    assert_eq!(entries, "0");
    // Whoever holds the token is a program, and known by it.
    let body = json!({"roles": ["editor"]});
    let answer = change(&app, &administrator.access, ada.as_str().unwrap(), &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn every_route_that_changes_something_refuses_a_cross_site_request() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    let unsafe_routes: Vec<_> = routes()
        .into_iter()
        .filter(|(method, ..)| !method.is_safe())
        .collect();
    for (method, path) in [
        (Method::POST, "/password/change"),
        (Method::DELETE, "/sessions/{id}"),
        (Method::PATCH, "/admin/v1/users/{id}"),
        (Method::DELETE, "/admin/v1/users/{id}"),
        (Method::POST, "/ui/admin/users/{id}/roles"),
        (Method::POST, "/ui/admin/users/{id}/delete"),
    ] {
        let is_there = unsafe_routes
            .iter()
            .any(|route| (&route.0, route.1.as_str()) == (&method, path));
        assert!(is_there, "{method} {path} in {unsafe_routes:?}");
    }
    for (method, path, _) in unsafe_routes {
        let path = path.replace("{id}", "nobody");
        for (site, is_refused) in [("cross-site", true), ("same-origin", false)] {
            let request = Request::builder()
                .method(&method)
                .uri(&path)
                .header("authorization", format!("Bearer {}", administrator.access))
                .header("sec-fetch-site", site);
            let answer = app.send(request.body(Body::empty()).unwrap()).await;
            // Forms are answered with a page.
            let is_told = ["\"cross_site\"", "text/html"]
                .iter()
                .any(|text| format!("{answer:?}{}", answer.body).contains(text));
            let is_cross_site = answer.status == 403 && is_told;
            assert_eq!(is_cross_site, is_refused, "{method} {path}: {answer:?}");
        }
    }
}
