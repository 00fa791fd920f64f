//! kill -9 at any moment of a login or a refresh: no session is lost, and nobody is logged out.

#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]
mod restore;
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]
mod rounds;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::credentials;
use crate::support::{Bench, Server};

/// How many times the server dies, each time a little later in the request.
const DEATHS: usize = 10;

/// Sends a request, lets it run for `turns` turns of the scheduler, and kills the server; the answer, if it came.
async fn cut_short(
    server: &mut Server,
    path: &str,
    body: &Value,
    turns: usize,
) -> Option<(u16, Value)> {
    let pid = server.pid();
    let request = server.try_post(path, body);
    let death = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        Server::kill_now(pid);
    };
    let (answer, ()) = tokio::join!(request, death);
    server.wait();
    answer
}

fn turns(death: usize) -> usize {
    // 1, 4, 16, … 262,144: from before the request has left to after its answer has come.
    4_usize.saturating_pow(u32::try_from(death).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_is_cut_short_loses_no_session() {
    let bench = Bench::new();
    let mut server = Server::start(&bench);
    server.sign_up().await;
    let mut refresh_token = server.log_in().await["refresh_token"].clone();
    for death in 0..DEATHS {
        let body = json!({ "refresh_token": refresh_token });
        if let Some((status, answer)) =
            cut_short(&mut server, "/refresh", &body, turns(death)).await
        {
            assert_eq!(status, 200, "{answer}");
            refresh_token = answer["refresh_token"].clone();
        }
        server = Server::start(&bench);
        // Whether or not the answer was lost, the token that the client holds still works.
        let body = json!({ "refresh_token": refresh_token });
        let (status, answer) = server.post("/refresh", &body).await;
        assert_eq!(status, 200, "after death {death}: {answer}");
        refresh_token = answer["refresh_token"].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_cut_short_loses_neither_account_nor_older_session() {
    let bench = Bench::new();
    let mut server = Server::start(&bench);
    server.sign_up().await;
    let mut older = server.log_in().await["refresh_token"].clone();
    for death in 0..DEATHS {
        cut_short(&mut server, "/login", &credentials(), turns(death)).await;
        server = Server::start(&bench);
        let (status, answer) = server
            .post("/refresh", &json!({ "refresh_token": older }))
            .await;
        assert_eq!(status, 200, "after death {death}: {answer}");
        older = answer["refresh_token"].clone();
        server.log_in().await;
    }
}

fn holds(counted: &rounds::Counted) {
    assert_eq!(
        (counted.logouts, counted.duplicates, counted.revived),
        (0, 0, 0),
        "{counted:?}"
    );
    assert!(counted.refreshes > 0 && counted.rounds > 0, "{counted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_under_concurrent_refreshes_logs_nobody_out() {
    holds(&rounds::run(3, Duration::from_mins(2), false).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_of_the_database_logs_out_nobody_who_was_in_it() {
    assert_eq!(restore::drill().await, restore::expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "200 rounds take minutes: `bash tests/crash.sh`"]
async fn many_rounds() {
    let rounds = std::env::var("COUNTERSIGN_ROUNDS").map_or(200, |text| text.parse().unwrap());
    let counted = rounds::run(rounds, Duration::from_mins(30), true).await;
    println!(
        "rounds {}   honest logouts {}   duplicates {}   ended sessions that came back {}\n\
         refreshes {}   answers lost {}   old tokens refused {} of {}   restarts slower than 8 s {}",
        counted.rounds,
        counted.logouts,
        counted.duplicates,
        counted.revived,
        counted.refreshes,
        counted.lost,
        counted.refused,
        rounds::sessions(),
        counted.slow,
    );
    let restored = restore::drill().await;
    println!(
        "restore: logouts of sessions in the copy {}   later ones refused {} of 1 and counted {}\n\
         tokens ahead noticed {}   audited {}   log-outs after the copy that were lost {}   ended by `sessions revoke --all` {}",
        restored.logouts,
        restored.later_refused,
        restored.unknown,
        restored.ahead,
        restored.audited,
        restored.revived,
        restored.ended,
    );
    holds(&counted);
    assert_eq!(counted.refused, rounds::sessions());
    assert_eq!(restored, restore::expected());
    assert_eq!(counted.rounds, rounds, "the time was over");
}
