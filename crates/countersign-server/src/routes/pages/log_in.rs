//! `/log-in`: a session in cookies for an address and a password, and back to where one was going.

use std::net::IpAddr;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::app::App;
use crate::body::{PageForm, Peer};
use crate::error::Error;
use crate::routes::form::{Field, Form};
use crate::routes::next::Next;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::visitor::Visitor;
use crate::routes::{login, tokens};
use crate::rules::secret::Secret;

/// Where a log-in leads that was not on the way to anything else.
pub(super) const HOME: &str = "/account";

#[derive(Template)]
#[template(path = "log_in.html")]
struct LogIn {
    shell: Shell,
    form: Form,
    next: String,
    /// Whether somebody was on the way to a page: without a word they would wonder why they are here.
    is_on_the_way: bool,
}

impl LogIn {
    fn new(shell: Shell, form: Form, next: Option<Next>) -> Self {
        Self {
            shell,
            form,
            is_on_the_way: next.is_some(),
            next: to(next),
        }
    }
}

/// Whatever else an address says is none of ours.
#[derive(Deserialize)]
pub(crate) struct Way {
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    email: String,
    password: Secret,
    next: String,
}

pub(crate) async fn get(
    Extension(visitor): Extension<Visitor>,
    way: Result<Query<Way>, QueryRejection>,
    shell: Shell,
) -> Response {
    let asked = way.ok().and_then(|Query(way)| way.next);
    let next = Next::parse(&asked.unwrap_or_default());
    if let Visitor::Member(_) = visitor {
        return Redirect::to(&to(next)).into_response();
    }
    page(StatusCode::OK, &LogIn::new(shell, form(""), next))
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    shell: Shell,
    body: Result<PageForm<Credentials>, Error>,
) -> Response {
    let body = match body {
        Ok(PageForm(body)) => body,
        Err(problem) => {
            let form = form("").misshapen(&problem);
            return trouble::answer(&problem, |status| {
                page(status, &LogIn::new(shell, form, None))
            });
        }
    };
    // The form always names where it leads: home is on the way to nothing.
    let next = Next::parse(&body.next).filter(|next| next.as_str() != HOME);
    match open(&app, peer, &headers, &body.email, &body.password).await {
        Ok(cookies) => (cookies, Redirect::to(&to(next))).into_response(),
        Err(problem) => {
            let form = form(&body.email).refused(&problem);
            trouble::answer(&problem, |status| {
                page(status, &LogIn::new(shell, form, next))
            })
        }
    }
}

/// The cookies of a new session.
pub(super) async fn open(
    app: &App,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    email: &str,
    password: &Secret,
) -> Result<HeaderMap, Error> {
    let (user, session) = login::log_in(app, peer, headers, email, password).await?;
    let mut cookies = HeaderMap::new();
    tokens::set_cookies(app, &user, &session, &mut cookies)?;
    Ok(cookies)
}

fn to(next: Option<Next>) -> String {
    next.map_or_else(|| HOME.to_owned(), |next| next.as_str().to_owned())
}

fn form(email: &str) -> Form {
    Form::new([
        // Which of the two is wrong nobody is told: it stands above both.
        Field::email(email),
        Field {
            about: &[],
            ..Field::present_password("password", "Password")
        },
    ])
}
