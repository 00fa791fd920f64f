use serde_json::json;
use tokio::task::JoinSet;

use crate::app::{DAY, EMAIL, PASSWORD, TestApp, Tokens, post};

const LATE: i64 = 11;

fn is_refused(answer: &crate::app::Answer) {
    answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
    // None came with it, so none is taken away: what the browser has by now may be newer.
    assert!(answer.cookies().is_empty(), "{answer:?}");
}

async fn next(app: &TestApp, tokens: &Tokens) -> Tokens {
    let answer = app.refresh(&tokens.refresh).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Tokens::of(&answer)
}

#[tokio::test]
async fn refreshing_hands_out_the_next_pair() {
    let (app, first) = TestApp::with_session().await;
    let answer = app.refresh(&first.refresh).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(
        (&body["message"], &body["token_type"]),
        (&json!("Token refreshed"), &json!("Bearer"))
    );
    assert_eq!(body["token"], body["access_token"]);
    let second = Tokens::of(&answer);
    assert_ne!(first, second);
    assert_eq!(app.get_as("/profile", &second.access).await.status, 200);
    next(&app, &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_get_one_and_the_same_successor() {
    let (app, tokens) = TestApp::with_session().await;
    let app = std::sync::Arc::new(app);
    let mut racing = JoinSet::new();
    for _ in 0..64 {
        let (app, refresh) = (std::sync::Arc::clone(&app), tokens.refresh.clone());
        racing.spawn(async move { Tokens::of(&app.refresh(&refresh).await).refresh });
    }
    let mut successors = racing.join_all().await;
    assert_eq!(successors.len(), 64);
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert!(
        successors[0].split('.').nth(2) == Some("2"),
        "one generation on"
    );
    let successor = Tokens {
        refresh: successors[0].clone(),
        ..tokens
    };
    app.wait(LATE);
    next(&app, &successor).await;
}

#[tokio::test]
async fn a_third_tab_gets_the_current_token_while_the_window_is_open_and_no_longer() {
    for (waited, is_served) in [(4, true), (5, false)] {
        let (app, first) = TestApp::with_session().await;
        let second = next(&app, &first).await;
        app.wait(6);
        let third = next(&app, &second).await;
        app.wait(waited);
        let answer = app.refresh(&first.refresh).await;
        if is_served {
            assert_eq!(Tokens::of(&answer).refresh, third.refresh);
        } else {
            is_refused(&answer);
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_three_times_a_day() {
    let (app, first) = TestApp::with_session().await;
    let second = next(&app, &first).await;
    for _ in 0..3 {
        app.wait(LATE);
        assert_eq!(next(&app, &first).await.refresh, second.refresh);
    }
    app.wait(LATE);
    is_refused(&app.refresh(&first.refresh).await);
    is_refused(&app.refresh(&second.refresh).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_tabs_that_wake_up_after_a_lost_answer_spend_one_retry() {
    let (app, first) = TestApp::with_session().await;
    let second = next(&app, &first).await;
    let app = std::sync::Arc::new(app);
    for _ in 0..3 {
        app.wait(LATE);
        let mut waking = JoinSet::new();
        for _ in 0..10 {
            let (app, refresh) = (std::sync::Arc::clone(&app), first.refresh.clone());
            waking.spawn(async move { Tokens::of(&app.refresh(&refresh).await).refresh });
        }
        for answered in waking.join_all().await {
            assert_eq!(answered, second.refresh);
        }
    }
    let spent = "SELECT CAST(late_count AS TEXT) FROM sessions";
    assert_eq!(app.look_up(spent).await, "3");
}

#[tokio::test]
async fn the_budget_for_lost_answers_is_whole_again_after_a_day() {
    let (app, first) = TestApp::with_session().await;
    next(&app, &first).await;
    for _ in 0..3 {
        app.wait(LATE);
        next(&app, &first).await;
    }
    app.wait(DAY);
    next(&app, &first).await;
}

#[tokio::test]
async fn reuse_ends_the_session_and_its_access_tokens() {
    let (app, first) = TestApp::with_session().await;
    let second = next(&app, &first).await;
    app.wait(LATE);
    let third = next(&app, &second).await;
    app.wait(LATE);
    assert_eq!(app.get_as("/profile", &third.access).await.status, 200);
    is_refused(&app.refresh(&first.refresh).await);
    app.get_as("/profile", &third.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    is_refused(&app.refresh(&third.refresh).await);
    let entries = "SELECT group_concat(event) FROM audit";
    assert_eq!(app.look_up(entries).await, "session_reused");
}

#[tokio::test]
async fn reuse_ends_one_session_and_no_other() {
    let (app, first) = TestApp::with_session().await;
    let other = app.log_in(EMAIL).await;
    let second = next(&app, &first).await;
    app.wait(LATE);
    next(&app, &second).await;
    app.wait(LATE);
    is_refused(&app.refresh(&first.refresh).await);
    next(&app, &other).await;
}

#[tokio::test]
async fn garbage_never_reaches_the_database() {
    let (app, tokens) = TestApp::with_session().await;
    let (_, other) = TestApp::with_session().await;
    let neighbour = app.log_in(EMAIL).await;
    app.server.close().await;
    let parts: Vec<_> = tokens.refresh.split('.').collect();
    let with = |at: usize, text: &str| {
        let mut parts = parts.clone();
        parts[at] = text;
        parts.join(".")
    };
    let mut garbage = vec![
        String::new(),
        "garbage".to_owned(),
        "....".to_owned(),
        "é".repeat(100),
        "x".repeat(60_000),
        tokens.access.clone(),
        other.refresh,
        tokens.refresh.chars().take(60).collect(),
        format!("{}.x", tokens.refresh),
        with(0, "v2"),
        with(0, "v"),
        with(1, "AAAAAAAAAAAAAAAAAAAAAA"),
        with(2, "2"),
        with(2, "01"),
        with(2, "-1"),
        with(2, "99999999999999999999999"),
        with(3, "AAAAAAAAAAAAAAAAAAAAAA"),
        with(3, ""),
        // The session of another one of ours, which is as alive as this.
        with(1, neighbour.refresh.split('.').nth(1).unwrap()),
        with(3, neighbour.refresh.split('.').nth(3).unwrap()),
    ];
    // Every bit of what the first tag is over, and of the tag itself.
    let (head, second_tag) = tokens.refresh.rsplit_once('.').unwrap();
    for at in 0..head.len() {
        for bit in 0..7 {
            let mut flipped = head.as_bytes().to_vec();
            flipped[at] ^= 1 << bit;
            let flipped = String::from_utf8(flipped).unwrap();
            garbage.push(format!("{flipped}.{second_tag}"));
        }
    }
    let sent = garbage.len();
    for token in garbage {
        is_refused(&app.refresh(&token).await);
    }
    let counted = format!("countersign_refresh_garbage_total {sent}");
    assert!(app.metrics().await.lines().any(|line| line == counted));
    // The database is really gone: a token whose first tag holds asks for it.
    app.refresh(&tokens.refresh)
        .await
        .is_problem(500, "internal_error", "Internal server error");
}

#[tokio::test]
async fn a_second_tag_that_does_not_hold_changes_nothing() {
    let (app, tokens) = TestApp::with_session().await;
    let (head, _) = tokens.refresh.rsplit_once('.').unwrap();
    is_refused(&app.refresh(&format!("{head}.AAAAAAAAAAAAAAAAAAAAAA")).await);
    is_refused(&app.refresh(&format!("{head}.")).await);
    next(&app, &tokens).await;
}

#[tokio::test]
async fn a_database_that_went_back_in_time_logs_nobody_out() {
    let (mut app, first) = TestApp::with_session().await;
    let copy = app.data().join("copy");
    app.server.close().await;
    std::fs::copy(app.data().join("countersign.db"), &copy).unwrap();
    app.reopen_with(&[]).await.unwrap();
    let mut tokens = first.clone();
    for _ in 0..5 {
        tokens = next(&app, &tokens).await;
        app.wait(LATE);
    }
    app.server.close().await;
    std::fs::copy(&copy, app.data().join("countersign.db")).unwrap();
    app.reopen_with(&[]).await.unwrap();
    let after = next(&app, &tokens).await;
    assert_eq!(after.refresh.split('.').nth(2), Some("7"));
    let entries = "SELECT group_concat(event) FROM audit";
    assert_eq!(app.look_up(entries).await, "session_ahead");
    app.wait(LATE);
    next(&app, &after).await;
    app.wait(LATE);
    is_refused(&app.refresh(&first.refresh).await);
}

#[tokio::test]
async fn rejects_a_request_without_a_token_and_one_with_two() {
    let (app, tokens) = TestApp::with_session().await;
    is_refused(&app.post("/refresh", &json!({})).await);
    let mut request = post("/refresh", &json!({"refresh_token": tokens.refresh}));
    request
        .headers_mut()
        .insert("cookie", format!("rt={}", tokens.refresh).parse().unwrap());
    request
        .headers_mut()
        .insert("sec-fetch-site", "same-origin".parse().unwrap());
    app.send(request)
        .await
        .is_problem(400, "invalid_request", "Invalid request");
    app.post("/refresh", &json!({"token": tokens.refresh}))
        .await
        .is_problem(400, "invalid_request", "Invalid request");
}

#[tokio::test]
async fn a_log_in_elsewhere_leaves_a_session_as_it_is() {
    let (app, tokens) = TestApp::with_session().await;
    app.post("/login", &json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    next(&app, &tokens).await;
}

#[tokio::test]
async fn a_restored_session_lives_on_also_when_its_copy_thinks_that_it_went_idle() {
    let (mut app, mut tokens) = TestApp::with_session().await;
    let copy = app.data().join("copy");
    app.server.close().await;
    std::fs::copy(app.data().join("countersign.db"), &copy).unwrap();
    app.reopen_with(&[]).await.unwrap();
    for _ in 0..2 {
        app.wait(10 * DAY);
        tokens = next(&app, &tokens).await;
    }
    app.server.close().await;
    std::fs::copy(&copy, app.data().join("countersign.db")).unwrap();
    app.reopen_with(&[]).await.unwrap();
    let after = next(&app, &tokens).await;
    assert_eq!(app.get_as("/profile", &after.access).await.status, 200);
}

#[tokio::test]
async fn every_refresh_is_counted_by_its_cause() {
    let (app, first) = TestApp::with_session().await;
    let second = next(&app, &first).await;
    next(&app, &first).await;
    app.wait(LATE);
    next(&app, &first).await;
    app.wait(LATE);
    let third = next(&app, &second).await;
    app.wait(LATE);
    is_refused(&app.refresh(&first.refresh).await);
    is_refused(&app.refresh(&third.refresh).await);
    is_refused(&app.refresh("garbage").await);
    let text = app.metrics().await;
    for (cause, count) in [
        ("normal", 2),
        ("race", 1),
        ("late_retry", 1),
        ("reuse", 1),
        ("ahead", 0),
        ("expired", 0),
        ("unknown", 1),
    ] {
        is_counted(&text, cause, count);
    }
}

#[tokio::test]
async fn nothing_is_signed_for_a_session_without_a_place_in_the_status_lists() {
    let (app, tokens) = TestApp::with_session().await;
    app.tamper("UPDATE sessions SET status_idx = NULL WHERE $1 = ''", "")
        .await;
    let refused = app.refresh(&tokens.refresh).await;
    refused.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
}

fn is_counted(metrics: &str, cause: &str, count: u32) {
    let line = format!("countersign_refresh_total{{cause=\"{cause}\"}} {count}");
    assert!(
        metrics.lines().any(|one| one == line),
        "{line} in {metrics}"
    );
}

#[tokio::test]
async fn a_session_that_ran_out_is_counted_apart_from_one_that_was_ended_and_from_a_token_of_none()
{
    let (app, unused) = TestApp::with_session().await;
    let ended = app.log_in(EMAIL).await;
    let (head, _) = ended.refresh.rsplit_once('.').unwrap();
    is_refused(&app.refresh(&format!("{head}.AAAAAAAAAAAAAAAAAAAAAA")).await);
    app.post("/logout", &json!({"refresh_token": ended.refresh}))
        .await;
    is_refused(&app.refresh(&ended.refresh).await);
    let mut used = app.log_in(EMAIL).await;
    app.wait(10 * DAY);
    used = next(&app, &used).await;
    app.wait(10 * DAY);
    is_refused(&app.refresh(&unused.refresh).await);
    used = next(&app, &used).await;
    app.wait(10 * DAY);
    is_refused(&app.refresh(&used.refresh).await);
    let metrics = app.metrics().await;
    is_counted(&metrics, "expired", 2);
    is_counted(&metrics, "unknown", 2);
    // Once it is swept away, nothing says any more what it was.
    app.wait(1);
    app.server.keep_house().await.unwrap();
    is_refused(&app.refresh(&used.refresh).await);
    let metrics = app.metrics().await;
    is_counted(&metrics, "expired", 2);
    is_counted(&metrics, "unknown", 3);
}

#[tokio::test]
async fn a_session_that_is_used_under_a_clock_that_was_set_back_is_not_idle_when_it_is_right_again()
{
    let (app, mut tokens) = TestApp::with_session().await;
    app.wait(-13 * DAY);
    for _ in 0..2 {
        tokens = next(&app, &tokens).await;
        app.wait(60);
    }
    app.wait(15 * DAY - 120);
    next(&app, &tokens).await;
}

/// Tabs that refresh one after the other, each with the token that was there when it began.
#[tokio::test]
async fn however_often_a_session_is_refreshed_a_token_that_was_used_a_moment_ago_ends_nothing() {
    let (app, first) = TestApp::with_session().await;
    let mut tokens = vec![first];
    for _ in 0..60 {
        let behind = tokens.len().saturating_sub(5);
        for old in &tokens[behind..] {
            assert_eq!(app.refresh(&old.refresh).await.status, 200);
        }
        let newest = next(&app, tokens.last().unwrap()).await;
        tokens.push(newest);
        app.wait(1);
    }
}
