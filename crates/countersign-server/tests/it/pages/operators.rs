//! Pages for operators: users, keys, health; for the role `admin` alone.

use serde_json::Value;

use crate::app::{Answer, EMAIL, MINUTE, PASSWORD, TestApp};
use crate::browser::{Browser, log_in_fields};

const ROOT: &str = "root@example.com";
const WRONG: &str = "not the right one at all";

/// An administrator's browser, and the page of Ada's account.
async fn with_ada(app: &TestApp) -> (Browser<'_>, String) {
    app.administrator().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(app, ROOT).await;
    let page = page_of(&browser, EMAIL).await;
    (browser, page)
}

async fn page_of(browser: &Browser<'_>, email: &str) -> String {
    let list = browser.get("/admin/users").await.body;
    let (before, _) = list.split_once(&format!("\">{email}</a>")).unwrap();
    before.rsplit_once("href=\"").unwrap().1.to_owned()
}

/// The audit trail, the latest first, as pairs of an event and a member of what it is about.
async fn audit(app: &TestApp, token: &str) -> Vec<Value> {
    let trail = app.get_as("/admin/v1/audit", token).await.json();
    trail["entries"].as_array().unwrap().clone()
}

async fn form(browser: &Browser<'_>, page: &str, name: &str, fields: &[(&str, &str)]) -> Answer {
    browser.send(&format!("/ui{page}/{name}"), fields).await
}

#[tokio::test]
async fn the_pages_are_for_administrators_alone() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    let (ada, stranger) = (Browser::of(&app, EMAIL).await, Browser::new(&app));
    root.get("/admin").await.leads_to("/admin/users");
    let pages = [
        "/admin",
        "/admin/users",
        &user,
        "/admin/keys",
        "/admin/health",
    ];
    for page in pages {
        if page != "/admin" {
            root.get(page).await.is_page(200);
        }
        let refused = ada.get(page).await;
        refused.is_page(403);
        assert!(refused.body.contains("Not for your account"));
        assert!(refused.body.contains("log in with an account that has it"));
        assert!(!refused.body.contains(ROOT), "{page}");
        stranger
            .get(page)
            .await
            .leads_to(&format!("/log-in?next={page}"));
    }
    for name in ["roles", "disable", "enable", "delete", "sessions"] {
        let fields = [("password", PASSWORD)];
        form(&ada, &user, name, &fields).await.is_page(403);
        let refused = form(&stranger, &user, name, &fields).await;
        refused.leads_to(&format!("/log-in?next={user}"));
        let path = format!("/ui{user}/{name}");
        let refused = root.send_from_elsewhere(&path, &fields).await;
        refused.is_page(403);
        assert!(refused.body.contains("This form did not come from here."));
        root.get(&path).await.leads_to(&user);
    }
    // None of it has done anything.
    ada.get("/account").await.is_page(200);
}

#[tokio::test]
async fn a_role_that_was_taken_away_closes_the_pages_at_once() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    let fields = [("roles", "admin  editor"), ("password", PASSWORD)];
    form(&root, &user, "roles", &fields).await.leads_to(&user);
    let ada = Browser::of(&app, EMAIL).await;
    ada.get("/admin/users").await.is_page(200);
    let page = root.get(&user).await.body;
    assert!(page.contains("The roles are changed.") && page.contains(">editor</span>"));
    let fields = [("roles", ""), ("password", PASSWORD)];
    form(&root, &user, "roles", &fields).await.leads_to(&user);
    ada.get("/admin/users").await.is_page(403);
    assert!(!ada.get("/account").await.body.contains("/admin/"));
}

#[tokio::test]
async fn users_are_found_by_a_part_of_their_address_and_turned_by_pages() {
    let app = TestApp::new().await;
    app.administrator().await;
    let made = "INSERT INTO users (id, email, password_hash, roles, disabled, created_at) \
                VALUES ('0000-' || $1, $1 || '@example.com', '', '[]', FALSE, 0)";
    for i in 0..52 {
        let name = ["ann", "bob"][i % 2];
        app.tamper(made, &format!("{name}.{i:02}")).await;
    }
    for name in ["per%cent", "under_score"] {
        app.tamper(made, name).await;
    }
    let root = Browser::of(&app, ROOT).await;
    let first = root.get("/admin/users").await.body;
    assert_eq!(first.matches("<li>\n<p class=\"name\">").count(), 50);
    let next = first.split_once("rel=\"next\"").unwrap().0;
    let next = next.rsplit_once("href=\"").unwrap().1;
    let next = next.split_once('"').unwrap().0.replace("&#38;", "&");
    let second = root.get(&next).await.body;
    assert!(second.contains(ROOT) && !second.contains("rel=\"next\""));
    for (part, found) in [
        ("ann", 26),
        ("ANN.0", 5),
        ("%25", 1),
        ("_", 1),
        ("%5C", 0),
        ("example.com", 50),
        ("nobody", 0),
        ("%27+OR+1%3D1+--", 0),
    ] {
        let page = root.get(&format!("/admin/users?email={part}")).await;
        page.is_page(200);
        let count = page.body.matches("<p class=\"name\">").count();
        assert_eq!(count, found, "{part}");
    }
    let hostile = root.get("/admin/users?email=%22%3E%3Cscript%3E").await.body;
    assert!(!hostile.contains("<script>") && hostile.contains("&#34;&#62;&#60;script&#62;"));
    root.get("/admin/users?email=a&email=b").await.is_page(400);
    root.get("/admin/users/no-such").await.is_page(404);
    // The API finds the same.
    let token = app.log_in(ROOT).await.access;
    let answer = app
        .get_as("/admin/v1/users?email=ann&limit=20", &token)
        .await;
    assert_eq!(answer.json()["users"].as_array().unwrap().len(), 20);
    let link = answer.header("link");
    assert!(link.contains("&email=ann>; rel=\"next\""), "{link}");
}

#[tokio::test]
async fn an_account_is_disabled_enabled_and_deleted_and_the_trail_says_by_whom() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    let ada = Browser::of(&app, EMAIL).await;
    let confirmed = [("password", PASSWORD)];
    form(&root, &user, "disable", &confirmed)
        .await
        .leads_to(&user);
    let page = root.get(&user).await.body;
    assert!(page.contains("The account is disabled") && page.contains("Enable the account"));
    assert!(page.contains("It is logged in nowhere."));
    assert_eq!(ada.get("/account").await.status, 303);
    let fields = log_in_fields(EMAIL, PASSWORD, "");
    ada.send("/ui/log-in", &fields).await.is_page(401);
    form(&root, &user, "enable", &confirmed)
        .await
        .leads_to(&user);
    ada.send("/ui/log-in", &fields).await.leads_to("/account");
    form(&root, &user, "delete", &confirmed)
        .await
        .leads_to("/admin/users");
    let list = root.get("/admin/users").await.body;
    assert!(list.contains("The account is deleted") && !list.contains(EMAIL));
    root.get(&user).await.is_page(404);
    assert_eq!(ada.get("/account").await.status, 303);
    let token = app.log_in(ROOT).await.access;
    let trail = audit(&app, &token).await;
    let by = crate::app::claims(&token)["sub"].clone();
    let events: Vec<&str> = trail
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["user_deleted", "user_enabled", "user_disabled"]);
    assert!(
        trail
            .iter()
            .all(|entry| entry["by"] == by && entry["intact"] == true)
    );
}

#[tokio::test]
async fn nothing_is_changed_without_the_administrators_own_password() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    let ada = Browser::of(&app, EMAIL).await;
    for (name, prefix, more) in [
        ("roles", "roles-", ("roles", "admin")),
        ("disable", "access-", ("", "")),
        ("delete", "delete-", ("", "")),
        ("sessions", "sessions-", ("which", "all")),
    ] {
        let mut fields = vec![("password", WRONG)];
        fields.extend(Some(more).filter(|(name, _)| !name.is_empty()));
        let refused = form(&root, &user, name, &fields).await;
        refused.is_page(401);
        assert_eq!(
            refused.problem_of(&format!("{prefix}password-problem")),
            "This is not your present password."
        );
        assert!(!refused.body.contains(WRONG));
        let incomplete = form(&root, &user, name, &[]).await;
        incomplete.is_page(400);
        assert_eq!(
            incomplete.problem_of(&format!("{prefix}problem")),
            "The form is not complete. Fill in each of its fields."
        );
    }
    let roles = [("roles", "editor <b>Admin"), ("password", PASSWORD)];
    let refused = form(&root, &user, "roles", &roles).await;
    refused.is_page(400);
    let problem = refused.problem_of("roles-roles-problem");
    assert!(
        problem.contains("Admin") && problem.contains("is no name of a role"),
        "{problem}"
    );
    assert!(!refused.body.contains("<b>"));
    ada.get("/account").await.is_page(200);
    assert!(root.get(&user).await.body.contains("active"));
    let token = app.log_in(ROOT).await.access;
    assert_eq!(audit(&app, &token).await, Vec::<Value>::new());
}

#[tokio::test]
async fn guessing_the_administrators_password_has_to_wait_as_at_the_door() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    for _ in 0..10 {
        let refused = form(&root, &user, "disable", &[("password", WRONG)]).await;
        refused.is_page(401);
    }
    let refused = form(&root, &user, "disable", &[("password", PASSWORD)]).await;
    refused.is_page(429);
    assert!(!refused.header("retry-after").is_empty());
    assert!(root.get(&user).await.body.contains("active"));
    app.wait(5 * MINUTE);
    // What succeeds is given back.
    for name in ["disable", "enable"].repeat(12) {
        form(&root, &user, name, &[("password", PASSWORD)])
            .await
            .leads_to(&user);
    }
}

#[tokio::test]
async fn nothing_is_said_to_be_done_to_an_account_that_is_not_there() {
    let app = TestApp::new().await;
    app.administrator().await;
    let root = Browser::of(&app, ROOT).await;
    // Also one whose name is an address elsewhere, a header, or no text.
    for id in ["nobody", "%2F%2Fevil.example", "x%0D%0Aset-cookie:a", "%FF"] {
        let page = format!("/admin/users/{id}");
        let shown = root.get(&page).await;
        shown.is_page(404);
        assert!(shown.body.contains("No such account"));
        assert!(shown.body.contains("may have been deleted"));
        assert!(shown.body.contains("<a href=\"/admin/users\">See"));
        for (name, field) in [
            ("sessions", ("which", "all")),
            ("sessions", ("which", "x")),
            ("roles", ("roles", "editor")),
        ] {
            let fields = [field, ("password", PASSWORD)];
            let refused = form(&root, &page, name, &fields).await;
            refused.is_page(404);
            assert!(refused.cookies().is_empty(), "{refused:?}");
        }
        for name in ["disable", "enable", "delete"] {
            let refused = form(&root, &page, name, &[("password", PASSWORD)]).await;
            refused.is_page(404);
        }
    }
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let app = TestApp::new().await;
    app.administrator().await;
    let root = Browser::of(&app, ROOT).await;
    let own = page_of(&root, ROOT).await;
    for (name, problem) in [("disable", "access-problem"), ("delete", "delete-problem")] {
        let refused = form(&root, &own, name, &[("password", PASSWORD)]).await;
        refused.is_page(409);
        let words = refused.problem_of(problem);
        assert!(words.starts_with("Nobody could administer the server any more."));
    }
    let fields = [("roles", "editor"), ("password", PASSWORD)];
    let refused = form(&root, &own, "roles", &fields).await;
    refused.is_page(409);
    let fields = [("roles", "no,role"), ("password", PASSWORD)];
    let refused = form(&root, &own, "roles", &fields).await;
    refused.is_page(400);
    assert!(
        refused
            .problem_of("roles-roles-problem")
            .contains("is no name of a role. A role is")
    );
    root.get("/admin/users").await.is_page(200);
}

#[tokio::test]
async fn sessions_of_an_account_are_ended_one_or_all() {
    let app = TestApp::new().await;
    let (root, user) = with_ada(&app).await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(Browser::of(&app, EMAIL).await);
    }
    app.sign_up("bob@example.com").await;
    let bob = Browser::of(&app, "bob@example.com").await;
    let page = root.get(&user).await.body;
    assert_eq!(page.matches("name=\"which\"").count(), 4);
    let id = page.split_once("name=\"which\" value=\"").unwrap().1;
    let id = id.split_once('"').unwrap().0;
    let fields = [("which", id), ("password", PASSWORD)];
    form(&root, &user, "sessions", &fields)
        .await
        .leads_to(&user);
    let mut over = 0;
    for browser in &browsers {
        over += usize::from(browser.get("/account").await.status == 303);
    }
    assert_eq!(over, 1);
    // Of another account, or over already: nothing to end, and nothing in the trail.
    form(&root, &user, "sessions", &fields)
        .await
        .leads_to(&user);
    let fields = [("which", "all"), ("password", PASSWORD)];
    form(&root, &user, "sessions", &fields)
        .await
        .leads_to(&user);
    for browser in &browsers {
        assert_eq!(browser.get("/account").await.status, 303);
    }
    bob.get("/account").await.is_page(200);
    let token = app.log_in(ROOT).await.access;
    let trail = audit(&app, &token).await;
    assert_eq!(trail.len(), 2, "{trail:?}");
    assert_eq!(trail[0]["event"], "sessions_ended");
    assert_eq!(trail[1]["event"], "session_ended");
    assert_eq!(trail[1]["session"], id);
    assert_eq!(trail[0]["user"], user.rsplit_once('/').unwrap().1);
}

#[tokio::test]
async fn what_people_call_themselves_is_text_for_administrators_too() {
    let app = TestApp::new().await;
    app.administrator().await;
    let hostile = "</bdi><img src=x onerror=alert(1)>\u{202e}";
    let body = serde_json::json!({"email": EMAIL, "password": PASSWORD, "name": hostile});
    assert_eq!(app.post("/signup", &body).await.status, 201);
    let root = Browser::of(&app, ROOT).await;
    let user = page_of(&root, EMAIL).await;
    for path in ["/admin/users", &user] {
        let page = root.get(path).await.body;
        assert!(
            page.contains("&#60;img src=x onerror=alert(1)&#62;"),
            "{page}"
        );
        assert!(!page.contains("<img"), "{path}");
    }
}

#[tokio::test]
async fn an_address_that_only_looks_like_another_is_marked() {
    let app = TestApp::new().await;
    app.administrator().await;
    app.sign_up("r\u{43e}ot@b\u{fc}cher.example").await;
    let root = Browser::of(&app, ROOT).await;
    let written = "<code>r\\u{43e}ot@xn--bcher-kva.example</code>";
    let mark = ">not ASCII</span>";
    let users = root.get("/admin/users").await.body;
    assert_eq!(users.matches(mark).count(), 1, "{users}");
    assert!(users.contains(written), "{users}");
    let page = root
        .get(&page_of(&root, "r\u{43e}ot@b\u{fc}cher.example").await)
        .await
        .body;
    assert!(page.contains(mark) && page.contains(written), "{page}");
    let own = root.get(&page_of(&root, ROOT).await).await.body;
    assert!(!own.contains(mark), "{own}");
}

#[tokio::test]
async fn keys_are_shown_with_their_public_half_and_never_the_other() {
    let app = TestApp::new().await;
    app.administrator().await;
    let root = Browser::of(&app, ROOT).await;
    let page = root.get("/admin/keys").await.body;
    let jwks = app.get("/.well-known/jwks.json").await.json();
    for key in jwks["keys"].as_array().unwrap() {
        assert!(page.contains(key["kid"].as_str().unwrap()));
        assert!(page.contains(key["x"].as_str().unwrap()));
    }
    assert_eq!(page.matches("<details>").count(), 2);
    assert!(page.contains(">signs</span>") && page.contains(">stands by</span>"));
    assert!(
        page.contains("Made <time datetime=\"2027-01-15T08:00:00Z\""),
        "{page}"
    );
    assert!(!page.contains("&#34;d&#34;") && !page.contains("\"d\""));
    // A server with a shared secret has nothing to show.
    let settings = [
        ("SIGNING_ALG", "HS256"),
        ("SIGNING_SECRET", "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg"),
    ];
    let app = TestApp::with(&settings).await;
    app.administrator().await;
    let page = Browser::of(&app, ROOT).await.get("/admin/keys").await.body;
    assert!(page.contains("no public half") && !page.contains("tf2Zb1kQ"));
}

#[tokio::test]
async fn keys_are_shown_as_time_makes_them() {
    let app = TestApp::new().await;
    app.administrator().await;
    app.wait(100 * 24 * 60 * MINUTE);
    app.server.keep_house().await.unwrap();
    let page = Browser::of(&app, ROOT).await.get("/admin/keys").await.body;
    let first = page.split_once("class=\"name\"").unwrap().1;
    assert!(
        first
            .split_once("</p>")
            .unwrap()
            .0
            .contains(">signs</span>")
    );
    assert!(page.contains(">is over</span>") && page.contains(">stands by</span>"));
}

#[tokio::test]
async fn health_tells_what_works_and_how_much_there_is() {
    let app = TestApp::new().await;
    app.administrator().await;
    let tokens = app.log_in(ROOT).await;
    app.refresh(&tokens.refresh).await;
    app.refresh("garbage").await;
    let root = Browser::of(&app, ROOT).await;
    let page = root.get("/admin/health").await.body;
    assert!(page.contains("Ready: the database takes writes, and a key signs."));
    assert!(page.contains("<dt>accounts</dt><dd>1</dd>"), "{page}");
    assert!(
        page.contains("<dt>living sessions</dt><dd>3</dd>"),
        "{page}"
    );
    for (cause, count) in [("normal", 1), ("reuse", 0), ("garbage", 1)] {
        let row = page.split_once(&format!("<code>{cause}</code>")).unwrap().1;
        let row = row.split_once("</tr>").unwrap().0;
        assert!(
            row.contains(&format!("class=\"number\">{count}</td>")),
            "{cause} {row}"
        );
    }
}
