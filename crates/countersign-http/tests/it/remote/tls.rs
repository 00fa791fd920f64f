//! Https, with certificates of a private authority.

use std::sync::Arc;

use base64::Engine as _;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// An https server that answers every request with one key set; its URL, its certificate, and what stops it.
async fn https(keys: &Value, name: &str) -> (String, Vec<u8>, Stop) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = cert.der().clone();
    let private = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/keys",
        listener.local_addr().unwrap().port()
    );
    let body = keys.to_string();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not believe the certificate goes away here.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, certificate.to_vec(), Stop(task))
}

fn pem_of(der: &[u8]) -> String {
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

struct Stop(JoinHandle<()>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn accepts_a_certificate_of_ones_own_authority_and_rejects_one_of_nobody() {
    let (url, certificate, _stop) = https(&set(&[&key()]), "localhost").await;
    let pem = pem_of(&certificate);
    for named in [certificate, pem.into_bytes()] {
        let trusting = RemoteKeys::builder().root_certificate(named).at(&url);
        assert_eq!(trusting.unwrap().load().await.unwrap().keys().count(), 1);
    }
    let (_, another, _other) = https(&set(&[]), "localhost").await;
    let distrusting = RemoteKeys::builder()
        .root_certificate(another)
        .at(&url)
        .unwrap();
    let error = distrusting.load().await.unwrap_err();
    assert_eq!(error.code(), "fetch_certificate_refused");
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
}

#[tokio::test]
async fn rejects_a_certificate_for_another_name() {
    let (url, certificate, _stop) = https(&set(&[&key()]), "id.example").await;
    let keys = RemoteKeys::builder()
        .root_certificate(certificate)
        .at(&url)
        .unwrap();
    let error = keys.load().await.unwrap_err();
    assert_eq!(error.code(), "fetch_certificate_refused");
}

#[test]
fn rejects_a_root_certificate_that_is_none() {
    let no_pem = "-----BEGIN CERTIFICATE-----\n";
    let no_certificate = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    for named in [
        "no certificate",
        "",
        no_pem,
        no_certificate,
        &pem_of(b"AAAA"),
    ] {
        let built = RemoteKeys::builder()
            .root_certificate(named)
            .at("https://id.example/keys");
        let error = built.unwrap_err();
        assert_eq!(error.code(), "fetch_root_certificate", "{named}");
        assert!(error.to_string().contains("DER or in PEM"), "{error}");
    }
}
