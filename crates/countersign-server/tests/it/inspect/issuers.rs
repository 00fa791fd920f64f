//! Where an administrator can send the server for the keys of others: to the public Internet, and to no place from which only
//! the server itself could come back.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{as_member, token};
use crate::app::{ISSUER, TestApp, post};

/// What an administrator is told who names this issuer.
async fn told(app: &TestApp, administrator: &str, issuer: &str) -> Value {
    let question = json!({"token": token(60), "key": {"form": "issuer", "text": issuer}});
    let answer = as_member(app, post("/inspect/explain", &question), administrator).await;
    answer.json()["key_problem"]["message"].clone()
}

/// Asks for keys at a port of this machine under each of its names, and tells whether anybody came.
async fn comes_by(app: &TestApp, administrator: &str, schemes: &[&str]) -> bool {
    let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = here.local_addr().unwrap().port();
    // Whoever comes is sent away at once: then there is nothing to wait for.
    let came = tokio::spawn(async move { here.accept().await.is_ok() });
    for scheme in schemes {
        for host in [
            "127.0.0.1",
            "0x7f.1",
            "2130706433",
            "[::ffff:127.0.0.1]",
            "localhost",
            "id.localhost",
        ] {
            let message = told(app, administrator, &format!("{scheme}://{host}:{port}")).await;
            let message = message.as_str().unwrap();
            assert!(
                message.starts_with("the keys of this issuer cannot be had;"),
                "{scheme} {host} {message}"
            );
        }
    }
    let is_over = came.is_finished();
    came.abort();
    is_over
}

#[tokio::test]
async fn rejects_an_issuer_inside_the_house_whatever_way_it_is_written() {
    let app = TestApp::with(&[("PUBLIC_URL", "https://id.example")]).await;
    let administrator = app.administrator().await;
    assert!(!comes_by(&app, &administrator.access, &["https", "http"]).await);
    let mut told_of_all = Vec::new();
    for issuer in [
        "https://10.0.0.1",
        "https://192.168.0.1:8443",
        "https://169.254.169.254",
        "https://0xa9fea9fe",
        "https://[fd00:ec2::254]",
        "https://[::1]:1",
        "https://no-such-name.invalid",
    ] {
        told_of_all.push(told(&app, &administrator.access, issuer).await);
    }
    told_of_all.dedup();
    assert_eq!(told_of_all.len(), 1, "{told_of_all:?}");
}

#[tokio::test]
async fn in_development_an_issuer_on_this_machine_is_asked_and_no_fault_of_it_is_told() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    assert!(!comes_by(&app, &administrator.access, &["https"]).await);
    assert!(comes_by(&app, &administrator.access, &["http"]).await);
    let closed = told(&app, &administrator.access, "http://127.0.0.1:1").await;
    assert!(!closed.as_str().unwrap().contains("connection"), "{closed}");
}

#[tokio::test]
async fn the_servers_own_address_is_its_own_with_a_slash_too_and_another_one_is_not() {
    let (app, tokens) = TestApp::with_session().await;
    for (address, kind) in [
        (format!("{ISSUER}/"), "valid"),
        (format!(" {ISSUER} "), "valid"),
        (format!("{ISSUER}/other"), "unverified"),
    ] {
        let question = json!({"token": tokens.access, "key": {"form": "issuer", "text": address}});
        let answer = super::explain(&app, &question).await;
        assert_eq!(answer["verdict"]["kind"], kind, "{address} {answer}");
    }
}
