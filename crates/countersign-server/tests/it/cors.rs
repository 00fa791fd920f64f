use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::app::{Answer, EMAIL, PASSWORD, TestApp};

const LISTED: &str = "https://app.example";
const OTHERS: [&str; 8] = [
    "https://app.example.evil",
    "https://evil-app.example",
    "https://sub.app.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
    "null",
    "*",
];

async fn app() -> TestApp {
    TestApp::with(&[("CORS_ORIGIN", "https://app.example, https://admin.example")]).await
}

async fn ask(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn preflight(app: &TestApp, path: &str, origin: &str, method: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
    ];
    ask(app, Method::OPTIONS, path, &headers).await
}

#[tokio::test]
async fn a_page_of_an_origin_on_the_list_may_call_the_api_with_its_cookies() {
    let app = app().await;
    for (path, method) in [
        ("/login", "POST"),
        ("/refresh", "POST"),
        ("/profile", "GET"),
        ("/sessions/x", "DELETE"),
        ("/admin/v1/users/x", "PATCH"),
    ] {
        for origin in [LISTED, "https://admin.example"] {
            let answer = preflight(&app, path, origin, method).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert!(
                answer
                    .header("access-control-allow-methods")
                    .contains(method)
            );
            let allowed = answer.header("access-control-allow-headers");
            assert!(allowed.contains("authorization") && allowed.contains("content-type"));
        }
    }
    app.sign_up(EMAIL).await;
    let body = json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"});
    let mut request = crate::app::post("/login", &body);
    for (name, value) in [("origin", LISTED), ("sec-fetch-site", "cross-site")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = app.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (200, 2));
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    assert!(answer.header("vary").contains("origin"), "{answer:?}");
}

#[tokio::test]
async fn a_page_of_the_list_can_read_why_it_was_refused() {
    let app = app().await;
    let answer = ask(&app, Method::GET, "/profile", &[("origin", LISTED)]).await;
    answer.is_problem(401, "no_credential", "No token provided");
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("www-authenticate")
    );
}

#[tokio::test]
async fn no_other_page_may_read_an_answer_of_the_api_or_start_anything() {
    let app = app().await;
    for origin in OTHERS {
        for path in [
            "/login",
            "/profile",
            "/refresh",
            "/logout",
            "/sessions",
            "/admin/v1/users",
        ] {
            let answer = preflight(&app, path, origin, "POST").await;
            assert_eq!(
                answer.header("access-control-allow-origin"),
                "",
                "{origin} {path}"
            );
        }
        let answer = ask(&app, Method::GET, "/profile", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let headers = [("origin", origin), ("cookie", "rt=x")];
        let answer = ask(&app, Method::POST, "/refresh", &headers).await;
        answer.is_problem(403, "cross_site", "Cross-site request refused");
        let detail = answer.json()["detail"].clone();
        assert!(
            detail.as_str().unwrap().contains("--cors-origin"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn without_a_list_no_page_of_another_origin_may_read_the_api() {
    let app = TestApp::new().await;
    for origin in [LISTED, "null"] {
        let answer = ask(&app, Method::GET, "/profile", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
        let answer = preflight(&app, "/login", origin, "POST").await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn what_is_public_may_be_read_by_every_page_and_by_none_with_its_cookies() {
    for app in [TestApp::new().await, app().await] {
        for path in [
            "/.well-known/jwks.json",
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
            "/status-lists/0",
            "/assets/js/session.js",
        ] {
            let answer = ask(
                &app,
                Method::GET,
                path,
                &[("origin", "https://any.example")],
            )
            .await;
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }
}

#[tokio::test]
async fn pages_and_operations_are_for_no_other_origin() {
    let app = app().await;
    for path in ["/", "/setup", "/livez", "/readyz", "/version"] {
        let answer = ask(&app, Method::GET, path, &[("origin", LISTED)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
