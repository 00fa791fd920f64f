//! One event per refusal, and never the token in it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get as route;
use countersign_http::{Claims, CookieSource, Origins, Rejection, require_role};
use serde_json::Value;
use tracing::instrument::WithSubscriber;

use crate::harness::{
    ISSUER, KEY, access_token, app, bearer, claims, expired_token, get, good_token, protect, send,
    signed, tampered_token,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged, down to TRACE, while `request` is answered.
async fn logged(app: &Router, request: http::request::Builder) -> Vec<Value> {
    logged_at(tracing::Level::TRACE, app, request).await
}

async fn logged_at(
    level: tracing::Level,
    app: &Router,
    request: http::request::Builder,
) -> Vec<Value> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    send(app, request).with_subscriber(subscriber).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &Value| {
            event["target"]
                .as_str()
                .unwrap()
                .starts_with("countersign_http")
        })
        .collect()
}

#[tokio::test]
async fn every_refusal_leaves_one_event_with_its_cause_and_no_token() {
    let cookie = CookieSource::named("at", Origins::new("https://shop.example").unwrap());
    let app = app(protect().cookie(cookie).build().unwrap());
    let kid = KEY.key_id().unwrap();
    let post = get()
        .method("POST")
        .header("cookie", format!("at={}", good_token()));
    let both = bearer(&good_token()).header("cookie", format!("at={}", good_token()));
    for (request, code, logged_kid) in [
        (get(), "no_credential", None),
        (bearer("x.y.z"), "malformed", None),
        (bearer(&tampered_token()), "signature_invalid", Some(kid)),
        (bearer(&expired_token()), "token_expired", Some(kid)),
        (
            bearer(&signed(&KEY, "JWT", &claims())),
            "type_mismatch",
            Some(kid),
        ),
        (
            get().header("authorization", "Bearer"),
            "header_malformed",
            None,
        ),
        (both, "two_credentials", None),
        (post, "cross_site", None),
    ] {
        let events = logged(&app, request).await;
        assert_eq!(events.len(), 1, "{code} {events:?}");
        let (event, text) = (&events[0], events[0].to_string());
        assert!(
            event["fields"]["code"].as_str().unwrap().starts_with(code),
            "{code} {event}"
        );
        assert_eq!(event["fields"]["kid"].as_str(), logged_kid, "{event}");
        let issuer = logged_kid.map(|_| ISSUER);
        assert_eq!(event["fields"]["issuer"].as_str(), issuer, "{event}");
        assert_eq!(event["level"], "INFO");
        assert!(!text.contains("eyJ") && !text.contains("ada"), "{event}");
    }
}

#[tokio::test]
async fn explain_stands_in_the_event_where_somebody_listens_and_never_in_an_answer() {
    let app = app(protect().build().unwrap());
    let answer = send(&app, bearer(&expired_token())).await;
    assert!(!answer.body.contains("exp ") && !answer.body.contains("RFC 7519"));
    for (level, expected) in [(tracing::Level::DEBUG, true), (tracing::Level::INFO, false)] {
        let events = logged_at(level, &app, bearer(&expired_token())).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let explain = events[0]["fields"]["explain"].as_str();
        let explains =
            explain.is_some_and(|text| text.contains("RFC 7519") && !text.contains("ada"));
        assert_eq!(explains, expected, "{explain:?}");
    }
}

#[tokio::test]
async fn a_request_that_passes_leaves_no_event() {
    let app = app(protect().build().unwrap());
    assert_eq!(
        logged(&app, bearer(&good_token())).await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_kid_in_the_log_is_bounded_and_escaped() {
    let app = app(protect().build().unwrap());
    let hostile = KEY
        .clone()
        .with_key_id(format!("x\u{1b}[31m\n{}", "k".repeat(200)));
    let events = logged(&app, bearer(&signed(&hostile, "at+jwt", &claims()))).await;
    let kid = events[0]["fields"]["kid"].as_str().unwrap();
    assert!(
        kid.starts_with("x\\u{1b}[31m\\nk") && kid.len() < 80,
        "{kid}"
    );
}

#[tokio::test]
async fn refusals_of_guards_extractors_and_checks_are_logged_once_too() {
    async fn number(_: Claims<Vec<u8>>) {}
    let guarded = Router::new()
        .route("/", route(|| async {}).route_layer(require_role("admin")))
        .route("/number", route(number))
        .layer(protect().build().unwrap());
    let checked = app(protect()
        .check(|_| async { Err(Rejection::invalid_token("device_unknown")) })
        .build()
        .unwrap());
    let requests = [
        (&guarded, bearer(&good_token()), "insufficient_role"),
        (
            &guarded,
            bearer(&good_token()).uri("/number"),
            "claims_shape",
        ),
        (&checked, bearer(&good_token()), "device_unknown"),
    ];
    for (app, request, code) in requests {
        let events = logged(app, request).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["fields"]["code"], code);
    }
}

#[tokio::test]
async fn claims_that_do_not_fit_are_logged_with_the_field_and_without_its_value() {
    #[derive(Debug, serde::Deserialize)]
    struct Customer {
        #[expect(dead_code, reason = "it is there to be missing")]
        tenant: u64,
    }
    async fn customer(_: Claims<Customer>) {}
    let app = Router::new()
        .route("/", route(customer))
        .layer(protect().build().unwrap());
    let with = |tenant: &str| access_token(&claims().claim("tenant", tenant).unwrap());
    for (token, reason) in [
        (good_token(), "missing field `tenant`"),
        (with("secret"), "expected u64"),
    ] {
        let events = logged(&app, bearer(&token)).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let fields = &events[0]["fields"];
        assert_eq!(fields["code"], "claims_shape");
        assert!(
            fields["reason"].as_str().unwrap().contains(reason),
            "{fields}"
        );
        assert!(!fields.to_string().contains("secret"), "{fields}");
        let answer = send(&app, bearer(&token)).await;
        assert!(!answer.body.contains("tenant"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_route_without_a_layer_is_one_error_line() {
    let app = Router::new().route("/", route(|_: Claims<Value>| async {}));
    let events = logged(&app, bearer(&good_token())).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["level"], "ERROR");
    assert!(
        events[0]["fields"]["message"]
            .as_str()
            .unwrap()
            .contains("no Protect layer"),
        "{}",
        events[0]
    );
}
