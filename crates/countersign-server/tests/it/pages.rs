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
