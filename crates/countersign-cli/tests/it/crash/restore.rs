//! The restore drill: a copy that was taken while the server ran is put in the database's place after a crash.

use serde_json::{Value, json};

use super::rounds::ISSUER;
use crate::support::Bench;
use crate::support::server::Server;

/// What the drill found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Sessions that were begun before the copy and were refused after it was put back.
    pub(crate) logouts: u64,
    /// Sessions that were begun after the copy and were refused.
    pub(crate) later_refused: u64,
    /// What the figures say of both.
    pub(crate) ahead: u64,
    pub(crate) unknown: u64,
    /// Sessions whose log-out came after the copy, and that live again.
    pub(crate) revived: u64,
    /// Entries of the audit trail about the time that went back.
    pub(crate) audited: u64,
    /// What the operator's command ended, and how many tokens were refused then.
    pub(crate) ended: u64,
    pub(crate) refused: u64,
}

const BEFORE: u64 = 3;
const METRICS: [&str; 6] = [
    "--listen",
    "127.0.0.1:0",
    "--public-url",
    ISSUER,
    "--metrics-listen",
    "127.0.0.1:0",
];

async fn refresh(server: &Server, tokens: &mut Value) -> u16 {
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let (status, answer) = server.post("/refresh", &body).await;
    if status == 200 {
        *tokens = answer;
    }
    status
}

pub(crate) async fn drill() -> Restored {
    let bench = Bench::new();
    let mut server = Server::start_as(&bench, ISSUER);
    server.sign_up().await;
    let mut before = Vec::new();
    for _ in 0..BEFORE {
        before.push(server.log_in().await);
    }
    let leaving = server.log_in().await;
    bench.run(&["backup", "copy.db", "--data", "data"]).ok();
    for tokens in &mut before {
        for _ in 0..3 {
            assert_eq!(refresh(&server, tokens).await, 200);
        }
    }
    let mut later = server.log_in().await;
    let (status, _) = server
        .answers()
        .try_post_as("/logout", &leaving, &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 200);
    let restore = || bench.run(&["restore", "copy.db", "--data", "data"]);
    restore().fails(4, &["a server runs on the data folder"]);
    // What was written since the copy is for the most part in the write-ahead log.
    Server::kill_now(server.pid());
    server.wait();
    restore().ok();

    let server = Server::start_with(&bench, &METRICS, &[]);
    let mut found = Restored::default();
    for tokens in &mut before {
        found.logouts += u64::from(refresh(&server, tokens).await != 200);
    }
    found.later_refused = u64::from(refresh(&server, &mut later).await == 401);
    let profile = async |tokens: &Value| {
        server
            .get("/profile", tokens["token"].as_str().unwrap())
            .await
            .0
    };
    found.revived = u64::from(profile(&leaving).await == 200);
    let figures = server.metrics().await;
    found.ahead = figure(&figures, "countersign_refresh_total{cause=\"ahead\"}");
    found.unknown = figure(&figures, "countersign_refresh_total{cause=\"unknown\"}");
    found.audited = bench
        .read("server.log")
        .matches("went back in time")
        .count()
        .try_into()
        .unwrap();
    let told = bench.run(&["sessions", "revoke", "--all", "--data", "data"]);
    found.ended = told.ok().split(' ').next().unwrap().parse().unwrap();
    for tokens in before.iter_mut().chain([&mut later]) {
        found.refused += u64::from(profile(tokens).await == 401);
        found.refused += u64::from(refresh(&server, tokens).await == 401);
    }
    found.refused += u64::from(profile(&leaving).await == 401);
    server.stop();
    found
}

fn figure(text: &str, name: &str) -> u64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    line.trim().parse().unwrap()
}

/// What it has to be.
pub(crate) fn expected() -> Restored {
    Restored {
        logouts: 0,
        later_refused: 1,
        ahead: BEFORE,
        unknown: 1,
        revived: 1,
        audited: BEFORE,
        ended: BEFORE + 1,
        refused: 2 * (BEFORE + 1) + 1,
    }
}
