//! One layer protects a router: `cargo run -p countersign-http --example quickstart`, then the printed command.

use std::time::{Duration, SystemTime};

use axum::{Router, routing::get};
use countersign::{Algorithm, ClaimsSet, SigningKey};
use countersign_http::{Claims, Protect};

#[derive(serde::Deserialize)]
struct Customer {
    name: String,
}

async fn hello(Claims(customer): Claims<Customer>) -> String {
    format!("hello, {}\n", customer.name)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The issuer's key; a service has its verifying half only.
    let key = SigningKey::generate(Algorithm::ES256)?;
    let auth = Protect::with_keys("https://id.example", key.verifying_key())
        .audience("orders-api")
        .plain_jwt()
        .build()?;
    let app = Router::new().route("/hello", get(hello)).layer(auth);

    let claims = ClaimsSet::new("https://id.example", "orders-api").claim("name", "Ada")?;
    let token = key.sign(&claims.expires_in(SystemTime::now().into(), Duration::from_secs(600)))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "curl -H 'authorization: Bearer {token}' http://{}/hello",
        listener.local_addr()?
    );
    Ok(axum::serve(listener, app).await?)
}
