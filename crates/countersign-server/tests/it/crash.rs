//! What was answered is durable: after the end of a process, orderly or not, everybody goes on with what they have.

use crate::app::{EMAIL, TestApp, Tokens};

#[tokio::test]
async fn a_restart_logs_nobody_out() {
    let (mut app, first) = TestApp::with_session().await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &second.access).await.status, 200);
    assert_eq!(app.refresh(&second.refresh).await.status, 200);
    app.log_in(EMAIL).await;
}

#[tokio::test]
async fn a_copy_of_the_files_of_a_running_server_is_whole() {
    let (app, first) = TestApp::with_session().await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    // What a machine that lost its power would find on its disk: nobody closed anything.
    let mut after = TestApp::new().await;
    after.server.close().await;
    for entry in std::fs::read_dir(app.data()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, after.data().join(path.file_name().unwrap())).unwrap();
    }
    after.reopen_with(&[]).await.unwrap();
    assert_eq!(after.get_as("/profile", &second.access).await.status, 200);
    assert_eq!(after.refresh(&second.refresh).await.status, 200);
}

#[tokio::test]
async fn a_revocation_survives_a_restart() {
    let (mut app, tokens) = TestApp::with_session().await;
    let body = serde_json::json!({"refresh_token": tokens.refresh});
    assert_eq!(app.post("/logout", &body).await.status, 200);
    app.reopen_with(&[]).await.unwrap();
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    app.refresh(&tokens.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
}
