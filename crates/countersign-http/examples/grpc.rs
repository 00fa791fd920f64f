//! The same layer before a gRPC server: `cargo run -p countersign-http --example grpc`.
//!
//! The service is tonic's own health check, so that nothing has to be compiled from a `.proto`. A call without a good
//! token ends with UNAUTHENTICATED.

use countersign_http::Protect;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub(crate) async fn serve(
    listener: TcpListener,
    auth: Protect,
) -> Result<(), tonic::transport::Error> {
    let (_reporter, health) = tonic_health::server::health_reporter();
    Server::builder()
        .layer(auth)
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Protect::issuer("http://127.0.0.1:8080")
        .audience("orders-api")
        .build()?;
    Ok(serve(TcpListener::bind("127.0.0.1:3000").await?, auth).await?)
}
