//! One line protects a router: start `countersign serve --audience orders-api`, then this.

use axum::{Router, routing::get};
use countersign_http::{Claims, Protect};

#[derive(serde::Deserialize)]
struct Customer {
    roles: Vec<String>,
}

async fn orders(Claims(who): Claims<Customer>) -> String {
    let sub = who.registered().sub().unwrap_or_default();
    format!("the orders of {sub}, roles {:?}\n", who.roles)
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
