//! `POST /logout`: ends this session, the others, or all of them. Ending what is over is a success.

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use countersign::dangerous::decode_unverified;
use countersign_http::{Rejection, cookie_value, unverified_bearer};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::MaybeJson;
use crate::error::Error;
use crate::rules::secret::Secret;
use crate::rules::session::{self, Which};
use crate::store::sessions::SessionRow;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    scope: Option<Scope>,
    refresh_token: Option<Secret>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    #[default]
    Local,
    Others,
    Global,
}

impl From<Scope> for Which {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Local => Self::This,
            Scope::Others => Self::Others,
            Scope::Global => Self::All,
        }
    }
}

#[derive(Serialize)]
struct Done {
    message: &'static str,
}

/// Why nobody was logged out.
enum Refusal {
    Rejected(Rejection),
    Failed(Error),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Error> for Refusal {
    fn from(problem: Error) -> Self {
        Self::Failed(problem)
    }
}

pub(crate) async fn post(
    State(app): State<App>,
    parts: Parts,
    MaybeJson(body): MaybeJson<Request>,
) -> Response {
    let body = body.unwrap_or_default();
    let scope = body.scope.unwrap_or_default();
    let means_cookies = body.refresh_token.is_none() && !has_bearer(&parts);
    let outcome = log_out(&app, &parts, scope, body.refresh_token).await;
    let is_out = is_out(scope, &outcome);
    let is_done = outcome.is_ok();
    let mut response = match outcome {
        Ok(()) => Answer(Done {
            message: "Logout successful",
        })
        .into_response(),
        Err(Refusal::Rejected(rejection)) => app.refuse(rejection),
        Err(Refusal::Failed(problem)) => problem.into_response(),
    };
    let are_over = match of_cookies(&app, &parts.headers).await {
        Some(is_alive) => !is_alive && (is_out || is_done),
        None => is_out,
    };
    if are_over || (is_out && means_cookies) {
        app.cookies.clear(response.headers_mut());
    }
    response
}

/// Whether a session is named beside this browser's cookies.
fn has_bearer(parts: &Parts) -> bool {
    matches!(unverified_bearer(parts, None), Ok(Some(_)))
}

/// Whether a session lives that a cookie of this browser names: then another was ended, and the cookies are not its. `None`
/// where none is named.
async fn of_cookies(app: &App, headers: &HeaderMap) -> Option<bool> {
    let now = app.now();
    let by_access = match cookie_value(headers, app.cookies.access_name()) {
        Ok(Some(token)) => named_by_access_token(app, token, true, now).await.ok(),
        _ => None,
    };
    let by_refresh = named_by_refresh_token(app, headers, None).await;
    let named = by_access.into_iter().chain(by_refresh.ok().flatten());
    let alive = named.map(|session| session::is_alive(&session, now));
    alive.reduce(|one, other| one || other)
}

/// Ends the session of a browser's cookies. False after a failure of the server's own.
pub(super) async fn of_browser(app: &App, parts: &Parts) -> bool {
    is_out(Scope::Local, &log_out(app, parts, Scope::Local, None).await)
}

/// Whether nobody is logged in any more with what this browser holds. After a failure of the server's own the session lives
/// on, and its browser must still be able to end it.
fn is_out(scope: Scope, outcome: &Result<(), Refusal>) -> bool {
    match outcome {
        Ok(()) => scope != Scope::Others,
        // These take a fresh token, and one that is refused here may only be out of date: whoever still has its refresh
        // token gets another and asks again. Whether that one is over too is for `/refresh` to say.
        Err(_) if scope != Scope::Local => false,
        Err(Refusal::Rejected(rejection)) => rejection.status() == StatusCode::UNAUTHORIZED,
        Err(Refusal::Failed(problem)) => matches!(problem, Error::InvalidRefreshToken),
    }
}

async fn log_out(
    app: &App,
    parts: &Parts,
    scope: Scope,
    from_body: Option<Secret>,
) -> Result<(), Refusal> {
    let now = app.now();
    // Who names a session in the body does not mean the one whose cookies the browser sends along.
    if from_body.is_some() && app.cookies.refresh_token(&parts.headers)?.is_some() {
        return Err(Error::TwoRefreshTokens.into());
    }
    let is_beside = from_body.is_some();
    let cookie = app.access_cookie();
    let cookie = (!is_beside).then_some(&cookie);
    let session = match unverified_bearer(parts, cookie)? {
        Some(token) => named_by_access_token(app, token, scope == Scope::Local, now).await,
        None => Err(Rejection::no_credential().into()),
    };
    // A refresh token names the one session that is its own, and no other.
    let (session, beside) = match session {
        Err(Refusal::Rejected(rejection)) if scope == Scope::Local => {
            let refused = match from_body {
                Some(_) => Error::InvalidRefreshToken.into(),
                None => Refusal::Rejected(rejection),
            };
            let named = named_by_refresh_token(app, &parts.headers, from_body).await?;
            (named.ok_or(refused)?, None)
        }
        Ok(session) if names_another(scope, is_beside, parts) => {
            let named = named_by_refresh_token(app, &parts.headers, from_body).await;
            let named = match named {
                // A cookie that is worth nothing keeps nobody from ending what the other one names.
                Err(Refusal::Rejected(_) | Refusal::Failed(Error::InvalidRefreshToken))
                    if !is_beside =>
                {
                    None
                }
                named => named?,
            };
            (session, named)
        }
        other => (other?, None),
    };
    // Who names two sessions lives on in neither. What is said of all sessions is said of those of the access token's account.
    let beside = beside.filter(|beside| beside.id != session.id);
    let beside = beside.map(|beside| (beside, Scope::Local));
    for (session, scope) in std::iter::once((session, scope)).chain(beside) {
        session::end(&app.store, &session, scope.into(), now).await?;
        tracing::info!(sid = session.id, scope = ?scope, "logged out");
    }
    Ok(())
}

/// Whether a refresh token may name another session than the access token, which ends with it: one in the body, or one of a
/// browser whose cookies are of two sessions.
fn names_another(scope: Scope, is_beside: bool, parts: &Parts) -> bool {
    match scope {
        Scope::Local => is_beside || !has_bearer(parts),
        Scope::Global => !is_beside && !has_bearer(parts),
        Scope::Others => false,
    }
}

/// The session of an access token whose signature holds; for `others` and `global` it must not have expired or ended. That
/// it is over by the clock alone keeps nobody from ending it: the clock may be wrong.
async fn named_by_access_token(
    app: &App,
    token: &str,
    is_local: bool,
    now: i64,
) -> Result<SessionRow, Refusal> {
    // An expired token still names its session: it is judged as of the time at which it says that it was issued, which
    // the signature covers like everything else in it.
    let at = if is_local {
        issued_at(token).map_or(now, |iat| iat.min(now))
    } else {
        now
    };
    let claims = app
        .verify(token, at)
        .map_err(|problem| Rejection::from(&problem))?;
    let session = app
        .store
        .session_by_id(claims.sid.as_deref().unwrap_or_default())
        .await?;
    let session = session
        .filter(|row| row.user_id == claims.sub)
        .ok_or_else(Rejection::revoked)?;
    if is_local || session::is_alive(&session, now) {
        Ok(session)
    } else {
        Err(Rejection::revoked().into())
    }
}

/// What an unverified token says of its beginning: a hint, which counts for nothing until the signature has held.
fn issued_at(token: &str) -> Option<i64> {
    decode_unverified(token).ok()?.claims.get("iat")?.as_i64()
}

async fn named_by_refresh_token(
    app: &App,
    headers: &HeaderMap,
    from_body: Option<Secret>,
) -> Result<Option<SessionRow>, Refusal> {
    let token = match from_body {
        Some(token) => Some(token),
        None => app.cookies.refresh_token(headers)?,
    };
    match token {
        Some(token) => {
            Ok(session::named_by(&app.store, app.ring().refresh(), token.expose()).await?)
        }
        None => Ok(None),
    }
}
