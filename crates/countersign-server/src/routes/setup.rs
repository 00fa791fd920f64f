//! `/setup`: makes the first administrator with the one-time code; as a page, and as JSON.

use askama::Template;
use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, PageForm};
use crate::error::Error;
use crate::routes::page::page;
use crate::routes::user::AboutUser;
use crate::rules::account::{self, Applicant};
use crate::rules::secret::Secret;
use crate::rules::setup::{self, SetupCode};
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
    is_done: bool,
    problem: Option<String>,
    code: &'a str,
    email: &'a str,
}

pub(crate) async fn get(State(app): State<App>) -> Result<Response, Error> {
    let is_done = app.store.setup().await?.administrator_id.is_some();
    Ok(page(
        StatusCode::OK,
        &Setup {
            is_done,
            ..Setup::default()
        },
    ))
}

pub(crate) async fn post(
    State(app): State<App>,
    Json(body): Json<FirstAdministrator>,
) -> Result<(StatusCode, Answer<AboutUser>), Error> {
    let user = make(&app, &body).await?;
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
    form: Result<PageForm<FirstAdministrator>, Error>,
) -> Response {
    let body = match form {
        Ok(PageForm(body)) => body,
        Err(problem) => return again(&problem, "", ""),
    };
    match make(&app, &body).await {
        Ok(_) => Redirect::to("/setup").into_response(),
        Err(problem) => again(&problem, body.code.expose(), &body.email),
    }
}

async fn make(app: &App, body: &FirstAdministrator) -> Result<UserRow, Error> {
    let now = app.now();
    // First of all: whoever has no code learns nothing, and makes the server hash nothing.
    let code = setup::check(&app.store, &SetupCode::typed(body.code.expose()), now).await?;
    let applicant = Applicant::new(&body.email, None, body.password.expose())?;
    account::register_first_administrator(&app.store, &app.passwords, applicant, &code, now).await
}

/// The page once more, with what was wrong; everything but the password stays filled in.
fn again(problem: &Error, code: &str, email: &str) -> Response {
    let refused = crate::error::problem(problem);
    if refused.status().is_server_error() {
        return refused;
    }
    let is_done = matches!(problem, Error::AdministratorExists);
    page(
        refused.status(),
        &Setup {
            is_done,
            problem: Some(problem.to_string()),
            code,
            email,
        },
    )
}
