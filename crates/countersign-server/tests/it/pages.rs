use axum::body::Body;
use http::Request;

use crate::app::{Answer, ISSUER, TestApp};

mod around;
mod operators;
mod people;

#[tokio::test]
async fn the_front_page_says_what_runs_here_and_how_to_try_it() {
    let app = TestApp::new().await;
    let answer = app.get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    for text in [
        ISSUER,
        "/.well-known/jwks.json",
        "curl -s http://127.0.0.1:8080/login",
        "ES256, one signing, one standby",
        "href=\"/setup\"",
    ] {
        assert!(answer.body.contains(text), "{text}");
    }
    app.administrator().await;
    assert!(!app.get("/").await.body.contains("href=\"/setup\""));
}

/// The tags of a page.
fn tags(html: &str) -> Vec<&str> {
    let parts = html.split('<').skip(1);
    parts.filter_map(|part| part.split('>').next()).collect()
}

#[tokio::test]
async fn pages_run_no_foreign_script_and_load_from_nowhere_else() {
    let app = TestApp::new().await;
    for path in ["/", "/setup", "/flow"] {
        let answer = app.get(path).await;
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        );
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        for tag in tags(&answer.body) {
            for forbidden in [" style=", " on", "://", "=//"] {
                assert!(!tag.contains(forbidden), "{path} {tag}");
            }
            assert!(
                !tag.starts_with("script") || tag.contains(" src=\"/assets/"),
                "{path} {tag}"
            );
        }
        assert!(!answer.body.contains("<style"), "{path}");
        let script = answer.body.split("<script").skip(1);
        for rest in script {
            assert!(rest.split_once('>').unwrap().1.starts_with("</script>"));
        }
    }
}

#[tokio::test]
async fn what_pages_are_made_of_is_served_from_here() {
    let app = TestApp::new().await;
    for (path, media_type) in [
        ("/assets/style.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
        ("/assets/js/theme.js", "text/javascript; charset=utf-8"),
        ("/assets/flow.css", "text/css; charset=utf-8"),
        ("/assets/js/flow/main.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, media_type)
        );
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(!answer.body.contains("url("));
        let known = Request::get(path).header("if-none-match", answer.header("etag"));
        let known = app.send(known.body(Body::empty()).unwrap()).await;
        assert_eq!((known.status.as_u16(), known.body.as_str()), (304, ""));
        let other = Request::get(path).header("if-none-match", "\"other\"");
        let other = app.send(other.body(Body::empty()).unwrap()).await;
        assert_eq!(other.status, 200);
    }
}

async fn choose(app: &TestApp, fields: &str) -> Answer {
    let request = Request::post("/ui/theme")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    app.send(request.body(Body::from(fields.to_owned())).unwrap())
        .await
}

#[tokio::test]
async fn the_light_of_pages_is_chosen_without_javascript() {
    let app = TestApp::new().await;
    assert!(!app.get("/").await.body.contains("data-theme"));
    let chosen = choose(&app, "theme=dark&next=%2Fsetup").await;
    assert_eq!(
        (chosen.status.as_u16(), chosen.header("location")),
        (303, "/setup")
    );
    assert_eq!(
        chosen.cookies(),
        ["theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"]
    );
    let dark = Request::get("/").header("cookie", "theme=dark");
    let dark = app.send(dark.body(Body::empty()).unwrap()).await.body;
    assert!(dark.contains("data-theme=\"dark\""), "{dark}");
    assert!(dark.contains("value=\"dark\" aria-pressed=\"true\""));
    let back = choose(&app, "theme=system&next=%2F").await;
    assert_eq!(
        back.cookies(),
        ["theme=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]
    );
}

#[tokio::test]
async fn rejects_a_light_that_is_none_and_a_way_to_elsewhere() {
    let app = TestApp::new().await;
    assert_eq!(choose(&app, "theme=%22%3E&next=%2F").await.status, 400);
    for next in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
    ] {
        let chosen = choose(&app, &format!("theme=dark&next={next}")).await;
        assert_eq!(chosen.header("location"), "/", "{next}");
    }
    let hostile = Request::get("/").header("cookie", "theme=\"><script>alert(1)</script>");
    let page = app.send(hostile.body(Body::empty()).unwrap()).await.body;
    assert!(!page.contains("data-theme") && !page.contains("alert"));
}

#[tokio::test]
async fn the_front_page_names_every_route() {
    let app = TestApp::new().await;
    let page = app.get("/").await.body;
    // Out of the router itself: whatever follows `route(`, on the same line or on the next.
    let router = include_str!("../../src/router.rs");
    let paths: Vec<_> = router
        .split(".route(")
        .skip(1)
        .map(|rest| rest.split('"').nth(1).unwrap())
        .collect();
    assert!(paths.len() >= 17, "{paths:?}");
    for path in paths {
        assert!(
            page.contains(&format!("{path}</code>")) || page.contains(&format!("{path}</a>")),
            "{path}"
        );
    }
    for text in [
        "\"session\":\"cookie\"",
        "TOKEN=$(",
        "REFRESH_TOKEN=$(",
        "?after=",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_shared_secret_is_not_called_a_public_key() {
    let settings = [
        ("SIGNING_ALG", "HS256"),
        ("SIGNING_SECRET", "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg"),
    ];
    let app = TestApp::with(&settings).await;
    let page = app.get("/").await.body;
    assert!(page.contains("HS256") && page.contains("It is not published"));
    assert!(page.contains("the same shared secret"));
    assert!(!page.contains("with the public keys above"));
    let page = TestApp::new().await.get("/").await.body;
    assert!(page.contains("with the public keys above") && !page.contains("shared secret"));
}

#[tokio::test]
async fn a_page_ends_with_a_newline() {
    let app = TestApp::new().await;
    for path in ["/", "/setup"] {
        assert!(app.get(path).await.body.ends_with("</html>\n"), "{path}");
    }
}

#[tokio::test]
async fn the_module_for_pages_stores_no_token() {
    let answer = TestApp::new().await.get("/assets/js/session.js").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
    let code: Vec<&str> = answer
        .body
        .lines()
        .filter(|line| !line.trim().starts_with("//"))
        .collect();
    let code = code.join("\n");
    for store in [
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "caches",
        "import ",
    ] {
        assert!(!code.contains(store), "{store}");
    }
}
