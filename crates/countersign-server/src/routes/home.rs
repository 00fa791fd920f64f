//! `GET /`: what runs here, and how to try it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};

use crate::VERSION;
use crate::app::App;
use crate::error::Error;
use crate::routes::page::page;
use crate::routes::visitor::Visitor;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    version: &'static str,
    issuer: &'a str,
    jwks_uri: String,
    keys: String,
    needs_administrator: bool,
    /// The address of whoever is signed in by cookies.
    signed_in: Option<String>,
    /// A shared secret is not published.
    has_public_keys: bool,
}

pub(crate) async fn get(State(app): State<App>, headers: HeaderMap) -> Result<Response, Error> {
    let visitor = Visitor::of(&app, &headers).await;
    let home = Home {
        version: VERSION,
        issuer: &app.terms.issuer,
        jwks_uri: app.url("/.well-known/jwks.json"),
        has_public_keys: !app.signing_alg().is_symmetric(),
        keys: app.ring().describe(app.now()),
        signed_in: visitor.user.map(|user| user.email),
        needs_administrator: app.store.setup().await?.administrator_id.is_none(),
    };
    Ok((visitor.headers, page(StatusCode::OK, &home)).into_response())
}
