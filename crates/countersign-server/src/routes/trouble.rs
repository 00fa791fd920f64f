//! The page for what cannot be shown: why, in the words of the API, and with its status.

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::error::{self, Damage, Error};
use crate::routes::form::{self, Sentences};
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::rules::roles::ADMIN;

#[derive(Template)]
#[template(path = "trouble.html")]
struct Trouble {
    shell: Shell,
    title: &'static str,
    sentences: Sentences,
    /// Where to go on, and what that is called.
    onward: (&'static str, &'static str),
}

const FRONT_PAGE: (&str, &str) = ("/", "Open the front page");

/// A request that failed, as a page.
pub(crate) fn trouble(shell: Shell, problem: &Error) -> Response {
    let sentences = form::sentences(problem);
    let title = match problem {
        Error::NotFound => "Nothing is here",
        Error::UserUnknown => "No such account",
        Error::SessionUnknown => "No such session",
        Error::TooManyRequests { .. } => "Too many attempts",
        _ => "That did not work",
    };
    let onward = match problem {
        Error::UserUnknown => ("/admin/users", "See the accounts that there are"),
        _ => FRONT_PAGE,
    };
    answer(problem, |status| {
        let trouble = Trouble {
            shell,
            title,
            sentences,
            onward,
        };
        page(status, &trouble)
    })
}

/// Whoever is signed in may not see this.
pub(crate) fn forbidden(shell: Shell) -> Response {
    let sentences = vec![
        "This page needs the role ".to_owned(),
        ADMIN.to_owned(),
        ", which your account does not have. Ask an administrator for it, or log in with an account that has it.".to_owned(),
    ];
    let title = "Not for your account";
    let trouble = Trouble {
        shell,
        title,
        sentences,
        onward: FRONT_PAGE,
    };
    page(StatusCode::FORBIDDEN, &trouble)
}

/// A page for what was refused, with the status of the API's answer and the time to wait.
pub(crate) fn answer(problem: &Error, page: impl FnOnce(StatusCode) -> Response) -> Response {
    let refused = error::problem(problem);
    let mut response = page(refused.status());
    if let Some(secs) = refused.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, secs.clone());
    }
    if problem.is_damage() {
        response.extensions_mut().insert(Damage);
    }
    response
}

/// The answer for a path that is not there: to a browser a page, to a program a problem.
pub(crate) async fn nothing_here(State(app): State<App>, request: Request) -> Response {
    if !wants_a_page(request.headers()) {
        return Error::NotFound.into_response();
    }
    let (mut parts, _) = request.into_parts();
    match Shell::from_request_parts(&mut parts, &app).await {
        Ok(shell) => trouble(shell, &Error::NotFound),
        Err(never) => match never {},
    }
}

/// Whether a browser asks, which shows what it gets to somebody.
pub(crate) fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| list.contains("text/html"))
}
