//! The answer of log-in and refresh: tokens in the body, or in cookies.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Error;
use crate::rules::issue::{self, Issued};
use crate::rules::secret::Secret;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

/// Where the client wants its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Token,
    Cookie,
}

#[derive(Serialize)]
struct Tokens {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<Secret>,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Secret>,
}

/// Signs an access token for a session that is stored, and hands out both tokens.
pub(crate) fn answer(
    app: &App,
    message: &'static str,
    user: &UserRow,
    session: &SessionRow,
    mode: Mode,
) -> Result<Response, Error> {
    let pair = Pair::of(app, user, session)?;
    let mut headers = HeaderMap::new();
    let mut body = Tokens {
        message,
        token: None,
        access_token: None,
        token_type: "Bearer",
        expires_in: pair.access.expires_in,
        refresh_token: None,
    };
    match mode {
        Mode::Token => {
            body.token = Some(pair.access.token.clone());
            body.access_token = Some(pair.access.token);
            body.refresh_token = Some(pair.refresh);
        }
        Mode::Cookie => pair.set(app, session, &mut headers)?,
    }
    Ok((headers, Json(body)).into_response())
}

/// Gives the browser that asked for a page both tokens.
pub(crate) fn set_cookies(
    app: &App,
    user: &UserRow,
    session: &SessionRow,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    Pair::of(app, user, session)?.set(app, session, headers)
}

struct Pair {
    access: Issued,
    refresh: Secret,
}

impl Pair {
    fn of(app: &App, user: &UserRow, session: &SessionRow) -> Result<Self, Error> {
        let ring = app.ring();
        Ok(Self {
            access: issue::access_token(&app.terms, &ring, user, session, app.now())?,
            refresh: ring
                .refresh()
                .mint(session)
                .ok_or(Error::NotReady("the key of this session's tokens is gone"))?,
        })
    }

    fn set(&self, app: &App, session: &SessionRow, headers: &mut HeaderMap) -> Result<(), Error> {
        let max_age = session.counter.expires_at.saturating_sub(app.now());
        app.cookies
            .set(headers, &self.access.token, &self.refresh, max_age)
    }
}
