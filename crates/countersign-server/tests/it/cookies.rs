use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::app::{Answer, EMAIL, MINUTE, PASSWORD, TestApp, claims, post};

/// What a browser keeps of `Set-Cookie`.
fn jar(answer: &Answer) -> String {
    let pairs = answer
        .cookies()
        .into_iter()
        .map(|line| line.split(';').next().unwrap().to_owned());
    pairs.collect::<Vec<_>>().join("; ")
}

async fn log_in(app: &TestApp) -> Answer {
    app.sign_up(EMAIL).await;
    app.post(
        "/login",
        &json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"}),
    )
    .await
}

fn with(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    headers
        .iter()
        .fold(builder, |builder, (name, value)| {
            builder.header(*name, *value)
        })
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn cookie_mode_leaves_the_tokens_out_of_the_body() {
    let app = TestApp::new().await;
    let answer = log_in(&app).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["expires_in", "message", "token_type"]
    );
    let lines = answer.cookies();
    assert!(
        lines[0].starts_with("at=") && lines[1].starts_with("rt=v1."),
        "{lines:?}"
    );
    for line in lines {
        assert!(
            line.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"),
            "{line}"
        );
        assert!(line.len() < 4096);
    }
}

#[tokio::test]
async fn under_https_cookies_are_prefixed_and_secure() {
    let app = TestApp::with(&[("PUBLIC_URL", "https://id.example")]).await;
    let answer = log_in(&app).await;
    let lines = answer.cookies();
    assert!(lines[0].starts_with("__Host-at=") && lines[1].starts_with("__Host-rt="));
    assert!(
        lines
            .iter()
            .all(|line| line.contains("; Secure;") && line.contains("HttpOnly"))
    );
    let profile = with(Method::GET, "/profile", &[("cookie", &jar(&answer))]);
    assert_eq!(app.send(profile).await.status, 200);
    // A sibling domain can plant a cookie without the prefix; it means nothing here.
    let planted = jar(&answer).replace("__Host-", "");
    let answer = app
        .send(with(Method::GET, "/profile", &[("cookie", &planted)]))
        .await;
    answer.is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn a_browser_reads_refreshes_and_logs_out_with_its_cookies() {
    let app = TestApp::new().await;
    let first = jar(&log_in(&app).await);
    assert_eq!(
        app.send(with(Method::GET, "/profile", &[("cookie", &first)]))
            .await
            .status,
        200
    );
    let own_page = [
        ("cookie", first.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let refreshed = app.send(with(Method::POST, "/refresh", &own_page)).await;
    assert_eq!(refreshed.status, 200);
    assert_eq!(
        refreshed
            .json()
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["expires_in", "message", "token_type"]
    );
    let second = jar(&refreshed);
    assert_ne!(first, second);
    let own_page = [
        ("cookie", second.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let out = app.send(with(Method::POST, "/logout", &own_page)).await;
    assert_eq!(out.status, 200);
    assert!(
        out.cookies()
            .iter()
            .all(|line| line.contains("=; ") && line.contains("Max-Age=0"))
    );
    let answer = app
        .send(with(Method::GET, "/profile", &[("cookie", &second)]))
        .await;
    answer.is_problem(401, "token_revoked", "Invalid token");
}

async fn log_out(app: &TestApp, cookies: &str, scope: &str) -> Answer {
    let mut request = post("/logout", &json!({"scope": scope}));
    for (name, value) in [("cookie", cookies), ("sec-fetch-site", "same-origin")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    app.send(request).await
}

#[tokio::test]
async fn a_browser_that_logs_the_others_out_stays_logged_in() {
    let app = TestApp::new().await;
    let own = jar(&log_in(&app).await);
    let other = app.log_in(EMAIL).await;
    let answer = log_out(&app, &own, "others").await;
    assert_eq!(answer.status, 200);
    assert!(answer.cookies().is_empty(), "{answer:?}");
    let profile = with(Method::GET, "/profile", &[("cookie", &own)]);
    assert_eq!(app.send(profile).await.status, 200);
    assert_eq!(app.refresh(&other.refresh).await.status, 401);
}

#[tokio::test]
async fn a_browser_whose_access_cookie_is_over_keeps_its_refresh_cookie_and_ends_all_with_the_next()
{
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    let other = app.log_in(EMAIL).await;
    app.wait(20 * MINUTE);
    let refresh_alone = cookies.split_once("; ").unwrap().1.to_owned();
    for (cookies, code, message) in [
        (&cookies, "token_expired", "jwt expired"),
        (&refresh_alone, "no_credential", "No token provided"),
    ] {
        for scope in ["others", "global"] {
            let answer = log_out(&app, cookies, scope).await;
            answer.is_problem(401, code, message);
            assert!(answer.cookies().is_empty(), "{answer:?}");
        }
    }
    let own_page = [("cookie", &*cookies), ("sec-fetch-site", "same-origin")];
    let next = jar(&app.send(with(Method::POST, "/refresh", &own_page)).await);
    let answer = log_out(&app, &next, "global").await;
    assert_eq!((answer.status.as_u16(), &*jar(&answer)), (200, "at=; rt="));
    assert_eq!(app.refresh(&other.refresh).await.status, 401);
}

#[tokio::test]
async fn whoever_ends_their_own_session_has_its_cookies_taken_away_and_by_a_header_none() {
    let app = TestApp::new().await;
    let answer = log_in(&app).await;
    let (own, other) = (jar(&answer), app.log_in(EMAIL).await);
    let third = app.log_in(EMAIL).await;
    let sid = |access: &str| claims(access)["sid"].as_str().unwrap().to_owned();
    let access = own.split(['=', ';']).nth(1).unwrap();
    let end = async |name, value: &str, sid: String| {
        let headers = [(name, value), ("sec-fetch-site", "same-origin")];
        let path = format!("/sessions/{sid}");
        let answer = app.send(with(Method::DELETE, &path, &headers)).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        jar(&answer)
    };
    assert_eq!(end("cookie", &own, sid(&third.access)).await, "");
    let bearer = format!("Bearer {}", other.access);
    assert_eq!(end("authorization", &bearer, sid(&other.access)).await, "");
    assert_eq!(end("cookie", &own, sid(access)).await, "at=; rt=");
}

#[tokio::test]
async fn a_dead_session_takes_its_cookies_away() {
    let app = TestApp::new().await;
    let answer = app
        .send(with(
            Method::POST,
            "/refresh",
            &[("cookie", "rt=garbage"), ("sec-fetch-site", "same-origin")],
        ))
        .await;
    answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
    assert_eq!(jar(&answer), "at=; rt=");
}

#[tokio::test]
async fn a_refresh_that_came_with_no_refresh_cookie_takes_none_away() {
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    let access_alone = cookies.split_once("; ").unwrap().0;
    for headers in [vec![], vec![("cookie", access_alone)]] {
        let headers = [headers, vec![("sec-fetch-site", "same-origin")]].concat();
        let answer = app.send(with(Method::POST, "/refresh", &headers)).await;
        answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn rejects_two_cookies_of_one_name() {
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    let planted = format!("{cookies}; rt=planted; at=planted");
    for (method, path) in [
        (Method::GET, "/profile"),
        (Method::POST, "/refresh"),
        (Method::POST, "/logout"),
    ] {
        let request = with(
            method,
            path,
            &[("cookie", &planted), ("sec-fetch-site", "same-origin")],
        );
        app.send(request)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
}

#[tokio::test]
async fn rejects_what_another_site_may_have_started() {
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    let cookies = ("cookie", cookies.as_str());
    let own = ("origin", "http://127.0.0.1:8080");
    let other = ("origin", "https://evil.example");
    let refused: [&[(&str, &str)]; 8] = [
        &[cookies],
        &[cookies, other],
        &[cookies, ("origin", "null")],
        &[cookies, ("sec-fetch-site", "cross-site")],
        &[cookies, ("sec-fetch-site", "same-site"), other],
        &[cookies, ("origin", "http://127.0.0.1:8081")],
        &[other],
        &[("sec-fetch-site", "cross-site")],
    ];
    for path in ["/login", "/refresh", "/logout", "/signup", "/setup"] {
        for headers in refused {
            let answer = app.send(with(Method::POST, path, headers)).await;
            answer.is_problem(403, "cross_site", "Cross-site request refused");
        }
    }
    // What a form posts is answered with a page.
    for headers in refused {
        let answer = app.send(with(Method::POST, "/ui/setup", headers)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (403, "text/html; charset=utf-8")
        );
    }
    let accepted: [&[(&str, &str)]; 3] = [
        &[cookies, own],
        &[cookies, ("sec-fetch-site", "none")],
        &[cookies, ("sec-fetch-site", "cross-site"), own],
    ];
    for headers in accepted {
        assert_ne!(
            app.send(with(Method::POST, "/login", headers)).await.status,
            403,
            "{headers:?}"
        );
    }
    // A program that has no cookies is no browser.
    assert_ne!(app.post("/login", &json!({})).await.status, 403);
}

#[tokio::test]
async fn a_form_of_another_site_cannot_speak_json() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let mut request = post("/login", &json!({"email": EMAIL, "password": PASSWORD}));
        request
            .headers_mut()
            .insert("content-type", content_type.parse().unwrap());
        app.send(request)
            .await
            .is_problem(415, "unsupported_media_type", "Unsupported media type");
    }
}

fn signed_in_as(answer: &Answer) -> bool {
    answer
        .body
        .contains(&format!("You are signed in as {EMAIL}."))
}

#[tokio::test]
async fn a_page_moves_a_session_on_whose_access_token_is_over_and_works_without_javascript() {
    let app = TestApp::new().await;
    let first = jar(&log_in(&app).await);
    let page = async |cookies: &str| {
        app.send(with(Method::GET, "/", &[("cookie", cookies)]))
            .await
    };
    let fresh = page(&first).await;
    assert!(signed_in_as(&fresh) && fresh.cookies().is_empty());
    app.wait(11 * MINUTE);
    // Two windows at once get the same refresh token, and nobody is logged out.
    let (one, other) = (page(&first).await, page(&first).await);
    let refresh = |answer: &Answer| jar(answer).split_once("; ").unwrap().1.to_owned();
    assert!(signed_in_as(&one) && signed_in_as(&other));
    assert_eq!(refresh(&one), refresh(&other));
    assert_ne!(refresh(&one), first.split_once("; ").unwrap().1);
    assert_eq!(one.header("cache-control"), "no-store");
    let again = page(&jar(&one)).await;
    assert!(signed_in_as(&again) && again.cookies().is_empty());
    // A browser drops a cookie whose time is over: the refresh token alone will do.
    assert!(signed_in_as(&page(&refresh(&one)).await));
}

#[tokio::test]
async fn a_page_takes_the_cookies_of_a_dead_session_away() {
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    let own = [
        ("cookie", cookies.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    app.send(with(Method::POST, "/logout", &own)).await;
    for cookies in [cookies.as_str(), "rt=garbage"] {
        let answer = app
            .send(with(Method::GET, "/", &[("cookie", cookies)]))
            .await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("signed in as"));
        assert_eq!(jar(&answer), "at=; rt=");
    }
}

#[tokio::test]
async fn cookies_that_a_neighbour_planted_sign_nobody_in_on_a_page() {
    let app = TestApp::new().await;
    let cookies = jar(&log_in(&app).await);
    for planted in [
        format!("{cookies}; rt=planted; at=planted"),
        format!("at=planted; {cookies}; rt=planted"),
        "at=planted".to_owned(),
    ] {
        let answer = app
            .send(with(Method::GET, "/", &[("cookie", &planted)]))
            .await;
        assert!(answer.status == 200 && !answer.body.contains("signed in as"));
        assert!(answer.cookies().is_empty());
    }
}

#[tokio::test]
async fn a_cookie_over_4_kb_is_never_minted() {
    let app = TestApp::new().await;
    log_in(&app).await;
    let roles: Vec<String> = (0..64).map(|i| format!("{i:0>64}")).collect();
    let text = serde_json::Value::from(roles.clone()).to_string();
    app.tamper("UPDATE users SET roles = $1", &text).await;
    for mode in ["cookie", "token"] {
        let body = json!({"email": EMAIL, "password": PASSWORD, "session": mode});
        let answer = app.post("/login", &body).await;
        answer.is_problem(503, "not_ready", "Not ready");
        assert!(answer.cookies().is_empty());
    }
    // No account gets there.
    let set = countersign_server::offline::set_roles(&app.settings(), EMAIL, &roles).await;
    assert_eq!(set.unwrap_err().code(), "argument_invalid");
    let most: Vec<String> = (0..23).map(|i| format!("{i:0>64}")).collect();
    let set = countersign_server::offline::set_roles(&app.settings(), EMAIL, &most).await;
    assert!(set.is_ok());
    let body = json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"});
    let answer = app.post("/login", &body).await;
    assert!(answer.cookies().iter().all(|line| line.len() < 4096));
    assert_eq!(answer.cookies().len(), 2);
}
