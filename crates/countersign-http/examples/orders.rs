//! A service of its own that learns of log-outs: `ISSUER=http://… cargo run -p countersign-http --example orders`.
//!
//! `tests/logout.sh` starts it beside a server and counts the seconds.

use axum::{Router, routing::get};
use countersign_http::{Claims, Protect};

async fn orders(Claims(who): Claims<serde_json::Value>) -> String {
    format!(
        "the orders of {}\n",
        who.registered().sub().unwrap_or_default()
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::var("ISSUER")?;
    let auth = Protect::issuer(issuer).audience("orders-api").build()?;
    let app = Router::new().route("/orders", get(orders)).layer(auth);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
