//! How often an issuer is asked, and who waits for it.

use super::*;

#[tokio::test]
async fn single_flight_a_thousand_requests_on_a_cold_cache_are_one_fetch() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    server.answers(KEYS, Fault::Held(set(&[&key]).to_string()));
    let service = Service::of(&server);
    let token = service.token(&key);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (app, token) = (service.app.clone(), token.clone());
        requests.spawn(async move { send(&app, bearer(&token)).await.status });
    }
    until(|| server.asked(KEYS) > 0).await;
    server.release();
    assert_eq!(requests.join_all().await, vec![200; 1000]);
    assert_eq!((server.asked(OIDC), server.asked(KEYS)), (1, 1));
}

#[tokio::test]
async fn single_flight_several_layers_of_one_issuer_ask_it_once() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let keys = RemoteKeys::discover(&server.url).unwrap();
    for _ in 0..3 {
        Service::with(&server, &keys).passes(&key).await;
    }
    assert_eq!(server.asked(KEYS), 1);
}

#[tokio::test]
async fn unknown_kid_flood_of_ten_thousand_names_causes_at_most_two_fetches() {
    let (key, stranger) = (key(), key());
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    let claims = service.claims();
    for number in 0..10_000 {
        let forged = stranger.clone().with_key_id(format!("{number}-{number}"));
        // Half of them while the first fetch is fresh, half of them when the next is due.
        if number == 5_000 {
            service.time.passes(31);
        }
        assert_eq!(
            service
                .answer(&signed(&forged, "at+jwt", &claims))
                .await
                .status,
            401
        );
    }
    assert_eq!(server.asked(KEYS), 2);
    service.passes(&key).await;
}

#[tokio::test]
async fn unknown_kid_a_name_that_was_asked_about_causes_no_fetch_for_two_cool_downs() {
    let (key, stranger) = (key(), key());
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    service.passes(&key).await;
    for (passes, fetches) in [(30, 2), (29, 2), (30, 2), (1, 3)] {
        service.time.passes(passes);
        let answer = service.answer(&service.token(&stranger)).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
        assert_eq!(server.asked(KEYS), fetches);
    }
}

#[tokio::test]
async fn unknown_kid_of_an_issuer_that_is_down_is_503_and_a_known_one_passes() {
    let (key, stranger) = (key(), key());
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    service.passes(&key).await;
    server.answers(OIDC, Fault::Status(500));
    service.time.passes(31);
    for _ in 0..2 {
        let answer = service.answer(&service.token(&stranger)).await;
        answer.is_problem(503, "unavailable", "Service unavailable");
        assert_eq!(answer.headers["retry-after"], "30");
    }
    service.passes(&key).await;
    assert_eq!(server.asked(OIDC), 2);
}

#[tokio::test]
async fn known_keys_wait_for_no_fetch_and_no_lock_is_held_across_one() {
    let (key, stranger) = (key(), key());
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    service.passes(&key).await;
    server.answers(KEYS, Fault::Held(set(&[&key]).to_string()));
    service.time.passes(31);
    let (app, token) = (service.app.clone(), service.token(&stranger));
    let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await.status });
    until(|| server.asked(KEYS) == 2).await;
    for _ in 0..100 {
        service.passes(&key).await;
        assert!(service.auth.health().is_ready());
    }
    assert!(!waiting.is_finished(), "the fetch is still held");
    server.release();
    assert_eq!(waiting.await.unwrap(), 401);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_no_fetch_with_it() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    server.answers(KEYS, Fault::Held(set(&[&key]).to_string()));
    let service = Service::of(&server);
    let (app, token) = (service.app.clone(), service.token(&key));
    let gone = tokio::spawn(async move { send(&app, bearer(&token)).await.status });
    until(|| server.asked(KEYS) == 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    server.release();
    service.passes(&key).await;
    assert_eq!(server.asked(KEYS), 1);
}

#[tokio::test]
async fn a_service_starts_while_its_issuer_is_down_and_says_so() {
    let key = key();
    let server = FaultServer::start().await;
    server.answers(OIDC, Fault::Hangup);
    let service = Service::of(&server);
    assert!(!service.auth.health().is_ready());
    for retry_after in ["1", "1"] {
        let answer = service.answer(&service.token(&key)).await;
        answer.is_problem(503, "unavailable", "Service unavailable");
        assert_eq!(answer.headers["retry-after"], retry_after);
        assert_eq!(answer.challenge(), None);
    }
    assert_eq!(
        server.asked(OIDC),
        1,
        "the question for its health began the fetch"
    );
    assert_eq!(
        service.answer("x.y.z").await.status,
        401,
        "no key is needed to refuse this"
    );
    server.answers(OIDC, Fault::json(&server.metadata(KEYS)));
    server.answers(KEYS, Fault::json(&set(&[&key])));
    service.time.passes(1);
    service.passes(&key).await;
    let health = service.health();
    assert_eq!((health.usable_keys, health.last_error), (1, None));
    assert!(service.auth.health().is_ready());
}

#[tokio::test]
async fn a_request_waits_for_one_fetch_of_an_issuer_that_hangs_and_no_more() {
    let key = key();
    for path in [OIDC, KEYS] {
        let server = FaultServer::issuer(&set(&[&key])).await;
        server.answers(path, Fault::Never);
        let service = Service::facing(&Fault::Never, &server);
        let (app, token) = (service.app.clone(), service.token(&key));
        let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await });
        let mut seen = 0;
        // Whenever the issuer is asked, more time goes by than any cool-down takes.
        while !waiting.is_finished() {
            if server.asked(path) > seen {
                seen = server.asked(path);
                service.time.passes(31);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = waiting.await.unwrap();
        answer.is_problem(503, "unavailable", "Service unavailable");
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(server.asked(path), 1, "{path}");
        // The next request has it tried again.
        assert_eq!(service.status(&key).await, 503);
        assert_eq!(server.asked(path), 2, "{path}");
    }
}

#[tokio::test]
async fn keys_that_take_longer_than_they_live_count_for_whoever_has_waited_for_them() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    server.answers(KEYS, Fault::Held(set(&[&key]).to_string()));
    let service = Service::of(&server);
    let (app, token) = (service.app.clone(), service.token(&key));
    let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await });
    until(|| server.asked(KEYS) == 1).await;
    service.time.passes(601);
    server.release();
    // The next fetch is held and waited for by nobody; that the token has expired, only a key can tell.
    let answer = waiting.await.unwrap();
    answer.is_problem(401, "token_expired", "jwt expired");
}
