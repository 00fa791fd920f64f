//! What a developer is told who asks why, and the log.

use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use countersign::{JwkSet, Outcome, Report};
use countersign_http::testing::LocalIssuer;
use countersign_http::{
    Claims, Protect, Rejection, SharedKeys, SingleUse, StatusLists, VerifiedToken, require,
    require_role, require_scope,
};
use serde_json::json;

use crate::events::{logged, logged_at};
use crate::harness::{
    AUDIENCE, ISSUER, access_token, app, bearer, claims, expired_token, good_token, protect, send,
};

/// The step of this name: how it ended, and the code of what was wrong.
fn step(report: &Report, name: &str) -> Option<(Outcome, Option<&'static str>)> {
    let step = report.steps.iter().find(|step| step.name == name)?;
    Some((step.outcome, step.code))
}

#[tokio::test]
async fn a_report_says_what_the_status_list_says_and_that_it_is_not_held() {
    let issuer = LocalIssuer::start().unwrap();
    let auth = issuer.protect().audience(AUDIENCE).build().unwrap();
    let app = app(auth.clone());
    let token = issuer.token(AUDIENCE).valid().unwrap();
    // Keys come with the first request for anything; a list, with the first that names it.
    let plain = issuer.token("another").valid().unwrap();
    assert_eq!(send(&app, bearer(&plain)).await.status, 401);
    let report = auth.explain(&token);
    assert_eq!(step(&report, "status"), Some((Outcome::Skipped, None)));
    assert!(report.valid && report.to_string().contains("is not known here"));
    send(&app, bearer(&token)).await.is_ok("in");
    let report = auth.explain(&token);
    assert_eq!(step(&report, "status"), Some((Outcome::Passed, None)));
    assert!(report.valid);
    issuer.revoke(&token).unwrap();
    issuer.clock().advance(Duration::from_secs(10));
    assert_eq!(send(&app, bearer(&token)).await.status, 401);
    let report = auth.explain(&token);
    let revoked = Some((Outcome::Failed, Some("token_revoked")));
    assert_eq!(step(&report, "status"), revoked);
    assert!(!report.valid && report.to_string().ends_with("refused: token_revoked"));
    let events = logged(&app, bearer(&token)).await;
    let refused = events
        .iter()
        .find(|event| event["fields"]["code"] == "token_revoked");
    let explain = refused.unwrap()["fields"]["explain"].as_str().unwrap();
    assert!(explain.ends_with("refused: token_revoked"), "{explain}");
}

#[test]
fn a_report_says_what_the_layer_refuses_without_any_list() {
    let lists = || StatusLists::new().read_by(|_| async { None });
    let required = protect().status_lists(lists()).require_status();
    let looked = protect().status_lists(lists());
    let with_status = |status| access_token(&claims().claim("status", status).unwrap());
    let elsewhere = json!({"status_list": {"uri": "https://evil.example/1", "idx": 0}});
    for (auth, token, code) in [
        (required, good_token(), "status_missing"),
        (
            protect().status_lists(lists()),
            with_status(json!("active")),
            "status_malformed",
        ),
        (looked, with_status(elsewhere), "status_uri_refused"),
    ] {
        let report = auth.build().unwrap().explain(&token);
        assert_eq!(step(&report, "status"), Some((Outcome::Failed, Some(code))));
        assert!(!report.valid);
    }
    let unlisted = protect().status_lists(lists()).build().unwrap();
    assert!(unlisted.explain(&good_token()).valid);
}

#[tokio::test]
async fn a_report_says_that_a_token_was_used_and_uses_none() {
    let once = SingleUse::with_capacity(10);
    let auth = protect().single_use(once).build().unwrap();
    let token = good_token();
    for _ in 0..2 {
        assert!(auth.explain(&token).valid);
    }
    send(&app(auth.clone()), bearer(&token)).await.is_ok("in");
    let report = auth.explain(&token);
    let replayed = Some((Outcome::Failed, Some("token_replayed")));
    assert_eq!(step(&report, "single_use"), replayed);
    assert!(!report.valid);
}

#[test]
fn a_report_says_that_the_services_own_checks_are_still_to_come() {
    let auth = protect().check(|_| async { Err(Rejection::revoked()) });
    let auth = auth.check(|_| async { Ok(()) }).build().unwrap();
    let report = auth.explain(&good_token()).to_string();
    assert!(
        report.contains("2 checks of the service's own are not run here"),
        "{report}"
    );
    // Nobody gets so far with a token that the list refuses.
    assert_eq!(step(&auth.explain(&expired_token()), "checks"), None);
}

#[tokio::test]
async fn a_report_without_keys_blames_their_absence_and_not_the_token() {
    let keys = SharedKeys::new(JwkSet::new([]));
    let auth = Protect::with_keys(ISSUER, keys)
        .audience(AUDIENCE)
        .build()
        .unwrap();
    let report = auth.explain(&good_token());
    let key = report.steps.iter().find(|step| step.name == "key").unwrap();
    assert_eq!(key.summary, "there are no keys to verify with");
    let events = logged(&app(auth), bearer(&good_token())).await;
    let fields = &events[0]["fields"];
    assert_eq!(fields["code"], "keys_unavailable");
    let explain = fields["explain"].as_str().unwrap();
    assert!(
        explain.contains("there are no keys to verify with"),
        "{explain}"
    );
}

/// The explanation of the one refusal that is logged.
async fn explained(app: &Router, request: http::request::Builder) -> String {
    let events = logged(app, request).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let fields = &events[0]["fields"];
    let explain = fields["explain"]
        .as_str()
        .unwrap_or_else(|| panic!("{fields}"));
    assert!(!explain.contains("ada"), "{explain}");
    explain.to_owned()
}

#[tokio::test]
async fn the_log_explains_what_a_good_token_is_refused_for() {
    async fn number(_: Claims<Vec<u8>>) {}
    async fn asked(token: VerifiedToken) -> Rejection {
        token.refuse(Rejection::insufficient_role("owner\n9 ✓"))
    }
    async fn plain(_: VerifiedToken) -> Rejection {
        Rejection::forbidden()
    }
    let guarded = |guard| route(async || "in").route_layer(guard);
    let routes = Router::new()
        .route("/role", guarded(require_role("admin")))
        .route("/scope", guarded(require_scope("orders:write")))
        .route("/rule", guarded(require(|_| false)))
        .route("/number", route(number))
        .route("/asked", route(asked))
        .route("/plain", route(plain))
        .layer(protect().build().unwrap());
    for (path, said, code) in [
        ("/role", "this needs a role: admin ", "insufficient_role"),
        (
            "/scope",
            "this needs a scope: orders:write ",
            "insufficient_scope",
        ),
        ("/rule", "a rule of the service's own", "forbidden"),
        ("/number", "its claims do not fit the type", "claims_shape"),
        (
            "/asked",
            "this needs a role: owner\\n9",
            "insufficient_role",
        ),
        ("/plain", "a rule of the service's own", "forbidden"),
    ] {
        let request = || bearer(&good_token()).uri(path);
        let explain = explained(&routes, request()).await;
        assert!(explain.starts_with(" 1 ✓ "), "{explain}");
        assert!(explain.contains(&format!("\n 2 ✗ {said}")), "{explain}");
        assert!(
            explain.ends_with(&format!("\nrefused: {code}")),
            "{explain}"
        );
        let events = logged_at(tracing::Level::INFO, &routes, request()).await;
        assert_eq!(events[0]["fields"].get("explain"), None, "{events:?}");
    }
}

#[tokio::test]
async fn the_log_explains_what_a_check_and_a_single_use_refuse() {
    let checked = protect().check(|_| async { Err(Rejection::invalid_token("device_unknown")) });
    let explain = explained(&app(checked.build().unwrap()), bearer(&good_token())).await;
    assert!(explain.ends_with("\nrefused: device_unknown"), "{explain}");
    let once = || protect().single_use(SingleUse::with_capacity(10));
    let checked_once = once().check(|_| async { Ok(()) });
    for auth in [once(), checked_once] {
        let (app, token) = (app(auth.build().unwrap()), good_token());
        send(&app, bearer(&token)).await.is_ok("in");
        let explain = explained(&app, bearer(&token)).await;
        assert!(explain.contains("✗ it was used before"), "{explain}");
        assert!(explain.ends_with("\nrefused: token_replayed"), "{explain}");
    }
}
