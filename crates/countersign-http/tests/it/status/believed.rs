//! Which lists are believed, and what a token may say about its place in one.

use countersign_http::Issuer;
use serde_json::json;

use super::*;
use crate::fault_server::{KEYS, OIDC};

#[tokio::test]
async fn every_status_but_valid_is_a_token_that_was_taken_back() {
    let scene = Scene::new().await;
    for bits in [StatusBits::Two, StatusBits::Four, StatusBits::Eight] {
        let mut list = StatusList::new(bits, 100).unwrap();
        for (index, value) in [(1, 1), (2, 2), (3, 3)] {
            list.set(index, Status::from(value)).unwrap();
        }
        scene.passes_by(60);
        scene.publishes(&scene.claims_of(&list));
        scene.answer(&scene.token(0)).await.is_ok("in");
        for index in 1..=3 {
            is_revoked(&scene.answer(&scene.token(index)).await);
        }
    }
}

#[tokio::test]
async fn rejects_an_index_beyond_the_list() {
    let scene = Scene::new().await;
    // A hundred tokens take thirteen bytes, which have room for four more.
    scene.answer(&scene.token(103)).await.is_ok("in");
    for index in [104, 1 << 40, u64::MAX] {
        let answer = scene.answer(&scene.token(index)).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
}

#[tokio::test]
async fn rejects_a_status_that_cannot_be_read() {
    let scene = Scene::new().await;
    for status in [
        json!(null),
        json!("valid"),
        json!({}),
        json!({"other": {}}),
        json!({"status_list": {"idx": -1, "uri": scene.uri()}}),
        json!({"status_list": {"idx": "1", "uri": scene.uri()}}),
        json!({"status_list": {"idx": 1, "uri": ""}}),
        json!({"status_list": {"idx": 1}}),
    ] {
        let answer = scene.answer(&scene.token_with(status)).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
    assert_eq!(scene.server.connections(), 0);
}

#[tokio::test]
async fn rejects_a_list_at_a_place_that_nobody_has_named_without_asking_for_it() {
    let (scene, other) = (Scene::new().await, FaultServer::start().await);
    let port = other.url.rsplit(':').next().unwrap();
    for uri in [
        format!("{}{LIST}", other.url),
        format!("http://localhost:{port}{LIST}"),
        // The issuer under another name, another scheme, with a user name, and behind a name that begins alike.
        scene.uri().replace("127.0.0.1", "localhost"),
        scene.uri().replace("http:", "https:"),
        scene.uri().replace("127.0.0.1", "ada@127.0.0.1"),
        format!("{}.example{LIST}", scene.server.url),
        "file:///etc/passwd".to_owned(),
        LIST.to_owned(),
    ] {
        let token = scene.token_with(StatusReference::new(&uri, 1));
        let answer = scene.answer(&token).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
    assert_eq!((scene.server.connections(), other.connections()), (0, 0));
}

#[tokio::test]
async fn accepts_a_list_at_a_place_that_the_service_has_named() {
    let other = FaultServer::start().await;
    let place = format!("{}/anywhere", other.url);
    let scene = Scene::with(|lists| lists.at(place)).await;
    let uri = format!("{}{LIST}", other.url);
    let mut status = StatusList::new(StatusBits::One, 100).unwrap();
    status.set(2, Status::INVALID).unwrap();
    let claims = StatusListToken {
        sub: uri.clone(),
        ..scene.claims_of(&status)
    };
    other.answers(LIST, list(claims.sign(&scene.key).unwrap()));
    let token = |index| scene.token_with(StatusReference::new(&uri, index));
    scene.answer(&token(1)).await.is_ok("in");
    is_revoked(&scene.answer(&token(2)).await);
    // The issuer's own place is believed as well.
    scene.answer(&scene.token(1)).await.is_ok("in");
}

#[tokio::test]
async fn no_issuer_speaks_for_the_tokens_of_another() {
    let (ours, theirs) = (Scene::new().await, Scene::new().await);
    let clock = ours.clock.clone();
    let issuer = |scene: &Scene| Issuer::with_keys(&scene.server.url, scene.key.verifying_key());
    let auth = Protect::trusting([issuer(&ours), issuer(&theirs)])
        .audience(AUDIENCE)
        .status_lists(StatusLists::new())
        .clock(move || clock.now())
        .build()
        .unwrap();
    let app = app(auth);
    for scene in [&ours, &theirs] {
        send(&app, bearer(&scene.token(1))).await.is_ok("in");
    }
    // A list of theirs at our place, and a token of ours that names their place.
    let claims = StatusListToken {
        iss: None,
        sub: format!("{}/2", ours.server.url),
        ..theirs.claims()
    };
    ours.server
        .answers("/2", list(claims.sign(&theirs.key).unwrap()));
    let forged = ours.token_with(StatusReference::new(&claims.sub, 1));
    assert_eq!(send(&app, bearer(&forged)).await.status, 503);
    let elsewhere = ours.token_with(StatusReference::new(theirs.uri(), 1));
    assert_eq!(send(&app, bearer(&elsewhere)).await.status, 401);
}

#[tokio::test]
async fn a_list_is_verified_with_keys_that_are_fetched_and_rotate() {
    let (first, next) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let publish = |server: &FaultServer, keys: &[&SigningKey]| {
        let set = JwkSet::new(keys.iter().map(|key| key.verifying_key()));
        server.answers(KEYS, Fault::with("application/json", set.to_public_json()));
    };
    let scene = Scene::new().await;
    scene
        .server
        .answers(OIDC, Fault::json(&scene.server.metadata(KEYS)));
    publish(&scene.server, &[&first]);
    let clock = scene.clock.clone();
    let auth = Protect::issuer(&scene.server.url)
        .audience(AUDIENCE)
        .realm("orders")
        .clock(move || clock.now())
        .build()
        .unwrap();
    let scene = Scene {
        app: app(auth),
        key: first,
        ..scene
    };
    scene.revokes(&[2]);
    scene.answer(&scene.token(1)).await.is_ok("in");
    is_revoked(&scene.answer(&scene.token(2)).await);
    // A list by a key that the service has not seen yet has the keys fetched again.
    scene.passes_by(31);
    publish(&scene.server, &[&scene.key, &next]);
    let token = scene.token(1);
    let scene = Scene { key: next, ..scene };
    scene.revokes(&[1]);
    is_revoked(&scene.answer(&token).await);
}

#[tokio::test]
async fn a_list_is_signed_by_an_algorithm_that_its_issuer_signs_with() {
    let scene = Scene::new().await;
    let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = scene.token(1);
    for (algorithm, signer, status) in [
        (None, &other, 200),
        (Some(Algorithm::ES256), &other, 503),
        (Some(Algorithm::ES256), &scene.key, 200),
    ] {
        let keys = JwkSet::new([scene.key.verifying_key(), other.verifying_key()]);
        let clock = scene.clock.clone();
        let mut protect = Protect::with_keys(&scene.server.url, keys)
            .audience(AUDIENCE)
            .status_lists(StatusLists::new())
            .clock(move || clock.now());
        if let Some(algorithm) = algorithm {
            protect = protect.algorithm(algorithm);
        }
        let text = scene.claims().sign(signer).unwrap();
        scene.server.answers(LIST, list(text));
        let answer = send(&app(protect.build().unwrap()), bearer(&token)).await;
        assert_eq!(answer.status, status, "{algorithm:?} {:?}", signer.key_id());
    }
}
