//! `countersign keys`.

use countersign::dangerous::decode_unverified;
use serde_json::Value;

use crate::support::{Bench, Server};

fn kid(tokens: &Value) -> String {
    let token = tokens["token"].as_str().unwrap();
    let decoded = decode_unverified(token).unwrap();
    decoded.header.kid().unwrap().to_owned()
}

async fn published(server: &Server) -> usize {
    let (status, set) = server.get("/.well-known/jwks.json", "").await;
    assert_eq!(status, 200);
    set["keys"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_signs_after_a_rotation_and_the_old_tokens_count() {
    let bench = Bench::new();
    let server = Server::start_as(&bench, "http://localhost:7411");
    server.sign_up().await;
    let before = server.log_in().await;
    let done = bench.run(&["keys", "rotate", "--data", "data"]);
    let rotated = done.ok();
    let lines: Vec<&str> = rotated.lines().collect();
    assert_eq!(lines[0], format!("ended\t{}\tES256", kid(&before)));
    server.stop();
    let server = Server::start_as(&bench, "http://localhost:7411");
    let after = server.log_in().await;
    assert_eq!(lines[1], format!("signs\t{}\tES256", kid(&after)));
    assert_eq!((lines.len(), published(&server).await), (2, 3));
    for tokens in [before, after] {
        let token = tokens["token"].as_str().unwrap();
        assert_eq!(server.get("/profile", token).await.0, 200);
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_leak_no_key_of_before_is_published_and_nobody_is_logged_out() {
    let bench = Bench::new();
    let server = Server::start_as(&bench, "http://localhost:7412");
    server.sign_up().await;
    let before = server.log_in().await;
    let rotated = bench.run(&["keys", "rotate", "--leaked", "--data", "data"]);
    assert!(
        rotated.stderr.contains("five minutes"),
        "{}",
        rotated.stderr
    );
    let rotated = rotated.ok();
    assert_eq!(rotated.lines().count(), 2, "{rotated}");
    assert!(rotated.contains(&format!("withdrawn\t{}\tES256\n", kid(&before))));
    server.stop();
    let server = Server::start_as(&bench, "http://localhost:7412");
    let token = before["token"].as_str().unwrap();
    assert_eq!(server.get("/profile", token).await.0, 401);
    assert_eq!(published(&server).await, 2);
    let refresh = serde_json::json!({"refresh_token": before["refresh_token"]});
    let (status, after) = server.post("/refresh", &refresh).await;
    assert_eq!(status, 200);
    assert!(!rotated.contains(&kid(&after)));
    let token = after["token"].as_str().unwrap();
    assert_eq!(server.get("/profile", token).await.0, 200);
    server.stop();
}

#[test]
fn a_shared_secret_is_not_changed_by_a_command() {
    let bench = Bench::new();
    let secret = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";
    bench.write(
        "shared.toml",
        format!("signing_alg = \"HS256\"\nsigning_secret = \"{secret}\"\n"),
    );
    let done = bench.run(&[
        "keys",
        "rotate",
        "--data",
        "data",
        "--config",
        "shared.toml",
    ]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("shared secret"), "{}", done.stderr);
    assert!(!done.stderr.contains(secret));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_are_encrypted_anew_while_no_server_runs_and_nobody_is_logged_out() {
    let bench = Bench::new();
    let server = Server::start_as(&bench, "http://localhost:7413");
    server.sign_up().await;
    let before = server.log_in().await;
    let reencrypt = || bench.run(&["keys", "reencrypt", "--data", "data"]);
    reencrypt().fails(4, &["a server runs on the data folder data; stop it first"]);
    server.stop();
    let old = bench.read("data/key-encryption.key");
    let done = reencrypt();
    assert_eq!(done.ok().matches("encrypted\t").count(), 3, "{done:?}");
    for part in [
        "keep a copy of data/key-encryption.key",
        "the key of before is data/key-encryption.key.before-2",
    ] {
        assert!(done.stderr.contains(part), "{part}: {done:?}");
    }
    let new = bench.read("data/key-encryption.key");
    assert_ne!(old, new);
    for secret in [old.trim(), new.trim()] {
        assert!(!format!("{done:?}").contains(secret));
    }
    let server = Server::start_as(&bench, "http://localhost:7413");
    let token = before["token"].as_str().unwrap();
    assert_eq!(server.get("/profile", token).await.0, 200);
    let refresh = serde_json::json!({"refresh_token": before["refresh_token"]});
    assert_eq!(server.post("/refresh", &refresh).await.0, 200);
    server.stop();
}
