//! The examples, run.

use countersign_http::Protect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{access_token, claims, expired_token, good_token, protect, tampered_token};

#[path = "../../examples/grpc.rs"]
#[expect(dead_code, reason = "its main, which waits for a real issuer")]
mod grpc;
#[path = "../../examples/hyper.rs"]
#[expect(dead_code, reason = "its main, which waits for a real issuer")]
mod hyper;

/// Stops the server with the test.
struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// The answer of the hyper example, whole.
async fn get(address: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_hyper_example_accepts_a_token_and_rejects_none_and_a_bad_one() {
    let (listener, address) = listener().await;
    let auth = protect().build().unwrap();
    let _server = Server(tokio::spawn(async move {
        hyper::serve(listener, auth).await.unwrap();
    }));
    let answer = get(
        &address,
        &format!("authorization: Bearer {}\r\n", good_token()),
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello, ada\n"),
        "{answer}"
    );
    for (headers, challenge) in [
        (
            String::new(),
            "www-authenticate: Bearer realm=\"orders\"\r\n",
        ),
        (
            format!("authorization: Bearer {}\r\n", expired_token()),
            "error=\"invalid_token\"",
        ),
    ] {
        let answer = get(&address, &headers).await;
        assert!(
            answer.starts_with("HTTP/1.1 401 ") && answer.contains(challenge),
            "{answer}"
        );
    }
}

async fn health_server(auth: Protect) -> (Server, HealthClient<Channel>) {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        grpc::serve(listener, auth).await.unwrap();
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let client = HealthClient::new(endpoint.connect().await.unwrap());
    (Server(server), client)
}

async fn check(client: &mut HealthClient<Channel>, token: Option<&str>) -> Result<i32, Status> {
    let mut request = Request::new(HealthCheckRequest {
        service: String::new(),
    });
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let answer = client.check(request).await?;
    Ok(answer.into_inner().status)
}

#[tokio::test]
async fn the_grpc_example_accepts_a_token_and_rejects_none_and_bad_ones() {
    let (_server, mut client) = health_server(protect().build().unwrap()).await;
    assert_eq!(check(&mut client, Some(&good_token())).await.unwrap(), 1);
    for token in [
        None,
        Some(expired_token()),
        Some(tampered_token()),
        Some("x.y".to_owned()),
    ] {
        let status = check(&mut client, token.as_deref()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        let challenge = status.metadata().get("www-authenticate").unwrap();
        assert!(
            challenge
                .to_str()
                .unwrap()
                .starts_with("Bearer realm=\"orders\"")
        );
    }
    // The connection is good for the next call.
    assert_eq!(check(&mut client, Some(&good_token())).await.unwrap(), 1);
}

#[tokio::test]
async fn the_grpc_example_tells_not_enough_and_not_now_from_not_at_all() {
    let enough = |token: countersign_http::VerifiedToken| async move {
        match token.registered().sub() {
            Some("ada") => Ok(()),
            Some("eve") => Err(countersign_http::Rejection::forbidden()),
            _ => Err(countersign_http::Rejection::unavailable(
                std::time::Duration::from_secs(3),
            )),
        }
    };
    let (_server, mut client) = health_server(protect().check(enough).build().unwrap()).await;
    for (sub, code) in [
        ("ada", None),
        ("eve", Some(Code::PermissionDenied)),
        ("bob", Some(Code::Unavailable)),
    ] {
        let answer = check(&mut client, Some(&access_token(&claims().subject(sub)))).await;
        assert_eq!(answer.err().map(|status| status.code()), code);
    }
}
