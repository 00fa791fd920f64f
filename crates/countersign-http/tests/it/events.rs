//! One event per refusal, and never the token in it.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use countersign::{ClaimsSet, JwkSet};
use countersign_http::testing::LocalIssuer;
use countersign_http::{
    Claims, CookieSource, Issuer, Origins, Protect, Rejection, SharedKeys, SingleUse, StatusLists,
    VerifiedToken, require_role,
};
use serde_json::Value;
use tracing::instrument::WithSubscriber;

use crate::harness::{
    AUDIENCE, ISSUER, KEY, NOW, access_token, app, bearer, claims, claims_of, expired_token, get,
    good_token, listens, protect, send, signed, tampered_token,
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

/// What is logged as text by everything that runs on the thread of a test, until the guard goes.
pub(crate) fn log_of_this_thread() -> (impl Fn() -> String, tracing::subscriber::DefaultGuard) {
    listens();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let text = move || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text, guard)
}

/// Everything that is logged, down to TRACE, while `request` is answered.
pub(crate) async fn logged(app: &Router, request: http::request::Builder) -> Vec<Value> {
    logged_at(tracing::Level::TRACE, app, request).await
}

pub(crate) async fn logged_at(
    level: tracing::Level,
    app: &Router,
    request: http::request::Builder,
) -> Vec<Value> {
    listens();
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
async fn a_route_without_a_layer_is_one_error_line_that_says_where() {
    let app = Router::new()
        .route("/{*rest}", route(|_: Claims<Value>| async {}))
        .layer(require_role("admin"));
    let path = format!("/a%0Ab/{}", "x".repeat(500));
    let request = bearer(&good_token()).uri(format!("{path}?key=secret"));
    let events = logged(&app, request).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["level"], "ERROR");
    let fields = &events[0]["fields"];
    assert_eq!(fields["method"], "GET");
    let shown = fields["path"].as_str().unwrap();
    assert!(path.starts_with(shown) && shown.len() == 200, "{fields}");
    assert!(!fields.to_string().contains("secret"), "{fields}");
    let message = fields["message"].as_str().unwrap();
    for said in [
        "no Protect layer",
        "covers this route",
        "outside of the guard",
    ] {
        assert!(message.contains(said), "{message}");
    }
}

/// Each answers `unavailable`, and the log and the numbers say what it was.
#[tokio::test]
async fn what_cannot_be_had_just_now_has_a_code_for_each() {
    let nothing = JwkSet::new([]);
    let keys = Protect::with_keys(ISSUER, SharedKeys::new(nothing)).audience(AUDIENCE);
    let list = LocalIssuer::start().unwrap();
    let status = list
        .protect()
        .audience(AUDIENCE)
        .status_lists(StatusLists::new().read_by(|_| async { None }));
    let named = list.token(AUDIENCE).valid().unwrap();
    let wait = Duration::from_secs(1);
    let check = protect().check(move |_| async move { Err(Rejection::unavailable(wait)) });
    let full = protect().single_use(SingleUse::with_capacity(0));
    for (auth, token, code, said) in [
        (keys, &good_token(), "keys_unavailable", "keys"),
        (status, &named, "status_unavailable", "status list"),
        (
            check,
            &good_token(),
            "check_unavailable",
            "could not be checked",
        ),
        (full, &good_token(), "single_use_full", "single-use"),
    ] {
        let auth = auth.build().unwrap();
        let app = app(auth.clone());
        let answer = send(&app, bearer(token)).await;
        answer.is_problem(503, "unavailable", "Service unavailable");
        let events = logged(&app, bearer(token)).await;
        let refusals = events
            .iter()
            .filter(|event| event["fields"]["status"] == 503);
        let fields = refusals.map(|event| &event["fields"]).collect::<Vec<_>>();
        assert_eq!(fields.len(), 1, "{events:?}");
        assert_eq!(fields[0]["code"], code);
        assert!(fields[0]["message"].as_str().unwrap().contains(said));
        assert_eq!(auth.outcomes()[code], 2, "{:?}", auth.outcomes());
    }
}

#[tokio::test]
async fn the_claim_that_is_missing_and_the_issuer_that_nobody_knows_are_named() {
    let other = Issuer::with_keys("https://partner.example", KEY.verifying_key());
    let app = app(protect().and(other.audience(AUDIENCE)).build().unwrap());
    let nameless = ClaimsSet::new(ISSUER, AUDIENCE)
        .subject("ada")
        .expires_in(NOW, Duration::from_secs(60));
    let hostile = format!("https://evil.example/\u{1b}[31m\n{}", "x".repeat(1000));
    let foreign = claims_of(&hostile, AUDIENCE);
    for (claims, code, field, said) in [
        (nameless, "claim_missing", "claim", "client_id"),
        (
            foreign,
            "issuer_unknown",
            "iss",
            "https://evil.example/\\u{1b}[31m\\nxx",
        ),
    ] {
        let events = logged(&app, bearer(&access_token(&claims))).await;
        let fields = &events[0]["fields"];
        assert_eq!(fields["code"], code, "{fields}");
        let named = fields[field].as_str().unwrap();
        assert!(named.starts_with(said) && named.len() < 300, "{fields}");
        assert!(!fields.to_string().contains("ada"), "{fields}");
    }
}

/// Asked for by the token, or returned as it is: at once, and after a check.
#[tokio::test]
async fn what_a_handler_refuses_by_itself_is_counted_and_logged_once() {
    async fn asked(token: VerifiedToken) -> Rejection {
        token.refuse(Rejection::insufficient_role("owner"))
    }
    async fn twice(token: VerifiedToken) -> Rejection {
        token.refuse(token.refuse(Rejection::insufficient_role("owner")))
    }
    async fn bare() -> Rejection {
        Rejection::insufficient_role("owner")
    }
    let plain = protect().build().unwrap();
    let checked = protect().check(|_| async { Ok(()) }).build().unwrap();
    for auth in [plain, checked] {
        let app = Router::new()
            .route("/asked", route(asked))
            .route("/twice", route(twice))
            .route("/bare", route(bare))
            .layer(auth.clone());
        for (count, path) in (1..).zip(["/asked", "/twice", "/bare"]) {
            let events = logged(&app, bearer(&good_token()).uri(path)).await;
            assert_eq!(events.len(), 1, "{path} {events:?}");
            let fields = &events[0]["fields"];
            assert_eq!(fields["code"], "insufficient_role");
            assert_eq!(fields["issuer"], ISSUER);
            assert_eq!(fields["kid"].as_str(), KEY.key_id());
            assert_eq!(auth.outcomes()["insufficient_role"], 2 * count - 1);
            let answer = send(&app, bearer(&good_token()).uri(path)).await;
            answer.is_problem(403, "insufficient_role", "Insufficient role");
            let challenge = answer.challenge().unwrap();
            assert!(
                challenge.starts_with("Bearer realm=\"orders\""),
                "{challenge}"
            );
        }
    }
}

#[test]
fn a_guard_that_lets_nobody_in_says_what_it_was_given_and_where() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let _ = require_role(["admin", "op"]);
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let event: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["fields"]["found"], "[&str; 2]");
    let place = event["fields"]["at"].as_str().unwrap();
    assert!(place.contains("events.rs:"), "{place}");
}
