//! `GET /sessions` and `DELETE /sessions/{id}`: where somebody is logged in, and the end of one of these.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use countersign::AccessToken;
use countersign_http::{Claims, unverified_bearer};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use crate::app::App;
use crate::body::Named;
use crate::error::Error;
use crate::rules::session;
use crate::store::sessions::SessionRow;

#[derive(Serialize)]
pub(crate) struct Sessions {
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Session {
    id: String,
    /// In words: "Firefox on Linux".
    device: Option<String>,
    /// The network that it was begun from: `192.0.2.0/24`.
    address: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
    /// The one that asks.
    current: bool,
}

impl Session {
    fn of(row: SessionRow, current: Option<&str>) -> Self {
        Self {
            current: current == Some(&row.id),
            id: row.id,
            device: row.user_agent,
            address: row.address,
            created_at: row.created_at,
            last_used_at: row.counter.rotated_at,
            expires_at: row.counter.expires_at,
        }
    }
}

pub(crate) async fn get(
    State(app): State<App>,
    Claims(token): Claims<AccessToken>,
) -> Result<Json<Sessions>, Error> {
    let rows = app.store.living_sessions(&token.sub, app.now()).await?;
    let current = token.sid.as_deref();
    let sessions = rows.into_iter().map(|row| Session::of(row, current));
    Ok(Json(Sessions {
        sessions: sessions.collect(),
    }))
}

pub(crate) async fn delete(
    State(app): State<App>,
    Claims(token): Claims<AccessToken>,
    Named(id): Named,
    parts: Parts,
) -> Result<Response, Error> {
    if !session::end_one(&app.store, &token.sub, &id, app.now()).await? {
        return Err(Error::SessionUnknown);
    }
    tracing::info!(sid = id, by = token.sid, "a session was ended");
    let mut response = StatusCode::NO_CONTENT.into_response();
    // A token that came in a header says nothing of whose cookies the browser has.
    let is_by_cookie = matches!(unverified_bearer(&parts, None), Ok(None));
    if is_by_cookie && token.sid.as_deref() == Some(&id) {
        app.cookies.clear(response.headers_mut());
    }
    Ok(response)
}
