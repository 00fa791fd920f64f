//! Whose page this is: who is signed in by cookies.
//!
//! Pages work without JavaScript, so where an access token is over, the request for a page moves its session on. Two
//! windows that are opened at once do so twice, and get the same token.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use countersign_http::cookie_value;
use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::app::App;
use crate::error::Error;
use crate::routes::navigation::{Doors, Reader};
use crate::routes::notice::Notice;
use crate::routes::{refresh, tokens};
use crate::rules::roles::ADMIN;
use crate::rules::session::Both;

/// Who asks for a page.
#[derive(Clone, Default)]
pub(crate) enum Visitor {
    #[default]
    Guest,
    Member(Arc<Both>),
    /// Whether somebody is signed in could not be found out.
    Unknown,
}

impl Visitor {
    pub(crate) fn reader(&self) -> Reader {
        match self {
            Self::Member(both) if both.user.roles().iter().any(|role| role == ADMIN) => {
                Reader::Administrator
            }
            Self::Member(_) => Reader::Member,
            Self::Guest | Self::Unknown => Reader::Guest,
        }
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        match self {
            Self::Member(both) => Some(&both.user.id),
            Self::Guest | Self::Unknown => None,
        }
    }

    pub(crate) fn email(&self) -> Option<String> {
        match self {
            Self::Member(both) => Some(both.user.email.clone()),
            Self::Guest | Self::Unknown => None,
        }
    }

    /// The user whose cookies these are, and what to tell their browser.
    async fn of(app: &App, headers: &HeaderMap, cookies: &mut HeaderMap) -> Self {
        let found = match signed_in(app, headers).await {
            Ok(None) => moved_on(app, headers, cookies).await,
            known => known,
        };
        match found {
            Ok(Some(both)) => Self::Member(both),
            Ok(None) => Self::Guest,
            Err(problem) => {
                tracing::error!(code = problem.code(), error = %problem, "a visitor could not be looked up");
                Self::Unknown
            }
        }
    }
}

/// Around every page: finds out whose it is, and takes care of the cookies.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let mut cookies = HeaderMap::new();
    let visitor = Visitor::of(&app, request.headers(), &mut cookies).await;
    request.extensions_mut().insert(visitor);
    // For the way around: what is not there is not led to.
    request.extensions_mut().insert(Doors {
        inspector: app.inspector,
        demo: app.demo,
    });
    let was_told = Notice::of(request.headers(), app.cookies).is_some();
    let mut response = next.run(request).await;
    let is_page = !response.status().is_redirection();
    let headers = response.headers_mut();
    // Where a route gives or takes the tokens itself, that is what counts.
    if !app.cookies.are_in(headers) {
        for line in cookies.get_all(SET_COOKIE) {
            headers.append(SET_COOKIE, line.clone());
        }
    }
    if was_told && is_page {
        app.cookies.clear_notice(headers);
    }
    response
}

async fn signed_in(app: &App, headers: &HeaderMap) -> Result<Option<Arc<Both>>, Error> {
    let Ok(Some(text)) = cookie_value(headers, app.cookies.access_name()) else {
        return Ok(None);
    };
    let Ok(token) = app.verify(text, app.now()) else {
        return Ok(None);
    };
    app.behind(&token).await
}

async fn moved_on(
    app: &App,
    headers: &HeaderMap,
    cookies: &mut HeaderMap,
) -> Result<Option<Arc<Both>>, Error> {
    let Ok(Some(token)) = app.cookies.refresh_token(headers) else {
        return Ok(None);
    };
    match refresh::go_on_in_browser(app, &token).await {
        Ok((user, session)) => {
            tokens::set_cookies(app, &user, &session, cookies)?;
            Ok(Some(Arc::new(Both { session, user })))
        }
        // The session is over, and so are its cookies.
        Err(Error::InvalidRefreshToken) => {
            app.cookies.clear(cookies);
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}
