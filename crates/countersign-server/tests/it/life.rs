//! The life of a token, as its page plays it: each step in order, and what the tokens of the demonstration do not open.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::app::{Answer, EMAIL, ISSUER, MINUTE, PASSWORD, TestApp, Tokens, claims, tampered};
use crate::browser::Browser;

const SERVICE: &str = "/flow/service";

async fn begin(app: &TestApp) -> Answer {
    begin_from(app, "127.0.0.1:55555").await
}

async fn begin_from(app: &TestApp, peer: &str) -> Answer {
    let request = Request::post("/flow/session").body(Body::empty()).unwrap();
    app.send_from(peer, request).await
}

async fn begun(app: &TestApp) -> Tokens {
    let answer = begin(app).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Tokens::of(&answer)
}

async fn explained(app: &TestApp, token: &str) -> Value {
    let answer = app.post("/flow/explain", &json!({"token": token})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// A server that is not for development.
async fn production() -> TestApp {
    TestApp::with(&[("PUBLIC_URL", "https://id.example")]).await
}

fn is_code(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["code"], code, "{answer:?}");
}

#[tokio::test]
async fn the_story_from_log_in_to_the_end_of_the_session() {
    let app = TestApp::new().await;
    let first = begun(&app).await;
    let served = app.get_as(SERVICE, &first.access).await;
    assert_eq!(served.status, 200, "{served:?}");
    assert_eq!(served.json()["sub"], claims(&first.access)["sub"]);
    assert_eq!(explained(&app, &first.access).await["valid"], true);
    app.wait(20);
    let expired = app.get_as(SERVICE, &first.access).await;
    is_code(&expired, 401, "token_expired");
    assert!(expired.header("www-authenticate").contains("invalid_token"));
    let why = explained(&app, &first.access).await;
    let steps = why["steps"].as_array().unwrap();
    let failed: Vec<_> = steps
        .iter()
        .filter(|step| step["outcome"] == "failed")
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["exp"]);
    // Refreshed, and by two tabs at once.
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    let (one, two) = tokio::join!(app.refresh(&second.refresh), app.refresh(&second.refresh));
    let (one, two) = (Tokens::of(&one), Tokens::of(&two));
    assert_eq!(one.refresh, two.refresh);
    for tokens in [&second, &one, &two] {
        assert_eq!(app.get_as(SERVICE, &tokens.access).await.status, 200);
    }
    // A thief, too late; and the session is over for both.
    app.wait(11);
    app.refresh(&first.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
    assert_eq!(app.refresh(&two.refresh).await.status, 401);
    app.wait(5);
    is_code(
        &app.get_as(SERVICE, &two.access).await,
        401,
        "token_revoked",
    );
}

#[tokio::test]
async fn the_service_hears_of_a_log_out_from_the_list_within_five_seconds() {
    let app = TestApp::new().await;
    let (stays, goes) = (begun(&app).await, begun(&app).await);
    for tokens in [&stays, &goes] {
        assert_eq!(app.get_as(SERVICE, &tokens.access).await.status, 200);
    }
    let body = json!({"refresh_token": goes.refresh});
    assert_eq!(app.post("/logout", &body).await.status, 200);
    // It holds the list that it has, for as long as that says.
    assert_eq!(app.get_as(SERVICE, &goes.access).await.status, 200);
    app.wait(5);
    is_code(
        &app.get_as(SERVICE, &goes.access).await,
        401,
        "token_revoked",
    );
    assert_eq!(app.get_as(SERVICE, &stays.access).await.status, 200);
}

#[tokio::test]
async fn a_demonstration_has_tokens_of_twenty_seconds_that_are_marked_and_name_no_role() {
    let app = TestApp::new().await;
    app.administrator().await;
    let browser = Browser::of(&app, "root@example.com").await;
    let answer = browser.send("/flow/session", &[]).await;
    for token in [
        Tokens::of(&answer).access,
        Tokens::of(&app.refresh(&Tokens::of(&answer).refresh).await).access,
        begun(&app).await.access,
    ] {
        let claims = claims(&token);
        let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((19..=20).contains(&lives), "{claims}");
        assert_eq!(claims["client_id"], "demo");
        assert_eq!(claims["aud"], format!("{ISSUER}{SERVICE}"));
        assert!(claims["roles"].as_array().is_none_or(Vec::is_empty));
    }
    // Never longer than other tokens of the server.
    let app = TestApp::with(&[("ACCESS_TTL", "3s")]).await;
    assert_eq!(begin(&app).await.json()["expires_in"], 3);
}

#[tokio::test]
async fn rejects_tokens_of_the_demonstration_everywhere_else() {
    let app = TestApp::new().await;
    app.administrator().await;
    let browser = Browser::of(&app, "root@example.com").await;
    let demo = Tokens::of(&browser.send("/flow/session", &[]).await);
    for path in [
        "/profile",
        "/me",
        "/sessions",
        "/admin/v1/users",
        "/admin/v1/audit",
    ] {
        app.get_as(path, &demo.access)
            .await
            .is_problem(401, "invalid_token", "Invalid token");
    }
    for scope in ["others", "global"] {
        let body = json!({"scope": scope, "refresh_token": demo.refresh});
        let answer = app
            .send_as(Method::POST, "/logout", &demo.access, &body)
            .await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    // In the place of a page's cookies they open no page, and are taken away.
    for path in ["/account", "/admin/users"] {
        let cookies = format!("at={}; rt={}", demo.access, demo.refresh);
        let request = Request::get(path).header("cookie", cookies);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        answer.leads_to(&format!("/log-in?next={path}"));
        assert_eq!(answer.cookies().len(), 2, "{answer:?}");
    }
    let request = Request::post("/refresh")
        .header("cookie", format!("rt={}", demo.refresh))
        .header("sec-fetch-site", "same-origin");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
}

#[tokio::test]
async fn rejects_a_demonstration_even_where_an_operator_named_its_audience() {
    let own = format!("{ISSUER}{SERVICE}");
    let app = TestApp::with(&[("AUDIENCE", &own)]).await;
    let demo = begun(&app).await;
    app.get_as("/profile", &demo.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
}

#[tokio::test]
async fn rejects_tokens_at_the_service_that_are_not_of_the_demonstration() {
    let (app, tokens) = TestApp::with_session().await;
    let demo = begun(&app).await;
    is_code(
        &app.get_as(SERVICE, &tokens.access).await,
        401,
        "invalid_token",
    );
    is_code(
        &app.get_as(SERVICE, &tampered(&demo.access)).await,
        401,
        "invalid_token",
    );
    let nobody = app.get(SERVICE).await;
    assert_eq!(nobody.status, 401);
    assert!(!nobody.header("www-authenticate").contains("error"));
    // Nor does it read cookies.
    let request = Request::get(SERVICE).header("cookie", format!("at={}", demo.access));
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[tokio::test]
async fn rejects_strangers_where_it_is_no_development() {
    let app = production().await;
    let answer = app.get("/flow").await;
    answer.leads_to("/log-in?next=/flow");
    assert!(!app.get("/").await.body.contains("href=\"/flow\""));
    begin(&app)
        .await
        .is_problem(401, "log_in_needed", "Log in first");
    app.post("/flow/explain", &json!({"token": "a.b.c"}))
        .await
        .is_problem(401, "log_in_needed", "Log in first");
    let accounts = app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM users")
        .await;
    assert_eq!(accounts, "0");
}

#[tokio::test]
async fn in_production_the_session_is_the_signed_in_users_own() {
    let app = production().await;
    app.sign_up(EMAIL).await;
    let cookies = json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"});
    let answer = app.post("/login", &cookies).await;
    let pairs: Vec<_> = answer
        .cookies()
        .iter()
        .map(|line| line.split(';').next().unwrap().to_owned())
        .collect();
    let request = |method, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("cookie", pairs.join("; "))
            .header("sec-fetch-site", "same-origin");
        request.body(Body::empty()).unwrap()
    };
    let page = app.send(request(Method::GET, "/flow")).await;
    page.is_page(200);
    assert!(page.body.contains("a session of your own"), "{}", page.body);
    assert!(
        page.body
            .contains("<a href=\"/flow\" aria-current=\"page\">")
    );
    let demo = Tokens::of(&app.send(request(Method::POST, "/flow/session")).await);
    assert_eq!(app.get_as(SERVICE, &demo.access).await.status, 200);
    let own = app.look_up("SELECT id FROM users").await;
    assert_eq!(claims(&demo.access)["sub"], own);
    // It stands among theirs, under its name, and they can end it.
    let account = app.send(request(Method::GET, "/account")).await.body;
    assert!(
        account.contains("the life of a token, a demonstration"),
        "{account}"
    );
    let ended = app.send(request(Method::POST, "/flow/session")).await;
    assert_eq!(ended.status, 200);
}

#[tokio::test]
async fn it_is_played_under_every_algorithm_and_every_name_of_a_server() {
    let secret = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";
    for settings in [
        &[("SIGNING_ALG", "HS256"), ("SIGNING_SECRET", secret)][..],
        &[("SIGNING_ALG", "EdDSA")],
        // A name that nobody would fetch a list from.
        &[("PUBLIC_URL", "http://id.example")],
    ] {
        let app = TestApp::with(settings).await;
        let demo = begun(&app).await;
        let served = app.get_as(SERVICE, &demo.access).await;
        assert_eq!(served.status, 200, "{settings:?} {served:?}");
    }
}

#[tokio::test]
async fn a_user_has_four_at_once_and_none_takes_the_place_of_a_log_in() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        app.wait(1);
        all.push(Tokens::of(&browser.send("/flow/session", &[]).await));
    }
    browser.get("/account").await.is_page(200);
    for (i, tokens) in all.iter().enumerate() {
        let status = app.refresh(&tokens.refresh).await.status.as_u16();
        assert_eq!(status, if i == 0 { 401 } else { 200 }, "{i}");
    }
}

#[tokio::test]
async fn strangers_together_have_fifty_at_once() {
    let app = TestApp::new().await;
    let mut all = Vec::new();
    for i in 0..51 {
        app.wait(1);
        let answer = begin_from(&app, &format!("192.0.{i}.1:5555")).await;
        all.push(Tokens::of(&answer));
    }
    assert_eq!(app.refresh(&all[0].refresh).await.status, 401);
    assert_eq!(app.refresh(&all[1].refresh).await.status, 200);
    let accounts = app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM users")
        .await;
    assert_eq!(accounts, "1");
}

#[tokio::test]
async fn rejects_a_demonstration_too_many_and_grants_one_more_later() {
    let app = TestApp::new().await;
    for _ in 0..20 {
        assert_eq!(begin(&app).await.status, 200);
    }
    let answer = begin(&app).await;
    answer.is_problem(429, "too_many_requests", "Too many requests");
    assert_eq!(answer.header("retry-after"), "15");
    assert_eq!(begin_from(&app, "198.51.100.7:5555").await.status, 200);
    app.wait(15);
    assert_eq!(begin(&app).await.status, 200);
}

#[tokio::test]
async fn a_demonstration_is_over_after_ten_minutes_however_it_is_used_and_swept_away() {
    let app = TestApp::new().await;
    let mut tokens = begun(&app).await;
    for _ in 0..9 {
        app.wait(MINUTE);
        tokens = Tokens::of(&app.refresh(&tokens.refresh).await);
    }
    app.wait(MINUTE - 5);
    let last = app.refresh(&tokens.refresh).await;
    assert_eq!(last.json()["expires_in"], 5);
    app.wait(5);
    let over = app.refresh(&Tokens::of(&last).refresh).await;
    assert_eq!(over.status, 401);
    app.wait(1);
    app.server.keep_house().await.unwrap();
    let rows = app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM sessions")
        .await;
    assert_eq!(rows, "0");
}

#[tokio::test]
async fn what_is_played_is_in_no_figure_and_in_no_audit_trail() {
    let app = TestApp::new().await;
    let first = begun(&app).await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    app.refresh(&second.refresh).await;
    app.wait(11);
    assert_eq!(app.refresh(&first.refresh).await.status, 401);
    let metrics = app.metrics().await;
    for cause in ["normal", "reuse"] {
        let line = format!("countersign_refresh_total{{cause=\"{cause}\"}} 0");
        assert!(metrics.contains(&line), "{metrics}");
    }
    let entries = app
        .look_up("SELECT CAST(COUNT(*) AS TEXT) FROM audit")
        .await;
    assert_eq!(entries, "0");
}

#[tokio::test]
async fn nobody_logs_in_as_the_account_of_strangers_or_signs_up_for_it() {
    let app = TestApp::new().await;
    // Before there is one, and after.
    for is_there in [false, true] {
        for email in [
            "demo@countersign.invalid",
            "\"demo\"@countersign.invalid",
            "demo@countersign.\u{ff49}nvalid",
        ] {
            let body = json!({"email": email, "password": PASSWORD});
            app.post("/login", &body).await.is_problem(
                401,
                "invalid_credentials",
                "Invalid credentials",
            );
            app.post("/signup", &body).await.is_problem(
                422,
                "invalid_email",
                "Invalid e-mail address",
            );
        }
        if !is_there {
            begun(&app).await;
        }
    }
}

/// As an earlier version let people do.
#[tokio::test]
async fn an_account_that_somebody_signed_up_is_never_that_of_strangers() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let taken = "UPDATE users SET email = 'demo@countersign.invalid' WHERE email = $1";
    app.tamper(taken, EMAIL).await;
    let somebodys = app.log_in("demo@countersign.invalid").await;
    let demo = begun(&app).await;
    assert_ne!(
        claims(&demo.access)["sub"],
        claims(&somebodys.access)["sub"]
    );
    // What they end is theirs.
    let body = json!({"scope": "global"});
    let ended = app
        .send_as(Method::POST, "/logout", &somebodys.access, &body)
        .await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(app.refresh(&demo.refresh).await.status, 200);
}

#[tokio::test]
async fn where_an_administrator_disabled_it_the_page_says_so_to_strangers() {
    let app = TestApp::new().await;
    app.administrator().await;
    let demo = begun(&app).await;
    let path = format!(
        "/ui/admin/users/{}/disable",
        claims(&demo.access)["sub"].as_str().unwrap()
    );
    let browser = Browser::of(&app, "root@example.com").await;
    let disabled = browser.send(&path, &[("password", PASSWORD)]).await;
    assert_eq!(disabled.status, 303, "{disabled:?}");
    assert_eq!(app.refresh(&demo.refresh).await.status, 401);
    begin(&app)
        .await
        .is_problem(403, "demo_disabled", "Demonstration disabled");
    let page = app.get("/flow").await;
    page.is_page(200);
    assert!(
        page.body.contains("an administrator has disabled"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("id=\"play\"") && !page.body.contains("flow/main.js"));
    // Whoever is signed in has their own.
    assert!(browser.get("/flow").await.body.contains("id=\"play\""));
    assert_eq!(browser.send("/flow/session", &[]).await.status, 200);
}

#[tokio::test]
async fn a_demonstration_ends_with_the_log_out_of_whoever_began_it() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let stranger = begun(&app).await;
    for path in ["/ui/log-out", "/ui/account/session"] {
        let browser = Browser::of(&app, EMAIL).await;
        let demo = Tokens::of(&browser.send("/flow/session", &[]).await);
        let own = claims(&browser.cookie("at").unwrap())["sid"].clone();
        let over = browser.send(path, &[("id", own.as_str().unwrap())]).await;
        assert_eq!(over.status, 303, "{over:?}");
        assert_eq!(app.refresh(&demo.refresh).await.status, 401, "{path}");
        app.wait(5);
        is_code(
            &app.get_as(SERVICE, &demo.access).await,
            401,
            "token_revoked",
        );
    }
    // One that was begun in another browser goes on.
    let (browser, other) = (
        Browser::of(&app, EMAIL).await,
        Browser::of(&app, EMAIL).await,
    );
    let own = Tokens::of(&browser.send("/flow/session", &[]).await);
    let others = Tokens::of(&other.send("/flow/session", &[]).await);
    assert_eq!(browser.send("/ui/log-out", &[]).await.status, 303);
    assert_eq!(app.refresh(&own.refresh).await.status, 401);
    assert_eq!(app.refresh(&others.refresh).await.status, 200);
    // Of two demonstrations that end by themselves, neither ends the other.
    let browser = Browser::of(&app, EMAIL).await;
    let one = Tokens::of(&browser.send("/flow/session", &[]).await);
    let two = Tokens::of(&browser.send("/flow/session", &[]).await);
    let body = json!({"refresh_token": one.refresh});
    assert_eq!(app.post("/logout", &body).await.status, 200);
    assert_eq!(app.refresh(&one.refresh).await.status, 401);
    for tokens in [&two, &stranger] {
        assert_eq!(app.refresh(&tokens.refresh).await.status, 200);
    }
    browser.get("/account").await.is_page(200);
}

#[tokio::test]
async fn a_demonstration_ends_with_a_session_whose_token_was_used_twice() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let demo = Tokens::of(&browser.send("/flow/session", &[]).await);
    let stolen = browser.cookie("rt").unwrap();
    let mut newest = stolen.clone();
    for _ in 0..3 {
        app.wait(15);
        newest = Tokens::of(&app.refresh(&newest).await).refresh;
    }
    for over in [&stolen, &newest, &demo.refresh] {
        assert_eq!(app.refresh(over).await.status, 401);
    }
}

/// Whichever comes first: it never begins, or it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demonstration_that_crosses_a_log_out_does_not_outlive_it() {
    let app = std::sync::Arc::new(TestApp::new().await);
    app.sign_up(EMAIL).await;
    for _ in 0..10 {
        app.wait(8 * MINUTE);
        let own = app.log_in(EMAIL).await;
        let beginning: Vec<_> = (0..4)
            .map(|_| {
                let request = Request::post("/flow/session")
                    .header("cookie", format!("at={}", own.access))
                    .header("sec-fetch-site", "same-origin")
                    .body(Body::empty())
                    .unwrap();
                let app = std::sync::Arc::clone(&app);
                tokio::spawn(async move { app.send(request).await })
            })
            .collect();
        let over = app
            .send_as(Method::POST, "/logout", &own.access, &json!({}))
            .await;
        assert_eq!(over.status, 200);
        for answer in beginning {
            let answer = answer.await.unwrap();
            if answer.status != 200 {
                is_code(&answer, 401, "log_in_needed");
                continue;
            }
            let demo = Tokens::of(&answer);
            // Who came after the log-out is a stranger.
            if claims(&demo.access)["sub"] == claims(&own.access)["sub"] {
                assert_eq!(app.refresh(&demo.refresh).await.status, 401);
            }
        }
    }
}

/// Also where a browser sends its own cookies along, which the page tells it not to.
#[tokio::test]
async fn the_end_of_a_demonstration_never_ends_the_session_of_whoever_began_it() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let browser = Browser::of(&app, EMAIL).await;
    let tabs = [
        Tokens::of(&browser.send("/flow/session", &[]).await),
        Tokens::of(&browser.send("/flow/session", &[]).await),
    ];
    let log_out = |cookies: String| {
        let mut request = crate::app::post("/logout", &json!({"refresh_token": tabs[0].refresh}));
        let headers = request.headers_mut();
        headers.insert("cookie", cookies.parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        app.send(request)
    };
    let own = |name| format!("{name}={}", browser.cookie(name).unwrap());
    let both = log_out(format!("{}; {}", own("at"), own("rt"))).await;
    both.is_problem(400, "invalid_request", "Invalid request");
    assert!(both.cookies().is_empty(), "{both:?}");
    assert_eq!(app.refresh(&tabs[0].refresh).await.status, 200);
    let done = log_out(own("at")).await;
    assert_eq!(done.status, 200);
    assert!(done.cookies().is_empty(), "not of what has ended: {done:?}");
    assert_eq!(app.refresh(&tabs[0].refresh).await.status, 401);
    assert_eq!(app.refresh(&tabs[1].refresh).await.status, 200);
    browser.get("/account").await.is_page(200);
}

#[tokio::test]
async fn rejects_a_demonstration_that_another_site_begins() {
    let app = TestApp::new().await;
    let request = Request::post("/flow/session").header("sec-fetch-site", "cross-site");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}
