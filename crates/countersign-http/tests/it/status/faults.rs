//! Lists that no issuer should serve. Through all of them, tokens that are known to be good pass within the grace, and no
//! token passes that nobody can speak of.

use countersign::ClaimsSet;
use serde_json::json;

use super::*;

/// Every way to answer wrongly.
fn faults(scene: &Scene) -> Vec<(&'static str, Fault)> {
    let mut faults = answers(scene);
    faults.extend(lists(scene));
    faults.extend(claims(scene));
    faults
}

/// What is wrong before anything is read.
fn answers(scene: &Scene) -> Vec<(&'static str, Fault)> {
    let text = scene.claims().sign(&scene.key).unwrap();
    vec![
        ("404", Fault::Status(404)),
        ("500", Fault::Status(500)),
        ("204", Fault::Status(204)),
        ("never", Fault::Never),
        ("one byte now and then", Fault::Drip(text.clone())),
        ("cut short", Fault::Truncated(text.clone())),
        ("hung up", Fault::Hangup),
        ("a hundred megabytes", Fault::Huge { announced: false }),
        ("a redirect", Fault::Redirect(scene.server.url.clone())),
        ("304 to nobody's question", Fault::Unchanged),
        ("packed", list(text.clone()).and("content-encoding", "gzip")),
        ("a page", Fault::with("text/html", text)),
        (
            "a page as plain text",
            Fault::with("text/plain", "<html>".to_owned()),
        ),
        ("nothing", list(String::new())),
    ]
}

/// Tokens that are right but for this.
fn lists(scene: &Scene) -> Vec<(&'static str, Fault)> {
    let good = scene.claims();
    let text = good.sign(&scene.key).unwrap();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let impostor = stranger.with_key_id(scene.key.key_id().unwrap());
    let now = scene.clock.now().unix_secs();
    let with = |change: fn(&mut StatusListToken)| {
        let mut claims = good.clone();
        change(&mut claims);
        list(claims.sign(&scene.key).unwrap())
    };
    let of = |iat: i64, exp: i64| {
        let claims = StatusListToken {
            iat,
            exp: Some(exp),
            ..good.clone()
        };
        list(claims.sign(&scene.key).unwrap())
    };
    let ahead = now.saturating_add(3_600);
    let (long_ago, a_while_ago) = (now.saturating_sub(3_600), now.saturating_sub(1_800));
    vec![
        ("not signed", list(unsigned(&text))),
        ("by somebody else", list(good.sign(&impostor).unwrap())),
        ("tampered with", list(tampered(scene, &text))),
        ("of another place", with(|claims| claims.sub.push('0'))),
        (
            "of another issuer",
            with(|claims| claims.iss = Some("https://id.example".to_owned())),
        ),
        ("expired", of(now, now)),
        ("from an hour ahead", of(ahead, ahead.saturating_add(600))),
        ("an hour old and over", of(long_ago, a_while_ago)),
        ("a ttl of nothing", with(|claims| claims.ttl = Some(0))),
        ("three bits", with(|claims| claims.status_list.bits = 3)),
        (
            "no base64url",
            with(|claims| claims.status_list.lst.push('=')),
        ),
        (
            "no ZLIB stream",
            with(|claims| claims.status_list.lst = "AAAA".to_owned()),
        ),
        (
            "a list that goes on",
            with(|claims| claims.status_list.lst.push_str("AAAA")),
        ),
        ("the token itself", list(scene.token(1))),
    ]
}

/// Claims that make no status list.
fn claims(scene: &Scene) -> Vec<(&'static str, Fault)> {
    let claims = serde_json::to_value(scene.claims()).unwrap();
    let typed = |typ: &str, claims: &Value| {
        let header = SigningHeader::new().typ(typ);
        list(scene.key.sign_with(&header, claims).unwrap())
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        typed("statuslist+jwt", &claims)
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        typed("statuslist+jwt", &claims)
    };
    // Two megabytes of zeros in two kilobytes.
    let bomb = StatusList::from_bytes(StatusBits::One, vec![0; 2_000_000]).encode();
    vec![
        ("without exp", without("exp")),
        ("without iat", without("iat")),
        ("without sub", without("sub")),
        ("without a list", without("status_list")),
        (
            "a bomb",
            with("status_list", serde_json::to_value(bomb).unwrap()),
        ),
        ("for somebody", with("aud", json!(AUDIENCE))),
        ("an access token", typed("at+jwt", &claims)),
        ("a plain token", typed("JWT", &claims)),
    ]
}

/// The same claims under `alg: none`.
fn unsigned(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"statuslist+jwt"}
    format!("eyJhbGciOiJub25lIiwidHlwIjoic3RhdHVzbGlzdCtqd3QifQ.{payload}.")
}

/// The payload of another list under the signature of this one.
fn tampered(scene: &Scene, token: &str) -> String {
    let claims = ClaimsSet::empty().subject(scene.uri());
    let other = scene.key.sign(&claims).unwrap();
    let (mine, theirs): (Vec<_>, Vec<_>) = (token.split('.').collect(), other.split('.').collect());
    [mine[0], theirs[1], mine[2]].join(".")
}

const FAULTS: usize = 36;

async fn scene() -> Scene {
    Scene::with(|lists| lists.timeout(Duration::from_millis(200))).await
}

#[tokio::test]
async fn a_fault_without_a_list_at_hand_is_503_and_nothing_passes() {
    let mut seen = 0;
    for index in 0..FAULTS {
        let scene = scene().await;
        let (name, fault) = faults(&scene).swap_remove(index);
        scene.server.answers(LIST, fault);
        let answer = scene.answer(&scene.token(1)).await;
        assert_eq!(answer.status, 503, "{name}");
        answer.is_problem(503, "unavailable", "Service unavailable");
        assert_eq!(scene.asked(), 1, "{name}");
        seen += 1;
    }
    assert_eq!(seen, faults(&scene().await).len());
}

#[tokio::test]
async fn stale_if_error_a_fault_changes_nothing_of_what_is_known() {
    for index in 0..FAULTS {
        let scene = scene().await;
        let (stays, goes) = (scene.token(1), scene.token(2));
        scene.passes_by(1);
        scene.revokes(&[2]);
        // On a busy machine a good answer may come too late for a service that does not wait long.
        while scene.status(&stays).await != 200 {
            scene.passes_by(2);
        }
        let (name, fault) = faults(&scene).swap_remove(index);
        scene.server.answers(LIST, fault);
        for passes in [TTL, 60] {
            scene.passes_by(passes);
            assert_eq!(scene.status(&stays).await, 200, "{name}");
            assert_eq!(scene.answer(&goes).await.status, 401, "{name}");
        }
        scene.passes_by(300);
        assert_eq!(scene.status(&stays).await, 503, "{name}");
    }
}

#[tokio::test]
async fn a_list_that_somebody_has_kept_takes_nothing_back() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    let kept = scene.claims();
    scene.passes_by(2);
    scene.revokes(&[1]);
    is_revoked(&scene.answer(&token).await);
    scene.publishes(&kept);
    for _ in 0..4 {
        scene.passes_by(60);
        is_revoked(&scene.answer(&token).await);
    }
    // What is held ends, and the old one does not take its place.
    scene.passes_by(70);
    assert_eq!(scene.status(&token).await, 503);
}

#[tokio::test]
async fn a_request_waits_for_one_fetch_of_a_list_that_hangs_and_no_more() {
    let scene = scene().await;
    scene.server.answers(LIST, Fault::Never);
    let (app, token) = (scene.app.clone(), scene.token(1));
    let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await.status });
    let mut seen = 0;
    // Whenever the issuer is asked, more time goes by than any cool-down takes.
    while !waiting.is_finished() {
        if scene.asked() > seen {
            seen = scene.asked();
            scene.passes_by(31);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((waiting.await.unwrap(), scene.asked()), (503, 1));
}

/// A list's own answer may take 50 ms here, while the keys of the issuer take longer.
#[tokio::test]
async fn a_list_that_waits_for_a_new_key_is_waited_for_as_long_as_keys_are() {
    let scene = Scene::new().await;
    let new = SigningKey::generate(Algorithm::ES256).unwrap();
    let set = |keys: &[&SigningKey]| JwkSet::new(keys.iter().map(|key| key.verifying_key()));
    let (url, place) = (&scene.server.url, "/keys");
    let json = |set: JwkSet| Fault::with("application/json", set.to_public_json());
    scene.server.answers(place, json(set(&[&scene.key])));
    let keys = countersign_http::RemoteKeys::at(&format!("{url}{place}")).unwrap();
    let reader = scene.clock.clone();
    let protect = Protect::with_keys(url, &keys)
        .audience(AUDIENCE)
        .status_lists(StatusLists::new().timeout(Duration::from_millis(50)))
        .clock(move || reader.now());
    let app = app(protect.build().unwrap());
    send(&app, bearer(&scene.unlisted())).await.is_ok("in");
    scene.passes_by(31);
    scene
        .server
        .answers(LIST, list(scene.claims().sign(&new).unwrap()));
    let both = json(set(&[&scene.key, &new]));
    scene.server.answers(place, Fault::Late(Box::new(both)));
    let late = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        scene.server.release();
    };
    let token = scene.token(1);
    let (answer, ()) = tokio::join!(send(&app, bearer(&token)), late);
    answer.is_ok("in");
}
