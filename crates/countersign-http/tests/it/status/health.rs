//! What a service says of itself while its lists cannot be had.

use countersign_http::{Health, ListsState, StatusLists};

use super::*;

/// The state, the age and the last error of the lists, and whether the service is ready.
fn told(health: &Health) -> (ListsState, Option<u64>, Option<&'static str>, bool) {
    let lists = health.issuers[0].status.as_ref().unwrap();
    let age = lists.age.map(|age| age.as_secs());
    (lists.state, age, lists.last_error, health.is_ready())
}

const DOWN: Option<&str> = Some("fetch_status");

#[tokio::test]
async fn a_service_is_not_ready_from_the_moment_its_list_no_longer_counts() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Unused, None, None, true)
    );
    scene.answer(&token).await.is_ok("in");
    assert_eq!(
        told(&scene.health()),
        (ListsState::Fresh, Some(0), None, true)
    );
    scene.server.answers(LIST, Fault::Status(500));
    scene.passes_by(TTL);
    scene.answer(&token).await.is_ok("in");
    assert_eq!(
        told(&scene.health()),
        (ListsState::Stale, Some(5), DOWN, true)
    );
    scene.passes_by(299);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Stale, Some(304), DOWN, true)
    );
    // Being asked for its health, it has asked.
    scene.is_asked(3).await;
    scene.passes_by(1);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Missing, Some(305), DOWN, false)
    );
    assert_eq!(scene.status(&token).await, 503);
    scene.publishes(&scene.claims());
    scene.passes_by(30);
    // Nobody sends it a token now: it is ready again all the same.
    scene.health();
    scene.is_asked(4).await;
    assert_eq!(
        told(&scene.health()),
        (ListsState::Fresh, Some(0), None, true)
    );
}

#[tokio::test]
async fn a_list_that_nobody_names_any_more_keeps_no_service_from_being_ready() {
    let scene = Scene::new().await;
    scene.server.answers(LIST, Fault::Status(404));
    assert_eq!(scene.status(&scene.token(1)).await, 503);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Missing, None, DOWN, false)
    );
    scene.passes_by(3_600);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Unused, None, None, true)
    );
}

#[tokio::test]
async fn a_list_that_nobody_has_named_since_it_ended_is_not_what_makes_the_others_old() {
    let scene = Scene::new().await;
    let other = format!("{}/other", scene.server.url);
    let claims = StatusListToken {
        sub: other.clone(),
        ..scene.claims()
    };
    scene
        .server
        .answers("/other", list(claims.sign(&scene.key).unwrap()));
    let once = scene.token_with(StatusReference::new(&other, 1));
    scene.answer(&once).await.is_ok("in");
    scene.passes_by(3);
    scene.answer(&scene.token(1)).await.is_ok("in");
    // While both count, it is the older one.
    assert_eq!(
        told(&scene.health()),
        (ListsState::Fresh, Some(3), None, true)
    );
    scene.passes_by(356);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Unused, None, None, true)
    );
    scene.answer(&scene.token(1)).await.is_ok("in");
    assert_eq!(
        told(&scene.health()),
        (ListsState::Fresh, Some(0), None, true)
    );
    // One that is asked for and cannot be had is used, and says how old it is.
    scene.server.answers("/other", Fault::Status(500));
    scene.answer(&once).await;
    let (state, age, error, ready) = told(&scene.health());
    assert_eq!(
        (state, age, error, ready),
        (ListsState::Missing, Some(359), DOWN, false)
    );
}

#[tokio::test]
async fn a_service_that_lets_tokens_pass_without_a_list_is_ready_and_says_so() {
    let scene = Scene::with(StatusLists::fail_open).await;
    scene.server.answers(LIST, Fault::Status(500));
    scene.answer(&scene.token(1)).await.is_ok("in");
    assert_eq!(told(&scene.health()), (ListsState::Open, None, DOWN, true));
}

#[tokio::test]
async fn a_reader_that_panics_is_a_list_that_cannot_be_had() {
    let scene = Scene::with(|lists| lists.read_by(|_| async { panic!("on purpose") })).await;
    let token = scene.token(1);
    assert_eq!(scene.status(&token).await, 503);
    assert_eq!(
        told(&scene.health()),
        (ListsState::Missing, None, Some("fetch_aborted"), false)
    );
}

#[tokio::test]
async fn a_reader_that_panics_takes_nothing_of_the_grace() {
    let shown = Arc::new(std::sync::Mutex::new(None::<String>));
    let list = Arc::clone(&shown);
    let scene = Scene::with(|lists| {
        lists.read_by(move |_| {
            let list = list.lock().unwrap().clone();
            async move { Some(list.expect("on purpose")) }
        })
    })
    .await;
    let token = scene.token(1);
    *shown.lock().unwrap() = Some(scene.claims().sign(&scene.key).unwrap());
    scene.answer(&token).await.is_ok("in");
    *shown.lock().unwrap() = None;
    for (passes, age) in [(TTL, 5), (299, 304)] {
        scene.passes_by(passes);
        scene.answer(&token).await.is_ok("in");
        assert_eq!(
            told(&scene.health()),
            (ListsState::Stale, Some(age), Some("fetch_aborted"), true)
        );
    }
    scene.passes_by(1);
    assert_eq!(scene.status(&token).await, 503);
    assert!(!scene.health().is_ready());
}

/// The service is half a minute ahead of its issuer, whose lists live less than that.
#[tokio::test]
async fn a_leeway_counts_for_a_list_as_it_does_for_a_token() {
    let ahead = Duration::from_secs(30);
    for (leeway, state) in [(60, ListsState::Fresh), (0, ListsState::Missing)] {
        let scene = Scene::built(|protect| {
            let protect = protect.leeway(Duration::from_secs(leeway));
            protect.status_lists(StatusLists::new())
        })
        .await;
        let token = scene.token(1);
        let iat = scene.clock.now().saturating_sub(ahead).unix_secs();
        let exp = Some(iat.saturating_add(20));
        scene.publishes(&StatusListToken {
            iat,
            exp,
            ..scene.claims()
        });
        let is_taken = state == ListsState::Fresh;
        assert_eq!(scene.status(&token).await, if is_taken { 200 } else { 503 });
        let health = scene.health();
        assert_eq!((told(&health).0, health.is_ready()), (state, is_taken));
    }
}
