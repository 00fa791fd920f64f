//! What a developer is told who asks why, and the log.

use std::time::Duration;

use countersign::{JwkSet, Outcome, Report};
use countersign_http::testing::LocalIssuer;
use countersign_http::{Protect, Rejection, SharedKeys, SingleUse, StatusLists};
use serde_json::json;

use crate::events::logged;
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
