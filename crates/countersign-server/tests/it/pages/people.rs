//! Pages for people: sign up, log in, account.

use axum::body::Body;
use http::Request;

use crate::app::{Answer, EMAIL, MINUTE, PASSWORD, TestApp};
use crate::browser::{Browser, log_in_fields};

const OTHER: &str = "granite willow 77 teapot";

async fn sign_up(browser: &Browser<'_>, name: &str, email: &str, password: &str) -> Answer {
    let fields = [("name", name), ("email", email), ("password", password)];
    browser.send("/ui/sign-up", &fields).await
}

#[tokio::test]
async fn a_person_signs_up_and_is_logged_in_and_logs_out_without_javascript() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    browser.get("/sign-up").await.is_page(200);
    sign_up(&browser, "Ada Lovelace", EMAIL, PASSWORD)
        .await
        .leads_to("/account");
    let account = browser.get("/account").await;
    account.is_page(200);
    for text in [
        "Your account is made, and you are logged in.",
        "<h1><bdi>Ada Lovelace</bdi></h1>",
        EMAIL,
        "Firefox on Linux",
        "127.0.0.0/24",
        "this one",
    ] {
        assert!(account.body.contains(text), "{text}");
    }
    // It is told once.
    let again = browser.get("/account").await.body;
    assert!(!again.contains("Your account is made"));
    browser.send("/ui/log-out", &[]).await.leads_to("/log-in");
    assert_eq!((browser.cookie("at"), browser.cookie("rt")), (None, None));
    let out = browser.get("/log-in").await;
    assert!(out.body.contains("You are logged out."));
    browser
        .get("/account")
        .await
        .leads_to("/log-in?next=/account");
}

#[tokio::test]
async fn signing_up_is_refused_beside_the_field_in_the_words_of_the_api() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::new(&app);
    let long = "n".repeat(101);
    for (name, email, password, status, place, words) in [
        (
            "",
            "nobody",
            PASSWORD,
            422,
            "email-problem",
            "This is not an e-mail address.",
        ),
        (
            "",
            EMAIL,
            PASSWORD,
            409,
            "email-problem",
            "This address has an account. Log in instead.",
        ),
        (
            "",
            "bob@example.com",
            "weak",
            422,
            "password-problem",
            "Use at least 12 characters.",
        ),
        (
            &long,
            "bob@example.com",
            PASSWORD,
            400,
            "name-problem",
            "<code>name</code> is at most 100 characters without control characters.",
        ),
    ] {
        let refused = sign_up(&browser, name, email, password).await;
        refused.is_page(status);
        assert_eq!(refused.problem_of(place), words);
        assert!(refused.body.contains(&format!("value=\"{email}\"")));
        assert!(
            !refused.body.contains("battery"),
            "a password is never shown"
        );
        assert!(refused.body.contains("aria-invalid=\"true\""));
        assert_eq!(browser.cookie("at"), None);
    }
}

#[tokio::test]
async fn signing_up_has_to_wait_as_it_has_to_by_the_api() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    for _ in 0..20 {
        sign_up(&browser, "", EMAIL, "weak").await.is_page(422);
    }
    let refused = sign_up(&browser, "", EMAIL, PASSWORD).await;
    refused.is_page(429);
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(
        refused.problem_of("problem"),
        "Too many attempts. Try again in 30 s."
    );
}

#[tokio::test]
async fn a_log_in_leads_on_to_where_one_was_going() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for (next, to) in [
        ("", "/account"),
        ("/account?x=1#", "/account"),
        ("/account?x=1", "/account?x=1"),
        ("/setup", "/setup"),
    ] {
        let answer = Browser::new(&app)
            .send("/ui/log-in", &log_in_fields(EMAIL, PASSWORD, next))
            .await;
        answer.leads_to(to);
    }
}

#[tokio::test]
async fn a_log_in_never_leads_to_another_origin() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/..//evil.example",
        "/ui/log-out",
    ] {
        let browser = Browser::new(&app);
        let fields = log_in_fields(EMAIL, PASSWORD, next);
        browser
            .send("/ui/log-in", &fields)
            .await
            .leads_to("/account");
        // Who is logged in already is not led there either.
        let asked = next.replace('\\', "%5C").replace('\t', "%09");
        let asked = browser.get(&format!("/log-in?next={asked}")).await;
        asked.leads_to("/account");
    }
    let page = Browser::new(&app).get("/log-in?next=//evil.example").await;
    let form = page.body.split_once("action=\"/ui/log-in\"").unwrap().1;
    let form = form.split_once("</form>").unwrap().0;
    assert!(!form.contains("evil"), "{form}");
    assert!(form.contains("name=\"next\" value=\"/account\""));
    for twice in ["/log-in?next=/a&next=/b", "/log-in?next", "/log-in?x=%ff"] {
        Browser::new(&app).get(twice).await.is_page(200);
    }
}

#[tokio::test]
async fn a_log_in_is_refused_alike_for_the_unknown_the_wrong_and_the_disabled() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    for email in [EMAIL, "bob@example.com"] {
        app.sign_up(email).await;
    }
    let users = app.get_as("/admin/v1/users", &root.access).await.json();
    let bob = users["users"].as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = serde_json::json!({"disabled": true});
    let path = format!("/admin/v1/users/{bob}");
    app.send_as(http::Method::PATCH, &path, &root.access, &body)
        .await;
    let mut pages = Vec::new();
    for (email, password) in [
        (EMAIL, OTHER),
        ("eve@example.com", PASSWORD),
        ("bob@example.com", PASSWORD),
    ] {
        let browser = Browser::new(&app);
        let refused = browser
            .send("/ui/log-in", &log_in_fields(email, password, "/account"))
            .await;
        refused.is_page(401);
        assert_eq!(
            refused.problem_of("problem"),
            "The address and the password do not belong together."
        );
        assert!(!refused.body.contains(password) && browser.cookie("at").is_none());
        pages.push(refused.body.replace(email, "…"));
    }
    assert!(pages.iter().all(|page| page == &pages[0]));
}

#[tokio::test]
async fn guessing_at_the_page_has_to_wait_as_at_the_api() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::new(&app);
    let wrong = log_in_fields(EMAIL, OTHER, "");
    for _ in 0..10 {
        browser.send("/ui/log-in", &wrong).await.is_page(401);
    }
    let right = log_in_fields(EMAIL, PASSWORD, "");
    let refused = browser.send("/ui/log-in", &right).await;
    refused.is_page(429);
    assert!(!refused.header("retry-after").is_empty());
    app.post(
        "/login",
        &serde_json::json!({"email": EMAIL, "password": PASSWORD}),
    )
    .await
    .is_problem(429, "too_many_requests", "Too many requests");
}

#[tokio::test]
async fn a_page_moves_the_session_on_when_its_access_token_is_over_and_so_does_a_form() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let first = browser.cookie("at");
    app.wait(20 * MINUTE);
    browser.get("/account").await.is_page(200);
    let second = browser.cookie("at");
    assert!(second.is_some() && first != second);
    app.wait(20 * MINUTE);
    let fields = [("current", "wrong but long enough"), ("new", OTHER)];
    browser
        .send("/ui/account/password", &fields)
        .await
        .is_page(401);
    assert_ne!(browser.cookie("at"), second);
    // A form of another site moves nothing on.
    app.wait(20 * MINUTE);
    let refused = browser
        .send_from_elsewhere("/ui/account/sessions", &[("scope", "all")])
        .await;
    refused.is_page(403);
    assert!(refused.cookies().is_empty());
}

#[tokio::test]
async fn two_windows_that_move_the_session_on_at_once_stay_logged_in() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    app.wait(20 * MINUTE);
    let (one, other) = tokio::join!(browser.get("/account"), browser.get("/account"));
    one.is_page(200);
    other.is_page(200);
    app.wait(20 * MINUTE);
    browser.get("/account").await.is_page(200);
}

#[tokio::test]
async fn the_cookies_of_a_log_in_and_a_log_out_count_whatever_moved_on_before() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    app.sign_up("bob@example.com").await;
    let browser = Browser::of(&app, EMAIL).await;
    app.wait(20 * MINUTE);
    let bob = log_in_fields("bob@example.com", PASSWORD, "");
    let answer = browser.send("/ui/log-in", &bob).await;
    assert_eq!(answer.cookies().len(), 2, "{answer:?}");
    let account = browser.get("/account").await.body;
    assert!(account.contains("bob@example.com") && !account.contains(EMAIL));
    app.wait(20 * MINUTE);
    browser.send("/ui/log-out", &[]).await.leads_to("/log-in");
    assert_eq!((browser.cookie("at"), browser.cookie("rt")), (None, None));
}

#[tokio::test]
async fn nobody_is_logged_out_because_the_database_is_away() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    app.server.close().await;
    for wait in [0, 20 * MINUTE] {
        app.wait(wait);
        let refused = browser.get("/account").await;
        refused.is_page(503);
        assert!(refused.cookies().is_empty(), "{refused:?}");
        let refused = browser.send("/ui/log-out", &[]).await;
        refused.is_page(503);
        assert!(refused.cookies().is_empty(), "{refused:?}");
    }
    assert!(browser.cookie("rt").is_some());
}

#[tokio::test]
async fn a_dead_session_leads_to_the_log_in_and_back() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let elsewhere = Browser::of(&app, EMAIL).await;
    let everywhere = [("scope", "all")];
    elsewhere
        .send("/ui/account/sessions", &everywhere)
        .await
        .leads_to("/log-in");
    let refused = browser.get("/account").await;
    refused.leads_to("/log-in?next=/account");
    assert_eq!((browser.cookie("at"), browser.cookie("rt")), (None, None));
    let form = browser.send("/ui/account/password", &[]).await;
    form.leads_to("/log-in?next=/account");
}

#[tokio::test]
async fn sessions_are_shown_and_ended_one_by_one_and_together() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let here = Browser::of(&app, EMAIL).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(Browser::of(&app, EMAIL).await);
    }
    let page = here.get("/account").await.body;
    assert_eq!(page.matches("name=\"id\" value=\"").count(), 4);
    assert_eq!(page.matches("this one").count(), 1);
    let others_page = others[0].get("/account").await.body;
    let id = this_session(&others_page);
    here.send("/ui/account/session", &[("id", &id)])
        .await
        .leads_to("/account");
    let after = here.get("/account").await.body;
    assert!(after.contains("The session has ended.") && !after.contains(&id));
    others[0]
        .get("/account")
        .await
        .leads_to("/log-in?next=/account");
    // Once more changes nothing.
    here.send("/ui/account/session", &[("id", &id)])
        .await
        .leads_to("/account");
    here.send("/ui/account/sessions", &[("scope", "others")])
        .await
        .leads_to("/account");
    for other in &others[1..] {
        assert_eq!(other.get("/account").await.status, 303);
    }
    let alone = here.get("/account").await.body;
    assert!(!alone.contains("everywhere else") && alone.contains("Log out everywhere"));
    // The end of this one is a log-out.
    let own = this_session(&alone);
    here.send("/ui/account/session", &[("id", &own)])
        .await
        .leads_to("/log-in");
    assert_eq!((here.cookie("at"), here.cookie("rt")), (None, None));
}

fn this_session(page: &str) -> String {
    let (_, rest) = page.split_once("this one").unwrap();
    let (_, rest) = rest.split_once("name=\"id\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn nobody_ends_the_session_of_another_person_with_a_form() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    app.sign_up("bob@example.com").await;
    let ada = Browser::of(&app, EMAIL).await;
    let bob = Browser::of(&app, "bob@example.com").await;
    let id = this_session(&ada.get("/account").await.body);
    bob.send("/ui/account/session", &[("id", &id)]).await;
    ada.get("/account").await.is_page(200);
    for fields in [
        &[][..],
        &[("scope", "everyone")],
        &[("scope", "all"), ("user", "x")],
    ] {
        let refused = ada.send("/ui/account/sessions", fields).await;
        refused.is_page(400);
    }
    ada.get("/account").await.is_page(200);
}

#[tokio::test]
async fn a_password_is_changed_on_the_page_and_the_other_sessions_end() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let here = Browser::of(&app, EMAIL).await;
    let other = Browser::of(&app, EMAIL).await;
    for (current, new, status, place, words) in [
        (
            OTHER,
            OTHER,
            401,
            "current-problem",
            "This is not your present password.",
        ),
        (
            PASSWORD,
            "short",
            422,
            "new-problem",
            "Use at least 12 characters.",
        ),
        (
            PASSWORD,
            PASSWORD,
            422,
            "new-problem",
            "Choose another one than you have.",
        ),
    ] {
        let fields = [("current", current), ("new", new)];
        let refused = here.send("/ui/account/password", &fields).await;
        refused.is_page(status);
        assert_eq!(refused.problem_of(place), words);
        assert!(!refused.body.contains(current) && !refused.body.contains(new));
        assert!(refused.body.contains("Where you are logged in"));
    }
    let incomplete = here.send("/ui/account/password", &[("new", OTHER)]).await;
    incomplete.is_page(400);
    assert_eq!(
        incomplete.problem_of("problem"),
        "The form is not complete. Fill in each of its fields."
    );
    let fields = [("current", PASSWORD), ("new", OTHER)];
    here.send("/ui/account/password", &fields)
        .await
        .leads_to("/account");
    assert!(
        here.get("/account")
            .await
            .body
            .contains("Your password is changed")
    );
    assert_eq!(other.get("/account").await.status, 303);
    let again = Browser::new(&app);
    again
        .send("/ui/log-in", &log_in_fields(EMAIL, OTHER, ""))
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn what_a_person_and_a_program_call_themselves_is_shown_as_text() {
    let app = TestApp::new().await;
    let hostile = "<img src=x onerror=alert(1)>\"'`{{7*7}}&amp;\u{202e}";
    let mut browser = Browser::new(&app);
    browser.user_agent = "<script>alert(2)</script> Firefox/140.0".to_owned();
    sign_up(&browser, hostile, EMAIL, PASSWORD)
        .await
        .leads_to("/account");
    let page = browser.get("/account").await.body;
    assert!(
        page.contains("&#60;img src=x onerror=alert(1)&#62;"),
        "{page}"
    );
    assert!(page.contains("{{7*7}}&#38;amp;"));
    for forbidden in ["<img", "<script>", "alert(2)"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let typed = "\"><script>alert(3)</script>";
    let refused = sign_up(&Browser::new(&app), typed, typed, typed).await;
    assert!(!refused.body.contains("<script>"), "{}", refused.body);
    assert!(refused.body.contains("&#34;&#62;&#60;script&#62;"));
}

#[tokio::test]
async fn rejects_every_form_that_another_site_sends() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let (all, login) = ([("scope", "all")], log_in_fields(EMAIL, PASSWORD, ""));
    let forms: [(&str, &[(&str, &str)]); 8] = [
        ("/ui/sign-up", &[]),
        ("/ui/log-in", &login),
        ("/ui/log-out", &[]),
        ("/ui/account/password", &[]),
        ("/ui/account/session", &[("id", "x")]),
        ("/ui/account/sessions", &all),
        ("/ui/theme", &[("theme", "dark"), ("next", "/")]),
        ("/ui/setup", &[]),
    ];
    for (path, fields) in forms {
        let refused = browser.send_from_elsewhere(path, fields).await;
        refused.is_page(403);
        assert!(refused.body.contains("This form did not come from here."));
        assert!(refused.cookies().is_empty());
        let stranger = Browser::new(&app);
        stranger
            .send_from_elsewhere(path, fields)
            .await
            .is_page(403);
    }
    browser.get("/account").await.is_page(200);
}

#[tokio::test]
async fn the_address_of_a_form_leads_to_its_page() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    for (form, page) in [
        ("/ui/log-in", "/log-in"),
        ("/ui/sign-up", "/sign-up"),
        ("/ui/account/password", "/account"),
        ("/ui/account/sessions", "/account"),
    ] {
        browser.get(form).await.leads_to(page);
    }
    let json = app.post("/ui/log-in", &serde_json::json!({})).await;
    json.is_page(415);
}

#[tokio::test]
async fn a_browser_is_told_in_a_page_that_nothing_is_there_and_a_program_in_json() {
    let app = TestApp::new().await;
    let page = Browser::new(&app).get("/nothing").await;
    page.is_page(404);
    assert!(page.body.contains("Nothing is here"));
    app.get("/nothing")
        .await
        .is_problem(404, "not_found", "Not found");
}

#[tokio::test]
async fn whoever_is_sent_to_the_log_in_reads_why_and_whoever_goes_there_does_not() {
    let app = TestApp::new().await;
    let why = "The page you were going to is for people who are logged in.";
    let browser = Browser::new(&app);
    let sent = browser.get("/log-in?next=/admin").await;
    assert!(sent.body.contains(why), "{sent:?}");
    let refused = browser
        .send("/ui/log-in", &log_in_fields(EMAIL, "wrong", "/admin"))
        .await;
    assert!(refused.body.contains(why), "{refused:?}");
    for by_themselves in [
        browser.get("/log-in").await,
        browser.get("/log-in?next=//evil.example").await,
        browser
            .send("/ui/log-in", &log_in_fields(EMAIL, "wrong", "/account"))
            .await,
    ] {
        assert!(!by_themselves.body.contains(why), "{by_themselves:?}");
    }
}

#[tokio::test]
async fn a_browser_that_opens_an_address_of_the_api_is_led_to_its_page_and_a_program_is_not() {
    let app = TestApp::new().await;
    let open = async |method: &str, path: &str, accept: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("accept", accept).body(Body::empty());
        app.send(request.unwrap()).await
    };
    let browsers = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (path, page) in [("/login", "/log-in"), ("/signup", "/sign-up")] {
        let led = open("GET", path, browsers).await;
        assert_eq!((led.status.as_u16(), led.header("location")), (303, page));
        for (method, accept) in [
            ("GET", "application/json"),
            ("GET", "*/*"),
            ("PUT", browsers),
        ] {
            let refused = open(method, path, accept).await;
            assert_eq!(refused.status.as_u16(), 405, "{method} {accept}");
            assert_eq!(refused.header("allow"), "POST");
        }
    }
    assert_eq!(open("GET", "/refresh", browsers).await.status.as_u16(), 405);
}
