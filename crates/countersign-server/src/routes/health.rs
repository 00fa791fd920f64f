//! `GET /livez`, `/readyz`, `/version`: for whoever runs the server.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::VERSION;
use crate::app::App;
use crate::error::Error;

#[derive(Serialize)]
pub(crate) struct Status {
    status: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Version {
    version: &'static str,
}

/// The process answers.
pub(crate) async fn live() -> Json<Status> {
    Json(Status { status: "ok" })
}

/// Whether this server can work.
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Status>, Error> {
    check(&app).await?;
    Ok(Json(Status { status: "ready" }))
}

/// The database takes writes (its tables are up to date since the start) and was never found damaged, and a key signs.
///
/// # Errors
/// [`Error::NotReady`] with what is missing.
pub(super) async fn check(app: &App) -> Result<(), Error> {
    if app.is_damaged() {
        return Err(Error::NotReady("the database is damaged"));
    }
    let now = app.now();
    if app.ring().signing(now).is_none() {
        return Err(Error::NotReady("no key signs now"));
    }
    if let Err(problem) = app.store.probe(now).await {
        app.note(&problem);
        tracing::error!(error = %problem, "the database takes no writes");
        return Err(Error::NotReady("the database takes no writes"));
    }
    Ok(())
}

/// What runs here.
pub(crate) async fn version() -> Json<Version> {
    Json(Version { version: VERSION })
}
