//! `countersign sessions`.

use serde_json::json;

use crate::support::{Bench, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoking_all_sessions_ends_them_on_a_server_that_runs() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    server.sign_up().await;
    let (first, second) = (server.log_in().await, server.log_in().await);
    let revoke = || bench.run(&["sessions", "revoke", "--all", "--data", "data"]);
    assert_eq!(revoke().ok(), "2 sessions ended\n");
    for tokens in [first, second] {
        let token = tokens["token"].as_str().unwrap();
        let (status, body) = server.get("/profile", token).await;
        assert_eq!((status, &body["code"]), (401, &json!("token_revoked")));
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        assert_eq!(server.post("/refresh", &refresh).await.0, 401);
    }
    assert_eq!(revoke().ok(), "0 sessions ended\n");
    // Whoever logs in again is in.
    let again = server.log_in().await;
    let (status, _) = server
        .get("/profile", again["token"].as_str().unwrap())
        .await;
    assert_eq!(status, 200);
    server.stop();
}
