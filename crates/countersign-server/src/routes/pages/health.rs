//! `/admin/health`: whether the server can work, and a few figures, for administrators.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::VERSION;
use crate::app::App;
use crate::error::Error;
use crate::routes::form::{self, Sentences};
use crate::routes::member::Administrator;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::{health, trouble};
use crate::rules::rotation::Cause;

#[derive(Template)]
#[template(path = "health.html")]
struct Health {
    shell: Shell,
    /// What is missing, where something is.
    problem: Sentences,
    version: &'static str,
    issuer: String,
    keys: String,
    users: i64,
    sessions: i64,
    refreshes: Vec<Refreshes>,
    garbage: u64,
    /// By how many seconds the clock has leapt, while that is in doubt.
    leap: Option<i64>,
}

struct Refreshes {
    name: &'static str,
    what: &'static str,
    count: u64,
}

pub(crate) async fn get(State(app): State<App>, _: Administrator, shell: Shell) -> Response {
    let counted = async {
        let users = app.store.count_users().await?;
        let sessions = app.store.count_living_sessions(app.now()).await?;
        Ok::<_, Error>((users, sessions))
    };
    let (users, sessions) = match counted.await {
        Ok(counted) => counted,
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let checked = health::check(&app).await;
    let refreshes = app.metrics.refreshes();
    let health = Health {
        shell,
        problem: checked
            .err()
            .map(|problem| form::sentences(&problem))
            .unwrap_or_default(),
        version: VERSION,
        issuer: app.terms.issuer.clone(),
        keys: app.ring().describe(app.now()),
        users,
        sessions,
        refreshes: refreshes
            .map(|(cause, count)| Refreshes::of(cause, count))
            .collect(),
        garbage: app.metrics.garbage(),
        leap: app.leap_in_doubt(),
    };
    page(StatusCode::OK, &health)
}

impl Refreshes {
    fn of(cause: Cause, count: u64) -> Self {
        let what = match cause {
            Cause::Normal => "the session went on",
            Cause::Race => "two at once, and both got the same token",
            Cause::LateRetry => "an answer was lost, and asked for again",
            Cause::Reuse => "a token was used again long after its use: its session was ended",
            Cause::Ahead => "the database had gone back in time; nobody was logged out",
            Cause::Expired => "the session had run out",
            Cause::Unknown => "the session was ended or forgotten, or the token was not of it",
        };
        Self {
            name: cause.name(),
            what,
            count,
        }
    }
}
