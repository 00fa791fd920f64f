//! `GET /admin/v1/users`: the accounts, a page at a time.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::LINK;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Error;
use crate::offline::User;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    limit: Option<i64>,
    after: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Page {
    users: Vec<User>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

pub(crate) async fn get(
    State(app): State<App>,
    window: Result<Query<Window>, QueryRejection>,
) -> Result<Response, Error> {
    let Query(window) = window
        .map_err(|_| Error::Query("the query takes `limit`, a number, and `after`, each once"))?;
    let limit = window.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::Query("`limit` is 1 to 200"));
    }
    let after = window.after.unwrap_or_default();
    // One more than asked for tells whether there is a next page.
    let rows = app
        .store
        .users_after(&after, limit.saturating_add(1))
        .await?;
    let asked = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= asked;
    let users: Vec<User> = rows.into_iter().take(asked).map(User::from).collect();
    let next = if is_last {
        None
    } else {
        users.last().map(|user| user.id.clone())
    };
    // RFC 8288: the next page as an address. A cursor is an id, which needs no escape.
    let link = next.as_deref().map(|next| {
        let url = app.url(&format!("/admin/v1/users?limit={limit}&after={next}"));
        [(LINK, format!("<{url}>; rel=\"next\""))]
    });
    Ok((link, Json(Page { users, next })).into_response())
}
