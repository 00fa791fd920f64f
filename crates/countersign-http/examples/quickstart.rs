//! One line protects a router: start `countersign serve --audience orders-api`, then this.

use axum::{Router, routing::get};
use countersign_http::{Protect, VerifiedToken};

async fn orders(token: VerifiedToken) -> String {
    let who = token.registered().sub().unwrap_or("nobody");
    format!("the orders of {who}\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Protect::issuer("http://127.0.0.1:8080")
        .audience("orders-api")
        .build()?;
    let app = Router::new().route("/orders", get(orders)).layer(auth);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
