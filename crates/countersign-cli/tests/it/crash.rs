//! kill -9 at any moment of a login or a refresh: no session is lost, and nobody is logged out.

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
