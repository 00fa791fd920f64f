//! Pages for those who are signed in: everybody else is led to the log-in and back.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::routes::navigation::Reader;
use crate::routes::next::Next;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::visitor::Visitor;
use crate::rules::session::Both;

/// Whoever is signed in, and the session that shows it.
pub(crate) struct Member(pub(crate) Arc<Both>);

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match parts.extensions.get::<Visitor>() {
            Some(Visitor::Member(both)) => Ok(Self(Arc::clone(both))),
            Some(Visitor::Unknown) => {
                let problem = Error::NotReady("your session could not be looked up");
                Err(trouble::trouble(shell(parts, app).await, &problem))
            }
            Some(Visitor::Guest) | None => Err(to_the_log_in(parts)),
        }
    }
}

/// Whoever is signed in and has the role `admin`.
pub(crate) struct Administrator(pub(crate) Arc<Both>);

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Member(both) = Member::from_request_parts(parts, app).await?;
        let visitor = parts.extensions.get::<Visitor>();
        if visitor.map(Visitor::reader) == Some(Reader::Administrator) {
            Ok(Self(both))
        } else {
            Err(trouble::forbidden(shell(parts, app).await))
        }
    }
}

async fn shell(parts: &mut Parts, app: &App) -> Shell {
    match Shell::from_request_parts(parts, app).await {
        Ok(shell) => shell,
        Err(never) => match never {},
    }
}

fn to_the_log_in(parts: &Parts) -> Response {
    let here = if parts.method.is_safe() {
        let address = parts.uri.path_and_query();
        address.map_or_else(String::new, ToString::to_string)
    } else {
        page_of(parts.uri.path())
    };
    let to = match Next::parse(&here) {
        Some(next) => format!("/log-in?next={}", next.escaped()),
        None => "/log-in".to_owned(),
    };
    Redirect::to(&to).into_response()
}

/// The page whose form posts to this address: what stands between `/ui` and the name of the form.
pub(crate) fn page_of(form: &str) -> String {
    let path = form.strip_prefix("/ui").unwrap_or(form);
    match path.rsplit_once('/') {
        Some(("", _)) | None => path.to_owned(),
        Some((page, _)) => page.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_form_names_its_page() {
        for (form, page) in [
            ("/ui/log-in", "/log-in"),
            ("/ui/account/password", "/account"),
            ("/ui/admin/users/0199/roles", "/admin/users/0199"),
        ] {
            assert_eq!(page_of(form), page);
        }
    }
}
