//! `POST /login`: an address and a password for a session.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, Peer};
use crate::error::Error;
use crate::routes::tokens::{self, Mode};
use crate::rules::address;
use crate::rules::email::Email;
use crate::rules::password::{self, Password};
use crate::rules::secret::Secret;
use crate::rules::session::{self, Device};
use crate::rules::throttle::Attempt;
use crate::store::users::UserRow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    email: String,
    password: Secret,
    session: Option<Mode>,
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> Result<Response, Error> {
    let now = app.now();
    let email = body.email.trim().to_lowercase();
    let attempt = Attempt::login(&app.limits, &email, peer);
    attempt.charge(&app.store, now).await?;
    let user = prove(&app, &email, Password::new(body.password.expose())).await?;
    attempt.forgive(&app.store).await?;
    let user_agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let device = Device {
        user_agent,
        address: peer.map(address::prefix),
    };
    let session = session::start(
        &app.store,
        app.ring().refresh(),
        &user.id,
        device,
        app.lifetimes,
        now,
    )
    .await?;
    tokens::answer(
        &app,
        "Login successful",
        &user,
        &session,
        body.session.unwrap_or_default(),
    )
}

/// The account whose password this is. Unknown, wrong and disabled take the same work and end the same way.
async fn prove(app: &App, email: &str, password: Password) -> Result<UserRow, Error> {
    if !password.has_possible_length() {
        return Err(Error::InvalidCredentials);
    }
    let user = match Email::parse(email) {
        Ok(email) => app.store.user_by_email(email.as_str()).await?,
        Err(_) => None,
    };
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let holds = app.passwords.verify(password.clone(), stored).await?;
    let user = user
        .filter(|user| holds && !user.disabled)
        .ok_or(Error::InvalidCredentials)?;
    if password::is_outdated(&user.password_hash) {
        renew_hash(app, &user, password).await?;
    }
    Ok(user)
}

async fn renew_hash(app: &App, user: &UserRow, password: Password) -> Result<(), Error> {
    match app.passwords.rehash(password).await {
        Ok(hash) => {
            app.store
                .replace_password_hash(&user.id, &hash, &user.password_hash)
                .await
        }
        // The next log-in does it.
        Err(Error::Busy { .. }) => Ok(()),
        Err(problem) => Err(problem),
    }
}
