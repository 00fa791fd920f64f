//! A list as it is held: looked at in memory, renewed in time, and counted on for a while when it cannot be.

use super::*;

#[tokio::test]
async fn a_token_that_is_taken_back_is_refused_once_the_list_is_renewed() {
    let scene = Scene::new().await;
    let (stays, goes) = (scene.token(1), scene.token(2));
    for token in [&stays, &goes] {
        scene.answer(token).await.is_ok("in");
    }
    scene.passes_by(1);
    scene.revokes(&[2]);
    // For so long it is not known: that is the `ttl`, and the issuer's choice.
    scene.answer(&goes).await.is_ok("in");
    scene.passes_by(TTL);
    is_revoked(&scene.answer(&goes).await);
    scene.answer(&stays).await.is_ok("in");
    // And it stays so.
    scene.passes_by(60);
    is_revoked(&scene.answer(&goes).await);
}

#[tokio::test]
async fn no_request_asks_anybody_while_the_list_is_held() {
    let scene = Scene::new().await;
    for index in 0..100 {
        scene.answer(&scene.token(index)).await.is_ok("in");
    }
    assert_eq!(scene.server.connections(), 1);
}

#[tokio::test]
async fn single_flight_a_thousand_requests_for_an_unknown_list_are_one_fetch() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (app, token) = (scene.app.clone(), token.clone());
        requests.spawn(async move { send(&app, bearer(&token)).await.status });
    }
    assert_eq!(requests.join_all().await, vec![200; 1_000]);
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn a_list_is_renewed_in_the_background_before_it_ends() {
    let scene = Scene::new().await;
    let (stays, goes) = (scene.token(1), scene.token(2));
    scene.answer(&goes).await.is_ok("in");
    scene.passes_by(4);
    scene.revokes(&[2]);
    // This one has the list renewed and does not wait for it.
    scene.answer(&stays).await.is_ok("in");
    scene.is_asked(2).await;
    is_revoked(&scene.answer(&goes).await);
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn a_list_in_use_is_kept_fresh_without_any_request() {
    let server = FaultServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let auth = Protect::with_keys(&server.url, key.verifying_key())
        .audience(AUDIENCE)
        .status_lists(StatusLists::new())
        .build()
        .unwrap();
    let now = countersign::Timestamp::from(std::time::SystemTime::now());
    let uri = format!("{}{LIST}", server.url);
    let claims = StatusListToken {
        iss: None,
        sub: uri.clone(),
        iat: now.unix_secs(),
        exp: Some(now.saturating_add(Duration::from_secs(600)).unix_secs()),
        ttl: Some(1),
        status_list: StatusList::new(StatusBits::One, 8).unwrap().encode(),
    };
    server.answers(LIST, list(claims.sign(&key).unwrap()));
    let claims = claims_of(&server.url, AUDIENCE)
        .expires_in(now, Duration::from_secs(600))
        .claim("status", StatusReference::new(uri, 1))
        .unwrap();
    let token = signed(&key, "at+jwt", &claims);
    let app = app(auth);
    send(&app, bearer(&token)).await.is_ok("in");
    // One request, and the list is asked for again and again.
    for _ in 0..2_000 {
        if server.asked(LIST) >= 3 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody keeps it fresh");
}

#[tokio::test]
async fn a_list_that_takes_longer_than_it_lives_counts_for_whoever_has_waited_for_it() {
    for revoked in [false, true] {
        let scene = Scene::new().await;
        let mut claims = StatusList::new(StatusBits::One, 100).unwrap();
        claims.set(2, Status::INVALID).unwrap();
        let late = list(scene.claims_of(&claims).sign(&scene.key).unwrap());
        scene.server.answers(LIST, Fault::Late(Box::new(late)));
        let (app, token) = (scene.app.clone(), scene.token(1 + u64::from(revoked)));
        let waiting = tokio::spawn(async move { send(&app, bearer(&token)).await });
        let mut answered = 0;
        while !waiting.is_finished() {
            if scene.asked() > answered {
                answered += 1;
                scene.passes_by(TTL + 1);
                scene.server.release();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = waiting.await.unwrap();
        if revoked {
            is_revoked(&answer);
        } else {
            answer.is_ok("in");
        }
    }
}

#[tokio::test]
async fn stale_if_error_a_list_counts_for_five_minutes_more_and_then_nobody_passes() {
    let scene = Scene::new().await;
    let (stays, goes) = (scene.token(1), scene.token(2));
    scene.revokes(&[2]);
    scene.answer(&stays).await.is_ok("in");
    scene.server.answers(LIST, Fault::Status(500));
    for (passes, asked) in [(TTL, 2), (295, 3), (4, 4)] {
        scene.passes_by(passes);
        scene.answer(&stays).await.is_ok("in");
        is_revoked(&scene.answer(&goes).await);
        scene.is_asked(asked).await;
    }
    scene.passes_by(1);
    let answer = scene.answer(&stays).await;
    answer.is_problem(503, "unavailable", "Service unavailable");
    // Three attempts failed, the last of them a second ago.
    assert_eq!(answer.headers["retry-after"], "3");
    scene.passes_by(3);
    scene.publishes(&scene.claims());
    scene.answer(&stays).await.is_ok("in");
}

#[tokio::test]
async fn the_grace_of_a_list_is_the_services_to_say() {
    let scene = Scene::with(|lists| lists.grace(Duration::from_secs(10))).await;
    let token = scene.token(1);
    scene.answer(&token).await.is_ok("in");
    scene.server.answers(LIST, Fault::Hangup);
    scene.passes_by(TTL + 9);
    scene.answer(&token).await.is_ok("in");
    scene.passes_by(1);
    assert_eq!(scene.status(&token).await, 503);
}

#[tokio::test]
async fn fail_open_lets_tokens_pass_that_nobody_can_ask_about_until_they_expire() {
    let scene = Scene::with(StatusLists::fail_open).await;
    let (stays, goes) = (scene.token(1), scene.token(2));
    scene.server.answers(LIST, Fault::Status(500));
    scene.answer(&goes).await.is_ok("in");
    scene.passes_by(1);
    scene.revokes(&[2]);
    // What is known counts all the same.
    is_revoked(&scene.answer(&goes).await);
    scene.server.answers(LIST, Fault::Status(500));
    scene.passes_by(TTL + 299);
    is_revoked(&scene.answer(&goes).await);
    scene.passes_by(1);
    scene.answer(&goes).await.is_ok("in");
    scene.answer(&stays).await.is_ok("in");
    scene.passes_by(7_200);
    let answer = scene.answer(&stays).await;
    answer.is_problem(401, "token_expired", "jwt expired");
}

#[tokio::test]
async fn a_list_never_counts_beyond_its_exp() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    let claims = StatusListToken {
        exp: Some(scene.clock.now().unix_secs() + 20),
        ..scene.claims()
    };
    scene.publishes(&claims);
    scene.answer(&token).await.is_ok("in");
    scene.server.answers(LIST, Fault::Hangup);
    scene.passes_by(19);
    scene.answer(&token).await.is_ok("in");
    scene.passes_by(1);
    assert_eq!(scene.status(&token).await, 503);
}

#[tokio::test]
async fn ttl_is_taken_within_a_second_and_an_hour() {
    for (ttl, secs) in [(None, 60), (Some(86_400), 3_600), (Some(30), 30)] {
        let scene = Scene::new().await;
        let token = scene.token(1);
        let exp = Some(scene.clock.now().unix_secs() + 100_000);
        let claims = StatusListToken {
            ttl,
            exp,
            ..scene.claims()
        };
        scene.publishes(&claims);
        scene.answer(&token).await.is_ok("in");
        // Not yet a moment before three quarters of it, when it is renewed in the background.
        scene.passes_by(secs * 3 / 4 - 1);
        scene.answer(&token).await.is_ok("in");
        assert_eq!(scene.asked(), 1, "{ttl:?}");
        // And over at the end of it.
        scene.passes_by(secs - (secs * 3 / 4 - 1));
        scene.revokes(&[1]);
        is_revoked(&scene.answer(&token).await);
    }
}

#[tokio::test]
async fn an_etag_spares_the_list_until_it_would_expire() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    let claims = StatusListToken {
        exp: Some(scene.clock.now().unix_secs() + 30),
        ..scene.claims()
    };
    let text = claims.sign(&scene.key).unwrap();
    scene.server.answers(LIST, list(text).and("etag", "\"7\""));
    scene.answer(&token).await.is_ok("in");
    scene.server.answers(LIST, Fault::Unchanged);
    for _ in 0..3 {
        scene.passes_by(TTL);
        scene.answer(&token).await.is_ok("in");
    }
    let heads = scene.server.heads();
    assert_eq!(heads.len(), 4);
    assert!(!heads[0].contains("if-none-match"), "{}", heads[0]);
    for head in &heads[1..] {
        assert!(head.contains("if-none-match: \"7\""), "{head}");
        assert!(
            head.contains("accept: application/statuslist+jwt"),
            "{head}"
        );
    }
    // Near its `exp` the whole is asked for, and an issuer that says "unchanged" to that says nothing.
    scene.passes_by(TTL);
    scene.answer(&token).await.is_ok("in");
    assert!(!scene.server.heads()[4].contains("if-none-match"));
    scene.passes_by(2 * TTL);
    assert_eq!(scene.status(&token).await, 503);
}

#[tokio::test]
async fn a_list_from_before_the_token_is_not_the_last_word_about_it() {
    let scene = Scene::new().await;
    scene.revokes(&[1]);
    let old = scene.token(1);
    is_revoked(&scene.answer(&old).await);
    // The place is given to another token, and that one is used at once.
    scene.passes_by(2);
    scene.revokes(&[]);
    let new = scene.token(1);
    scene.answer(&new).await.is_ok("in");
    assert_eq!(scene.asked(), 2);
    // A list that has grown since: the same.
    scene.passes_by(2);
    scene.publishes(&scene.claims_of(&StatusList::new(StatusBits::One, 1_000).unwrap()));
    scene.answer(&scene.token(999)).await.is_ok("in");
    assert_eq!(scene.asked(), 3);
}

#[tokio::test]
async fn a_list_is_not_the_last_word_about_a_token_that_does_not_say_since_when_it_is() {
    let scene = Scene::built(|protect| protect.plain_jwt().status_lists(StatusLists::new())).await;
    // Without `iat`.
    let claims = countersign::ClaimsSet::new(&scene.server.url, AUDIENCE)
        .expires_at(scene.clock.now().saturating_add(Duration::from_secs(600)))
        .claim("status", StatusReference::new(scene.uri(), 1))
        .unwrap();
    let token = signed(&scene.key, "JWT", &claims);
    scene.revokes(&[1]);
    is_revoked(&scene.answer(&token).await);
    scene.passes_by(2);
    scene.revokes(&[]);
    scene.answer(&token).await.is_ok("in");
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_taken_back_asks_for_no_list_again() {
    let scene = Scene::new().await;
    let token = scene.token(1);
    scene.passes_by(2);
    scene.revokes(&[1]);
    for _ in 0..100 {
        is_revoked(&scene.answer(&token).await);
    }
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn not_more_than_sixty_four_lists_are_held() {
    let scene = Scene::new().await;
    let tokens: Vec<String> = (0..100)
        .map(|number| {
            let path = format!("/lists/{number}");
            let uri = format!("{}{path}", scene.server.url);
            let claims = StatusListToken {
                sub: uri.clone(),
                ..scene.claims()
            };
            scene
                .server
                .answers(&path, list(claims.sign(&scene.key).unwrap()));
            scene.token_with(StatusReference::new(uri, 1))
        })
        .collect();
    for token in tokens.iter().chain(&tokens) {
        scene.answer(token).await.is_ok("in");
    }
    // The last are held still; of the hundred, at least thirty-six were let go and fetched again.
    assert!(
        scene.server.connections() >= 136,
        "{}",
        scene.server.connections()
    );
}
