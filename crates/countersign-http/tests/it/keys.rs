//! Which key verifies, and what happens when the set is replaced.

use countersign::{Algorithm, JwkSet, SigningKey};
use countersign_http::{Protect, SharedKeys};

use crate::harness::{AUDIENCE, ISSUER, KEY, NOW, app, bearer, claims, good_token, send, signed};

#[tokio::test]
async fn accepts_a_key_of_a_set_by_its_kid() {
    let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let set = JwkSet::new([KEY.verifying_key(), other.verifying_key()]);
    let app = app(Protect::with_keys(ISSUER, set)
        .audience(AUDIENCE)
        .clock(|| NOW)
        .build()
        .unwrap());
    for key in [&*KEY, &other] {
        send(&app, bearer(&signed(key, "at+jwt", &claims())))
            .await
            .is_ok("in");
    }
    let renamed = other.with_key_id("elsewhere");
    let answer = send(&app, bearer(&signed(&renamed, "at+jwt", &claims()))).await;
    answer.is_problem(401, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn accepts_a_shared_secret_and_rejects_another() {
    let [key, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::HS256).unwrap());
    let auth = Protect::with_keys(ISSUER, key.verifying_key())
        .audience(AUDIENCE)
        .clock(|| NOW);
    let app = app(auth.build().unwrap());
    send(&app, bearer(&signed(&key, "at+jwt", &claims())))
        .await
        .is_ok("in");
    assert_eq!(
        send(&app, bearer(&signed(&other, "at+jwt", &claims())))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_replaced_set_counts_from_the_next_request_on() {
    let keys = SharedKeys::new(JwkSet::new([]));
    let app = app(Protect::with_keys(ISSUER, &keys)
        .audience(AUDIENCE)
        .clock(|| NOW)
        .build()
        .unwrap());
    let answer = send(&app, bearer(&good_token())).await;
    answer.is_problem(503, "unavailable", "Service unavailable");
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(
        send(&app, bearer("x.y.z")).await.status,
        401,
        "no key is needed to refuse this"
    );
    keys.replace(JwkSet::new([KEY.verifying_key()]));
    send(&app, bearer(&good_token())).await.is_ok("in");
    let next = SigningKey::generate(Algorithm::ES256).unwrap();
    keys.replace(JwkSet::new([next.verifying_key()]));
    assert_eq!(
        send(&app, bearer(&good_token())).await.status,
        401,
        "a removed key is dead"
    );
    send(&app, bearer(&signed(&next, "at+jwt", &claims())))
        .await
        .is_ok("in");
}
