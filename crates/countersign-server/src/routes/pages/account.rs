//! `/account`: one's own account. Its password, and where one is logged in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::log_out;
use super::session::Session;
use crate::app::App;
use crate::body::{PageForm, Peer};
use crate::error::Error;
use crate::routes::form::{Field, Form};
use crate::routes::member::Member;
use crate::routes::notice::Notice;
use crate::routes::page::page;
use crate::routes::password;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::when::When;
use crate::rules::secret::Secret;
use crate::rules::session::{self, Both, Which};

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    shell: Shell,
    email: String,
    name: Option<String>,
    id: String,
    roles: Vec<String>,
    since: When,
    form: Form,
    sessions: Vec<Session>,
    has_others: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    current: Secret,
    new: Secret,
}

/// The end of one session, by its identifier.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndOne {
    id: String,
}

/// The end of more than one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndMany {
    scope: Scope,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    Others,
    All,
}

pub(crate) async fn get(State(app): State<App>, Member(both): Member, shell: Shell) -> Response {
    match account(&app, &both, shell, form()).await {
        Ok(account) => page(StatusCode::OK, &account),
        Err((shell, problem)) => trouble::trouble(shell, &problem),
    }
}

/// `POST /ui/account/password`: a new password; the other sessions end.
pub(crate) async fn change_password(
    State(app): State<App>,
    Peer(peer): Peer,
    Member(both): Member,
    shell: Shell,
    body: Result<PageForm<Change>, Error>,
) -> Response {
    let (form, problem) = match body {
        Ok(PageForm(body)) => {
            let owner = (both.user.id.as_str(), both.session.id.as_str());
            match password::replace(&app, peer, owner, &body.current, &body.new).await {
                Ok(()) => return Notice::PasswordChanged.on(app.cookies, "/account"),
                Err(problem) => (form().refused(&problem), problem),
            }
        }
        Err(problem) => (form().misshapen(&problem), problem),
    };
    match account(&app, &both, shell, form).await {
        Ok(account) => trouble::answer(&problem, |status| page(status, &account)),
        Err((shell, problem)) => trouble::trouble(shell, &problem),
    }
}

/// `POST /ui/account/session`: the end of one session of one's own.
pub(crate) async fn end_one(
    State(app): State<App>,
    Member(both): Member,
    shell: Shell,
    body: Result<PageForm<EndOne>, Error>,
) -> Response {
    let id = match body {
        Ok(PageForm(body)) => body.id,
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let is_this = id == both.session.id;
    match session::end_one(&app.store, &both.user.id, &id, app.now()).await {
        Ok(true) => tracing::info!(sid = id, by = both.session.id, "a session was ended"),
        // It is over: what was asked for is so.
        Ok(false) => {}
        Err(problem) => return trouble::trouble(shell, &problem),
    }
    if is_this {
        log_out::out(&app)
    } else {
        Notice::SessionEnded.on(app.cookies, "/account")
    }
}

/// `POST /ui/account/sessions`: the end of the other sessions, or of all.
pub(crate) async fn end_many(
    State(app): State<App>,
    Member(both): Member,
    shell: Shell,
    body: Result<PageForm<EndMany>, Error>,
) -> Response {
    let scope = match body {
        Ok(PageForm(body)) => body.scope,
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let which = match scope {
        Scope::Others => Which::Others,
        Scope::All => Which::All,
    };
    if let Err(problem) = session::end(&app.store, &both.session, which, app.now()).await {
        return trouble::trouble(shell, &problem);
    }
    tracing::info!(sid = both.session.id, scope = ?which, "logged out");
    match scope {
        Scope::Others => Notice::OthersEnded.on(app.cookies, "/account"),
        Scope::All => log_out::out(&app),
    }
}

async fn account(
    app: &App,
    both: &Both,
    shell: Shell,
    form: Form,
) -> Result<Account, (Shell, Error)> {
    let (user, now) = (&both.user, app.now());
    let rows = match app.store.living_sessions(&user.id, now).await {
        Ok(rows) => rows,
        Err(problem) => return Err((shell, problem)),
    };
    let this = both.session.id.as_str();
    let sessions = rows.into_iter().map(|row| Session::of(row, this, now));
    let sessions: Vec<Session> = sessions.collect();
    Ok(Account {
        shell,
        email: user.email.clone(),
        name: user.name.clone(),
        id: user.id.clone(),
        roles: user.roles(),
        since: When::of(user.created_at, now),
        form,
        has_others: sessions.iter().any(|session| !session.is_this),
        sessions,
    })
}

fn form() -> Form {
    Form::new([
        Field::present_password("current", "Present password"),
        Field::new_password("new", "New password"),
    ])
}
