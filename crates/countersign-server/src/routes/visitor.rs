//! Whose page this is: who is signed in by cookies.
//!
//! Pages work without JavaScript, so where an access token is over, the request for a page moves its session on. Two
//! windows that are opened at once do so twice, and get the same token.

use countersign_http::cookie_value;
use http::HeaderMap;

use crate::app::App;
use crate::error::Error;
use crate::routes::{refresh, tokens};
use crate::store::users::UserRow;

/// Who asks for a page.
#[derive(Default)]
pub(super) struct Visitor {
    pub(super) user: Option<UserRow>,
    /// To be part of the answer.
    pub(super) headers: HeaderMap,
}

impl Visitor {
    /// The user whose cookies these are. Whatever is wrong with them, the page is there for everybody.
    pub(super) async fn of(app: &App, headers: &HeaderMap) -> Self {
        match signed_in(app, headers).await {
            Ok(Some(user)) => Self {
                user: Some(user),
                ..Self::default()
            },
            Ok(None) => moved_on(app, headers).await,
            Err(problem) => {
                tracing::error!(code = problem.code(), error = %problem, "a visitor could not be looked up");
                Self::default()
            }
        }
    }
}

async fn signed_in(app: &App, headers: &HeaderMap) -> Result<Option<UserRow>, Error> {
    let Ok(Some(text)) = cookie_value(headers, app.cookies.access_name()) else {
        return Ok(None);
    };
    let Ok(token) = app.verify(text, app.now()) else {
        return Ok(None);
    };
    let both = app.behind(&token).await?;
    Ok(both.map(|both| both.user.clone()))
}

async fn moved_on(app: &App, headers: &HeaderMap) -> Visitor {
    let mut visitor = Visitor::default();
    let Ok(Some(token)) = app.cookies.refresh_token(headers) else {
        return visitor;
    };
    match refresh::go_on(app, &token).await {
        Ok((user, session)) => {
            let set = tokens::set_cookies(app, &user, &session, &mut visitor.headers);
            visitor.user = set.is_ok().then_some(user);
        }
        // The session is over, and so are its cookies.
        Err(Error::InvalidRefreshToken) => app.cookies.clear(&mut visitor.headers),
        Err(problem) => {
            tracing::debug!(
                code = problem.code(),
                "a page could not move its session on"
            );
        }
    }
    visitor
}
