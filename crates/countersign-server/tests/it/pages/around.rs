//! What is around every page: where it leads, and that it leads nowhere else.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;

use crate::app::{EMAIL, TestApp};
use crate::browser::Browser;

/// Every way that the navigation knows, built or not, with whether it is marked as built.
fn places() -> Vec<(&'static str, bool)> {
    let source = include_str!("../../../src/routes/navigation.rs");
    let source = source.split_once("const PLACES").unwrap().1;
    let source = source.split_once("\n];").unwrap().0;
    let mut places = Vec::new();
    for line in source.lines().map(str::trim) {
        let is_built = line.starts_with("place(");
        if is_built || line.starts_with("to_come(") {
            places.push((line.split('"').nth(3).unwrap(), is_built));
        }
    }
    places
}

/// Where the navigation of a page leads.
fn ways(page: &str) -> BTreeSet<&str> {
    let nav = page.split_once("<nav").unwrap().1;
    let nav = nav.split_once("</nav>").unwrap().0;
    let ways = nav.split("href=\"").skip(1);
    ways.map(|rest| rest.split_once('"').unwrap().0).collect()
}

#[tokio::test]
async fn what_is_shown_is_there_and_what_is_not_there_is_not_shown() {
    let app = TestApp::new().await;
    app.administrator().await;
    app.sign_up(EMAIL).await;
    let guest = Browser::new(&app);
    let member = Browser::of(&app, EMAIL).await;
    let root = Browser::of(&app, "root@example.com").await;
    let mut shown = BTreeSet::new();
    for browser in [&guest, &member, &root] {
        let page = browser.get("/").await.body;
        for way in ways(&page) {
            browser.get(way).await.is_page(200);
            shown.insert(way.to_owned());
        }
    }
    let places = places();
    assert!(places.len() >= 10, "{places:?}");
    for (path, is_built) in places {
        assert_eq!(shown.contains(path), is_built, "{path}");
        if !is_built {
            root.get(path).await.is_page(404);
        }
    }
}

#[tokio::test]
async fn everybody_is_shown_what_is_for_them() {
    let app = TestApp::new().await;
    app.administrator().await;
    app.sign_up(EMAIL).await;
    let guest = Browser::new(&app).get("/").await.body;
    assert!(ways(&guest).contains("/log-in") && !guest.contains("Log out</button>"));
    let member = Browser::of(&app, EMAIL).await.get("/account").await.body;
    assert!(ways(&member).contains("/account") && member.contains("Log out</button>"));
    for hidden in ["/log-in", "/sign-up", "/admin/users", "/admin/keys"] {
        assert!(!ways(&member).contains(hidden), "{hidden}");
    }
    assert!(member.contains("<a href=\"/account\" aria-current=\"page\">"));
    let root = Browser::of(&app, "root@example.com").await;
    let users = root.get("/admin/users?email=ada").await.body;
    assert!(users.contains("<a href=\"/admin/users\" aria-current=\"page\">"));
    let way = users.split_once("/admin/users/").unwrap().1;
    let user = root
        .get(&format!("/admin/users/{}", way.split_once('"').unwrap().0))
        .await
        .body;
    assert!(user.contains("<a href=\"/admin/users\" aria-current=\"true\">"));
    assert!(!user.contains("aria-current=\"page\""));
}

#[tokio::test]
async fn every_page_is_guarded_by_the_same_headers() {
    let app = TestApp::new().await;
    app.administrator().await;
    let root = Browser::of(&app, "root@example.com").await;
    let policy = app
        .get("/")
        .await
        .header("content-security-policy")
        .to_owned();
    for part in ["default-src 'none'", "require-trusted-types-for 'script'"] {
        assert!(policy.contains(part));
    }
    let guest = Browser::new(&app);
    let mut answers = Vec::new();
    for path in ["/", "/log-in", "/sign-up", "/setup", "/nothing"] {
        answers.push(guest.get(path).await);
    }
    for path in ["/account", "/admin/users", "/admin/keys", "/admin/health"] {
        answers.push(root.get(path).await);
    }
    answers.push(root.get("/admin/users/none").await);
    answers.push(root.send("/ui/account/password", &[]).await);
    answers.push(guest.send("/ui/log-in", &[]).await);
    answers.push(guest.send_from_elsewhere("/ui/log-in", &[]).await);
    for answer in answers {
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy.as_str()),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_with_a_page_is_told_on_a_page() {
    let app = TestApp::new().await;
    let choice = Request::post("/ui/theme")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("theme=pink&next=%2F"))
        .unwrap();
    let wrong = app.send(choice).await;
    assert_eq!(wrong.status, 400);
    app.server.close().await;
    let closed = app.get("/").await;
    assert_eq!(closed.status, 500);
    for answer in [wrong, closed] {
        let kind = answer.header("content-type");
        assert_eq!(kind, "text/html; charset=utf-8", "{answer:?}");
        assert!(
            answer.body.contains("<h1>That did not work</h1>"),
            "{answer:?}"
        );
    }
}
