//! `POST /refresh`: a refresh token for the next one and a fresh access token.

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::app::App;
use crate::body::MaybeJson;
use crate::error::{self, Error};
use crate::routes::tokens::{self, Mode};
use crate::rules::demo;
use crate::rules::secret::Secret;
use crate::rules::session::Refreshing;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    refresh_token: Option<Secret>,
}

pub(crate) async fn post(State(app): State<App>, request: Request) -> Response {
    // Looked at where they are, and not copied: what is refused costs as little as it can.
    let from_cookie = app.cookies.refresh_token(request.headers());
    let MaybeJson(body) = match MaybeJson::<Shown>::from_request(request, &app).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let from_cookie = match from_cookie {
        Ok(token) => token,
        Err(rejection) => return app.refuse(rejection),
    };
    let (token, mode) = match (body.unwrap_or_default().refresh_token, from_cookie) {
        (Some(_), Some(_)) => return error::problem(&Error::TwoRefreshTokens),
        (Some(token), None) => (token, Mode::Token),
        (None, Some(token)) => (token, Mode::Cookie),
        (None, None) => return error::problem(&Error::RefreshTokenMissing),
    };
    match rotate(&app, &token, mode).await {
        Ok(answer) => answer,
        Err(problem) => refused(&app, &problem, mode),
    }
}

async fn rotate(app: &App, token: &Secret, mode: Mode) -> Result<Response, Error> {
    let (user, session) = match mode {
        Mode::Token => go_on(app, token).await?,
        Mode::Cookie => go_on_in_browser(app, token).await?,
    };
    tokens::answer(app, "Token refreshed", &user, &session, mode)
}

/// As [`go_on`], for a token out of a cookie, with which pages open: one of the demonstration opens none.
pub(super) async fn go_on_in_browser(
    app: &App,
    token: &Secret,
) -> Result<(UserRow, SessionRow), Error> {
    let (user, session) = go_on(app, token).await?;
    if demo::is_of(&session) {
        return Err(Error::InvalidRefreshToken);
    }
    Ok((user, session))
}

/// Takes a refresh token for its session, moved on, and its user as they are now.
async fn go_on(app: &App, token: &Secret) -> Result<(UserRow, SessionRow), Error> {
    let ring = app.ring();
    let refreshing = Refreshing {
        store: &app.store,
        keys: ring.refresh(),
        rule: &app.rotation,
        courtesy: &app.courtesy,
        metrics: &app.metrics,
        now: app.now(),
        believed: app.believed_now(),
    };
    refreshing.refresh(token.expose()).await
}

/// A browser that has no script of ours must not stay with what nothing answers any more, so a cookie that was refused is
/// taken away. That takes away whatever the browser has under this name when the answer comes, which may be a newer one: of
/// that nothing can be told from here, which is why `session.js` lets nobody log in while it refreshes. Where no cookie was
/// refused there is nothing to take away, and a page that only asked whether somebody is logged in logs nobody out.
fn refused(app: &App, problem: &Error, mode: Mode) -> Response {
    let mut response = error::problem(problem);
    if matches!((problem, mode), (Error::InvalidRefreshToken, Mode::Cookie)) {
        app.cookies.clear(response.headers_mut());
    }
    response
}
