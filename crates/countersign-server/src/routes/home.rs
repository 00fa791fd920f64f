//! `GET /`: what runs here, and how to try it.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::VERSION;
use crate::app::App;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::visitor::Visitor;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    shell: Shell,
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

pub(crate) async fn get(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    shell: Shell,
) -> Response {
    let needs_administrator = match app.store.setup().await {
        Ok(setup) => setup.administrator_id.is_none(),
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let home = Home {
        shell,
        version: VERSION,
        issuer: &app.terms.issuer,
        jwks_uri: app.url("/.well-known/jwks.json"),
        has_public_keys: !app.signing_alg().is_symmetric(),
        keys: app.ring().describe(app.now()),
        signed_in: visitor.email(),
        needs_administrator,
    };
    page(StatusCode::OK, &home)
}
