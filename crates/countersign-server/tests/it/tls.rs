//! The server on a real socket, speaking TLS itself.

use std::path::Path;

use countersign_server::{Error, Facts, Flags, Settings, start};
use http::Version;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{EMAIL, PASSWORD};

/// A certificate for this machine, in `cert.pem` and `key.pem` of a folder.
fn certificate(folder: &Path) -> Certificate {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(cert.pem().as_bytes()).unwrap()
}

fn settings(folder: &Path) -> Settings {
    let flags = Flags {
        data: Some(folder.join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        tls_cert: Some(folder.join("cert.pem")),
        tls_key: Some(folder.join("key.pem")),
        ..Flags::default()
    };
    Settings::load(flags, []).unwrap()
}

struct Running {
    facts: Facts,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
}

impl Running {
    async fn start(folder: &Path) -> Self {
        let server = start(settings(folder)).await.unwrap();
        let facts = server.facts().clone();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(server.run(async { ended.await.unwrap_or_default() }));
        Self {
            facts,
            end,
            running,
        }
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

fn client(certificate: Certificate) -> Client {
    let builder = Client::builder().no_proxy().tls_certs_only([certificate]);
    builder.build().unwrap()
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_http_2_over_tls_and_says_so_to_browsers() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(certificate(folder.path()));
    let server = Running::start(folder.path()).await;
    let url = &server.facts.issuer;
    assert_eq!(*url, format!("https://{}", server.facts.address));
    assert!(server.facts.tls && !server.facts.development);
    let answer = client.get(format!("{url}/livez")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_2)
    );
    assert_eq!(
        answer.headers()["strict-transport-security"],
        "max-age=31536000"
    );
    let body = json!({"email": EMAIL, "password": PASSWORD, "session": "cookie"});
    let account = json!({"email": EMAIL, "password": PASSWORD});
    let signed_up = client
        .post(format!("{url}/signup"))
        .json(&account)
        .send()
        .await;
    assert_eq!(signed_up.unwrap().status(), 201);
    let answer = client
        .post(format!("{url}/login"))
        .json(&body)
        .send()
        .await
        .unwrap();
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.starts_with("__Host-") && cookie.contains("; Secure;"),
            "{cookie}"
        );
    }
    // HTTP/1.1 over TLS for whoever speaks nothing else.
    let older = Client::builder().no_proxy().http1_only();
    let older = older.tls_danger_accept_invalid_certs(true).build().unwrap();
    let answer = older.get(format!("{url}/livez")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_11)
    );
    server.end().await;
}

#[tokio::test]
async fn plain_http_gets_no_answer_from_a_server_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let server = Running::start(folder.path()).await;
    let mut stream = TcpStream::connect(server.facts.address).await.unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    server.end().await;
}

#[tokio::test]
async fn rejects_a_certificate_that_is_none_or_has_another_key_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let (good_cert, good_key) = (std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    certificate(folder.path());
    let other_key = std::fs::read(&key).unwrap();
    for (cert_text, key_text, named) in [
        (&good_cert[..], &other_key[..], "flag --tls-key"),
        (&good_key, &good_key, "flag --tls-cert"),
        (&good_cert, &good_cert, "flag --tls-key"),
        (b"", &good_key, "flag --tls-cert"),
        (&good_cert, b"no key", "flag --tls-key"),
    ] {
        std::fs::write(&cert, cert_text).unwrap();
        std::fs::write(&key, key_text).unwrap();
        let error = start(settings(folder.path())).await.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("tls_unusable", 3));
        assert!(error.to_string().starts_with(named), "{error}");
    }
    std::fs::remove_file(&cert).unwrap();
    let error = start(settings(folder.path())).await.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("tls_unusable", 4));
    assert!(
        error.to_string().contains("cert.pem does not exist"),
        "{error}"
    );
    assert!(!folder.path().join("data").exists());
}
