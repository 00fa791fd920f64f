//! Https, with certificates of a private authority.

use std::sync::Arc;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// An https server that answers every request with one key set; its URL, its certificate, and what stops it.
async fn https(keys: &Value, name: &str) -> (String, Vec<u8>, Stop) {
    https_by(keys, CertificateParams::new([name.to_owned()]).unwrap()).await
}

/// The same, with a certificate of which more is said.
async fn https_by(keys: &Value, params: CertificateParams) -> (String, Vec<u8>, Stop) {
    let signing_key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&signing_key).unwrap().der().clone();
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
    // An authority of another name, one of the same, and one of the same with a key of another kind.
    let mut stranger = CertificateParams::new([]).unwrap();
    stranger
        .distinguished_name
        .push(DnType::CommonName, "stranger");
    let namesake = || CertificateParams::new([]).unwrap();
    for (authority, kind, words) in [
        (stranger, &PKCS_ECDSA_P256_SHA256, "nobody who is believed"),
        (namesake(), &PKCS_ECDSA_P256_SHA256, "of the same name"),
        (namesake(), &PKCS_ED25519, "of the same name"),
    ] {
        let key = KeyPair::generate_for(kind).unwrap();
        let another = authority.self_signed(&key).unwrap().der().to_vec();
        let distrusting = RemoteKeys::builder().root_certificate(another).at(&url);
        let error = distrusting.unwrap().load().await.unwrap_err();
        assert_eq!(error.code(), "fetch_certificate_refused");
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.contains("SSL_CERT_FILE"), "{text}");
    }
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
    let text = error.to_string();
    assert!(
        text.ends_with("another name than that of the URL; it has id.example"),
        "{text}"
    );
}

/// What is wrong with a certificate that is believed.
type Wrong = fn(&mut CertificateParams);

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_words() {
    let wrong: [(Wrong, &str); 4] = [
        (
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            "-addext basicConstraints=critical,CA:FALSE",
        ),
        (
            |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1),
            "has expired",
        ),
        (
            |params| params.not_before = rcgen::date_time_ymd(4000, 1, 1),
            "not valid yet",
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "for another use than a server's",
        ),
    ];
    for (wrong, words) in wrong {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        wrong(&mut params);
        let (url, certificate, _stop) = https_by(&set(&[]), params).await;
        let keys = RemoteKeys::builder().root_certificate(certificate).at(&url);
        let error = keys.unwrap().load().await.unwrap_err();
        assert_eq!(error.code(), "fetch_certificate_refused", "{error}");
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(
            !text.contains("SSL_CERT_FILE") && !text.contains("Error"),
            "{text}"
        );
    }
}

/// Somebody writes `https` before a port that speaks plain http.
#[tokio::test]
async fn an_answer_without_tls_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/keys", listener.local_addr().unwrap());
    let _stop = Stop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    }));
    let error = RemoteKeys::at(&url).unwrap().load().await.unwrap_err();
    assert_eq!(error.code(), "fetch_connect", "{error}");
    assert!(error.to_string().contains("that of plain http?"), "{error}");
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
