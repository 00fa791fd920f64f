//! The Authorization header: exactly one credential.

use countersign_http::{CookieSource, Issuer, Origins, unverified_bearer};
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Builder;

use crate::harness::{AUDIENCE, KEY, app, bearer, expired_token, get, good_token, protect, send};

fn invalid_request(detail: &str) -> String {
    format!("Bearer realm=\"orders\", error=\"invalid_request\", error_description=\"{detail}\"")
}

#[tokio::test]
async fn accepts_the_scheme_in_any_case() {
    let app = app(protect().build().unwrap());
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = get().header(AUTHORIZATION, format!("{scheme} {}", good_token()));
        send(&app, request).await.is_ok("in");
    }
}

#[tokio::test]
async fn another_scheme_is_no_credential() {
    let app = app(protect().build().unwrap());
    for value in [
        "Basic YWRhOmFkYQ==".to_owned(),
        format!("DPoP {}", good_token()),
        good_token(),
    ] {
        let answer = send(&app, get().header(AUTHORIZATION, value)).await;
        answer
            .is_problem(401, "no_credential", "No token provided")
            .challenges("Bearer realm=\"orders\"");
    }
}

#[tokio::test]
async fn rejects_a_bearer_header_without_exactly_one_token() {
    let app = app(protect().build().unwrap());
    let token = good_token();
    for value in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},"),
    ] {
        let answer = send(&app, get().header(AUTHORIZATION, value)).await;
        let challenge =
            invalid_request("send the Authorization header as: Bearer, a space, one token");
        answer
            .is_problem(400, "invalid_request", "Invalid request")
            .challenges(&challenge);
    }
}

#[tokio::test]
async fn rejects_bytes_that_are_no_text_where_tokens_are_remembered_and_where_not() {
    let other = Issuer::with_keys("https://other.example", KEY.verifying_key()).audience(AUDIENCE);
    for auth in [
        protect(),
        protect().cache(100),
        protect().cache(100).and(other),
    ] {
        let app = app(auth.build().unwrap());
        for _ in 0..2 {
            send(&app, bearer(&good_token())).await.is_ok("in");
            let spoilt = [b"Bearer ", good_token().as_bytes(), b"\xff"].concat();
            let spoilt = HeaderValue::from_bytes(&spoilt).unwrap();
            let answer = send(&app, get().header(AUTHORIZATION, spoilt)).await;
            answer.is_problem(400, "invalid_request", "Invalid request");
        }
    }
}

#[tokio::test]
async fn rejects_two_authorization_headers_even_when_both_are_the_same() {
    let app = app(protect().build().unwrap());
    let token = good_token();
    for second in [format!("Bearer {token}"), "Basic YWRhOmFkYQ==".to_owned()] {
        let answer = send(&app, bearer(&token).header(AUTHORIZATION, second)).await;
        let challenge = invalid_request("send the Authorization header once");
        answer
            .is_problem(400, "invalid_request", "Invalid request")
            .challenges(&challenge);
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_none_alone_and_one_too_many_beside_another() {
    let app = app(protect().build().unwrap());
    let uri = format!("/?access_token={}", good_token());
    let answer = send(&app, http::Request::get(&uri)).await;
    answer.is_problem(401, "no_credential", "No token provided");
    for uri in [uri.as_str(), "/?x=1&access%5Ftoken=x"] {
        let answer = send(&app, bearer(&good_token()).uri(uri)).await;
        answer.is_problem(400, "invalid_request", "Invalid request");
    }
}

#[tokio::test]
async fn a_cookie_is_not_read_unless_it_is_named() {
    let app = app(protect().build().unwrap());
    let cookie = format!("at={}", good_token());
    let answer = send(&app, get().header("cookie", &cookie)).await;
    answer.is_problem(401, "no_credential", "No token provided");
    send(&app, bearer(&good_token()).header("cookie", cookie))
        .await
        .is_ok("in");
}

#[test]
fn a_handler_of_its_own_reads_the_token_by_the_same_rule() {
    let origins = Origins::new("https://shop.example").unwrap();
    let cookie = CookieSource::named("at", origins);
    let read = |request: Builder| {
        let parts = request.body(()).unwrap().into_parts().0;
        let token = unverified_bearer(&parts, Some(&cookie));
        token
            .map(|token| token.map(str::to_owned))
            .map_err(|rejection| rejection.code())
    };
    let post = || get().method("POST");
    assert_eq!(read(post()), Ok(None));
    assert_eq!(read(bearer("a.b.c")), Ok(Some("a.b.c".to_owned())));
    assert_eq!(
        read(get().header("cookie", "at=a.b.c")),
        Ok(Some("a.b.c".to_owned()))
    );
    assert_eq!(read(post().header("cookie", "at=a.b.c")), Err("cross_site"));
    assert_eq!(
        read(bearer("a.b.c").header("cookie", "at=a.b.c")),
        Err("invalid_request")
    );
}

/// Tokens in a header of another name, or in the query.
fn with_own_sources() -> axum::Router {
    let auth = protect()
        .source(|head| head.headers.get("x-access-token")?.to_str().ok())
        .source(|head| {
            let pairs = head.uri.query()?.split('&');
            pairs
                .filter_map(|pair| pair.strip_prefix("access_token="))
                .next()
        });
    app(auth.build().unwrap())
}

#[tokio::test]
async fn accepts_a_token_from_a_source_of_the_services_own() {
    let app = with_own_sources();
    let token = good_token();
    send(&app, get().header("x-access-token", &token))
        .await
        .is_ok("in");
    send(&app, get().uri(format!("/?access_token={token}")))
        .await
        .is_ok("in");
    send(&app, bearer(&token)).await.is_ok("in");
    send(&app, bearer(&token).header("x-access-token", ""))
        .await
        .is_ok("in");
}

#[tokio::test]
async fn rejects_a_bad_token_from_a_source_of_the_services_own_and_none() {
    let app = with_own_sources();
    for bad in ["x", "Bearer a.b.c", &expired_token()] {
        assert_eq!(
            send(&app, get().header("x-access-token", bad)).await.status,
            401
        );
    }
    send(&app, get())
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn rejects_two_credentials_wherever_they_stand() {
    let app = with_own_sources();
    let token = good_token();
    let uri = format!("/?access_token={token}");
    for request in [
        bearer(&token).header("x-access-token", &token),
        bearer(&token).uri(&uri),
        get().uri(&uri).header("x-access-token", &token),
        bearer("x.y.z").header("x-access-token", &token),
    ] {
        let answer = send(&app, request).await;
        answer.is_problem(400, "invalid_request", "Invalid request");
    }
}
