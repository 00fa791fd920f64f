//! `/setup`: makes the first administrator with the one-time code; as a page, and as JSON.

use std::net::IpAddr;

use askama::Template;
use axum::Json as Answer;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, PageForm, Peer};
use crate::error::Error;
use crate::routes::form::{Field, Form};
use crate::routes::notice::Notice;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::user::AboutUser;
use crate::rules::account::{self, Applicant};
use crate::rules::secret::Secret;
use crate::rules::setup::{self, SetupCode};
use crate::rules::throttle::{Attempt, Limits};
use crate::store::users::UserRow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAdministrator {
    code: Secret,
    email: String,
    password: Secret,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup {
    shell: Shell,
    is_done: bool,
    form: Form,
}

pub(crate) async fn get(State(app): State<App>, shell: Shell) -> Response {
    let form = form("", "");
    match app.store.setup().await {
        Ok(setup) => {
            let is_done = setup.administrator_id.is_some();
            let setup = Setup {
                shell,
                is_done,
                form,
            };
            page(StatusCode::OK, &setup)
        }
        Err(problem) => trouble::trouble(shell, &problem),
    }
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
    body: Result<PageForm<FirstAdministrator>, Error>,
) -> Response {
    let body = match body {
        Ok(PageForm(body)) => body,
        Err(problem) => return again(shell, &problem, form("", "").misshapen(&problem)),
    };
    match make(&app, &body, peer).await {
        Ok(_) => Notice::AdministratorMade.on(app.cookies, "/log-in"),
        Err(problem) => {
            let form = form(body.code.expose(), &body.email).refused(&problem);
            again(shell, &problem, form)
        }
    }
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
    let choosing = app.passwords.choosing(Limits::site_of(peer).as_deref())?;
    let made =
        account::register_first_administrator(&app.store, &choosing, applicant, &code, now).await;
    let user = made.map_err(|problem| match problem {
        Error::EmailTaken => Error::AdministratorEmailTaken,
        other => other,
    })?;
    tracing::warn!(user = user.id, "the first administrator was made");
    Ok(user)
}

/// The page once more, with what was wrong; everything but the password stays filled in.
fn again(shell: Shell, problem: &Error, form: Form) -> Response {
    let setup = Setup {
        shell,
        is_done: matches!(problem, Error::AdministratorExists),
        form,
    };
    trouble::answer(problem, |status| page(status, &setup))
}

fn form(code: &str, email: &str) -> Form {
    Form::new([
        Field {
            value: code.to_owned(),
            autocomplete: "one-time-code",
            is_code: true,
            about: &["invalid_setup_code"],
            ..Field::text("code", "One-time code")
        },
        Field::email(email),
        Field::new_password("password", "Password"),
    ])
}
