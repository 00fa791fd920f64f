//! `GET /admin/v1/audit`: what happened to accounts and sessions, the latest first, a page at a time.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Error;
use crate::rules::audit::{self, About};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    limit: Option<i64>,
    before: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct Page {
    entries: Vec<Entry>,
    /// What to send as `before` for the next page; null on the last one.
    next: Option<i64>,
}

#[derive(Serialize)]
struct Entry {
    seq: i64,
    at: i64,
    event: String,
    /// What `about` says, member by member.
    #[serde(flatten)]
    named: About,
    /// As it was hashed, to the letter.
    about: String,
    hash: String,
    /// Whether the hash is that of this entry after the one before it.
    intact: bool,
}

pub(crate) async fn get(
    State(app): State<App>,
    window: Result<Query<Window>, QueryRejection>,
) -> Result<Json<Page>, Error> {
    let Query(window) = window
        .map_err(|_| Error::Query("the query takes `limit` and `before`, numbers, each once"))?;
    let limit = window.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::Query("`limit` is 1 to 200"));
    }
    let before = window.before.unwrap_or(i64::MAX);
    // One more than asked for: the one that the last of the page follows.
    let rows = app
        .store
        .audit_before(before, limit.saturating_add(1))
        .await?;
    let befores = rows.iter().skip(1).map(Some).chain([None]);
    let asked = usize::try_from(limit).unwrap_or(usize::MAX);
    let entries: Vec<Entry> = rows
        .iter()
        .zip(befores)
        .take(asked)
        .map(|(row, before)| Entry {
            seq: row.seq,
            at: row.at,
            event: row.event.clone(),
            named: serde_json::from_str(&row.about).unwrap_or_default(),
            about: row.about.clone(),
            hash: row.hash.clone(),
            intact: audit::follows(row, before),
        })
        .collect();
    let next = if rows.len() > asked {
        entries.last().map(|entry| entry.seq)
    } else {
        None
    };
    Ok(Json(Page { entries, next }))
}
