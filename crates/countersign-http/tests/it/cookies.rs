//! The cookie as the token's place, and the cross-site rule that comes with it.

use countersign_http::{CookieSource, Origins, cookie_value};
use http::header::COOKIE;
use http::{HeaderMap, Method, Request};

use crate::harness::{
    INVALID, app, bearer, expired_token, get, good_token, protect, send, tampered_token,
};

fn cookie_app() -> axum::Router {
    let origins = Origins::new("https://shop.example/")
        .unwrap()
        .and("https://admin.example")
        .unwrap();
    app(protect()
        .cookie(CookieSource::named("__Host-at", origins))
        .build()
        .unwrap())
}

fn at(token: &str) -> String {
    format!("theme=dark; __Host-at={token}")
}

#[tokio::test]
async fn accepts_a_good_token_in_the_cookie() {
    send(&cookie_app(), get().header(COOKIE, at(&good_token())))
        .await
        .is_ok("in");
}

#[tokio::test]
async fn the_header_still_works_beside_other_cookies() {
    send(
        &cookie_app(),
        bearer(&good_token()).header(COOKIE, "theme=dark"),
    )
    .await
    .is_ok("in");
}

#[tokio::test]
async fn rejects_a_bad_token_in_the_cookie() {
    let app = cookie_app();
    let answer = send(&app, get().header(COOKIE, at(&tampered_token()))).await;
    answer
        .is_problem(401, "invalid_token", "Invalid token")
        .challenges(INVALID);
    let answer = send(&app, get().header(COOKIE, at("\"quoted\" junk"))).await;
    answer.is_problem(401, "invalid_token", "Invalid token");
    let answer = send(&app, get().header(COOKIE, at(&expired_token()))).await;
    answer.is_problem(401, "token_expired", "jwt expired");
}

#[tokio::test]
async fn a_cookie_of_another_name_or_without_a_value_is_no_credential() {
    let app = cookie_app();
    for cookie in [
        format!("at={}", good_token()),
        format!("__host-at={}", good_token()),
        at(""),
    ] {
        let answer = send(&app, get().header(COOKIE, cookie)).await;
        answer.is_problem(401, "no_credential", "No token provided");
    }
}

#[tokio::test]
async fn rejects_a_header_and_a_cookie_at_once() {
    let answer = send(
        &cookie_app(),
        bearer(&good_token()).header(COOKIE, at(&good_token())),
    )
    .await;
    answer.is_problem(400, "invalid_request", "Invalid request").challenges(
        "Bearer realm=\"orders\", error=\"invalid_request\", error_description=\"send the token in one place only\"",
    );
}

#[tokio::test]
async fn rejects_a_token_of_another_scheme_beside_a_cookie_and_takes_a_password_for_none() {
    let answer = async |authorization: &str| {
        let request = get()
            .header("cookie", at(&good_token()))
            .header("authorization", authorization);
        send(&cookie_app(), request).await
    };
    for token in ["DPoP a.b.c", "dpop a.b.c"] {
        let refused = answer(token).await;
        refused.is_problem(400, "invalid_request", "Invalid request");
    }
    assert_eq!(answer("Basic YWRhOmFkYQ==").await.status, 200);
}

#[tokio::test]
async fn rejects_a_token_in_the_query_beside_one_in_the_cookie() {
    let request = get()
        .uri("/?access_token=x")
        .header(COOKIE, at(&good_token()));
    let answer = send(&cookie_app(), request).await;
    answer.is_problem(400, "invalid_request", "Invalid request");
}

#[tokio::test]
async fn rejects_two_cookies_of_the_one_name() {
    let app = cookie_app();
    let twice = format!("{}; {}", at(&good_token()), at(&good_token()));
    let apart = get()
        .header(COOKIE, at(&good_token()))
        .header(COOKIE, at(&good_token()));
    for request in [get().header(COOKIE, twice), apart] {
        send(&app, request)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
}

/// `Sec-Fetch-Site`, `Origin`, and whether a request that changes something passes.
const MATRIX: [(Option<&str>, Option<&str>, bool); 16] = [
    (Some("same-origin"), None, true),
    (Some("none"), None, true),
    (Some("same-origin"), Some("https://shop.example"), true),
    (Some("same-site"), None, false),
    (Some("cross-site"), None, false),
    (Some("SAME-ORIGIN"), None, false),
    (Some(""), None, false),
    (Some("cross-site"), Some("https://evil.example"), false),
    (Some("cross-site"), Some("https://admin.example"), true),
    (Some("same-site"), Some("https://shop.example"), true),
    (None, Some("https://shop.example"), true),
    (None, Some("https://admin.example"), true),
    (None, Some("https://shop.example.evil.example"), false),
    (None, Some("http://shop.example"), false),
    (None, Some("null"), false),
    (None, None, false),
];

fn with(
    mut request: http::request::Builder,
    site: Option<&str>,
    origin: Option<&str>,
) -> http::request::Builder {
    for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request
}

#[tokio::test]
async fn a_cookie_changes_something_only_from_the_sites_own_pages() {
    let app = cookie_app();
    for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
        for (site, origin, passes) in MATRIX {
            let request = Request::builder()
                .method(method)
                .uri("/")
                .header(COOKIE, at(&good_token()));
            let answer = send(&app, with(request, site, origin)).await;
            println!("{method} {site:?} {origin:?}");
            if passes {
                // axum's `any` knows no PURGE by name, and answers it all the same.
                answer.is_ok("in");
            } else {
                answer.is_problem(403, "cross_site", "Cross-site request refused");
                assert_eq!(answer.challenge(), None);
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_reads_from_anywhere() {
    let app = cookie_app();
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        for (site, origin, _) in MATRIX {
            let request = Request::builder()
                .method(method)
                .uri("/")
                .header(COOKIE, at(&good_token()));
            assert_eq!(
                send(&app, with(request, site, origin)).await.status,
                200,
                "{method} {site:?} {origin:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_cookie_opens_a_websocket_only_from_the_sites_own_pages() {
    let app = cookie_app();
    let open = |protocol| {
        get()
            .header(COOKIE, at(&good_token()))
            .header("upgrade", protocol)
    };
    for protocol in ["websocket", "WebSocket", "h2c, websocket"] {
        let foreign = send(
            &app,
            open(protocol).header("origin", "https://evil.example"),
        )
        .await;
        foreign.is_problem(403, "cross_site", "Cross-site request refused");
        send(
            &app,
            open(protocol).header("origin", "https://shop.example"),
        )
        .await
        .is_ok("in");
    }
    send(&app, open("h2c")).await.is_ok("in");
}

#[tokio::test]
async fn a_bearer_header_needs_no_origin() {
    let app = cookie_app();
    let post = || bearer(&good_token()).method("POST");
    send(&app, post()).await.is_ok("in");
    send(&app, post().header("origin", "https://anywhere.example"))
        .await
        .is_ok("in");
}

#[test]
fn the_rule_alone_lets_programs_without_cookies_pass() {
    let origins = Origins::new("https://shop.example").unwrap();
    let mut headers = HeaderMap::new();
    assert!(origins.check(&Method::POST, &headers).is_ok());
    headers.insert(COOKIE, "theme=dark".parse().unwrap());
    assert_eq!(
        origins.check(&Method::POST, &headers).unwrap_err().code(),
        "cross_site"
    );
    headers.remove(COOKIE);
    headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert!(origins.check(&Method::POST, &headers).is_err());
}

#[test]
fn the_rule_refuses_a_header_that_is_sent_twice() {
    let origins = Origins::new("https://shop.example").unwrap();
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://shop.example"),
    ] {
        let mut headers = HeaderMap::new();
        headers.append(name, value.parse().unwrap());
        assert!(origins.check(&Method::POST, &headers).is_ok(), "{name}");
        headers.append(name, value.parse().unwrap());
        assert!(origins.check(&Method::POST, &headers).is_err(), "{name}");
    }
}

#[test]
fn a_cookies_value_is_found_by_its_name() {
    let mut headers = HeaderMap::new();
    assert_eq!(cookie_value(&headers, "rt").unwrap(), None);
    headers.append(COOKIE, "at=x; rt=v1.abc".parse().unwrap());
    assert_eq!(cookie_value(&headers, "rt").unwrap(), Some("v1.abc"));
    headers.append(COOKIE, "rt=v1.def".parse().unwrap());
    assert_eq!(
        cookie_value(&headers, "rt").unwrap_err().code(),
        "invalid_request"
    );
}
