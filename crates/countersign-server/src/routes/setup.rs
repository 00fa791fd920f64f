//! `/setup`: makes the first administrator with the one-time code; as a page, and as JSON.

use std::net::IpAddr;

use askama::Template;
use axum::Json as Answer;
use axum::extract::State;
use axum::response::{Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, PageForm, Peer};
use crate::error::Error;
use crate::routes::notice::Notice;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::user::AboutUser;
use crate::rules::account::{self, Applicant};
use crate::rules::secret::Secret;
use crate::rules::setup::{self, SetupCode};
use crate::rules::throttle::Attempt;
use crate::store::users::UserRow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAdministrator {
    code: Secret,
    email: String,
    password: Secret,
}

#[derive(Default, Template)]
#[template(path = "setup.html")]
struct Setup<'a> {
    shell: Shell,
    is_done: bool,
    /// For whoever has just done it.
    is_made: bool,
    issuer: &'a str,
    /// Plain text and code in turn.
    problem: Vec<String>,
    code: &'a str,
    email: &'a str,
}

pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    shell: Shell,
) -> Result<Response, Error> {
    let is_done = app.store.setup().await?.administrator_id.is_some();
    Ok(page(
        StatusCode::OK,
        &Setup {
            shell,
            is_done,
            is_made: Notice::of(&headers, app.cookies) == Some(Notice::AdministratorMade),
            issuer: &app.terms.issuer,
            ..Setup::default()
        },
    ))
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    Json(body): Json<FirstAdministrator>,
) -> Result<(StatusCode, Answer<AboutUser>), Error> {
    let user = make(&app, &body, peer).await?;
    Ok((
        StatusCode::CREATED,
        Answer(AboutUser {
            message: "Administrator created".to_owned(),
            user: user.into(),
        }),
    ))
}

pub(crate) async fn post_form(
    State(app): State<App>,
    Peer(peer): Peer,
    shell: Shell,
    form: Result<PageForm<FirstAdministrator>, Error>,
) -> Response {
    let body = match form {
        Ok(PageForm(body)) => body,
        Err(problem) => return again(shell, &problem, "", ""),
    };
    match make(&app, &body, peer).await {
        Ok(_) => Notice::AdministratorMade.on(app.cookies, "/setup"),
        Err(problem) => again(shell, &problem, body.code.expose(), &body.email),
    }
}

/// The address of the form is not one to open; the page is.
pub(crate) async fn back() -> Redirect {
    Redirect::to("/setup")
}

async fn make(
    app: &App,
    body: &FirstAdministrator,
    peer: Option<IpAddr>,
) -> Result<UserRow, Error> {
    let now = app.now();
    // First of all: whoever has no code learns nothing, and makes the server hash nothing.
    let (attempt, code) = (
        Attempt::setup(&app.limits, peer),
        SetupCode::typed(body.code.expose()),
    );
    let checked = setup::check(&app.store, &attempt, &code, now).await;
    let code = checked.inspect_err(|problem| {
        tracing::warn!(
            code = problem.code(),
            "an attempt to become the administrator was refused"
        );
    })?;
    let applicant = Applicant::new(&body.email, None, body.password.expose())?;
    let choosing = app.passwords.choosing()?;
    let made =
        account::register_first_administrator(&app.store, &choosing, applicant, &code, now).await;
    let user = made.map_err(|problem| match problem {
        Error::EmailTaken => Error::AdministratorEmailTaken,
        other => other,
    })?;
    tracing::warn!(user = user.id, "the first administrator was made");
    Ok(user)
}

/// A message of the API as sentences of a page: plain text and code in turn.
fn sentences(problem: &Error) -> Vec<String> {
    let text = match problem {
        Error::WeakPassword { reasons } => reasons.join(" "),
        Error::BodyShape { .. } | Error::BodySyntax | Error::BodyEmpty => {
            "the form is not complete; fill in each of its fields".to_owned()
        }
        other => other.to_string(),
    };
    let sentences = text.split("; ").map(|clause| {
        let mut chars = clause.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string());
        let end = if clause.ends_with('.') { "" } else { "." };
        format!("{}{}{end}", first.unwrap_or_default(), chars.as_str())
    });
    let text = sentences.collect::<Vec<_>>().join(" ");
    text.split('`').map(str::to_owned).collect()
}

/// The page once more, with what was wrong; everything but the password stays filled in.
fn again(shell: Shell, problem: &Error, code: &str, email: &str) -> Response {
    let refused = crate::error::problem(problem);
    if refused.status().is_server_error() {
        return refused;
    }
    page(
        refused.status(),
        &Setup {
            shell,
            is_done: matches!(problem, Error::AdministratorExists),
            problem: sentences(problem),
            code,
            email,
            ..Setup::default()
        },
    )
}
