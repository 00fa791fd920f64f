//! Keys come and go.

use super::*;

#[tokio::test]
async fn accepts_a_new_key_after_one_fetch_and_rejects_the_removed_one_from_then_on() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(30);
    service.passes(&new).await;
    assert_eq!(service.status(&old).await, 401, "a removed key is dead");
    service.passes(&new).await;
    assert_eq!(server.asked(KEYS), 2);
}

#[tokio::test]
async fn a_new_key_within_the_cool_down_waits_for_the_next() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&old, &new])));
    service.time.passes(29);
    assert_eq!(service.status(&new).await, 401);
    assert_eq!(server.asked(KEYS), 1);
    service.time.passes(1);
    service.passes(&new).await;
    service.passes(&old).await;
    assert_eq!(server.asked(KEYS), 2);
}

#[tokio::test]
async fn a_key_that_was_published_beforehand_is_known_without_an_extra_fetch() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old, &new])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    service.passes(&new).await;
    assert_eq!(server.asked(KEYS), 1);
}

#[tokio::test]
async fn a_removed_key_dies_in_the_background_when_three_quarters_of_a_life_have_gone_by() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old, &new])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(450);
    // This request notices, and waits for nothing.
    service.passes(&old).await;
    until(|| service.health().usable_keys == 1).await;
    assert_eq!(service.status(&old).await, 401);
}

#[tokio::test]
async fn a_key_that_was_removed_while_nobody_asked_is_dead_for_the_next_who_does() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old, &new])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(600);
    assert_eq!(service.status(&old).await, 401);
}

#[tokio::test]
async fn a_kid_that_is_used_again_for_another_key_changes_with_the_set() {
    let (old, new) = (key().with_key_id("1"), key().with_key_id("1"));
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(600);
    service.passes(&new).await;
    assert_eq!(service.status(&old).await, 401);
}

#[tokio::test]
async fn a_kid_that_is_used_again_for_another_algorithm_is_fetched_at_once() {
    let old = key().with_key_id("1");
    let new = SigningKey::generate(Algorithm::EdDSA)
        .unwrap()
        .with_key_id("1");
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(30);
    service.passes(&new).await;
    assert_eq!(service.status(&old).await, 401);
}

#[tokio::test]
async fn keys_that_have_moved_are_found_where_they_are_now() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(OIDC, Fault::json(&server.metadata("/moved")));
    server.answers("/moved", Fault::json(&set(&[&new])));
    service.time.passes(30);
    service.passes(&new).await;
    assert_eq!((server.asked(KEYS), server.asked("/moved")), (1, 1));
}

#[tokio::test]
async fn keys_that_have_moved_are_followed_and_whoever_holds_the_old_place_is_believed_no_more() {
    let (ours, theirs) = (key(), key());
    let server = FaultServer::issuer(&set(&[&ours])).await;
    let tagged = |keys: &[&SigningKey], tag: &str| Fault::json(&set(keys)).and("etag", tag);
    server.answers(KEYS, tagged(&[&ours], "\"v1\""));
    let service = Service::of(&server);
    service.passes(&ours).await;
    // The same name at the new place: it stands for what is there, and says nothing of what was held before.
    server.answers(OIDC, Fault::json(&server.metadata("/moved")));
    server.answers("/moved", tagged(&[&ours], "\"v1\""));
    for hour in 0..72 {
        server.answers(KEYS, tagged(&[&theirs], &format!("\"{hour}\"")));
        service.time.passes(3_600);
        service.passes(&ours).await;
        assert_eq!(service.status(&theirs).await, 401, "{hour}");
    }
    assert_eq!(server.asked(KEYS), 1);
    let heads = server.heads();
    let first = heads.iter().find(|head| head.starts_with("GET /moved "));
    assert!(!first.unwrap().contains("if-none-match"), "{first:?}");
    // Where they stay, the name saves the body again.
    let last = heads.iter().rfind(|head| head.starts_with("GET /moved "));
    assert!(last.unwrap().contains("if-none-match: \"v1\""), "{last:?}");
}

#[tokio::test]
async fn keys_that_have_moved_are_found_when_nothing_is_left_at_the_old_place() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let tagged = || Fault::json(&set(&[&key])).and("etag", "\"v1\"");
    server.answers(KEYS, tagged());
    let service = Service::of(&server);
    service.passes(&key).await;
    server.answers(OIDC, Fault::json(&server.metadata("/moved")));
    server.answers("/moved", tagged());
    server.answers(KEYS, Fault::Status(404));
    for passes in [600, 3_600, 3_600, 86_400] {
        service.time.passes(passes);
        service.passes(&key).await;
        assert_eq!(service.health().last_error, None);
    }
}

#[tokio::test]
async fn an_etag_saves_the_body_and_the_same_body_makes_no_new_set() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    server.answers(KEYS, Fault::json(&set(&[&key])).and("etag", "\"v1\""));
    let service = Service::of(&server);
    service.passes(&key).await;
    server.answers(KEYS, Fault::Unchanged);
    service.time.passes(600);
    service.passes(&key).await;
    assert!(
        server
            .heads()
            .last()
            .unwrap()
            .contains("if-none-match: \"v1\"")
    );
    assert_eq!(service.health().age, Some(Duration::ZERO));
    // Where the keys are is asked for each time: an issuer that has moved them is followed.
    assert_eq!((server.asked(OIDC), server.asked(KEYS)), (2, 2));
}

#[tokio::test]
async fn an_etag_that_lies_keeps_a_new_key_away_for_a_cool_down_at_most() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    server.answers(KEYS, Fault::json(&set(&[&old])).and("etag", "\"v1\""));
    let service = Service::of(&server);
    service.passes(&old).await;
    // The same name for other keys: whoever asks for news gets none, whoever asks for the set gets it.
    server.answers(KEYS, Fault::json(&set(&[&new])).and("etag", "\"v1\""));
    service.time.passes(30);
    service.passes(&new).await;
    let head = server.heads().pop().unwrap();
    assert!(!head.contains("if-none-match"), "{head}");
}

/// Whoever asks about the key then waits for a fetch that only asks for news: for one of his own, where the set has ended, or
/// for one in the background, where it is due.
#[tokio::test]
async fn an_etag_that_lies_keeps_a_new_key_away_for_no_longer_where_another_fetch_is_waited_for() {
    let (old, new) = (key(), key());
    for (passes, in_background) in [(600, false), (450, true)] {
        let server = FaultServer::issuer(&set(&[&old])).await;
        server.answers(KEYS, Fault::json(&set(&[&old])).and("etag", "\"v1\""));
        let service = Service::of(&server);
        service.passes(&old).await;
        server.answers(KEYS, Fault::Late(Box::new(Fault::Unchanged)));
        service.time.passes(passes);
        if in_background {
            service.passes(&old).await;
            until(|| server.asked(KEYS) == 2).await;
        }
        let (app, token) = (service.app.clone(), service.token(&new));
        let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await.status });
        until(|| server.asked(KEYS) == 2).await;
        tokio::task::yield_now().await;
        server.release();
        assert_eq!(waiting.await.unwrap(), 401);
        let head = server.heads().pop().unwrap();
        assert!(head.contains("if-none-match: \"v1\""), "{head}");
        server.answers(KEYS, Fault::json(&set(&[&old, &new])));
        service.time.passes(29);
        assert_eq!(service.status(&new).await, 401);
        service.time.passes(1);
        service.passes(&new).await;
        assert_eq!(server.asked(KEYS), 3);
    }
}

#[tokio::test]
async fn cache_control_is_obeyed_between_a_minute_and_a_day() {
    let (old, new) = (key(), key());
    for (header, lives) in [
        ("max-age=0", 60),
        ("no-store", 60),
        ("max-age=120", 120),
        ("public", 600),
        ("max-age=315360000", 86_400),
    ] {
        let server = FaultServer::issuer(&set(&[&old])).await;
        server.answers(
            KEYS,
            Fault::json(&set(&[&old])).and("cache-control", header),
        );
        let service = Service::of(&server);
        service.passes(&old).await;
        server.answers(KEYS, Fault::json(&set(&[&new])));
        // Not before three quarters of it.
        service.time.passes(lives * 3 / 4 - 1);
        service.passes(&old).await;
        assert_eq!(server.asked(KEYS), 1, "{header}");
        service.time.passes(lives - lives * 3 / 4 + 1);
        assert_eq!(service.status(&old).await, 401, "{header}");
    }
}

#[tokio::test]
async fn what_the_clock_of_the_issuer_says_changes_nothing() {
    let (old, new) = (key(), key());
    for (name, value) in [
        ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("expires", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("last-modified", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        let server = FaultServer::issuer(&set(&[&old])).await;
        server.answers(KEYS, Fault::json(&set(&[&old])).and(name, value));
        let service = Service::of(&server);
        service.passes(&old).await;
        server.answers(KEYS, Fault::json(&set(&[&new])));
        service.time.passes(449);
        service.passes(&old).await;
        assert_eq!(server.asked(KEYS), 1, "{name}");
        service.time.passes(151);
        assert_eq!(service.status(&old).await, 401, "{name}");
    }
}

#[tokio::test]
async fn a_clock_of_ones_own_that_is_set_back_keeps_no_removed_key_alive() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    service.time.passes(86_400);
    service.passes(&old).await;
    service.time.passes(-86_400);
    service.passes(&old).await;
    assert_eq!(service.health().age, Some(Duration::ZERO));
    server.answers(KEYS, Fault::json(&set(&[&new])));
    service.time.passes(600);
    assert_eq!(service.status(&old).await, 401);
}

#[tokio::test]
async fn tokens_of_an_issuer_whose_clock_is_an_hour_off_are_refused_within_the_leeway_only() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    for (ahead, expected) in [(0, 200), (29, 200), (31, 401), (3600, 401)] {
        let then = service
            .time
            .now()
            .saturating_add(Duration::from_secs(ahead));
        let claims = service.claims().expires_in(then, Duration::from_secs(600));
        let answer = service.answer(&signed(&key, "at+jwt", &claims)).await;
        assert_eq!(answer.status, expected, "{ahead}");
    }
}

#[tokio::test]
async fn an_rsa_key_that_does_not_say_its_algorithm_is_for_rs256_or_the_one_that_is_named() {
    let key = SigningKey::generate(Algorithm::PS256).unwrap();
    let mut jwk = public(&key);
    jwk.as_object_mut().unwrap().remove("alg");
    let server = FaultServer::issuer(&json!({"keys": [jwk]})).await;
    for (named, expected) in [(None, 401), (Some(Algorithm::PS256), 200)] {
        let keys = match named {
            Some(algorithm) => RemoteKeys::builder().rsa_algorithm(algorithm),
            None => RemoteKeys::builder(),
        };
        let service = Service::with(&server, &keys.discover(&server.url).unwrap());
        assert_eq!(service.status(&key).await, expected);
    }
    let keys = RemoteKeys::builder().rsa_algorithm(Algorithm::ES256);
    let error = keys
        .discover(&server.url)
        .unwrap()
        .load()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "key_unfit");
}

/// A thread that was blocked for longer than a fetch is waited for: nobody has learnt that the key is unknown.
#[tokio::test]
async fn a_new_key_whose_fetch_nobody_ran_in_time_is_unavailable_and_not_unknown() {
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let keys = RemoteKeys::builder().timeout(Duration::from_millis(50));
    let keys = keys.discover(&server.url).unwrap();
    let service = Service::with(&server, &keys);
    service.passes(&old).await;
    service.time.passes(30);
    server.answers(
        KEYS,
        Fault::Late(Box::new(Fault::json(&set(&[&old, &new])))),
    );
    let blocks = async { std::thread::sleep(Duration::from_millis(400)) };
    let (status, ()) = tokio::join!(service.status(&new), blocks);
    assert_eq!(status, 503);
    server.answers(KEYS, Fault::json(&set(&[&old, &new])));
    service.time.passes(31);
    service.passes(&new).await;
}

/// A request that a test's clock of the runtime has made give up, while its fetch goes on.
#[tokio::test]
async fn a_clock_of_the_runtime_that_was_moved_makes_no_key_unknown() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    tokio::time::resume();
    let (old, new) = (key(), key());
    let server = FaultServer::issuer(&set(&[&old])).await;
    let service = Service::of(&server);
    service.passes(&old).await;
    server.answers(KEYS, Fault::json(&set(&[&old, &new])));
    service.time.passes(30);
    service.passes(&new).await;
}

/// Keys that were fetched in a runtime, for requests that run in none.
#[test]
fn a_new_key_is_unavailable_where_nobody_can_ask_and_a_known_one_passes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (old, new) = (key(), key());
    let server = runtime.block_on(FaultServer::issuer(&set(&[&old])));
    let service = Service::of(&server);
    runtime.block_on(service.passes(&old));
    service.time.passes(30);
    let without = |key| polled_here(service.status(key));
    assert_eq!((without(&old), without(&new)), (200, 503));
    // Beyond their life, and within the limit.
    service.time.passes(700);
    assert_eq!(without(&old), 200);
}

/// Polls on this thread alone, without a runtime.
fn polled_here<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        std::thread::yield_now();
    }
}
