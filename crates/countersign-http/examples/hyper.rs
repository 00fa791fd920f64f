//! The same layer before a plain hyper service: `cargo run -p countersign-http --example hyper`.

use std::convert::Infallible;

use countersign_http::{Protect, VerifiedToken};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

/// The service finds the token in the request.
async fn hello(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let token = VerifiedToken::of(request.extensions());
    let sub = token.and_then(|token| token.registered().sub());
    Ok(Response::new(format!(
        "hello, {}\n",
        sub.unwrap_or("nobody")
    )))
}

pub(crate) async fn serve(listener: TcpListener, auth: Protect) -> std::io::Result<()> {
    let service = ServiceBuilder::new().layer(auth).service(service_fn(hello));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection ended badly: {error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Protect::issuer("http://127.0.0.1:8080")
        .audience("orders-api")
        .build()?;
    Ok(serve(TcpListener::bind("127.0.0.1:3000").await?, auth).await?)
}
