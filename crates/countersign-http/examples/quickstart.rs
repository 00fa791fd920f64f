//! One line protects a router: start `countersign serve --audience orders`, then this.

use axum::{Router, routing::get};
use countersign_http::{Protect, VerifiedToken};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Protect::issuer("http://127.0.0.1:8080").audience("orders");
    let show = async |who: VerifiedToken| who.registered().sub().unwrap_or_default().to_owned();
    let app = Router::new().route("/me", get(show));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app.layer(auth.build()?)).await?)
}
