use crate::app::{ISSUER, TestApp};

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

#[tokio::test]
async fn pages_run_no_script_and_load_from_nowhere_else() {
    let app = TestApp::new().await;
    for path in ["/", "/setup"] {
        let answer = app.get(path).await;
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(
            (
                answer.header("referrer-policy"),
                answer.header("x-content-type-options")
            ),
            ("no-referrer", "nosniff")
        );
        for forbidden in ["<script", "style=\"", " on", "https://"] {
            let in_tags = answer
                .body
                .split('<')
                .filter_map(|part| part.split('>').next());
            assert!(
                !in_tags
                    .map(|tag| format!("<{tag}"))
                    .any(|tag| tag.contains(forbidden) && tag.contains('=')),
                "{path} {forbidden}"
            );
        }
    }
}

#[tokio::test]
async fn the_style_is_served_from_here() {
    let app = TestApp::new().await;
    let answer = app.get("/assets/style.css").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert!(!answer.body.contains("url("));
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
