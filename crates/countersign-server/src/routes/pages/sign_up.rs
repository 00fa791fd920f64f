//! `/sign-up`: an account, and the first log-in to it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::log_in;
use crate::app::App;
use crate::body::{PageForm, Peer};
use crate::error::Error;
use crate::routes::form::{Field, Form};
use crate::routes::notice::Notice;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::{signup, trouble};
use crate::rules::secret::Secret;

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUp {
    shell: Shell,
    form: Form,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    name: String,
    email: String,
    password: Secret,
}

pub(crate) async fn get(shell: Shell) -> Response {
    let form = form("", "");
    page(StatusCode::OK, &SignUp { shell, form })
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    shell: Shell,
    body: Result<PageForm<Application>, Error>,
) -> Response {
    let body = match body {
        Ok(PageForm(body)) => body,
        Err(problem) => {
            let form = form("", "").misshapen(&problem);
            return trouble::answer(&problem, |status| page(status, &SignUp { shell, form }));
        }
    };
    let name = Some(body.name.as_str());
    if let Err(problem) = signup::sign_up(&app, peer, &body.email, name, &body.password).await {
        let form = form(&body.name, &body.email).refused(&problem);
        return trouble::answer(&problem, |status| page(status, &SignUp { shell, form }));
    }
    match log_in::open(&app, peer, &headers, &body.email, &body.password).await {
        Ok(cookies) => Notice::SignedUp.beside(cookies, app.cookies, log_in::HOME),
        // The account is there; its owner logs in when the server has time for it.
        Err(_) => Notice::AccountMade.on(app.cookies, "/log-in"),
    }
}

fn form(name: &str, email: &str) -> Form {
    Form::new([
        Field {
            value: name.to_owned(),
            is_required: false,
            mark: "optional",
            autocomplete: "name",
            about: &["invalid_request"],
            ..Field::text("name", "Name")
        },
        Field::email(email),
        Field::new_password("password", "Password"),
    ])
}
