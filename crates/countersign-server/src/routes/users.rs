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
use crate::routes::next;
use crate::store::users::UserRow;

pub(super) const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    limit: Option<i64>,
    after: Option<String>,
    /// A part of the address.
    email: Option<String>,
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
    let Query(window) = window.map_err(|_| {
        Error::Query("the query takes `limit`, a number, `after` and `email`, each once")
    })?;
    let limit = window.limit.unwrap_or(DEFAULT_LIMIT);
    let (after, part) = (
        window.after.unwrap_or_default(),
        window.email.unwrap_or_default(),
    );
    let (rows, next) = some(&app, &part, &after, limit).await?;
    let users: Vec<User> = rows.into_iter().map(User::from).collect();
    // RFC 8288: the next page as an address. A cursor is an id, which needs no escape.
    let link = next.as_deref().map(|next| {
        let email = if part.is_empty() {
            String::new()
        } else {
            format!("&email={}", next::escape(&part))
        };
        let url = app.url(&format!(
            "/admin/v1/users?limit={limit}&after={next}{email}"
        ));
        [(LINK, format!("<{url}>; rel=\"next\""))]
    });
    Ok((link, Json(Page { users, next })).into_response())
}

/// Accounts in whose address `part` stands, from the one after `after` on, and what to send as `after` for the next page.
///
/// # Errors
/// [`Error::Query`] for a limit that is none.
pub(super) async fn some(
    app: &App,
    part: &str,
    after: &str,
    limit: i64,
) -> Result<(Vec<UserRow>, Option<String>), Error> {
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::Query("`limit` is 1 to 200"));
    }
    // One more than asked for tells whether there is a next page.
    let most = limit.saturating_add(1);
    let mut rows = if part.is_empty() {
        app.store.users_after(after, most).await?
    } else {
        app.store.users_with(part, after, most).await?
    };
    let asked = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= asked;
    rows.truncate(asked);
    let next = rows.last().filter(|_| !is_last).map(|row| row.id.clone());
    Ok((rows, next))
}
