//! What a service says about status, and what holds where it says nothing.

use countersign_http::{Error, Issuer};

use countersign::Outcome;

use super::*;
use crate::events::{log_of_this_thread, logged_at};
use crate::fault_server::{KEYS, OIDC};
use crate::harness::{access_token, claims};

/// An issuer with discovery whose token is taken back, and a service of it.
async fn discovered(build: impl FnOnce(ProtectBuilder) -> ProtectBuilder) -> (Scene, u16) {
    let scene = Scene::new().await;
    let set = JwkSet::new([scene.key.verifying_key()]);
    scene
        .server
        .answers(OIDC, Fault::json(&scene.server.metadata(KEYS)));
    scene
        .server
        .answers(KEYS, Fault::with("application/json", set.to_public_json()));
    scene.revokes(&[1]);
    let clock = scene.clock.clone();
    let auth = build(Protect::issuer(&scene.server.url).audience(AUDIENCE))
        .clock(move || clock.now())
        .build()
        .unwrap();
    let status = send(&app(auth), bearer(&scene.token(1))).await.status;
    (scene, status)
}

#[tokio::test]
async fn where_keys_are_fetched_lists_are_looked_at_without_a_word() {
    let (scene, status) = discovered(|protect| protect).await;
    assert_eq!((status, scene.asked()), (401, 1));
    let (scene, status) = discovered(ProtectBuilder::without_status).await;
    assert_eq!((status, scene.asked()), (200, 0));
}

#[tokio::test]
async fn the_url_of_the_keys_is_a_place_for_lists_where_the_issuer_is_none() {
    let scene = Scene::new().await;
    let set = JwkSet::new([scene.key.verifying_key()]);
    scene
        .server
        .answers(KEYS, Fault::with("application/json", set.to_public_json()));
    let url = format!("{}{KEYS}", scene.server.url);
    let clock = scene.clock.clone();
    let auth = Protect::jwks("urn:example:issuer", &url)
        .audience(AUDIENCE)
        .clock(move || clock.now())
        .build()
        .unwrap();
    let published = StatusListToken {
        iss: Some("urn:example:issuer".to_owned()),
        ..scene.claims()
    };
    scene.publishes(&published);
    let claims = claims_of("urn:example:issuer", AUDIENCE)
        .expires_in(scene.clock.now(), Duration::from_secs(600))
        .claim("status", StatusReference::new(scene.uri(), 1))
        .unwrap();
    let token = signed(&scene.key, "at+jwt", &claims);
    send(&app(auth), bearer(&token)).await.is_ok("in");
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn where_keys_are_at_hand_nobody_is_asked_for_lists_unless_it_is_said() {
    let scene = Scene::built(|protect| protect).await;
    scene.revokes(&[1]);
    scene.answer(&scene.token(1)).await.is_ok("in");
    assert_eq!(scene.server.connections(), 0);
}

#[tokio::test]
async fn a_token_without_status_passes_unless_it_has_to_have_one() {
    let scene = Scene::new().await;
    let plain = claims_of(&scene.server.url, AUDIENCE);
    let plain = signed(&scene.key, "at+jwt", &plain);
    scene.answer(&plain).await.is_ok("in");
    let strict = Scene::built(ProtectBuilder::require_status).await;
    strict.answer(&strict.token(1)).await.is_ok("in");
    let plain = claims_of(&strict.server.url, AUDIENCE);
    let answer = strict.answer(&signed(&strict.key, "at+jwt", &plain)).await;
    answer.is_problem(401, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn an_optional_layer_refuses_what_was_taken_back_as_well() {
    let scene = Scene::new().await;
    scene.revokes(&[1]);
    let clock = scene.clock.clone();
    let auth = Protect::with_keys(&scene.server.url, scene.key.verifying_key())
        .audience(AUDIENCE)
        .realm("orders")
        .status_lists(StatusLists::new())
        .clock(move || clock.now())
        .build()
        .unwrap();
    let app = app(auth.optional());
    assert_eq!(send(&app, crate::harness::get()).await.status, 200);
    is_revoked(&send(&app, bearer(&scene.token(1))).await);
}

#[tokio::test]
async fn a_token_that_is_remembered_is_looked_up_at_every_request() {
    let scene = Scene::built(|protect| protect.status_lists(StatusLists::new()).cache(100)).await;
    let token = scene.token(1);
    for _ in 0..3 {
        scene.answer(&token).await.is_ok("in");
    }
    scene.passes_by(TTL);
    scene.revokes(&[1]);
    is_revoked(&scene.answer(&token).await);
}

#[tokio::test]
async fn lists_without_exp_are_taken_where_that_is_said() {
    let scene = Scene::with(StatusLists::without_expiry).await;
    let claims = StatusListToken {
        exp: None,
        ..scene.claims()
    };
    scene.publishes(&claims);
    scene.answer(&scene.token(1)).await.is_ok("in");
    scene.server.answers(LIST, Fault::Hangup);
    scene.passes_by(TTL + 299);
    scene.answer(&scene.token(1)).await.is_ok("in");
}

#[test]
fn rejects_settings_that_lead_nowhere() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let protect = |issuer: &str| Protect::with_keys(issuer, key.verifying_key()).audience(AUDIENCE);
    let code = |protect: ProtectBuilder| protect.build().err().map(|error| error.code());
    let nowhere = Error::StatusListsNowhere;
    let refused = protect("urn:example").require_status().build().unwrap_err();
    assert_eq!(refused, nowhere);
    for (place, expected) in [
        ("https://status.example", None),
        ("https://status.example/lists?of=us", None),
        ("http://127.0.0.1:8080", None),
        ("http://status.example", Some("fetch_scheme_refused")),
        ("status.example", Some("fetch_url_invalid")),
        ("", Some("fetch_url_invalid")),
    ] {
        let lists = StatusLists::new().at(place);
        assert_eq!(
            code(protect("urn:example").status_lists(lists)),
            expected,
            "{place}"
        );
    }
    let issuer = Issuer::with_keys("https://id.example", key.verifying_key());
    let both = protect("https://other.example").and(issuer.audience(AUDIENCE).require_status());
    assert_eq!(code(both), None);
}

#[test]
fn rejects_a_grace_and_a_timeout_beyond_their_bounds() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let code = |lists: StatusLists| {
        let protect = Protect::with_keys("https://id.example", key.verifying_key());
        let built = protect.audience(AUDIENCE).status_lists(lists).build();
        built.err().map(|error| error.code())
    };
    let lists = StatusLists::new;
    let too_long = Some("fetch_setting_too_long");
    let secs = Duration::from_secs;
    assert_eq!(code(lists().grace(secs(3_600))), None);
    assert_eq!(code(lists().grace(secs(3_601))), too_long);
    assert_eq!(code(lists().timeout(secs(60))), None);
    assert_eq!(code(lists().timeout(secs(61))), too_long);
    let own = || lists().read_by(async |_| None);
    assert_eq!(code(own().timeout(secs(60))), None);
    assert_eq!(code(own().timeout(secs(61))), too_long);
}

#[tokio::test]
async fn a_token_of_another_issuer_is_told_apart_before_any_list_is_asked_for() {
    let scene = Scene::new().await;
    assert_eq!(scene.status(&access_token(&claims())).await, 401);
    assert_eq!(scene.server.connections(), 0);
}

#[tokio::test]
async fn lists_that_are_not_fetched_may_have_a_name_that_nobody_would_fetch() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let described = |lists| {
        Protect::with_keys("http://id.example", key.verifying_key())
            .audience(AUDIENCE)
            .status_lists(lists)
            .build()
    };
    let refused = described(StatusLists::new()).unwrap_err();
    assert_eq!(refused, Error::StatusListsNowhere);
    described(StatusLists::new().read_by(async |_| None)).unwrap();
}

#[tokio::test]
async fn a_service_in_its_issuers_own_process_reads_lists_without_http() {
    let (said, reads) = std::sync::mpsc::channel();
    let shown = std::sync::Arc::new(std::sync::Mutex::new(None::<String>));
    let list = std::sync::Arc::clone(&shown);
    let scene = Scene::with(|lists| {
        lists.read_by(move |url| {
            said.send(url).unwrap();
            let list = list.lock().unwrap().clone();
            async move { list }
        })
    })
    .await;
    let publish = |claims: &StatusListToken| {
        *shown.lock().unwrap() = Some(claims.sign(&scene.key).unwrap());
    };
    let token = scene.token(1);
    // There is none, which is no permission.
    assert_eq!(scene.answer(&token).await.status, 503);
    scene.passes_by(TTL);
    publish(&scene.claims());
    scene.answer(&token).await.is_ok("in");
    let mut list = StatusList::new(StatusBits::One, 100).unwrap();
    list.set(1, Status::INVALID).unwrap();
    publish(&scene.claims_of(&list));
    scene.answer(&token).await.is_ok("in");
    scene.passes_by(TTL);
    is_revoked(&scene.answer(&token).await);
    assert_eq!(reads.try_iter().collect::<Vec<_>>(), vec![scene.uri(); 3]);
    assert_eq!(scene.asked(), 0);
    // It is verified like any other.
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    *shown.lock().unwrap() = Some(scene.claims().sign(&other).unwrap());
    scene.passes_by(TTL + 301);
    assert_eq!(scene.answer(&token).await.status, 503);
}

#[tokio::test]
async fn a_reader_that_hangs_is_let_go_of_in_time_and_asked_again_later() {
    // Counts those that run, by what each of them holds.
    let running = Arc::new(());
    let shown = Arc::new(std::sync::Mutex::new(None::<String>));
    let (held, list) = (running.clone(), shown.clone());
    let scene = Scene::with(|lists| {
        lists.timeout(Duration::from_millis(200)).read_by(move |_| {
            let (held, list) = (held.clone(), list.lock().unwrap().clone());
            async move {
                if list.is_none() {
                    std::future::pending::<()>().await;
                }
                drop(held);
                list
            }
        })
    })
    .await;
    let at_rest = Arc::strong_count(&running);
    for _ in 0..2 {
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let (app, token) = (scene.app.clone(), scene.token(1));
            requests.spawn(async move { send(&app, bearer(&token)).await });
        }
        let answers = tokio::time::timeout(Duration::from_secs(60), requests.join_all());
        for answer in answers.await.expect("nobody waits for ever") {
            answer.is_problem(503, "unavailable", "Service unavailable");
        }
        assert_eq!(Arc::strong_count(&running), at_rest);
        scene.passes_by(TTL);
    }
    *shown.lock().unwrap() = Some(scene.claims().sign(&scene.key).unwrap());
    scene.answer(&scene.token(1)).await.is_ok("in");
}

#[tokio::test]
async fn keys_that_several_layers_fetch_together_are_asked_for_lists_without_a_word() {
    let scene = Scene::new().await;
    scene.revokes(&[1]);
    let set = JwkSet::from(scene.key.verifying_key()).to_public_json();
    let (url, keys) = (&scene.server.url, "/keys");
    scene
        .server
        .answers(keys, Fault::with("application/json", set));
    let keys = countersign_http::RemoteKeys::at(&format!("{url}{keys}")).unwrap();
    let protect = || {
        let clock = scene.clock.clone();
        let protect = Protect::with_keys(url, &keys).audience(AUDIENCE);
        protect.realm("orders").clock(move || clock.now())
    };
    let watched = app(protect().build().unwrap());
    is_revoked(&send(&watched, bearer(&scene.token(1))).await);
    send(&watched, bearer(&scene.token(2))).await.is_ok("in");
    let unwatched = app(protect().without_status().build().unwrap());
    send(&unwatched, bearer(&scene.token(1))).await.is_ok("in");
}

#[tokio::test]
async fn lists_that_are_named_and_not_looked_at_are_said_once_unless_that_is_meant() {
    let said = async |scene: &Scene, token: &str| {
        let events = logged_at(tracing::Level::WARN, &scene.app, bearer(token)).await;
        events.len()
    };
    let scene = Scene::built(|protect| protect).await;
    let (named, unnamed) = (scene.token(1), scene.unlisted());
    for (token, warnings) in [(&unnamed, 0), (&named, 1), (&named, 0), (&unnamed, 0)] {
        assert_eq!(said(&scene, token).await, warnings);
    }
    let report = scene.auth.explain(&named);
    let step = report.steps.iter().find(|step| step.name == "status");
    assert_eq!(step.map(|step| step.outcome), Some(Outcome::Skipped));
    assert!(report.valid && report.to_string().contains("looks at none"));
    assert!(!scene.auth.explain(&unnamed).to_string().contains("status"));
    // Of an issuer that names none at first, only a token now and then is looked at.
    let scene = Scene::built(|protect| protect).await;
    let into = scene.clock.now().unix_secs().rem_euclid(256).unsigned_abs();
    for passed in 0..64 {
        if passed == 63 {
            scene.passes_by(257 - into);
        }
        assert_eq!(scene.status(&scene.unlisted()).await, 200);
    }
    assert_eq!(said(&scene, &scene.token(1)).await, 0);
    scene.passes_by(255);
    let named = scene.token(1);
    assert_eq!(said(&scene, &named).await, 1);
    assert_eq!(said(&scene, &named).await, 0);
    // The last of the first ones is looked at.
    let scene = Scene::built(|protect| protect).await;
    scene.passes_by(257 - into);
    for _ in 0..63 {
        assert_eq!(scene.status(&scene.unlisted()).await, 200);
    }
    assert_eq!(said(&scene, &scene.token(1)).await, 1);
    let scene = Scene::built(ProtectBuilder::without_status).await;
    assert_eq!(said(&scene, &scene.token(1)).await, 0);
    assert_eq!(scene.asked(), 0);
}

#[tokio::test]
async fn the_log_names_a_list_without_the_query_of_its_url() {
    let scene = Scene::new().await;
    let uri = format!("{}/elsewhere?sig=canary", scene.server.url);
    let token = scene.token_with(StatusReference::new(uri, 1));
    let (text, _watching) = log_of_this_thread();
    assert_eq!(scene.status(&token).await, 503);
    let text = text();
    assert!(text.contains("/elsewhere?…"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_status_that_is_required_and_not_looked_at_is_refused() {
    let protect = || Protect::issuer("https://id.example").audience(AUDIENCE);
    for contradictory in [
        protect().require_status().without_status(),
        protect().without_status().require_status(),
    ] {
        assert_eq!(
            contradictory.build().unwrap_err(),
            Error::StatusContradictory
        );
    }
    assert!(protect().require_status().build().is_ok());
}
